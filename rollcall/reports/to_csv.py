"""A Table as CSV (RFC 4180, UTF-8) that a spreadsheet opens without running any of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rollcall.reports.local_times import LocalTimes, durations
from rollcall.reports.rows import Format
from rollcall.reports.sheets import Cell, Known, lines, sheet_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from rollcall.reports.rows import Table

MEDIA_TYPE = "text/csv; charset=utf-8"

PART = 64 * 1024
"""How many characters are gathered before they are passed on."""

_MUST_BE_QUOTED = re.compile(r'[",\r\n]')
_CALCULATES = "=+-@＝＋－＠"
_MAY_CALCULATE = re.compile(rf"[{re.escape(_CALCULATES)}\t\r]")
_ENDS = re.compile(r"[;\t\r\n\v\f]")
_BEGINNING = re.compile(rf"(?:^|{_ENDS.pattern})[;\s\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*+")
"""Where a spreadsheet may see the begin of a cell, with the blanks and the invisible that it may pass over.

That is not only where the cell begins: Excel in a country whose numbers have a comma takes a semicolon for the end
of a cell, whatever the quotes around it say, and a new line then for a new row.
"""


def to_csv(table: Table, zone: tzinfo, *, bom: bool = False) -> Iterator[bytes]:
    """A line per row, with its group's columns in front. With `bom` Excel sees that it is UTF-8."""
    sheet = sheet_of(table, Format.CSV, zone)
    gathered = ["\ufeff" if bom else "", ",".join(_cell(field.heading) for field in sheet.fields), "\r\n"]
    length = 0
    for rows in lines(table, sheet, _writing(zone)):
        text = "\r\n".join(map(",".join, rows))
        gathered += text, "\r\n"
        length += len(text)
        if length >= PART:
            yield _encoded(gathered)
            gathered, length = [], 0
    yield _encoded(gathered)


def _encoded(gathered: list[str]) -> bytes:
    return "".join(gathered).encode(errors="replace")


def _cell(text: str) -> str:
    """As it stands in the file: csv.writer does the same for a whole row, in five times the time."""
    shown = safe(text)
    return '"' + shown.replace('"', '""') + '"' if _MUST_BE_QUOTED.search(shown) else shown


def safe(text: str) -> str:
    """Text that a spreadsheet would calculate is quoted, so that it is shown."""
    return _BEGINNING.sub(_quoted, text) if _MAY_CALCULATE.search(text) else text


def _quoted(beginning: re.Match[str]) -> str:
    blanks, at = beginning[0], beginning.end()
    calculates = beginning.string[at : at + 1] in _CALCULATES and at < len(beginning.string)
    if beginning.start():
        return f"{blanks}'" if calculates else blanks
    if calculates and _ENDS.search(blanks):
        return f"'{blanks}'"
    return f"'{blanks}" if calculates or blanks.startswith(("\t", "\r")) else blanks


def _writing(zone: tzinfo) -> Callable[[Cell, list[Any]], list[Any]]:
    known, times = Known(_cell), LocalTimes(zone)
    by_cell: dict[Cell, Callable[[list[Any]], list[Any]]] = {
        Cell.TEXT: lambda values: [known[value] for value in values],
        Cell.NUMBER: lambda values: ["" if value is None else str(value) for value in values],
        Cell.TIME: times.stamps,
        Cell.DAY: lambda values: ["" if day is None else day.isoformat() for day in values],
        Cell.DURATION: durations,
        Cell.PERCENT: lambda values: ["" if value is None else f"{100 * value:.1f}" for value in values],
    }
    return lambda cell, values: by_cell[cell](values)
