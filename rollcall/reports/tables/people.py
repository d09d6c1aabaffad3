"""People: everybody with their totals over a period, and one person's meetings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rollcall.reports import rows, words
from rollcall.reports.asking import Takes
from rollcall.reports.filters import OF_ATTENDANCE, OF_MEETINGS, OF_PEOPLE
from rollcall.reports.pictures import attended, term_calendar
from rollcall.reports.rows import Bounds, Format, Heading
from rollcall.reports.subjects import person_of
from rollcall.reports.tables.report import Report
from rollcall.store import searching

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.reports.asking import Asked
    from rollcall.reports.rows import Table
    from rollcall.store.derived import Attendance
    from rollcall.store.searching import FoundPerson


def _people(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return rows.people_table(searching.every("people", asked.wanted, asked.sort))


def _person(asked: Asked, subject: Sequence[str], form: Format) -> Table:
    found = person_of(subject[0], asked.wanted)
    attendance = searching.every("attendances", replace(asked.wanted, person=found.key), asked.sort)
    return history(found, attendance, asked, with_pictures=form is Format.PDF)


def history(found: FoundPerson, attendance: Iterable[Attendance], asked: Asked, *, with_pictures: bool) -> Table:
    """One person's meetings, with the calendar of them."""
    table = rows.person_table(found, attendance, as_of=asked.wanted.as_of)
    lines = [
        (str(_("User id")), found.external_user_id),
        (str(_("Site")), found.site),
        (str(_("Meetings")), str(found.meetings)),
        (str(_("Time in all")), words.bounds(Bounds(found.proved_ms, found.possible_ms))),
    ]
    heading = Heading(found.name.strip() or str(_("(no name)")), asked.wanted.as_of, lines)
    drawn = term_calendar(list(map(attended, table.rows)), asked.zone) if with_pictures else []
    totals = rows.time_totals(list(table.rows))
    return replace(table, heading=heading, totals=totals, pictures=[one.picture for one in drawn])


PEOPLE = Report(
    name="people",
    title=_("People"),
    address="/people",
    takes=Takes((*OF_PEOPLE, *OF_MEETINGS, *OF_ATTENDANCE), searching.SORTS["people"]),
    make=_people,
    lists="people",
)
PERSON = Report(
    name="person",
    title=_("Person"),
    address="/people/{}",
    takes=Takes((*OF_MEETINGS, *OF_ATTENDANCE), searching.SORTS["attendances"]),
    make=_person,
    lists="attendances",
)
