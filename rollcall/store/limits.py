"""How much an organisation has of what its licence limits, and that nothing is added above it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Count
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.store.derived import Person
from rollcall.store.licensing import licensed, standings
from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from rollcall.store.connections import Pool
    from rollcall.store.organisations import Organisation

WARNED_AT: Final = 0.9
"""The part of a limit of people from which on it is spoken of."""


class Use(NamedTuple):
    """So many of at most so many; None is no limit."""

    used: int
    limit: int | None

    @property
    def is_over(self) -> bool:
        """More than the limit."""
        return self.limit is not None and self.used > self.limit

    @property
    def is_near(self) -> bool:
        """Nearly the limit, or more."""
        return self.limit is not None and self.used >= WARNED_AT * self.limit


class Uses(NamedTuple):
    """Of an organisation: platforms not removed, pools attached to them, different people in the calendar month."""

    platforms: Use
    pools: Use
    people: Use


def uses(organisation: int, now: int, zone: tzinfo) -> Uses:
    """What it has now (epoch ms), in the month that it is in `zone`."""
    return uses_of([organisation], now, zone)[organisation]


def uses_of(organisations: Sequence[int], now: int, zone: tzinfo) -> dict[int, Uses]:
    """The same of many at once."""
    limits = standings(organisations, now)
    platforms = _counted(_platforms(organisations), Count("pk"))
    pools = _counted(_platforms(organisations).exclude(pools=None), Count("pools", distinct=True))
    people = _counted(_people(organisations, month_of(now, zone)), Count("pk"))
    return {
        one: Uses(
            Use(platforms.get(one, 0), limits[one].platforms),
            Use(pools.get(one, 0), limits[one].pools),
            Use(people.get(one, 0), limits[one].people_a_month),
        )
        for one in organisations
    }


def _people(organisations: Sequence[int], since: int) -> QuerySet[Person]:
    """Users of its LMSs who were in a meeting that began since then (epoch ms): an index alone answers how many."""
    return Person.objects.filter(organisation__in=organisations, is_user=True, last_at__gte=since)


def _counted(rows: QuerySet[Any], what: Count) -> dict[int, int]:
    return dict(rows.order_by().values_list("organisation").annotate(what))


def month_of(now: int, zone: tzinfo) -> int:
    """When the calendar month began in which this instant is (both epoch ms)."""
    return _midnight(datetime.fromtimestamp(now / 1000, zone).replace(day=1))


def day_of(now: int, zone: tzinfo) -> int:
    """The same of the day."""
    return _midnight(datetime.fromtimestamp(now / 1000, zone))


def _midnight(of: datetime) -> int:
    return int(of.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def require_room(organisation: Organisation, pools: Iterable[Pool] = (), *, platforms: int = 1) -> None:
    """That it may have so many platforms more, and those attached to these pools; else Refused says what is full."""
    limits = licensed(organisation.pk)
    if (
        limits.platforms is not None
        and platforms
        and _platforms([organisation.pk]).count() + platforms > limits.platforms
    ):
        raise _full(_("The licence of %(name)s has no room for another platform."), organisation, limits.platforms)
    held = _pools(organisation.pk)
    more = {pool.pk for pool in pools} - held
    if limits.pools is not None and more and len(held | more) > limits.pools:
        raise _full(_("The licence of %(name)s has no room for another server."), organisation, limits.pools)


def _full(sentence: str, organisation: Organisation, limit: int) -> Refused:
    return Refused(
        sentence % {"name": organisation.name},
        code="limit-reached",
        status=403,
        hint=_("Its limit is %(limit)d. Remove one that is no longer used, or have the licence widened.")
        % {"limit": limit},
    )


def _platforms(organisations: Sequence[int]) -> QuerySet[Platform]:
    return Platform.objects.filter(organisation__in=organisations, removed_at=None)


def _pools(organisation: int) -> set[int]:
    return set(_platforms([organisation]).exclude(pools=None).values_list("pools", flat=True))
