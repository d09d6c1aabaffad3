"""How much BigBlueButton was used, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.reports import access
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.rows import Format
from rollcall.reports.tables import use as tables
from rollcall.reports.to_html import to_html
from rollcall.reports.views.frame import answer

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked


@require_safe
def use(request: HttpRequest) -> HttpResponseBase:
    """By day or week, and by hour."""
    report = REPORTS["use"]
    access.require(request, report)
    return answer(request, report, "use.html", _page)


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
