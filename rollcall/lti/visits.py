"""The session after a launch: as whom somebody comes, for how long, and by what it is known again.

A visit is known by a random text in a cookie, of which only a digest is kept; or, where the browser keeps no cookie, by
a short-lived address that is signed over that digest. Never by both: once the cookie has come back no address opens it.
"""

from __future__ import annotations

import secrets
import time
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.utils.crypto import constant_time_compare, salted_hmac

from rollcall import environment
from rollcall.core.access import Reader, Role
from rollcall.lti.roster import is_awaited, is_only_learner
from rollcall.store.keys import course_key, key_of, person_key
from rollcall.store.platforms import Visit

if TYPE_CHECKING:
    from rollcall.lti.claims import Launched
    from rollcall.store.platforms import Context, Platform

STEP_MS: Final = 600_000
"""How long pages are given the same address: what did not change then looks the same, and a list is not drawn anew."""
TOUCH_MS: Final = 60_000

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_NAME_LETTERS: Final = 16
_ADDRESS_SALT: Final = "rollcall.lti.visits: address"
_TICKET_SALT: Final = "rollcall.lti.visits: window"


def clock() -> int:
    """Epoch ms."""
    return time.time_ns() // 1_000_000


# --- begin and end ----------------------------------------------------------------------------------------------------


def begin(launched: Launched, now: int) -> tuple[Visit, str]:
    """The visit of a verified launch, and the text for its cookie."""
    return _made(
        Visit(
            platform=launched.platform,
            context=launched.context,
            link=launched.link,
            user_id=launched.user_id,
            role=launched.role.value,
            groups=None if launched.groups is None else ",".join(sorted(launched.groups)),
            language=launched.language,
            expires_at=now + environment.VISIT_HOURS.read_whole_number() * _HOUR_MS,
        ),
        now,
    )


def sibling(visit: Visit, now: int) -> tuple[Visit, str]:
    """The same visit once more, for another window, where neither cookie nor address of this one is known."""
    names = ("platform", "context", "link", "user_id", "role", "groups", "language", "zone", "expires_at")
    return _made(Visit(**{name: getattr(visit, name) for name in names}), now)


def _made(visit: Visit, now: int) -> tuple[Visit, str]:
    secret = secrets.token_urlsafe(24)
    visit.key = key_of(secret)
    visit.made_at = visit.used_at = now
    visit.save()
    return visit, secret


def end(visit: Visit, now: int) -> None:
    """From now on it opens nothing."""
    Visit.objects.filter(pk=visit.pk, ended_at=None).update(ended_at=now)


def end_all(platform: Platform, now: int) -> None:
    """The same for everybody who came from there."""
    Visit.objects.filter(platform=platform, ended_at=None).update(ended_at=now)


# --- known again ------------------------------------------------------------------------------------------------------


def of_secret(secret: str, now: int) -> Visit | None:
    """The visit whose cookie this is; None if there is none, or it is over."""
    return _in_force(now, key=key_of(secret))


def name_of(secret: str) -> str:
    """How addresses name the visit that a cookie opens: the begin of the digest that is kept, and no secret."""
    return key_of(secret).hex()[:_NAME_LETTERS]


def name(visit: Visit) -> str:
    """The same for a visit."""
    return bytes(visit.key).hex()[:_NAME_LETTERS]


def token(visit: Visit, now: int) -> str:
    """What stands in the addresses of its pages where no cookie is kept."""
    return _signed(visit, now // STEP_MS, _ADDRESS_SALT)


def of_token(text: str, now: int) -> Visit | None:
    """The visit of such an address; None if we did not sign it, too long ago, or the visit is over."""
    return _of_signed(text, now, _ADDRESS_SALT)


def ticket(visit: Visit, now: int) -> str:
    """What a page's form shows to open the visit in a window of its own. It is for nothing else."""
    return _signed(visit, now // STEP_MS, _TICKET_SALT)


def of_ticket(text: str, now: int) -> Visit | None:
    """The visit of a ticket, as for addresses."""
    return _of_signed(text, now, _TICKET_SALT)


def _signed(visit: Visit, step: int, salt: str) -> str:
    """`number.step.signature`: the same within a step."""
    mac = salted_hmac(salt, f"{visit.pk}.{step}.{bytes(visit.key).hex()}", algorithm="sha256").digest()
    return f"{visit.pk}.{step}.{urlsafe_b64encode(mac[:18]).decode()}"


def _of_signed(text: str, now: int, salt: str) -> Visit | None:
    number, _, rest = text.partition(".")
    step, _, _mac = rest.partition(".")
    if len(text) > 80 or not all(part.isascii() and part.isdigit() for part in (number, step)):
        return None
    # Whoever was given the address at the end of its step has it as long as whoever was first.
    if not 0 <= now // STEP_MS - int(step) <= _idle_ms() // STEP_MS + 1:
        return None
    visit = _in_force(now, pk=int(number)) if int(number) < 1 << 63 else None
    if visit is None or not constant_time_compare(text, _signed(visit, int(step), salt)):
        return None
    return visit


def _in_force(now: int, **which: object) -> Visit | None:
    idle_since = now - _idle_ms()
    return (
        Visit.objects.filter(
            **which, ended_at=None, expires_at__gt=now, used_at__gt=idle_since, platform__removed_at=None
        )
        .select_related("platform", "context", "link")
        .first()
    )


def _idle_ms() -> int:
    return environment.VISIT_IDLE_MINUTES.read_whole_number() * _MINUTE_MS


def touch(visit: Visit, now: int) -> None:
    """It is being used; written once a minute."""
    if now - visit.used_at >= TOUCH_MS:
        Visit.objects.filter(pk=visit.pk, used_at__lt=now).update(used_at=now)
        visit.used_at = now


def cookie_came_back(visit: Visit) -> None:
    """From now on the cookie alone opens it."""
    if not visit.has_cookie:
        Visit.objects.filter(pk=visit.pk).update(has_cookie=True)
        visit.has_cookie = True


# --- what somebody sees in it -----------------------------------------------------------------------------------------


def reader_of(visit: Visit) -> Reader:
    """Who comes, and inside which bounds.

    An instructor who is only a learner on the roster, as Moodle's non-editing teachers are, sees their own groups;
    whose groups the LMS did not tell sees none. Until a course's first roster has been read nobody sees more than that,
    as nobody knows who may; where reading it fails, whoever has groups at all goes on so.
    """
    role, platform, context = Role(visit.role), visit.platform, visit.context
    is_administrator = role is Role.ADMINISTRATOR
    groups = None
    is_held = context is not None and (_is_unknown(visit, context) or is_only_learner(context, visit.user_id))
    if role is Role.INSTRUCTOR and is_held:
        groups = frozenset((visit.groups or "").split(",")) - {""}
    return Reader(
        role=role,
        name=visit.user_id,
        organisation=platform.organisation_id,
        site=platform.site,
        context_id="" if is_administrator or context is None else context.context_id,
        user_id="" if is_administrator else visit.user_id,
        groups=groups,
    )


def _is_unknown(visit: Visit, context: Context) -> bool:
    return is_awaited(context) and (not context.roster_failures or bool(visit.groups))


def first_page(visit: Visit) -> str:
    """Where a launch leads: learners to themselves, instructors to their course, administrators to the overview.

    A link that was made for one activity shows each of them that activity alone.
    """
    site, organisation, context = visit.platform.site, visit.platform.organisation_id, visit.context
    only = f"?{urlencode({'meeting': visit.link.activity})}" if visit.link is not None and visit.link.activity else ""
    if visit.role == Role.LEARNER:
        return f"/people/{person_key(site, visit.user_id, organisation).hex()}{only}"
    if only:
        return f"/meetings{only}"
    if visit.role == Role.INSTRUCTOR and context is not None:
        return f"/courses/{course_key(site, context.context_id, organisation).hex()}"
    return "/"


def course_page(visit: Visit) -> str:
    """Where the LMS shows the course, blank where we do not know how it writes such addresses.

    The address to return to that a launch brings holds a key of the LMS's session, so it is not kept.
    """
    if visit.platform.product != "moodle" or visit.context is None:
        return ""
    return f"{visit.platform.site}/course/view.php?{urlencode({'id': visit.context.context_id})}"
