"""One person: their meetings, their term as a calendar, their totals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.core.access import Area, may
from rollcall.reports import access, asking, words
from rollcall.reports.absentees import missed_meetings
from rollcall.reports.completion import verdicts_shown
from rollcall.reports.pictures import attended, term_calendar
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.rows import Bounds, Table
from rollcall.reports.subjects import person_of
from rollcall.reports.tables import attendances
from rollcall.reports.tables.people import person_table, with_reasons
from rollcall.reports.to_html import Sorting, to_html
from rollcall.reports.views import lists
from rollcall.reports.views.frame import answer, pages
from rollcall.reports.views.nothing_yet import own_record
from rollcall.store import searching
from rollcall.store.searching import Counted
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked
    from rollcall.reports.tables.report import Report
    from rollcall.store.searching import FoundPerson

MOST_DRAWN = 200
"""Classes in a calendar: the latest ones."""


@require_safe
def person(request: HttpRequest, key: str) -> HttpResponseBase:
    """All meetings of one person, newest first."""
    report = REPORTS["person"]
    reader = access.require(request, report)
    try:
        found = person_of(key, access.inside(request).filter())
    except Http404:
        if (empty := own_record(request, key)) is not None:
            return empty
        raise
    zone = timezone.get_current_timezone()
    about = {
        "person": found,
        "site": words.site(found.site),
        "name": visible(found.name.strip() or _("(no name)")),
        "first_at": words.day_and_clock(found.first_at, zone),
        "last_at": words.day_and_clock(found.last_at, zone),
        "is_own": not may(reader, Area.LISTS),
        "verdicts": verdicts_shown(request, found.external_user_id, found.site, zone),
    }
    return answer(
        request,
        report,
        "person.html",
        lambda asked: _page(request, report, asked, found),
        others=asking.PLACES,
        beside=about,
    )


def _page(request: HttpRequest, report: Report, asked: Asked, found: FoundPerson) -> dict[str, Any]:
    scope = searching.Scope(replace(asked.wanted, person=found.key))
    page = lists.find(report, asked, scope)
    table = person_table(found, page.rows, as_of=asked.wanted.as_of)
    is_anybodys = asked.inside.bounds.person is None
    if not is_anybodys:
        table = with_reasons(table)
    sorting = Sorting(asked.sort or report.takes.sorts[0], lambda by: asked.query(sort=by), report.takes.sorts)
    totals = _totals(found if asked.is_blank else searching.person(found.key, asked.wanted))
    return {
        "count": len(page.rows),
        "told": totals[0]["said"],
        "table": to_html(table, asked.zone, caption=_("Meetings"), sorting=sorting),
        "sorts": lists.sorts(table, report, asked),
        "totals": totals,
        "calendar": _calendar(asked, scope),
        "missed": _missed(asked, found),
        "empty": _("They were in no such meeting.") if is_anybodys else _("You were not seen in such a class yet."),
        "loosen": not asked.is_blank,
    } | pages(asked, before=page.before, after=page.after, path=request.path)


def _totals(found: FoundPerson | None) -> list[dict[str, str]]:
    """Over the filter: how many classes, how long, which mean share."""
    shown = [lists.counted("meetings", Counted(found.meetings if found is not None else 0))]
    if found is not None:
        time = words.bounds(Bounds(found.proved_ms, found.possible_ms))
        shown.append(_("%(time)s in all") % {"time": time})
        if found.share is not None:
            share = words.part(found.share / 1000)
            shown.append(_("at least %(share)s of these classes on average") % {"share": share})
    return [{"said": said, "address": ""} for said in shown]


def _missed(asked: Asked, found: FoundPerson) -> dict[str, Any] | None:
    section = missed_meetings(found.key, asked.wanted)
    if section is None:
        return None
    table = Table(section.key, section.rows_key, section.columns, section.rows)
    return {"title": section.title, "table": to_html(table, asked.zone, caption=section.title)}


def _calendar(asked: Asked, scope: searching.Scope) -> Any:  # noqa: ANN401 - safe markup
    page = searching.page("attendances", scope, limit=MOST_DRAWN)
    shown = attendances.shown(page.rows, as_of=scope.wanted.as_of)
    return figures(term_calendar(list(map(attended, shown)), asked.zone), asked.zone)
