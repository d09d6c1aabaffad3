"""The list of meetings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q

from rollcall.store.derived import Summary
from rollcall.store.searching.listing import places_page
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import FEW_ROWS, Scope, organisations
from rollcall.store.searching.sorts import Sorts, too_many
from rollcall.store.searching.walking import Taken, merge, take_sorted, take_walked, walk
from rollcall.store.searching.wanted import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Filter

SORTS: Final = Sorts(
    default="-started",
    orders={
        "started": Order(("started_at", "id")),
        "name": Order(("sort_key", "id")),
        "people": Order(("attendees", "id")),
        "total": Order(("person_ms", "id")),
        "length": Order(("length_ms", "id"), is_nullable=True),
        "server": Order(("pool_name", "started_at", "id")),
        "course": Order(("course__sort_key", "started_at", "id"), is_nullable=True),
    },
    kinds={"name": (bytes, int), "server": (str, int, int), "course": (bytes, int, int)},
    walked=frozenset({"started", "name", "people", "total", "length"}),
)


def meetings_page(wanted: Filter | Scope, *, sort: str, after: str, before: str, limit: int) -> Page[Summary]:
    """One page of it; who or how long is asked for, of meetings with such an attendance."""
    page = places_page(SORTS, taken, wanted, sort=sort, after=after, before=before, limit=limit)
    return Page(summaries([place[-1] for place in page.rows]), page.before, page.after, page.is_cut)


def taken(scope: Scope, name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """The first so many places after one, the quickest way that keeps the order."""
    if (few := few_summaries(scope)) is not None:
        return take_sorted(few, order, start, limit=limit)
    if name not in SORTS.walked:
        if scope.has_row_conditions():
            raise too_many()
        return take_sorted(scope.tested_meetings(), order, start, limit=limit)
    wanted = scope.wanted.organisation
    scopes = [scope.of_organisation(one) for one in (organisations() if wanted is None else [wanted])]
    return merge([_walked(one, order, start, limit) for one in scopes], order, limit=limit)


def few_summaries(scope: Scope) -> QuerySet[Summary] | None:
    """The meetings of a filter, if they are few enough to be sorted as they come."""
    if scope.few_meetings is not None:
        return Summary.objects.filter(scope.has_such_row(), pk__in=scope.few_meetings.ids)
    rows = scope.rows_of_people
    if rows is None or rows.order_by()[: FEW_ROWS + 1].count() > FEW_ROWS:
        return None
    with_them = rows.filter(scope.of_rows).order_by().values("summary")
    return Summary.objects.filter(scope.tested_times, scope.clock, scope.of_meetings(), pk__in=with_them)


def all_conditions(scope: Scope) -> Q:
    """What is tested of a meeting on a walk in which the time is given already."""
    return scope.clock & scope.of_meetings() & scope.has_such_row()


def _walked(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    in_time = scope.times if order.columns[0] == "started_at" else Q(organisation=scope.organisation)
    condition = all_conditions(scope) if in_time == scope.times else all_conditions(scope) & scope.times_only()
    return take_walked(
        walk(Summary.objects.filter(in_time), order, start, condition),
        limit=limit,
        budget=scope.budget,
        cost=scope.cost,
    )


def summaries(ids: Sequence[int]) -> list[Summary]:
    """These meetings, in this order."""
    found = Summary.objects.select_related("meeting", "course").in_bulk(list(ids))
    return [found[pk] for pk in ids if pk in found]
