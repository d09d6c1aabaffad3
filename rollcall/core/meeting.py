"""fold_meeting: the one door in. Facts of a meeting and its breakout rooms go in, attendance comes out.

The fold takes no clock and raises for nothing it is told: odd facts become notes. Any order, repetition or batching of
the same facts gives the same value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from rollcall.core.attendance import Attendance, fold_attendance, length
from rollcall.core.evidence import Moment
from rollcall.core.intervals import OPEN, merge
from rollcall.core.people import Activity, activity_of, site_of
from rollcall.core.room import Room, gather
from rollcall.core.twins import pair_twins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.core.events import Anything

SETTLING_MS: Final = 10 * 60_000
"""bbb-webhooks retries a delivery for 296 s and up to 13 request times of 5 s; after that nothing more comes."""

_ORDER: Final = attrgetter("at", "kind", "participant", "digest")


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


@dataclass(frozen=True, slots=True)
class FoldedMeeting:
    """A meeting with its breakout rooms. `rooms` begins with the root; times are epoch ms, None where not known.

    `length` is first join to last leave of anybody as [shortest, longest] ms. `settles_at` is when no live witness can
    add anything any more; None while the meeting runs.
    """

    meeting: str
    external_meeting_id: str
    name: str
    metadata: Mapping[str, str]
    started_at: int
    ran_until: int | None
    ended_at: int | None
    settles_at: int | None
    rooms: tuple[FoldedRoom, ...]
    attendances: tuple[Attendance, ...]
    length: tuple[int, int | None]
    blind: tuple[tuple[int, int, str], ...]
    notes: tuple[Note, ...]

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
    by_meeting = _by_meeting(events)
    if not by_meeting:
        raise ValueError("a meeting needs at least one fact")
    rooms = {meeting: gather(meeting, pair_twins(told)) for meeting, told in by_meeting.items()}
    if root is not None and root not in rooms:
        rooms[root] = Room(root)
    first = rooms.pop(_find_root(rooms) if root is None else root)
    return _folded(first, [rooms[meeting] for meeting in sorted(rooms)])


def _by_meeting(events: Iterable[Anything]) -> dict[str, list[Anything]]:
    """Each meeting's events, sorted and without repeats."""
    found: defaultdict[str, list[Anything]] = defaultdict(list)
    last = None
    for event in sorted(events, key=_ORDER):
        is_alike = last is not None and event.digest == last.digest and _ORDER(event) == _ORDER(last)
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


def _folded(root: Room, breakouts: Sequence[Room]) -> FoldedMeeting:
    everybody = (root, *breakouts)
    attendances = fold_attendance(root, breakouts)
    information = root.information()
    folded = tuple(_folded_room(room, is_root=room is root) for room in everybody)
    known = [room for room in everybody if room.first_at != OPEN] or [root]
    telling = [root] if root.first_at != OPEN else known
    is_over = all(room.ended_at != OPEN for room in telling)
    ended_at = max(room.ended_at for room in telling) if is_over else None
    return FoldedMeeting(
        meeting=root.meeting,
        external_meeting_id=(information and information.external_meeting_id) or "",
        name=(information and information.name) or "",
        metadata=dict(information.metadata) if information else {},
        started_at=min(room.started_at() for room in known),
        ran_until=max(room.ran_until or room.started_at() for room in telling) if is_over else None,
        ended_at=ended_at,
        settles_at=None if ended_at is None else ended_at + SETTLING_MS,
        rooms=folded,
        attendances=attendances,
        length=length(attendances),
        blind=tuple(sorted({span for room in everybody for span in room.blind})),
        notes=tuple(note for room in everybody for note in _notes(room)),
    )


def _folded_room(room: Room, *, is_root: bool) -> FoldedRoom:
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
    )


def _notes(room: Room) -> Iterable[Note]:
    counted: Counter[str] = Counter()
    for participant in sorted(room.connections):
        moments = room.connections[participant].moments
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
    if room.ended_at != OPEN and not room.end_is_told:
        yield Note("end-seen-by-polls", room.meeting, at=room.ended_at)
    if room.unknown_emojis:
        yield Note("emoji-without-value", room.meeting, count=room.unknown_emojis)
    for start, end in merge((a, b) for a, b, _ in room.blind):
        yield Note("blind", room.meeting, at=start, count=end - start)
