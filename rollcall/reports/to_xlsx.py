"""A Table as XLSX: real dates and durations, numbers that add up, and a second sheet that says what they mean.

XlsxWriter makes the workbook without the rows, and the rows are written into it as they are read: in a third of the
time that it would take for them, with no file on a disk, and in the same memory for ten rows and for a million.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _
from xlsxwriter.utility import xl_col_to_name  # type: ignore[import-untyped]  # it brings no stubs

from rollcall.reports import words
from rollcall.reports.local_times import LocalTimes
from rollcall.reports.meanings import told
from rollcall.reports.rows import Format
from rollcall.reports.sheets import BATCH, Cell, Known, lines, sheet_of
from rollcall.reports.to_csv import safe
from rollcall.reports.to_text import width
from rollcall.reports.workbook import (
    COUNT,
    DURATION,
    MOST_ROWS,
    PERCENT,
    QUOTED,
    STYLES,
    TIME,
    Wanted,
    legible,
    skeleton,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.rows import Table
    from rollcall.reports.sheets import Field
    from rollcall.reports.workbook import Skeleton

    Cells = tuple[str, ...]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

PART = 64 * 1024
_MOST_BYTES = 1_500_000_000
"""Of one sheet before it is compressed: the old form of ZIP, which is what Excel reads, ends at twice as many."""

_SAMPLE = 200
"""By so many rows the widths are chosen."""

_NARROWEST, _WIDEST = 8, 60

_FIRST_PARTS = ("_rels/.rels",)
"""Programs that look only at the begin of a file see by it what it is."""

_BLANK = "/>"
_STYLE = re.compile(r' s="(\d+)"')
_WRITTEN = re.compile(r"<t[^>]*>(.*)</t>", re.DOTALL)
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What Excel would read as a character's number."""

_DAY = 86_400
_UNIX_EPOCH = 25_569
_FIRST, _PAST = 61, 2_958_466
"""Days that Excel can count: from 1900-03-01 (it believes in a 29th of February 1900) to 9999-12-31."""


def to_xlsx(table: Table, zone: tzinfo) -> Iterator[bytes]:
    """The workbook, in parts as it grows. The same rows of the same heading give the same bytes."""
    yield from _Writing(table, zone).parts()


class _Pipe:
    """What ZipFile writes to: it takes everything and gives it away."""

    def __init__(self) -> None:
        self._gathered = bytearray()

    def write(self, data: bytes) -> int:
        self._gathered += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What was gathered can still be taken."""

    def taken(self, *, least: int = 0) -> Iterator[bytes]:
        """What has come, if it is so much."""
        if self._gathered and len(self._gathered) >= least:
            yield bytes(self._gathered)
            self._gathered.clear()


class _Writing:
    """One workbook while it is written."""

    def __init__(self, table: Table, zone: tzinfo) -> None:
        self._table, self._zone = table, zone
        self._sheet = sheet_of(table, Format.XLSX, zone)
        self._widths = [_NARROWEST] * len(self._sheet.fields)
        self._sizes = [0]
        self._cells = _Cells(zone, self._skeleton().styles)
        self._row = _template(len(self._sheet.fields))
        self._pipe = _Pipe()

    def parts(self) -> Iterator[bytes]:
        """The file."""
        rows = chain.from_iterable(lines(self._table, self._sheet, self._cells.written))
        sample = list(islice(rows, _SAMPLE))
        columns = list(zip(*sample, strict=True)) or [()] * len(self._widths)
        self._widths = [_width(field, cells) for field, cells in zip(self._sheet.fields, columns, strict=True)]
        with ZipFile(self._pipe, "w", ZIP_DEFLATED) as file:
            _store(file, self._skeleton(), _FIRST_PARTS)
            yield from self._sheets(file, chain(sample, rows))
            _store(file, self._skeleton())
        yield from self._pipe.taken()

    def _sheets(self, file: ZipFile, rows: Iterator[Cells]) -> Iterator[bytes]:
        """One sheet after the other, as many as the rows need: mostly one."""
        following = next(rows, None)
        while True:
            name = f"xl/worksheets/sheet{len(self._sizes)}.xml"
            with file.open(_entry(name), "w") as sheet:
                sheet.write(self._skeleton().sheets[name][0])
                if following is not None:
                    yield from self._rows(sheet, chain([following], rows))
                    following = next(rows, None)
                if following is None:
                    sheet.write(self._totals())
                sheet.write(self._skeleton().sheets[name][1])
            if following is None:
                return
            self._sizes.append(0)

    def _rows(self, sheet: IO[bytes], rows: Iterator[Cells]) -> Iterator[bytes]:
        """As many as one sheet holds, with one left for the totals."""
        written, is_full = 0, False
        while not is_full and (batch := list(islice(rows, min(BATCH, MOST_ROWS - 2 - self._sizes[-1])))):
            first = self._sizes[-1] + 2
            text = "".join(
                [(self._row % cells).replace("\0", str(number)) for number, cells in enumerate(batch, first)]
            )
            written += sheet.write(text.encode())
            self._sizes[-1] += len(batch)
            is_full = written >= _MOST_BYTES
            yield from self._pipe.taken(least=PART)

    def _totals(self) -> bytes:
        """The last row, below what the filter takes in."""
        totals = self._table.totals
        if not totals:
            return b""
        cells = [self._cells.total(field, totals.get(field.column.key)) for field in self._sheet.fields]
        if self._sheet.fields[0].column.key not in totals:
            cells[0] = self._cells.label(_("Total"))
        return (self._row % tuple(cells)).replace("\0", str(self._sizes[-1] + 2)).encode()

    def _skeleton(self) -> Skeleton:
        heading = self._table.heading
        wanted = Wanted(
            title=heading.title if heading else self._table.rows_key,
            about=_("About"),
            headings=[field.heading for field in self._sheet.fields],
            widths=self._widths,
            is_right_to_left=get_language_bidi(),
            made_at=heading.made_at if heading else 0,
            told=told(self._table, self._sheet.fields, self._zone, rows=sum(self._sizes)),
        )
        return skeleton(wanted, self._sizes)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    return entry


def _store(file: ZipFile, skeleton: Skeleton, names: Iterable[str] = ()) -> None:
    """These files of the workbook, or all that are not yet stored."""
    for name in names or [name for name in skeleton.parts if name not in _FIRST_PARTS]:
        file.writestr(_entry(name), skeleton.parts[name])


def _template(count: int) -> str:
    """A row, its number to be put in for each NUL, of which no cell has one."""
    return '<row r="\0">' + "".join(f'<c r="{xl_col_to_name(column)}\0"%s' for column in range(count)) + "</row>"


def _width(field: Field, cells: Sequence[str]) -> int:
    """As wide as the longest word of the heading beside the filter's arrow, and as what stands below it."""
    wide = max(map(len, field.heading.split()), default=0) + 3
    if field.cell is Cell.TIME:
        wide = max(wide, len("2026-11-22 10:02:11") + 1)
    if field.cell is Cell.TEXT:
        texts = (_WRITTEN.search(cell) for cell in cells)
        wide = max([wide, *(min(width(text[1]), _WIDEST) + 1 for text in texts if text)])
    return min(max(wide, _NARROWEST), _WIDEST)


# --- cells ------------------------------------------------------------------------------------------------------------


class _Cells:
    """Cells as XML, from behind their address on."""

    def __init__(self, zone: tzinfo, styles: Sequence[int]) -> None:
        self._zone, self._styles = zone, styles
        self._texts = Known(self._text)
        self._times = LocalTimes(zone)
        self._by_cell: dict[Cell, Callable[[list[Any]], list[str]]] = {
            Cell.TEXT: lambda values: [self._texts[value] for value in values],
            Cell.NUMBER: lambda values: self._numbers(COUNT, values),
            Cell.TIME: self._moments,
            Cell.DURATION: lambda values: self._numbers(DURATION, [_days(ms) for ms in values]),
            Cell.PERCENT: lambda values: self._numbers(PERCENT, values),
        }

    def written(self, cell: Cell, values: list[Any]) -> list[str]:
        """These values, all of one kind."""
        return self._by_cell[cell](values)

    def total(self, field: Field, value: Any) -> str:  # noqa: ANN401 - a value is of its column's kind
        """One value, in bold."""
        if value is None:
            return _BLANK
        (cell,) = self.written(field.cell, field.values([value]))
        return self._in_bold(cell)

    def label(self, text: str) -> str:
        """Words of ours, in bold."""
        return f' s="{self._styles[len(STYLES) + QUOTED]}"{_inline(text)}'

    def _in_bold(self, cell: str) -> str:
        style = _STYLE.match(cell)
        if style is None:
            return cell
        bold = self._styles[self._styles.index(int(style[1])) + len(STYLES)]
        return f' s="{bold}"{cell[style.end() :]}'

    def _text(self, text: str) -> str:
        if not text:
            return _BLANK
        style = f' s="{self._styles[QUOTED]}"' if safe(text) != text else ""
        return style + _inline(text)

    def _numbers(self, style: int, values: list[float | None]) -> list[str]:
        begin = f' s="{self._styles[style]}"><v>'
        return [_BLANK if value is None else f"{begin}{value}</v></c>" for value in values]

    def _moments(self, values: list[int | None]) -> list[str]:
        begin = f' s="{self._styles[TIME]}"><v>'
        return [
            _BLANK
            if at is None
            else self._text(words.stamp(at, self._zone))
            if day is None
            else f"{begin}{day}</v></c>"
            for at, day in zip(values, map(self._day, values), strict=True)
        ]

    def _day(self, at: int | None) -> float | None:
        """As Excel counts days, None where it cannot."""
        second = None if at is None else self._times.second(at)
        day = None if second is None else second / _DAY + _UNIX_EPOCH
        return day if day is not None and _FIRST <= day < _PAST else None


def _days(ms: int | None) -> float | None:
    """A duration, to the second, as a part of a day."""
    return None if ms is None else (ms + 500) // 1000 / _DAY


def _inline(text: str) -> str:
    shown = (
        _ESCAPE_LIKE.sub(r"_x005F\g<0>", legible(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )
    space = ' xml:space="preserve"' if shown != shown.strip() or "\n" in shown else ""
    return f' t="inlineStr"><is><t{space}>{shown}</t></is></c>'
