"""Errors as a person or a program can use them: what happened, in a sentence, and what to do."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.db import DataError, OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from rollcall.api.answers import problem
from rollcall.core.errors import Refused, RollcallError, Unavailable
from rollcall.reports.access import is_let_in
from rollcall.web.frame import frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

API = "/api/"
METHOD_NOT_ALLOWED = 405

_log = logging.getLogger("rollcall.web")


class Errors:
    """Middleware: the one place where a page's RollcallError becomes an answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        if request.path_info.startswith(API):
            return _of_api(request, self.get_response)
        response = self.get_response(request)
        return _other_way(request, response) if response.status_code == METHOD_NOT_ALLOWED else response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django asks this when a view raised; None leaves the error to `server_error`."""
        told = _as_ours(error)
        if told is None:
            return None
        if isinstance(told, Unavailable):
            _log.warning("page unavailable: %s", told.code)
        return answer(request, told)


class LoginRequired(LoginRequiredMiddleware):
    """Every page needs an account unless it says otherwise; a program is told so instead of being sent to a form."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], *arguments: object
    ) -> HttpResponseBase | None:
        """Whoever a launch let in has no account and needs none; the API asks for a token itself."""
        if is_let_in(request) or request.path_info.startswith(API):
            return None
        return super().process_view(request, view_func, *arguments)  # type: ignore[arg-type]

    def handle_no_permission(  # type: ignore[override]  # Django takes any answer
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        """Send a person to the form, and back to the page afterwards."""
        if is_file(request) and wants_json(request):
            response = answer(request, signed_out(status=401))
            response["WWW-Authenticate"] = 'Session realm="Rollcall"'
            return response
        if wants_json(request):
            return answer(request, signed_out())
        return super().handle_no_permission(request, view_func)


def _of_api(request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """The same of the API, whose views know one method each: HEAD is a GET without the body, others are a problem."""
    if is_head := request.method == "HEAD":
        request.method = "GET"
    response = get_response(request)
    if response.status_code == METHOD_NOT_ALLOWED:
        allowed = response.headers.get("Allow", "").replace("GET", "GET, HEAD")
        told = Refused(_("This address takes no such request."), code="method-not-allowed", status=METHOD_NOT_ALLOWED)
        return problem(request, told, Allow=allowed)
    if is_head and not response.streaming:
        response.content = b""
    return response


def _other_way(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """An address that takes a form alone was opened: again, from the history, or by somebody who tries."""
    told = Refused(
        _("This address takes no such request."),
        code="method-not-allowed",
        status=METHOD_NOT_ALLOWED,
        hint=_("Go back to the page you came from and load it again."),
    )
    page = answer(request, told)
    page["Allow"] = response.headers.get("Allow", "")
    return page


def signed_out(*, status: int = 403) -> RollcallError:
    """Nobody is signed in."""
    return RollcallError(
        _("You are not signed in."), code="signed-out", hint=_("Sign in and try again."), status=status
    )


def is_file(request: HttpRequest) -> bool:
    """Whether the address is that of a file."""
    return request.path.endswith((".csv", ".xlsx", ".pdf", ".json"))


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks."""
    if is_file(request) and "text/html" not in request.headers.get("Accept", ""):
        return True  # what a browser asks for says so; a program that takes anything shall not take a page for a file
    return request.path.endswith(".json") or request.get_preferred_type(["text/html", "application/json"]) == (
        "application/json"
    )


def answer(request: HttpRequest, error: RollcallError) -> HttpResponse:
    """The error in the form that was asked for. The page needs neither session nor database: they may be the fault."""
    if request.path_info.startswith(API):
        return problem(request, error)
    body = {"code": error.code, "message": str(error), "hint": error.hint}
    if wants_json(request):
        return JsonResponse(body, status=error.status)
    context = frame(request) | body | {"status": error.status, "request": request}
    page = render_to_string("error.html", context)
    return HttpResponse(page, status=error.status)


def _as_ours(error: BaseException | None) -> RollcallError | None:
    if isinstance(error, RollcallError):
        return error
    if isinstance(error, DataError):
        return Refused(
            _("The request has a character or a number that cannot be looked for."), code="unreadable", status=400
        )
    if isinstance(error, OperationalError):
        return Unavailable(
            _("The database does not answer just now."),
            code="database-unavailable",
            hint=_("Try again in a minute; if it lasts, tell whoever runs Rollcall."),
        )
    return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """400."""
    error = RollcallError(
        _("The request could not be understood."), code="bad-request", status=400, hint=_("Go back and try again.")
    )
    return answer(request, error)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403."""
    error = RollcallError(
        _("You may not see this page."), code="forbidden", status=403, hint=_("Ask whoever runs Rollcall for access.")
    )
    return answer(request, error)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; a view may say in the exception what it is that does not exist."""
    said = exception.args[0] if isinstance(exception, Http404) and exception.args else None
    message = said if isinstance(said, str) else _("There is no such page.")
    error = RollcallError(
        message, code="not-found", status=404, hint=_("Check the address, or begin with the list of meetings.")
    )
    return answer(request, error)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours. Django has logged it; the page tells nothing of it."""
    error = _as_ours(sys.exc_info()[1]) or RollcallError(
        _("Rollcall met a fault of its own."),
        code="fault",
        hint=_("Nothing that was received is lost. Try again; if it lasts, tell whoever runs Rollcall."),
    )
    return answer(request, error)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """A form came without the token of its page."""
    error = RollcallError(
        _("The form was too old, or your browser keeps no cookies."),
        code="stale-form",
        status=403,
        hint=_("Allow cookies for this site, load the page again and send the form once more."),
    )
    return answer(request, error)
