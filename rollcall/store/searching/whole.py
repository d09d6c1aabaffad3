"""Whole lists for files: read as they are written, in parts by key, so that no query stays open for a slow reader."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from heapq import merge
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from django.db.models import BinaryField, Case, F, Value, When

from rollcall.store.derived import Attendance, Summary
from rollcall.store.searching import attendances, courses, meetings, people
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import FEW_ROWS, Scope, organisations
from rollcall.store.searching.walking import plain, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rollcall.store.searching.wanted import Filter, Page

_Row = TypeVar("_Row")

PAGES: Final[Mapping[str, Callable[..., Page[Any]]]] = {
    "meetings": meetings.meetings_page,
    "attendances": attendances.attendances_page,
    "people": people.people_page,
    "courses": courses.courses_page,
}
_SORTS: Final = {
    "meetings": meetings.SORTS,
    "attendances": attendances.SORTS,
    "people": people.SORTS,
    "courses": courses.SORTS,
}
_CALLED: Final = {("courses", "person_ms"): "proved_ms"}
"""What the rows of a list call otherwise than its order."""

_AT_ONCE = 500
_MEETINGS_AT_ONCE = 200
_TIES = 1_000
"""Rows in one place of an order, so many of which are put in one that no database has made up."""

_OLDEST: Final = Order(("started_at", "id"))


class AttendanceLine(NamedTuple):
    """One attendance as a file has it: plain values, epoch ms, the share in thousandths; last what the folds kept.

    `detail` is None where all that is possible is proved, so that the columns say everything.
    """

    name: str
    external_user_id: str
    kind: str
    role: str
    started_at: int
    first_in_at: int | None
    last_out_at: int | None
    proved_ms: int
    possible_ms: int | None
    share: int | None
    chats: int
    raise_hands: int
    emojis: int
    poll_answers: int
    cameras: int
    talk_ms: int
    meeting_name: str
    course_label: str
    course_id: str
    server: str
    site: str
    external_meeting_id: str
    internal_meeting_id: str
    detail: bytes | None
    meeting_detail: bytes


_OF_ATTENDANCE: Final = AttendanceLine._fields[: AttendanceLine._fields.index("meeting_name")]
_IF_UNCERTAIN: Final = Case(
    When(proved_ms=F("possible_ms"), then=Value(None)), default=F("detail"), output_field=BinaryField()
)
_OF_MEETING: Final = ("name", "context_label", "context_id", "pool_name", "site", "external_meeting_id")


def by_identity(summary: Summary) -> tuple[int, bytes, bytes]:
    """The order of meetings in files: by time, and of one instant by what no database has made up."""
    return (summary.started_at, summary.pool_name.encode(), summary.meeting.internal_meeting_id.encode())


_IDENTITIES: Final[Mapping[str, Callable[[Any], tuple[Any, ...]]]] = {
    "meetings": by_identity,
    "attendances": lambda row: (*by_identity(row.summary), bytes(row.sort_key)),
    "people": lambda row: (row.key,),
    "courses": lambda row: (row.key,),
}


def each_row(name: str, wanted: Filter, sort: str) -> Iterator[Any]:
    """All rows of a list in any order of its pages; rows in one place of it lie the same on every database."""
    _, order = _SORTS[name].named(sort)
    return _settled(_each(name, wanted, sort), _value_of(name, order), _IDENTITIES[name], order)


def _each(name: str, wanted: Filter, sort: str) -> Iterator[Any]:
    after = ""
    while True:
        page = PAGES[name](wanted, sort=sort, after=after, before="", limit=_AT_ONCE)
        yield from page.rows
        if not page.after:
            return
        after = page.after


def _value_of(name: str, order: Order) -> Callable[[Any], object]:
    path = _CALLED.get((name, order.columns[0]), order.columns[0]).split("__")
    return lambda row: reduce(lambda one, step: None if one is None else getattr(one, step), path, row)


def _settled(
    rows: Iterable[_Row], value: Callable[[_Row], object], identity: Callable[[_Row], Any], order: Order
) -> Iterator[_Row]:
    for _, alike in groupby(rows, key=value):
        while some := list(islice(alike, _TIES)):
            yield from sorted(some, key=identity, reverse=order.is_descending)


def each_meeting(wanted: Filter) -> Iterator[Summary]:
    """All meetings, oldest first; those of one instant by pool and id, on whose order every database agrees."""
    for together in _at_one_time(wanted):
        found = meetings.summaries(together)
        yield from sorted(found, key=by_identity)


def _at_one_time(wanted: Filter) -> Iterator[list[int]]:
    """The ids of meetings in parts; those that began together are in one part."""
    part: list[int] = []
    last: int | None = None
    for started_at, pk in _places(Scope(wanted)):
        if len(part) >= _MEETINGS_AT_ONCE and started_at != last:
            yield part
            part = []
        part.append(pk)
        last = started_at
    yield part


def _places(scope: Scope) -> Iterator[tuple[int, int]]:
    few = meetings.few_summaries(scope)
    if few is not None:
        yield from few.order_by("started_at", "id").values_list("started_at", "id")
        return
    wanted = scope.wanted.organisation
    scopes = [scope.of_organisation(one) for one in (organisations() if wanted is None else [wanted])]
    yield from merge(*map(_walked, scopes))


def _walked(scope: Scope) -> Iterator[tuple[int, int]]:
    rows = Summary.objects.filter(scope.times)
    for stretch in walk(rows, _OLDEST, None, meetings.all_conditions(scope)):
        yield from ((place[0], place[1]) for place in stretch.found)


def line_of(row: Attendance) -> AttendanceLine:
    """The same of a row of a page, whose meeting was read with it."""
    summary = row.summary
    of_meeting = [getattr(summary, column) for column in _OF_MEETING]
    is_certain = row.proved_ms == row.possible_ms
    kept = (None if is_certain else bytes(row.detail), bytes(summary.detail))
    of_attendance = (getattr(row, column) for column in _OF_ATTENDANCE)
    return AttendanceLine._make((*of_attendance, *of_meeting, summary.meeting.internal_meeting_id, *kept))


def each_attendance(wanted: Filter, sort: str = "") -> Iterator[AttendanceLine]:
    """Every attendance by meeting, oldest first, and within it in the report's own order; or in an order of pages."""
    scope = Scope(wanted)
    if sort:
        yield from _sorted_lines(scope, sort)
        return
    for together in _at_one_time(wanted):
        yield from _lines(scope, together)


def _sorted_lines(scope: Scope, sort: str) -> Iterator[AttendanceLine]:
    name, order = attendances.SORTS.named(sort)
    lines = _placed_lines(scope, name, order)
    return (line for _, line in _settled(lines, lambda pair: pair[0], lambda pair: _identity_of(pair[1]), order))


def _identity_of(line: AttendanceLine) -> tuple[Any, ...]:
    return (line.started_at, line.server.encode(), line.internal_meeting_id.encode(), repr(line[:-2]))


def _placed_lines(scope: Scope, name: str, order: Order) -> Iterator[tuple[object, AttendanceLine]]:
    """Lines with that by which they are sorted. A small set is sorted once, a large one walked on."""
    limit = _AT_ONCE if scope.few_rows is None else FEW_ROWS + 1
    start: Place | None = None
    while True:
        taken = attendances.taken(scope, name, order, start, limit)
        for begin in range(0, len(taken.places), _AT_ONCE):
            yield from _lines_at(taken.places[begin : begin + _AT_ONCE], order)
        if taken.end is None and len(taken.places) < limit:
            return
        start = taken.end or taken.places[-1]


def _lines_at(places: Sequence[Place], order: Order) -> Iterator[tuple[object, AttendanceLine]]:
    columns: tuple[Any, ...] = (
        *_OF_ATTENDANCE,
        *(f"summary__{column}" for column in (*_OF_MEETING, "meeting__internal_meeting_id")),
        _IF_UNCERTAIN,
        "summary__detail",
    )
    known_by = order.columns[-1:] if order.columns[-1] == "id" else ("summary_id", "sort_key")
    asked = {f"{one}__in": {place[number - len(known_by)] for place in places} for number, one in enumerate(known_by)}
    found = Attendance.objects.filter(**asked).order_by().values_list(*known_by, *columns)
    lines = {
        plain(row[: len(known_by)]): AttendanceLine._make((*row[len(known_by) : -1], bytes(row[-1]))) for row in found
    }
    for place in places:
        if (line := lines.get(place[-len(known_by) :])) is not None:
            yield place[0], line


def _lines(scope: Scope, together: Sequence[int]) -> Iterator[AttendanceLine]:
    columns = ("pk", "started_at", *_OF_MEETING, "meeting__internal_meeting_id", "detail")
    rows = list(Summary.objects.filter(pk__in=together).values_list(*columns))
    rows.sort(key=lambda row: (row[1], row[5].encode(), row[-2].encode()))
    people: defaultdict[int, list[Any]] = defaultdict(list)
    found = Attendance.objects.filter(scope.of_rows, scope.of_people(), summary__in=together)
    for sort_key, summary, *values in found.values_list("sort_key", "summary_id", *_OF_ATTENDANCE, _IF_UNCERTAIN):
        people[summary].append((sort_key if isinstance(sort_key, bytes) else bytes(sort_key), values))
    for pk, _, *plainly, kept in rows:
        of_meeting = bytes(kept)
        for _, values in sorted(people[pk], key=lambda pair: pair[0]):
            yield AttendanceLine._make((*values[:-1], *plainly, values[-1], of_meeting))
