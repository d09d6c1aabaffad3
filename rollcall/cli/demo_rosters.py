"""The rosters of the demo's courses, as its two LMSs would tell them: with some who never come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.core.roster import Enrolled
from rollcall.lti import roster
from rollcall.simulate.school import COURSES
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Platform

if TYPE_CHECKING:
    from rollcall.simulate.school import Course, School

WEEK_MS: Final = 7 * 24 * 60 * 60 * 1000
NEVER_CAME: Final = (Enrolled("901", "Mira Solberg", is_learner=True), Enrolled("902", is_learner=True))
"""The second is of those whose name the LMS does not share."""


def enrol(school: School, weeks: int, now: int) -> None:
    """Everybody of each course, since before the first of so many weeks; nothing where rosters are known already."""
    for platform in Platform.objects.filter(site__in={f"https://{course.site}" for course in COURSES}):
        for course in COURSES:
            if f"https://{course.site}" == platform.site:
                _enrol(platform, school, course, (now - (weeks + 2) * WEEK_MS, now))


def _enrol(platform: Platform, school: School, course: Course, readings: tuple[int, ...]) -> None:
    number = str(course.number)
    context, is_new = Context.objects.get_or_create(
        platform=platform,
        key=key_of(number),
        defaults={"context_id": number, "label": course.label, "title": course.name, "launched_at": readings[-1]},
    )
    if not is_new:
        return
    people = [
        Enrolled(one.key, one.name, is_instructor=one.role == "MODERATOR", is_learner=one.role == "VIEWER")
        for one in school.cast(course)
        if not one.is_guest and not one.is_dial_in
    ]
    for moment in readings:
        roster.keep(context.pk, {one.user_id: one for one in (*people, *NEVER_CAME)}, moment)
