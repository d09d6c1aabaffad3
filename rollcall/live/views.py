"""Where a page asks for the address of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, JsonResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rollcall.live.access import stream_address
from rollcall.live.snapshot import View
from rollcall.store import reading

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
def watch(request: HttpRequest, pk: int) -> HttpResponse:
    """The address of a stream, for whoever may see the meeting's page; it is good for a minute."""
    summary = reading.meeting(pk)
    if summary is None or summary.meeting_id != pk:
        raise Http404(_("There is no such meeting."))
    view = View(
        meeting=pk,
        zone=timezone.get_current_timezone(),
        language=translation.get_language() or "en",
        after=request.GET.get("after", ""),
    )
    return JsonResponse({"stream": stream_address(view)})
