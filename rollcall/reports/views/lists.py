"""Lists: one page of a report's rows with what filters them, and any report as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseNotAllowed
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from rollcall.core.access import Area, may
from rollcall.reports import access, asking, files, words
from rollcall.reports.file_names import file_name
from rollcall.reports.filters import FIELDS, is_activity
from rollcall.reports.pdf import response as pdf
from rollcall.reports.registry import REPORTS
from rollcall.reports.rows import Format
from rollcall.reports.to_html import Sorting, to_html
from rollcall.reports.views.frame import answer, pages, read
from rollcall.store import searching
from rollcall.store.searching.facets import SHOWN
from rollcall.wording import formatting
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked
    from rollcall.reports.rows import Table
    from rollcall.reports.tables.report import Listing, Report
    from rollcall.store.searching import Filter, Scope, Totals

PAGE = 50

NARROW = "narrow"
"""Asks for what the list can be narrowed down to: counting it takes as long as the rows, so only who wants it waits."""

LISTS: Mapping[str, Listing] = {report.name: report.page for report in REPORTS.values() if report.page is not None}
"""The reports that are lists, each with how its page shows them."""


@require_safe
def listing(request: HttpRequest, *, name: str) -> HttpResponseBase:
    """One page of a list."""
    report = REPORTS[name]
    access.require(request, report)
    return answer(
        request,
        report,
        "list.html",
        lambda asked: page_of(request, report, asked),
        others=(*asking.PLACES, NARROW),
    )


def page_of(request: HttpRequest, report: Report, asked: Asked) -> dict[str, Any]:
    """The rows of a page, and what stands right above and below them."""
    scope = searching.Scope(asked.wanted)
    found = find(report, asked, scope)
    come_to = searching.totals(scope, report.lists)
    table = LISTS[report.name].table(found.rows, asked)
    zone = timezone.get_current_timezone()
    sorting = Sorting(asked.sort or report.takes.sorts[0], lambda by: asked.query(sort=by), report.takes.sorts)
    return {
        "count": len(found.rows),
        "notes": [_("Not all was looked through yet: the next page goes on.")] if found.is_cut else [],
        "told": told(report, scope, come_to),
        "table": to_html(table, zone, caption=str(report.title), sorting=sorting),
        "totals": totals(report, asked, come_to),
        "facets": facets(report, asked) if request.GET.get(NARROW) else None,
        "narrow": asked.query(**asked.places, **{NARROW: "1"}),
        "sorts": sorts(table, report, asked),
        "empty": empty(report, asked),
        "loosen": not (asked.is_blank or _is_of_an_activity(asked)),
        "here": request.get_full_path(),
        "may_change": report.lists == "meetings" and may_change(asked, found.rows),
        "title": _title(report, asked, found.rows),
        "ways": _ways(request, asked) if report.lists == "meetings" and _is_of_an_activity(asked) else [],
    } | pages(asked, before=found.before, after=found.after, path=request.path)


def empty(report: Report, asked: Asked) -> str:
    """What is said where nothing was found. A launch leads to an activity's meetings before there is one."""
    if _is_of_an_activity(asked):
        return _("This activity had no meeting yet: it stands here as soon as one begins.")
    listing = LISTS[report.name]
    return str(listing.empty_yet if asked.is_blank else listing.empty)


def _title(report: Report, asked: Asked, found: Sequence[Any]) -> str:
    """What the page is headed: the meetings of one activity by what the newest is called."""
    is_of_one = report.lists == "meetings" and _is_of_an_activity(asked) and bool(found)
    return visible(found[0].name.strip() if is_of_one else "") or str(report.title)


def _ways(request: HttpRequest, asked: Asked) -> list[tuple[str, str, bool]]:
    """From the meetings of an activity to who has attended enough of them."""
    if not may(access.reader_of(request), Area.VERDICTS):
        return []
    completion = f"/activities/{asked.words['meeting'].strip()}"
    return [(_("Meetings"), request.get_full_path(), True), (_("Completion"), completion, False)]


def _is_of_an_activity(asked: Asked) -> bool:
    return asked.words.keys() == {"meeting"} and is_activity(asked.words["meeting"])


def find(report: Report, asked: Asked, wanted: Filter | Scope) -> searching.Page[Any]:
    """The rows of one page."""
    places = {name: asked.places.get(name, "") for name in asking.PLACES}
    return searching.page(report.lists, wanted, sort=asked.sort, limit=PAGE, **places)


def may_change(asked: Asked, found: Sequence[Any]) -> bool:
    """Whether the list asks for itself again: its first page, and where something runs."""
    return not asked.places or any(summary.ended_possible_at is None for summary in found)


def sorts(table: Table, report: Report, asked: Asked) -> list[tuple[str, str, bool]]:
    """The orders for a select: where the rows are cards there are no heads to click."""
    labels = {column.sort: str(column.label) for column in table.columns if column.sort}
    chosen = asked.sort or report.takes.sorts[0]
    found = []
    for by in report.takes.sorts:
        label = labels.get(by.removeprefix("-"))
        if label is not None:
            way = _("%(column)s, falling") if by.startswith("-") else _("%(column)s, rising")
            found.append(("" if by == report.takes.sorts[0] else by, way % {"column": label}, by == chosen))
    return found


# --- what they come to ------------------------------------------------------------------------------------------------


def told(report: Report, scope: Scope, found: Totals) -> str:
    """How many there are, said aloud when they change."""
    count = getattr(found, report.lists, None)
    return counted(report.lists, searching.count(report.lists, scope) if count is None else count)


def counted(what: str, count: searching.Counted) -> str:
    """214 meetings; 10,000+ where counting was stopped."""
    match what:
        case "meetings":
            said = ngettext("%(number)s meeting", "%(number)s meetings", count.number)
        case "people":
            said = ngettext("%(number)s person", "%(number)s people", count.number)
        case "courses":
            said = ngettext("%(number)s course", "%(number)s courses", count.number)
        case _:
            said = ngettext("%(number)s attendance", "%(number)s attendances", count.number)
    return said % {"number": number(count)}


def number(count: searching.Counted) -> str:
    """10,000+ where counting was stopped."""
    return formatting.number(count.number) + ("+" if count.is_more else "")


def totals(report: Report, asked: Asked, found: Totals) -> list[dict[str, str]]:
    """What the filter comes to: each number leads to its rows."""
    shown = []
    for what in ("meetings", "attendances", "people"):
        other = REPORTS[what]
        is_here = other.name == report.name
        address = "" if is_here else f"{other.address}{asked.query_for(other.takes.filters)}"
        count = getattr(found, what)
        # Guests and callers are no people of a list: of them alone nothing is said.
        if count is not None and (count.number or what != "people"):
            shown.append({"said": counted(what, count), "address": address})
    if found.proved_ms is not None:
        shown.append({"said": _("%(time)s of attendance") % {"time": words.hours(found.proved_ms)}, "address": ""})
    return shown


def facets(report: Report, asked: Asked) -> list[dict[str, Any]]:
    """What the filter may be narrowed down to, with how many there are of each."""
    names = [
        name for name in LISTS[report.name].facets if name not in asked.words and FIELDS[name].is_for(asked.inside)
    ]
    found = searching.facets(asked.wanted, *names, of=report.lists)
    return [_facet(name, found[name], asked) for name in names if len(found.get(name, ())) > 1]


def _facet(name: str, found: Sequence[searching.Facet], asked: Asked) -> dict[str, Any]:
    field = FIELDS[name]
    values = [
        {
            "label": field.said(one.value) if field.choices else one.label,
            "count": number(one.count),
            "address": asked.query(**{name: one.value}),
        }
        for one in found
    ]
    return {"label": field.label, "values": values, "is_cut": len(found) == SHOWN}


# --- files ------------------------------------------------------------------------------------------------------------

_FORMATS = {"csv": Format.CSV, "xlsx": Format.XLSX, "json": Format.JSON, "pdf": Format.PDF}

KINDS = tuple(_FORMATS)


@require_http_methods(["GET", "HEAD", "POST"])
def file(request: HttpRequest, kind: str, *, name: str, **about: Any) -> HttpResponseBase:
    """A report as a file: all of its rows. A POST has a PDF made in the background."""
    if request.method == "POST" and kind != "pdf":
        return HttpResponseNotAllowed(["GET", "HEAD"])
    with translation.override(files.language_of(request.GET)):
        return _file(request, kind, name=name, **about)


def _file(request: HttpRequest, kind: str, *, name: str, **about: Any) -> HttpResponseBase:
    report = REPORTS[name]
    subject = tuple(str(one) for one in about.values())
    access.require(request, report)
    asked = read(request, report, *pdf.OPTIONS, *files.OPTIONS)
    table = report.table(asked, subject, _FORMATS[kind])
    called = file_name(name, subject, asked)
    if kind == "pdf":
        return pdf.pdf_response(request, table, called)
    return files.file_response(table, kind, called, zone=asked.zone, options=request.GET)
