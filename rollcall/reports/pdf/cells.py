"""The rows of a Table as what the template prints: texts and bars. The one place that knows Kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from django.utils.translation import get_language_bidi

from rollcall.reports import words
from rollcall.reports.details import UNSEEN, Count
from rollcall.reports.meeting_rows import AttendeeRow
from rollcall.reports.pdf.printable import Printable
from rollcall.reports.rows import Column, Format, Group, Kind, Table, worth_showing
from rollcall.reports.to_html import in_words
from rollcall.wording.translating import gettext as _

Cell = str | dict[str, Any]
Row = list[Cell] | dict[str, Any]

NUMBERS: Final = frozenset(
    (Kind.COUNT, Kind.COUNTED, Kind.COUNTED_TIME, Kind.DURATION, Kind.DURATIONS, Kind.SHARES, Kind.PART)
)
UNBROKEN: Final = NUMBERS | {Kind.CAME, Kind.WENT}
TOGETHER: Final = frozenset((Kind.TIME, Kind.ENDED))
"""Of several words that are read as one."""

SIGNATURE: Final[Cell] = {"signature": True}

_WRITTEN: Final = frozenset((Kind.NAME, Kind.TEXT, Kind.ID))
"""What somebody wrote."""

USUAL_COLUMNS: Final = 15
"""Rows of no more than these are all counted alike."""

_THINNEST: Final = 0.6


def shown(columns: Sequence[Column]) -> list[Column]:
    """Those that stand on paper."""
    return [column for column in columns if Format.PDF in column.shown]


def weight_of(table: Table) -> float:
    """How much each of its rows takes: one of a matrix with a column for each meeting is as much as many others."""
    return max(1.0, len(shown(table.inner or table.columns)) / USUAL_COLUMNS)


@dataclass(slots=True)
class Cells:
    """What the cells of one document say, in one zone."""

    zone: tzinfo
    printable: Printable

    def row(self, columns: Sequence[Column], row: Any) -> list[Cell]:  # noqa: ANN401 - a row is whatever its columns read
        """One row."""
        return [self.cell(column, column.of(row)) for column in columns]

    def totals(self, columns: Sequence[Column], totals: Mapping[str, Any]) -> list[Cell]:
        """The last row: what has no total is blank; where nothing else stands first, it says what it is."""
        cells = [self.cell(column, totals[column.key]) if column.key in totals else "" for column in columns]
        if not cells[0]:
            cells[0] = self.printable.text(_("Together"))
        return cells

    def group(self, columns: Sequence[Column], subject: Any) -> dict[str, Any]:  # noqa: ANN401 - the same
        """A line above its rows: what it is called, and the rest in words."""
        first, *others = columns
        about = [f"{label} {said}" for label, said in self.pairs(others, subject)]
        return {"group": str(self.cell(first, first.of(subject))), "about": " · ".join(about)}

    def pairs(self, columns: Sequence[Column], subject: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - the same
        """What the columns say of one thing, each with its label."""
        said = ((column, self.cell(column, column.of(subject))) for column in columns)
        return [(self.printable.text(str(column.label)), cell) for column, cell in said if isinstance(cell, str)]

    def cell(self, column: Column, value: Any) -> Cell:  # noqa: ANN401 - a value is of its column's kind
        """One value; of what has nothing of its own on paper the page's words are taken."""
        if column.kind is Kind.BAR:
            return {"bar": bar(value)}
        draw = _TEXTS.get(column.kind)
        said = draw(value, self.zone) if draw else in_words(column.kind, value, self.zone)
        if column.kind is Kind.HOST:
            return self.printable.data(said.replace(".", ".\u200b"))
        return self.printable.data(said) if column.kind in _WRITTEN else self.printable.text(said)


def worth(columns: Sequence[Column], rows: Iterable[Any]) -> list[Column]:
    """Without columns in which nobody has anything."""
    return worth_showing(columns, found) if (found := list(rows)) else list(columns)


def rows_of(table: Table, rows: Iterable[Any]) -> list[Any]:
    """The innermost ones."""
    return [row for one in rows for row in one.rows] if table.inner else list(rows)


def count_of(one: Any) -> int:  # noqa: ANN401 - a row is whatever its columns read
    """How many lines it takes."""
    return 1 + len(one.rows) if isinstance(one, Group) else 1


def bar(row: AttendeeRow) -> list[tuple[str, float, float]]:
    """When somebody was there within the class, in percent of it; from the right where one writes so."""
    start, until = row.meeting.summary.started_at, row.meeting.until
    spans = [("blind", begins, ends) for begins, ends, _cause in row.meeting.detail.blind]
    spans += [("possible", begins, ends) for begins, ends in row.detail.possible]
    spans += [("proved", begins, ends) for begins, ends in row.detail.proved]
    is_rtl = get_language_bidi()
    drawn = []
    for kind, begins, ends in spans:
        left = max(0.0, 100 * (begins - start) / (until - start))
        right = min(100.0, 100 * ((until if ends is None else ends) - start) / (until - start))
        if right >= 0 and left <= 100:
            wide = max(right - left, _THINNEST)
            drawn.append((kind, round(100 - left - wide if is_rtl else left, 2), round(wide, 2)))
    return drawn


def _counted(value: Count, _zone: tzinfo) -> str:
    return words.UNKNOWN if value == UNSEEN else _plus(str(value.seen), value)


def _counted_time(value: Count, _zone: tzinfo) -> str:
    return words.UNKNOWN if value == UNSEEN else _plus(words.duration(value.seen), value)


def _plus(said: str, value: Count) -> str:
    if value.is_exact:
        return said
    return f"\u200e{said}+\u200e" if get_language_bidi() else f"{said}+"


_TEXTS: Final[dict[Kind, Callable[[Any, tzinfo], str]]] = {
    Kind.STATE: lambda value, _zone: words.state(*value),
    Kind.COUNTED: _counted,
    Kind.COUNTED_TIME: _counted_time,
    Kind.TIME: words.day_and_clock,
    Kind.ENDED: lambda value, zone: words.ended(*value, zone=zone),
    Kind.DURATION: lambda value, _zone: words.UNKNOWN if value is None else words.duration(value),
    Kind.DURATIONS: lambda value, _zone: words.bounds(value),
    Kind.SHARES: lambda value, _zone: words.share(value),
    Kind.PART: lambda value, _zone: words.part(value),
    Kind.RECORD: lambda value, _zone: words.record(value),
    Kind.ROLE: lambda value, _zone: words.role(*value),
    Kind.NAME: lambda value, _zone: value if value.strip() else _("(no name)"),
    Kind.TEXT: lambda value, _zone: str(value),
    Kind.HOST: lambda value, _zone: str(value),
    Kind.ID: lambda value, _zone: str(value),
    Kind.SENTENCE: lambda value, _zone: str(value),
}
