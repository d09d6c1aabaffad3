"""People: everybody with their totals over a period, and one person's meetings."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rollcall.reports import words
from rollcall.reports.absentees import missed_meetings
from rollcall.reports.addresses import person_page, why_page
from rollcall.reports.asking import Takes
from rollcall.reports.details import Count
from rollcall.reports.filters import OF_ATTENDANCE, OF_MEETINGS, OF_PEOPLE
from rollcall.reports.meeting_rows import attendee_row, mean_share, time_totals
from rollcall.reports.pictures import attended, term_calendar
from rollcall.reports.rows import Bounds, Column, Format, Heading, Kind, Table
from rollcall.reports.subjects import person_of
from rollcall.reports.tables.attendees import COUNTED_COLUMNS, SORTED_AS, TIME_COLUMNS, plain
from rollcall.reports.tables.meetings import MEETING_COLUMNS
from rollcall.reports.tables.report import PERSON_KEY, Listing, Report
from rollcall.store import searching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rollcall.reports.asking import Asked
    from rollcall.store.derived import Attendance
    from rollcall.store.searching import FoundPerson


def _at_least(key: str) -> Callable[[Any], Any]:
    """A sum over many meetings, of some of which not all was seen."""
    return lambda row: Count(getattr(row, key), is_exact=False)


def _if_any(key: str) -> Callable[[Any], int | None]:
    """The same for programs: of none it is not known whether there were some."""
    return lambda row: getattr(row, key) or None


def _totals(person: FoundPerson) -> Bounds:
    return Bounds(person.proved_ms, person.possible_ms)


def _mean(person: FoundPerson) -> float | None:
    return None if person.share is None else person.share / 1000


PEOPLE_COLUMNS = (
    Column("name", _("Name"), Kind.NAME, attrgetter("name"), link=lambda row: person_page(row.key), sort="name"),
    Column("external_user_id", _("User id"), Kind.TEXT, lambda row: row.external_user_id),
    Column("shown_site", _("Site"), Kind.HOST, lambda row: words.site(row.site), Format.PAGE),
    Column("site", _("Site"), Kind.HOST, lambda row: row.site, ~Format.PAGE),
    Column("meetings", _("Meetings"), Kind.COUNT, attrgetter("meetings"), sort="meetings"),
    Column("time", pgettext_lazy("how long", "Time"), Kind.DURATIONS, _totals, Format.SCREEN, sort="time"),
    Column("proved_ms", _("Time at least"), Kind.DURATION, lambda row: row.proved_ms, Format.FILE),
    Column("possible_ms", _("Time at most"), Kind.DURATION, lambda row: row.possible_ms, Format.FILE),
    Column(
        "share",
        _("Mean share, at least"),
        Kind.PART,
        _mean,
        ~Format.JSON,
        sort="share",
        about=_("The mean of the proved shares of the classes whose length is known; running ones are left out."),
    ),
    # Its upper end is worked out for one person only: `share` is a pair wherever it stands.
    Column("proved_share", _("Mean share, at least"), Kind.PART, _mean, Format.JSON),
    *(replace(column, of=_at_least(column.key), sort=SORTED_AS[column.key]) for column in COUNTED_COLUMNS[:6]),
    *(Column(column.key, column.label, Kind.COUNT, _if_any(column.key), Format.JSON) for column in COUNTED_COLUMNS[:6]),
    Column("first_at", _("First meeting"), Kind.TIME, attrgetter("first_at"), ~Format.HTML, sort="first"),
    Column("last_at", _("Last meeting"), Kind.TIME, attrgetter("last_at"), sort="last"),
)


def _of_meeting(column: Column) -> Column:
    """A column of the meeting where each row is somebody's attendance of it."""
    link = column.link
    of_meeting = None if link is None else lambda row: link(row.meeting)
    return replace(column, of=lambda row: column.of(row.meeting), link=of_meeting)


_OF_MEETING = {column.key: _of_meeting(column) for column in MEETING_COLUMNS}


PERSON_COLUMNS = (
    _OF_MEETING["meeting_name"],
    _OF_MEETING["state"],
    _OF_MEETING["started_at"],
    replace(_OF_MEETING["server"], shown=~Format.PAGE),
    _OF_MEETING["meeting"],
    Column("shown_role", _("Role"), Kind.ROLE, lambda row: (row.attendance.role, row.attendance.kind), Format.SCREEN),
    Column("role", _("Role"), Kind.TEXT, lambda row: row.attendance.role, Format.FILE),
    *TIME_COLUMNS,
    *COUNTED_COLUMNS,
    Column("engagement", _("Engagement"), Kind.JSON, lambda row: plain(row.detail.engagement), Format.JSON),
)


def people_table(rows: Iterable[FoundPerson]) -> Table:
    """These people, in this order."""
    return Table("people/1", "people", PEOPLE_COLUMNS, rows)


def person_table(person: FoundPerson, attendance: Iterable[Attendance], *, as_of: int) -> Table:
    """One person's meetings, in this order."""
    about = {column.key: column.of(person) for column in PEOPLE_COLUMNS if Format.JSON in column.shown}
    rows = [attendee_row(one, as_of) for one in attendance]
    return Table("person/1", "attendances", PERSON_COLUMNS, rows, about={"person": about})


def with_reasons(table: Table) -> Table:
    """The same for whoever sees nobody else: each meeting leads to why their own time in it is what it is."""
    columns = [replace(one, link=why_page) if one.key == "meeting_name" else one for one in table.columns]
    return replace(table, columns=columns)


def _people(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return people_table(searching.every("people", asked.wanted, asked.sort))


def _person(asked: Asked, subject: Sequence[str], form: Format) -> Table:
    found = person_of(subject[0], asked.wanted)
    attendance = searching.every("attendances", replace(asked.wanted, person=found.key), asked.sort)
    return history(found, attendance, asked, with_pictures=form is Format.PDF)


def history(found: FoundPerson, attendance: Iterable[Attendance], asked: Asked, *, with_pictures: bool) -> Table:
    """One person's meetings, with the calendar of them."""
    table = person_table(found, attendance, as_of=asked.wanted.as_of)
    lines = [
        (str(_("User id")), found.external_user_id),
        (str(_("Site")), found.site),
        (str(_("Meetings")), str(found.meetings)),
        (str(_("Time in all")), words.bounds(Bounds(found.proved_ms, found.possible_ms))),
    ]
    if (share := mean_share(table.rows)) is not None:
        lines.append((str(_("Mean share")), words.share(share)))
    heading = Heading(found.name.strip() or str(_("(no name)")), asked.wanted.as_of, lines)
    drawn = term_calendar(list(map(attended, table.rows)), asked.zone) if with_pictures else []
    totals = time_totals(list(table.rows))
    missed = missed_meetings(found.key, asked.wanted)
    return replace(
        table,
        heading=heading,
        totals=totals,
        pictures=[one.picture for one in drawn],
        sections=[missed] if missed else [],
    )


PEOPLE = Report(
    name="people",
    title=_("People"),
    address="/people",
    takes=Takes((*OF_PEOPLE, *OF_MEETINGS, *OF_ATTENDANCE), searching.SORTS["people"]),
    make=_people,
    lists="people",
    page=Listing(
        table=lambda found, _asked: people_table(found),
        empty=_(
            "Nobody like that was in such a meeting. Guests and telephone callers are shown with their meetings only."
        ),
        empty_yet=_(
            "Nobody has been in a meeting yet. Guests and telephone callers are shown with their meetings only."
        ),
        facets=("course", "server"),
    ),
)
PERSON = Report(
    name="person",
    title=_("Person"),
    address="/people/{}",
    takes=Takes((*OF_MEETINGS, *OF_ATTENDANCE), searching.SORTS["attendances"]),
    make=_person,
    lists="attendances",
    about=(PERSON_KEY,),
)
