"""A course as a table: its meetings across, its people down.

People are users of the LMS. Guests and callers of one name may be several people, so they are counted only.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Count

from rollcall.store.derived import Attendance, Person, Summary
from rollcall.store.searching.people import users_among
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.sorts import too_many
from rollcall.store.searching.walking import Taken, page_of, take_listed
from rollcall.store.searching.wanted import Page
from rollcall.store.searching.whole import by_identity

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Filter

_MOST_PEOPLE: Final = 30_000
"""A course of more people is a table for nobody, and more than a statement can name."""

_BY_NAME: Final = Order(("sort_key", "id"))


class Cell(NamedTuple):
    """One person in one meeting. `share` is in thousandths; None while it is not known, as `possible_ms`."""

    share: int | None
    proved_ms: int
    possible_ms: int | None


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One person, and their cells by the meeting's Summary; there is none where they were not seen."""

    person: Person
    cells: dict[int, Cell]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The meetings, oldest first, and a page of the people who were in any of them, by name.

    `everybody` is how many there are on all pages; `guests` are the attendances of those who are no users, in so many
    of the meetings.
    """

    meetings: list[Summary]
    people: Page[MatrixRow]
    everybody: int = 0
    guests: int = 0
    guests_in: int = 0


def matrix_of(course: bytes, wanted: Filter, *, after: str, before: str, limit: int) -> Matrix:
    """A course's meetings and people of a filter; Refused if these are more than anybody could look at."""
    scope = Scope(replace(wanted, course=course.hex()))
    few = scope.few_meetings
    if few is None:
        raise too_many()
    meetings = sorted(Summary.objects.filter(pk__in=few.ids).select_related("meeting"), key=by_identity)
    rows = Attendance.objects.filter(scope.of_rows, scope.of_people(), summary__in=few.ids).order_by()
    # Two steps: the index of meetings tells who was there, the directory who these are.
    there = dict(rows.values_list("person_id").annotate(seen=Count("*"))[:_MOST_PEOPLE])
    users = {pk: sort_key for sort_key, pk in users_among(there, "sort_key")}

    def take(order: Order, start: Place | None, limit: int) -> Taken:
        return take_listed(((sort_key, pk) for pk, sort_key in users.items()), order, start, limit=limit)

    page = page_of(take, _BY_NAME, (bytes, int), after=after, before=before, limit=limit)
    shown = _cells(rows, [place[-1] for place in page.rows])
    guests = {pk: seen for pk, seen in there.items() if pk is not None and pk not in users}
    guests_in = rows.filter(person__in=list(guests)).values("summary_id").distinct().count() if guests else 0
    return Matrix(meetings, Page(shown, page.before, page.after), len(users), sum(guests.values()), guests_in)


def _cells(rows: QuerySet[Attendance], people: list[int]) -> list[MatrixRow]:
    entries = Person.objects.in_bulk(people)
    cells: defaultdict[int | None, dict[int, Cell]] = defaultdict(dict)
    values = ("person_id", "summary_id", "share", "proved_ms", "possible_ms")
    found: Any = rows.filter(person__in=people).values_list(*values)
    for person, summary, *cell in found:
        cells[person][summary] = Cell(*cell)
    return [MatrixRow(entries[pk], cells[pk]) for pk in people if pk in entries]
