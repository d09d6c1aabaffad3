"""The reader's language: chosen in the menu and kept in a cookie; until then the browser's, else the configured one.

In a visit it is kept there, and until one is chosen it is the one in which the LMS was read.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollcall import languages
from rollcall.core.errors import Refused
from rollcall.lti.entering import visit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

_A_YEAR = 365 * 24 * 60 * 60


class Language(NamedTuple):
    """One of the menu: its code, the name it gives itself, and which way it is written."""

    code: str
    name: str
    direction: str


def menu() -> tuple[Language, ...]:
    """Every language there is."""
    return tuple(_language(code) for code, _name in settings.LANGUAGES)


@cache
def _language(code: str) -> Language:
    return Language(code, languages.name_of(code), "rtl" if languages.is_right_to_left(code) else "ltr")


class ReaderLanguage:
    """Middleware: while a request is answered, the current language is its reader's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in it, and say so."""
        visit = visit_of(request)
        language = visit.language if visit else ""
        if language not in dict(settings.LANGUAGES):
            language = translation.get_language_from_request(request).lower()  # a cookie may say DE
        with translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


@login_not_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen in the menu, and go back to the page it was chosen on."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise Refused(
            _("Rollcall does not speak this language."), code="unknown-language", hint=_("Choose another one.")
        )
    response = HttpResponseRedirect(_back(request))
    if (visit := visit_of(request)) is not None:
        visit.language = language
        visit.save(update_fields=["language"])
        return response
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=_A_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _back(request: HttpRequest) -> str:
    """The page of ours on which the form stood: as the browser says, for a search changes the address as one types."""
    parts = urlsplit("" if visit_of(request) else request.headers.get("Referer", ""))  # from there it tells no path
    if parts.netloc == request.get_host() and (path := _ours(f"{parts.path}?{parts.query}".rstrip("?"))):
        return path
    return _ours(request.POST.get("next", "")) or "/"


def _ours(path: str) -> str:
    return path if path.startswith("/") and url_has_allowed_host_and_scheme(path, None) else ""
