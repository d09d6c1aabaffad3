"""Why one number is what it is: the stays, what proves each end, what every witness said, the sum, what others say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollcall.bbb.gem import seconds_present
from rollcall.core.events import AttendeeReported, MeetingRecorded, Source, UserJoined, UserLeft
from rollcall.core.intervals import merge, total
from rollcall.reports import words
from rollcall.reports.details import attendance_detail, summary_detail
from rollcall.reports.facts import told_of_attendee
from rollcall.reports.rows import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from rollcall.core.events import Anything
    from rollcall.reports.details import AttendanceDetail, OpenSpan, Session, Span, SummaryDetail
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.facts import Fact

SAME_EDGE_MS = 10_000
"""Two witnesses tell one join or leave with clocks of their own."""

SECOND_MS, MINUTE_MS = 1_000, 60_000


@dataclass(frozen=True, slots=True)
class Stay:
    """One session: where (blank: the class itself), why it begins and ends, and which facts say so."""

    connection: str
    where: str
    sentences: tuple[str, ...]
    proofs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines under a heading."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One person's time in one meeting, from the number down."""

    total: str
    sessions: tuple[Stay, ...]
    parts: tuple[Part, ...]


@dataclass(slots=True)
class _Edge:
    """A join or a leave as one fact tells it; `until` is later where it tells whole seconds."""

    is_join: bool
    participant: str
    meeting: str
    at: int
    until: int
    source: Source
    received_at: int


@dataclass(slots=True)
class _Heard:
    """What all the facts tell of one person."""

    edges: list[_Edge] = field(default_factory=list)
    heads: dict[str, MeetingRecorded] = field(default_factory=dict)
    gem_ms: dict[str, int] = field(default_factory=dict)

    def take(self, fact: Fact, told: Iterable[Anything]) -> None:
        """Sort what one fact tells."""
        for event in told:
            match event:
                case UserJoined() | UserLeft(is_invented=False):
                    is_join = isinstance(event, UserJoined)
                    self._add(fact, event, event.participant, event.at, is_join=is_join)
                case MeetingRecorded():
                    self.heads.setdefault(event.meeting, event)
                case AttendeeReported():
                    self._take_report(fact, event)
                case _:
                    pass

    def _take_report(self, fact: Fact, event: AttendeeReported) -> None:
        self.gem_ms[event.meeting] = self.gem_ms.get(event.meeting, 0) + event.duration_ms
        for session in event.sessions:
            for is_join, times in ((True, session.joins), (False, session.leaves)):
                for at in times:
                    self._add(fact, event, session.participant, at, is_join=is_join)

    def _add(self, fact: Fact, event: Anything, participant: str, at: int, *, is_join: bool) -> None:
        until = at + SECOND_MS if event.source is Source.CALLBACK else at
        edge = _Edge(is_join, participant, event.meeting, at, until, event.source, fact.received_at)
        self.edges.append(edge)


def explain(summary: Summary, attendance: Attendance, zone: tzinfo) -> Explained:
    """Everything behind one person's time in one meeting."""
    detail, of_meeting = attendance_detail(attendance.detail), summary_detail(summary.detail)
    heard = _Heard()
    for fact, told, _names in told_of_attendee(summary, attendance):
        heard.take(fact, told)
    rooms = {room.meeting: room for room in of_meeting.meetings}
    stays = tuple(
        Stay(
            session.participant,
            rooms[session.meeting].name if session.meeting in rooms and rooms[session.meeting].is_breakout else "",
            tuple(words.why(session, zone)),
            tuple(_proofs(session, heard.edges, zone)),
        )
        for session in detail.sessions
    )
    parts = (
        Part(_("What each witness said"), tuple(_said(detail, heard))),
        Part(_("What is only possible"), tuple(_doubts(detail, of_meeting, summary, zone))),
        Part(_("The sum"), tuple(_sum(detail, attendance, zone))),
        Part(_("What others would say"), tuple(_others(summary, detail, heard))),
    )
    return Explained(_total(attendance), stays, tuple(part for part in parts if part.lines))


def _total(attendance: Attendance) -> str:
    return words.bounds(Bounds(attendance.proved_ms, attendance.possible_ms))


# --- what proves it ---------------------------------------------------------------------------------------------------


def _proofs(session: Session, edges: Sequence[_Edge], zone: tzinfo) -> Iterator[str]:
    """For each end that was told: by whom, when by their clock, and since when we know."""
    for is_join, at, name in ((True, session.joined_at, _("join")), (False, session.left_at, _("leave"))):
        if at is None:
            continue
        told = [edge for edge in edges if _is_of(edge, session, at, is_join=is_join)]
        for edge in sorted(told, key=lambda edge: (list(Source).index(edge.source), edge.received_at)):
            yield _("%(what)s %(at)s: %(source)s, first received %(received)s") % {
                "what": name,
                "at": words.clock(edge.at, zone),
                "source": words.source(edge.source),
                "received": words.stamp(edge.received_at, zone),
            }


def _is_of(edge: _Edge, session: Session, at: int, *, is_join: bool) -> bool:
    if edge.is_join is not is_join or edge.meeting != session.meeting:
        return False
    is_near = edge.at - SAME_EDGE_MS <= at <= edge.until + SAME_EDGE_MS
    return is_near and edge.participant in {session.participant, ""}


def _said(detail: AttendanceDetail, heard: _Heard) -> Iterator[str]:
    """The fold keeps what the best record and the live ones said; a callback beside a file is added up here."""
    for code in ("recording", "callback", "live"):
        times = getattr(detail.witnesses, code)
        if times is None and code == "callback":
            times = _reported_times(heard)
        if times is not None:
            yield f"{words.witness(code)}: {words.bounds(Bounds(*times))}"


def _reported_times(heard: _Heard) -> tuple[int, int] | None:
    """The class alone, each end at most a second after it is told; None where joins and leaves do not pair."""
    told = [edge for edge in heard.edges if edge.source is Source.CALLBACK and edge.participant]
    surely, perhaps = [], []
    for name in {(edge.meeting, edge.participant) for edge in told}:
        own = [edge for edge in told if (edge.meeting, edge.participant) == name]
        joins, leaves = (sorted(edge.at for edge in own if edge.is_join is is_join) for is_join in (True, False))
        if len(joins) != len(leaves) or any(left < joined for joined, left in zip(joins, leaves, strict=True)):
            return None
        pairs = list(zip(joins, leaves, strict=True))
        surely += [(joined + SECOND_MS, left) for joined, left in pairs if left > joined + SECOND_MS]
        perhaps += [(joined, left + SECOND_MS) for joined, left in pairs]
    return (total(merge(surely)), total(merge(perhaps))) if told else None


def _doubts(detail: AttendanceDetail, meeting: SummaryDetail, summary: Summary, zone: tzinfo) -> Iterator[str]:
    """The spans that are possible and not proved, and the blind times within."""
    until = summary.ended_possible_at
    for start, end in _only_possible(detail, until):
        yield f"{words.clock(start, zone)}–{words.clock(end, zone)} ({words.duration(end - start)})"
        for begins, ends, cause in meeting.blind:
            if begins < end and (ends is None or ends > start):
                yield words.blind(begins, ends, cause, zone)


def _only_possible(detail: AttendanceDetail, until: int | None) -> list[Span]:
    gaps: list[Span] = []
    for start, end in detail.possible:
        stop = until if end is None else end
        if stop is None:
            continue
        at = start
        for begins, ends in sorted(span for span in detail.proved if start <= span[0] and span[1] <= stop):
            if begins > at:
                gaps.append((at, begins))
            at = max(at, ends)
        if stop > at:
            gaps.append((at, stop))
    return gaps


def _sum(detail: AttendanceDetail, attendance: Attendance, zone: tzinfo) -> Iterator[str]:
    """Proved spans and what they add up to; the possible ones too where they are others."""
    yield _added(detail.proved, attendance.proved_ms, zone)
    if attendance.possible_ms is not None and attendance.possible_ms != attendance.proved_ms:
        yield _("at most: %(sum)s") % {"sum": _added(detail.possible, attendance.possible_ms, zone)}


def _added(spans: Sequence[OpenSpan], total_ms: int, zone: tzinfo) -> str:
    terms = " + ".join(f"{words.clock(start, zone)}–{words.clock(end, zone)}" for start, end in spans)
    return f"{terms or '0'} = {words.duration(total_ms)}"


# --- what others would say --------------------------------------------------------------------------------------------


def _others(summary: Summary, detail: AttendanceDetail, heard: _Heard) -> Iterator[str]:
    """Moodle, BigBlueButton's gem, and who only polls once a minute; of the class without its rooms, as they do."""
    root = summary.meeting.internal_meeting_id
    spans = merge(span for session in detail.sessions if session.meeting == root for span in session.proved)
    gem_ms = _gem_ms(root, heard)
    known_ms = sum(end - start for start, end in spans) if gem_ms is None else gem_ms
    minutes = known_ms // MINUTE_MS
    yield ngettext(
        "Moodle: %(minutes)d minute of the %(time)s, rounded down.",
        "Moodle: %(minutes)d minutes of the %(time)s, rounded down.",
        minutes,
    ) % {"minutes": minutes, "time": words.duration(known_ms)}
    if gem_ms is None:
        yield _("BigBlueButton's own callback: not known without a record.")
    else:
        yield _("BigBlueButton's own callback: %(time)s.") % {"time": words.duration(gem_ms)}
    seen = sum(_minutes_in(span, summary.started_at) for span in spans)
    yield _("A poll every minute: %(time)s.") % {"time": words.duration(seen * MINUTE_MS)}


def _minutes_in(span: Span, started_at: int) -> int:
    """How many whole minutes since the beginning fall into the span."""
    first, last = ((at - started_at + MINUTE_MS - 1) // MINUTE_MS for at in span)
    return last - first


def _gem_ms(root: str, heard: _Heard) -> int | None:
    """The gem's duration: as the callback says it, else as it would make it of events.xml."""
    if root in heard.gem_ms:
        return heard.gem_ms[root]
    head = heard.heads.get(root)
    if head is None:
        return None
    created_at = int(root.rpartition("-")[2]) if root.rpartition("-")[2].isdigit() else head.at

    def second(at: int) -> int:
        return (at - head.at + created_at) // 1000

    sessions: dict[str, tuple[list[int], list[int]]] = {}
    for edge in heard.edges:
        if edge.meeting == root and edge.source is Source.RECORDING:
            sessions.setdefault(edge.participant, ([], []))[not edge.is_join].append(second(edge.at))
    return 1000 * seconds_present(sessions, second(head.last_at)) if sessions else None
