"""What CSV and XLSX have in common: columns as fields, each of one kind of cell, worked out many rows at once.

Going column by column through some hundred rows costs a third of going row by row: a million rows are ten seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.utils.translation import gettext as _

from rollcall.reports import words
from rollcall.reports.details import UNSEEN
from rollcall.reports.rows import Format, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.details import Count
    from rollcall.reports.rows import Column, Table
    from rollcall.store.reading import State

BATCH = 500

_MOST_KNOWN = 20_000
_SHORT = 200

T = TypeVar("T")


class Cell(Enum):
    """What a sheet knows: numbers that are counts, times (epoch ms), days, durations (ms), parts (0 to 1), and text."""

    TEXT = auto()
    NUMBER = auto()
    TIME = auto()
    DAY = auto()
    DURATION = auto()
    PERCENT = auto()


class Known(dict[str, str]):
    """Texts as cells, made before: a file of a million rows has few classes, servers and courses."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> str:
        made = self._make(text)
        if len(text) <= _SHORT:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[text] = made
        return made


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a sheet; `values` takes the values of its Column to those of its cells, None is a blank one."""

    heading: str
    cell: Cell
    values: Callable[[list[Any]], list[Any]]
    column: Column


@dataclass(frozen=True, slots=True)
class Sheet:
    """The fields of a table: those of its rows, with those of their groups in front."""

    of_group: Sequence[Field]
    of_row: Sequence[Field]

    @property
    def fields(self) -> Sequence[Field]:
        """All of them, as they stand."""
        return (*self.of_group, *self.of_row)


def sheet_of(table: Table, form: Format, zone: tzinfo) -> Sheet:
    """What a file of this format shows of the table; times are of the zone that the heading names."""
    columns, inner = (
        [field for column in of if form in column.shown for field in _fields(column, zone)]
        for of in (table.columns, table.inner)
    )
    return Sheet(columns, inner) if table.inner else Sheet((), columns)


def lines(
    table: Table, sheet: Sheet, written: Callable[[Cell, list[Any]], list[Any]]
) -> Iterator[Iterator[tuple[Any, ...]]]:
    """The rows of the table, some hundred at once, each cell as `written` makes it."""
    if not table.inner:
        for rows in _batches(table.rows):
            yield zip(*_cells(sheet.of_row, rows, written), strict=True)
        return
    for group in table.rows:
        of_group = _cells(sheet.of_group, [group.subject], written)
        for rows in _batches(group.rows):
            cells = [one * len(rows) for one in of_group] + _cells(sheet.of_row, rows, written)
            yield zip(*cells, strict=True)


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _cells(
    fields: Sequence[Field], rows: list[Any], written: Callable[[Cell, list[Any]], list[Any]]
) -> list[list[Any]]:
    """The cells of each field; a column of two fields is asked once."""
    found: list[list[Any]] = []
    column, values = None, list[Any]()
    for field in fields:
        if field.column is not column:
            column, values = field.column, list(map(field.column.of, rows))
        found.append(written(field.cell, field.values(values)))
    return found


# --- fields -----------------------------------------------------------------------------------------------------------


def _fields(column: Column, zone: tzinfo) -> list[Field]:
    if column.kind is Kind.SHARES:
        return [Field(heading, Cell.PERCENT, _end(end), column) for end, heading in enumerate(_of_shares(column))]
    cell, values = _KINDS.get(column.kind, (Cell.TEXT, _texts))
    return [Field(_heading(column, zone), cell, values, column)]


def _heading(column: Column, zone: tzinfo) -> str:
    label = str(column.label)
    match column.kind:
        case Kind.TIME:
            return f"{label} ({zone})"
        case Kind.PART:
            return f"{label} (%)"
        case Kind.COUNTED | Kind.COUNTED_TIME:
            return _("%(label)s, at least") % {"label": label}
        case _:
            return label


def _of_shares(column: Column) -> tuple[str, str]:
    if column.key == "share":
        return _("Share at least (%)"), _("Share at most (%)")
    label = {"label": column.label}
    return _("%(label)s, at least (%%)") % label, _("%(label)s, at most (%%)") % label


def _same(values: list[Any]) -> list[Any]:
    return values


def _texts(values: list[Any]) -> list[str]:
    return [value if isinstance(value, str) else _said(value) for value in values]


def _said(value: Any) -> str:  # noqa: ANN401 - whatever has no kind of its own
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)


def _seen(values: list[Count]) -> list[int | None]:
    return [None if value == UNSEEN else value.seen for value in values]


def _records(values: list[str]) -> list[str]:
    return _each_once(words.record, values)


def _states(values: list[tuple[State, int]]) -> list[str]:
    return _each_once(words.state_name, [state for state, _people in values])


def _each_once(said: Callable[[T], str], values: list[T]) -> list[str]:
    """A word is looked up once for all rows that have it."""
    known = {value: said(value) for value in set(values)}
    return [known[value] for value in values]


def _end(which: int) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [None if value is None else value[which] for value in values]


_KINDS: dict[Kind, tuple[Cell, Callable[[list[Any]], list[Any]]]] = {
    Kind.COUNT: (Cell.NUMBER, _same),
    Kind.COUNTED: (Cell.NUMBER, _seen),
    Kind.TIME: (Cell.TIME, _same),
    Kind.DURATION: (Cell.DURATION, _same),
    Kind.COUNTED_TIME: (Cell.DURATION, _seen),
    Kind.DAY: (Cell.DAY, _same),
    Kind.PART: (Cell.PERCENT, _same),
    Kind.RECORD: (Cell.TEXT, _records),
    Kind.STATE: (Cell.TEXT, _states),
}
