"""Whether an organisation may see its records now, and how much it may have of what."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rollcall.store.organisations import Licence

if TYPE_CHECKING:
    from collections.abc import Iterable


class Standing(StrEnum):
    """Of a licence at some moment."""

    IN_FORCE = "in-force"
    NOT_YET = "not-yet"  # it begins later
    ENDED = "ended"  # it has ended; for a time after that capture goes on
    SUSPENDED = "suspended"
    NONE = "none"  # there never was one


@dataclass(frozen=True, slots=True)
class Licensed:
    """How an organisation stands at one moment. Times are epoch ms.

    `until` is the end of what is in force (None: open), the begin of what is not yet, or when it ended. Until
    `captured_until` what arrives is kept; None: for ever. Limits of None are none; of several licences in force the
    widest counts.
    """

    standing: Standing
    until: int | None = None
    captured_until: int | None = None
    platforms: int | None = None
    pools: int | None = None
    people_a_month: int | None = None


def now_ms() -> int:
    """The clock by which every licence is looked at; tests put another in its place."""
    return time.time_ns() // 1_000_000


def licensed(organisation: int, now: int | None = None) -> Licensed:
    """How this organisation stands; now, if no time is given. At the very moment at which a licence ends it is over."""
    now = now_ms() if now is None else now
    return standing_of(Licence.objects.filter(organisation=organisation).order_by("pk"), now)


def not_captured(organisations: Iterable[int], now: int) -> dict[int, int]:
    """Those of them for which nothing is kept any more, and since when (epoch ms): no licence, and no grace, is left.

    Who never had a licence, whose licence is suspended, or begins later, is captured: only an end ends it.
    """
    until = {organisation: one.captured_until for organisation, one in standings(organisations, now).items()}
    return {organisation: since for organisation, since in until.items() if since is not None and since <= now}


def standings(organisations: Iterable[int], now: int) -> dict[int, Licensed]:
    """How each of these stands, by one query."""
    of: dict[int, list[Licence]] = {organisation: [] for organisation in organisations}
    for one in Licence.objects.filter(organisation__in=set(of)).order_by("pk"):
        of[one.organisation_id].append(one)
    return {organisation: standing_of(licences, now) for organisation, licences in of.items()}


def standing_of(licences: Iterable[Licence], now: int) -> Licensed:
    """The same for licences that are at hand."""
    known = list(licences)
    in_force = [one for one in known if _is_in_force(one, now)]
    if in_force:
        return _widest(in_force)
    captured = max((one.ends_at + one.grace_ms for one in known if one.ends_at is not None), default=0)
    if open_ended := [one for one in known if one.suspended_at is not None and not _has_ended(one, now)]:
        return Licensed(Standing.SUSPENDED, until=max(one.suspended_at or 0 for one in open_ended))
    if later := [one.starts_at for one in known if one.starts_at > now]:
        return Licensed(Standing.NOT_YET, until=min(later))
    if known:
        return Licensed(Standing.ENDED, until=max(one.ends_at or 0 for one in known), captured_until=captured)
    return Licensed(Standing.NONE)


def _is_in_force(licence: Licence, now: int) -> bool:
    return licence.suspended_at is None and licence.starts_at <= now and not _has_ended(licence, now)


def _has_ended(licence: Licence, now: int) -> bool:
    return licence.ends_at is not None and licence.ends_at <= now


def _widest(licences: list[Licence]) -> Licensed:
    ends = [one.ends_at for one in licences]
    end = None if None in ends else max(one for one in ends if one is not None)
    graces = [one.grace_ms for one in licences if one.ends_at == end]
    return Licensed(
        Standing.IN_FORCE,
        until=end,
        captured_until=None if end is None else end + max(graces),
        platforms=_most(one.platforms for one in licences),
        pools=_most(one.pools for one in licences),
        people_a_month=_most(one.people_a_month for one in licences),
    )


def _most(limits: Iterable[int | None]) -> int | None:
    known = list(limits)
    return None if None in known else max(one for one in known if one is not None)
