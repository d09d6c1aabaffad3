"""Pages that are no report: the servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from rollcall.reports import words
from rollcall.store import reading

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.store.connections import Server


@require_safe
def servers(request: HttpRequest) -> HttpResponse:
    """Every connected BigBlueButton server: is it well, when did it last answer and last send something."""
    return render(request, "servers.html", {"servers": [_shown(server) for server in reading.servers()]})


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
