"""The cells of an XLSX as XML, from behind their address on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rollcall.reports import words
from rollcall.reports.local_times import LocalTimes
from rollcall.reports.sheets import Cell, Known
from rollcall.reports.to_csv import safe
from rollcall.reports.workbook import COUNT, DAY, DURATION, PERCENT, QUOTED, STYLES, TIME, legible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, tzinfo

    from rollcall.reports.sheets import Field

BLANK = "/>"

_STYLE = re.compile(r' s="(\d+)"')
_WRITTEN = re.compile(r"<t[^>]*>(.*)</t>", re.DOTALL)
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What Excel would read as a character's number."""

_DAY = 86_400
_UNIX_EPOCH = 25_569
_BEFORE = 693_594
"""Days from the year 1 to where Excel begins to count."""

_FIRST, _PAST = 61, 2_958_466
"""Days that Excel can count: from 1900-03-01 (it believes in a 29th of February 1900) to 9999-12-31."""


class Cells:
    """Cells of one workbook; `styles` are the numbers that its STYLES have."""

    def __init__(self, zone: tzinfo, styles: Sequence[int]) -> None:
        self._zone, self._styles = zone, styles
        self._texts = Known(self._text)
        self._times = LocalTimes(zone)
        self._by_cell: dict[Cell, Callable[[list[Any]], list[str]]] = {
            Cell.TEXT: lambda values: [self._texts[value] for value in values],
            Cell.NUMBER: lambda values: self._numbers(COUNT, values),
            Cell.TIME: lambda values: self._numbers(TIME, [self._moment(at) for at in values]),
            Cell.DAY: lambda values: self._numbers(DAY, [_date(day) for day in values]),
            Cell.DURATION: lambda values: self._numbers(DURATION, [_days(ms) for ms in values]),
            Cell.PERCENT: lambda values: self._numbers(PERCENT, values),
        }

    def written(self, cell: Cell, values: list[Any]) -> list[str]:
        """These values, all of one kind."""
        return self._by_cell[cell](values)

    def total(self, field: Field, value: Any) -> str:  # noqa: ANN401 - a value is of its column's kind
        """One value, in bold."""
        if value is None:
            return BLANK
        (cell,) = self.written(field.cell, field.values([value]))
        style = _STYLE.match(cell)
        if style is None:
            return cell
        return f' s="{self._bold(int(style[1]))}"{cell[style.end() :]}'

    def label(self, text: str) -> str:
        """Words of ours, in bold."""
        return f' s="{self._bold(self._styles[QUOTED])}"{_inline(text)}'

    def _bold(self, style: int) -> int:
        return self._styles[self._styles.index(style) + len(STYLES)]

    def _text(self, text: str) -> str:
        if not text:
            return BLANK
        style = f' s="{self._styles[QUOTED]}"' if safe(text) != text else ""
        return style + _inline(text)

    def _numbers(self, style: int, values: list[Any]) -> list[str]:
        """Numbers; a text among them is of a time that no number tells."""
        begin = f' s="{self._styles[style]}"><v>'
        return [
            BLANK if value is None else self._text(value) if value.__class__ is str else f"{begin}{value}</v></c>"
            for value in values
        ]

    def _moment(self, at: int | None) -> float | str | None:
        second = None if at is None else self._times.second(at)
        if second is not None and _FIRST <= (day := second / _DAY + _UNIX_EPOCH) < _PAST:
            return day
        return None if at is None else words.stamp(at, self._zone)


def text_of(cell: str) -> str:
    """What was written into a cell, nearly as it is; blank for a number."""
    written = _WRITTEN.search(cell)
    return written[1] if written else ""


def _date(day: date | None) -> int | str | None:
    number = None if day is None else day.toordinal() - _BEFORE
    return day.isoformat() if day is not None and number is not None and number < _FIRST else number


def _days(ms: int | None) -> float | None:
    """A duration, to the second, as a part of a day."""
    return None if ms is None else (ms + 500) // 1000 / _DAY


def _inline(text: str) -> str:
    shown = _ESCAPE_LIKE.sub("_x005F_", legible(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    space = ' xml:space="preserve"' if shown != shown.strip() or "\n" in shown else ""
    return f' t="inlineStr"><is><t{space}>{shown}</t></is></c>'
