"""What was heard: of a class, and of one person in it with why their numbers are what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from rollcall.reports import access
from rollcall.reports.addresses import person_page
from rollcall.reports.completion import class_sentences
from rollcall.reports.details import attendance_detail
from rollcall.reports.explaining import explain
from rollcall.reports.facts import facts_of_attendee, facts_of_meeting, page_of_facts
from rollcall.reports.registry import REPORTS
from rollcall.reports.subjects import attendance_of, meeting_of
from rollcall.reports.views.frame import files
from rollcall.store import reading
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.http import HttpRequest, HttpResponse

    from rollcall.store.derived import Attendance, Summary

PAGE = 200


@require_safe
def meeting_facts(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that was heard of a class, in the order of its times."""
    access.require(request, REPORTS["facts"])
    summary = meeting_of(pk, access.inside(request))
    found = page_of_facts(summary, after=request.GET.get("after", ""), limit=PAGE)
    lines = facts_of_meeting(summary, found.rows, timezone.get_current_timezone())
    names = _names(summary)
    context = {
        "page": "meetings",
        "summary": summary,
        "facts": [(line, names.get(line.participant, "")) for line in lines],
        "has_rooms": any(line.room for line in lines),
        "more": f"?after={found.after}" if found.after else "",
        "files": files(request.path, ""),
    }
    return render(request, "facts.html", context)


def _names(summary: Summary) -> dict[str, str]:
    """Who each connection was."""
    return {
        session.participant: visible(one.name)
        for one in reading.attendees(summary)
        for session in attendance_detail(one.detail).sessions
        if session.participant and one.name.strip()
    }


@require_safe
def attendee_facts(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Everything that was heard of one person in a class."""
    access.require(request, REPORTS["facts-of-person"])
    inside = access.inside(request)
    summary = meeting_of(pk, inside)
    attendance = attendance_of(summary, key, inside)
    zone = timezone.get_current_timezone()
    facts = facts_of_attendee(summary, attendance, zone, is_alone=inside.bounds.person is not None)
    context = {
        "page": "meetings",
        "summary": summary,
        "attendance": attendance,
        "own_page": person_page(inside.bounds.person),
        "why": explain(summary, attendance, zone),
        "verdict": _verdict(summary, attendance, zone),
        "facts": [(fact, "") for fact in facts],
        "has_rooms": any(fact.room for fact in facts),
        "files": files(request.path, ""),
    }
    return render(request, "facts.html", context)


def _verdict(summary: Summary, attendance: Attendance, zone: tzinfo) -> str:
    """What this class comes to, where its activity asks for something; blank for guests."""
    user = attendance.external_user_id
    return class_sentences(summary, zone, [user]).get(user, "") if user and attendance.kind == "user" else ""
