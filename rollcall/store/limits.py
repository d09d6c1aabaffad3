"""How much an organisation has of what its licence limits, and that nothing is added above it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.store.connections import Pool
from rollcall.store.derived import Person
from rollcall.store.licensing import licensed
from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    limits = licensed(organisation, now)
    return Uses(
        Use(_platforms(organisation), limits.platforms),
        Use(len(_pools(organisation)), limits.pools),
        Use(people_since(organisation, month_of(now, zone)), limits.people_a_month),
    )


def people_since(organisation: int, since: int) -> int:
    """Different users of its LMSs who were in a meeting that began since then (epoch ms), by an index alone."""
    return Person.objects.filter(organisation=organisation, is_user=True, last_at__gte=since).count()


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
    if limits.platforms is not None and platforms and _platforms(organisation.pk) + platforms > limits.platforms:
        raise _full(
            _("The licence of %(name)s is for %(count)d platforms, and it has them."), organisation, limits.platforms
        )
    more = {pool.pk for pool in pools} - _pools(organisation.pk)
    if limits.pools is not None and more and len(_pools(organisation.pk)) + len(more) > limits.pools:
        raise _full(_("The licence of %(name)s has no room for another server."), organisation, limits.pools)


def _full(sentence: str, organisation: Organisation, limit: int) -> Refused:
    return Refused(
        sentence % {"name": organisation.name},
        code="limit-reached",
        status=403,
        hint=_("Its limit is %(limit)d. Remove one that is no longer used, or have the licence widened.")
        % {"limit": limit},
    )


def _platforms(organisation: int) -> int:
    return Platform.objects.filter(organisation=organisation, removed_at=None).count()


def _pools(organisation: int) -> set[int]:
    attached = Pool.objects.filter(platforms__organisation=organisation, platforms__removed_at=None)
    return set(attached.values_list("pk", flat=True).distinct())
