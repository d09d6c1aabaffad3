"""The connected servers, and how much of their meetings was witnessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.reports import access, words
from rollcall.reports.registry import REPORTS
from rollcall.reports.tables.servers import coverage_table
from rollcall.reports.to_html import to_html
from rollcall.reports.views.frame import answer, files
from rollcall.store import reading

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked
    from rollcall.store.connections import Server


@require_safe
def servers(request: HttpRequest) -> HttpResponseBase:
    """Every connected BigBlueButton server: is it well, when did it last answer and last send something."""
    report = REPORTS["servers"]
    access.require(request, report)
    context = {
        "page": "servers",
        "title": report.title,
        "servers": [_shown(server) for server in reading.servers()],
        "files": files(request.path, ""),
    }
    return render(request, "servers.html", context)


def _shown(server: Server) -> dict[str, object]:
    zone = timezone.get_current_timezone()
    times = (server.polled_at, server.hooks_seen_at, server.arrived_at, server.reported_at)
    polled, hooks_seen, arrived, reported = (words.day_and_clock(at, zone) for at in times)
    return {
        "name": server.pool.name,
        "address": server.api_url,
        "trouble": server.trouble,
        "is_polled": server.is_polled,
        "polled": polled,
        "hooks_seen": hooks_seen,
        "arrived": arrived,
        "reported": reported,
        "is_captured": server.pool.is_captured,
    }


@require_safe
def coverage(request: HttpRequest) -> HttpResponseBase:
    """Which share of the meetings' time was witnessed by nobody, by one, by several."""
    report = REPORTS["coverage"]
    access.require(request, report)
    return answer(request, report, "coverage.html", _page, beside={"page": "servers"})


def _page(asked: Asked) -> dict[str, Any]:
    found = reading.coverage(asked.wanted)
    return {
        "count": len(found),
        "table": to_html(coverage_table(found), asked.zone, caption=_("Servers")),
        "empty": _("No meeting is like that."),
        "loosen": not asked.is_blank,
    }
