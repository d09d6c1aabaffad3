"""Who was present, when, and how surely: the stays of all connections put together into people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rollcall.core.engagement import Engagement, fold_engagement, with_report
from rollcall.core.events import Source
from rollcall.core.evidence import LIVE, Session, Stay, stays_of, weigh, weigh_missing_meeting, weigh_polls
from rollcall.core.intervals import OPEN, Span, Spans, clip, merge, subtract, total
from rollcall.core.people import CONNECTION, GUEST, USER, AttendeeKey, attendee_key, parent_participant
from rollcall.core.records import recorded_sessions, reported_stays
from rollcall.core.signs import NO_SIGNS, Signs, signs_of
from rollcall.core.witnesses import CALLBACK, RECORDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.core.events import Anything, AttendeeReported, Listed
    from rollcall.core.room import Connection, Room

POLLS_FAILED: Final = frozenset({"downtime", "no-polls", "not-watched"})
"""Causes of blindness in which the polls, too, saw nothing."""

POLLS_APART_MS: Final = 6 * 60_000
"""An unchanged list is kept every five minutes; polls further apart say nothing of the time between them."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """One person in one family: spans in epoch ms, `possible` ending in OPEN while they may still be there.

    `proved` is always within `possible`. `sessions` are in time order. `external_user_id` is the LMS's id, blank for
    people whose id means nothing elsewhere.
    """

    key: AttendeeKey
    external_user_id: str
    name: str
    role: str
    proved: Spans
    possible: Spans
    sessions: tuple[Session, ...]
    engagement: Engagement
    signs: Signs = NO_SIGNS

    def proved_ms(self) -> int:
        """How long the person was certainly there."""
        return total(self.proved)

    def possible_ms(self) -> int | None:
        """How long the person may have been there; None while that is still growing."""
        return None if self.is_open() else total(self.possible)

    def is_open(self) -> bool:
        """Whether the person may still be there."""
        return bool(self.possible) and self.possible[-1][1] == OPEN


@dataclass(slots=True)
class Gathered:
    """What all rooms of a family say of one person, before it is put together."""

    names: list[tuple[int, str]] = field(default_factory=list)
    is_moderator: bool = False
    sessions: list[Session] = field(default_factory=list)
    shared: list[Span] = field(default_factory=list)
    unseen: list[Span] = field(default_factory=list)
    acts: list[Anything] = field(default_factory=list)
    witnesses: set[str] = field(default_factory=set)
    reported: list[AttendeeReported] = field(default_factory=list)
    tells_hands: bool = True
    has_gaps: bool = False


def fold_attendance(root: Room, breakouts: Sequence[Room]) -> tuple[Attendance, ...]:
    """Everybody of a family, by key. Time in a breakout room counts towards the parent and once only."""
    people: defaultdict[AttendeeKey, Gathered] = defaultdict(Gathered)
    guests = root.guests()
    for connection in root.connections.values():
        if connection.is_guest is None:
            connection.is_guest = connection.external_user_id in guests
    for room in (root, *breakouts):
        keys = keys_of(room, root)
        _gather_connections(people, room, keys)
        _gather_stays(people, room, root, keys)
    complete = _complete_witness(root, breakouts)
    return tuple(_put_together(key, people[key], complete) for key in sorted(people))


def _complete_witness(root: Room, breakouts: Sequence[Room]) -> str | None:
    """Which kind of record tells of everything: of the class, and of each of its rooms that is known of."""
    known = {room.meeting for room in (root, *breakouts) if room.first_at != OPEN}
    known.update(root.recording.rooms if root.recording is not None else ())
    told = {room.meeting: room for room in (root, *breakouts)}
    for witness in (RECORDING, CALLBACK):
        if all(meeting in told and told[meeting].record() == witness for meeting in known):
            return witness
    return None


def keys_of(room: Room, root: Room) -> dict[str, AttendeeKey]:
    """Who each connection of a room of this family is."""
    return {name: _key_of(connection, root) for name, connection in room.connections.items()}


def _key_of(connection: Connection, root: Room) -> AttendeeKey:
    if connection.parent_participant is not None:
        return _key_in_root(connection.parent_participant, root)
    return attendee_key(connection.participant, connection.external_user_id, is_guest=connection.is_guest is True)


def _key_in_root(participant: str, root: Room) -> AttendeeKey:
    """The person behind a connection of the parent meeting, even one that was never heard of there."""
    known = root.connections.get(participant)
    if known is None or known.parent_participant is not None:
        return AttendeeKey(CONNECTION, participant)
    return attendee_key(participant, known.external_user_id, is_guest=known.is_guest is True)


def _gather_connections(people: Mapping[AttendeeKey, Gathered], room: Room, keys: Mapping[str, AttendeeKey]) -> None:
    tells_hands = any(one.raise_hands or one.emojis for one in room.attendees.values())
    for participant, connection in room.connections.items():
        person = people[keys[participant]]
        person.names += connection.names
        person.is_moderator |= connection.is_moderator
        person.acts += connection.acts
        person.witnesses.add(connection.witness)
        person.has_gaps |= room.recording is not None and room.recording.blank_events > 0
        if (attendee := room.attendees.get(participant)) is not None:
            person.reported.append(attendee)
            person.tells_hands &= tells_hands


def _gather_stays(
    people: Mapping[AttendeeKey, Gathered], room: Room, root: Room, keys: Mapping[str, AttendeeKey]
) -> None:
    start = room.earliest_at()
    by_external: defaultdict[str, list[Stay]] = defaultdict(list)
    owners: dict[str, AttendeeKey] = {}
    recorded: set[str | None] = set()
    stays: list[tuple[AttendeeKey, Stay]] = []
    for participant in sorted(room.connections):
        connection = room.connections[participant]
        external = connection.listed_as()
        if connection.witness == RECORDING:
            people[keys[participant]].sessions += recorded_sessions(connection, room)
            recorded.add(external)
            continue
        found = _stays(connection, room, start)
        stays += [(keys[participant], stay) for stay in found]
        if external:
            by_external[external] += found
            owners[external] = max(owners.get(external, keys[participant]), keys[participant])
    listings, times = _listings(room), room.polls_seen()
    for external, seen in listings.items():
        if external in recorded:
            continue
        key = owners.get(external) or key_of_listed(external, root)
        known = len(by_external[external])
        _weigh_listings(people[key], by_external[external], seen, room, times)
        stays += [(key, stay) for stay in by_external[external][known:]]
    if room.blind:
        _gather_unseen(people, room, owners, listings)
    _weigh_stays(people, stays, room)


def _weigh_stays(people: Mapping[AttendeeKey, Gathered], stays: Iterable[tuple[AttendeeKey, Stay]], room: Room) -> None:
    """Where webhooks were blind only live witnesses are in doubt."""
    blind, is_over = merge((a, b) for a, b, _ in room.blind), room.ended_at != OPEN
    for key, stay in stays:
        doubtful = blind if stay.witness == LIVE else ()
        people[key].sessions.append(weigh(stay, room.meeting, blind=doubtful, ended_at=room.ended_at, is_over=is_over))


def _stays(connection: Connection, room: Room, start: int) -> list[Stay]:
    """What the weaker witnesses tell of one connection."""
    if connection.witness == CALLBACK:
        return reported_stays(connection, room)
    stays = stays_of(connection.participant, connection.moments, start)
    return stays or [Stay(connection.participant, start, about_at=connection.heard_at)]


@dataclass(slots=True)
class _Seen:
    """One external id in the polls of a room: (index of the poll, number of entries), and how it was called."""

    entries: list[tuple[int, int]] = field(default_factory=list)
    listed: Listed | None = None


def _listings(room: Room) -> dict[str, _Seen]:
    """Every external id that a poll named or could have named; a breakout room's by the parent's connection."""
    found: dict[str, _Seen] = {}
    if not room.listed:
        return found
    for connection in room.connections.values():
        if external := connection.listed_as():
            found[external] = _Seen()
    for index, listing in enumerate(room.listed):
        for listed in listing.present:
            external = parent_participant(listed.external_user_id) or listed.external_user_id
            seen = found.get(external)
            if seen is None:
                seen = found[external] = _Seen()
            seen.entries.append((index, listed.count))
            if seen.listed is None or listed.name:
                seen.listed = listed
    return found


def owners_of(room: Room, root: Room) -> dict[str, AttendeeKey]:
    """Whom getMeetings means by each external id that is known in this room."""
    owners: dict[str, AttendeeKey] = {}
    for connection in room.connections.values():
        if external := connection.listed_as():
            key = _key_of(connection, root)
            owners[external] = max(owners.get(external, key), key)
    return owners


def key_of_listed(external: str, root: Room) -> AttendeeKey:
    """Who a poll named whom no webhook did: internal ids stand where the LMS gave no user id."""
    if external.startswith("w_"):
        return _key_in_root(external, root)
    return AttendeeKey(USER, external)


def _weigh_listings(person: Gathered, stays: list[Stay], seen: _Seen, room: Room, times: Sequence[int]) -> None:
    """Let the polls speak of one external id; stays that only they saw are added."""
    counts = [0] * len(times)
    for index, count in seen.entries:
        counts[index] += count
    known = len(stays)
    shared = weigh_polls(stays, times, counts, room.earliest_at())
    if room.missing_at is not None:
        weigh_missing_meeting(stays, times[-1], room.missing_at)
    person.shared += subtract(shared, [(start, end) for start, end, _ in room.blind])
    if seen.listed is not None:
        person.names += [(-OPEN, seen.listed.name)] if seen.listed.name else []
        person.is_moderator |= seen.listed.role == "MODERATOR" and known == 0


def _gather_unseen(
    people: Mapping[AttendeeKey, Gathered],
    room: Room,
    owners: Mapping[str, AttendeeKey],
    listings: Mapping[str, _Seen],
) -> None:
    """Everybody who could come back under the same id may have done so while nothing could tell."""
    times = list(enumerate(room.polls_seen()))
    known = {one.listed_as() for one in room.connections.values() if one.witness != LIVE}
    for external, key in owners.items():
        if external not in known and key.kind in {USER, GUEST}:
            listed = {index for index, _ in listings[external].entries} if external in listings else set()
            people[key].unseen += _unseen(room, times, listed)


def _unseen(room: Room, times: Sequence[tuple[int, int]], listed: set[int]) -> Spans:
    """Blind time in which the person may have come and gone: all but that between two polls that missed them."""
    absent = [
        (one, two)
        for (i, one), (j, two) in pairwise(times)
        if i not in listed and j not in listed and two - one <= POLLS_APART_MS
    ]
    pieces: list[Span] = []
    for start, end, cause in room.blind:
        pieces += subtract(((start, end),), [] if cause in POLLS_FAILED else absent)
    return clip(merge(pieces), room.started_at(), room.ended_at)


def unseen_in(room: Room, *, is_watched: bool) -> Spans:
    """When somebody of whom nothing was told may have been in a room: never, where a record names whoever was there.

    `is_watched`: live witnesses told something of it. Else there is no more than a recording that is not whole.
    """
    if room.record() is not None or room.first_at == OPEN:
        return ()
    if not is_watched:
        return ((room.started_at(), room.ended_at),) if room.started_at() < room.ended_at else ()
    return merge(_unseen(room, list(enumerate(room.polls_seen())), set())) if room.blind else ()


def _put_together(key: AttendeeKey, person: Gathered, complete: str | None) -> Attendance:
    sessions = sorted(person.sessions, key=_session_order)
    proved = merge([*(span for session in sessions for span in session.proved), *person.shared])
    possible = merge([*(session.possible for session in sessions), *proved, *person.unseen])
    person.acts.sort(key=_act_order)
    return Attendance(
        key=key,
        external_user_id=key.id if key.kind in {USER, GUEST} and not key.id.startswith(("w_", "v_")) else "",
        name=max(person.names)[1] if person.names else "",
        role="MODERATOR" if person.is_moderator else "VIEWER",
        proved=proved,
        possible=possible,
        sessions=tuple(sessions),
        engagement=_engagement(person, possible, complete),
        signs=signs_of(person.acts, sessions),
    )


def _act_order(act: Anything) -> tuple[int, str, bytes]:
    """A file knows of two acts in one millisecond which came first; of others their kinds decide."""
    return act.at, "" if act.source is Source.RECORDING else act.kind, act.digest


def _engagement(person: Gathered, possible: Spans, complete: str | None) -> Engagement:
    """Exact where one kind of record tells of all rooms there are, and of every connection of the person."""
    ends = None
    if complete == RECORDING and person.witnesses == {RECORDING}:
        ends = {(one.meeting, one.participant): one.possible[1] for one in sorted(person.sessions, key=_session_order)}
    engagement = fold_engagement(person.acts, possible, ends=ends, has_gaps=person.has_gaps)
    if person.reported and RECORDING not in person.witnesses:
        is_all = complete == CALLBACK and person.witnesses == {CALLBACK}
        return with_report(engagement, person.reported, tells_hands=person.tells_hands, is_all=is_all)
    return engagement


def _session_order(session: Session) -> tuple[Span, str, str]:
    return session.possible, session.meeting, session.participant


def length(attendances: Iterable[Attendance]) -> tuple[int, int | None]:
    """First join to last leave of anybody, as [shortest, longest] ms; longest is None while somebody may be there."""
    everybody = list(attendances)
    proved = [span for attendance in everybody for span in (attendance.proved[:1] + attendance.proved[-1:])]
    possible = [span for attendance in everybody for span in (attendance.possible[:1] + attendance.possible[-1:])]
    shortest = max(end for _, end in proved) - min(start for start, _ in proved) if proved else 0
    if not possible:
        return shortest, shortest
    last = max(end for _, end in possible)
    return shortest, None if last == OPEN else last - min(start for start, _ in possible)
