"""Weekdays and times of day of a reader's zone, as arithmetic on the epoch ms in which every database keeps time.

A zone is a handful of stretches with one offset each, so that an hour is the hour on the reader's wall also beyond a
change of the clocks.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.db.models.lookups import GreaterThanOrEqual, LessThan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rollcall.store.searching.wanted import Filter

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
WEEK_MS = 7 * DAY_MS
_TO_MONDAY_MS = 3 * DAY_MS  # the epoch began on a Thursday
_DAY_MINUTES = 24 * 60
_STEP_MS = 10 * DAY_MS
"""No zone changed its offset and back within so few days in the time of BigBlueButton."""

_FIRST, _LAST = 0, 4_102_444_800_000
"""1970 to 2100: wherever a clock is asked for."""


def has_clock(wanted: Filter) -> bool:
    """Whether a filter asks for a weekday or a time of day."""
    return bool(wanted.weekdays) or wanted.hour_from is not None or wanted.hour_to is not None


def clock_condition(wanted: Filter, column: str, first: int, last: int) -> Q:
    """That a column's moments, all between two, have the weekday and the time of day of a filter."""
    if not has_clock(wanted):
        return Q()
    windows = _windows(wanted)
    condition = Q(pk__in=())
    for offset, stretches in stretches_of(wanted.zone, first, last).items():
        is_then = Q()
        for start, end in stretches:
            is_then |= Q(**{f"{column}__gte": start, f"{column}__lt": end})
        of_week = (F(column) + (offset + _TO_MONDAY_MS)) % WEEK_MS
        in_window = Q()
        for low, high in windows:
            in_window |= Q(GreaterThanOrEqual(of_week, low)) & Q(LessThan(of_week, high))
        condition |= is_then & in_window
    return condition


def stretches_of(zone: tzinfo, first: int, last: int) -> dict[int, list[tuple[int, int]]]:
    """By offset in ms, the half-open stretches of time that have it, from the first moment to past the last one."""
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    first, last = max(first, _FIRST), min(last, _LAST)
    for start, end, offset in _stretches(zone, first, max(first, last) + 1):
        found[offset].append((start, end))
    return dict(found)


def _stretches(zone: tzinfo, first: int, end: int) -> Iterator[tuple[int, int, int]]:
    start, offset = first, offset_at(zone, first)
    while start < end:
        at = start
        while at < end and offset_at(zone, at) == offset:
            at += _STEP_MS
        change = _change(zone, max(start, at - _STEP_MS), at) if offset_at(zone, min(at, end)) != offset else end
        change = min(change, end)
        yield start, change, offset
        start, offset = change, offset_at(zone, change)


def _change(zone: tzinfo, before: int, after: int) -> int:
    """The first ms, between two with different offsets, that has the later one."""
    offset = offset_at(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def offset_at(zone: tzinfo, at: int) -> int:
    """What is added to a moment to read it off the wall, in ms."""
    offset = (datetime.fromtimestamp(at // 1000, UTC)).astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds() * 1000)


def _windows(wanted: Filter) -> list[tuple[int, int]]:
    """The parts of a week, in ms from its Monday, that are asked for; those that touch are one.

    What goes past midnight belongs to the day on which it began: Friday from 22:00 to 02:00 is one night.
    """
    begins = (0 if wanted.hour_from is None else wanted.hour_from) % _DAY_MINUTES
    ends = _DAY_MINUTES if wanted.hour_to is None else wanted.hour_to
    ends = ends - _DAY_MINUTES if ends > _DAY_MINUTES else ends
    ends = ends if begins < ends else ends + _DAY_MINUTES
    windows = [
        (day * DAY_MS + begins * MINUTE_MS, day * DAY_MS + ends * MINUTE_MS) for day in wanted.weekdays or range(7)
    ]
    after_sunday = [(0, high - WEEK_MS) for _, high in windows if high > WEEK_MS]
    return _joined(sorted([*after_sunday, *((low, min(high, WEEK_MS)) for low, high in windows)]))


def _joined(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in windows:
        if joined and joined[-1][1] >= low:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        elif low < high:
            joined.append((low, high))
    return joined
