"""fold_meeting: the one door in. Facts of a meeting and its breakout rooms go in, attendance comes out.

The fold takes no clock and raises for nothing it is told: odd facts become notes. Any order, repetition or batching of
the same facts gives the same value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.core.attendance import Attendance, fold_attendance, length, unseen_in
from rollcall.core.comparison import Change, Disagreement, changes_of, coverage, disagreements
from rollcall.core.events import ORDER, Source
from rollcall.core.evidence import LIVE, Moment
from rollcall.core.intervals import OPEN, merge
from rollcall.core.people import Activity, activity_of, site_of
from rollcall.core.records import LAST_USER_LEFT, live_room, recorded_sessions, room_of, without_records
from rollcall.core.room import Room
from rollcall.core.witnesses import CALLBACK, RECORDING, Testimony, tell_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.core.events import Anything, MeetingRecorded, MeetingReported
    from rollcall.core.intervals import Spans
    from rollcall.core.people import AttendeeKey

# Hashing a member of an enumeration costs more than looking at it.
RAW, MAPPED, POLL = Source.RAW, Source.MAPPED, Source.POLL
LIVE_SOURCES: Final = (RAW, MAPPED, POLL)

SETTLING_MS: Final = 10 * 60_000
"""bbb-webhooks retries a delivery for 296 s and up to 13 request times of 5 s; after that nothing more comes."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader should know of how sure a number is: a code with who, when and how many."""

    code: str
    meeting: str
    participant: str = ""
    at: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class FoldedRoom:
    """One meeting of a family. It certainly ran until `ran_until` and was over at `ended_at`; None: not known to be.

    `participants` are its internal user ids, `parent_participants` those of the parent meeting that its people name.
    Then what each witness told: (how often, first, last) of the live ones, the heads of the records, and of how many
    external ids the callback `reported`.
    """

    meeting: str
    name: str
    is_breakout: bool
    created_at: int | None
    started_at: int
    ran_until: int | None
    ended_at: int | None
    participants: tuple[str, ...]
    parent_participants: tuple[str, ...]
    webhooks: tuple[int, int, int] | None = None
    polls: tuple[int, int, int] | None = None
    callback: MeetingReported | None = None
    reported: int = 0
    recording: MeetingRecorded | None = None
    end_reason: str | None = None


@dataclass(frozen=True, slots=True)
class FoldedMeeting:
    """A meeting with its breakout rooms. `rooms` begins with the root; times are epoch ms, None where not known.

    `length` is first join to last leave of anybody as [shortest, longest] ms. `settles_at` is when no live witness can
    add anything any more; None while the meeting runs, and once a whole recording of every room is in.

    `record` is the root's best record: recording, callback, partial (an events.xml that is not whole), or blank.
    `coverage` is the time of the root covered by no, one, two or more witnesses, in ms. `live` is what the live
    witnesses alone would have given everybody, [proved, possible] ms, where a record stands beside them.
    """

    meeting: str
    external_meeting_id: str
    name: str
    metadata: Mapping[str, str]
    started_at: int
    ran_until: int | None
    ended_at: int | None
    settles_at: int | None
    record: str
    rooms: tuple[FoldedRoom, ...]
    attendances: tuple[Attendance, ...]
    length: tuple[int, int | None]
    blind: tuple[tuple[int, int, str], ...]
    notes: tuple[Note, ...]
    coverage: tuple[int, int, int]
    disagreements: tuple[Disagreement, ...]
    changes: tuple[Change, ...]
    live: Mapping[AttendeeKey, tuple[int, int | None]]
    unseen: Spans

    def site(self, pool: str) -> str:
        """The LMS this meeting belongs to, see rollcall.core.people.site_of."""
        return site_of(self.metadata, pool)

    def activity(self, pool: str) -> Activity:
        """What series of meetings it is one of, see rollcall.core.people.activity_of."""
        return activity_of(self.external_meeting_id, self.metadata, pool)

    def is_over(self) -> bool:
        """Whether the meeting is known to have ended."""
        return self.ended_at is not None


def fold_meeting(events: Iterable[Anything], *, root: str | None = None) -> FoldedMeeting:
    """The attendance of a family. `root` names its root meeting where the caller knows it; ValueError for no facts."""
    told = {meeting: tell_apart(heard) for meeting, heard in _by_meeting(events).items()}
    if not told:
        raise ValueError("a meeting needs at least one fact")
    rooms = {meeting: room_of(meeting, testimony) for meeting, testimony in told.items()}
    if root is not None and root not in rooms:
        rooms[root], told[root] = Room(root), Testimony()
    first = rooms.pop(_find_root(rooms) if root is None else root)
    return _folded(first, [rooms[meeting] for meeting in sorted(rooms)], told)


def _by_meeting(events: Iterable[Anything]) -> dict[str, list[Anything]]:
    """Each meeting's events, sorted and without repeats."""
    found: defaultdict[str, list[Anything]] = defaultdict(list)
    last = None
    for event in sorted(events, key=ORDER):
        is_alike = last is not None and event.digest == last.digest and ORDER(event) == ORDER(last)
        if is_alike and (event.digest or event == last):
            continue
        found[event.meeting].append(event)
        last = event
    return found


def _find_root(rooms: Mapping[str, Room]) -> str:
    """The one that is nobody's breakout room; of several the first by id."""

    def rank(room: Room) -> tuple[bool, bool, str]:
        information = room.information()
        parent = information.parent if information else None
        is_breakout = information is not None and information.is_breakout
        return parent is not None and parent in rooms, is_breakout, room.meeting

    return min(rooms.values(), key=rank).meeting


def _folded(root: Room, breakouts: Sequence[Room], told: Mapping[str, Testimony]) -> FoldedMeeting:
    everybody = (root, *breakouts)
    attendances = fold_attendance(root, breakouts)
    information = root.information()
    folded = tuple(_folded_room(room, told[room.meeting], is_root=room is root) for room in everybody)
    known = [room for room in everybody if room.first_at != OPEN] or [root]
    telling = [root] if root.first_at != OPEN else known
    is_over = all(room.ended_at != OPEN for room in telling)
    ended_at = max(room.ended_at for room in telling) if is_over else None
    is_whole = all(told[room.meeting].is_recorded() for room in known)
    compared = _compared(everybody, told, attendances)
    return FoldedMeeting(
        meeting=root.meeting,
        external_meeting_id=(information and information.external_meeting_id) or "",
        name=(information and information.name) or "",
        metadata=dict(information.metadata) if information else {},
        started_at=min(room.started_at() for room in known),
        ran_until=max(room.ran_until or room.started_at() for room in telling) if is_over else None,
        ended_at=ended_at,
        settles_at=None if ended_at is None or is_whole else ended_at + SETTLING_MS,
        record=told[root.meeting].best_record(),
        rooms=folded,
        attendances=attendances,
        length=length(attendances),
        blind=tuple(sorted({span for room in everybody for span in room.blind})),
        notes=tuple(note for room in everybody for note in _notes(room)),
        coverage=coverage(root, told[root.meeting]),
        disagreements=compared.disagreements,
        changes=compared.changes,
        live=compared.live,
        unseen=merge(
            span
            for room in known
            for span in unseen_in(room, is_watched=any(one.source in LIVE_SOURCES for one in told[room.meeting].live))
        ),
    )


class _Compared(NamedTuple):
    """What the live witnesses alone would have said, beside what the records say."""

    disagreements: tuple[Disagreement, ...] = ()
    changes: tuple[Change, ...] = ()
    live: Mapping[AttendeeKey, tuple[int, int | None]] = MappingProxyType({})


def _compared(rooms: Sequence[Room], told: Mapping[str, Testimony], attendances: Sequence[Attendance]) -> _Compared:
    """Folds once more without the records, if there are any and something else was told as well."""
    if not any(told[room.meeting].has_record() and told[room.meeting].live for room in rooms):
        return _Compared()
    live = [live_room(room.meeting, without_records(told[room.meeting])) for room in rooms]
    before = fold_attendance(live[0], live[1:])
    by = told[rooms[0].meeting].best_record() or CALLBACK
    found = [
        disagreement
        for heard, room in zip(live, rooms, strict=True)
        if told[room.meeting].has_record()
        for disagreement in disagreements(heard, room, told[room.meeting], rooms[0])
    ]
    return _Compared(
        tuple(found),
        changes_of(before, attendances, by),
        {one.key: (one.proved_ms(), one.possible_ms()) for one in before},
    )


def _folded_room(room: Room, testimony: Testimony, *, is_root: bool) -> FoldedRoom:
    information = room.information()
    return FoldedRoom(
        meeting=room.meeting,
        name=(information and information.name) or "",
        is_breakout=not is_root,
        created_at=information.created_at if information else None,
        started_at=room.started_at(),
        ran_until=room.ran_until,
        ended_at=None if room.ended_at == OPEN else room.ended_at,
        participants=tuple(sorted(room.connections)),
        parent_participants=tuple(
            sorted({who.parent_participant for who in room.connections.values() if who.parent_participant})
        ),
        webhooks=_heard([event.at for event in testimony.live if event.source is RAW or event.source is MAPPED]),
        polls=_heard([event.at for event in testimony.live if event.source is POLL]),
        callback=testimony.callback,
        reported=len(testimony.attendees),
        recording=testimony.recording,
        end_reason=room.end_reason,
    )


def _heard(times: Sequence[int]) -> tuple[int, int, int] | None:
    return (len(times), min(times), max(times)) if times else None


def _notes(room: Room) -> Iterable[Note]:
    yield from _notes_of_the_recording(room)
    counted: Counter[str] = Counter()
    for participant in sorted(room.connections):
        connection = room.connections[participant]
        if connection.witness != LIVE:
            continue
        moments = connection.moments
        codes = [what for _, what in sorted(moments) if what not in {Moment.HEARD, Moment.MADE_UP}]
        if codes and codes[0] is Moment.LEFT:
            yield Note("left-without-join", room.meeting, participant, moments[0][0])
        counted["no-join"] += bool(codes) and Moment.JOINED not in codes
        counted["no-leave"] += bool(codes) and codes[-1] is not Moment.LEFT
    if room.ended_at != OPEN and counted["no-leave"]:
        yield Note("no-leave", room.meeting, at=room.ended_at, count=counted["no-leave"])
    if counted["no-join"]:
        yield Note("no-join", room.meeting, count=counted["no-join"])
    if room.created is None:
        yield Note("creation-not-heard", room.meeting)
    if room.ended_at != OPEN and not room.end_is_told and room.missing_at is not None:
        yield Note("end-seen-by-polls", room.meeting, at=room.ended_at)
    if room.unknown_emojis:
        yield Note("emoji-without-value", room.meeting, count=room.unknown_emojis)
    for start, end in merge((a, b) for a, b, _ in room.blind):
        yield Note("blind", room.meeting, at=start, count=end - start)


def _notes_of_the_recording(room: Room) -> Iterable[Note]:
    head = room.recording
    if head is None:
        return
    if head.damage:
        yield Note("recording-damaged", room.meeting, at=head.last_at)
    if head.blank_events:
        yield Note("recording-blank-events", room.meeting, count=head.blank_events)
    if not head.is_whole and not head.damage and not head.blank_events:
        yield Note("recording-without-end", room.meeting, at=head.last_at)
    if head.is_whole and room.end_reason == LAST_USER_LEFT:
        lost = sum(
            session.left_at is None
            for connection in room.connections.values()
            if connection.witness == RECORDING
            for session in recorded_sessions(connection, room)[-1:]
        )
        if lost:
            yield Note("recording-lost-leaves", room.meeting, at=room.ended_at, count=lost)
