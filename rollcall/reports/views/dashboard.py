"""The first page: what runs now, how much there was today and this week, what wants somebody's attention."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rollcall.core.access import Area, may
from rollcall.derive.rebuild import count_outdated
from rollcall.reports import access, words
from rollcall.reports.addresses import meeting_page
from rollcall.reports.asking import now
from rollcall.reports.meeting_rows import meeting_row
from rollcall.reports.tables.meetings import meetings_table
from rollcall.reports.to_html import to_html
from rollcall.store import reading, searching
from rollcall.store.searching import Filter, State
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.store.connections import Server
    from rollcall.store.derived import Summary

RUNNING, RECENT, WITHOUT = 12, 8, 5
"""Rows of each part."""

LOOKED_AT = 60
"""Of the latest meetings, to find those that are over, or have no record."""

ATTENTION_DAYS = 14

_DAY_MS = 86_400_000


class Use(NamedTuple):
    """What there was in a time."""

    meetings: int
    attendances: int
    person_ms: int


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Everything at a glance."""
    runs_it = may(access.require(request), Area.SERVERS)
    zone = timezone.get_current_timezone()
    everything = replace(access.inside(request).filter(), zone=zone, as_of=now())
    running = _newest(replace(everything, state=State.RUNNING), RUNNING + 1)
    recent = [one for one in _newest(everything, LOOKED_AT) if one.ended_possible_at is not None][:RECENT]
    context = {
        "page": "overview",
        "running": _table(running[:RUNNING], everything, _("Running now")),
        "running_count": len(running),
        "is_more_running": len(running) > RUNNING,
        "spans": spans(everything),
        "recent": _table(recent, everything, _("Recent meetings")),
        "recent_count": len(recent),
        "attention": attention(everything, runs_it=runs_it),
        "runs_it": runs_it,
        "has_servers": not runs_it or bool(reading.server_names()),
    }
    return render(request, "dashboard.html", context)


def _newest(wanted: Filter, limit: int) -> Sequence[Summary]:
    return searching.page("meetings", wanted, limit=limit).rows


def _table(found: Sequence[Summary], wanted: Filter, caption: str) -> str:
    table = meetings_table(meeting_row(one, as_of=wanted.as_of) for one in found)
    shown = [column for column in table.columns if column.key != "ended"]
    return to_html(replace(table, columns=shown), wanted.zone, caption=caption)


# --- use --------------------------------------------------------------------------------------------------------------


def spans(wanted: Filter) -> list[dict[str, Any]]:
    """Today and this week, each beside as much of the one before."""
    today = words.moment(wanted.as_of, wanted.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - timedelta(days=(today.weekday() - formatting.first_weekday()) % 7)
    return [
        _span(_("Today"), today, wanted, _("Before: the same day last week, until the same time.")),
        _span(_("This week"), week, wanted, _("Before: last week, until the same time.")),
    ]


def _span(label: str, since: datetime, wanted: Filter, against: str) -> dict[str, Any]:
    begin, earlier = (round(at.timestamp() * 1000) for at in (since, since - timedelta(days=7)))
    used = _use(replace(wanted, since=begin))
    before = _use(replace(wanted, since=earlier, until=wanted.as_of - (begin - earlier)))
    numbers = [
        (_("Meetings"), formatting.number(used.meetings), formatting.number(before.meetings), "/meetings"),
        (_("Attendances"), formatting.number(used.attendances), formatting.number(before.attendances), "/attendances"),
        (_("Time of all people, at least"), words.hours(used.person_ms), words.hours(before.person_ms), "/use"),
    ]
    return {"label": label, "against": against, "query": f"?from={since.date().isoformat()}", "numbers": numbers}


def _use(wanted: Filter) -> Use:
    found = searching.use(wanted)
    return Use(
        sum(one.meetings for one in found),
        sum(one.attendances for one in found),
        sum(one.person_ms for one in found),
    )


# --- attention --------------------------------------------------------------------------------------------------------


OUTDATED = 10_000
"""Up to so many are counted."""


def attention(wanted: Filter, *, runs_it: bool) -> list[dict[str, str]]:
    """Classes of the last days whose record should have come and did not, and for who runs it servers in trouble."""
    of_servers = [_trouble(server) for server in reading.servers() if server.trouble] if runs_it else []
    told = _outdated() + of_servers if runs_it else []
    return told + [_without_record(summary) for summary in without_record(wanted)]


def _outdated() -> list[dict[str, str]]:
    """After an upgrade with other rules: what is not found by then may be there all the same."""
    count = count_outdated(at_most=OUTDATED)
    if not count:
        return []
    sentence = ngettext(
        "%(number)s meeting is still being worked out by new rules; until then searches may miss it.",
        "%(number)s meetings are still being worked out by new rules; until then searches may miss them.",
        count,
    )
    number = formatting.number(count) + ("+" if count == OUTDATED else "")
    return [{"what": _("Upgrade"), "sentence": sentence % {"number": number}, "address": "/meetings"}]


def _trouble(server: Server) -> dict[str, str]:
    return {"what": server.pool.name, "sentence": server.trouble, "address": "/servers"}


def without_record(everything: Filter) -> Sequence[Summary]:
    """The latest settled classes without a record, on servers from which records do come."""
    with_records = {server.pool.name for server in reading.servers() if server.reported_at is not None}
    if not with_records:
        return []
    wanted = replace(everything, state=State.SETTLED, since=everything.as_of - ATTENTION_DAYS * _DAY_MS)
    latest = searching.page("meetings", wanted, limit=LOOKED_AT).rows
    return [one for one in latest if not one.record and one.attendees and one.pool_name in with_records][:WITHOUT]


def _without_record(summary: Summary) -> dict[str, str]:
    people = ngettext("%(number)d person", "%(number)d people", summary.attendees) % {"number": summary.attendees}
    return {
        "what": summary.name.strip() or _("(no name)"),
        "sentence": _("No record of this meeting came (%(people)s).") % {"people": people},
        "address": meeting_page(meeting_row(summary, as_of=0)),
    }
