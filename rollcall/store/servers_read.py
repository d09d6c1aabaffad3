"""What is asked about servers: how it went with their records, how much of their meetings was witnessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, Min, Q, Sum

from rollcall.store.connections import Pool, Server
from rollcall.store.derived import Summary
from rollcall.store.keys import key_of
from rollcall.store.organisations import Claim
from rollcall.store.platforms import Platform
from rollcall.store.searching.meetings import all_conditions
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.wanted import EVERYTHING, LARGEST, Filter, Inside

if TYPE_CHECKING:
    from django.db.models import QuerySet


def server_of(pool_name: str) -> Server | None:
    """The server of a pool, also one that has been removed."""
    return Server.objects.filter(pool__name=pool_name).select_related("pool").first()


LAST_MEETINGS = 20


class RecordHistory(NamedTuple):
    """How it went with the records of one server's ended meetings, seen from one of them or from now; epoch ms.

    `recent` of the nearest were looked at, the one itself aside, and `recent_with` of these have a record. `last_at`
    and `next_at` are when the nearest before and after it began that have one; between these two are `without` in a
    row that have none, itself included, the first of which began at `without_since`. `reported_at` is when the last
    record came from the server itself.
    """

    reported_at: int | None = None
    recent: int = 0
    recent_with: int = 0
    last_at: int | None = None
    next_at: int | None = None
    without: int = 0
    without_since: int | None = None


def record_history(pool_name: str, *, ended_by: int, around: Summary | None = None) -> RecordHistory:
    """Seen from the meeting `around`, or from now. Without a record counts only what had ended by that time.

    A part of an events.xml counts as a record that came.
    """
    has_record = ~Q(record="")
    told = Summary.objects.filter(pool_name=pool_name, ended_possible_at__isnull=False)
    told = told.filter(has_record | Q(ended_possible_at__lte=ended_by))
    at, half = (LARGEST, LAST_MEETINGS) if around is None else (around.started_at, LAST_MEETINGS // 2)
    others = told if around is None else told.exclude(pk=around.pk)
    recent = _nearest(others, at, half)
    with_record = others.filter(has_record)
    last = with_record.filter(started_at__lte=at).order_by("-started_at", "-pk")
    following = with_record.filter(started_at__gt=at).order_by("started_at", "pk")
    # The nearest along the index, not the least and the greatest of all.
    last_at, next_at = (found.values_list("started_at", flat=True).first() for found in (last, following))
    without = told.filter(_is_between(last_at, next_at), record="")
    row = without.aggregate(count=Count("pk"), since=Min("started_at"))
    reported_at = Server.objects.filter(pool__name=pool_name).values_list("reported_at", flat=True).first()
    return RecordHistory(reported_at, len(recent), sum(map(bool, recent)), last_at, next_at, row["count"], row["since"])


def _nearest(others: QuerySet[Summary], at: int, half: int) -> list[str]:
    """Which record each of the meetings just before and just after a time has."""
    before = others.filter(started_at__lte=at).order_by("-started_at", "-pk")
    after = others.filter(started_at__gt=at).order_by("started_at", "pk")
    return [record for found in (before, after) for record in found.values_list("record", flat=True)[:half]]


def _is_between(last: int | None, following: int | None) -> Q:
    after = Q() if last is None else Q(started_at__gt=last)
    return after if following is None else after & Q(started_at__lt=following)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one server's meetings was witnessed, in ms of meeting time; `recorded` of them have a record."""

    server: str
    meetings: int
    recorded: int
    unwitnessed_ms: int
    witnessed_once_ms: int
    witnessed_twice_ms: int

    @property
    def total_ms(self) -> int:
        """The time of all the meetings."""
        return self.unwitnessed_ms + self.witnessed_once_ms + self.witnessed_twice_ms


def coverage(wanted: Filter) -> list[Coverage]:
    """By server, over the meetings of a filter."""
    scope = Scope(wanted)
    rows: Any = (
        Summary.objects.filter(scope.times, all_conditions(scope))
        .values("pool_name")
        .annotate(
            meetings=Count("pk"),
            recorded=Count("pk", filter=~Q(record="")),
            none=Sum("unwitnessed_ms"),
            once=Sum("witnessed_once_ms"),
            twice=Sum("witnessed_twice_ms"),
        )
        .order_by()
    )
    found = [
        Coverage(row["pool_name"], row["meetings"], row["recorded"], row["none"], row["once"], row["twice"])
        for row in rows
    ]
    return sorted(found, key=lambda one: one.server.encode())


def servers() -> list[Server]:
    """Every connected server, with its pool, by name."""
    return list(Server.objects.filter(removed_at__isnull=True).select_related("pool").order_by("pool__name"))


def server_names(inside: Inside = EVERYTHING) -> list[str]:
    """The pools meetings can be of, gone servers' too, for a filter to offer.

    An organisation has those that its LMSs are attached to, or on which meetings were claimed for it; an LMS its own.
    Whoever sees one course is offered none: servers are no way to find anything in it.
    """
    organisation, bounds = inside
    pools = Pool.objects.all()
    if bounds.course is not None or bounds.person is not None:
        return []
    if organisation:
        attached = Platform.objects.filter(organisation=organisation)
        claims = Claim.objects.filter(organisation=organisation)
        if bounds.site:
            attached = attached.filter(site_key=key_of(bounds.site))
            claims = claims.filter(platform__in=attached)
        pools = pools.filter(Q(pk__in=attached.values("pools")) | Q(pk__in=claims.values("pool")))
    return list(pools.values_list("name", flat=True).order_by("name"))
