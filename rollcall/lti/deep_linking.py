"""What a teacher chooses for an activity of the LMS, sent back there: a token that Rollcall signs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from rollcall.core.errors import Misconfigured
from rollcall.lti import addresses, messages
from rollcall.lti.keys import signing_key
from rollcall.lti.refusals import refused
from rollcall.store.sealing import seal, unseal

if TYPE_CHECKING:
    from rollcall.lti.claims import Launched
    from rollcall.store.platforms import Platform

LIFETIME_MS: Final = 3_600_000
"""For how long the page of the choice may stay open."""

VALID_SECONDS: Final = 300
SIGNED_BACK_SECONDS: Final = 10
"""An LMS whose clock is behind ours would take the token for one of the future."""

MAXIMUM: Final = 100
TAG: Final = "attendance"


@dataclass(frozen=True, slots=True)
class Choosing:
    """A request that waits for a teacher. It goes with the page, sealed: its address holds a session key of the LMS."""

    platform: int
    deployment_id: str
    context_id: str
    return_url: str
    data: str | None
    accepts_line_item: bool
    until: int


@dataclass(frozen=True, slots=True)
class Item:
    """One link: to a BBB activity (Summary.activity_key in hexadecimal), or to the whole course where that is blank."""

    title: str
    activity: str = ""
    has_column: bool = False


def choosing(launched: Launched, now: int) -> Choosing:
    """What has to be known when the teacher has chosen. `now` is epoch ms."""
    request, context = launched.deep_link, launched.context
    if request is None or context is None:
        raise refused("message-type")
    return Choosing(
        platform=launched.platform.pk,
        deployment_id=launched.deployment.deployment_id,
        context_id=context.context_id,
        return_url=request.return_url,
        data=request.data,
        accepts_line_item=request.accepts_line_item,
        until=now + LIFETIME_MS,
    )


def sealed(waiting: Choosing) -> str:
    """It, as it stands in a form: nobody reads or changes it there."""
    return seal(json.dumps(asdict(waiting))).decode()


def opened(text: str, now: int) -> Choosing:
    """What was sealed; LaunchRefused if it was not, or too long ago."""
    try:
        waiting = Choosing(**json.loads(unseal(text.encode())))
    except (Misconfigured, ValueError, TypeError):
        raise refused("form-malformed") from None
    if now >= waiting.until:
        raise refused("state-expired")
    return waiting


def response(waiting: Choosing, platform: Platform, items: Sequence[Item], now: int) -> str:
    """The token to post to the address that the LMS gave. Moodle wants the client id as its issuer, and a key id."""
    signed_at = now // 1000 - SIGNED_BACK_SECONDS
    claims: dict[str, Any] = {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.issuer,
        "iat": signed_at,
        "exp": signed_at + SIGNED_BACK_SECONDS + VALID_SECONDS,
        "nonce": secrets.token_urlsafe(24),
        messages.MESSAGE_TYPE: messages.DEEP_LINK_RESPONSE,
        messages.VERSION_CLAIM: messages.VERSION,
        messages.DEPLOYMENT_ID: waiting.deployment_id,
        messages.CONTENT_ITEMS: [_item(one, has_column=waiting.accepts_line_item) for one in items],
    }
    if waiting.data is not None:
        claims[messages.DATA] = waiting.data
    return signing_key(now).sign(claims)


def _item(item: Item, *, has_column: bool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": messages.RESOURCE_LINK_ITEM,
        "title": item.title,
        "url": addresses.address(addresses.LAUNCH),
        "custom": {"activity": item.activity} if item.activity else {},
    }
    if item.has_column and has_column:
        made["lineItem"] = {
            "label": item.title,
            "scoreMaximum": MAXIMUM,
            "resourceId": item.activity or "course",
            "tag": TAG,
        }
    return made
