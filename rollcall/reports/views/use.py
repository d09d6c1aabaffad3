"""How much BigBlueButton was used, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.core.errors import Refused
from rollcall.reports import access, asking
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.rows import Format
from rollcall.reports.tables import use as tables
from rollcall.reports.to_html import to_html
from rollcall.reports.views.frame import frame, read, read_again

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked


@require_safe
def use(request: HttpRequest) -> HttpResponseBase:
    """By day or week, and by hour."""
    report = REPORTS["use"]
    access.require(request, report)
    try:
        asked = read(request, report)
        if not asking.is_canonical(dict(request.GET.lists())):
            return HttpResponseRedirect(f"{request.path}{asked.query()}")
        context = frame(request, report, asked) | _page(asked)
    except Refused as refused:
        context = frame(request, report, read_again(request, report), refused)
        return render(request, "use.html", context, status=refused.status)
    return render(request, "use.html", context)


def _page(asked: Asked) -> dict[str, Any]:
    buckets = tables.buckets_of(asked)
    by = tables.by_of(asked, buckets)
    table = tables.use_table(buckets, asked, Format.HTML)
    return {
        "count": len(buckets),
        "by": by,
        "ways": [
            (_("By day"), asked.query(by="day"), by == "day"),
            (_("By week"), asked.query(by="week"), by == "week"),
        ],
        "drawn": figures(tables.pictures(buckets, asked, by), asked.zone) if buckets else "",
        "table": to_html(table, asked.zone, caption=_("Use")),
        "empty": _("There was no meeting in this time."),
        "loosen": not asked.is_blank,
    }
