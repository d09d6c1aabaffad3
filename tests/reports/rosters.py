"""Courses with a roster, for tests of what is told by it."""

from __future__ import annotations

from typing import Any

from rollcall.core.roster import Enrolled
from rollcall.lti import roster
from rollcall.store.derived import Attendance, Course, Person, Summary
from rollcall.store.keys import course_key, key_of, person_key
from tests.lti.asked_platform import make_context
from tests.lti.service_standin import Site
from tests.makers import at

SITE = "https://moodle.example.org"
COURSE: dict[str, Any] = {"course": "12", "label": "Algebra"}


def enrol(*people: Enrolled | str, moment: int | None = None, context_id: str = "12") -> Any:
    """A whole reading of the roster of the course, at nine in the morning or when it is said."""
    from rollcall.store.platforms import Context

    context = Context.objects.filter(key=key_of(context_id)).first()
    context = context or make_context(Site(base=SITE), context_id, roster_due_at=None)
    told = [Enrolled(one, is_learner=True) if isinstance(one, str) else one for one in people]
    roster.keep(context.pk, {one.user_id: one for one in told}, at("09:00") if moment is None else moment)
    return context


def owned(summary: Summary, context: Any) -> Summary:
    """The meeting as a fold would leave it whose site is that of this platform."""
    organisation = context.platform.organisation_id
    Summary.objects.filter(pk=summary.pk).update(organisation=organisation)
    Attendance.objects.filter(summary=summary).update(organisation=organisation)
    if summary.course is not None:
        key = course_key(SITE, summary.course.context_id, organisation)
        if (known := Course.objects.filter(key=key).first()) is not None:
            Summary.objects.filter(pk=summary.pk).update(course=known)
        else:
            Course.objects.filter(pk=summary.course.pk).update(organisation=organisation, key=key)
    for person in Person.objects.filter(attendance__summary=summary, is_user=True).exclude(organisation=organisation):
        key = person_key(SITE, person.external_user_id, organisation)
        if (mine := Person.objects.filter(key=key).first()) is not None:
            Attendance.objects.filter(summary=summary, person=person).update(person=mine)
        else:
            Person.objects.filter(pk=person.pk).update(organisation=organisation, key=key)
    return Summary.objects.select_related("course", "meeting").get(pk=summary.pk)
