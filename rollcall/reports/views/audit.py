"""The audit log, for whoever answers for the data of an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rollcall.reports import access, asking
from rollcall.reports.registry import REPORTS
from rollcall.reports.tables.audit import audit_table
from rollcall.reports.to_html import to_html
from rollcall.reports.views.frame import answer, pages
from rollcall.store import auditing
from rollcall.wording import formatting

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked

PAGE = 100


@require_safe
def audit(request: HttpRequest) -> HttpResponseBase:
    """Who did what, the latest first."""
    report = REPORTS["audit"]
    access.require(request, report)
    return answer(request, report, "list.html", lambda asked: _page(asked, request.path), others=asking.PLACES)


def _page(asked: Asked, path: str) -> dict[str, Any]:
    places = {name: asked.places.get(name, "") for name in asking.PLACES}
    found = auditing.page(asked.wanted, limit=PAGE, **places)
    told = ngettext("%(number)s entry on this page", "%(number)s entries on this page", len(found.rows))
    return {
        "count": len(found.rows),
        "told": told % {"number": formatting.number(len(found.rows))},
        "table": to_html(audit_table(found.rows), asked.zone, caption=_("Audit log")),
        "notes": _notes(asked),
        "empty": _("Nobody did such a thing in this time."),
        "loosen": not asked.is_blank,
    } | pages(asked, before=found.before, after=found.after, path=path)


def _notes(asked: Asked) -> list[str]:
    if not (asked.wanted.name or asked.wanted.user):
        return []
    return [_("Lists and courses show many people at a time: ask for nobody in particular to see who opened them.")]
