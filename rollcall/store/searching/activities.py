"""The activities whose classes somebody may see, each by its newest meeting; and of whoever is in one, the verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Exists, OuterRef, Q

from rollcall.store.completions import Completion
from rollcall.store.decisions import Activity, Decision
from rollcall.store.derived import Summary
from rollcall.store.keys import course_key
from rollcall.store.searching.completions import in_groups_seen
from rollcall.store.searching.directory import contains
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.scope import Scope, bounds_condition
from rollcall.store.searching.walking import Taken, page_of, take_sorted
from rollcall.store.searching.wanted import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Filter, Inside

NEWEST_FIRST: Final = Order(("started_at", "id"), is_descending=True)
BY_NAME: Final = Order(("sort_key", "id"))
TEACHERS: Final = "teachers"
"""Beside the values of a verdict: those of whom nothing is delivered."""


@dataclass(frozen=True, slots=True)
class FoundActivity:
    """An activity as its newest meeting that is seen describes it. `last_at` (epoch ms) is None without any.

    `key` is within its `organisation`; `course` is the key of its Course, None where it has none.
    """

    key: bytes
    organisation: int
    site: str
    context_id: str
    name: str
    course: bytes | None = None
    course_name: str = ""
    last_at: int | None = None

    @property
    def hexed(self) -> str:
        """As it stands in addresses."""
        return self.key.hex()


def activity(key: bytes, inside: Inside) -> FoundActivity | None:
    """One of them. Whoever sees a course sees its activities without a meeting too, if anything was decided of them."""
    newest = _seen(inside).filter(activity_key=key).select_related("course").order_by("-started_at", "-id").first()
    if newest is not None:
        return _of_meeting(newest)
    return None if inside.bounds.groups is not None or inside.bounds.person is not None else _decided(key, inside)


def activities(wanted: Filter, *, after: str = "", before: str = "", limit: int) -> Page[FoundActivity]:
    """A page of them, the one that met last first; `wanted.meeting` is looked for in what the newest is called."""
    scope = Scope(wanted)
    seen = bounds_condition(wanted.bounds)
    newer = Q(started_at__gt=OuterRef("started_at")) | Q(started_at=OuterRef("started_at"), id__gt=OuterRef("id"))
    others = Summary.objects.filter(
        newer & seen, organisation=OuterRef("organisation"), activity_key=OuterRef("activity_key")
    )
    rows = Summary.objects.filter(scope.times, scope.of_meetings()).filter(~Exists(others))

    def take(order: Order, start: Place | None, limit: int) -> Taken:
        return take_sorted(rows, order, start, limit=limit)

    found = page_of(take, NEWEST_FIRST, (int, int), after=after, before=before, limit=limit)
    held = Summary.objects.select_related("course").in_bulk([place[-1] for place in found.rows])
    return Page([_of_meeting(held[place[-1]]) for place in found.rows if place[-1] in held], found.before, found.after)


def known(several: Iterable[FoundActivity]) -> dict[tuple[int, bytes], Activity]:
    """Those of them of which somebody has decided something, by organisation and key."""
    wanted = {(one.organisation, one.key) for one in several}
    rows = Activity.objects.filter(key__in=[key for _, key in wanted])
    return {place: row for row in rows if (place := (row.organisation, bytes(row.key))) in wanted}


def seen_meetings(of: FoundActivity, inside: Inside) -> set[int]:
    """The ids of its meetings that are seen."""
    rows = _seen(inside).filter(activity_key=of.key, organisation=of.organisation)
    return set(rows.values_list("meeting", flat=True))


def with_policy(several: Iterable[Activity]) -> set[int]:
    """The ids of those of them for which a policy was ever published."""
    rows = Decision.objects.filter(activity__in=[one.pk for one in several], kind="policy")
    return set(rows.values_list("activity", flat=True))


# --- verdicts ---------------------------------------------------------------------------------------------------------


def completions(of: Activity, inside: Inside) -> QuerySet[Completion]:
    """Everybody's verdict that is seen. Who sees some groups sees those who were in a room of theirs."""
    return Completion.objects.filter(in_groups_seen(inside.bounds), activity=of)


def completions_page(  # noqa: PLR0913 - what is asked for, and where the page is
    of: Activity, inside: Inside, *, verdict: str, name: str, after: str, before: str, limit: int
) -> Page[Completion]:
    """A page of them by name: of one verdict (blank: all but teachers), of whom a name is."""
    rows = completions(of, inside).filter(is_teacher=verdict == TEACHERS)
    if verdict and verdict != TEACHERS:
        rows = rows.filter(verdict=verdict)
    if name.strip():
        rows = rows.filter(contains(name, "name_key"))

    def take(order: Order, start: Place | None, limit: int) -> Taken:
        return take_sorted(rows, order, start, limit=limit)

    found = page_of(take, BY_NAME, (bytes, int), after=after, before=before, limit=limit)
    held = Completion.objects.select_related("person").in_bulk([place[-1] for place in found.rows])
    return Page([held[place[-1]] for place in found.rows if place[-1] in held], found.before, found.after)


def counts(of: Activity, inside: Inside) -> Mapping[str, int]:
    """How many there are of each verdict; teachers stand apart."""
    rows = completions(of, inside).order_by().values_list("verdict", "is_teacher").annotate(Count("id"))
    counted: dict[str, int] = {}
    for verdict, is_teacher, number in rows:
        word = TEACHERS if is_teacher else verdict
        counted[word] = counted.get(word, 0) + number
    return counted


def counts_of_each(several: Iterable[Activity]) -> dict[int, dict[str, int]]:
    """The same of several activities, by their ids, without teachers."""
    rows = Completion.objects.filter(activity__in=[one.pk for one in several], is_teacher=False).order_by()
    found: dict[int, dict[str, int]] = {}
    for pk, verdict, number in rows.values_list("activity", "verdict").annotate(Count("id")):
        found.setdefault(pk, {})[verdict] = number
    return found


# --- one of them ------------------------------------------------------------------------------------------------------


def _seen(inside: Inside) -> QuerySet[Summary]:
    scope = Scope(inside.filter())
    return Summary.objects.filter(scope.times, scope.of_meetings())


def _of_meeting(newest: Summary) -> FoundActivity:
    course = newest.course
    return FoundActivity(
        key=bytes(newest.activity_key),
        organisation=newest.organisation,
        site=newest.site,
        context_id=newest.context_id,
        name=newest.name,
        course=None if course is None else bytes(course.key),
        course_name="" if course is None else course.label or course.context_id,
        last_at=newest.started_at,
    )


def _decided(key: bytes, inside: Inside) -> FoundActivity | None:
    rows = Activity.objects.filter(key=key)
    if inside.organisation is not None:
        rows = rows.filter(organisation=inside.organisation)
    for row in rows:
        course = course_key(row.site, row.context_id, row.organisation) if row.context_id else None
        if inside.bounds.site in {"", row.site} and inside.bounds.course in {None, course}:
            return FoundActivity(key, row.organisation, row.site, row.context_id, row.label, course, row.context_id)
    return None
