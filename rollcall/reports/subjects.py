"""What a report is about: the meeting, person or course of an address, or a sentence saying that there is none.

What is outside of what a reader may see is not there for them, and is answered with the very same sentence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.http import Http404
from django.utils.translation import gettext as _

from rollcall.store import reading, searching

if TYPE_CHECKING:
    from rollcall.store.derived import Attendance, Course, Summary
    from rollcall.store.searching import Filter, FoundPerson, Inside


def meeting_of(pk: int, inside: Inside) -> Summary:
    """The meeting, or the one that this is a room of."""
    summary = reading.meeting(pk)
    if summary is not None and searching.is_inside(summary, inside):
        return summary
    if not inside.organisation and reading.is_refused(pk):
        raise Http404(_("Nothing of this meeting is kept: capture is switched off for it."))
    raise Http404(_("There is no such meeting, or nothing of it has been worked out yet."))


def attendance_of(summary: Summary, key: str, inside: Inside) -> Attendance:
    """One person of a meeting that is inside."""
    attendance = reading.attendee(summary, bytes.fromhex(key))
    if attendance is None or not searching.has_attendance(attendance, inside):
        raise Http404(_("There is no such person in this meeting."))
    return attendance


def person_of(key: str, wanted: Filter) -> FoundPerson:
    """A person with their totals over the meetings of a filter, which may be none."""
    found = searching.person(bytes.fromhex(key), wanted)
    if found is not None:
        return found
    found = searching.person(bytes.fromhex(key), wanted.inside.filter())
    if found is None:
        raise Http404(_("Nobody of that kind was in any meeting."))
    return replace(found, meetings=0, proved_ms=0, possible_ms=0, share=None)


def course_of(key: str, inside: Inside) -> Course:
    """One course."""
    found = searching.course(bytes.fromhex(key))
    if found is None or not searching.sees_course(found, inside):
        raise Http404(_("There is no such course."))
    return found
