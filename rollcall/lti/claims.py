"""What a verified token says, read strictly where somebody is let in by it and leniently where it only adorns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from rollcall.core.access import Role
from rollcall.lti import messages
from rollcall.lti.messages import Message
from rollcall.lti.refusals import refused
from rollcall.outgoing.addresses import trusted_hosts

if TYPE_CHECKING:
    from rollcall.store.platforms import Context, Deployment, Platform, ResourceLink

LEEWAY_MS: Final = 60_000
"""By how much two clocks may differ."""

OLDEST_MS: Final = 3_600_000
"""A token that was issued longer ago than this is not taken, whenever it says that it expires."""

LONGEST_ID: Final = 255
LONGEST_TEXT: Final = 1000
LONGEST_URL: Final = 4096
LARGEST_TIME: Final = 253_402_300_800  # the year 10000, in seconds

_VOCABULARY: Final = "http://purl.imsglobal.org/vocab/lis/v2/"
_ADMINISTRATORS: Final = frozenset(
    {f"{_VOCABULARY}system/person#Administrator", f"{_VOCABULARY}institution/person#Administrator"}
)
# A short word is allowed for a role of a course alone.
_OF_TEACHERS: Final = frozenset({"Instructor", "Administrator", "TeachingAssistant"})

_ID: Final = re.compile(rf"[\x21-\x7e](?:[\x20-\x7e]{{0,{LONGEST_ID - 2}}}[\x21-\x7e])?")
_ACTIVITY: Final = re.compile(r"[0-9a-f]{32}")
_GROUPS: Final = re.compile(r"[0-9]{1,20}(?:,[0-9]{1,20})*")


@dataclass(frozen=True, slots=True)
class DeepLinkRequest:
    """Where a teacher's choice goes, and what may be chosen. `return_url` is for their browser, never stored or logged.

    `data` goes back unchanged; None where the LMS sent none.
    """

    return_url: str
    data: str | None
    accepts_several: bool
    accepts_line_item: bool


@dataclass(frozen=True, slots=True)
class Launched:
    """Somebody whom a platform sent, verified, and from where. `role` counts for this launch alone.

    `groups` are the user's own in the course, None where the LMS did not tell; `custom` holds only what was resolved.
    `language` is one of Rollcall's, or blank. `name` is blank unless it is shared. `return_url` and `deep_link` hold a
    session key of the LMS: neither is stored or logged.
    """

    platform: Platform
    deployment: Deployment
    message: Message
    user_id: str
    role: Role
    context: Context | None
    link: ResourceLink | None
    target: str
    custom: Mapping[str, str]
    groups: frozenset[str] | None
    language: str
    return_url: str
    name: str
    deep_link: DeepLinkRequest | None
    memberships_url: str
    line_items_url: str
    line_item_url: str
    grade_scopes: tuple[str, ...]
    for_user: str


# --- forms --------------------------------------------------------------------------------------------------------


def identifier(value: object, code: str = "claim-malformed") -> str:
    """An id: 1 to 255 printable ASCII characters, without blanks at its ends; LaunchRefused(code) otherwise."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise refused(code)
    return value


def member(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object among the claims; an empty one if it is not there."""
    value = claims.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refused("claim-malformed")
    return value


def text(value: object, longest: int = LONGEST_TEXT) -> str:
    """A text that only adorns; blank if it is none, and cut where it is too long."""
    return value[:longest] if isinstance(value, str) else ""


def url(value: object) -> str:
    """An address of the platform's as it may be used: https, unless the operator allows the host; else blank."""
    if not isinstance(value, str) or len(value) > LONGEST_URL or not value.isascii() or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    is_whole = bool(host) and port != 0 and "@" not in parts.netloc and " " not in value
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in trusted_hosts())
    return value if is_whole and is_safe else ""


# --- what must hold -----------------------------------------------------------------------------------------------


def require_issuer(claims: Mapping[str, Any], platform: Platform) -> None:
    """That the platform says it, and says it to us."""
    if claims.get("iss") != platform.issuer:
        raise refused("issuer")
    audience, party = claims.get("aud"), claims.get("azp")
    if isinstance(audience, list):
        if platform.client_id not in audience or not all(isinstance(one, str) for one in audience):
            raise refused("audience")
        if len(audience) > 1 and party is None:
            raise refused("authorized-party")
    elif audience != platform.client_id:
        raise refused("audience")
    if "azp" in claims and party != platform.client_id:
        raise refused("authorized-party")


def require_time(claims: Mapping[str, Any], now: int) -> None:
    """That it is valid at this moment (epoch ms)."""
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    begins = _time(claims, "nbf") if "nbf" in claims else issued
    if expires <= issued or now >= expires + LEEWAY_MS or now - issued > OLDEST_MS + LEEWAY_MS:
        raise refused("expired")
    if max(issued, begins) > now + LEEWAY_MS:
        raise refused("early")


def _time(claims: Mapping[str, Any], name: str) -> int:
    """A NumericDate as epoch ms."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LARGEST_TIME:
        raise refused("claim-malformed")
    return int(value * 1000)


def message_of(claims: Mapping[str, Any]) -> Message:
    """For what somebody comes; only in this version of LTI."""
    if claims.get(messages.VERSION_CLAIM) != messages.VERSION:
        raise refused("version")
    try:
        return Message(claims.get(messages.MESSAGE_TYPE))  # type: ignore[arg-type]  # whatever it is
    except ValueError:
        raise refused("message-type") from None


def role_of(claims: Mapping[str, Any]) -> Role:
    """The strongest role that is known; who has none sees no more than a learner does: their own record.

    Of the LMS as a whole only an administrator counts. In a course teach instructors, their assistants and whoever
    administers it. A content developer or a mentor does not: neither says that somebody may see all learners.
    """
    roles = claims.get(messages.ROLES)
    if not isinstance(roles, list) or not all(isinstance(one, str) for one in roles):
        raise refused("claim-malformed")
    if _ADMINISTRATORS.intersection(roles):
        return Role.ADMINISTRATOR
    return Role.INSTRUCTOR if any(map(is_teaching, roles)) else Role.LEARNER


def is_teaching(role: str) -> bool:
    """Whether a role of a course, in full or as a short word, is one of those who teach it."""
    before, has_vocabulary, word = role.partition("#")
    if not has_vocabulary:
        return role in _OF_TEACHERS
    kind = before.removeprefix(f"{_VOCABULARY}membership")
    if before == kind:
        return False
    return word in _OF_TEACHERS if not kind else kind in {"/Instructor", "/Administrator"}


# --- what it adorns -----------------------------------------------------------------------------------------------


def custom_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """Custom parameters that are texts; a variable that the LMS does not know comes back unchanged, and is not told."""
    custom = member(claims, messages.CUSTOM)
    return {
        name: value
        for name, value in custom.items()
        if isinstance(value, str) and not value.startswith("$") and len(value) <= LONGEST_URL
    }


def groups_of(custom: Mapping[str, str]) -> frozenset[str] | None:
    """The user's own groups in the course; None if the LMS told nothing, nobody's if what it told cannot be read."""
    told = custom.get("groups")
    if told is None:
        return None
    return frozenset(told.split(",")) if _GROUPS.fullmatch(told) else frozenset()


def activity_of(custom: Mapping[str, str]) -> str:
    """The BBB activity that a teacher chose for this link: Summary.activity_key in hexadecimal, or blank."""
    told = custom.get("activity", "")
    return told if _ACTIVITY.fullmatch(told) else ""


def language_of(claims: Mapping[str, Any]) -> str:
    """One of Rollcall's languages: of `pt_br` or `de_kids` as much as there is."""
    told = text(member(claims, messages.PRESENTATION).get("locale"), 32).lower().replace("_", "-")
    known = dict(settings.LANGUAGES)
    while told and told not in known:
        told = told.rpartition("-")[0]
    return told


def name_of(claims: Mapping[str, Any]) -> str:
    """The user's name; blank unless the LMS shares it."""
    whole = text(claims.get("name"), LONGEST_ID)
    return whole or " ".join(filter(None, (text(claims.get(one), LONGEST_ID) for one in ("given_name", "family_name"))))


def scopes_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """What of the gradebook the tool may ask for."""
    told = member(claims, messages.ENDPOINT).get("scope")
    return tuple(one for one in told if isinstance(one, str))[:20] if isinstance(told, list) else ()


def deep_link_of(claims: Mapping[str, Any]) -> DeepLinkRequest:
    """Where the choice goes; LaunchRefused where the LMS takes nothing that Rollcall could give."""
    wanted = claims.get(messages.DEEP_LINKING_SETTINGS)
    if not isinstance(wanted, dict):
        raise refused("claim-malformed")
    types, return_url, data = wanted.get("accept_types"), url(wanted.get("deep_link_return_url")), wanted.get("data")
    if not return_url or (data is not None and not isinstance(data, str)):
        raise refused("claim-malformed")
    if not isinstance(types, list) or messages.RESOURCE_LINK_ITEM not in types:
        raise refused("nothing-to-choose")
    return DeepLinkRequest(
        return_url=return_url,
        data=data,
        accepts_several=wanted.get("accept_multiple") is True,
        accepts_line_item=wanted.get("accept_lineitem") is not False,
    )
