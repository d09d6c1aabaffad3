"""A course as a table: its meetings across, its people down."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rollcall.store.derived import Attendance, Person, Summary
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.sorts import too_many
from rollcall.store.searching.walking import Taken, page_of, take_sorted
from rollcall.store.searching.wanted import Page

if TYPE_CHECKING:
    from rollcall.store.searching.wanted import Filter

_BY_NAME: Final = Order(("sort_key", "id"))
_USUAL: Final = 5
"""How many meetings of a course tell who usually comes."""


class Cell(NamedTuple):
    """One person in one meeting. `share` is in thousandths; None while it is not known, as `possible_ms`."""

    attendance: int
    share: int | None
    proved_ms: int
    possible_ms: int | None
    is_present: bool


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One person, and their cells by the meeting's Summary; there is none where they were not seen."""

    person: Person
    cells: dict[int, Cell]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The meetings, oldest first, and a page of the people who were in any of them, by name."""

    meetings: list[Summary]
    people: Page[MatrixRow]


def matrix_of(course: bytes, wanted: Filter, *, after: str, before: str, limit: int) -> Matrix:
    """A course's meetings and people of a filter; Refused if these are more than anybody could look at."""
    scope = Scope(replace(wanted, course=course.hex()))
    few = scope.few_meetings
    if few is None:
        raise too_many()
    meetings = list(Summary.objects.filter(pk__in=few.ids).select_related("meeting").order_by("started_at", "pk"))
    rows = Attendance.objects.filter(scope.of_rows, scope.of_people(), summary__in=few.ids)
    everybody = Person.objects.filter(pk__in=rows.order_by().values("person").distinct())

    def take(order: Order, start: Place | None, limit: int) -> Taken:
        return take_sorted(everybody, order, start, limit=limit)

    page = page_of(take, _BY_NAME, (bytes, int), after=after, before=before, limit=limit)
    ids = [place[-1] for place in page.rows]
    entries = Person.objects.in_bulk(ids)
    cells: defaultdict[int | None, dict[int, Cell]] = defaultdict(dict)
    values: Any = rows.filter(person__in=ids).values_list(
        "person_id", "summary_id", "pk", "share", "proved_ms", "possible_ms", "is_present"
    )
    for person, summary, *cell in values:
        cells[person][summary] = _wider(cells[person].get(summary), Cell(*cell))
    shown = [MatrixRow(entries[pk], cells[pk]) for pk in ids]
    return Matrix(meetings, Page(shown, page.before, page.after))


def _wider(one: Cell | None, other: Cell) -> Cell:
    """Of two guests who had one name in one meeting, the one who was there longer."""
    return other if one is None or other.proved_ms > one.proved_ms else one


def usually_here_at(summary: Summary) -> list[Person]:
    """Users who were in most of the last meetings of the course, and not in this one; by name."""
    if summary.course_id is None:
        return []
    earlier = Summary.objects.filter(course=summary.course_id, started_at__lt=summary.started_at)
    last = list(earlier.order_by("-started_at").values_list("pk", flat=True)[:_USUAL])
    times: defaultdict[int | None, int] = defaultdict(int)
    for person in Attendance.objects.filter(summary__in=last).values_list("person_id", flat=True):
        times[person] += 1
    here = set(summary.attendance.values_list("person_id", flat=True))
    usual = [pk for pk, count in times.items() if pk is not None and pk not in here and 2 * count > len(last)]
    return list(Person.objects.filter(pk__in=usual, is_user=True).order_by("sort_key"))
