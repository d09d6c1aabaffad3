"""What a report declares of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rollcall.reports.asking import used
from rollcall.reports.rows import Format, Heading
from rollcall.reports.tables.sums import sums_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.utils.functional import _StrPromise

    from rollcall.reports.asking import Asked, Takes
    from rollcall.reports.rows import Table

_WITH_SUMS: Final = Format.PDF | Format.XLSX
"""Where a list ends in what it comes to; what programs read has its rows only."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about: its place in an address, what it is called where it is missing, and one for example."""

    converter: str
    called: str
    example: str
    pattern: str

    def is_one(self, word: str) -> bool:
        """Whether an address may have it in this place."""
        return re.fullmatch(self.pattern, word, re.ASCII) is not None


MEETING_NUMBER: Final = Subject("<int:pk>", "the number of a meeting", "153", r"\d{1,18}")
_KEY: Final = Subject("<digest:key>", "a key", "3f1c9a2b7d8e4f60a1b2c3d4e5f60718", "[0-9a-f]{32}")
PERSON_KEY: Final = replace(_KEY, called="the key of a person")
COURSE_KEY: Final = replace(_KEY, called="the key of a course")
ATTENDEE_KEY: Final = replace(_KEY, called="the key of somebody in it")


@dataclass(frozen=True, slots=True)
class Listing:
    """The page of a list: the table of some of its rows, what is said where there are none, and how it parts.

    `empty` is for a filter that finds nothing, `empty_yet` for when nothing was asked for; `facets` are filters.
    `lines` is the table as programs read it, where the page has not all that the report's JSON has.
    """

    table: Callable[[Sequence[Any], Asked], Table]
    empty: _StrPromise
    empty_yet: _StrPromise
    facets: Sequence[str]
    lines: Callable[[Sequence[Any], Asked], Table] | None = None

    def for_programs(self, found: Sequence[Any], asked: Asked) -> Table:
        """Some of its rows as the report's JSON has them."""
        return (self.lines or self.table)(found, asked)


@dataclass(frozen=True, slots=True)
class Report:
    """One report. `address` is its page's, with a {} for each thing it is `about`; its files stand beside it.

    `make` is given what was asked, the keys of what it is about, and the format the table is for. `lists` is what
    `store.searching` calls its rows, blank where they are no list with pages; `page` is how that list is shown.
    """

    name: str
    title: _StrPromise
    address: str
    takes: Takes
    make: Callable[[Asked, Sequence[str], Format], Table]
    lists: str = ""
    about: Sequence[Subject] = ()
    page: Listing | None = None

    @property
    def route(self) -> str:
        """Its address as Django's urls have it."""
        return self.address.strip("/").format(*(subject.converter for subject in self.about))

    def table(self, asked: Asked, subject: Sequence[str], form: Format) -> Table:
        """All of it, with what a document says above it."""
        table = self.make(asked, subject, form)
        heading = table.heading or Heading(str(self.title), asked.wanted.as_of)
        if table.heading is None and self.lists and form in _WITH_SUMS:
            lines, totals = sums_of(self.lists, asked)
            heading, table = replace(heading, lines=lines), replace(table, totals=totals)
        return replace(table, heading=replace(heading, filters=used(asked)))
