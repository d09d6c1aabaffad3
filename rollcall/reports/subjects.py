"""What a report is about: the meeting, person or course of an address, or a sentence saying that there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.http import Http404
from django.utils.translation import gettext as _

from rollcall.store import reading, searching
from rollcall.store.searching import Filter

if TYPE_CHECKING:
    from rollcall.store.derived import Attendance, Course, Summary
    from rollcall.store.searching import FoundPerson


def meeting_of(pk: int) -> Summary:
    """The meeting, or the one that this is a room of."""
    summary = reading.meeting(pk)
    if summary is None:
        if reading.is_refused(pk):
            raise Http404(_("Nothing of this meeting is kept: capture is switched off for it."))
        raise Http404(_("There is no such meeting, or nothing of it has been worked out yet."))
    return summary


def attendance_of(summary: Summary, key: str) -> Attendance:
    """One person of a meeting."""
    attendance = reading.attendee(summary, bytes.fromhex(key))
    if attendance is None:
        raise Http404(_("There is no such person in this meeting."))
    return attendance


def person_of(key: str, wanted: Filter) -> FoundPerson:
    """A person with their totals over the meetings of a filter, which may be none."""
    found = searching.person(bytes.fromhex(key), wanted)
    if found is not None:
        return found
    found = searching.person(bytes.fromhex(key), Filter())
    if found is None:
        raise Http404(_("Nobody of that kind was in any meeting."))
    return replace(found, meetings=0, proved_ms=0, possible_ms=0, share=None)


def course_of(key: str) -> Course:
    """One course."""
    found = searching.course(bytes.fromhex(key))
    if found is None:
        raise Http404(_("There is no such course."))
    return found
