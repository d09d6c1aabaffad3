"""How much Rollcall's servers were used, in quarter hours, of which the days and hours of any zone can be summed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Count, F, Sum

from rollcall.store.derived import Summary
from rollcall.store.searching.clock import stretches_of
from rollcall.store.searching.scope import Scope, bounds_of
from rollcall.store.searching.sorts import too_many

if TYPE_CHECKING:
    from rollcall.store.searching.wanted import Filter

QUARTER_MS: Final = 900_000
HOUR_MS: Final = 4 * QUARTER_MS


class Bucket(NamedTuple):
    """What began in the hour from `at` (epoch ms) on: meetings, people in them, and their proved time.

    It is a quarter of an hour where the zone's clock is not whole hours away from UTC.
    """

    at: int
    meetings: int
    attendances: int
    person_ms: int


def use_of(wanted: Filter) -> list[Bucket]:
    """The hours in which something began, in order. Who or how long is asked for takes a small set."""
    scope = Scope(wanted)
    step = _step(scope)
    if scope.has_row_conditions():
        return _of_rows(scope, step)
    rows = Summary.objects.filter(scope.times, scope.clock, scope.of_meetings())
    if scope.few_meetings is not None:
        rows = Summary.objects.filter(pk__in=scope.few_meetings.ids)
    hour = F("started_at") - F("started_at") % step
    counted: Any = rows.order_by().annotate(at=hour).values("at")
    found = counted.annotate(held=Count("pk"), rows=Sum("attendees"), total=Sum("person_ms"))
    return sorted(
        Bucket(at, held, int(rows), int(total))
        for at, held, rows, total in found.values_list("at", "held", "rows", "total")
    )


def _step(scope: Scope) -> int:
    """An hour is four times fewer rows than its quarters, of which some zones' hours are made."""
    first, last = bounds_of(Summary.objects.filter(scope.times))
    offsets = stretches_of(scope.wanted.zone, first, last)
    return QUARTER_MS if any(offset % HOUR_MS for offset in offsets) else HOUR_MS


def _of_rows(scope: Scope, step: int) -> list[Bucket]:
    rows = scope.few_rows
    if rows is None:
        raise too_many()
    meetings: defaultdict[int, set[int]] = defaultdict(set)
    people: defaultdict[int, int] = defaultdict(int)
    total: defaultdict[int, int] = defaultdict(int)
    for started_at, summary, proved in rows.values_list("started_at", "summary_id", "proved_ms"):
        at = started_at - started_at % step
        meetings[at].add(summary)
        people[at] += 1
        total[at] += proved
    return [Bucket(at, len(meetings[at]), people[at], total[at]) for at in sorted(meetings)]
