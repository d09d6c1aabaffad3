"""Pages of a list, by one of two ways: a small set is sorted as it is, a large one is walked in an index's order.

A walk reads windows of rows that lie next to each other and tests each row in them, and gives up after its share of
rows. So it takes the same time whatever a database thinks of the conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Q

from rollcall.store.searching.places import Order, Place, beside, place_of, row_is, token_of
from rollcall.store.searching.wanted import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from django.db.models import QuerySet

_LARGEST_PORTION = 250

_One = TypeVar("_One")

FIRST_WINDOW, _LARGEST_WINDOW = 128, 8_192


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows found in one window; `end` is its last row, found or not, None at the end of the list."""

    found: list[Place]
    looked_at: int
    end: Place | None


@dataclass(frozen=True, slots=True)
class Taken:
    """Places of rows in their order. `end` is how far a walk came that was given up; None if it was not."""

    places: list[Place]
    end: Place | None = None


def walk(rows: QuerySet[Any], order: Order, start: Place | None, condition: Q) -> Iterator[Stretch]:
    """What fulfils the condition, from just after a place to the end, in windows of an index on these columns."""
    size = FIRST_WINDOW
    for part, columns, begin in _parts(rows, order, start):
        while True:
            stretch = _window(part, columns, order, begin, size, condition)
            yield stretch
            if stretch.end is None:
                break
            begin = stretch.end[-len(columns) :]  # noqa: PLW2901 - the next window begins there
            size = min(2 * size, _LARGEST_WINDOW)


def _parts(
    rows: QuerySet[Any], order: Order, start: Place | None
) -> Iterator[tuple[QuerySet[Any], tuple[str, ...], Place | None]]:
    """The unknown and the known values apart, so that each is one stretch of the index on every database."""
    if not order.is_nullable:
        yield rows, order.columns, start
        return
    is_unknown = {f"{order.columns[0]}__isnull": True}
    unknown = rows.filter(**is_unknown), order.columns[1:], start[1:] if start and start[0] is None else None
    known = rows.exclude(**is_unknown), order.columns, start if start and start[0] is not None else None
    if order.is_descending:
        if start is None or start[0] is not None:
            yield known
        yield unknown
        return
    if start is None or start[0] is None:
        yield unknown
    yield known


def _window(
    part: QuerySet[Any], columns: tuple[str, ...], order: Order, begin: Place | None, size: int, condition: Q
) -> Stretch:
    past, until = ("<", ">=") if order.is_descending else (">", "<=")
    rows = part if begin is None else part.filter(_near(columns, past, begin), row_is(columns, past, begin))
    ordered = rows.order_by(*(f"-{column}" if order.is_descending else column for column in columns))
    filling = (None,) * (len(order.columns) - len(columns))
    if not condition:
        found = [filling + plain(values) for values in ordered.values_list(*columns)[:size]]
        return Stretch(found, len(found), found[-1] if len(found) == size else None)
    last = list(ordered.values_list(*columns)[size - 1 : size])
    end = plain(last[0]) if last else None
    if end is not None:
        ordered = ordered.filter(_near(columns, until, end), row_is(columns, until, end))
    found = [filling + plain(values) for values in ordered.filter(condition).values_list(*columns)]
    return Stretch(found, size, None if end is None else filling + end)


def _near(columns: Sequence[str], operator: str, place: Place) -> Q:
    """What a comparison of rows says of the first column alone: MariaDB finds its way by this."""
    return Q(**{f"{columns[0]}__{'gte' if '>' in operator else 'lte'}": place[0]})


def plain(values: Iterable[object]) -> Place:
    """The values of a place as every database gives them."""
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in values)


# --- pages ------------------------------------------------------------------------------------------------------------


def take_walked(walked: Iterable[Stretch], *, limit: int, budget: int, cost: int = 1) -> Taken:
    """The first so many places of a large set, unless its rows cost more than the budget to test."""
    found: list[Place] = []
    looked_at = 0
    for stretch in walked:
        found += stretch.found
        looked_at += cost * stretch.looked_at
        if len(found) >= limit:
            return Taken(found[:limit])
        if looked_at >= budget and stretch.end is not None:
            return Taken(found, stretch.end)
    return Taken(found)


def take_sorted(rows: QuerySet[Any], order: Order, start: Place | None, *, limit: int) -> Taken:
    """The first so many places of a small set."""
    if start is not None:
        rows = rows.filter(order.beyond(start))
    return Taken([plain(values) for values in rows.order_by(*order.sorting()).values_list(*order.columns)[:limit]])


def portions(several: Sequence[_One], limit: int, looked_at: int = 0) -> Iterator[Sequence[_One]]:
    """What has rows in parts, few at first: the first ones may fill the page; larger ones behind so many of them."""
    size, start = max(1, limit // 8, min(looked_at, _LARGEST_PORTION)), 0
    while start < len(several):
        yield several[start : start + size]
        start, size = start + size, min(2 * size, _LARGEST_PORTION)


def merge(several: Sequence[Taken], order: Order, *, limit: int) -> Taken:
    """Of some lists in one order the first so many; no further than any of them was walked."""
    if len(several) == 1:
        return several[0]
    places = sorted((place for taken in several for place in taken.places), key=_key, reverse=order.is_descending)
    ends = sorted((taken.end for taken in several if taken.end is not None), key=_key, reverse=order.is_descending)
    if not ends:
        return Taken(places[:limit])
    before = [place for place in places if not is_past(place, ends[0], order)]
    return Taken(before[:limit]) if len(before) >= limit else Taken(before, ends[0])


def take_listed(places: Iterable[Iterable[object]], order: Order, start: Place | None, *, limit: int) -> Taken:
    """The first so many of places that are all at hand."""
    found = sorted(map(plain, places), key=_key, reverse=order.is_descending)
    if start is not None:
        found = [place for place in found if is_past(place, start, order)]
    return Taken(found[:limit])


def is_past(place: Place, start: Place, order: Order) -> bool:
    """Whether one place comes after another one."""
    return _key(place) < _key(start) if order.is_descending else _key(place) > _key(start)


def _key(place: Place) -> tuple[Any, ...]:
    return (place[0] is not None, *place)


def page_of(
    take: Callable[[Order, Place | None, int], Taken],
    order: Order,
    kinds: Sequence[type],
    *,
    after: str,
    before: str,
    limit: int,
) -> Page[Place]:
    """One page of places, from just after one or up to just before one."""
    start = place_of(before or after, kinds, is_nullable=order.is_nullable)
    taken = take(order.reversed() if before else order, start, limit + 1)
    places = taken.places[:limit]
    last = taken.end or (places[-1] if len(taken.places) > limit else None)
    first = places[0] if places else None
    if first is None and start is not None:
        # What stood there has gone or moved; the way back must not leave out the row on which the reader stood.
        first = beside(start, is_greater=order.is_descending == bool(before))
    if before:
        return Page(places[::-1], _token(last), _token(first), taken.end is not None)
    return Page(places, _token(first if start else None), _token(last), taken.end is not None)


def _token(place: Place | None) -> str:
    return "" if place is None else token_of(place)
