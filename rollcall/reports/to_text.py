"""A Table for a terminal: columns under each other, and nothing that the terminal would obey."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from rollcall.reports import words
from rollcall.reports.rows import Format, Kind
from rollcall.reports.to_html import in_words
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.rows import Column, Table

_RIGHT = frozenset({Kind.COUNT, Kind.COUNTED, Kind.COUNTED_TIME, Kind.DURATION, Kind.SHARES, Kind.PART})
_LONGEST = 64
"""An internal meeting id has 54."""


def to_text(table: Table, zone: tzinfo) -> Iterator[bytes]:
    """One block of columns, or one for each group under its own line; sections stand below."""
    yield from _rows(table, zone)
    for one in table.sections:
        yield "\n".join(["", one.title, *one.said, ""]).encode()
        if one.rows:
            yield from _block(_shown(one.columns), one.rows, zone)
        yield "".join(f"{note}\n" for note in one.noted).encode()


def _rows(table: Table, zone: tzinfo) -> Iterator[bytes]:
    columns, inner = _shown(table.columns), _shown(table.inner)
    if not inner:
        yield from _block(columns, list(table.rows), zone)
        return
    for group in table.rows:
        heading = "  ".join(_said(column, group.subject, zone) for column in columns)
        yield f"{heading}\n".encode()
        yield from _block(inner, group.rows, zone)
        yield b"\n"


def _shown(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if Format.TEXT in column.shown]


def _block(columns: Sequence[Column], rows: Sequence[Any], zone: tzinfo) -> Iterator[bytes]:
    lines = [[str(column.label) for column in columns]]
    lines += [[_said(column, row, zone) for column in columns] for row in rows]
    widths = [max(map(width, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        cells = (_padded(cell, wide, column.kind) for cell, wide, column in zip(line, widths, columns, strict=True))
        yield ("  ".join(cells).rstrip() + "\n").encode()


def _padded(cell: str, wide: int, kind: Kind) -> str:
    blanks = " " * (wide - width(cell))
    return blanks + cell if kind in _RIGHT else cell + blanks


def width(text: str) -> int:
    """How many places a terminal gives to the text: two to a Han character, none to an accent."""
    return sum(_places(character) for character in text)


def _places(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def printable(text: str) -> str:
    """Without what moves a cursor, changes a colour or turns the direction of writing; cut where it is endless."""
    shown = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in text[:_LONGEST])
    return shown + "…" if len(text) > _LONGEST else shown


def _said(column: Column, row: Any, zone: tzinfo) -> str:  # noqa: ANN401 - a row is whatever its columns read
    return _cell(column.kind, column.of(row), zone)


def _cell(kind: Kind, value: Any, zone: tzinfo) -> str:  # noqa: ANN401 - a value is of its column's kind
    return _CELLS[kind](value, zone) if kind in _CELLS else printable(str(value))


_CELLS: dict[Kind, Callable[[Any, tzinfo], str]] = {
    Kind.NAME: lambda value, _zone: printable(value) if value.strip() else _("(no name)"),
    Kind.TIME: lambda value, zone: words.stamp(value, zone) or words.UNKNOWN,
    Kind.CAME: lambda value, zone: printable(in_words(Kind.CAME, value, zone)),
    Kind.WENT: lambda value, zone: printable(in_words(Kind.WENT, value, zone)),
    Kind.ENDED: lambda value, zone: words.ended(*value, zone=zone),
    Kind.DURATION: lambda value, _zone: words.UNKNOWN if value is None else words.duration(value),
    Kind.DURATIONS: lambda value, _zone: words.bounds(value),
    Kind.SHARES: lambda value, _zone: words.share(value),
    Kind.PART: lambda value, _zone: words.part(value),
    Kind.DAY: lambda value, _zone: value.isoformat(),
    Kind.COUNTED: lambda value, _zone: words.count(value),
    Kind.COUNTED_TIME: lambda value, _zone: words.counted_time(value),
    Kind.RECORD: lambda value, _zone: words.record(value),
    Kind.ROLE: lambda value, _zone: words.role(*value),
    Kind.STATE: lambda value, _zone: words.state(*value),
}
