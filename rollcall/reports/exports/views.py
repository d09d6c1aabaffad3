"""The page of a file that is being made: how far it is, then the file. Only who asked for it sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from rollcall.reports import words
from rollcall.reports.exports.asking import UNDER_WAY, is_replayed, later
from rollcall.reports.exports.own import LISTED, find_own, own, sent
from rollcall.reports.exports.queue import delete
from rollcall.reports.filters import FIELDS
from rollcall.store.exports import ExportState

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.reports.files import Sent
    from rollcall.store.exports import Export

__all__ = ["delete_export", "export_file", "export_page", "export_progress", "exports_page", "is_replayed", "later"]

_OTHERS = ("csv", "xlsx")
_OF_PAPER = ("paper", "signatures")


@require_safe
def exports_page(request: HttpRequest) -> HttpResponse:
    """One's own files."""
    return render(request, "exports.html", {"page": "exports", "exports": list(map(_line, own(request)[:LISTED]))})


@require_POST
def delete_export(request: HttpRequest, pk: int) -> HttpResponse:
    """From now on nobody can fetch it; a worker takes it out of the database."""
    delete(find_own(request, pk))
    return HttpResponseRedirect("/exports")


@require_safe
def export_page(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; the middle of the page asks again each second."""
    return render(request, "export.html", _shown(find_own(request, pk)))


@require_safe
def export_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The middle of the page alone."""
    return render(request, "_export.html", _shown(find_own(request, pk)))


@require_safe
def export_file(request: HttpRequest, pk: int) -> Sent:
    """The file."""
    return sent(find_own(request, pk))


def _line(export: Export) -> dict[str, Any]:
    zone = timezone.get_current_timezone()
    return {
        "pk": export.pk,
        "file": f"{export.name}.{export.kind}",
        "is_under_way": export.state in UNDER_WAY,
        "is_ready": export.state == ExportState.READY,
        "sentence": export.sentence,
        "size": export.size,
        "asked": words.day_and_clock(export.created_at, zone),
        "kept_until": words.day_and_clock(export.expires_at, zone),
    }


def _shown(export: Export) -> dict[str, Any]:
    return {
        "page": "exports",
        "export": export,
        "is_under_way": export.state in UNDER_WAY,
        "is_waiting": export.state == ExportState.WAITING,
        "is_ready": export.state == ExportState.READY,
        "is_too_long": export.state == ExportState.TOO_LONG,
        "kind": export.kind.upper(),
        "done": export.done,
        "kept_until": words.day_and_clock(export.expires_at, timezone.get_current_timezone()),
        "others": [(kind.upper(), _address(export, kind)) for kind in _OTHERS if kind != export.kind],
        "again": _address(export, export.kind),
        "report": _page(export),
        "file": f"{export.name}.{export.kind}",
        "filters": [(FIELDS[name].label, said) for name, said in parse_qsl(export.query) if name in FIELDS],
    }


def _page(export: Export) -> str:
    """Where its rows are shown; the attendance of a list of meetings has no page of its own."""
    page = _address(export, "")
    return page.replace("/attendance", "/meetings", 1) if export.path == "/attendance.pdf" else page


def _address(export: Export, kind: str) -> str:
    """The same report in another form, or its page."""
    asked = [part for part in export.query.split("&") if part and part.partition("=")[0] not in _OF_PAPER]
    path = f"{export.path.rpartition('.')[0]}.{kind}".removesuffix(".")
    return f"{path}?{'&'.join(asked)}" if asked else path
