"""One class: a row per person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.reports import access, rows
from rollcall.reports.asking import bad_place, now
from rollcall.reports.meeting_page import meeting_parts
from rollcall.reports.pictures import people_present
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.subjects import meeting_of
from rollcall.reports.visible import visible
from rollcall.store import searching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.reports.rows import AttendeeRow, MeetingRow
    from rollcall.store.derived import Summary


@require_safe
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a class. A room's page is that of the class it belongs to."""
    access.require(request, REPORTS["meeting"], (str(pk),))
    summary = meeting_of(pk)
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
    return {"is_over": is_over, "missing": _missing(summary) if is_over else [], "drawn": drawn}


def _missing(summary: Summary) -> list[dict[str, str]]:
    """Who was in the last meetings of the course and not in this one; without a roster nothing more is known."""
    return [
        {
            "name": visible(person.name.strip() or _("(no name)")),
            "address": rows.person_page(bytes(person.key)) if person.is_user else "",
        }
        for person in searching.usually_here(summary)
    ]
