"""Verdicts of all activities, for whoever may see them: whom, which, and how far each is on its way to the LMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rollcall.reports import access, asking
from rollcall.reports.registry import REPORTS
from rollcall.reports.tables.completion import completion_table
from rollcall.reports.to_html import to_html
from rollcall.reports.views.frame import answer, pages
from rollcall.store.searching.completions import completions_page
from rollcall.wording import formatting

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked

PAGE = 50


@require_safe
def completion(request: HttpRequest) -> HttpResponseBase:
    """By activity and name."""
    report = REPORTS["completion"]
    access.require(request, report)
    return answer(request, report, "list.html", lambda asked: _page(asked, request.path), others=asking.PLACES)


def _page(asked: Asked, path: str) -> dict[str, Any]:
    places = {name: asked.places.get(name, "") for name in asking.PLACES}
    found = completions_page(asked.wanted, limit=PAGE, **places)
    told = ngettext("%(number)s verdict on this page", "%(number)s verdicts on this page", len(found.rows))
    return {
        "page": "activities",
        "count": len(found.rows),
        "told": told % {"number": formatting.number(len(found.rows))},
        "table": to_html(completion_table(found.rows, asked.zone), asked.zone, caption=_("Completion")),
        "empty": _empty(asked),
        "loosen": not asked.is_blank,
    } | pages(asked, before=found.before, after=found.after, path=path)


def _empty(asked: Asked) -> str:
    if asked.is_blank:
        return _("Nobody has set yet what any activity asks for: choose one under Completion.")
    return _("There is no such verdict.")
