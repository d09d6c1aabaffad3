"""A Table as JSON: versioned, one row a line, and the same bytes for the same facts on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rollcall.reports.rows import Format

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollcall.reports.rows import Column, Section, Table

MEDIA_TYPE = "application/json"

_encode = msgspec.json.Encoder().encode


def to_json(table: Table) -> Iterator[bytes]:
    """{"rollcall": "attendance/1", "meetings": [...]}: keys stand in the order of the columns, times are epoch ms."""
    sections = {one.key: _section(one) for one in table.sections}
    head = _encode({"rollcall": table.name} | dict(table.about) | sections)
    yield head[:-1] + b"," + _encode(table.rows_key) + b":["
    columns, inner = _shown(table.columns), _shown(table.inner)
    between = b"\n"
    for row in table.rows:
        yield between + _encode(_group(table, row, columns, inner) if inner else _object(columns, row))
        between = b",\n"
    yield b"\n]}\n"


def _section(one: Section) -> dict[str, Any]:
    columns = _shown(one.columns)
    return dict(one.about) | {one.rows_key: [_object(columns, row) for row in one.rows]}


def objects(table: Table) -> Iterator[dict[str, Any]]:
    """Its rows alone."""
    columns, inner = _shown(table.columns), _shown(table.inner)
    return (_group(table, row, columns, inner) if inner else _object(columns, row) for row in table.rows)


def _group(table: Table, row: Any, columns: Sequence[Column], inner: Sequence[Column]) -> dict[str, Any]:  # noqa: ANN401
    return _object(columns, row.subject) | {table.inner_key: [_object(inner, one) for one in row.rows]}


def _object(columns: Sequence[Column], row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row is whatever its columns read
    return {column.key: column.of(row) for column in columns}


def _shown(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if Format.JSON in column.shown]
