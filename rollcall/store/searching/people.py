"""The list of people: users of an LMS, each once per site, with totals over their attendances of the filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Max, Min, Q, Sum

from rollcall.store.derived import Attendance, Person
from rollcall.store.searching.attendances import ENGAGEMENT
from rollcall.store.searching.listing import places_page
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
_COUNTS: Final = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")
_WALKED_WITH_CONDITIONS: Final = frozenset({"name"})
_TOTAL: Final[Mapping[str, Aggregate]] = {
    "time": Sum("proved_ms"),
    "meetings": Count("pk"),
    "first": Min("started_at"),
    "last": Max("started_at"),
    **{sort: Sum(column) for sort, column in ENGAGEMENT.items()},
}
_ROWS_OF_ONE = 10
"""What a person costs on a walk, in rows."""


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
    walked = SORTS.walked if is_everything(scope) else _WALKED_WITH_CONDITIONS
    if not (is_everything(scope) and name in walked) and (few := scope.few_rows) is not None:
        return _sorted(few, name, order, start, limit)
    if name not in walked:
        raise too_many()
    wanted = scope.wanted.organisation
    scopes = [scope.of_organisation(one) for one in (organisations() if wanted is None else [wanted])]
    return merge([_walked(one, order, start, limit) for one in scopes], order, limit=limit)


def _sorted(rows: QuerySet[Attendance], name: str, order: Order, start: Place | None, limit: int) -> Taken:
    """People of few attendances, sorted by a total of these."""
    users: Any = rows.filter(IS_USER).order_by()
    if name == "name":
        places: Any = users.values_list("person__sort_key", "person_id").distinct()
    elif name == "share":
        totals = users.values_list("person_id").annotate(Sum("share"), Count("share"))
        places = ((_mean(total, known), pk) for pk, total, known in totals)
    else:
        places = users.values("person_id").annotate(total=_TOTAL[name]).values_list("total", "person_id")
    return take_listed(places, order, start, limit=limit)


def _mean(total: int | None, known: int) -> int | None:
    """In whole thousandths, which every database and every address has alike; None if nothing is known."""
    return int(total or 0) // known if known else None


def _walked(scope: Scope, order: Order, start: Place | None, limit: int) -> Taken:
    rows = Person.objects.filter(organisation=scope.organisation, is_user=True)
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


def attendances_of(scope: Scope, people: Sequence[int]) -> QuerySet[Attendance]:
    """What the filter means of these people's attendances."""
    conditions = scope.of_rows & scope.tested_times & scope.clock & scope.of_meetings("summary__")
    return Attendance.objects.filter(conditions, person__in=people).order_by()


def _who_was_there(scope: Scope, people: Sequence[int]) -> set[int | None]:
    return set(attendances_of(scope, people).values_list("person_id", flat=True).distinct())


def found_people(scope: Scope, pks: Sequence[int]) -> list[FoundPerson]:
    """These people in this order, with totals counted from their rows."""
    entries = Person.objects.in_bulk(list(pks))
    totals: Any = (
        attendances_of(scope, pks)
        .values("person_id")
        .annotate(
            found=Count("pk"),
            proved=Sum("proved_ms"),
            possible=Sum("possible_ms"),
            still_open=Count("pk", filter=Q(possible_ms__isnull=True)),
            shares=Sum("share"),
            known=Count("share"),
            first=Min("started_at"),
            last=Max("started_at"),
            **{f"sum_{name}": Sum(name) for name in _COUNTS},
        )
    )
    by_person = {total["person_id"]: total for total in totals}
    return [_found(entries[pk], by_person[pk]) for pk in pks if pk in by_person and pk in entries]


def _found(entry: Person, total: dict[str, Any]) -> FoundPerson:
    return FoundPerson(
        pk=entry.pk,
        key=bytes(entry.key),
        site=entry.site,
        external_user_id=entry.external_user_id,
        name=entry.name,
        sort_key=bytes(entry.sort_key),
        meetings=total["found"],
        proved_ms=int(total["proved"]),
        possible_ms=None if total["still_open"] else int(total["possible"]),
        share=_mean(total["shares"], total["known"]),
        first_at=total["first"],
        last_at=total["last"],
        **{name: int(total[f"sum_{name}"]) for name in _COUNTS},
    )
