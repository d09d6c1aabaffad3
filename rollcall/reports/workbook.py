"""A workbook without its rows, by XlsxWriter: styles, widths, frozen headings, filters, and what is said about it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it brings no stubs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767

STYLES: tuple[dict[str, Any], ...] = (
    {"quote_prefix": True},
    {"num_format": "0"},
    {"num_format": "yyyy-mm-dd hh:mm:ss"},
    {"num_format": "yyyy-mm-dd"},
    {"num_format": "[h]:mm:ss"},
    {"num_format": "0.0%"},
)
QUOTED, COUNT, TIME, DAY, DURATION, PERCENT = range(len(STYLES))
"""The styles of cells: text that looks like a formula, and numbers of each kind."""

_HEADING = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
_ILLEGAL_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST_NAME = 31
_LINE_POINTS = 15
_ARROW = 3
_WIDE = 30
_STYLED = re.compile(rb'<c r="[A-Z]+2" s="(\d+)"/>')


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the workbook is to be: `title` names its sheets of rows, one for each of `sizes` (their rows).

    `told` is what the last sheet, `about`, says, line by line: (what, value). `made_at` is epoch ms.
    """

    title: str
    about: str
    headings: Sequence[str]
    widths: Sequence[int]
    is_right_to_left: bool
    made_at: int
    told: Sequence[tuple[str, str]] = ()
    sections: Sequence[Beside] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """A short sheet of its own, of texts and numbers."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The files of a workbook; those of its sheets of rows are told in two, before and after the rows."""

    parts: Mapping[str, bytes]
    sheets: Mapping[str, tuple[bytes, bytes]]
    styles: Sequence[int]
    """The number of each of STYLES, and then of the same in bold."""


def skeleton(wanted: Wanted, sizes: Sequence[int]) -> Skeleton:
    """The workbook of sheets with so many rows, each below a heading; the same for the same arguments."""
    file = io.BytesIO()
    book = Workbook(file, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False})
    book.set_properties(
        {"title": legible(wanted.title), "created": datetime.fromtimestamp(wanted.made_at // 1000, UTC)}
    )
    styles = [book.add_format(style | bold) for bold in ({}, {"bold": True}) for style in STYLES]
    names = _names(wanted, len(sizes))
    for name, rows in zip(names, sizes, strict=False):
        _add_sheet(book, name, wanted, rows, styles)
    for name, beside in zip(names[len(sizes) :], wanted.sections, strict=False):
        _add_beside(book, name, beside, wanted, styles[QUOTED])
    _add_about(book, names[-1], wanted)
    book.close()
    with ZipFile(file) as made:
        return _taken_apart({name: made.read(name) for name in made.namelist()}, len(sizes))


def _taken_apart(parts: dict[str, bytes], sheets: int) -> Skeleton:
    names = [f"xl/worksheets/sheet{number}.xml" for number in range(1, sheets + 1)]
    styles = [int(number) for number in _STYLED.findall(parts[names[0]])]
    return Skeleton(parts, {name: _around_rows(parts.pop(name)) for name in names}, styles)


def _around_rows(sheet: bytes) -> tuple[bytes, bytes]:
    before, _, rest = sheet.partition(b'<row r="2"')
    _, end, after = rest.partition(b"</sheetData>")
    return re.sub(rb"<dimension [^>]*/>", b"", before), end + after


def legible(text: str) -> str:
    """Text as XML can hold it and a cell has room for it; what begins like XlsxWriter's own markup is none."""
    shown = _cut(_ILLEGAL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")), MOST_CHARACTERS)
    return f" {shown}" if shown.startswith("<r>") else shown


def _cut(text: str, most: int) -> str:
    """Excel counts as UTF-16 does."""
    if 2 * len(text) <= most or len(encoded := text.encode("utf-16-le")) <= 2 * most:
        return text
    return encoded[: 2 * (most - 1)].decode("utf-16-le", errors="ignore") + "…"


def _names(wanted: Wanted, sheets: int) -> list[str]:
    """Names that Excel takes, no two alike: "Meetings", "Meetings (2)", …, "About"."""
    about, title = _name(wanted.about), _name(wanted.title)
    names = [title, *(f"{_cut(title, _LONGEST_NAME - 6)} ({number})" for number in range(2, sheets + 1))]
    for one in (*(_name(beside.title) for beside in wanted.sections), about):
        is_taken = one.casefold() in {name.casefold() for name in names}
        names.append(f"{_cut(one, _LONGEST_NAME - 2)} +" if is_taken else one)
    return names


def _name(text: str) -> str:
    shown = _ILLEGAL_IN_NAMES.sub(" ", text).strip(" '")
    shown = _cut(shown, _LONGEST_NAME).strip(" '")
    return f"{shown}." if shown.casefold() in {"history", ""} else shown


def _add_sheet(book: Workbook, name: str, wanted: Wanted, rows: int, styles: Sequence[Format]) -> None:
    sheet = book.add_worksheet(name)
    heading = book.add_format(_HEADING)
    for number, (text, width) in enumerate(zip(wanted.headings, wanted.widths, strict=True)):
        sheet.set_column(number, number, width)
        sheet.write_string(0, number, legible(text), heading)
    for number, style in enumerate(styles):
        sheet.write_blank(1, number, None, style)
    sheet.set_row(0, _LINE_POINTS * max(map(_lines, wanted.headings, wanted.widths), default=1))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, rows, len(wanted.headings) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    _turn(sheet, wanted)


def _add_beside(book: Workbook, name: str, beside: Beside, wanted: Wanted, text: Format) -> None:
    sheet = book.add_worksheet(name)
    heading = book.add_format(_HEADING)
    sheet.set_column(0, len(beside.headings) - 1, _WIDE)
    for number, label in enumerate(beside.headings):
        sheet.write_string(0, number, legible(label), heading)
    for number, row in enumerate(beside.rows, 1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value:
                sheet.write_string(number, column, legible(value), text)
    sheet.freeze_panes(1, 1)
    sheet.fit_to_pages(1, 0)
    _turn(sheet, wanted)


def _lines(heading: str, width: int) -> int:
    """How many a heading takes: Excel chooses the height of a row itself, others show the first of its lines."""
    return len(wrap(heading, max(1, width - _ARROW))) or 1


def _add_about(book: Workbook, name: str, wanted: Wanted) -> None:
    sheet = book.add_worksheet(name)
    bold, wrapped = (
        book.add_format({"bold": True, "valign": "top"}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    sheet.set_column(0, 0, 30, bold)
    sheet.set_column(1, 1, 90, wrapped)
    sheet.fit_to_pages(1, 0)
    for number, (what, said) in enumerate(wanted.told):
        sheet.write_string(number, 0, legible(what), bold)
        sheet.write_string(number, 1, legible(said), wrapped)
    _turn(sheet, wanted)


def _turn(sheet: Worksheet, wanted: Wanted) -> None:
    if wanted.is_right_to_left:
        sheet.right_to_left()
