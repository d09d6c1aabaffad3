"""Whether one thing is inside of what somebody may see: what is not is answered as if it were not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.store.derived import Summary
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.wanted import NO_BOUNDS

if TYPE_CHECKING:
    from rollcall.store.derived import Attendance, Course
    from rollcall.store.searching.wanted import Inside


def is_inside(summary: Summary, inside: Inside) -> bool:
    """Of a meeting. A reader bound to one person sees only the meetings that person was in."""
    if inside.bounds == NO_BOUNDS:
        return inside.organisation in {None, summary.organisation}
    scope = Scope(inside.filter())
    conditions = scope.times & scope.of_meetings() & scope.has_such_row()
    return Summary.objects.filter(conditions, pk=summary.pk).exists()


def has_attendance(attendance: Attendance, inside: Inside) -> bool:
    """Of a row of a meeting that is inside."""
    return inside.bounds.person is None or attendance.person_key == inside.bounds.person


def sees_course(course: Course, inside: Inside) -> bool:
    """Of a course as a whole, which somebody bound to one person never sees."""
    bounds = inside.bounds
    return (
        inside.organisation in {None, course.organisation}
        and bounds.site in {"", course.site}
        and bounds.course in {None, bytes(course.key)}
        and bounds.person is None
    )
