"""The list of people: users of an LMS, each once per site, with totals over their attendances of the filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Max, Min, Q, Sum

from rollcall.store.derived import SEARCHED, Attendance, Person, Recount, Summary
from rollcall.store.searching.attendances import ENGAGEMENT
from rollcall.store.searching.listing import places_page
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import Scope, organisations, scope_of
from rollcall.store.searching.sorts import Sorts, too_many
from rollcall.store.searching.walking import (
    Taken,
    merge,
    portions,
    take_listed,
    take_sorted,
    take_walked,
    walk,
)
from rollcall.store.searching.wanted import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Filter

SORTS: Final = Sorts(
    default="name",
    orders={
        "name": Order(("sort_key", "id")),
        "time": Order(("proved_ms", "id")),
        "meetings": Order(("meetings", "id")),
        "first": Order(("first_at", "id")),
        "last": Order(("last_at", "id")),
        "share": Order(("share", "id"), is_nullable=True),
        **{name: Order((column, "id")) for name, column in ENGAGEMENT.items()},
    },
    kinds={"name": (bytes, int)},
    walked=frozenset({"name", "time", "meetings", "last"}),
)
_WALKED_WITH_CONDITIONS: Final = frozenset({"name"})
_TOTAL: Final[Mapping[str, Any]] = {
    "time": Sum("proved_ms"),
    "meetings": Count("*"),
    "first": Min("started_at"),
    "last": Max("started_at"),
    # The remainder taken away first: then every division there is gives a whole number.
    "share": (Sum("share") - Sum("share") % Count("share")) / Count("share"),
    **{sort: Sum(column) for sort, column in ENGAGEMENT.items()},
}
_NO_LESS_ALONE: Final = frozenset({"time", "meetings", "last"})
"""Totals of which those of all somebody's attendances are no less than those of some, and have an index."""

STILL_OPEN: Final = Count("summary_id", filter=Q(possible_ms__isnull=True))
"""Attendances of which it is not known yet how long they last; by a column of the indexes that have what is summed."""

USERS: Final = Q(is_user__in=(True,))
"""Of an entry; as it is written here SQLite finds it in an index."""

_NAMED_AT_ONCE = 10_000
"""Ids in one statement."""

_ROWS_OF_ONE = 10
"""What a person costs on a walk, in rows."""

_LOOKED_AT_ONCE = 400
"""People whose totals are looked at together."""

_BY_BOUND = 1_000_000
"""Attendances of the people with the largest totals, up to which they are looked at one after the other."""

MOST_SUMMED = 5_000_000
"""Attendances that are summed up to sort people by what they come to: it takes seconds."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One person's totals over the attendances of a filter. Times are epoch ms; `share` is the mean, in thousandths.

    `possible_ms` is None while the person may still be in one of them, `share` as long as none of them has one.
    """

    pk: int
    key: bytes
    site: str
    external_user_id: str
    name: str
    sort_key: bytes
    meetings: int
    proved_ms: int
    possible_ms: int | None
    share: int | None
    first_at: int
    last_at: int
    chats: int
    raise_hands: int
    emojis: int
    poll_answers: int
    cameras: int
    talk_ms: int


def people_page(wanted: Filter | Scope, *, sort: str, after: str, before: str, limit: int) -> Page[FoundPerson]:
    """One page of it."""
    scope = scope_of(wanted)
    page = places_page(SORTS, taken, scope, sort=sort, after=after, before=before, limit=limit)
    return Page(found_people(scope, [place[-1] for place in page.rows]), page.before, page.after, page.is_cut)


def found_person(key: bytes, wanted: Filter) -> FoundPerson | None:
    """One person's totals over the attendances of a filter."""
    pks = Person.objects.filter(key=key, is_user=True).values_list("pk", flat=True)
    return next(iter(found_people(Scope(wanted), list(pks))), None)


def is_everything(scope: Scope) -> bool:
    """Whether nothing but people is asked for, so that their own totals are the filter's."""
    return not (scope.times_only() or scope.clock or scope.of_rows or scope.has_meeting_conditions())


def taken(scope: Scope, name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """The first so many places after one, the quickest way that keeps the order."""
    if is_everything(scope):
        if name not in SORTS.walked or (scope.people is not None and scope.people.ids is not None):
            return take_sorted(_entries(scope), order, start, limit=limit)
    elif (few := scope.few_rows) is not None:
        return _sorted(few, name, order, start, limit)
    elif name not in _WALKED_WITH_CONDITIONS:
        return _summed(scope, name, order, start, limit)
    wanted = scope.wanted.organisation
    scopes = [scope.of_organisation(one) for one in (organisations() if wanted is None else [wanted])]
    return merge([_walked(one, order, start, limit) for one in scopes], order, limit=limit)


def _entries(scope: Scope) -> QuerySet[Person]:
    """Users of whom nothing is asked but who they are."""
    rows = Person.objects.filter(USERS, meetings__gt=0)
    if scope.wanted.organisation is not None:
        rows = rows.filter(organisation=scope.wanted.organisation)
    return rows if scope.people is None else rows.filter(scope.people.of_themselves())


def _sorted(rows: QuerySet[Attendance], name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """People of few attendances, sorted by a total of these; who is a user the directory knows, not each row."""
    totals: Any = rows.order_by().values("person_id").annotate(total=_TOTAL.get(name, Count("*")))
    by_person = dict(totals.values_list("person_id", "total"))
    if name == "name":
        return take_listed(users_among(by_person, "sort_key"), order, start, limit=limit)
    places = ((_whole(by_person[pk]), pk) for _, pk in users_among(by_person))
    return take_listed(places, order, start, limit=limit)


def users_among(people: Iterable[int | None], column: str = "pk") -> Iterator[tuple[Any, int]]:
    """Of these entries those of users: a column, and the id."""
    known = [pk for pk in people if pk is not None]
    for begin in range(0, len(known), _NAMED_AT_ONCE):
        users = Person.objects.filter(is_user=True, pk__in=known[begin : begin + _NAMED_AT_ONCE]).order_by()
        yield from users.values_list(column, "pk")


def _whole(total: Any) -> int | None:  # noqa: ANN401 - some databases sum to decimals
    return None if total is None else int(total)


def _summed(scope: Scope, name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """People of many attendances, sorted by a total of these."""
    if name in _NO_LESS_ALONE and order.is_descending:
        found = _by_bound(scope, name, order, start, limit)
        if found is not None:
            return found
    rows = Summary.objects.filter(scope.times).aggregate(rows=Sum("attendees"))["rows"] or 0
    if int(rows) > MOST_SUMMED:
        raise too_many()
    everybody = attendances_of(scope, _entries(scope).values("pk"))
    totals: Any = everybody.values("person_id").annotate(total=_TOTAL[name])
    in_order = Order(("total", "person_id"), order.is_descending, order.is_nullable)
    places = take_sorted(totals, in_order, start, limit=limit).places
    return Taken([(_whole(total), pk) for total, pk in places])


def _by_bound(scope: Scope, name: str, order: Order, start: Place | None, limit: int) -> Taken | None:
    """The largest totals of a filter, by looking at people in the order of the totals of all their attendances.

    Who comes later has no more than that, so it ends where that is less than the last of those found. None if that
    takes too long.
    """
    found: list[Place] = []
    looked_at, size, begin = 0, _LOOKED_AT_ONCE, None
    while looked_at <= _BY_BOUND:
        people = _entries(scope)
        if begin is not None:
            people = people.filter(order.beyond(begin))
        some = list(people.order_by(*order.sorting()).values_list(*order.columns, "meetings")[:size])
        totals: Any = attendances_of(scope, [pk for _, pk, _ in some]).values("person_id").annotate(total=_TOTAL[name])
        places = [(_whole(total), pk) for total, pk in totals.values_list("total", "person_id")]
        found = take_listed([*found, *places], order, start, limit=limit).places
        if len(some) < size or (len(found) == limit and found[-1][0] > some[-1][0]):
            return Taken(found)
        looked_at += sum(meetings for *_, meetings in some)
        begin = some[-1][:2]
    return None


def _walked(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    rows = Person.objects.filter(USERS, organisation=scope.organisation)
    condition = Q() if scope.people is None else scope.people.of_themselves()
    if is_everything(scope):
        return take_walked(walk(rows, order, start, condition & Q(meetings__gt=0)), limit=limit, budget=scope.budget)
    found: list[Place] = []
    looked_at = 0
    for stretch in walk(rows, order, start, condition & Q(meetings__gt=0)):
        for some in portions(stretch.found, limit):
            there = _who_was_there(scope, [place[-1] for place in some])
            found += [place for place in some if place[-1] in there]
            looked_at += _ROWS_OF_ONE * len(some)
            if len(found) >= limit:
                return Taken(found[:limit])
            if looked_at >= scope.budget:
                return Taken(found, some[-1])
        looked_at += stretch.looked_at
        if looked_at >= scope.budget and stretch.end is not None:
            return Taken(found, stretch.end)
    return Taken(found)


def attendances_of(scope: Scope, people: Any) -> QuerySet[Attendance]:  # noqa: ANN401 - ids, or a query for them
    """What the filter means of the attendances of these people, who are of its organisation."""
    conditions = scope.of_rows & scope.times_only() & scope.clock & scope.of_meetings("summary__")
    return Attendance.objects.filter(conditions, person__in=people).order_by()


def _who_was_there(scope: Scope, people: Sequence[int]) -> set[int | None]:
    return set(attendances_of(scope, people).values_list("person_id", flat=True).distinct())


def found_people(scope: Scope, pks: Sequence[int]) -> list[FoundPerson]:
    """These people in this order, with totals of the filter."""
    entries = Person.objects.in_bulk(list(pks))
    if scope.wanted.organisation is not None:
        entries = {pk: one for pk, one in entries.items() if one.organisation == scope.wanted.organisation}
    known = {pk: _of_all(one) for pk, one in entries.items()} if is_everything(scope) else {}
    # Whoever a fold has just changed is not counted again yet.
    for pk in Recount.objects.filter(person__in=list(known)).values_list("person", flat=True):
        known.pop(pk, None)
    if counted := [pk for pk in entries if pk not in known]:
        known |= _counted(scope, counted)
    return [_found(entries[pk], known[pk]) for pk in pks if pk in known and known[pk]["meetings"]]


def _of_all(entry: Person) -> dict[str, Any]:
    """The totals of all somebody's attendances, as the directory keeps them."""
    names = ("meetings", "proved_ms", "share", "first_at", "last_at", *SEARCHED)
    return {name: getattr(entry, name) for name in names} | {"possible_ms": None if entry.open else entry.possible_ms}


def _counted(scope: Scope, pks: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The same of those of the filter, counted from the rows."""
    few = scope.few_rows if scope.has_meeting_conditions() else None
    rows: Any = attendances_of(scope, pks) if few is None else few.filter(person__in=pks).order_by()
    totals = rows.values("person_id").annotate(
        found=Count("*"),
        proved=Sum("proved_ms"),
        possible=Sum("possible_ms"),
        still_open=STILL_OPEN,
        shares=_TOTAL["share"],
        first_at=Min("started_at"),
        last_at=Max("started_at"),
        **{f"sum_{name}": Sum(name) for name in SEARCHED},
    )
    return {
        total["person_id"]: {
            "meetings": total["found"],
            "proved_ms": int(total["proved"]),
            "possible_ms": None if total["still_open"] else int(total["possible"]),
            "share": _whole(total["shares"]),
            "first_at": total["first_at"],
            "last_at": total["last_at"],
            **{name: int(total[f"sum_{name}"]) for name in SEARCHED},
        }
        for total in totals
    }


def _found(entry: Person, totals: Mapping[str, Any]) -> FoundPerson:
    return FoundPerson(
        pk=entry.pk,
        key=bytes(entry.key),
        site=entry.site,
        external_user_id=entry.external_user_id,
        name=entry.name,
        sort_key=bytes(entry.sort_key),
        **totals,
    )
