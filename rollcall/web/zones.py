"""The reader's time zone: told once by the browser, in a cookie or to the visit; until then the configured one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from rollcall.lti.entering import visit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

COOKIE = "zone"
_LONGEST = 64


def find_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, None if nobody knows it; the name comes from outside."""
    if not name or len(name) > _LONGEST:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class ReaderZone:
    """Middleware: while a request is answered, the current zone is its reader's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in it."""
        visit = visit_of(request)
        zone = find_zone(visit.zone if visit else request.COOKIES.get(COOKIE, ""))
        with timezone.override(zone or timezone.get_default_timezone()):
            return self.get_response(request)
