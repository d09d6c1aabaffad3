"""The live page of a class, and where a page asks for the address of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from rollcall.live import now_html, snapshot
from rollcall.live.access import stream_address
from rollcall.live.grounds import grounds_of
from rollcall.live.snapshot import FORMS, PAGE, View
from rollcall.lti import visits
from rollcall.lti.entering import visit_of
from rollcall.reports import access
from rollcall.store import reading, searching
from rollcall.store.reading import State

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.store.derived import Summary


@require_GET
def watch(request: HttpRequest, pk: int) -> HttpResponse:
    """The address of a stream, for whoever may see the meeting's page; it is good for a minute."""
    summary, after = _meeting(request, pk), request.GET.get("after", "")
    if summary.meeting_id != pk or not _is_somebody(summary, after):
        raise Http404(_("There is no such meeting."))
    form = request.GET.get("form", PAGE)
    view = View(
        meeting=pk,
        zone=timezone.get_current_timezone(),
        language=translation.get_language() or "en",
        form=form if form in FORMS else PAGE,
        after=after,
    )
    visit = visit_of(request)
    session = visits.name(visit) if visit else request.session.session_key
    return JsonResponse({"stream": stream_address(view, session, grounds_of(request))})


@require_safe
def live_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is in now. Of a meeting that is over there is only its page."""
    summary = _meeting(request, pk)
    now = snapshot.now()
    if reading.state_of(summary, as_of=now) is not State.RUNNING:
        return HttpResponseRedirect(f"/meetings/{summary.meeting_id}")
    if summary.meeting_id != pk:
        return HttpResponseRedirect(f"/meetings/{summary.meeting_id}/live")
    shown = now_html.fragment(summary, as_of=now, zone=timezone.get_current_timezone())
    live = mark_safe(shown.html())  # noqa: S308 - every text in it was escaped where it was drawn
    return render(request, "live.html", {"page": "meetings", "summary": summary, "live": live})


def _is_somebody(summary: Summary, key: str) -> bool:
    """Whether the page can go on from there; blank is its begin."""
    if not key:
        return True
    try:
        found = reading.attendee(summary, bytes.fromhex(key))
    except ValueError:
        return False
    return found is not None and bytes(found.attendee_key).hex() == key


def _meeting(request: HttpRequest, pk: int) -> Summary:
    access.require(request)
    summary = reading.meeting(pk)
    if summary is None or not searching.is_inside(summary, access.inside(request)):
        raise Http404(_("There is no such meeting."))
    return summary
