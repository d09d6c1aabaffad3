"""Classes whose truth is known, as events: what hypothesis makes, loses, repeats and shuffles."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from rollcall.core.events import (
    ChatSent,
    EmojiChanged,
    Listed,
    MeetingCreated,
    MeetingEnded,
    MeetingListed,
    MeetingMissing,
    RaiseHandChanged,
    Source,
    UserJoined,
    UserLeft,
)
from rollcall.core.intervals import Spans, merge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.core.events import Anything

MEETING = "0a" * 20 + "-1000000"
START = 1_000_000
ROUND_MS = 30_000


@dataclass(frozen=True)
class TrueStay:
    """One join to leave; `leave_at` is the meeting's end where nobody announced it."""

    participant: str
    external: str
    join_at: int
    leave_at: int
    is_to_the_end: bool
    acts: tuple[Anything, ...] = ()


@dataclass(frozen=True)
class TrueClass:
    """What really happened."""

    end_at: int
    stays: tuple[TrueStay, ...]

    def truth(self) -> dict[str, Spans]:
        """Each person's presence."""
        spans = defaultdict(list)
        for stay in self.stays:
            spans[stay.external].append((stay.join_at, stay.leave_at))
        return {external: merge(found) for external, found in spans.items()}


def digested(event: Anything) -> Anything:
    """The event with a digest of its own, as the log would give it."""
    return replace(event, digest=blake2b(repr(event).encode(), digest_size=16).digest())


@st.composite
def true_classes(draw: st.DrawFn, *, people: int = 3, tabs: int = 2, most_minutes: int = 12) -> TrueClass:
    """A few people with tabs, reconnects under the same and under new ids, and acts in between."""
    end_at = START + draw(st.integers(2 * ROUND_MS, most_minutes * 60_000))
    stays: list[TrueStay] = []
    for person in range(draw(st.integers(1, people))):
        for tab in range(draw(st.integers(1, tabs))):
            stays += draw(_stays_of_one_connection(f"w_{person}{tab}", str(10 + person), end_at))
    return TrueClass(end_at, tuple(stays))


@st.composite
def _stays_of_one_connection(draw: st.DrawFn, participant: str, external: str, end_at: int) -> list[TrueStay]:
    times = sorted(draw(st.sets(st.integers(START + 1_000, end_at - 1), min_size=1, max_size=4)))
    stays = []
    for join_at, leave_at in zip(times[::2], [*times[1::2], None][: (len(times) + 1) // 2], strict=True):
        is_to_the_end = leave_at is None
        until = end_at if leave_at is None else leave_at
        acts = draw(st.lists(st.tuples(st.integers(join_at, until - 1), st.integers(0, 3)), max_size=4))
        stays.append(
            TrueStay(
                participant,
                external,
                join_at,
                until,
                is_to_the_end,
                tuple(_act(participant, external, at, what, n) for n, (at, what) in enumerate(sorted(acts))),
            )
        )
    return stays


def _act(participant: str, external: str, at: int, what: int, number: int) -> Anything:
    who: dict[str, Any] = {"meeting": MEETING, "at": at, "participant": participant, "external_user_id": external}
    match what:
        case 0:
            return ChatSent(**who, message_id=f"{participant}-{at}-{number}")
        case 1:
            return EmojiChanged(**who, emoji="happy")
        case 2:
            return RaiseHandChanged(**who, is_up=True)
        case _:
            return RaiseHandChanged(**who, is_up=False)


def told(stay: TrueStay) -> list[Anything]:
    """What a mapped hook tells of one stay."""
    who: dict[str, Any] = {"meeting": MEETING, "participant": stay.participant, "external_user_id": stay.external}
    events: list[Anything] = [UserJoined(**who, at=stay.join_at, name=f"N {stay.external}", role="VIEWER"), *stay.acts]
    if stay.is_to_the_end:
        events.append(UserLeft(**who, at=stay.leave_at, is_invented=True, name="N"))
    else:
        events.append(UserLeft(**who, at=stay.leave_at))
    return [digested(event) for event in events]


def frame(end_at: int) -> list[Anything]:
    """Creation and end."""
    created = MeetingCreated(meeting=MEETING, at=START, external_meeting_id="x", name="Algebra", created_at=START)
    return [digested(created), digested(MeetingEnded(meeting=MEETING, at=end_at))]


def polls(true: TrueClass, *, first_at: int = START + 7_345, every_ms: int = ROUND_MS) -> list[Anything]:
    """Every answer of getMeetings, stamped with whole seconds as HTTP does."""
    found: list[Anything] = []
    for at in range(first_at, true.end_at + 2 * every_ms, every_ms):
        stamped = at // 1000 * 1000
        if at >= true.end_at:
            found.append(MeetingMissing(meeting=MEETING, at=stamped, source=Source.POLL))
            continue
        counts: defaultdict[str, int] = defaultdict(int)
        for stay in true.stays:
            counts[stay.external] += stay.join_at <= at < stay.leave_at
        present = tuple(Listed(external_user_id=who, count=n) for who, n in sorted(counts.items()) if n)
        found.append(MeetingListed(meeting=MEETING, at=stamped, source=Source.POLL, present=present))
    return [digested(event) for event in found]


def as_raw(events: Iterable[Anything], *, earlier_ms: int = 40) -> list[Anything]:
    """The same as a raw hook tells it: BigBlueButton's clock, a little earlier. Made-up leaves stay mapped."""
    return [
        event
        if isinstance(event, UserLeft) and event.is_invented
        else digested(replace(event, source=Source.RAW, at=event.at - earlier_ms, digest=b""))
        for event in events
    ]
