"""A Table, and what was asked of its paper, as a Document that can be drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import chain
from typing import Any, Final

from django.utils.translation import get_language, get_language_bidi, ngettext

from rollcall.core.errors import Refused
from rollcall.reports import words
from rollcall.reports.pdf import fonts
from rollcall.reports.pdf.cells import (
    NUMBERS,
    SIGNATURE,
    TOGETHER,
    UNBROKEN,
    Cell,
    Cells,
    Row,
    count_of,
    rows_of,
    shown,
    weight_of,
    worth,
)
from rollcall.reports.pdf.figures import figure
from rollcall.reports.pdf.layout import MARGIN, PAPERS, Layout, Wish, lay_out, wish
from rollcall.reports.pdf.masthead import Masthead
from rollcall.reports.pdf.printable import Printable
from rollcall.reports.pdf.rendering import ROWS_OF_A_PART, Document
from rollcall.reports.rows import Column, Heading, Kind, Picture, Section, Table
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _

LONGEST: Final = 20_000
"""Rows; more are no document any more, and a spreadsheet is made for them."""

NAMED_AT_MOST: Final = 12
_SIGNATURE_EMS: Final = 12.0
_BAR_EMS: Final = 13.0
_WITHOUT_SIGNATURES: Final = frozenset((Kind.BAR, Kind.COUNTED, Kind.COUNTED_TIME))


class TooLong(Refused):
    """More rows than anybody prints."""

    code = "too-long"
    status = 413


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked of the paper."""

    zone: tzinfo
    paper: str = "a4"
    has_signatures: bool = False
    progress: Callable[[int], None] = lambda _done: None


def document_of(table: Table, wanted: Wanted, masthead: Masthead) -> Document:
    """Everything but the drawing. Rows are read as they are drawn; the first of them decide the widths."""
    return _Maker(table, wanted, masthead, iter(table.rows)).document()


@dataclass(slots=True)
class _Maker:
    """One document on its way."""

    table: Table
    wanted: Wanted
    masthead: Masthead
    rest: Iterator[Any]
    printable: Printable = field(default_factory=lambda: Printable(is_rtl=get_language_bidi()))
    cells: Cells = field(init=False)

    def __post_init__(self) -> None:
        self.cells = Cells(self.wanted.zone, self.printable)

    def document(self) -> Document:
        first, is_all = self._first()
        columns = self._columns(first, is_all=is_all)
        is_one = bool(self.table.inner) and is_all and len(first) == 1
        drawn = list(self._lines(columns, first, with_groups=not is_one))
        layout = lay_out(self._wishes(columns, drawn), self.wanted.paper)
        weight = weight_of(self.table)
        every = chain(drawn, self._lines(columns, self.rest), self._totals(columns))
        frame = self._frame(columns, layout, first[0].subject if is_one else None)
        room = frame["width"] - 2 * MARGIN
        figures = [figure(number, one, self.printable, room) for number, one in enumerate(self._pictures())]
        return Document(
            frame=frame | {"pictures": [one.look for one in figures]},
            rows=_limited(every, int(LONGEST / weight)),
            printable=self.printable,
            stamp=self._heading().made_at // 1000,
            weight=weight,
            files={one.file_name: one.svg for one in figures if one.svg} | self._logo(),
            notes=self._notes,
            progress=self.wanted.progress,
        )

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _first(self) -> tuple[list[Any], bool]:
        """As many rows as one part has, and whether these are all."""
        found: list[Any] = []
        lines, weight = 0.0, weight_of(self.table)
        for one in self.rest:
            found.append(one)
            lines += count_of(one) * weight
            if lines > ROWS_OF_A_PART:
                return found, False
        return found, True

    def _columns(self, first: Sequence[Any], *, is_all: bool) -> list[Column]:
        columns = shown(self.table.inner or self.table.columns)
        if self.wanted.has_signatures:
            columns = [column for column in columns if column.kind not in _WITHOUT_SIGNATURES]
        return worth(columns, rows_of(self.table, first)) if is_all else columns

    def _lines(self, columns: Sequence[Column], rows: Iterable[Any], *, with_groups: bool = True) -> Iterator[Row]:
        if not self.table.inner:
            yield from map(self._line(columns), rows)
            return
        outer = shown(self.table.columns)
        for group in rows:
            if with_groups:
                yield self.cells.group(outer, group.subject)
            yield from map(self._line(columns), group.rows)

    def _line(self, columns: Sequence[Column]) -> Callable[[Any], Row]:
        signature = [SIGNATURE] if self.wanted.has_signatures else []
        return lambda row: [*self.cells.row(columns, row), *signature]

    def _totals(self, columns: Sequence[Column]) -> Iterator[Row]:
        if self.table.totals:
            cells = self.cells.totals(columns, self.table.totals)
            yield {"total": [*cells, ""] if self.wanted.has_signatures else cells}

    # --- the paper ----------------------------------------------------------------------------------------------------

    def _wishes(self, columns: Sequence[Column], drawn: Sequence[Row]) -> list[Wish]:
        rows = [
            row
            for row in (*drawn, *(one["total"] for one in self._totals(columns) if isinstance(one, dict)))
            if isinstance(row, list)
        ]
        several = zip(*rows, strict=True) if rows else [()] * len(columns)
        wishes = [self._wish(column, texts) for column, texts in zip(columns, several, strict=False)]
        if self.wanted.has_signatures:
            wishes.append(wish(_("Signature"), (), can_wrap=False, least=_SIGNATURE_EMS))
        return wishes

    def _wish(self, column: Column, cells: Sequence[Cell]) -> Wish:
        texts = [cell for cell in cells if isinstance(cell, str)]
        least = _BAR_EMS if column.kind is Kind.BAR else 0.0
        may_wrap = column.kind in TOGETHER
        can_wrap = not may_wrap and column.kind not in UNBROKEN
        return wish(self._label(column), texts, can_wrap=can_wrap, may_wrap=may_wrap, least=least)

    def _label(self, column: Column) -> str:
        return self.printable.text(str(column.label))

    def _frame(self, columns: Sequence[Column], layout: Layout, subject: Any | None) -> dict[str, Any]:  # noqa: ANN401 - whatever a group is of
        short, long = PAPERS[self.wanted.paper]
        width, height = (long, short) if layout.is_landscape else (short, long)
        language, _sep, region = (get_language() or "en").partition("-")
        text = self.printable.text
        return self._above(subject) | {
            "lang": language,
            "region": region if len(region) == 2 else None,
            "is_rtl": get_language_bidi(),
            "width": width,
            "height": height,
            "margin": MARGIN,
            "size": layout.size,
            "columns": self._looks(columns, layout),
            "bands": [{"from": band.start, "to": band.stop} for band in layout.bands],
            "has_tall_heads": layout.has_tall_heads,
            "head_height": layout.head_height,
            "is_tall": self.wanted.has_signatures,
            "page": text(_("Page {page} of {pages}")),
            "words": {"filters": text(_("Only these rows")), "nothing": text(_("There is nothing to show."))},
            "sections": [self._section(one) for one in self.table.sections],
            "signatures": [text(_("Place, date")), text(_("Signature"))] if self.wanted.has_signatures else [],
        }

    def _section(self, one: Section) -> dict[str, Any]:
        """It is short: none of its columns is laid out, and all of it stands in the last part."""
        columns = shown(one.columns)
        return {
            "title": self.printable.text(one.title),
            "said": list(map(self.printable.text, one.said)),
            "noted": list(map(self.printable.text, one.noted)),
            "columns": [self._label(column) for column in columns],
            "rows": [self.cells.row(columns, row) for row in one.rows],
        }

    def _above(self, subject: Any | None) -> dict[str, Any]:  # noqa: ANN401 - the same
        heading, text = self._heading(), self.printable.text
        about = heading.lines
        if not about and subject is not None:
            about = self.cells.pairs(shown(self.table.columns), subject)
        return {
            "title": text(heading.title).strip() or self.table.name,
            "author": self.masthead.organisation,
            "organisation": self.printable.data(self.masthead.organisation),
            "logo": self.masthead.file_name,
            "logo_text": text(self.masthead.organisation or _("Logo")),
            "lines": [(text(label), self.printable.data(said)) for label, said in about],
            "filters": [(text(label), self.printable.data(said)) for label, said in heading.filters],
            "stamp": text(self._stamp(heading)),
        }

    def _stamp(self, heading: Heading) -> str:
        time = words.day_and_clock(heading.made_at, self.wanted.zone)
        return _("As of %(time)s (%(zone)s)") % {"time": time, "zone": self.wanted.zone}

    def _heading(self) -> Heading:
        return self.table.heading or Heading(self.table.rows_key.capitalize(), 0)

    def _looks(self, columns: Sequence[Column], layout: Layout) -> list[dict[str, Any]]:
        labels = [(self._label(column), column.kind in NUMBERS) for column in columns]
        if self.wanted.has_signatures:
            labels.append((self.printable.text(_("Signature")), False))
        return [
            {"label": label, "is_number": is_number, "width": round(width, 2), "is_tall": number > 0}
            for number, ((label, is_number), width) in enumerate(zip(labels, layout.widths, strict=True))
        ]

    # --- what stands around them --------------------------------------------------------------------------------------

    def _pictures(self) -> Sequence[Picture]:
        """None in a register to sign, which is to be short."""
        return () if self.wanted.has_signatures else self.table.pictures

    def _logo(self) -> dict[str, bytes]:
        return {self.masthead.file_name: self.masthead.logo} if self.masthead.logo else {}

    def _notes(self) -> list[str]:
        """Named on the last page, so that nobody wonders about a mark in a name."""
        return [self.printable.file(note) for note in (*self._missing(), *self._shapeless())]

    def _missing(self) -> Iterator[str]:
        missing = sorted(self.printable.missing)
        if not missing:
            return
        said = {"count": len(missing), "mark": self.printable.mark, "characters": _named(missing)}
        yield (
            ngettext(
                "%(count)d character could not be printed and stands as %(mark)s: %(characters)s.",
                "%(count)d characters could not be printed and stand as %(mark)s: %(characters)s.",
                len(missing),
            )
            % said
        )
        yield _("No font of the server has them. Debian has some in %(packages)s.") % {
            "packages": ", ".join(fonts.packages(missing))
        }

    def _shapeless(self) -> Iterator[str]:
        shapeless = sorted(self.printable.shapeless)
        if not shapeless:
            return
        said = {"count": len(shapeless), "mark": self.printable.mark, "characters": _named(shapeless)}
        yield (
            ngettext(
                "%(count)d character that cannot be drawn where it was written stands as %(mark)s: %(characters)s.",
                "%(count)d characters that cannot be drawn where they were written stand as %(mark)s: %(characters)s.",
                len(shapeless),
            )
            % said
        )


def _named(codes: Sequence[int]) -> str:
    """U+1F98A FOX FACE; of many the first few."""
    named = [f"U+{code:04X} {unicodedata.name(chr(code), '')}".rstrip() for code in codes[:NAMED_AT_MOST]]
    return ", ".join([*named, *(["…"] if len(codes) > NAMED_AT_MOST else [])])


def _limited(rows: Iterator[Row], most: int) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number >= most:
            raise TooLong(
                _("This report has more than %(count)s rows, which is too long for a PDF.")
                % {"count": formatting.number(most)},
                hint=_("Take it as CSV or XLSX, or ask for fewer rows."),
            )
        yield row
