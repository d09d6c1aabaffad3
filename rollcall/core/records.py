"""What the records made after a meeting do to what the live witnesses told of it.

A whole events.xml knows every connection it names to the millisecond. A callback knows joins and leaves to the second.
Whoever a record does not name stays with the weaker witness, and so does what it cannot know.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.core.events import CameraStarted, MeetingCreated, Reported
from rollcall.core.evidence import POLL_SLACK_MS, Moment, Session, Stay, stays_of
from rollcall.core.intervals import OPEN, Spans, merge
from rollcall.core.room import LONGEST_MEETING_MS, NO_SIGN_OF_RUNNING, REPORT_WEIGHT, Connection, Room, gather
from rollcall.core.twins import pair_twins
from rollcall.core.witnesses import CALLBACK, RECORDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.core.events import AttendeeReported, MeetingRecorded, MeetingReported
    from rollcall.core.witnesses import Testimony

CUT_MS: Final = 1_120
"""A callback's time is cut to the second, and early by the 1 to 116 ms between the creation and its first event."""

BY_PERSON: Final = frozenset({"1.2"})
"""Generations of the gem that tell joins and leaves of a person, not of each connection."""

LAST_USER_LEFT: Final = "ENDED_WHEN_LAST_USER_LEFT"
"""The reason of an end by which nobody can have been present any more: who has no leave then lost it."""


def live_room(meeting: str, testimony: Testimony) -> Room:
    """The room as the live witnesses tell it, among them a recording that is not whole."""
    room = gather(meeting, pair_twins(testimony.live))
    head = testimony.recording
    if head is not None and not head.is_whole:
        room.recording = head
        _inform(room, head)
        if room.ended_at == OPEN:
            # Files are written when a meeting is over; how long after the last thing this one tells, nobody knows.
            alive = [event.at for event in testimony.live if type(event) not in NO_SIGN_OF_RUNNING]
            room.ran_until = max([head.last_at, *alive])
            room.ended_at = max(room.ran_until, room.started_at() + LONGEST_MEETING_MS)
    return room


def room_of(meeting: str, testimony: Testimony) -> Room:
    """The room as all witnesses together tell it."""
    room = live_room(meeting, testimony)
    if testimony.recording is not None and testimony.recording.is_whole:
        room = _recorded(room, testimony.recording, testimony)
    elif testimony.callback is not None:
        _lay_over(room, testimony.callback, testimony.attendees)
    room.callback = testimony.callback
    return room


def _inform(room: Room, head: MeetingRecorded | MeetingReported) -> None:
    """A record's head says what the meeting is at least as well as its creation does."""
    room.first_at = min(room.first_at, head.at)
    told = room.information()
    room.created = MeetingCreated(
        meeting=head.meeting,
        at=head.at,
        source=head.source,
        external_meeting_id=head.external_meeting_id or (told and told.external_meeting_id) or None,
        name=head.name or (told and told.name) or None,
        is_breakout=head.is_breakout or bool(told and told.is_breakout),
        parent=head.parent or (told and told.parent) or None,
        created_at=head.created_at or (told and told.created_at) or None,
        metadata=head.metadata or (told.metadata if told else ()),
    )


# -- events.xml ---------------------------------------------------------------------------------------------------


def _recorded(live: Room, head: MeetingRecorded, testimony: Testimony) -> Room:
    """What the file tells, with those it does not know as the live witnesses know them."""
    room = gather(live.meeting, testimony.recorded)
    if not room.end_is_told:
        is_later = live.end_is_told and live.ended_at >= head.last_at
        room.ended_at = live.ended_at if is_later else head.last_at
        room.ran_until, room.end_is_told = room.ended_at, True
    room.recording = head
    room.created, room.listed, room.missing_at, room.blind = live.created, live.listed, live.missing_at, live.blind
    room.first_at = min(room.first_at, live.first_at)
    _inform(room, head)
    has_cameras = any(isinstance(act, CameraStarted) for one in room.connections.values() for act in one.acts)
    told = {name: one for name, one in room.connections.items() if _has_joined(one)}
    for name, connection in told.items():
        connection.witness = RECORDING
        if name in live.connections:
            _complete(connection, live.connections[name], has_cameras=has_cameras)
    room.connections = {**live.connections, **told}
    return room


def _has_joined(connection: Connection) -> bool:
    return any(what is Moment.JOINED for _, what in connection.moments)


def _complete(connection: Connection, live: Connection, *, has_cameras: bool) -> None:
    """What the file does not say of a connection it knows."""
    connection.is_guest = live.is_guest
    connection.parent_participant = connection.parent_participant or live.parent_participant
    connection.externals = connection.externals or live.externals
    connection.names = connection.names or live.names
    if not has_cameras:
        connection.acts += [act for act in live.acts if act.kind.startswith("user-cam-")]


def recorded_sessions(connection: Connection, room: Room) -> list[Session]:
    """The sessions of a connection that a whole events.xml knows: exact, but for a leave that must have been lost."""
    stays = stays_of(connection.participant, connection.moments, room.earliest_at())
    return [_recorded_session(stay, room) for stay in stays if stay.opened_at is not None]


def _recorded_session(stay: Stay, room: Room) -> Session:
    start = stay.opened_at or 0
    told = stay.closed_at if stay.closed_at is not None else stay.rejoined_at
    until = room.ended_at if told is None else min(told, room.ended_at)
    proved_until = max(stay.signs) if told is None and room.end_reason == LAST_USER_LEFT else until
    codes = {stay.closed_at: "left", stay.rejoined_at: "rejoined"}
    return Session(
        meeting=room.meeting,
        participant=stay.participant,
        joined_at=start,
        left_at=stay.closed_at,
        proved=((start, proved_until),) if start < proved_until else (),
        possible=(start, max(start, until)),
        start="joined",
        end="meeting-ended" if told is None else codes[told],
        witness=RECORDING,
    )


# -- the callback -------------------------------------------------------------------------------------------------


class _Edges(NamedTuple):
    """One join to leave as a callback tells it, in cut seconds; None: no leave was told."""

    joined_at: int
    left_at: int | None


def _lay_over(room: Room, head: MeetingReported, attendees: Iterable[AttendeeReported]) -> None:
    """Lay what the callback tells over the live room."""
    if not room.end_is_told:
        is_seen_later = (room.ran_until or 0) > head.finish_at + CUT_MS + POLL_SLACK_MS
        if not is_seen_later:
            room.ended_at, room.end_is_told = head.finish_at + CUT_MS, True
        room.ran_until = max(head.finish_at, room.ran_until or 0)
    _inform(room, head)
    known: defaultdict[str | None, list[Connection]] = defaultdict(list)
    for connection in room.connections.values():
        known[connection.listed_as()].append(connection)
    for attendee in attendees:
        sessions = attendee.sessions
        # data.json of such a gem names the first of a person's connections, and tells of all of them.
        if head.generation in BY_PERSON or any(not told.participant for told in sessions):
            external = attendee.parent_participant or attendee.external_user_id
            sessions = (_of_a_person(room, attendee, known[external] if external else []),)
        for told in sessions:
            _attribute(room, told, attendee)
        if sessions:
            room.attendees[sessions[0].participant] = attendee


def _of_a_person(room: Room, attendee: AttendeeReported, known: Sequence[Connection]) -> Reported:
    """Before gem 2.0 joins and leaves are told of a person alone, not of connections.

    They are then those of the one connection that is known, else of a made-up one, which takes over what the live
    witnesses told of all of the person's connections where the callback says more.
    """
    told = Reported(
        known[0].participant if len(known) == 1 else _made_up(attendee),
        tuple(sorted(at for session in attendee.sessions for at in session.joins)),
        tuple(sorted(at for session in attendee.sessions for at in session.leaves)),
    )
    whole = room.connection(told.participant)
    whole.is_several = True
    if len(known) > 1 and _alternating(told) is not None:
        for one in known:
            whole.moments += one.moments
            one.moments, one.witness = [], CALLBACK
        whole.moments.sort()
    return told


def _made_up(attendee: AttendeeReported) -> str:
    """An external id that is a connection's own where the LMS gave none, else the slot in the callback."""
    external = attendee.external_user_id
    is_connection = external is not None and external.startswith("w_") and attendee.parent_participant is None
    return external if external is not None and is_connection else attendee.participant


def _attribute(room: Room, told: Reported, attendee: AttendeeReported) -> None:
    connection = room.connection(told.participant)
    connection.witness = CALLBACK
    connection.reported = told
    connection.heard_at = min([connection.heard_at, *told.joins, *told.leaves])
    connection.parent_participant = connection.parent_participant or attendee.parent_participant
    connection.is_moderator |= attendee.role == "MODERATOR"
    if attendee.external_user_id:
        connection.externals[attendee.external_user_id] += REPORT_WEIGHT
    if attendee.name and not connection.names:
        connection.names.append((attendee.at, attendee.name))


class _Heard:
    """What live witnesses told of one connection, in time order, to be looked up by time."""

    def __init__(self, connection: Connection) -> None:
        moments = sorted(connection.moments)
        self.told = connection.reported or Reported("")
        self.joins = [at for at, what in moments if what is Moment.JOINED]
        self.leaves = [at for at, what in moments if what is Moment.LEFT]
        self.signs = [at for at, what in moments if what <= Moment.SIGN]


def reported_stays(connection: Connection, room: Room) -> list[Stay]:
    """The stays of a connection that a callback knows; those it knows nothing of stand beside them as live ones.

    Where its joins and leaves do not alternate they only say when the person may have been there.
    """
    head, told = room.callback, connection.reported
    live = stays_of(connection.participant, connection.moments, room.earliest_at())
    if head is None or told is None:
        return live
    alternating = _alternating(told)
    if alternating is None:
        return [_possible_only(connection.participant, told), *live]
    finish_at = None if _lost_leaves(room) else head.finish_at
    heard = _Heard(connection)
    following = [one.joined_at for one in alternating[1:]] + [OPEN]
    stays = [
        _reported_stay(connection, heard, one, head.finish_at, finish_at, before)
        for one, before in zip(alternating, following, strict=True)
    ]
    spans = merge((stay.lower() - CUT_MS, stay.upper() + CUT_MS) for stay in stays)
    return stays + [stay for stay in live if not _overlaps(stay, spans)]


def _lost_leaves(room: Room) -> bool:
    """Whether the file that the callback was made from is known to have lost events: then no leave proves nothing."""
    head = room.recording
    return head is not None and (head.blank_events > 0 or LAST_USER_LEFT in {head.end_reason, room.end_reason})


def _alternating(told: Reported) -> list[_Edges] | None:
    """Joins with their leaves, if there is one join before each leave and only the last may have none."""
    joins, leaves = sorted(told.joins), sorted(told.leaves)
    if not joins or not 0 <= len(joins) - len(leaves) <= 1:
        return None
    paired = [_Edges(join, leave) for join, leave in zip_longest(joins, leaves)]
    following: Sequence[int] = [*joins[1:], OPEN]
    fits = all(one.joined_at <= (one.left_at or OPEN) <= after for one, after in zip(paired, following, strict=True))
    return paired if fits else None


def _possible_only(participant: str, told: Reported) -> Stay:
    first = min(told.joins + told.leaves)
    last_leave = max(told.leaves, default=-1)
    is_closed = len(told.leaves) >= len(told.joins) and last_leave >= max(told.joins, default=-1)
    until = last_leave + CUT_MS if is_closed else None
    return Stay(participant, first, about_at=first, closed_until=until, is_vague=True, witness=CALLBACK)


def _reported_stay(
    connection: Connection, heard: _Heard, told: _Edges, ended_at: int, lasted_until: int | None, before: int
) -> Stay:
    """One join to leave, `before` the next. Edges that a live witness told within the callback's second are its own.

    `ended_at` is the callback's finish, `lasted_until` the same where it proves that somebody was there to the end.
    """
    stay = Stay(connection.participant, told.joined_at, witness=CALLBACK)
    joined_at = _within(connection, heard.joins, told.joined_at, len(heard.told.joins))
    stay.opened_at = told.joined_at + CUT_MS if joined_at is None else joined_at
    stay.opened_from = told.joined_at if joined_at is None else joined_at
    if told.left_at is not None and told.left_at < ended_at:
        left_at = _within(connection, heard.leaves, told.left_at, len(heard.told.leaves))
        stay.closed_at = told.left_at if left_at is None else left_at
        stay.closed_until = told.left_at + CUT_MS if left_at is None else left_at
    else:
        _last(stay, connection, heard, lasted_until)
    until = before - 1 if stay.closed_at is None else stay.closed_at
    stay.signs = heard.signs[bisect_left(heard.signs, stay.opened_at) : bisect_right(heard.signs, until)]
    return stay


def _last(stay: Stay, connection: Connection, heard: _Heard, lasted_until: int | None) -> None:
    """A stay without a leave lasted to the end, unless a live witness heard one: files lose events."""
    opened_from, opened_at = stay.opened_from or 0, stay.opened_at or 0
    left_at = next(iter(heard.leaves[bisect_right(heard.leaves, opened_from) :][:1]), None)
    if left_at is None:
        stay.lasted_until = lasted_until
    elif connection.is_several:
        return
    elif left_at > opened_at:
        stay.closed_at = stay.closed_until = left_at
    elif opened_from == opened_at:
        stay.lasted_until = lasted_until


def _within(connection: Connection, times: Sequence[int], second: int, told: int) -> int | None:
    """The one of these times that lies in the callback's second.

    Of several connections told as one it might be another's, unless as many are known as were told.
    """
    if connection.is_several and len(times) != told:
        return None
    found = times[bisect_left(times, second) : bisect_right(times, second + CUT_MS)]
    return found[0] if len(found) == 1 else None


def _overlaps(stay: Stay, spans: Spans) -> bool:
    """Whether a live stay tells of the same as one of the reported ones, which lie within these spans."""
    upper = stay.upper()
    last = stay.last_proof() if upper == OPEN else upper
    first = stay.opened_at if stay.opened_at is not None else stay.first_proof()
    if first is None or last is None:
        return True
    index = bisect_left(spans, (first, -OPEN))
    return any(start <= last and first <= end for start, end in spans[max(0, index - 1) : index + 1])


def without_records(testimony: Testimony) -> Testimony:
    """What the live witnesses alone would have said, to show what a record changed."""
    head = testimony.recording
    return replace(testimony, recording=None if head is None or head.is_whole else head, callback=None, attendees=[])
