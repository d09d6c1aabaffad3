"""The addresses of LTI 1.3: where a launch begins, where it comes back, and the keys that Rollcall signs with."""

from __future__ import annotations

import time
from functools import wraps
from typing import TYPE_CHECKING

import structlog
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from rollcall.core.errors import RollcallError
from rollcall.lti import keys, launch, login, visits
from rollcall.lti.entering import enter
from rollcall.reports.licence_words import refusal
from rollcall.store.licensing import Standing, licensed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from rollcall.store.platforms import Platform


logger = structlog.get_logger(__name__)


def told_in_a_page(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Say why nobody was let in: in a sentence, with a code to tell others. The log has the code alone."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except RollcallError as error:
            logger.info("A launch was refused", code=error.code)
            return refused_page(request, error)

    return answer


def refused_page(request: HttpRequest, error: RollcallError) -> HttpResponse:
    """The page of a launch that was refused, in the frame it came from."""
    context = {"message": str(error), "hint": error.hint, "code": error.code, "framed": True}
    return render(request, "lti_refused.html", context, status=error.status)


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
@told_in_a_page
def begin(request: HttpRequest) -> HttpResponse:
    """The platform says that somebody is coming; their browser is sent back there for a token."""
    form = request.POST if request.method == "POST" else request.GET
    return HttpResponseRedirect(login.begin(dict(form.lists()), _now()))


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
@told_in_a_page
def arrive(request: HttpRequest) -> HttpResponse:
    """The token: whoever it names is let in."""
    now = _now()
    launched = launch.receive(dict(request.POST.lists()), now, may_enter=require_licence)
    visit, secret = visits.begin(launched, now)
    return enter(request, visit, secret, visits.first_page(visit))


@login_not_required
@require_GET
def key_set(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Rollcall's public keys, for whoever verifies what it signed."""
    return JsonResponse(keys.key_set(), headers={"Cache-Control": f"public, max-age={keys.CACHED_SECONDS}"})


def require_licence(platform: Platform, language: str) -> None:
    """That the platform's organisation may see its records now; said in the language of the launch."""
    standing = licensed(platform.organisation_id)
    if standing.standing is not Standing.IN_FORCE:
        with translation.override(language or translation.get_language()):
            raise refusal(platform.organisation_id, standing)


def _now() -> int:
    return time.time_ns() // 1_000_000
