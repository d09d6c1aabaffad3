"""A Table as XLSX: real dates and durations, numbers that add up, and a second sheet that says what they mean.

XlsxWriter makes the workbook without the rows, and the rows are written into it as they are read: in a third of the
time that it would take for them, with no file on a disk, and in the same memory for ten rows and for a million.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import IO, TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _
from xlsxwriter.utility import xl_col_to_name  # type: ignore[import-untyped]  # it brings no stubs

from rollcall.reports.meanings import told
from rollcall.reports.rows import Format, Table
from rollcall.reports.sheets import BATCH, Cell, lines, sheet_of
from rollcall.reports.to_text import width
from rollcall.reports.workbook import MOST_ROWS, Beside, Wanted, skeleton
from rollcall.reports.xlsx_cells import Cells, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.rows import Section
    from rollcall.reports.sheets import Field
    from rollcall.reports.workbook import Skeleton

    Row = tuple[str, ...]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

PART = 64 * 1024
_MOST_BYTES = 1_500_000_000
"""Of one sheet before it is compressed: the old form of ZIP, which is what Excel reads, ends at twice as many."""

_SAMPLE = 200
"""By so many rows the widths are chosen."""

_NARROWEST, _WIDEST = 8, 60

_FIRST_PARTS = ("_rels/.rels",)
"""Programs that look only at the begin of a file see by it what it is."""


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
        self._cells = Cells(zone, self._skeleton().styles)
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

    def _sheets(self, file: ZipFile, rows: Iterator[Row]) -> Iterator[bytes]:
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

    def _rows(self, sheet: IO[bytes], rows: Iterator[Row]) -> Iterator[bytes]:
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
            told=told(self._table, self._sheet, self._zone, rows=sum(self._sizes)),
            sections=[_beside(one, self._zone) for one in self._table.sections],
        )
        return skeleton(wanted, self._sizes)


def _beside(one: Section, zone: tzinfo) -> Beside:
    table = Table(one.key, one.rows_key, one.columns, one.rows)
    sheet = sheet_of(table, Format.XLSX, zone)
    rows = list(chain.from_iterable(lines(table, sheet, lambda _cell, values: values)))
    return Beside(one.title, [field.heading for field in sheet.fields], rows)


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
        wide = max([wide, *(width(text_of(cell)[:_WIDEST]) * 11 // 10 + 2 for cell in cells)])
    return min(max(wide, _NARROWEST), _WIDEST)
