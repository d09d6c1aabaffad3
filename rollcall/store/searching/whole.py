"""Whole lists for files: read as they are written, in parts by key, so that no query stays open for a slow reader."""

from __future__ import annotations

from collections import defaultdict
from heapq import merge
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rollcall.store.derived import Attendance, Summary
from rollcall.store.searching import attendances, courses, meetings, people
from rollcall.store.searching.places import Order
from rollcall.store.searching.scope import Scope, organisations
from rollcall.store.searching.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rollcall.store.searching.wanted import Filter, Page

PAGES: Final[Mapping[str, Callable[..., Page[Any]]]] = {
    "meetings": meetings.meetings_page,
    "attendances": attendances.attendances_page,
    "people": people.people_page,
    "courses": courses.courses_page,
}
_AT_ONCE = 500
_MEETINGS_AT_ONCE = 200
_OLDEST: Final = Order(("started_at", "id"))


class AttendanceLine(NamedTuple):
    """One attendance as a file has it: plain values, epoch ms, the share in thousandths."""

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


_OF_ATTENDANCE: Final = AttendanceLine._fields[: AttendanceLine._fields.index("meeting_name")]
_OF_MEETING: Final = ("name", "context_label", "context_id", "pool_name", "site", "external_meeting_id")


def each_row(name: str, wanted: Filter, sort: str) -> Iterator[Any]:
    """All rows of a list in any order of its pages."""
    after = ""
    while True:
        page = PAGES[name](wanted, sort=sort, after=after, before="", limit=_AT_ONCE)
        yield from page.rows
        if not page.after:
            return
        after = page.after


def each_meeting(wanted: Filter) -> Iterator[Summary]:
    """All meetings, oldest first; those of one instant by pool and id, on whose order every database agrees."""
    for together in _at_one_time(wanted):
        found = meetings.summaries(together)
        yield from sorted(found, key=by_identity)


def by_identity(summary: Summary) -> tuple[int, bytes, bytes]:
    """The order of meetings in files: by time, and of one instant by what no database has made up."""
    return (summary.started_at, summary.pool_name.encode(), summary.meeting.internal_meeting_id.encode())


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


def each_attendance(wanted: Filter) -> Iterator[AttendanceLine]:
    """Every attendance by meeting, oldest first, and within it in the report's own order."""
    scope = Scope(wanted)
    for together in _at_one_time(wanted):
        yield from _lines(scope, together)


def _lines(scope: Scope, together: Sequence[int]) -> Iterator[AttendanceLine]:
    columns = ("pk", "started_at", *_OF_MEETING, "meeting__internal_meeting_id")
    rows = list(Summary.objects.filter(pk__in=together).values_list(*columns))
    rows.sort(key=lambda row: (row[1], row[5].encode(), row[-1].encode()))
    people: defaultdict[int, list[Any]] = defaultdict(list)
    found = Attendance.objects.filter(scope.of_rows, scope.of_people(), summary__in=together)
    for sort_key, summary, *values in found.values_list("sort_key", "summary_id", *_OF_ATTENDANCE):
        people[summary].append((sort_key if isinstance(sort_key, bytes) else bytes(sort_key), values))
    for pk, _, *of_meeting in rows:
        for _, values in sorted(people[pk], key=lambda pair: pair[0]):
            yield AttendanceLine(*values, *of_meeting)
