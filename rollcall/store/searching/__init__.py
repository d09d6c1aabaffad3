"""Named queries over everything that was derived: lists in any order, page by page, what they come to, how they part.

Who asks several questions of one filter asks them with one Scope of it: its words are looked up once.

Pages go by key, never by offset: what arrives while somebody reads neither repeats nor hides a row. Nothing here looks
at a clock; `as_of` is part of what is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rollcall.store.searching import attendances, courses, meetings, people
from rollcall.store.searching.counting import Totals, count_of, totals_of
from rollcall.store.searching.courses import FoundCourse, course_of
from rollcall.store.searching.facets import FACETS, Facet, facets_of
from rollcall.store.searching.matrix import Cell, Matrix, MatrixRow, matrix_of
from rollcall.store.searching.people import FoundPerson, found_person
from rollcall.store.searching.scope import Scope, organisations
from rollcall.store.searching.seeing import has_attendance, is_inside, sees_course
from rollcall.store.searching.use import Bucket, use_of
from rollcall.store.searching.wanted import (
    COUNTED_UP_TO,
    EVERYTHING,
    LARGEST,
    Bounds,
    Counted,
    Filter,
    Inside,
    Page,
    State,
    state_of,
)
from rollcall.store.searching.whole import PAGES, AttendanceLine, each_attendance, each_meeting, each_row, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.store.derived import Course

PAGE: Final = 50

SORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "meetings": meetings.SORTS.names(),
    "attendances": attendances.SORTS.names(),
    "people": people.SORTS.names(),
    "courses": courses.SORTS.names(),
}
"""By what each list can be sorted, as an address writes it; the first is the default."""

__all__ = [
    "COUNTED_UP_TO",
    "EVERYTHING",
    "FACETS",
    "LARGEST",
    "PAGE",
    "SORTS",
    "AttendanceLine",
    "Bounds",
    "Bucket",
    "Cell",
    "Counted",
    "Facet",
    "Filter",
    "FoundCourse",
    "FoundPerson",
    "Inside",
    "Matrix",
    "MatrixRow",
    "Page",
    "Scope",
    "State",
    "Totals",
    "count",
    "course",
    "each_attendance",
    "each_meeting",
    "every",
    "facets",
    "has_attendance",
    "is_inside",
    "line_of",
    "matrix",
    "organisations",
    "page",
    "person",
    "sees_course",
    "state_of",
    "totals",
    "use",
]


def page(
    name: str, wanted: Filter | Scope, *, sort: str = "", after: str = "", before: str = "", limit: int = PAGE
) -> Page[Any]:
    """One page of a list: "meetings" (Summary), "attendances" (Attendance), "people", "courses"."""
    return PAGES[name](wanted, sort=sort, after=after, before=before, limit=limit)


def every(name: str, wanted: Filter, sort: str = "") -> Iterator[Any]:
    """All rows of a list, read as they are asked for; without a sort in an order on which every database agrees."""
    return each_meeting(wanted) if name == "meetings" and not sort else each_row(name, wanted, sort)


def count(name: str, wanted: Filter | Scope) -> Counted:
    """How many rows a list has, up to COUNTED_UP_TO."""
    return count_of(name, wanted)


def totals(wanted: Filter | Scope, of: str = "attendances") -> Totals:
    """What everything a filter finds comes to, as it is told beside a list."""
    return totals_of(wanted, of)


def facets(wanted: Filter, *names: str, of: str = "attendances") -> dict[str, list[Facet]]:
    """How a list parts, by FACETS or some of them."""
    return facets_of(wanted, *names, of=of)


def person(key: bytes, wanted: Filter) -> FoundPerson | None:
    """One user's totals over the attendances of a filter, None if there are none."""
    return found_person(key, wanted)


def course(key: bytes) -> Course | None:
    """A course of the directory."""
    return course_of(key)


def use(wanted: Filter) -> list[Bucket]:
    """The hours in which meetings of a filter began."""
    return use_of(wanted)


def matrix(course: bytes, wanted: Filter, *, after: str = "", before: str = "", limit: int = 200) -> Matrix:
    """A course's meetings, and a page of its people."""
    return matrix_of(course, wanted, after=after, before=before, limit=limit)
