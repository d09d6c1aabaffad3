"""Where two witnesses of one meeting do not say the same, and how much of it each of them covers.

A disagreement is only what is contradicted or certainly missing: a witness that knows less than another does not
disagree with it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rollcall.core.attendance import POLLS_APART_MS, key_of_listed, keys_of, owners_of
from rollcall.core.events import ChatSent, Source
from rollcall.core.evidence import POLL_SLACK_MS, Moment
from rollcall.core.intervals import OPEN, clip, intersect, merge, subtract, total
from rollcall.core.people import parent_participant
from rollcall.core.records import CUT_MS, recorded_sessions
from rollcall.core.twins import TWIN_WINDOW_MS
from rollcall.core.witnesses import CALLBACK, POLLS, RECORDING, WEBHOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.core.attendance import Attendance
    from rollcall.core.intervals import Span, Spans
    from rollcall.core.people import AttendeeKey
    from rollcall.core.room import Connection, Room
    from rollcall.core.witnesses import Testimony

HOOKS: Final = frozenset({Source.RAW, Source.MAPPED})


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What `witness` said otherwise than the better witness `against` did, or left out.

    `who` and `at` go together: one entry each, in time order. Codes: join-missing, leave-missing, join-extra,
    leave-extra, unknown-person, listed-while-absent, chats-differ.
    """

    code: str
    meeting: str
    witness: str
    against: str
    who: tuple[AttendeeKey, ...]
    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a record changed for one person: [proved, possible] ms before and after; possible None while open."""

    who: AttendeeKey
    by: str
    before: tuple[int, int | None]
    after: tuple[int, int | None]


def changes_of(before: Iterable[Attendance], after: Iterable[Attendance], by: str) -> tuple[Change, ...]:
    """Everybody whose time the record made another one, beyond the width it already had."""
    old = {one.key: (one.proved_ms(), one.possible_ms()) for one in before}
    new = {one.key: (one.proved_ms(), one.possible_ms()) for one in after}
    nobody = (0, 0)
    return tuple(
        Change(key, by, old.get(key, nobody), new.get(key, nobody))
        for key in sorted({*old, *new})
        if old.get(key, nobody) != new.get(key, nobody)
    )


# -- coverage -----------------------------------------------------------------------------------------------------


def coverage(room: Room, testimony: Testimony) -> tuple[int, int, int]:
    """How many ms of the meeting are covered by no witness, by one, and by two or more.

    Webhooks cover what was not blind, polls the time between two answers that are not too far apart, a record what
    it reaches to.
    """
    start = room.started_at()
    last = max((event.at for event in testimony.live), default=start)
    end = max(last if room.ended_at == OPEN else room.ended_at, start)
    spans = [_webhook_spans(room, testimony, start, end), _poll_spans(room), _record_spans(room, start, end)]
    covered = [clip(merge(one), start, end) for one in spans]
    once = merge(span for one in covered for span in one)
    twice = merge(
        span for index, one in enumerate(covered) for other in covered[index + 1 :] for span in intersect(one, other)
    )
    return end - start - total(once), total(once) - total(twice), total(twice)


def _webhook_spans(room: Room, testimony: Testimony, start: int, end: int) -> Spans:
    if not any(event.source in HOOKS for event in testimony.live):
        return ()
    return subtract(((start, end),), [(one, two) for one, two, _ in room.blind])


def _poll_spans(room: Room) -> Spans:
    """Up to the second of two that missed it, if they did."""
    times = room.polls_seen() + ([room.missing_at] if room.missing_at is not None else [])
    return tuple((one, two) for one, two in pairwise(times) if two - one <= POLLS_APART_MS)


def _record_spans(room: Room, start: int, end: int) -> Spans:
    head = room.recording
    if room.callback is not None or (head is not None and head.is_whole):
        return ((start, end),)
    return ((head.at, head.last_at),) if head is not None and not head.blank_events else ()


# -- disagreements ------------------------------------------------------------------------------------------------

_DATE_MS: Final = 2 * POLL_SLACK_MS
"""A poll is stamped in cut seconds, by a server that looked a little before or after."""


def disagreements(live: Room, room: Room, testimony: Testimony, root: Room) -> tuple[Disagreement, ...]:
    """What the weaker witnesses of one meeting said otherwise than its record; `live` is the room without it."""
    against = RECORDING if testimony.is_recorded() else CALLBACK
    told = {name: one for name, one in room.connections.items() if one.witness == against}
    found = _Found(room.meeting, against, keys_of(room, root))
    if told and any(event.source in HOOKS for event in testimony.live):
        _compare_webhooks(found, live, told)
    if told and against == RECORDING:
        _compare_polls(found, live, room, root)
    return found.all()


class _Found:
    """Disagreements, gathered by code and witness."""

    def __init__(self, meeting: str, against: str, keys: Mapping[str, AttendeeKey]) -> None:
        self.against = against
        self._meeting = meeting
        self._keys = keys
        self._found: defaultdict[tuple[str, str], list[tuple[int, AttendeeKey]]] = defaultdict(list)

    def add(self, code: str, witness: str, who: str | AttendeeKey, at: int) -> None:
        """Somebody, or one of their connections, at a time."""
        key = self._keys[who] if isinstance(who, str) else who
        self._found[code, witness].append((at, key))

    def all(self) -> tuple[Disagreement, ...]:
        """One of each kind, its people in time order."""
        return tuple(
            Disagreement(
                code=code,
                meeting=self._meeting,
                witness=witness,
                against=self.against,
                who=tuple(who for _, who in sorted(told)),
                at=tuple(at for at, _ in sorted(told)),
            )
            for (code, witness), told in sorted(self._found.items())
        )


def _compare_webhooks(found: _Found, live: Room, told: Mapping[str, Connection]) -> None:
    for name, connection in sorted(told.items()):
        heard = live.connections.get(name) if found.against == RECORDING else connection
        _compare_edges(found, connection, [] if heard is None else heard.moments)
        if found.against == RECORDING and heard is not None and _chats(heard) > _chats(connection):
            found.add("chats-differ", WEBHOOKS, name, connection.heard_at)
    known = {connection.listed_as() for connection in told.values()}
    for name, heard in sorted(live.connections.items()):
        is_beyond_callbacks = found.against == CALLBACK and name.startswith("v_")
        has_joined = any(what is Moment.JOINED for _, what in heard.moments)
        if has_joined and name not in told and heard.listed_as() not in known and not is_beyond_callbacks:
            found.add("unknown-person", WEBHOOKS, name, heard.heard_at)


def _compare_edges(found: _Found, connection: Connection, heard: Sequence[tuple[int, Moment]]) -> None:
    """Joins and leaves of one connection, paired with what webhooks told of it.

    Where a callback tells of several as if they were one, nobody knows whose are missing.
    """
    if connection.is_several:
        return
    joins, leaves = _edges(connection, found.against)
    heard_joins = [at for at, what in heard if what is Moment.JOINED]
    heard_leaves = [at for at, what in heard if what is Moment.LEFT]
    # A leave of the last moment may have been told after the end, and is then taken for a made-up one.
    made_up = [at for at, what in heard if what is Moment.MADE_UP]
    missing, extra = _unpaired(joins, heard_joins)
    for code, times in (("join-missing", missing), ("join-extra", extra)):
        for at in times:
            found.add(code, WEBHOOKS, connection.participant, at)
    missing, extra = _unpaired(leaves, heard_leaves)
    for at in _unpaired([(at, at) for at in missing], made_up)[0]:
        found.add("leave-missing", WEBHOOKS, connection.participant, at)
    for at in extra:
        found.add("leave-extra", WEBHOOKS, connection.participant, at)


def _edges(connection: Connection, against: str) -> tuple[list[Span], list[Span]]:
    """When a record says that joins and leaves were: between the two."""
    if against == RECORDING:
        joins = [(at, at) for at, what in connection.moments if what is Moment.JOINED]
        return joins, [(at, at) for at, what in connection.moments if what is Moment.LEFT]
    told = connection.reported
    if told is None:
        return [], []
    return [(at, at + CUT_MS) for at in told.joins], [(at, at + CUT_MS) for at in told.leaves]


def _unpaired(edges: Iterable[Span], heard: Iterable[int]) -> tuple[list[int], list[int]]:
    """One to one in time order, at most ten seconds apart: the edges nobody heard, and what was heard beside them."""
    edges, heard = sorted(edges), sorted(heard)
    missing, extra = [], []
    i = j = 0
    while i < len(edges) and j < len(heard):
        start, end = edges[i]
        if heard[j] < start - TWIN_WINDOW_MS:
            extra.append(heard[j])
            j += 1
        elif heard[j] > end + TWIN_WINDOW_MS:
            missing.append(start)
            i += 1
        else:
            i, j = i + 1, j + 1
    return missing + [start for start, _ in edges[i:]], extra + heard[j:]


def _chats(connection: Connection) -> int:
    return sum(isinstance(act, ChatSent) for act in connection.acts)


def _compare_polls(found: _Found, live: Room, room: Room, root: Room) -> None:
    """Whom getMeetings listed while the file has nobody of that external id in."""
    present, owners = _presence(room), owners_of(room, root)
    for listing in live.listed:
        for listed in listing.present:
            external = parent_participant(listed.external_user_id) or listed.external_user_id
            spans = present.get(external)
            if spans is not None and any(start - _DATE_MS <= listing.at <= end + _DATE_MS for start, end in spans):
                continue
            code = "unknown-person" if spans is None else "listed-while-absent"
            found.add(code, POLLS, owners.get(external) or key_of_listed(external, root), listing.at)


def _presence(room: Room) -> dict[str, Spans]:
    """By what getMeetings names them: when everybody whom the file knows may have been in."""
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for connection in room.connections.values():
        external = connection.listed_as()
        if connection.witness == RECORDING and external is not None:
            spans[external] += [session.possible for session in recorded_sessions(connection, room)]
    return {external: merge(found) for external, found in spans.items()}
