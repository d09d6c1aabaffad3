"""Verdicts of all activities that somebody may see, each with what is owed to an LMS for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, OuterRef, Q

from rollcall.store.completions import Completion
from rollcall.store.decisions import Activity
from rollcall.store.derived import Attendance, Summary
from rollcall.store.fields import storable
from rollcall.store.keys import key_of
from rollcall.store.owed import Owed
from rollcall.store.owed_reading import SWITCHED_OFF
from rollcall.store.searching.directory import contains
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import Scope, bounds_condition
from rollcall.store.searching.walking import Taken, page_of, take_sorted
from rollcall.store.searching.wanted import Filter, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Bounds, Inside

BY_ACTIVITY: Final = Order(("activity_id", "sort_key", "id"))
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class FoundCompletion:
    """One person's verdict in one activity, the name of that by a meeting that is seen, and what targets are owed."""

    completion: Completion
    activity: str
    owed: tuple[Owed, ...]


def completions_page(wanted: Filter, *, after: str = "", before: str = "", limit: int) -> Page[FoundCompletion]:
    """A page of them, by activity and name; teachers, of whom nothing is delivered, are left out."""
    rows = rows_of(wanted)

    def take(order: Order, start: Place | None, limit: int) -> Taken:
        return take_sorted(rows, order, start, limit=limit)

    found = page_of(take, BY_ACTIVITY, (int, bytes, int), after=after, before=before, limit=limit)
    return Page(_found([place[-1] for place in found.rows], wanted.bounds), found.before, found.after)


def completions_of(user_id: str, site: str, inside: Inside, *, limit: int) -> list[FoundCompletion]:
    """The verdicts of one user of an LMS, inside some bounds, whoever's they are; also of one on the roster alone."""
    bounds = replace(inside.bounds, person=None)
    rows = rows_of(Filter(user=user_id, site=site, organisation=inside.organisation, bounds=bounds))
    return _found(list(rows.order_by(*BY_ACTIVITY.sorting()).values_list("pk", flat=True)[:limit]), inside.bounds)


def every_completion(wanted: Filter) -> Iterator[FoundCompletion]:
    """All of them, read as they are asked for."""
    after = ""
    while True:
        found = completions_page(wanted, after=after, limit=_AT_ONCE)
        yield from found.rows
        if not (after := found.after):
            return


def rows_of(wanted: Filter) -> QuerySet[Completion]:
    """What a filter finds."""
    rows = Completion.objects.filter(in_groups_seen(wanted.bounds), is_teacher=False)
    if wanted.organisation is not None:
        rows = rows.filter(organisation=wanted.organisation)
    scope = Scope(wanted)
    if scope.has_meeting_conditions():
        of_activity = {"activity_key": OuterRef("key"), "organisation": OuterRef("organisation")}
        meetings = Summary.objects.filter(scope.of_meetings(), **of_activity)
        rows = rows.filter(activity__in=Activity.objects.filter(Exists(meetings)).order_by())
    if wanted.name.strip():
        rows = rows.filter(contains(wanted.name, "name_key"))
    if wanted.user:
        rows = rows.filter(user_key=key_of(wanted.user))
    if wanted.bounds.person is not None:
        rows = rows.filter(person__key=wanted.bounds.person)
    if wanted.verdict:
        rows = rows.filter(verdict=storable(wanted.verdict))
    return rows.filter(_is_owed(wanted.delivery)) if wanted.delivery else rows


def in_groups_seen(bounds: Bounds) -> Q:
    """Of a verdict: who sees some groups sees those who were in a room of theirs."""
    if bounds.groups is None:
        return Q()
    seen = Attendance.objects.filter(
        bounds_condition(bounds, "summary__"),
        person=OuterRef("person"),
        summary__activity_key=OuterRef("activity__key"),
        summary__organisation=OuterRef("organisation"),
    )
    return Q(Exists(seen))


def _is_owed(state: str) -> Q:
    of_person = {"target__activity": OuterRef("activity"), "user_key": OuterRef("user_key")}
    return Q(Exists(Owed.objects.filter(state=storable(state), **of_person).exclude(SWITCHED_OFF)))


def _found(pks: Sequence[int], bounds: Bounds) -> list[FoundCompletion]:
    held = Completion.objects.select_related("activity", "person").in_bulk(list(pks))
    several = [held[pk] for pk in pks if pk in held]
    owed: defaultdict[tuple[int, bytes], list[Owed]] = defaultdict(list)
    of_people = Owed.objects.filter(
        target__activity__in={one.activity_id for one in several}, user_key__in={bytes(one.user_key) for one in several}
    )
    for row in of_people.exclude(SWITCHED_OFF).select_related("target__receiver").order_by("target"):
        owed[row.target.activity_id, bytes(row.user_key)].append(row)
    names = _names({one.activity_id: one.activity for one in several}.values(), bounds)
    return [
        FoundCompletion(one, names[one.activity_id], tuple(owed[one.activity_id, bytes(one.user_key)]))
        for one in several
    ]


def _names(activities: Iterable[Activity], bounds: Bounds) -> dict[int, str]:
    """By ids: what each is called, to whoever does not see all of it by a meeting that they see or were in."""
    if bounds.groups is None and bounds.person is None:
        return {one.pk: one.label for one in activities}
    return {one.pk: _name_seen(one, bounds) for one in activities}


def _name_seen(one: Activity, bounds: Bounds) -> str:
    held = Summary.objects.filter(organisation=one.organisation, activity_key=bytes(one.key))
    seen = held.filter(bounds_condition(bounds))
    if bounds.person is not None:
        was_in = Attendance.objects.filter(summary=OuterRef("pk"), person__key=bounds.person)
        is_of_all = not held.exclude(group_id="").exists()
        seen = seen if is_of_all else seen.filter(Exists(was_in))
    return seen.order_by("-started_at", "-id").values_list("name", flat=True).first() or ""
