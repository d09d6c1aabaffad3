"""What a report is for those who draw it: a Table of columns with key, label and kind, and rows.

The renderers know kinds, not reports; the columns of each report stand in rollcall.reports.tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Flag, StrEnum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.utils.functional import _StrPromise


class Kind(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    NAME = "name"  # text; where it is blank it says so
    HOST = "host"  # text that may be broken at its dots
    ID = "id"  # text that may well be blank
    SENTENCE = "sentence"  # of ours, in the reader's language
    STATE = "state"  # (State, how many are in)
    COUNT = "count"
    COUNTED = "counted"  # details.Count
    TIME = "time"  # epoch ms or None
    ENDED = "ended"  # (began, ended at the earliest, at the latest)
    DURATION = "duration"  # ms or None
    DURATIONS = "durations"  # Bounds
    SHARES = "shares"  # Shares
    PART = "part"  # 0 to 1, or None
    RECORD = "record"  # Summary.record
    COUNTED_TIME = "counted-time"  # details.Count of ms
    ROLE = "role"  # (role, kind of attendee)
    CAME = "came"  # an AttendeeRow: when they came, and how surely
    WENT = "went"  # the same: when they went
    BAR = "bar"  # an AttendeeRow, drawn
    DAY = "day"  # a date
    JSON = "json"  # as it is


class Format(Flag):
    """Where a column is shown."""

    HTML = auto()
    PDF = auto()
    TEXT = auto()
    CSV = auto()
    XLSX = auto()
    JSON = auto()
    PAGE = HTML | PDF
    SHEET = CSV | XLSX
    SCREEN = PAGE | TEXT
    FILE = SHEET | JSON
    ALL = SCREEN | FILE


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `of` takes a row's subject to its value, `link` to the address behind it.

    `sort` is what an address calls the order by it, blank if there is none; `about` says in a sentence what it means.
    `head` is markup of ours that stands in its heading on a page, the label then is for those who do not see it;
    `head_link` is where the heading leads.
    """

    key: str
    label: str | _StrPromise
    kind: Kind
    of: Callable[[Any], Any]
    shown: Format = Format.ALL
    link: Callable[[Any], str] | None = None
    sort: str = ""
    about: str | _StrPromise = ""
    head: str = ""
    head_link: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A row that has rows of its own: a meeting and its people."""

    subject: Any
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing that stands with a report: an SVG without a style sheet's help, and what it shows in words."""

    name: str
    title: str
    svg: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A short table that stands below the rows of a report: on paper, on a sheet of its own, under a key of JSON.

    `said` are sentences above its rows, `noted` below them; `about` is what JSON says beside `rows_key`.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows_key: str
    rows: Sequence[Any]
    said: Sequence[str] = ()
    noted: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heading:
    """What a document says above its rows: `lines` about the subject, `filters` used, each (label, words).

    `made_at` is epoch ms, the time as of which the report was read.
    """

    title: str
    made_at: int
    lines: Sequence[tuple[str, str]] = ()
    filters: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One report. `name` with its version is what JSON calls it, `rows_key` what the rows are.

    With `inner` the rows are Groups, `columns` speak of a group's subject, `inner` of its rows (`inner_key`).
    `about` is what JSON says of the whole, `totals` the values of a last row by the keys of columns.
    """

    name: str
    rows_key: str
    columns: Sequence[Column]
    rows: Iterable[Any]
    inner_key: str = ""
    inner: Sequence[Column] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    heading: Heading | None = None
    totals: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()
    sections: Sequence[Section] = ()


class Bounds(NamedTuple):
    """A duration of which so much is known, in ms; `possible` is None while it still grows, measured by `so_far`."""

    proved: int
    possible: int | None
    so_far: int | None = None


class Shares(NamedTuple):
    """A part of the class's length, between these two (0 to 1)."""

    lowest: float
    highest: float


def share_of(time: Bounds, length: Bounds | None) -> Shares | None:
    """The part, as far as both are known: never more than the whole."""
    if length is None or time.possible is None or not length.possible:
        return None
    lowest = round(min(1.0, time.proved / length.possible), 4)
    highest = round(min(1.0, time.possible / length.proved), 4) if length.proved else float(time.possible > 0)
    return Shares(lowest, max(lowest, highest))


def time_total(proved_ms: int, possible_ms: int | None) -> dict[str, Any]:
    """The same of sums that are known already."""
    return {"time": Bounds(proved_ms, possible_ms), "proved_ms": proved_ms, "possible_ms": possible_ms}


def on_screens(column: Column, *, sort: str = "") -> Column:
    """The same column where files have another one."""
    return replace(column, shown=column.shown & Format.SCREEN, sort=sort)


def relabelled(column: Column, label: str) -> Column:
    """The same column under another heading."""
    return replace(column, label=label)


def with_heading(table: Table, heading: Heading) -> Table:
    """The same table under a heading."""
    return replace(table, heading=heading)


def worth_showing(columns: Sequence[Column], rows: Sequence[Any]) -> list[Column]:
    """Without the columns in which nobody has anything: they would only make it harder to compare the others."""
    return [
        column
        for column in columns
        if any(_says_something(column, row) for row in rows) and (column.key != "shown_site" or _differ(column, rows))
    ]


def with_ids(columns: Sequence[Column], people: Iterable[tuple[str, str]]) -> list[Column]:
    """Where one name stands for several user ids, which nobody could tell apart, the ids are shown on pages too."""
    ids: dict[str, set[str]] = {}
    for name, user in people:
        ids.setdefault(name.strip(), set()).add(user)
    if all(len(several) == 1 for several in ids.values()):
        return list(columns)
    return [
        replace(column, shown=column.shown | Format.PAGE) if column.key == "external_user_id" else column
        for column in columns
    ]


def _differ(column: Column, rows: Sequence[Any]) -> bool:
    """Where everybody is of one site nobody wants to read it in each row."""
    return len({column.of(row) for row in rows}) > 1


def _says_something(column: Column, row: Any) -> bool:  # noqa: ANN401 - a row is whatever its columns read
    match column.kind:
        case Kind.COUNTED | Kind.COUNTED_TIME:
            value = column.of(row)
            return bool(value.seen or value.is_exact)
        case Kind.SHARES:
            return column.of(row) is not None
        case _:
            return True
