"""A filter brought down to conditions on rows: words are looked up once, and small sets are known by their ids."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import and_
from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThanOrEqual

from rollcall.store.derived import UNCLAIMED, Attendance, Summary
from rollcall.store.fields import storable
from rollcall.store.searching.clock import clock_condition, has_clock
from rollcall.store.searching.directory import MOST, Chosen, courses_of, meetings_named, people_of
from rollcall.store.searching.enrolled import stands
from rollcall.store.searching.wanted import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Bounds, Filter

FEW_ROWS = 20_000
"""Attendances that are sorted as they come; of more, a list is walked in the order of an index."""

_TOGETHER = 2
"""So many times more are sorted of known meetings: those of one meeting lie together."""

LOOKED_AT = 15_000
"""Rows that a walk tests before it gives a page as far as it is."""

_PEOPLE_OF_ONE = 20
"""A meeting's people, as a rule."""

IS_USER = Q(kind="user") & Q(GreaterThan(Length("external_user_id"), 0))
"""Of an attendance: that it is of a user of the directory, without a look there."""

_AT_LEAST = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")


@dataclass(frozen=True)
class Few:
    """All meetings of a filter, known by their ids, and how many attendances they have together."""

    ids: tuple[int, ...]
    attendances: int


@dataclass(frozen=True)
class Scope:
    """One filter while it is answered; a walk may test `budget` rows for it."""

    wanted: Filter
    budget: int = LOOKED_AT

    @property
    def cost(self) -> int:
        """In rows: to know whether somebody of the filter was in it, a meeting's people are looked at."""
        return _PEOPLE_OF_ONE if self.has_row_conditions() else 1

    @cached_property
    def people(self) -> Chosen | None:
        """Who is named."""
        return people_of(self.wanted)

    @cached_property
    def courses(self) -> Chosen | None:
        """Which courses are spoken of."""
        return courses_of(self.wanted)

    @cached_property
    def named(self) -> Chosen | None:
        """Which meetings are named."""
        return meetings_named(self.wanted)

    def of_organisation(self, organisation: int) -> Scope:
        """The same inside one organisation."""
        if self.wanted.organisation == organisation:
            return self
        return Scope(replace(self.wanted, organisation=organisation), self.budget)

    def within(self, budget: int) -> Scope:
        """The same with another budget; what was looked up already is kept."""
        same = copy(self)
        object.__setattr__(same, "budget", budget)
        return same

    # --- conditions ---------------------------------------------------------------------------------------------------

    @cached_property
    def times(self) -> Q:
        """Of whatever has an organisation and began at some time: a meeting, or an attendance."""
        wanted, condition = self.wanted, Q()
        if wanted.organisation is not None:
            condition &= Q(organisation=wanted.organisation)
        if wanted.since is not None:
            condition &= Q(started_at__gte=wanted.since)
        if wanted.until is not None:
            condition &= Q(started_at__lt=wanted.until)
        return condition

    @property
    def organisation(self) -> int:
        """Inside which this is asked; UNCLAIMED if it is asked of all."""
        return UNCLAIMED if self.wanted.organisation is None else self.wanted.organisation

    def times_only(self) -> Q:
        """The time alone."""
        return Scope(replace(self.wanted, organisation=None)).times

    @cached_property
    def tested_times(self) -> Q:
        """The same as `times` where rows are found by something better than their organisation.

        Without statistics a planner takes `organisation = ?` for as good an index as any; of a sum it cannot use one.
        """
        if self.wanted.organisation is None:
            return self.times
        return self.times_only() & Q(Exact(F("organisation") + 0, self.wanted.organisation))

    @cached_property
    def clock(self) -> Q:
        """The weekday and the time of day, of a meeting or an attendance."""
        if not has_clock(self.wanted):
            return Q()
        first, last = bounds_of(Summary.objects.filter(self.times))
        return clock_condition(self.wanted, "started_at", first, last)

    def has_meeting_conditions(self) -> bool:
        """Whether meetings are told apart by more than organisation, time and clock."""
        wanted, bounds = self.wanted, self.wanted.bounds
        is_asked = wanted.meeting.strip() or wanted.course.strip() or wanted.server or wanted.site or wanted.state
        return bool(is_asked or bounds.site or bounds.course or bounds.groups is not None)

    def of_meetings(self, prefix: str = "") -> Q:
        """What is asked of meetings beside organisation, time and clock."""
        wanted, condition = self.wanted, _state_is(self.wanted, prefix)
        if wanted.server:
            condition &= Q(**{f"{prefix}pool_name": storable(wanted.server)})
        if wanted.site:
            condition &= Q(**{f"{prefix}site": storable(wanted.site)})
        condition &= bounds_condition(wanted.bounds, prefix)
        if self.courses is not None:
            condition &= self.courses.condition(f"{prefix}course")
        if self.named is not None:
            condition &= (
                self.named.means(prefix) if self.named.ids is None else Q(**{f"{prefix}pk__in": self.named.ids})
            )
        return condition

    def has_row_conditions(self) -> bool:
        """Whether not all attendances of a meeting are meant."""
        return self.people is not None or bool(self.of_rows)

    @cached_property
    def of_rows(self) -> Q:
        """What is asked of attendances beside who it is."""
        wanted = self.wanted
        asked = {f"{name}__gte": getattr(wanted, name) for name in _AT_LEAST if getattr(wanted, name)}
        texts = {"role": wanted.role, "kind": wanted.kind}
        asked |= {name: storable(text) for name, text in texts.items() if text}
        bounds = (
            ("proved_ms", GreaterThanOrEqual, wanted.min_ms),
            ("possible_ms", LessThanOrEqual, wanted.max_ms),
            ("share", GreaterThanOrEqual, wanted.min_share),
            ("share", LessThanOrEqual, wanted.max_share),
        )
        # Of a sum no index is read: rows are found by something better, and an index of all shares is no way to them.
        tests = [Q(test(F(name) + 0, value)) for name, test, value in bounds if value is not None]
        if wanted.roster:
            tests.append(stands(wanted.roster))
        return reduce(and_, tests, Q(**asked))

    def of_people(self) -> Q:
        """Who it is, of an attendance."""
        return Q() if self.people is None else self.people.condition("person")

    def has_such_row(self) -> Q:
        """Of a meeting: that somebody of the filter was in it."""
        if not self.has_row_conditions():
            return Q()
        return Q(Exists(Attendance.objects.filter(self.of_rows & self.of_people(), summary=OuterRef("pk"))))

    # --- small sets ---------------------------------------------------------------------------------------------------

    @cached_property
    def few_meetings(self) -> Few | None:
        """The meetings, if one of the indexes shows that there are at most MOST; the rows in them are not asked."""
        for source in self._sources():
            ids = list(source.order_by().values_list("pk", flat=True)[: MOST + 1])
            if len(ids) <= MOST:
                return self._few(ids)
        return None

    def _few(self, ids: list[int]) -> Few:
        rows = Summary.objects.filter(self.tested_times, self.clock, self.of_meetings(), pk__in=ids)
        found = list(rows.order_by().values_list("pk", "attendees"))
        return Few(tuple(pk for pk, _ in found), sum(attendees for _, attendees in found))

    def _sources(self) -> Iterator[QuerySet[Summary]]:
        if self.named is not None and self.named.ids is not None:
            yield Summary.objects.filter(pk__in=self.named.ids)
        if self.courses is not None and self.courses.ids is not None:
            yield Summary.objects.filter(self.tested_times, course__in=self.courses.ids)
        if self.wanted.state is State.RUNNING:
            yield Summary.objects.filter(self.tested_times, ended_possible_at__isnull=True)
        if self.wanted.server:
            yield Summary.objects.filter(self.tested_times, pool_name=storable(self.wanted.server))
        yield Summary.objects.filter(self.times)

    def tested_meetings(self) -> QuerySet[Summary]:
        """The meetings of the filter, however many; the rows in them are not asked."""
        return Summary.objects.filter(self.times, self.clock, self.of_meetings()).order_by()

    @cached_property
    def rows_of_people(self) -> QuerySet[Attendance] | None:
        """The attendances of the people in the time, if they are known by ids: for the index that has no more."""
        if self.people is None or self.people.ids is None:
            return None
        return Attendance.objects.filter(self.times_only(), person__in=self.people.ids)

    @cached_property
    def few_rows(self) -> QuerySet[Attendance] | None:
        """The attendances of the filter, if there are at most FEW_ROWS to look at; else None."""
        everything = self.of_rows & self.of_people()
        rows = self.rows_of_people
        if rows is not None and rows.order_by()[: FEW_ROWS + 1].count() <= FEW_ROWS:
            few = self.few_meetings if self.has_meeting_conditions() else None
            is_in = Q(summary__in=few.ids) if few else self.of_meetings("summary__")
            return rows.filter(everything & self.clock & is_in)
        few = self.few_meetings
        if few is not None and few.attendances <= _TOGETHER * FEW_ROWS:
            return Attendance.objects.filter(everything, summary__in=few.ids)
        return None


def scope_of(asked: Filter | Scope) -> Scope:
    """A filter that is not answered yet, or one whose words were looked up for another question already."""
    return asked if isinstance(asked, Scope) else Scope(asked)


def bounds_condition(bounds: Bounds, prefix: str = "") -> Q:
    """Of a meeting: that it is of the site and the groups. Course and person are looked up, see `directory`."""
    condition = Q(**{f"{prefix}site": storable(bounds.site)}) if bounds.site else Q()
    if bounds.groups is not None:
        of_groups = Summary.objects.filter(activity_key=OuterRef(f"{prefix}activity_key")).exclude(group_id="")
        is_of_all = Q(**{f"{prefix}group_id": ""}) & ~Exists(of_groups)
        condition &= is_of_all | Q(**{f"{prefix}group_id__in": bounds.groups})
    return condition


def organisations() -> list[int]:
    """All that have meetings, a step on the index for each."""
    found: list[int] = []
    rows = Summary.objects.order_by("organisation").values_list("organisation", flat=True)
    while (following := (rows.filter(organisation__gt=found[-1]) if found else rows).first()) is not None:
        found.append(following)
    return found


def bounds_of(rows: QuerySet[Summary]) -> tuple[int, int]:
    """When the first and the last of some meetings began, by the ends of an index."""
    ends = [
        rows.order_by(order).values_list("started_at", flat=True).first() for order in ("started_at", "-started_at")
    ]
    return (ends[0] or 0, ends[1] or 0)


def _state_is(wanted: Filter, prefix: str) -> Q:
    is_running = Q(**{f"{prefix}ended_possible_at__isnull": True})
    will_settle = Q(**{f"{prefix}settles_at__gt": wanted.as_of})
    match wanted.state:
        case None:
            return Q()
        case State.RUNNING:
            return is_running
        case State.ENDED:
            return ~is_running & will_settle
        case State.SETTLED:
            is_settled = Q(**{f"{prefix}settles_at__isnull": True}) | Q(**{f"{prefix}settles_at__lte": wanted.as_of})
            return ~is_running & is_settled
