"""Reports as programs read them: the same words in the address as on a page, the same rows as in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.translation import gettext as _

from rollcall.api.answers import answer
from rollcall.api.described import MOST, PAGE
from rollcall.core.errors import Refused
from rollcall.reports import access
from rollcall.reports.asking import ask
from rollcall.reports.facts import facts_of_meeting, page_of_facts
from rollcall.reports.registry import REPORTS
from rollcall.reports.rows import Format
from rollcall.reports.subjects import meeting_of, person_of
from rollcall.reports.tables import people
from rollcall.reports.tables.audit import audit_table
from rollcall.reports.tables.completion import completion_table
from rollcall.reports.tables.facts import facts_table
from rollcall.reports.to_json import objects, to_json
from rollcall.reports.views.lists import LISTS
from rollcall.store import auditing, searching
from rollcall.store.searching.completions import completions_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.reports.asking import Asked
    from rollcall.reports.rows import Table
    from rollcall.reports.tables.report import Report

BASE: Final = "/api/v1"

HREFS: Final[Mapping[str, Callable[[Any], str | None]]] = MappingProxyType(
    {
        "meetings": lambda row: f"{BASE}/meetings/{row.meeting_id}",
        "attendances": lambda row: f"{BASE}/meetings/{row.summary.meeting_id}",
        "people": lambda row: f"{BASE}/people/{row.key.hex()}",
        "courses": lambda row: f"{BASE}/courses/{row.key.hex()}",
    }
)
"""The lists, each with where more of one of its rows is."""


def page(request: HttpRequest, name: str) -> HttpResponse:
    """A page of a list."""
    report = REPORTS[name]
    access.require(request, report)
    asked = asked_of(request, report, "after", "limit")
    found = _page(request, report.lists, asked)
    table = LISTS[name].for_programs(found.rows, asked)
    rows = [{**row, "href": HREFS[name](one)} for row, one in zip(objects(table), found.rows, strict=True)]
    return answer(request, {"rollcall": table.name, table.rows_key: rows, "next": found.after or None})


def whole(request: HttpRequest, name: str, *subject: str) -> HttpResponse:
    """A report that is no long list, all of it."""
    report = REPORTS[name]
    access.require(request, report)
    table = report.table(asked_of(request, report), subject, Format.JSON)
    return answer(request, b"".join(to_json(table)))


def person(request: HttpRequest, key: str) -> HttpResponse:
    """Somebody's totals, and a page of their meetings."""
    report = REPORTS["person"]
    access.require(request, report)
    asked = asked_of(request, report, "after", "limit")
    one = person_of(key, asked.wanted)
    found = _page(request, "attendances", replace(asked, wanted=replace(asked.wanted, person=one.key)))
    table = people.person_table(one, found.rows, as_of=asked.wanted.as_of)
    return _listed(request, table, found.after)


def facts(request: HttpRequest, pk: int) -> HttpResponse:
    """A page of what was heard of a meeting, by the times of it."""
    report = REPORTS["facts"]
    access.require(request, report)
    asked = asked_of(request, report, "after", "limit")
    summary = meeting_of(pk, asked.inside)
    found = page_of_facts(summary, after=asked.places.get("after", ""), limit=limit_of(request))
    return _listed(request, facts_table(facts_of_meeting(summary, found.rows, asked.zone)), found.after)


def audit(request: HttpRequest) -> HttpResponse:
    """A page of the audit log."""
    report = REPORTS["audit"]
    access.require(request, report)
    asked = asked_of(request, report, "after", "limit")
    place = asked.places.get("after", "")
    found = auditing.page(asked.wanted, after=place, before="", limit=limit_of(request))
    return _listed(request, audit_table(found.rows), found.after)


def completion(request: HttpRequest) -> HttpResponse:
    """A page of verdicts, by activity and name."""
    report = REPORTS["completion"]
    access.require(request, report)
    asked = asked_of(request, report, "after", "limit")
    found = completions_page(asked.wanted, after=asked.places.get("after", ""), limit=limit_of(request))
    return _listed(request, completion_table(found.rows, asked.zone), found.after)


def _listed(request: HttpRequest, table: Table, after: str) -> HttpResponse:
    rows = list(objects(table))
    return answer(request, {"rollcall": table.name, **table.about, table.rows_key: rows, "next": after or None})


def _page(request: HttpRequest, lists: str, asked: Asked) -> searching.Page[Any]:
    place = asked.places.get("after", "")
    return searching.page(lists, asked.wanted, sort=asked.sort, after=place, limit=limit_of(request))


def asked_of(request: HttpRequest, report: Report, *others: str) -> Asked:
    """What the address asks; days are those of `zone` in it, else of Rollcall's own."""
    query = {name: values for name, values in request.GET.lists() if name != "zone"}
    return ask(report.takes, query, zone=_zone(request), others=others, inside=access.inside(request, report))


def _zone(request: HttpRequest) -> Any:  # noqa: ANN401 - a zone of either kind
    name = request.GET.get("zone", "")
    try:
        return ZoneInfo(name) if name else timezone.get_default_timezone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            _("There is no zone “%(name)s”.") % {"name": name[:100]},
            code="unknown-zone",
            hint=_("Write a zone as Europe/Athens."),
        ) from None


def limit_of(request: HttpRequest) -> int:
    """Rows of a page."""
    word = request.GET.get("limit", "") or str(PAGE)
    if not (word.isascii() and word.isdecimal() and len(word) <= len(str(MOST)) and 1 <= int(word) <= MOST):
        raise Refused(
            _("“%(word)s” is no number of rows.") % {"word": word[:40]},
            code="wrong-limit",
            hint=_("Write 1 to %(most)d.") % {"most": MOST},
        )
    return int(word)
