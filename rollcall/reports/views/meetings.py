"""One class: a row per person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.core.access import Area, may
from rollcall.reports import access
from rollcall.reports.addresses import person_page
from rollcall.reports.asking import bad_place, now
from rollcall.reports.meeting_page import meeting_parts
from rollcall.reports.missing import missing_of
from rollcall.reports.pictures import people_present
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.subjects import meeting_of
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
    from rollcall.reports.missing import Missing
    from rollcall.store.searching import Inside


@require_safe
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a class. A room's page is that of the class it belongs to."""
    reader = access.require(request, REPORTS["meeting"])
    inside = access.inside(request)
    summary = meeting_of(pk, inside)
    if summary.meeting_id != pk:
        return HttpResponseRedirect(f"/meetings/{summary.meeting_id}")
    parts = meeting_parts(
        summary,
        as_of=now(),
        zone=timezone.get_current_timezone(),
        after=request.GET.get("after", ""),
        opened=request.GET.get("open", ""),
        runs_it=may(reader, Area.SERVERS),
    )
    if parts is None:
        raise bad_place()
    beside = _beside(parts["meeting"], parts["everybody"], inside)
    beside["activity"] = bytes(summary.activity_key).hex()
    return render(request, "meeting.html", parts | beside | {"page": "meetings"})


def _beside(meeting: MeetingRow, everybody: Sequence[AttendeeRow], inside: Inside) -> dict[str, Any]:
    """What stands beside the rows and does not change every second."""
    zone = timezone.get_current_timezone()
    drawn = figures([people_present(everybody, meeting, zone)], zone) if everybody else ""
    missing = missing_of(meeting, everybody, zone, inside)
    return {"is_over": missing is not None, "missing": _missing(missing) if missing else None, "drawn": drawn}


def _missing(missing: Missing) -> dict[str, Any]:
    people = [
        {
            "name": visible(person.name.strip() or _("(no name)")),
            "address": person_page(person.key),
            "times": person.short,
        }
        for person in missing.people
    ]
    return {"title": missing.title, "people": people, "told": missing.told, "notes": missing.notes}
