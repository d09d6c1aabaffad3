"""What all pages have in common that an LMS sends people to: how they refuse, and whose licence they ask for."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

import structlog
from django.shortcuts import render
from django.utils import translation

from rollcall.core.errors import RollcallError
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
            return refused_page(request, error)

    return answer


def refused_page(request: HttpRequest, error: RollcallError) -> HttpResponse:
    """The page of what was refused, in the frame it came from."""
    logger.info("An LMS was refused", code=error.code)
    context = {"message": str(error), "hint": error.hint, "code": error.code, "framed": True}
    response = render(request, "lti_refused.html", context, status=error.status)
    response["Content-Language"] = translation.get_language()
    return response


def require_licence(platform: Platform, language: str) -> None:
    """That the platform's organisation may see its records now. What is said from here on is in the launch's language.

    ReaderLanguage puts back the browser's when the request has been answered.
    """
    if language:
        translation.activate(language)
    standing = licensed(platform.organisation_id)
    if standing.standing is not Standing.IN_FORCE:
        raise refusal(platform.organisation_id, standing)
