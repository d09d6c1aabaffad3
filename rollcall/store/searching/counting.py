"""How many there are, up to a number beyond which nobody counts, and what they come to together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Count, Q, Sum

from rollcall.store.derived import Summary
from rollcall.store.searching import attendances, courses, meetings, people
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.wanted import COUNTED_UP_TO, Counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Filter

_LISTS: Mapping[str, Any] = {"meetings": meetings, "attendances": attendances, "people": people, "courses": courses}


COUNTING: Final = 4_000
"""Rows that are tested for a count: a page must not wait for what is only said beside it."""


class Totals(NamedTuple):
    """What a filter comes to. None is not known: it would take a look at more rows than are looked at.

    `possible_ms` is also None while somebody may still be in.
    """

    meetings: Counted
    attendances: Counted
    people: Counted | None
    proved_ms: int | None
    possible_ms: int | None


def count_of(name: str, wanted: Filter) -> Counted:
    """How many rows a list has."""
    scope = Scope(wanted, COUNTING)
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
    return (
        None if people.is_everything(scope) else rows.filter(person__is_user=True).values("person").distinct().count()
    )


def _capped(number: int, *, is_more: bool = False) -> Counted:
    return Counted(min(number, COUNTED_UP_TO), is_more or number > COUNTED_UP_TO)


def totals_of(wanted: Filter) -> Totals:
    """What all that a filter finds comes to."""
    scope = Scope(wanted)
    if (few := scope.few_rows) is not None:
        return _of_few(few)
    if not scope.has_row_conditions() and (found := _meetings_to_sum(scope)) is not None:
        row = found.aggregate(held=Count("pk"), rows=Sum("attendees"), proved=Sum("person_ms"))
        return Totals(_capped(row["held"]), _capped(int(row["rows"] or 0)), None, int(row["proved"] or 0), None)
    return Totals(count_of("meetings", wanted), count_of("attendances", wanted), None, None, None)


def _meetings_to_sum(scope: Scope) -> QuerySet[Summary] | None:
    """Meetings whose sums an index tells, or few."""
    if scope.few_meetings is not None:
        return Summary.objects.filter(pk__in=scope.few_meetings.ids)
    return None if scope.has_meeting_conditions() else Summary.objects.filter(scope.times, scope.clock)


def _of_few(rows: QuerySet[Any]) -> Totals:
    is_unknown = Q(possible_ms__isnull=True)
    row = rows.aggregate(
        held=Count("summary_id", distinct=True),
        rows=Count("pk"),
        people=Count("person_id", distinct=True, filter=Q(person__is_user=True)),
        proved=Sum("proved_ms"),
        possible=Sum("possible_ms"),
        still_open=Count("pk", filter=is_unknown),
    )
    return Totals(
        _capped(row["held"]),
        _capped(row["rows"]),
        _capped(row["people"]),
        int(row["proved"] or 0),
        None if row["still_open"] else int(row["possible"] or 0),
    )
