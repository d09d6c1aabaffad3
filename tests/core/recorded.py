"""Records of classes whose truth is known, as events: a whole or damaged events.xml, and what the gem made of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from rollcall.core.events import (
    AttendeeReported,
    ChatSent,
    EmojiChanged,
    MeetingEnded,
    MeetingRecorded,
    MeetingReported,
    RaiseHandChanged,
    Reported,
    Source,
    UserJoined,
    UserLeft,
)
from tests.core.classes import MEETING, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.core.events import Anything
    from tests.core.classes import TrueClass, TrueStay


def document(events: Sequence[Anything], source: Source) -> list[Anything]:
    """The events of one document, with the digests the log would give them."""
    digest = blake2b(repr(events).encode(), digest_size=16).digest()
    return [
        replace(event, source=source, digest=digest + index.to_bytes(4, "big")) for index, event in enumerate(events)
    ]


def written_down(stay: TrueStay) -> list[Anything]:
    """One stay as events.xml has it: those present at the end have no leave."""
    who: dict[str, Any] = {"meeting": MEETING, "participant": stay.participant, "external_user_id": stay.external}
    events: list[Anything] = [UserJoined(**who, at=stay.join_at, name=f"N {stay.external}", role="VIEWER"), *stay.acts]
    return events if stay.is_to_the_end else [*events, UserLeft(**who, at=stay.leave_at)]


def recording(
    true: TrueClass,
    *,
    reason: str | None = "ENDED_FROM_API",
    is_whole: bool = True,
    damage: str = "",
    kept: Iterable[Anything] | None = None,
) -> list[Anything]:
    """The events.xml of a class; `kept` of its events where some are lost."""
    events = [event for stay in true.stays for event in written_down(stay)] if kept is None else list(kept)
    if reason is not None:
        events.append(MeetingEnded(meeting=MEETING, at=true.end_at, reason=reason))
    events.sort(key=lambda event: event.at)
    head = MeetingRecorded(
        meeting=MEETING,
        at=START + 40,
        last_at=events[-1].at if events else START + 40,
        is_whole=is_whole,
        damage=damage,
        events=len(events),
        end_reason=reason,
        external_meeting_id="x",
        created_at=START,
        name="Algebra",
    )
    return document([head, *events], Source.RECORDING)


def callback(true: TrueClass, *, first_event_ms: int = 40, has_sessions: bool = True) -> list[Anything]:
    """What the gem reports: cut seconds, early by the time of the first event; before 2.0 without connections."""
    finish = _second(true.end_at, first_event_ms)
    by_external: defaultdict[str, list[TrueStay]] = defaultdict(list)
    for stay in sorted(true.stays, key=lambda stay: stay.join_at):
        by_external[stay.external].append(stay)
    attendees: list[AttendeeReported] = []
    for slot, (external, stays) in enumerate(sorted(by_external.items())):
        sessions = _sessions(stays, first_event_ms)
        if not has_sessions:
            merged = [(tuple(sorted(at for one in sessions for at in times(one)))) for times in (_joins, _leaves)]
            sessions = [Reported("", *merged)]
        acts = [act for stay in stays for act in stay.acts]
        attendees.append(
            AttendeeReported(
                meeting=MEETING,
                at=sessions[0].joins[0],
                participant=sessions[0].participant or f"callback-{slot}",
                external_user_id=external,
                sessions=tuple(sessions),
                name=f"N {external}",
                role="VIEWER",
                chats=sum(isinstance(act, ChatSent) for act in acts),
                raise_hands=sum(isinstance(act, RaiseHandChanged) and act.is_up for act in acts),
                emojis=sum(isinstance(act, EmojiChanged) for act in acts),
                poll_answers=0,
            )
        )
    events = sum(len(one.joins) + len(one.leaves) for attendee in attendees for one in attendee.sessions)
    start = START // 1000 * 1000
    head = MeetingReported(
        meeting=MEETING, at=start, finish_at=finish, generation="2.0.1", events=events, name="Algebra"
    )
    return document([head, *attendees], Source.CALLBACK)


def _second(at: int, first_event_ms: int) -> int:
    return (at - first_event_ms) // 1000 * 1000


def _sessions(stays: Iterable[TrueStay], first_event_ms: int) -> list[Reported]:
    joins: defaultdict[str, list[int]] = defaultdict(list)
    leaves: defaultdict[str, list[int]] = defaultdict(list)
    for stay in stays:
        joins[stay.participant].append(_second(stay.join_at, first_event_ms))
        if not stay.is_to_the_end:
            leaves[stay.participant].append(_second(stay.leave_at, first_event_ms))
    return [Reported(name, tuple(joins[name]), tuple(leaves[name])) for name in joins]


def _joins(told: Reported) -> tuple[int, ...]:
    return told.joins


def _leaves(told: Reported) -> tuple[int, ...]:
    return told.leaves
