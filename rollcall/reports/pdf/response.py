"""A report as PDF: at once if it is short, by a worker if it is long."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import get_language

from rollcall.core.errors import Refused
from rollcall.reports.exports.asking import is_replayed, later, offer, progress_of
from rollcall.reports.file_names import disposition
from rollcall.reports.files import is_asked
from rollcall.reports.pdf import rendering
from rollcall.reports.pdf.cells import count_of, weight_of
from rollcall.reports.pdf.desks import Desks
from rollcall.reports.pdf.document import Wanted, document_of
from rollcall.reports.pdf.layout import PAPERS
from rollcall.reports.pdf.masthead import masthead
from rollcall.wording.translating import gettext as _
from rollcall.wording.translating import remembering

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.rows import Table

MEDIA_TYPE: Final = "application/pdf"
OPTIONS: Final = ("paper", "signatures")
"""What an address may say beside the filters."""

AT_ONCE: Final = 1_000
"""Rows that are drawn while somebody waits."""

DESKS: Final = Desks(rendering.AT_ONCE, patience=2.0)
"""Documents that this process draws at a time while somebody waits: what answers pages and webhooks needs the rest."""

_LETTER: Final = frozenset(("us", "ca", "mx", "ph", "cl", "co", "ve", "cr", "gt", "ni", "pa", "do", "pr", "sv"))
"""Countries that print on Letter."""


def pdf_response(request: HttpRequest, table: Table, name: str) -> HttpResponseBase:
    """The file; of a long one the offer to have it made, and to a POST the way to a page that tells how far it is."""
    wanted = Wanted(
        timezone.get_current_timezone(), _paper(request), is_asked(request.GET, "signatures"), progress_of(request)
    )
    if request.method == "POST":
        return later(request, name, "pdf", paper=wanted.paper)
    if is_replayed(request):
        return _drawn(table, wanted, name)
    table, is_long = _looked_at(table)
    if not is_long:
        with DESKS.one() as has_one:
            if has_one:
                return _drawn(table, wanted, name)
    return offer(request, _why(is_long=is_long), _others(request))


def _why(*, is_long: bool) -> str:
    if is_long:
        return _("This file is long, so it is made in the background.")
    return _("Many files are being made just now, so this one is made in the background.")


def _others(request: HttpRequest) -> list[tuple[str, str]]:
    """The same rows in the forms that need no waiting."""
    query = request.GET.copy()
    for option in OPTIONS:
        query.pop(option, None)
    stem, asked = request.path.removesuffix("pdf"), query.urlencode()
    return [(kind.upper(), f"{stem}{kind}?{asked}".removesuffix("?")) for kind in ("csv", "xlsx")]


def _drawn(table: Table, wanted: Wanted, name: str) -> HttpResponse:
    with remembering():
        content = rendering.render(document_of(table, wanted, masthead()))
    response = HttpResponse(content, content_type=MEDIA_TYPE)
    response["Content-Disposition"] = disposition(name, "pdf")
    return response


def _looked_at(table: Table) -> tuple[Table, bool]:
    """The same table, and whether it is long: no more of it is read than is needed to tell."""
    rows = iter(table.rows)
    seen, lines, weight = [], 0.0, weight_of(table)
    for one in rows:
        seen.append(one)
        lines += count_of(one) * weight
        if lines > AT_ONCE:
            break
    return replace(table, rows=chain(seen, rows)), lines > AT_ONCE


def _paper(request: HttpRequest) -> str:
    """What the address says, else what is usual where the reader's language is spoken."""
    asked = request.GET.get("paper", "").lower()
    if asked and asked not in PAPERS:
        raise Refused(
            _("There is no paper “%(name)s”.") % {"name": asked},
            code="unknown-paper",
            hint=_("There are: %(names)s.") % {"names": ", ".join(PAPERS)},
        )
    return asked or ("letter" if _region(request) in _LETTER else "a4")


def _region(request: HttpRequest) -> str:
    chosen = (get_language() or "").lower()
    wished = request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip().lower()
    for language in (chosen, wished):
        region = language.rpartition("-")[2]
        if "-" in language and len(region) == 2:
            return region
    return ""
