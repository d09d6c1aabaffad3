"""A Table as CSV (RFC 4180, UTF-8) that a spreadsheet opens without running any of it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rollcall.reports import words
from rollcall.reports.details import UNSEEN
from rollcall.reports.rows import Format, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.rows import Column, Table

MEDIA_TYPE = "text/csv; charset=utf-8"

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def to_csv(table: Table, zone: tzinfo) -> Iterator[bytes]:
    """A line per row, with its group's columns in front. Times are of the zone that the heading names."""
    columns, inner = _shown(table.columns), _shown(table.inner)
    yield _line(heading for column in (*columns, *inner) for heading in _headings(column, zone))
    for row in table.rows:
        if not inner:
            yield _line(_cells(columns, row, zone))
            continue
        of_group = _cells(columns, row.subject, zone)
        for one in row.rows:
            yield _line([*of_group, *_cells(inner, one, zone)])


def safe(text: str) -> str:
    """Text that a spreadsheet would calculate is quoted, so that it is shown."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _shown(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if Format.CSV in column.shown]


def _line(cells: Iterable[object]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _headings(column: Column, zone: tzinfo) -> list[str]:
    label = str(column.label)
    match column.kind:
        case Kind.TIME:
            return [f"{label} ({zone})"]
        case Kind.SHARES:
            return [_("Share at least (%)"), _("Share at most (%)")]
        case Kind.PART:
            return [f"{label} (%)"]
        case Kind.COUNTED | Kind.COUNTED_TIME:
            return [_("%(label)s, at least") % {"label": label}]
        case _:
            return [label]


def _cells(columns: Sequence[Column], row: Any, zone: tzinfo) -> list[object]:  # noqa: ANN401 - a row is whatever its columns read
    return [cell for column in columns for cell in _cell(column.kind, column.of(row), zone)]


def _cell(kind: Kind, value: Any, zone: tzinfo) -> list[object]:  # noqa: ANN401, PLR0911 - and so is a value; one line each
    match kind:
        case Kind.TIME:
            return [words.stamp(value, zone)]
        case Kind.DURATION:
            return [words.long_duration(value)]
        case Kind.COUNTED:
            return [value.seen]
        case Kind.COUNTED_TIME:
            return [words.long_duration(None if value == UNSEEN else value.seen)]
        case Kind.PART:
            return ["" if value is None else f"{100 * value:.1f}"]
        case Kind.RECORD:
            return [words.record(value)]
        case Kind.SHARES:
            return ["", ""] if value is None else [f"{100 * part:.1f}" for part in value]
        case Kind.STATE:
            return [words.state_name(value[0])]
        case Kind.COUNT:
            return [value]
        case _:
            return [safe(str(value))]
