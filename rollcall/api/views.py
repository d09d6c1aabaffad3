"""Version 1 of the API: what there is, at which address, with which scope."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from rollcall import __version__
from rollcall.api import exports, reading
from rollcall.api.answers import answer, nothing, problem
from rollcall.api.bearer import Bearer, NoToken
from rollcall.api.described import operation
from rollcall.api.platforms import PLATFORMS, platforms_of
from rollcall.core.access import Area
from rollcall.core.errors import Refused, RollcallError, Unavailable
from rollcall.reports import access
from rollcall.reports.registry import REPORTS
from rollcall.store.tokens import Scope, scope_of

_log = logging.getLogger("rollcall.api")

api = NinjaAPI(
    title="Rollcall",
    version=__version__,
    description="Who was in which BigBlueButton class, for how long and how actively. Times are epoch milliseconds.",
    docs_url=None,
    urls_namespace="api-1",
)

# --- what is read -----------------------------------------------------------------------------------------------------


def _report(name: str, summary: str) -> dict[str, Any]:
    """The declaration of a report: what opens it, and what it is asked and answers, follow from which it is."""
    return {
        "auth": Bearer(scope_of(name)),
        "operation_id": name,
        "summary": summary,
        "openapi_extra": operation(REPORTS[name]),
    }


def _list(name: str) -> None:
    @api.get(REPORTS[name].address, **_report(name, f"A page of the {name}"))
    def page(request: HttpRequest) -> HttpResponse:
        return reading.page(request, name)


for _name in reading.HREFS:
    _list(_name)


@api.get("/meetings/{int:pk}", **_report("meeting", "One meeting with everybody in it"))
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """Sessions, proved and possible spans, witnesses."""
    return reading.whole(request, "meeting", str(pk))


@api.get("/meetings/{int:pk}/facts", **_report("facts", "What was heard of a meeting"))
def facts(request: HttpRequest, pk: int) -> HttpResponse:
    """A page of its facts, by their times."""
    return reading.facts(request, pk)


@api.get("/people/{digest:key}", **_report("person", "One person and their meetings"))
def person(request: HttpRequest, key: str) -> HttpResponse:
    """With the totals over them."""
    return reading.person(request, key)


@api.get("/courses/{digest:key}", **_report("course", "One course: its people and its meetings"))
def course(request: HttpRequest, key: str) -> HttpResponse:
    """A row for each person, a field for each meeting."""
    return reading.whole(request, "course", key)


@api.get("/servers", **_report("servers", "The connected BigBlueButton servers"))
def servers(request: HttpRequest) -> HttpResponse:
    """For a token of all organisations."""
    return reading.whole(request, "servers")


@api.get(
    "/platforms",
    auth=Bearer(Scope.PLATFORMS),
    operation_id="platforms",
    summary="The LMSs of the organisation",
    openapi_extra=operation(schema=PLATFORMS),
)
def platforms(request: HttpRequest) -> HttpResponse:
    """How each is doing."""
    access.require(request, area=Area.LICENCE)
    return answer(request, {"platforms": platforms_of(access.reader_of(request))})


@api.get("/audit", **_report("audit", "Who looked at what"))
def audit(request: HttpRequest) -> HttpResponse:
    """A page of the audit log, the latest first."""
    return reading.audit(request)


@api.get("/completion", **_report("completion", "Verdicts, and how far they are on their way to the LMS"))
def completion(request: HttpRequest) -> HttpResponse:
    """A page of them, by activity and name."""
    return reading.completion(request)


# --- files that are made in the background ----------------------------------------------------------------------------


@api.post(
    "/exports",
    auth=Bearer(Scope.EXPORTS),
    operation_id="make_export",
    summary="Have a file made",
    openapi_extra=operation(schema=exports.EXPORT, status=202, said="It is being made.", requestBody=exports.BODY),
)
def make_export(request: HttpRequest) -> HttpResponse:
    """A report as a file of any length, made by a worker."""
    return exports.make(request)


@api.get(
    "/exports",
    auth=Bearer(Scope.EXPORTS),
    operation_id="exports",
    summary="The token's files",
    openapi_extra=operation(schema=exports.EXPORTS),
)
def all_exports(request: HttpRequest) -> HttpResponse:
    """Those that are still kept."""
    return exports.listed(request)


@api.get(
    "/exports/{int:pk}",
    auth=Bearer(Scope.EXPORTS),
    operation_id="export",
    summary="How far a file is",
    openapi_extra=operation(schema=exports.EXPORT),
)
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask again after a second or two."""
    return exports.one(request, pk)


@api.get(
    "/exports/{int:pk}/file",
    auth=Bearer(Scope.EXPORTS),
    operation_id="export_file",
    summary="The file",
    openapi_extra=exports.described_file(),
)
def export_file(request: HttpRequest, pk: int) -> Any:  # noqa: ANN401 - a stream
    """Once it is ready."""
    return exports.file(request, pk)


@api.delete(
    "/exports/{int:pk}",
    auth=Bearer(Scope.EXPORTS),
    operation_id="delete_export",
    summary="Delete a file",
    openapi_extra=operation(status=204, said="It is gone."),
)
def delete_export(request: HttpRequest, pk: int) -> HttpResponse:
    """It would be deleted after a day."""
    exports.remove(request, pk)
    return nothing(request)


# --- what goes wrong --------------------------------------------------------------------------------------------------


@api.exception_handler(RollcallError)
def _ours(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: ANN401 - ninja gives either error or class
    headers = {"WWW-Authenticate": 'Bearer realm="Rollcall"'} if isinstance(error, NoToken) else {}
    return problem(request, error, **headers)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: ANN401 - the same
    said = error.args[0] if error.args and isinstance(error.args[0], str) else ""
    return problem(request, Refused(said or _("There is no such thing."), code="not-found", status=404))


@api.exception_handler(ValidationError)
@api.exception_handler(HttpError)
@api.exception_handler(DataError)
def _odd(request: HttpRequest, _error: Any) -> HttpResponse:  # noqa: ANN401 - the same
    told = Refused(_("The request could not be understood."), code="bad-request", status=400)
    return problem(request, told)


@api.exception_handler(OperationalError)
def _down(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: ANN401 - the same
    _log.warning("the database does not answer: %s", type(error).__name__)
    return problem(request, Unavailable(_("The database does not answer just now."), code="database-unavailable"))
