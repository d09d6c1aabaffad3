"""One person: their meetings, their term as a calendar, their totals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.core.errors import Refused
from rollcall.reports import access, asking, rows, words
from rollcall.reports.pictures import attended, term_calendar
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.rows import Bounds
from rollcall.reports.subjects import person_of
from rollcall.reports.tables import attendances
from rollcall.reports.to_html import Sorting, to_html
from rollcall.reports.views import lists
from rollcall.reports.views.frame import frame, pages, read, read_again
from rollcall.store import searching
from rollcall.store.searching import Filter

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked
    from rollcall.reports.tables.report import Report
    from rollcall.store.searching import FoundPerson, Totals

MOST_DRAWN = 1000
"""Classes in a calendar: the latest ones."""


@require_safe
def person(request: HttpRequest, key: str) -> HttpResponseBase:
    """All meetings of one person, newest first."""
    report = REPORTS["person"]
    access.require(request, report, (key,))
    found = person_of(key, Filter())
    context: dict[str, Any] = {"person": found, "name": found.name.strip() or _("(no name)")}
    try:
        asked = read(request, report, *asking.PLACES)
        if not asking.is_canonical(dict(request.GET.lists())):
            return HttpResponseRedirect(f"{request.path}{asked.query(**asked.places)}")
        context |= frame(request, report, asked) | _page(request, report, asked, found)
    except Refused as refused:
        context |= frame(request, report, read_again(request, report), refused)
        return render(request, "person.html", context, status=refused.status)
    return render(request, "person.html", context)


def _page(request: HttpRequest, report: Report, asked: Asked, found: FoundPerson) -> dict[str, Any]:
    wanted = replace(asked.wanted, person=found.key)
    page = lists.find(report, asked, wanted)
    table = rows.person_table(found, page.rows, as_of=asked.wanted.as_of)
    sorting = Sorting(asked.sort or report.takes.sorts[0], lambda by: asked.query(sort=by), report.takes.sorts)
    totals = searching.totals(wanted)
    return {
        "count": len(page.rows),
        "told": lists.counted("attendances", totals.attendances),
        "table": to_html(table, asked.zone, caption=_("Meetings"), sorting=sorting),
        "sorts": lists.sorts(table, report, asked),
        "totals": _totals(totals, asked, found),
        "calendar": _calendar(asked, found),
        "empty": _("They were in no such meeting."),
        "loosen": not asked.is_blank,
    } | pages(asked, before=page.before, after=page.after, path=request.path)


def _totals(totals: Totals, asked: Asked, found: FoundPerson) -> list[dict[str, str]]:
    """Over the filter: how many classes, how long, which mean share."""
    here = searching.person(found.key, asked.wanted)
    shown = [lists.counted("meetings", totals.attendances)]
    if here is not None:
        time = words.bounds(Bounds(here.proved_ms, here.possible_ms))
        shown.append(_("%(time)s in all") % {"time": time})
        if here.share is not None:
            shown.append(_("%(share)s of these classes on average") % {"share": words.part(here.share / 1000)})
    return [{"said": said, "address": ""} for said in shown]


def _calendar(asked: Asked, found: FoundPerson) -> Any:  # noqa: ANN401 - safe markup
    wanted = replace(asked.wanted, person=found.key)
    page = searching.page("attendances", wanted, limit=MOST_DRAWN)
    shown = attendances.shown(page.rows, as_of=wanted.as_of)
    return figures(term_calendar(list(map(attended, shown)), asked.zone), asked.zone)
