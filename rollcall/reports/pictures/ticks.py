"""Where an axis of time has its marks, and what stands at them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from rollcall.reports import words

if TYPE_CHECKING:
    from datetime import tzinfo

_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000
DAY = 24 * _HOUR
_STEPS = (
    *(one * _SECOND for one in (1, 5, 15, 30)),
    *(one * _MINUTE for one in (1, 2, 5, 10, 15, 30)),
    *(one * _HOUR for one in (1, 2, 3, 6, 12, 24)),
)


class Tick(NamedTuple):
    """One mark: when, where (0 to 1), its label, and whether it is left out where there is little room."""

    at: int
    part: float
    label: str
    is_minor: bool


def step_for(length: int, most: int) -> int:
    """The smallest step by which a length of so many ms has at most so many parts; days beyond a day."""
    return next((step for step in _STEPS if length <= step * most), DAY * -(-length // (DAY * most)))


def ticks(start: int, until: int, zone: tzinfo, most: int = 6) -> list[Tick]:
    """At full minutes and hours of the zone's clock, every other one minor."""
    step = step_for(until - start, most)
    # A change of the clock within leaves the marks where they are: each says its own true time.
    ahead = (words.moment(start, zone).utcoffset() or timedelta(0)) // timedelta(milliseconds=1)
    first = -(-(start + ahead) // step) * step - ahead
    is_long = until - start > DAY
    return [
        Tick(at, (at - start) / (until - start), _label(at, zone, step, is_long=is_long), index % 2 == 1)
        for index, at in enumerate(range(first, until + 1, step))
    ]


def _label(at: int, zone: tzinfo, step: int, *, is_long: bool) -> str:
    if is_long:
        return words.day_and_clock(at, zone)
    clock = words.clock(at, zone)
    return clock if step < _MINUTE else clock[:5]


def edge_anchor(part: float) -> str:
    """How a label stands at its mark: at the edges of a picture it stays inside."""
    if part < 0.06:
        return "start"
    return "end" if part > 0.94 else "middle"
