"""The list of courses, with totals over their meetings of the filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Max, Min, Q, Sum

from rollcall.store.derived import Attendance, Course, Summary
from rollcall.store.searching.listing import places_page
from rollcall.store.searching.meetings import all_conditions, few_summaries
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import IS_USER, Scope, organisations, scope_of
from rollcall.store.searching.sorts import Sorts, too_many
from rollcall.store.searching.walking import Taken, merge, portions, take_listed, take_walked, walk
from rollcall.store.searching.wanted import Page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import Aggregate, QuerySet

    from rollcall.store.searching.wanted import Filter

SORTS: Final = Sorts(
    default="name",
    orders={
        "name": Order(("sort_key", "id")),
        "meetings": Order(("meetings", "id")),
        "last": Order(("last_at", "id"), is_nullable=True),
        "attendances": Order(("attendances", "id")),
        "time": Order(("person_ms", "id")),
    },
    kinds={"name": (bytes, int)},
    walked=frozenset({"name", "meetings", "last"}),
)
_WALKED_WITH_CONDITIONS: Final = frozenset({"name"})
_TOTAL: Final[Mapping[str, Aggregate]] = {
    "meetings": Count("*"),
    "last": Max("started_at"),
    "attendances": Sum("attendees"),
    "time": Sum("person_ms"),
}
_USERS: Final = Count("person_id", distinct=True, filter=IS_USER)
_MEETINGS_OF_ONE = 10
"""What a course costs on a walk, in rows."""


@dataclass(frozen=True, slots=True)
class FoundCourse:
    """A course's totals over the meetings of a filter, or over the attendances if it asks for some of these."""

    pk: int
    key: bytes
    site: str
    context_id: str
    label: str
    sort_key: bytes
    meetings: int
    people: int
    attendances: int
    proved_ms: int
    first_at: int
    last_at: int


def courses_page(wanted: Filter | Scope, *, sort: str, after: str, before: str, limit: int) -> Page[FoundCourse]:
    """One page of it."""
    scope = scope_of(wanted)
    page = places_page(SORTS, taken, scope, sort=sort, after=after, before=before, limit=limit)
    return Page(found_courses(scope, [place[-1] for place in page.rows]), page.before, page.after, page.is_cut)


def course_of(key: bytes) -> Course | None:
    """One course."""
    return Course.objects.filter(key=key).first()


def _is_everything(scope: Scope) -> bool:
    wanted = scope.wanted
    only_courses = not (wanted.meeting.strip() or wanted.server or wanted.site or wanted.state or scope.people)
    only_courses &= not (wanted.bounds.site or wanted.bounds.groups is not None)
    return only_courses and not (scope.times_only() or scope.clock or scope.of_rows)


def taken(scope: Scope, name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """The first so many places after one, the quickest way that keeps the order."""
    walked = SORTS.walked if _is_everything(scope) else _WALKED_WITH_CONDITIONS
    if not (_is_everything(scope) and name in walked) and (few := few_summaries(scope)) is not None:
        return _sorted(few, name, order, start, limit)
    if name not in walked:
        if scope.has_row_conditions():
            raise too_many()
        return _sorted(_meetings_of(scope, _entries(scope).values("pk")), name, order, start, limit)
    wanted = scope.wanted.organisation
    scopes = [scope.of_organisation(one) for one in (organisations() if wanted is None else [wanted])]
    return merge([_walked(one, order, start, limit) for one in scopes], order, limit=limit)


def _entries(scope: Scope) -> QuerySet[Course]:
    rows = Course.objects.filter(meetings__gt=0)
    if scope.wanted.organisation is not None:
        rows = rows.filter(organisation=scope.wanted.organisation)
    return rows if scope.courses is None else rows.filter(scope.courses.of_themselves())


def _sorted(meetings: QuerySet[Summary], name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """The courses of few meetings, sorted by a total of these."""
    rows = meetings.filter(course__isnull=False).order_by()
    if name == "name":
        places: Any = rows.values_list("course__sort_key", "course_id").distinct()
    else:
        places = rows.values("course_id").annotate(total=_TOTAL[name]).values_list("total", "course_id")
    return take_listed(places, order, start, limit=limit)


def _walked(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    rows = Course.objects.filter(organisation=scope.organisation)
    condition = Q(meetings__gt=0) & (Q() if scope.courses is None else scope.courses.of_themselves())
    if _is_everything(scope):
        return take_walked(walk(rows, order, start, condition), limit=limit, budget=scope.budget)
    found: list[Place] = []
    looked_at = 0
    for stretch in walk(rows, order, start, condition):
        for some in portions(stretch.found, limit):
            held = _meetings_of(scope, [place[-1] for place in some])
            there = set(held.values_list("course_id", flat=True).distinct())
            found += [place for place in some if place[-1] in there]
            looked_at += _MEETINGS_OF_ONE * len(some)
            if len(found) >= limit:
                return Taken(found[:limit])
            if looked_at >= scope.budget:
                return Taken(found, some[-1])
        looked_at += stretch.looked_at
    return Taken(found)


def _meetings_of(scope: Scope, courses: Any) -> QuerySet[Summary]:  # noqa: ANN401 - ids, or a query for them
    """What the filter means of the meetings of these courses, which are of its organisation."""
    return Summary.objects.filter(scope.times_only(), all_conditions(scope), course__in=courses).order_by()


def found_courses(scope: Scope, pks: Sequence[int]) -> list[FoundCourse]:
    """These courses in this order, with totals of the filter."""
    entries = Course.objects.in_bulk(list(pks))
    totals = _by_rows(scope, pks) if scope.has_row_conditions() else _by_meetings(scope, pks)
    return [_found(entries[pk], totals[pk]) for pk in pks if pk in totals and pk in entries]


def _by_meetings(scope: Scope, pks: Sequence[int]) -> dict[int, dict[str, Any]]:
    meetings = _meetings_of(scope, pks)
    rows: Any = meetings.values("course_id").annotate(
        held=Count("*"),
        rows=Sum("attendees"),
        proved=Sum("person_ms"),
        first=Min("started_at"),
        last=Max("started_at"),
    )
    totals = {row["course_id"]: row | {"people": 0} for row in rows}
    people: Any = Attendance.objects.filter(summary__in=meetings.values("pk")).order_by()
    counted = people.values("summary__course_id").annotate(people=_USERS)
    for course, count in counted.values_list("summary__course_id", "people"):
        totals[course]["people"] = count
    return totals


def _by_rows(scope: Scope, pks: Sequence[int]) -> dict[int, dict[str, Any]]:
    conditions = scope.of_rows & scope.of_people() & scope.tested_times & scope.clock & scope.of_meetings("summary__")
    attendances: Any = Attendance.objects.filter(conditions, summary__course__in=pks).order_by()
    rows = attendances.values("summary__course_id").annotate(
        held=Count("summary_id", distinct=True),
        rows=Count("*"),
        proved=Sum("proved_ms"),
        people=_USERS,
        first=Min("started_at"),
        last=Max("started_at"),
    )
    return {row["summary__course_id"]: row for row in rows}


def _found(entry: Course, total: dict[str, Any]) -> FoundCourse:
    return FoundCourse(
        pk=entry.pk,
        key=bytes(entry.key),
        site=entry.site,
        context_id=entry.context_id,
        label=entry.label,
        sort_key=bytes(entry.sort_key),
        meetings=total["held"],
        people=total["people"],
        attendances=int(total["rows"]),
        proved_ms=int(total["proved"]),
        first_at=total["first"],
        last_at=total["last"],
    )
