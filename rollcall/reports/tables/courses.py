"""Courses, and the matrix of one: its people under each other, its meetings beside each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rollcall.core.roster import Enrolment
from rollcall.reports import absentees, words
from rollcall.reports.addresses import person_page
from rollcall.reports.asking import Takes
from rollcall.reports.details import summary_detail
from rollcall.reports.filters import OF_MEETINGS, OF_PEOPLE
from rollcall.reports.meeting_rows import meeting_row
from rollcall.reports.pictures import MatrixMeeting, MatrixPerson, course_matrix
from rollcall.reports.pictures.labels import day_and_month
from rollcall.reports.rows import Bounds, Column, Format, Heading, Kind, Shares, Table, share_of, with_ids
from rollcall.reports.subjects import course_of
from rollcall.reports.tables.report import COURSE_KEY, Listing, Report
from rollcall.store import searching
from rollcall.store.names import fold_name, matches, search_terms
from rollcall.store.searching.rosters import others_in, roster_of, seen_in
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import tzinfo
    from typing import Any

    from rollcall.reports.asking import Asked
    from rollcall.store.derived import Course, Summary
    from rollcall.store.searching import MatrixRow
    from rollcall.store.searching.rosters import OnRoster, Roster

PEOPLE = 100
"""Rows of a matrix that are read at once."""

MEETINGS = 60
"""Columns of a page, the latest ones; files have all."""

_PDF_PART = (40, 30)

UNKNOWN_SHARE = Shares(0.0, 1.0)


def course_page(course: Course) -> str:
    """The address of a course's page."""
    return f"/courses/{bytes(course.key).hex()}"


def course_name(course: Course) -> str:
    """What a course is called, or else its id."""
    return str(course.label.strip() or course.context_id)


COURSE_COLUMNS = (
    Column("course", _("Course"), Kind.TEXT, course_name, link=course_page, sort="name"),
    Column("course_id", _("Course id"), Kind.TEXT, attrgetter("context_id")),
    Column("shown_site", _("Site"), Kind.HOST, lambda row: words.site(row.site), Format.PAGE),
    Column("site", _("Site"), Kind.HOST, attrgetter("site"), ~Format.PAGE),
    Column("meetings", _("Meetings"), Kind.COUNT, attrgetter("meetings"), sort="meetings"),
    Column("people", _("People"), Kind.COUNT, attrgetter("people")),
    Column("attendances", _("Attendances"), Kind.COUNT, attrgetter("attendances"), sort="attendances"),
    Column("proved_ms", _("Time of all people, at least"), Kind.DURATION, attrgetter("proved_ms"), sort="time"),
    Column("last_at", _("Last meeting"), Kind.TIME, attrgetter("last_at"), sort="last"),
)


_WHICH = ("course", "course_id", "site")
"""The columns that tell one course from another."""


def courses_table(found: Iterable[Any]) -> Table:
    """These courses, in this order."""
    return Table("courses/1", "courses", COURSE_COLUMNS, found)


def _courses(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return courses_table(searching.every("courses", asked.wanted, asked.sort))


# --- the matrix -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Member:
    """One row of a matrix: `shares` by meeting, without those in which they were not seen.

    `missed` counts those in which they surely were not, although they were surely enrolled then; None without a roster.
    """

    name: str
    external_user_id: str
    key: bytes | None
    shares: Mapping[int, Shares]
    proved_ms: int
    on_roster: OnRoster | None = None
    missed: int | None = None

    @property
    def meetings(self) -> int:
        """In how many they were seen."""
        return len(self.shares)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A course's meetings, oldest first, and everybody who was in one of them, by name.

    `guests` counts the attendances of guests and callers, whom nothing joins across meetings. Where the `roster` is
    known, learners of it who were in none of the meetings stand last.
    """

    course: Course
    meetings: Sequence[Summary]
    members: Sequence[Member]
    before: str = ""
    after: str = ""
    guests: int = 0
    roster: Roster | None = None
    everybody: int = 0

    def columns(self, zone: tzinfo) -> list[Column]:
        """The columns of its table: one is declared for each meeting."""
        by_roster = (_roster_column(zone), _MISSED) if self.roster else ()
        return [*_MEMBER_COLUMNS, *by_roster, *_JSON_COLUMNS, *map(_column, self.meetings, labels(self.meetings, zone))]


_MEMBER_COLUMNS = (
    Column("name", _("Name"), Kind.NAME, attrgetter("name"), link=lambda row: person_page(row.key)),
    Column("external_user_id", _("User id"), Kind.ID, attrgetter("external_user_id"), Format.FILE),
    Column("meetings", _("Meetings"), Kind.COUNT, attrgetter("meetings")),
    Column("proved_ms", _("Time at least"), Kind.DURATION, attrgetter("proved_ms")),
)


def _roster_column(zone: tzinfo) -> Column:
    def told(row: Member) -> str:
        return absentees.on_roster(row.on_roster, zone)

    return Column("roster", _("Roster"), Kind.TEXT, told, ~Format.JSON)


def _standing(row: Member) -> str | None:
    """As a program reads it; None without a roster."""
    if row.missed is None:
        return None
    if row.on_roster is None:
        return Enrolment.NOT_ENROLLED
    return Enrolment.ENROLLED if row.on_roster.left_at is None else Enrolment.LEFT


_MISSED = Column("missed", _("Not seen while enrolled"), Kind.COUNT, attrgetter("missed"), ~Format.JSON)
_JSON_COLUMNS = (
    Column("roster", _("Roster"), Kind.ID, _standing, Format.JSON),
    Column("missed", _("Not seen while enrolled"), Kind.COUNT, attrgetter("missed"), Format.JSON),
)


def _column(summary: Summary, label: str) -> Column:
    return Column(
        f"meeting-{summary.meeting.internal_meeting_id}",
        label,
        Kind.SHARES,
        _share_in(summary.pk),
        about=summary.name,
        head_link=f"/meetings/{summary.meeting_id}",
    )


def labels(meetings: Sequence[Summary], zone: tzinfo) -> list[str]:
    """7 Sept, as short as tells them apart: with its year if there are several, with the time if a day has several."""
    begun = [words.moment(summary.started_at, zone) for summary in meetings]
    on_a_day = Counter(at.date() for at in begun)
    day_of = formatting.short_date if len({at.year for at in begun}) > 1 else day_and_month
    return [f"{day_of(at.date())}, {at:%H:%M}" if on_a_day[at.date()] > 1 else day_of(at.date()) for at in begun]


def _share_in(pk: int) -> Callable[[Member], Shares | None]:
    return lambda member: member.shares.get(pk)


def matrix(course: Course, asked: Asked, *, after: str = "", before: str = "", limit: int = PEOPLE) -> Matrix:
    """Who was in how much of which of the course's latest meetings; some of its people, by name."""
    return _with_roster(_part(course, asked, after=after, before=before, limit=limit), asked)


def _part(course: Course, asked: Asked, *, after: str = "", before: str = "", limit: int = PEOPLE) -> Matrix:
    found = searching.matrix(bytes(course.key), asked.wanted, after=after, before=before, limit=limit)
    lengths = {summary.pk: _length(summary) for summary in found.meetings}
    members = [_member(row, lengths) for row in found.people.rows]
    places = found.people.before, found.people.after
    return Matrix(course, found.meetings, members, *places, guests=found.guests, everybody=found.everybody)


def latest(one: Matrix) -> Matrix:
    """The part of it that a page has room for."""
    return replace(one, meetings=one.meetings[-MEETINGS:])


def whole_matrix(course: Course, asked: Asked) -> Matrix:
    """The same with everybody."""
    part = _part(course, asked)
    members = list(part.members)
    while part.after:
        part = _part(course, asked, after=part.after)
        members += part.members
    return _with_roster(replace(part, members=members, after=""), asked)


def _with_roster(one: Matrix, asked: Asked) -> Matrix:
    """What the roster says of each, and behind the last of them whoever of it was in none of the meetings.

    It does not tell groups, so that somebody who sees only their own is told nothing by it.
    """
    roster = roster_of(one.course, inside=asked.inside) if asked.inside.bounds.groups is None else None
    if roster is None:
        return one
    sure, over = _sure(one.meetings, asked.wanted.as_of), [m for m in one.meetings if _may_be_missed(m)]
    members = [_on_roster(member, roster.by_user.get(member.external_user_id), sure) for member in one.members]
    if not one.after:
        seen = seen_in(one.meetings)
        never = (entry for entry in roster.expected() if entry.user_id not in seen and _is_wanted(entry, asked))
        members += [
            _on_roster(Member("", entry.user_id, entry.key, {}, 0), entry, sure)
            for entry in never
            if any(entry.enrolment(one) in {Enrolment.ENROLLED, Enrolment.PERHAPS} for one in over)
        ]
    return replace(one, members=members, roster=roster)


def _may_be_missed(summary: Summary) -> bool:
    return summary.ended_possible_at is not None and not absentees.is_of_a_group(summary)


def _sure(meetings: Sequence[Summary], as_of: int) -> list[Summary]:
    """Those of which it is certain who was not there."""
    over = [one for one in meetings if _may_be_missed(one)]
    with_others = others_in(over)
    rows = (meeting_row(one, as_of=as_of) for one in over)
    return [row.summary for row in rows if not absentees.is_doubtful(row, has_others=row.summary.pk in with_others)]


def _is_wanted(entry: OnRoster, asked: Asked) -> bool:
    wanted = asked.wanted
    is_named = not wanted.name or matches(search_terms(wanted.name), fold_name(absentees.name_of(entry)))
    return is_named and wanted.user in {"", entry.user_id}


def _on_roster(member: Member, entry: OnRoster | None, sure: Sequence[Summary]) -> Member:
    if entry is None:
        return replace(member, missed=0)
    missed = sum(one.pk not in member.shares and entry.enrolment(one) is Enrolment.ENROLLED for one in sure)
    return replace(member, name=member.name or absentees.name_of(entry), on_roster=entry, missed=missed)


def _member(row: MatrixRow, lengths: Mapping[int, Bounds | None]) -> Member:
    shares = {
        pk: share_of(Bounds(cell.proved_ms, cell.possible_ms), lengths[pk]) or UNKNOWN_SHARE
        for pk, cell in row.cells.items()
    }
    key = bytes(row.person.key) if row.person.is_user else None
    proved_ms = sum(cell.proved_ms for cell in row.cells.values())
    return Member(row.person.name, row.person.external_user_id, key, shares, proved_ms)


def _length(summary: Summary) -> Bounds | None:
    """First join to last leave, as the fold left it; else from its begin to its end."""
    length = summary_detail(summary.detail).length
    if length:
        return Bounds(*length)
    return None if summary.length_ms is None else Bounds(summary.length_ms, summary.length_ms)


def matrix_table(one: Matrix, asked: Asked, form: Format) -> Table:
    """The matrix as a table, and in a document as a picture too."""
    heading = Heading(course_name(one.course), asked.wanted.as_of, _about(one, asked.zone))
    drawn = pictures(one, asked.zone, part=_PDF_PART) if form is Format.PDF else []
    return Table(
        "course/1",
        "people",
        with_ids(one.columns(asked.zone), ((member.name, member.external_user_id) for member in one.members)),
        one.members,
        about={"course": {column.key: column.of(one.course) for column in COURSE_COLUMNS if column.key in _WHICH}},
        heading=heading,
        pictures=[piece.picture for piece in drawn],
    )


def pictures(one: Matrix, zone: tzinfo, *, part: tuple[int, int]) -> list[Any]:
    """The matrix drawn, in parts where it is large."""
    people = [MatrixPerson(member.name, [member.shares.get(m.pk) for m in one.meetings]) for member in one.members]
    return course_matrix(people, [MatrixMeeting(m.started_at, m.name) for m in one.meetings], zone, part=part)


def _about(one: Matrix, zone: tzinfo) -> list[tuple[str, str]]:
    lines = [(str(_("Course id")), one.course.context_id), (str(_("Site")), one.course.site)]
    if one.meetings:
        days = [
            formatting.short_date(words.moment(m.started_at, zone).date()) for m in (one.meetings[0], one.meetings[-1])
        ]
        lines.append((str(_("Period")), formatting.interval(*days)))
    lines.append((str(_("Meetings")), formatting.number(len(one.meetings))))
    if one.guests:
        lines.append((str(_("Attendances of guests and callers")), formatting.number(one.guests)))
    return lines


def _course(asked: Asked, subject: Sequence[str], form: Format) -> Table:
    return matrix_table(whole_matrix(course_of(subject[0], asked.inside), asked), asked, form)


COURSES = Report(
    name="courses",
    title=_("Courses"),
    address="/courses",
    takes=Takes(OF_MEETINGS, searching.SORTS["courses"]),
    make=_courses,
    lists="courses",
    page=Listing(
        table=lambda found, _asked: courses_table(found),
        empty=_("No course has such a meeting."),
        empty_yet=_("No meeting has told of its course yet."),
        facets=("server",),
    ),
)
COURSE = Report(
    name="course",
    title=_("Course"),
    address="/courses/{}",
    takes=Takes((*OF_PEOPLE, *(name for name in OF_MEETINGS if name != "course"))),
    make=_course,
    about=(COURSE_KEY,),
)
