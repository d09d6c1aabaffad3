"""How much Rollcall's servers were used, in quarter hours, of which the days and hours of any zone can be summed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Count, F, Sum

from rollcall.store.derived import Summary
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.sorts import too_many

if TYPE_CHECKING:
    from rollcall.store.searching.wanted import Filter

QUARTER_MS: Final = 900_000


class Bucket(NamedTuple):
    """What began in the quarter hour from `at` (epoch ms) on: meetings, people in them, and their proved time."""

    at: int
    meetings: int
    attendances: int
    person_ms: int


def use_of(wanted: Filter) -> list[Bucket]:
    """The quarter hours in which something began, in order. Who or how long is asked for takes a small set."""
    scope = Scope(wanted)
    if scope.has_row_conditions():
        return _of_rows(scope)
    rows = Summary.objects.filter(scope.times, scope.clock, scope.of_meetings())
    if scope.few_meetings is not None:
        rows = Summary.objects.filter(pk__in=scope.few_meetings.ids)
    quarter = F("started_at") - F("started_at") % QUARTER_MS
    counted: Any = rows.order_by().annotate(at=quarter).values("at")
    found = counted.annotate(held=Count("pk"), rows=Sum("attendees"), total=Sum("person_ms"))
    return sorted(
        Bucket(at, held, int(rows), int(total))
        for at, held, rows, total in found.values_list("at", "held", "rows", "total")
    )


def _of_rows(scope: Scope) -> list[Bucket]:
    rows = scope.few_rows
    if rows is None:
        raise too_many()
    meetings: defaultdict[int, set[int]] = defaultdict(set)
    people: defaultdict[int, int] = defaultdict(int)
    total: defaultdict[int, int] = defaultdict(int)
    for started_at, summary, proved in rows.values_list("started_at", "summary_id", "proved_ms"):
        at = started_at - started_at % QUARTER_MS
        meetings[at].add(summary)
        people[at] += 1
        total[at] += proved
    return [Bucket(at, len(meetings[at]), people[at], total[at]) for at in sorted(meetings)]
