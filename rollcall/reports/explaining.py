"""Why one number is what it is: the stays, what proves each end, what every witness said, the sum, what others say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from rollcall.bbb.gem import seconds_present
from rollcall.core.events import (
    AttendeeReported,
    MeetingEnded,
    MeetingListed,
    MeetingRecorded,
    MeetingReported,
    PollAnswered,
    Source,
    UserJoined,
    UserLeft,
)
from rollcall.core.evidence import POLL_SLACK_MS
from rollcall.core.intervals import merge, total
from rollcall.core.meeting import fold_meeting
from rollcall.core.records import CUT_MS
from rollcall.core.witnesses import DOCUMENT_BYTES, rank_of_callback, rank_of_recording
from rollcall.reports import words
from rollcall.reports.details import attendance_detail, summary_detail
from rollcall.reports.facts import in_words, times_listed, told_of_attendee
from rollcall.reports.rows import Bounds
from rollcall.wording import formatting

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

CALLBACK = "callback"


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


@dataclass(frozen=True, slots=True)
class _Sign:
    """What shows that a connection was in from or until `at`; of "" where only the person is named."""

    participant: str
    meeting: str
    at: int
    what: str
    source: Source
    received_at: int


@dataclass(slots=True)
class _Heard:
    """What all the facts tell of one person, who goes by `names`."""

    edges: list[_Edge] = field(default_factory=list)
    signs: list[_Sign] = field(default_factory=list)
    reported: list[Anything] = field(default_factory=list)
    heads: dict[str, MeetingRecorded] = field(default_factory=dict)
    callbacks: dict[str, MeetingReported] = field(default_factory=dict)
    durations: dict[tuple[str, bytes], int] = field(default_factory=dict)

    def gem_ms(self) -> dict[str, int]:
        """What the gem made of the person in each meeting, by the callback that speaks for it."""
        heads = {(head.meeting, head.digest[:DOCUMENT_BYTES]) for head in self.callbacks.values()}
        return {meeting: ms for (meeting, document), ms in self.durations.items() if (meeting, document) in heads}

    def take(self, fact: Fact, told: Iterable[Anything], names: set[str]) -> None:
        """Sort what one fact tells."""
        for event in told:
            self.signs += _signs(event, fact.received_at, names)
            if event.source is Source.CALLBACK:
                self.reported.append(event)
            match event:
                case UserJoined() | UserLeft(is_invented=False):
                    is_join = isinstance(event, UserJoined)
                    self._add(fact, event, event.participant, event.at, is_join=is_join)
                case MeetingRecorded():
                    known = self.heads.setdefault(event.meeting, event)
                    self.heads[event.meeting] = min(known, event, key=rank_of_recording)
                case MeetingReported():
                    chosen = self.callbacks.setdefault(event.meeting, event)
                    self.callbacks[event.meeting] = min(chosen, event, key=rank_of_callback)
                case AttendeeReported():
                    self._take_report(fact, event)
                case _:
                    pass

    def _take_report(self, fact: Fact, event: AttendeeReported) -> None:
        document = event.meeting, event.digest[:DOCUMENT_BYTES]
        self.durations[document] = self.durations.get(document, 0) + event.duration_ms
        for session in event.sessions:
            for is_join, times in ((True, session.joins), (False, session.leaves)):
                for at in times:
                    self._add(fact, event, session.participant, at, is_join=is_join)

    def _add(self, fact: Fact, event: Anything, participant: str, at: int, *, is_join: bool) -> None:
        until = at + CUT_MS if event.source is Source.CALLBACK else at
        edge = _Edge(is_join, participant, event.meeting, at, until, event.source, fact.received_at)
        self.edges.append(edge)


def _signs(event: Anything, received_at: int, names: set[str]) -> Iterator[_Sign]:
    """What it shows of which instants: acts of theirs, lists, and the last that a record tells."""
    participant, what = "", in_words(event, names)
    times: tuple[int, ...] = (event.at,)
    match event:
        case MeetingListed() if not times_listed(event, names):
            times = ()
        case MeetingListed():
            times = (event.at - POLL_SLACK_MS, event.at + POLL_SLACK_MS)
        case MeetingEnded():
            pass
        case MeetingRecorded():
            what, times = _("no leave in it"), (event.last_at,)
        case MeetingReported():
            what, times = _("no leave in it"), (event.finish_at,)
        case PollAnswered():
            participant = event.voter or ""
        case _:
            participant = getattr(event, "participant", "")
            times = () if isinstance(event, AttendeeReported) or not participant else times
    for at in times:
        yield _Sign(participant, event.meeting, at, what, event.source, received_at)


def explain(summary: Summary, attendance: Attendance, zone: tzinfo) -> Explained:
    """Everything behind one person's time in one meeting."""
    detail, of_meeting = attendance_detail(attendance.detail), summary_detail(summary.detail)
    heard = _Heard()
    for fact, told, names in told_of_attendee(summary, attendance):
        heard.take(fact, told, names)
    rooms = {room.meeting: room for room in of_meeting.meetings}
    stays = tuple(
        Stay(
            session.participant,
            rooms[session.meeting].name if session.meeting in rooms and rooms[session.meeting].is_breakout else "",
            tuple(words.why(session, zone)),
            tuple(_proofs(session, heard, zone)),
        )
        for session in detail.sessions
    )
    is_between = _total(attendance) != words.duration(attendance.proved_ms)
    parts = (
        Part(_("What each witness said"), tuple(_said(detail, of_meeting, heard))),
        Part(_("What is only possible"), tuple(_doubts(detail, of_meeting, summary, zone)) if is_between else ()),
        Part(_("The sum"), tuple(_sum(detail, attendance, zone, is_between=is_between))),
        Part(_("What others would say"), tuple(_others(summary, detail, heard))),
    )
    return Explained(_total(attendance), stays, tuple(part for part in parts if part.lines))


def _total(attendance: Attendance) -> str:
    return words.bounds(Bounds(attendance.proved_ms, attendance.possible_ms))


# --- what proves it ---------------------------------------------------------------------------------------------------


def _proofs(session: Session, heard: _Heard, zone: tzinfo) -> Iterator[str]:
    """For each end who told it, when by their clock, and since when we know; or what shows the last certain instant."""
    certain = session.proved[:1] + session.proved[-1:]
    for is_join, at in ((True, session.joined_at), (False, session.left_at)):
        if at is not None:
            yield from _told_edges(session, at, heard.edges, zone, is_join=is_join)
        elif certain:
            yield from _shown_edge(
                session, certain[0][0] if is_join else certain[-1][1], heard.signs, zone, is_first=is_join
            )


def _told_edges(session: Session, at: int, edges: Iterable[_Edge], zone: tzinfo, *, is_join: bool) -> Iterator[str]:
    told = [edge for edge in edges if _is_of(edge, session, at, is_join=is_join)]
    for edge in sorted(told, key=_best_first):
        yield _("%(what)s %(at)s: %(source)s, first received %(received)s") % {
            "what": _("join") if is_join else _("leave"),
            "at": words.clock(edge.at, zone),
            "source": words.source(edge.source),
            "received": formatting.left_to_right(words.stamp(edge.received_at, zone)),
        }


def _shown_edge(session: Session, at: int, signs: Iterable[_Sign], zone: tzinfo, *, is_first: bool) -> Iterator[str]:
    """Nobody told this end: what of the same instant shows that they were there."""
    found = [
        sign
        for sign in signs
        if sign.at == at and sign.meeting == session.meeting and sign.participant in {session.participant, ""}
    ]
    for sign in sorted(found, key=_best_first):
        yield _("%(which)s %(at)s: %(what)s (%(source)s), first received %(received)s") % {
            "which": _("first certain") if is_first else _("last certain"),
            "at": words.clock(at, zone),
            "what": sign.what,
            "source": words.source(sign.source),
            "received": formatting.left_to_right(words.stamp(sign.received_at, zone)),
        }


def _best_first(told: _Edge | _Sign) -> tuple[int, int]:
    return list(Source).index(told.source), told.received_at


def _is_of(edge: _Edge, session: Session, at: int, *, is_join: bool) -> bool:
    if edge.is_join is not is_join or edge.meeting != session.meeting:
        return False
    is_near = edge.at - SAME_EDGE_MS <= at <= edge.until + SAME_EDGE_MS
    return is_near and edge.participant in {session.participant, ""}


def _said(detail: AttendanceDetail, meeting: SummaryDetail, heard: _Heard) -> Iterator[str]:
    """The fold keeps what the best record and the live ones said; a callback beside a file is folded here."""
    recorded = [room.witnesses.recording for room in meeting.meetings]
    has_part = any(one is not None and not one.is_whole for one in recorded)
    for code in ("recording", CALLBACK, "live"):
        times = getattr(detail.witnesses, code)
        if times is None and code == CALLBACK:
            times = _reported_times(heard.reported)
        name = "live-and-part" if code == "live" and has_part else code
        if times is not None:
            yield f"{words.witness(name)}: {words.bounds(Bounds(*times))}"


def _reported_times(told: Sequence[Anything]) -> tuple[int, int] | None:
    """What the callbacks of the class and of its rooms alone would give this person; None where they do not tell."""
    if not any(isinstance(event, AttendeeReported) for event in told):
        return None
    found = fold_meeting(told).attendances
    return (
        total(merge(span for one in found for span in one.proved)),
        total(merge(span for one in found for span in one.possible)),
    )


# --- what is not certain ----------------------------------------------------------------------------------------------


def _doubts(detail: AttendanceDetail, meeting: SummaryDetail, summary: Summary, zone: tzinfo) -> Iterator[str]:
    """The spans that are possible and not proved, each with why; of those too short to be shown only how many."""
    gaps = _only_possible(detail, summary.ended_possible_at)
    shown = [gap for gap in gaps if gap[1] - gap[0] >= SECOND_MS]
    for gap in shown:
        yield " ".join([f"{words.added([gap], gap[1] - gap[0], zone)}.", *_reasons(gap, detail, meeting, zone)])
    if short := len(gaps) - len(shown):
        yield ngettext("%(count)d time of less than a second.", "%(count)d times of less than a second.", short) % {
            "count": short
        }


def _reasons(gap: Span, detail: AttendanceDetail, meeting: SummaryDetail, zone: tzinfo) -> list[str]:
    """What the stays of that time lack, and the deaf times; or else lists that did not name them."""
    stays = [stay for stay in detail.sessions if stay.possible is not None and _meet(stay.possible, gap)]
    deaf = [words.blind(*one, zone) for one in meeting.blind if _meet((one[0], one[1]), gap)]
    found = [why for stay in stays if (why := _why_possible(stay, gap))] + deaf
    return list(dict.fromkeys(found)) or [_("The server did not list them in between.")]


def _meet(one: OpenSpan, other: Span) -> bool:
    return one[0] < other[1] and (one[1] is None or one[1] > other[0])


_NO_LEAVE: dict[str, str] = {
    "last-sign": gettext_noop("No leave was heard."),
    "rejoined": gettext_noop("No leave was heard before the same connection joined again."),
    "absent": gettext_noop("No leave was heard; the server listed them no longer."),
    "meeting-ended": gettext_noop("No leave was heard before the meeting ended."),
    "open": gettext_noop("Nothing was heard since."),
}


_NEVER_ALTERNATING = gettext_noop("The joins and leaves that the analytics callback tells do not alternate.")
_WHOLE_SECONDS = gettext_noop("The analytics callback tells whole seconds.")


def _why_possible(session: Session, gap: Span) -> str:
    """Why one stay does not prove this time of it; blank where only deaf time can be why."""
    proved = session.proved
    is_after, is_before = not proved or gap[0] >= proved[-1][1], not proved or gap[1] <= proved[0][0]
    if session.witness == CALLBACK and gap[1] - gap[0] <= CUT_MS:
        return _(_WHOLE_SECONDS)
    if session.witness == CALLBACK and session.joined_at is None:
        return _(_NEVER_ALTERNATING)
    if session.start == "unknown":
        return _("No join and no activity was heard.")
    if is_before and session.joined_at is None:
        return _("No join was heard.")
    if is_after and session.left_at is None:
        return _(_NO_LEAVE.get(session.end, session.end))
    return ""


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


def _sum(detail: AttendanceDetail, attendance: Attendance, zone: tzinfo, *, is_between: bool) -> Iterator[str]:
    """Proved spans and what they add up to; the possible ones too where they come to another time."""
    yield words.added(detail.proved, attendance.proved_ms, zone)
    if is_between and attendance.possible_ms is not None:
        possible = [(start, end) for start, end in detail.possible if end is not None]
        yield _("at most: %(sum)s") % {"sum": words.added(possible, attendance.possible_ms, zone)}


# --- what others would say --------------------------------------------------------------------------------------------


def _others(summary: Summary, detail: AttendanceDetail, heard: _Heard) -> Iterator[str]:
    """Moodle, BigBlueButton's gem, and who only polls once a minute; of the class without its rooms, as they do."""
    root = summary.meeting.internal_meeting_id
    yield from _of_the_gem(root, heard)
    spans = merge(span for session in detail.sessions if session.meeting == root for span in session.proved)
    seen = sum(_minutes_in(span, summary.started_at) for span in spans)
    yield _("A poll every minute: %(time)s.") % {"time": words.duration(seen * MINUTE_MS)}


def _of_the_gem(root: str, heard: _Heard) -> Iterator[str]:
    """Moodle knows what the callback says of the class, and nothing else."""
    gem_ms = _gem_ms(root, heard)
    if gem_ms is None:
        unknown = _why_unknown(root, heard)
        yield _("Moodle: %(unknown)s") % {"unknown": unknown}
        yield _("BigBlueButton's own callback: %(unknown)s") % {"unknown": unknown}
        return
    minutes = gem_ms // MINUTE_MS
    yield ngettext(
        "Moodle: %(minutes)d minute of the %(time)s, rounded down.",
        "Moodle: %(minutes)d minutes of the %(time)s, rounded down.",
        minutes,
    ) % {"minutes": minutes, "time": words.duration(gem_ms)}
    yield _("BigBlueButton's own callback: %(time)s.") % {"time": words.duration(gem_ms)}


def _why_unknown(root: str, heard: _Heard) -> str:
    if any(event.meeting == root for event in heard.reported):
        return _("the callback that came does not name them.")
    return _("not known: events.xml is not whole.") if root in heard.heads else _("not known without a record.")


def _minutes_in(span: Span, started_at: int) -> int:
    """How many whole minutes since the beginning fall into the span."""
    first, last = ((at - started_at + MINUTE_MS - 1) // MINUTE_MS for at in span)
    return last - first


def _gem_ms(root: str, heard: _Heard) -> int | None:
    """The gem's duration: as the callback says it, else as it would make it of a whole events.xml."""
    if root in heard.gem_ms():
        return heard.gem_ms()[root]
    head = heard.heads.get(root)
    if head is None or not head.is_whole:
        return None
    created_at = int(root.rpartition("-")[2]) if root.rpartition("-")[2].isdigit() else head.at

    def second(at: int) -> int:
        return (at - head.at + created_at) // 1000

    sessions: dict[str, tuple[list[int], list[int]]] = {}
    for edge in heard.edges:
        if edge.meeting == root and edge.source is Source.RECORDING:
            sessions.setdefault(edge.participant, ([], []))[not edge.is_join].append(second(edge.at))
    return 1000 * seconds_present(sessions, second(head.last_at)) if sessions else None
