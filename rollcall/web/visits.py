"""Pages in an LMS's frame, where a browser may keep neither cookies nor anything else.

All of a visit's pages stand below `/in/…/`. What stands there either names the visit, which its cookie opens, or is
signed and opens it by itself. The rest of Rollcall knows nothing of that: on the way in the begin of the path is taken
off, on the way out it is put before every address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rollcall import environment
from rollcall.core.errors import RollcallError
from rollcall.lti import framing, visits
from rollcall.lti.entering import PREFIX, enter, let_visit, secrets_of, visit_of
from rollcall.web import rewriting
from rollcall.web.frame import mark_framed
from rollcall.web.zones import find_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from rollcall.store.platforms import Visit

WINDOW: Final = f"{PREFIX}window"
STOPPED: Final = f"{PREFIX}stopped"
RENEWED: Final = "Page-Prefix"
"""The header by which a page that stays open learns the newest form of its own address."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_OTHERS: Final = ("/login", "/logout", "/account", "/api/", "/lti/", PREFIX)
_SPLIT: Final = re.compile(rf"{PREFIX}([^/]*)(/.*|)", re.DOTALL)
_REASON: Final = "stopped_because"


class Visits:
    """Middleware: a request below `/in/` is asked in its visit, and in nothing else; any other in none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        let_visit(request, None)
        if not request.path_info.startswith(PREFIX) or request.path_info == WINDOW:
            return self.get_response(request)
        now = visits.clock()
        found = _SPLIT.fullmatch(request.path_info)
        name, path = found.groups() if found else ("", "")
        path = path or "/"
        visit = _by_cookie(request, name, now)
        if visit is not None:
            visits.cookie_came_back(visit)
            return self._in_visit(request, visit, PREFIX + name, path)
        visit = visits.of_token(name, now)
        if visit is None:
            return self._stopped(request, "over")
        if _by_cookie(request, visits.name(visit), now) is not None:
            visits.cookie_came_back(visit)
            return _elsewhere(request, PREFIX + visits.name(visit) + path)
        if visit.has_cookie:
            return self._stopped(request, "over")
        return self._in_visit(request, visit, PREFIX + visits.token(visit, now), path)

    def _in_visit(self, request: HttpRequest, visit: Visit, prefix: str, path: str) -> HttpResponse:
        visits.touch(visit, visits.clock())
        let_visit(request, visit)
        if path.startswith(_OF_OTHERS):
            response = self._stopped(request, "none")
        elif request.method not in _SAFE and not is_from_our_pages(request):
            response = self._stopped(request, "foreign")
        else:
            response = self._answer(request, path)
        response.headers[RENEWED] = prefix
        rewriting.move(response, prefix)
        return response

    def _stopped(self, request: HttpRequest, reason: str) -> HttpResponse:
        setattr(request, _REASON, reason)
        return self._answer(request, STOPPED)

    def _answer(self, request: HttpRequest, path: str) -> HttpResponse:
        """What everybody else would be answered at this path, for somebody without any cookie of ours."""
        mark_framed(request)
        request.path = request.path_info = path
        request.COOKIES = {}
        # The origin was looked at, and there is no cookie that another site could make use of.
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own switch
        response = self.get_response(request)
        response.cookies.clear()
        visit = visit_of(request)
        framing.allow(response, framing.origins_of(visit.platform) if visit else framing.all_origins())
        # Not even to ourselves: a proxy writes down where somebody came from.
        response.headers["Referrer-Policy"] = "strict-origin"
        return response


def _by_cookie(request: HttpRequest, name: str, now: int) -> Visit | None:
    secret = next((one for one in secrets_of(request) if visits.name_of(one) == name), None)
    return visits.of_secret(secret, now) if secret else None


def _elsewhere(request: HttpRequest, path: str) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    response = HttpResponseRedirect(escape_uri_path(path) + (f"?{query}" if query else ""))
    response.status_code = 303 if request.method in _SAFE else 307
    return response


def is_from_our_pages(request: HttpRequest) -> bool:
    """Whether a browser says that a page of ours sent this. Nothing else says so where no cookie is kept."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return site is not None
    ours = urlsplit(environment.URL.read())
    return origin in {f"{request.scheme}://{request.get_host()}", f"{ours.scheme}://{ours.netloc}"}


# --- pages of its own -------------------------------------------------------------------------------------------------


@login_not_required
@csrf_exempt
def stopped(request: HttpRequest) -> HttpResponse:
    """Why there is no page: the visit is over, somebody else's page sent a form, or there is nothing here."""
    match getattr(request, _REASON, None):
        case "over":
            if "HX-Request" in request.headers:  # the part that was asked for is not all that is over
                response = HttpResponse(status=403)
                response.headers["HX-Refresh"] = "true"
                return response
            raise over()
        case "foreign":
            raise RollcallError(
                _("This was not sent from a page of Rollcall."),
                code="foreign-form",
                status=403,
                hint=_("Go back to the page and send it once more."),
            )
        case _:
            raise Http404


def over() -> RollcallError:
    """What somebody is told whose visit has ended."""
    return RollcallError(
        _("Your visit is over."),
        code="visit-over",
        status=403,
        hint=_("Go back to the course and open it from there again."),
    )


@login_not_required
@csrf_exempt  # it is opened where no cookie is known; the ticket in the form stands for it, and the origin is looked at
@require_POST
def window(request: HttpRequest) -> HttpResponse:
    """Open the visit of a page in a window of its own, as a visit beside it: there the cookies are others."""
    now = visits.clock()
    visit = visits.of_ticket(request.POST.get("ticket", ""), now)
    if visit is None or not is_from_our_pages(request):
        setattr(request, _REASON, "over")
        return stopped(request)
    to = request.POST.get("to", "")
    return enter(request, *visits.sibling(visit, now), to if to.startswith("/") else "/")


@require_POST
def zone(request: HttpRequest) -> HttpResponse:
    """The browser's zone, told by a page where no cookie can tell it."""
    visit, told = visit_of(request), request.POST.get("zone", "")
    if visit is None or find_zone(told) is None:
        return HttpResponse(status=400)
    visit.zone = told
    visit.save(update_fields=["zone"])
    return HttpResponse(status=204)
