"""What Moodle's own plugin (mod_bigbluebuttonbn) takes as BigBlueButton's analytics callback, and what it answers.

Its receiver keeps the first delivery of an internal meeting id and drops every later one, on the whole site, even when
the first broke off half-way; a single attendee whose id is no number breaks it off. So one body is made per meeting,
from what has been proved, with nobody in it whom Moodle could not know, and is sent once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from rollcall.bbb.callback_body import is_lms_user
from rollcall.core.people import MOODLE_PATH, USER
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from rollcall.store.derived import Attendance, Summary

TOKEN_SECONDS: Final = 5 * 60
"""How long a token is good: long enough for clocks that differ, too short to be of use to whoever finds it later."""

RULE_SECONDS: Final = 60
"""One minute: the shortest that a rule of Moodle's can ask for."""

BROKER: Final = f"{MOODLE_PATH}bbb_broker.php"
PROBE: Final = b'{"meeting_id":"probe"}'
"""Signed rightly and sent to the right address it is answered 410; nothing is stored whatever happens."""

# Internal ids of one width: none is then a part of another one, which Moodle's search would take for a repetition.
_INTERNAL_ID: Final = re.compile(r"[0-9a-f]{40}-[0-9]{13}")

_encode = msgspec.json.Encoder(order="deterministic").encode


# -- what is sent -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Body:
    """One request's content, ready to be sent, and how many people it credits."""

    content: bytes = field(repr=False)
    people: int

    def digest(self) -> bytes:
        """What to compare a later body of the same meeting with."""
        return hashlib.blake2b(self.content, digest_size=16).digest()


def is_broker(url: str) -> bool:
    """Whether this is the address of Moodle's receiver of meeting events, for one activity."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    query = dict(parse_qsl(parts.query))
    is_ours = parts.path.endswith(BROKER) and query.get("action", "").lower() == "meeting_events"
    return is_ours and query.get("bigbluebuttonbn", "").isdecimal() and parts.scheme in {"http", "https"}


def broker_of(site: str, instance: str) -> str:
    """The address of the receiver for one activity of this Moodle."""
    return f"{site}{BROKER}?action=meeting_events&bigbluebuttonbn={instance}"


def site_of_broker(url: str) -> str:
    """The Moodle a broker's address belongs to."""
    return url.partition(MOODLE_PATH)[0]


def target_key(url: str) -> bytes:
    """The key of the target that this address belongs to."""
    return key_of("callback", site_of_broker(url))


def is_sendable_id(internal_meeting_id: str) -> bool:
    """Whether Moodle can tell this id from all others: BigBlueButton's own ids, whose width is fixed, and no other."""
    return _INTERNAL_ID.fullmatch(internal_meeting_id) is not None


def remote_id(internal_meeting_id: str, revision: int) -> str:
    """The id to send under: an id that extends an earlier one is taken for a new meeting, whose values are added."""
    return f"{internal_meeting_id}-r{revision + 1:02}" if revision else internal_meeting_id


def body_of(
    summary: Summary, people: Iterable[Attendance], *, revision: int = 0, only: Collection[str] | None = None
) -> Body:
    """The body of one meeting; `only` leaves in these external ids and no others. No names of people are sent."""
    attendees = [
        _attendee(one) for one in people if is_credited(one) and (only is None or one.external_user_id in only)
    ]
    ended_at = summary.ended_proved_at or summary.ended_possible_at or summary.started_at
    content = {
        "version": "1.0",
        "meeting_id": summary.external_meeting_id,
        "internal_meeting_id": remote_id(summary.meeting.internal_meeting_id, revision),
        "data": {
            "metadata": {"is_breakout": "false", "meeting_name": summary.name},
            "duration": _seconds(max(ended_at - summary.started_at, 0)),
            "start": _iso(summary.started_at),
            "finish": _iso(ended_at),
            "attendees": sorted(attendees, key=lambda one: int(one["ext_user_id"])),
            "files": [],
            "polls": [],
        },
    }
    return Body(_encode(content), len(attendees))


def rule_id(generation: int, *names: str) -> str:
    """The id under which one person is told of: as wide as BigBlueButton's own, and another for each generation.

    Once it has arrived Moodle answers every repeat that it knows it already, and does nothing.
    """
    digest = hashlib.blake2b("\0".join(names).encode("utf-8", "surrogatepass"), digest_size=20)
    return f"{digest.hexdigest()}-{generation:013}"


def body_by_rule(meeting_id: str, internal_meeting_id: str, user_id: str, now: int) -> bytes:
    """What tells an activity whose own rule is one minute that this person has met ours."""
    start, finish = _iso(now - RULE_SECONDS * 1000), _iso(now)
    attendee = {
        "ext_user_id": user_id,
        "moderator": False,
        "duration": RULE_SECONDS,
        "joins": [start],
        "leaves": [finish],
        "engagement": _engagement({}),
    }
    times = {"duration": RULE_SECONDS, "start": start, "finish": finish}
    data = {"metadata": {"is_breakout": "false"}, **times, "attendees": [attendee], "files": [], "polls": []}
    told = {"version": "1.0", "meeting_id": meeting_id, "internal_meeting_id": internal_meeting_id, "data": data}
    return _encode(told)


def is_credited(one: Attendance) -> bool:
    """Guests, callers and nameless connections are nobody to Moodle; and who was never surely there gets nothing."""
    return one.kind == USER and is_lms_user(one.external_user_id) and one.proved_ms > 0


def _attendee(one: Attendance) -> dict[str, Any]:
    detail = msgspec.json.decode(bytes(one.detail))
    spans = detail["proved"]
    return {
        "ext_user_id": one.external_user_id,
        "moderator": one.role == "MODERATOR",
        "duration": _seconds(one.proved_ms),
        "joins": [_iso(start) for start, _ in spans],
        "leaves": [_iso(end) for _, end in spans],
        "engagement": _engagement(detail["engagement"]),
    }


def _engagement(counts: dict[str, dict[str, Any]]) -> dict[str, int]:
    def seen(name: str) -> int:
        return int(counts.get(name, {}).get("seen", 0))

    return {
        "chats": seen("chats"),
        "talks": seen("talks"),
        "raisehand": seen("raise_hands"),
        "emojis": seen("emojis"),
        "poll_votes": seen("poll_answers"),
        "talk_time": _seconds(seen("talk_ms")),
    }


def _seconds(milliseconds: int) -> int:
    """Rounded once, here."""
    return (milliseconds + 500) // 1000


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


# -- how it is signed ---------------------------------------------------------------------------------------------

PADDINGS: Final = {
    "": "{}",
    "blank-after": "{} ",
    "newline-after": "{}\n",
    "crlf-after": "{}\r\n",
    "blank-before": " {}",
}
"""Moodle verifies with its setting as it was typed: a stray blank there lets calls work and breaks every callback."""


def token(secret: str, now_ms: int) -> str:
    """HS512 with nothing but `exp`, as BigBlueButton's own: any other claim of time is compared without leeway."""
    head = _base64(b'{"typ":"JWT","alg":"HS512"}')
    claims = _base64(_encode({"exp": now_ms // 1000 + TOKEN_SECONDS}))
    signature = hmac.digest(secret.encode(), head + b"." + claims, "sha512")
    return b".".join((head, claims, _base64(signature))).decode()


def _base64(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


# -- what is answered ---------------------------------------------------------------------------------------------


class Meaning(StrEnum):
    """What an answer says. Moodle's only diagnostic is the phrase beside the status."""

    ACCEPTED = "accepted"
    ALREADY = "already"
    GONE = "gone"
    BROKEN_OFF = "broken-off"  # stored, then failed: a repetition would be dropped
    HEADER_STRIPPED = "header-stripped"
    WRONG_SECRET = "wrong-secret"  # noqa: S105 - a code
    EXPIRED = "expired-token"
    BAD_TOKEN = "bad-token"  # noqa: S105 - a code
    WRONG_ADDRESS = "wrong-address"  # the broker says that it was called wrongly
    UNCLEAR = "unexplained"  # only the probe can tell, if that
    TOO_BIG = "too-big"
    MOVED = "moved"
    FORBIDDEN = "forbidden"
    PAGE = "error-page"  # a page for people where Moodle says nothing; perhaps it has stored all the same
    TOO_MANY = "too-many"
    BUSY = "busy"
    FAILED = "failed"  # stored or not: the next attempt tells


NOT_STORED: Final = frozenset(
    {
        Meaning.HEADER_STRIPPED,
        Meaning.WRONG_SECRET,
        Meaning.EXPIRED,
        Meaning.BAD_TOKEN,
        Meaning.WRONG_ADDRESS,
        Meaning.TOO_BIG,
        Meaning.MOVED,
        Meaning.FORBIDDEN,
        Meaning.GONE,
        Meaning.TOO_MANY,
    }
)
"""After these answers the receiver holds nothing of what was sent."""

_PHRASES: Final = (
    ("authorization failed", Meaning.HEADER_STRIPPED),
    ("signature verification failed", Meaning.WRONG_SECRET),
    ("expired token", Meaning.EXPIRED),
    ("cannot handle token", Meaning.EXPIRED),
    ("wrong number of segments", Meaning.BAD_TOKEN),
    ("incorrect key", Meaning.BAD_TOKEN),
    ("algorithm not supported", Meaning.BAD_TOKEN),
    ("can not be performed", Meaning.WRONG_ADDRESS),
    ("was not included", Meaning.WRONG_ADDRESS),
    ("error writing to database", Meaning.BROKEN_OFF),
)
_STATUSES: Final = {
    200: Meaning.ACCEPTED,
    202: Meaning.ALREADY,
    401: Meaning.FORBIDDEN,
    403: Meaning.FORBIDDEN,
    407: Meaning.FORBIDDEN,
    410: Meaning.GONE,
    413: Meaning.TOO_BIG,
    429: Meaning.TOO_MANY,
    503: Meaning.BUSY,
}


def meaning_of(status: int, phrase: str, *, has_page: bool = False) -> Meaning:
    """What Moodle's receiver, or whatever stands in front of it, says."""
    if has_page and status in {200, 202}:
        return Meaning.PAGE
    if status == 400:
        said = phrase.lower()
        return next((meaning for text, meaning in _PHRASES if text in said), Meaning.UNCLEAR)
    if status in _STATUSES:
        return _STATUSES[status]
    if 300 <= status < 400:
        return Meaning.MOVED
    return Meaning.FAILED if status >= 500 else Meaning.UNCLEAR
