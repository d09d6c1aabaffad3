"""What one meeting says to the policy of its activity: taken out of its fold, packed, and read back."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from rollcall.core.activity import EXACTLY_NONE, NOBODY_KNOWS, Count, Held, Presence
from rollcall.core.engagement import UNSEEN
from rollcall.core.intervals import OPEN, Spans, merge
from rollcall.core.meeting import SETTLING_MS
from rollcall.core.people import DIAL_IN, USER
from rollcall.core.policy import Quantity
from rollcall.store.fields import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.core.attendance import Attendance
    from rollcall.core.engagement import Engagement
    from rollcall.core.meeting import FoldedMeeting

DAY_MS: Final = 24 * 60 * 60_000
HISTORY_MS: Final = 3 * DAY_MS
"""What had been over for so long when it was first heard of is history."""

_COUNTED: Final = (
    (Quantity.CHATS, "chats"),
    (Quantity.TALKS, "talks"),
    (Quantity.RAISED_HANDS, "raise_hands"),
    (Quantity.REACTIONS, "emojis"),
    (Quantity.POLL_ANSWERS, "poll_answers"),
    (Quantity.TALK_TIME, "talk_ms"),
)


class _Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Held as it is kept. `heard_at` is when its first fact was received.

    Of each person: the user id, proved, possible (None: the same), and the place of their counts in `counts`, where two
    numbers are one quantity's, in the order of _COUNTED: how many were seen, and 1 if that is exact.
    """

    began_at: int
    first_join: tuple[int, int]
    last_leave: tuple[int, int]
    ended: tuple[int, int]
    attendees: tuple[int, int]
    unseen: Spans
    settles_at: int | None
    blind: tuple[tuple[int, int, str], ...]
    heard_at: int
    counts: tuple[tuple[int, ...], ...]
    people: list[tuple[str, Spans, Spans | None, int]]


_decoder = msgspec.msgpack.Decoder(_Packed)
_encoder = msgspec.msgpack.Encoder()


def held_from(folded: FoldedMeeting) -> Held:
    """What a fold says; the meeting has no number here, and what is history is told by pack() and unpack().

    While it runs anybody may still come, and whoever has left may come back: only what has been is certain. And a
    connection of which no join was told may be anybody's.
    """
    to_come = () if folded.is_over() else ((_known_until(folded), OPEN),)
    nameless = [span for one in folded.attendances if not _is_somebody(one) for span in one.possible]
    anybody = merge((*to_come, *nameless))
    unseen = merge((*folded.unseen, *anybody))
    first_join, last_leave = _length(folded.attendances, unseen, folded.started_at)
    return Held(
        meeting="",
        began_at=folded.started_at,
        first_join=first_join,
        last_leave=last_leave,
        ended=_ended(folded),
        attendees=(_at_least(folded.attendances), OPEN if folded.unseen or to_come else len(folded.attendances)),
        people={
            one.external_user_id: Presence(
                one.proved,
                merge((*one.possible, *anybody)) if anybody else one.possible,
                _counts(one.engagement, is_all=not nameless),
            )
            for one in folded.attendances
            if one.key.kind == USER and _is_lms_id(one.external_user_id)
        },
        unseen=unseen,
        settles_at=folded.settles_at if folded.is_over() else OPEN,
        blind=folded.blind,
    )


def _is_lms_id(user: str) -> bool:
    """No LMS has an id that no database keeps."""
    return bool(user) and user == storable(user)


def _known_until(folded: FoldedMeeting) -> int:
    """The last moment of which anything was told."""
    bounds = (bound for one in folded.attendances for span in (*one.proved, *one.possible) for bound in span)
    return max((bound for bound in bounds if bound != OPEN), default=folded.started_at)


def _counts(engagement: Engagement, *, is_all: bool) -> dict[Quantity, Count]:
    counts = ((quantity, getattr(engagement, name)) for quantity, name in _COUNTED)
    return {quantity: Count(count.seen, count.is_exact and is_all) for quantity, count in counts if count != UNSEEN}


def _length(everybody: Iterable[Attendance], unseen: Spans, started_at: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """When anybody first joined and last left: it may have been somebody of whom nothing was told."""
    everybody = list(everybody)
    proved = [span for one in everybody for span in (*one.proved[:1], *one.proved[-1:])]
    possible = [span for one in everybody for span in (*one.possible[:1], *one.possible[-1:])]
    possible += unseen
    if not possible:
        return (started_at, started_at), (started_at, started_at)
    earliest, latest = min(start for start, _ in possible), max(end for _, end in possible)
    if not proved:
        return (earliest, latest), (earliest, latest)
    joined, left = min(start for start, _ in proved), max(end for _, end in proved)
    return (min(earliest, joined), joined), (left, max(latest, left))


def _ended(folded: FoldedMeeting) -> tuple[int, int]:
    """Of a running one it is certain that it has run as long as somebody was there."""
    if folded.ended_at is not None:
        return min(folded.ran_until or folded.started_at, folded.ended_at), folded.ended_at
    proved = (end for one in folded.attendances for _, end in one.proved[-1:])
    return max(proved, default=folded.started_at), OPEN


def _at_least(everybody: Iterable[Attendance]) -> int:
    """So many were certainly there: a connection of which no join was told may be one of somebody else."""
    there = [one for one in everybody if _was_there(one)]
    return max(sum(map(_is_somebody, there)), min(len(there), 1))


def _is_somebody(one: Attendance) -> bool:
    is_named = one.key.kind == DIAL_IN or bool(one.external_user_id)
    return is_named or any(session.joined_at is not None for session in one.sessions)


def _was_there(one: Attendance) -> bool:
    return bool(one.proved) or any(session.joined_at is not None for session in one.sessions)


def pack(held: Held, heard_at: int) -> bytes:
    """The bytes for one meeting; the same for the same facts."""
    places: dict[tuple[int, ...], int] = {}
    people = [_person(user, held.people[user], places) for user in sorted(held.people)]
    packed = _Packed(
        began_at=held.began_at,
        first_join=held.first_join,
        last_leave=held.last_leave,
        ended=held.ended,
        attendees=held.attendees,
        unseen=held.unseen,
        settles_at=held.settles_at,
        blind=held.blind,
        heard_at=heard_at,
        counts=tuple(places),
        people=people,
    )
    return _encoder.encode(packed)


def _person(user: str, one: Presence, places: dict[tuple[int, ...], int]) -> tuple[str, Spans, Spans | None, int]:
    found = (one.counts.get(quantity, NOBODY_KNOWS) for quantity, _ in _COUNTED)
    codes = tuple(number for count in found for number in (count.seen, int(count.is_exact)))
    possible = None if one.possible == one.proved else one.possible
    return user, one.proved, possible, places.setdefault(codes, len(places))


# -- read back --------------------------------------------------------------------------------------------------------


def unpack(packed: bytes, meeting: str, *, from_at: int = 0) -> Held:
    """The meeting as the fold of its activity takes it; what began before `from_at` (epoch ms) is history."""
    held = _decoder.decode(packed)
    counts = [_counted(codes) for codes in held.counts]
    return Held(
        meeting=meeting,
        began_at=held.began_at,
        first_join=held.first_join,
        last_leave=held.last_leave,
        ended=held.ended,
        attendees=held.attendees,
        people={
            user: Presence(proved, proved if possible is None else possible, counts[place])
            for user, proved, possible, place in held.people
        },
        unseen=held.unseen,
        unseen_counts=NOBODY_KNOWS if held.unseen else EXACTLY_NONE,
        settles_at=held.settles_at,
        blind=held.blind,
        is_history=_over_at(held) + HISTORY_MS < held.heard_at or held.began_at < from_at,
    )


def _over_at(held: _Packed) -> int:
    """When it was over; of one without an end, which may be half a record, when anything of it was last told.

    A class that runs is not silent for days.
    """
    latest = held.ended[1]
    return latest if latest < OPEN else max(held.began_at, held.ended[0], held.last_leave[0])


@lru_cache(maxsize=4096)
def _counted(codes: tuple[int, ...]) -> Mapping[Quantity, Count]:
    """What one person did. Most did the same as others: nothing at all, or so much that nobody knows."""
    pairs = zip(codes[::2], codes[1::2], strict=True)
    counts: Iterable[tuple[Quantity, Count]] = (
        (quantity, Count(seen, bool(is_exact))) for (quantity, _), (seen, is_exact) in zip(_COUNTED, pairs, strict=True)
    )
    return MappingProxyType({quantity: count for quantity, count in counts if count != NOBODY_KNOWS})


def clamp(held: Held, until: int) -> Held:
    """The same of a meeting in whose room the next one began then: one room holds one meeting at a time.

    What is proved stands: clocks may differ by a little.
    """
    until = max(until, held.last_leave[0], held.ended[0])
    if held.ended[1] <= until:
        return held

    def cut(spans: Spans) -> Spans:
        return tuple((start, min(end, until)) for start, end in spans if start < until)

    return replace(
        held,
        first_join=(held.first_join[0], min(held.first_join[1], until)),
        last_leave=(held.last_leave[0], min(held.last_leave[1], until)),
        ended=(held.ended[0], until),
        people={user: Presence(one.proved, cut(one.possible), one.counts) for user, one in held.people.items()},
        unseen=cut(held.unseen),
        settles_at=None if held.settles_at is None else min(held.settles_at, until + SETTLING_MS),
        blind=tuple((start, min(end, until), cause) for start, end, cause in held.blind if start < until),
    )
