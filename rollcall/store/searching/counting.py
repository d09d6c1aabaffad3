"""How many there are, up to a number beyond which nobody counts, and what they come to together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Count, Sum

from rollcall.store.derived import Attendance, Person, Summary
from rollcall.store.searching import attendances, courses, meetings, people
from rollcall.store.searching.scope import Scope, scope_of
from rollcall.store.searching.wanted import COUNTED_UP_TO, Counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet

    from rollcall.store.searching.directory import Chosen
    from rollcall.store.searching.scope import Few
    from rollcall.store.searching.wanted import Filter

_LISTS: Mapping[str, Any] = {"meetings": meetings, "attendances": attendances, "people": people, "courses": courses}


COUNTING: Final = 4_000
"""Rows that are tested for a count: a page must not wait for what is only said beside it."""


_SOME: Final = 500
"""People who are counted of those who are too many to be named: each number says that there are more."""


class Totals(NamedTuple):
    """What a filter comes to. None is not known: it would take a look at more rows than are looked at.

    `possible_ms` is also None while somebody may still be in. The two times are those of the list's own rows: in a list
    of people of these alone, in one of courses of their meetings.
    """

    meetings: Counted
    attendances: Counted
    people: Counted | None
    proved_ms: int | None
    possible_ms: int | None


def count_of(name: str, wanted: Filter | Scope) -> Counted:
    """How many rows a list has."""
    scope = scope_of(wanted).within(COUNTING)
    if name == "people" and people.is_everything(scope) and scope.people is not None:
        return _of_themselves(scope.people)
    if (counted := _counted(name, scope)) is not None:
        return _capped(counted)
    which = _LISTS[name]
    sort, order = which.SORTS.named("")
    taken = which.taken(scope, sort, order, None, COUNTED_UP_TO + 1)
    return Counted(min(len(taken.places), COUNTED_UP_TO), taken.end is not None or len(taken.places) > COUNTED_UP_TO)


def _counted(name: str, scope: Scope) -> int | None:
    """Where the database counts without reading the rows: of a small set, or in an index."""
    if name == "meetings":
        few = meetings.few_summaries(scope)
        if few is None and not meetings.all_conditions(scope):
            few = Summary.objects.filter(scope.times)
        return None if few is None else few.order_by()[: COUNTED_UP_TO + 1].count()
    rows = scope.few_rows
    if rows is None or name == "courses":
        return None
    if name == "attendances":
        return rows.count()
    if people.is_everything(scope):
        return None
    there = rows.order_by().values_list("person_id", flat=True).distinct()
    return sum(1 for _ in people.users_among(there))


def _of_themselves(chosen: Chosen) -> Counted:
    """People of whom nothing is asked but who they are: the directory alone knows."""
    users = Person.objects.filter(pk__in=chosen.first, is_user=True, meetings__gt=0)
    return _capped(users.count(), is_more=chosen.ids is None)


def _capped(number: int, *, is_more: bool = False) -> Counted:
    return Counted(min(number, COUNTED_UP_TO), is_more or number > COUNTED_UP_TO)


_TIMED: Final = frozenset({"people", "courses"})
"""Lists beside which not everybody's time is told, but that of their own rows."""

_SUMS: Final[Mapping[str, Any]] = {
    "rows": Count("*"),
    "proved": Sum("proved_ms"),
    "possible": Sum("possible_ms"),
    "still_open": people.STILL_OPEN,
}


def totals_of(wanted: Filter | Scope, of: str) -> Totals:
    """What all that a filter finds comes to, as it is told beside a list, or a matrix, which counts people itself."""
    scope = scope_of(wanted).within(COUNTING)
    known = None if of in _TIMED or scope.has_row_conditions() else scope.few_meetings
    if known is not None and (of == "matrix" or known.attendances > COUNTING):
        of_everybody = _of_meetings(scope)
        return of_everybody if of == "matrix" else of_everybody._replace(people=_users_in(known))
    if (few := scope.few_rows) is not None:
        return _of_few(scope, few, of)
    if not scope.has_row_conditions():
        of_everybody = _of_meetings(scope)
        return of_everybody._replace(proved_ms=None) if of in _TIMED else of_everybody
    if (found := _of_people(scope)) is not None:
        return found
    sort, order = attendances.SORTS.named("")
    taken = attendances.taken(scope, sort, order, None, COUNTED_UP_TO + 1)
    is_more = taken.end is not None or len(taken.places) > COUNTED_UP_TO
    held = len({place[1] for place in taken.places})
    return Totals(_capped(held, is_more=is_more), _capped(len(taken.places), is_more=is_more), None, None, None)


def _of_meetings(scope: Scope) -> Totals:
    """Where all people of a meeting are meant, the meeting knows what they come to."""
    if (found := _meetings_to_sum(scope)) is None:
        return Totals(count_of("meetings", scope), count_of("attendances", scope), None, None, None)
    row = found.aggregate(held=Count("pk"), rows=Sum("attendees"), proved=Sum("person_ms"))
    return Totals(_capped(row["held"]), _capped(int(row["rows"] or 0)), None, int(row["proved"] or 0), None)


def _meetings_to_sum(scope: Scope) -> QuerySet[Summary] | None:
    """Meetings whose sums an index tells, or few."""
    if scope.few_meetings is not None:
        return Summary.objects.filter(pk__in=scope.few_meetings.ids)
    return None if scope.has_meeting_conditions() else Summary.objects.filter(scope.times, scope.clock)


def _users_in(few: Few) -> Counted:
    """The index of meetings tells who was there, the directory which of them are users."""
    there = Attendance.objects.filter(summary__in=few.ids).order_by().values_list("person_id", flat=True).distinct()
    ids = list(there[: COUNTED_UP_TO + 1])
    return _capped(sum(1 for _ in people.users_among(ids)), is_more=len(ids) > COUNTED_UP_TO)


def _of_people(scope: Scope) -> Totals | None:
    """Of people who have many attendances, at least: the index of people tells, none of their rows is read."""
    if scope.people is None or scope.of_rows or scope.clock or scope.has_meeting_conditions():
        return None
    some = scope.people.first[:_SOME] if scope.people.ids is None else scope.people.ids
    rows = Attendance.objects.filter(scope.times_only(), person__in=some).order_by()
    row = rows.values("summary_id")[: COUNTED_UP_TO + 1].aggregate(
        held=Count("summary_id", distinct=True), rows=Count("summary_id")
    )
    is_more = scope.people.ids is None or row["rows"] > COUNTED_UP_TO
    return Totals(_capped(row["held"], is_more=is_more), _capped(row["rows"], is_more=is_more), None, None, None)


def _of_few(scope: Scope, rows: QuerySet[Any], of: str) -> Totals:
    """Summed by person, in the index that has what is summed; who is a user the directory knows."""
    totals = {total["person_id"]: total for total in rows.order_by().values("person_id").annotate(**_SUMS)}
    users = {pk for _, pk in people.users_among(totals)}
    timed: Iterable[Mapping[str, Any]] = totals.values()
    if of == "people":
        timed = [totals[pk] for pk in users]
    elif of == "courses":
        timed = [rows.filter(summary__course__isnull=False).aggregate(**_SUMS)]
    # A meeting in which nobody was has no row.
    held = (
        _capped(rows.aggregate(held=Count("summary_id", distinct=True))["held"])
        if scope.has_row_conditions()
        else count_of("meetings", scope)
    )
    return Totals(
        held,
        _capped(sum(total["rows"] for total in totals.values())),
        _capped(len(users)),
        sum(int(total["proved"] or 0) for total in timed),
        None if any(total["still_open"] for total in timed) else sum(int(total["possible"] or 0) for total in timed),
    )
