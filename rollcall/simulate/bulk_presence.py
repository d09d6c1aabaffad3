"""One person in one class of ten million: when they were there, what they did, and how a fold keeps it.

Written for speed: the numbers of a person come out of one random number, and what is kept is a form filled in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from random import Random

BITS: Final = 64
"""Of the random number that `presence` is given."""

Presence: TypeAlias = tuple[int, int | None, bool, int, int | None, int | None, bytes]
"""first_in_at, last_out_at, is_present, proved_ms, possible_ms, share, detail: as the columns of an attendance."""

Acts: TypeAlias = tuple[int, int, int, int, int, int]
"""chats, raise_hands, emojis, poll_answers, cameras, talk_ms."""

_NAMES = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")
_SHAPES = 32

_SESSION = (
    b'{"end":"%s","joined_at":%d,"left_at":%s,"meeting":"%s","participant":"w_%012x","possible":[%d,%s],'
    b'"proved":[[%d,%d]],"start":"joined","witness":"live"}'
)
_DETAIL = (
    b'{"engagement":%s,"possible":[%s],"proved":[%s],"sessions":[%s],'
    b'"witnesses":{"callback":null,"live":[%d,%s],"recording":null}}'
)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a class was: the first joins at `first`, the last leaves at `last`, or now while it `is_running`."""

    meeting: bytes
    first: int
    last: int
    is_running: bool = False

    @property
    def length(self) -> int:
        """What shares are a part of."""
        return self.last - self.first


def presence(bits: int, hours: Hours, engagement: bytes) -> Presence:
    """Most are there from the first minutes to the end; some late, some gone early, some away for a while, some unsure.

    Two or three of the first bits' shapes prove less than they leave possible.
    """
    shape, length = bits % _SHAPES, hours.length
    joined = hours.first + (bits >> 5 & 0xFF) * length // (4 if shape in {22, 23, 24} else 24) // 256
    left = hours.last - (bits >> 13 & 0xFF) * length // (3 if shape in {25, 26} else 96) // 256
    connection = bits >> 16
    if hours.is_running:
        return _still_there(joined, hours, connection, engagement)
    if shape in {27, 28}:
        away = joined + length // 4 + (bits >> 21 & 0xFF) * length // 1024
        return _twice((joined, away), (min(away + length // 16, left), left), hours, connection, engagement)
    if shape < 29:
        span = b"[%d,%d]" % (joined, left)
        session = _SESSION % (
            b"left",
            joined,
            b"%d" % left,
            hours.meeting,
            connection,
            joined,
            b"%d" % left,
            joined,
            left,
        )
        proved = left - joined
        detail = _DETAIL % (engagement, span, span, session, proved, b"%d" % proved)
        return joined, left, False, proved, proved, 1000 * proved // length, detail
    seen = (joined + left) // 2 if shape == 31 else left - length // 12
    return _unsure((joined, seen, left), hours, connection, engagement)


def _twice(one: tuple[int, int], two: tuple[int, int], hours: Hours, connection: int, engagement: bytes) -> Presence:
    spans = b"[%d,%d],[%d,%d]" % (*one, *two)
    sessions = b",".join(
        _SESSION % (b"left", start, b"%d" % end, hours.meeting, connection + number, start, b"%d" % end, start, end)
        for number, (start, end) in enumerate((one, two))
    )
    proved = one[1] - one[0] + two[1] - two[0]
    detail = _DETAIL % (engagement, spans, spans, sessions, proved, b"%d" % proved)
    return one[0], two[1], False, proved, proved, 1000 * proved // hours.length, detail


def _unsure(times: tuple[int, int, int], hours: Hours, connection: int, engagement: bytes) -> Presence:
    """Their leave was not heard: they were seen until then, and may have stayed."""
    joined, seen, left = times
    end, proved, possible = b"%d" % left, seen - joined, left - joined
    session = _SESSION % (b"absent", joined, b"null", hours.meeting, connection, joined, end, joined, seen)
    spans = b"[%d,%d]" % (joined, left), b"[%d,%d]" % (joined, seen)
    detail = _DETAIL % (engagement, *spans, session, proved, b"%d" % possible)
    return joined, left, False, proved, possible, 1000 * proved // hours.length, detail


def _still_there(joined: int, hours: Hours, connection: int, engagement: bytes) -> Presence:
    proved = hours.last - joined
    session = _SESSION % (b"open", joined, b"null", hours.meeting, connection, joined, b"null", joined, hours.last)
    spans = b"[%d,null]" % joined, b"[%d,%d]" % (joined, hours.last)
    detail = _DETAIL % (engagement, *spans, session, proved, b"null")
    return joined, None, True, proved, None, None, detail


def make_acts(rng: Random, count: int) -> list[tuple[Acts, bytes]]:
    """So many ways to take part, half of them in silence, each with how a fold keeps it."""
    return [(acts, _kept(acts)) for acts in (_acts(rng) for _ in range(count))]


def _acts(rng: Random) -> Acts:
    if rng.random() < 0.5:
        return (0, 0, 0, 0, 0, 0)
    chats, hands, emojis, polls = (int(rng.expovariate(1 / mean)) for mean in (3, 1, 1, 0.7))
    return chats, hands, emojis, polls, rng.randrange(3), int(rng.expovariate(1 / 40_000)) if rng.random() < 0.5 else 0


def _kept(acts: Acts) -> bytes:
    seen: dict[str, Any] = {
        name: {"is_exact": False, "seen": count} for name, count in zip(_NAMES, acts, strict=True) if count
    }
    return json.dumps(seen, separators=(",", ":"), sort_keys=True).encode()
