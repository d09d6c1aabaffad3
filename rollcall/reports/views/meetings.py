"""One class: a row per person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rollcall.reports import access
from rollcall.reports.addresses import person_page
from rollcall.reports.asking import bad_place, now
from rollcall.reports.meeting_page import meeting_parts
from rollcall.reports.pictures import people_present
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.subjects import meeting_of
from rollcall.reports.visible import visible
from rollcall.store.searching.usual import usually_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
    from rollcall.store.derived import Summary
    from rollcall.store.searching.usual import Usual


@require_safe
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a class. A room's page is that of the class it belongs to."""
    access.require(request, REPORTS["meeting"])
    summary = meeting_of(pk, access.inside(request))
    if summary.meeting_id != pk:
        return HttpResponseRedirect(f"/meetings/{summary.meeting_id}")
    parts = meeting_parts(
        summary,
        as_of=now(),
        zone=timezone.get_current_timezone(),
        after=request.GET.get("after", ""),
        opened=request.GET.get("open", ""),
    )
    if parts is None:
        raise bad_place()
    beside = _beside(summary, parts["meeting"], parts["everybody"])
    return render(request, "meeting.html", parts | beside | {"page": "meetings"})


def _beside(summary: Summary, meeting: MeetingRow, everybody: Sequence[AttendeeRow]) -> dict[str, Any]:
    """What stands beside the rows and does not change every second."""
    is_over, zone = not meeting.is_running, timezone.get_current_timezone()
    drawn = figures([people_present(everybody, meeting, zone)], zone) if everybody else ""
    missing = _missing(summary, meeting, everybody) if is_over else None
    return {"is_over": is_over, "missing": missing, "drawn": drawn}


def _missing(summary: Summary, meeting: MeetingRow, everybody: Sequence[AttendeeRow]) -> dict[str, Any]:
    """Who was in the last meetings of the course and not in this one; without a roster nothing more is known."""
    usual = usually_here(summary)
    people = [
        {
            "name": visible(person.name.strip() or _("(no name)")),
            "address": person_page(bytes(person.key)),
            "times": _("%(number)s of %(all)s") % {"number": times, "all": usual.compared},
        }
        for person, times in usual.people
    ]
    return {"people": people, "told": _told(usual), "notes": _doubts(meeting, everybody) if people else []}


def _told(usual: Usual) -> str:
    if usual.compared is None:
        return _("No LMS told which course this meeting belongs to, so it cannot be said who is missing.")
    if not usual.compared:
        return _("This is the first meeting of its course that was seen, so it cannot be said who is missing.")
    compared = {"count": usual.compared}
    if usual.people:
        return (
            ngettext(
                "No roster of this course is known. These people were in its last meeting "
                "and were not seen in this one:",
                "No roster of this course is known. These people were in more than half of its last %(count)d meetings "
                "and were not seen in this one:",
                usual.compared,
            )
            % compared
        )
    return (
        ngettext(
            "Everybody who was in the last meeting of this course was seen in this one. No roster of it is known, "
            "so nobody can say who should have been here.",
            "Everybody who was in more than half of the last %(count)d meetings of this course was seen in this one. "
            "No roster of it is known, so nobody can say who should have been here.",
            usual.compared,
        )
        % compared
    )


def _doubts(meeting: MeetingRow, everybody: Sequence[AttendeeRow]) -> list[str]:
    """Why one of them may have been there all the same."""
    notes = []
    if unknown := sum(one.attendance.kind != "user" for one in everybody):
        told = ngettext(
            "%(count)d guest or telephone caller was there, who may be one of them.",
            "%(count)d guests and telephone callers were there, who may be some of them.",
            unknown,
        )
        notes.append(told % {"count": unknown})
    if meeting.detail.blind:
        notes.append(_("Messages may be missing from a part of this meeting, and with them somebody's coming."))
    return notes
