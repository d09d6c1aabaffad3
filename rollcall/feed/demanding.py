"""Activities asked to be folded anew, in the transaction of what their verdicts depend on.

Lock order: meetings first, then activities (by their numbers), then everything else.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When

from rollcall.store.decisions import Activity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models import QuerySet


def demand(pks: Iterable[int], *, within_ms: int = 0, now: int | None = None) -> int:
    """Have these folded anew within so many ms, sooner if that was asked for already; return how many there are."""
    found = sorted(set(pks))
    if not found:
        return 0
    due_at = (time.time_ns() // 1_000_000 if now is None else now) + within_ms
    with transaction.atomic():
        # One order for all: two that ask for several must not wait for each other.
        list(_locked(Activity.objects.filter(pk__in=found)))
        sooner = Case(When(due_at__lt=due_at, then=F("due_at")), default=Value(due_at))
        return Activity.objects.filter(pk__in=found).update(appended=F("appended") + 1, due_at=sooner)


def _locked(rows: QuerySet[Activity]) -> QuerySet[Activity, int]:
    locked = rows.order_by("pk").select_for_update(no_key=connection.features.has_select_for_no_key_update)
    return locked.values_list("pk", flat=True)


def demand_named(owned: Collection[tuple[int, bytes]], *, within_ms: int = 0, now: int | None = None) -> int:
    """The same of activities as meetings name them, (organisation, activity key), if anything was decided of them."""
    if not owned:
        return 0
    is_one = Q()
    for organisation, key in owned:
        is_one |= Q(organisation=organisation, key=key)
    return demand(Activity.objects.filter(is_one).values_list("pk", flat=True), within_ms=within_ms, now=now)


def demand_course(organisation: int, site: str, context_id: str, *, now: int | None = None) -> int:
    """The same of all activities of a course, because its roster or its teachers are others."""
    of_course = Activity.objects.filter(organisation=organisation, site=site, context_id=context_id)
    return demand(of_course.values_list("pk", flat=True), now=now)
