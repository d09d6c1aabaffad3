"""The flat list: a row for each person in each meeting."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from django.db.models import Q, Sum

from rollcall.store.derived import Attendance, Person, Summary
from rollcall.store.searching.listing import places_page
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import Scope, organisations
from rollcall.store.searching.sorts import Sorts, too_many
from rollcall.store.searching.walking import (
    Taken,
    is_past,
    merge,
    plain,
    portions,
    take_sorted,
    take_walked,
    walk,
)
from rollcall.store.searching.wanted import LARGEST, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Filter

ENGAGEMENT: Final = {
    "chats": "chats",
    "hands": "raise_hands",
    "reactions": "emojis",
    "polls": "poll_answers",
    "cameras": "cameras",
    "talk": "talk_ms",
}

SORTS: Final = Sorts(
    default="-started",
    orders={
        "started": Order(("started_at", "summary_id", "sort_key")),
        "meeting": Order(("summary__sort_key", "summary_id", "sort_key")),
        "name": Order(("person__sort_key", "started_at", "id"), is_nullable=True),
        "time": Order(("proved_ms", "id")),
        "share": Order(("share", "id"), is_nullable=True),
        "came": Order(("first_in_at", "id"), is_nullable=True),
        "went": Order(("last_out_at", "id"), is_nullable=True),
        "server": Order(("summary__pool_name", "started_at", "id")),
        "course": Order(("summary__course__sort_key", "started_at", "id"), is_nullable=True),
        "role": Order(("role", "started_at", "id")),
        "kind": Order(("kind", "started_at", "id")),
        **{name: Order((column, "id")) for name, column in ENGAGEMENT.items()},
    },
    kinds={
        "started": (int, int, bytes),
        "meeting": (bytes, int, bytes),
        "name": (bytes, int, int),
        "server": (str, int, int),
        "course": (bytes, int, int),
        "role": (str, int, int),
        "kind": (str, int, int),
    },
    walked=frozenset({"started", "meeting", "name", "time", "share"}),
)
_OF_MEETINGS: Final = {"started": ("started_at", "id"), "meeting": ("sort_key", "id")}
_ROWS_OF_ONE = 10
"""What a person costs on a walk, in rows."""

_MOST_READ = 250_000
"""Attendances of the meetings of a filter that are read to be sorted by a column without an index."""

_IN_ONE_GO = 100_000
"""Attendances of people named by ids that are sorted by time in their index alone."""


def attendances_page(wanted: Filter | Scope, *, sort: str, after: str, before: str, limit: int) -> Page[Attendance]:
    """One page of it."""
    page = places_page(SORTS, taken, wanted, sort=sort, after=after, before=before, limit=limit)
    return Page(_rows(page.rows, SORTS.named(sort)[1]), page.before, page.after, page.is_cut)


def taken(scope: Scope, name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """The first so many places after one, the quickest way that keeps the order."""
    few = scope.few_rows
    if few is not None:
        if name in _OF_MEETINGS and scope.few_meetings is not None and not scope.has_row_conditions():
            rows = Summary.objects.filter(pk__in=scope.few_meetings.ids)
            return _by_meetings(scope.within(LARGEST), name, order, start, limit, rows)
        return take_sorted(few, order, start, limit=limit)
    if name not in SORTS.walked:
        return _read(scope, order, start, limit)
    if name == "started" and (found := _by_index_of_people(scope, order, start, limit)) is not None:
        return found
    wanted = scope.wanted.organisation
    scopes = [scope.of_organisation(one) for one in (organisations() if wanted is None else [wanted])]
    return merge([_walked(one, name, order, start, limit) for one in scopes], order, limit=limit)


def _read(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    """By a column without an index: all rows are read, if they are not too many."""
    meetings = scope.tested_meetings().aggregate(rows=Sum("attendees"))
    if int(meetings["rows"] or 0) > _MOST_READ:
        raise too_many()
    rows = Attendance.objects.filter(
        scope.of_rows & scope.of_people(), summary__in=scope.tested_meetings().values("pk")
    )
    return take_sorted(rows, order, start, limit=limit)


def _walked(scope: Scope, name: str, order: Order, start: Place | None, limit: int) -> Taken:
    if name in _OF_MEETINGS:
        return _by_meetings(scope, name, order, start, limit)
    if name == "name":
        return _by_name(scope, order, start, limit)
    rows = Attendance.objects.filter(organisation=scope.organisation)
    condition = scope.of_rows & scope.times_only() & scope.of_people() & scope.clock & scope.of_meetings("summary__")
    return take_walked(walk(rows, order, start, condition), limit=limit, budget=scope.budget)


def _by_index_of_people(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken | None:
    """By time, of people known by their ids: their index says when and in which meeting, the rows are for the page.

    Only while the index knows all that is asked; the organisation is that of the people.
    """
    rows = scope.rows_of_people
    if rows is None or scope.of_rows or scope.has_meeting_conditions():
        return None
    if rows.order_by()[: _IN_ONE_GO + 1].count() > _IN_ONE_GO:
        return None
    rows = rows.filter(scope.clock)
    half = Order(order.columns[:2], order.is_descending)
    if start is not None:
        is_later = half.beyond(start[:2]) | Q(started_at=start[0], summary_id=start[1])
        rows = rows.filter(is_later)
    last = list(rows.order_by(*half.sorting()).values_list(*half.columns)[limit - 1 : limit])
    if last:
        rows = rows.exclude(half.beyond(last[0]))
    return take_sorted(rows, order, start, limit=limit)


# --- walks over what has the rows -------------------------------------------------------------------------------------


def _by_meetings(
    scope: Scope, name: str, order: Order, start: Place | None, limit: int, known: QuerySet[Summary] | None = None
) -> Taken:
    """Meetings in their order, of those that are known or of all of the filter, and of each its people."""
    in_order = Order(_OF_MEETINGS[name], order.is_descending)
    in_time = name == "started"
    if known is not None:
        rows, condition = known, Q()
    else:
        rows = Summary.objects.filter(scope.times if in_time else Q(organisation=scope.organisation))
        condition = scope.clock & scope.of_meetings() & (Q() if in_time else scope.times_only())
    found = [] if start is None else _rest_of_meeting(scope, rows.filter(condition), in_order, order, start)
    looked_at = 0
    for stretch in walk(rows, in_order, start and start[:2], condition):
        for some in portions(stretch.found, limit, looked_at // scope.cost):
            found += _people_in(scope, some, is_descending=order.is_descending)
            if len(found) >= limit:
                return Taken(found[:limit])
        looked_at += stretch.looked_at + scope.cost * len(stretch.found)
        if looked_at >= scope.budget and stretch.end is not None:
            return Taken(found, _after_all_of(stretch.end, is_descending=order.is_descending))
    return Taken(found)


def _after_all_of(meeting: Place, *, is_descending: bool) -> Place:
    """The place behind all people of a meeting."""
    return (*meeting, b"" if is_descending else b"\xff" * 80)


def _rest_of_meeting(scope: Scope, rows: QuerySet[Summary], in_order: Order, order: Order, start: Place) -> list[Place]:
    """Who comes after a place in its meeting, if the meeting is still there and still one of the filter's."""
    if not rows.filter(**dict(zip(in_order.columns, start[:2], strict=True))).exists():
        return []
    people = _people_in(scope, [start[:2]], is_descending=order.is_descending)
    return [place for place in people if is_past(place, start, order)]


def _people_in(scope: Scope, meetings: Sequence[Place], *, is_descending: bool) -> list[Place]:
    rows = Attendance.objects.filter(scope.of_rows, scope.of_people(), summary__in=[place[1] for place in meetings])
    by_meeting: defaultdict[int, list[bytes]] = defaultdict(list)
    for summary, sort_key in rows.order_by().values_list("summary_id", "sort_key"):
        by_meeting[summary].append(bytes(sort_key))
    found: list[Place] = []
    for place in meetings:
        keys = sorted(by_meeting[place[1]], reverse=is_descending)
        found += [(*place, key) for key in keys]
    return found


def _by_name(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    """By people; what an older Rollcall left without one stands where unknown values do, until it is folded again."""
    first, second = (_by_people, _of_nobody) if order.is_descending else (_of_nobody, _by_people)
    if start is not None and (start[0] is None) != (first is _of_nobody):
        return second(scope, order, start, limit)
    found = first(scope, order, start, limit)
    if found.end is not None or len(found.places) >= limit:
        return found
    more = second(scope, order, None, limit - len(found.places))
    return Taken(found.places + more.places, more.end)


def _of_nobody(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    if scope.people is not None:
        return Taken([])
    rows = Attendance.objects.filter(person__isnull=True)
    condition = scope.of_rows & scope.tested_times & scope.clock & scope.of_meetings("summary__")
    in_order = Order(order.columns[1:], order.is_descending)
    found = take_walked(walk(rows, in_order, start and start[1:], condition), limit=limit, budget=scope.budget)
    return Taken([(None, *place) for place in found.places], None if found.end is None else (None, *found.end))


def _by_people(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    """People by name, and of each the meetings they were in."""
    in_order = Order(("sort_key", "id"), order.is_descending)
    people = Person.objects.filter(organisation=scope.organisation)
    condition = Q() if scope.people is None else scope.people.of_themselves()
    found: list[Place] = []
    if start is not None:
        same = people.filter(condition, sort_key=start[0]).values_list("sort_key", "id")
        found = [
            place for place in _meetings_of(scope, [plain(one) for one in same], order) if is_past(place, start, order)
        ]
    looked_at = 0
    for stretch in walk(people, in_order, start and _after_all_with(start, order)[:2], condition):
        for some in portions(stretch.found, limit):
            found += _meetings_of(scope, some, order)
            looked_at += _ROWS_OF_ONE * len(some)
            if len(found) >= limit:
                return Taken(found[:limit])
            if looked_at >= scope.budget:
                return Taken(found, _after_all_with(some[-1], order))
        looked_at += stretch.looked_at
        if looked_at >= scope.budget and stretch.end is not None:
            return Taken(found, _after_all_with(stretch.end, order))
    return Taken(found)


def _after_all_with(place: Place, order: Order) -> Place:
    """The place behind all rows of a person."""
    return (place[0], -1, -1) if order.is_descending else (place[0], LARGEST, LARGEST)


def _meetings_of(scope: Scope, people: Sequence[Place], order: Order) -> list[Place]:
    conditions = scope.of_rows & scope.tested_times & scope.clock & scope.of_meetings("summary__")
    rows = Attendance.objects.filter(conditions, person__in=[place[1] for place in people]).order_by()
    by_person: defaultdict[int | None, list[tuple[int, int]]] = defaultdict(list)
    for person, started_at, pk in rows.values_list("person_id", "started_at", "id"):
        by_person[person].append((started_at, pk))
    return [
        (sort_key, *place)
        for sort_key, person in people
        for place in sorted(by_person[person], reverse=order.is_descending)
    ]


# --- rows -------------------------------------------------------------------------------------------------------------


def _rows(places: Sequence[Place], order: Order) -> list[Attendance]:
    """The rows of these places, in this order, with all that a page tells of them."""
    found = Attendance.objects.select_related("summary__meeting", "summary__course", "person")
    if order.columns[-1] == "id":
        by_id = found.in_bulk([place[-1] for place in places])
        return [by_id[place[-1]] for place in places if place[-1] in by_id]
    found = found.filter(summary__in={place[1] for place in places}, sort_key__in={place[2] for place in places})
    by_place = {(one.summary_id, bytes(one.sort_key)): one for one in found}
    return [by_place[place[1:]] for place in places if place[1:] in by_place]
