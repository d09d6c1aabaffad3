"""Who mostly comes to a course and was not seen in one of its meetings: there is no roster, so the last ones tell."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from rollcall.store.derived import Attendance, Person, Summary
from rollcall.store.searching.scope import bounds_condition
from rollcall.store.searching.wanted import NO_BOUNDS, Bounds

_LAST: Final = 5
"""How many meetings of a course tell who usually comes."""


class Usual(NamedTuple):
    """How many meetings were compared, None where no course is known; who was in how many of them, by name."""

    compared: int | None
    people: list[tuple[Person, int]]


def usually_here(summary: Summary, bounds: Bounds = NO_BOUNDS) -> Usual:
    """Users who were in more than half of the course's last meetings, and not in this one.

    A room of one group is compared with rooms of that group, and with none outside of the bounds of whoever asks.
    """
    if summary.course_id is None:
        return Usual(None, [])
    of_course = Summary.objects.filter(course=summary.course_id, group_id=summary.group_id)
    earlier = of_course.filter(bounds_condition(bounds), started_at__lt=summary.started_at)
    last = list(earlier.order_by("-started_at").values_list("pk", flat=True)[:_LAST])
    if not last:
        return Usual(0, [])
    seen = Attendance.objects.filter(summary__in=last).values_list("summary_id", "person_id")
    times = Counter(person for _meeting, person in set(seen))
    here = set(summary.attendance.values_list("person_id", flat=True))
    usual = [pk for pk, count in times.items() if pk not in here and 2 * count > len(last)]
    people = Person.objects.filter(pk__in=usual, is_user=True).order_by("sort_key", "key")
    return Usual(len(last), [(person, times[person.pk]) for person in people])
