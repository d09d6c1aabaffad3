"""Headers that every page carries: it runs only our files, stands in no frame but an LMS's, and no cache keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError

from rollcall.lti import framing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, HttpResponse

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "  # Bootstrap's arrows and ticks
    "connect-src 'self'; "
    "base-uri 'none'; "
)

_HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",  # who attended what is personal, and school computers are shared
}


def policy(framed_by: Iterable[str] = (), *, form_action: str = "") -> str:
    """What a page may do: be framed by these origins, and send its forms to us and to this one."""
    ancestors = " ".join(sorted(framed_by)) or "'none'"
    actions = f"'self' {form_action}".strip()
    return f"{CONTENT_SECURITY_POLICY}form-action {actions}; frame-ancestors {ancestors}"


class SecurityHeaders:
    """Middleware: adds what a view has not set itself. Static files are answered before it, and may be cached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the headers."""
        response = self.get_response(request)
        origins = _framed_by(request, response)
        response.headers.setdefault("Content-Security-Policy", policy(origins))
        if origins and "X-Frame-Options" in response.headers:
            del response.headers["X-Frame-Options"]  # it cannot name anybody, and would win where both are read
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def _framed_by(request: HttpRequest, response: HttpResponse) -> set[str]:
    """What was said of this page; the doors for LMSs stand open to all of them."""
    allowed = framing.allowed(response)
    if allowed is None and request.path_info.startswith("/lti/"):
        try:
            allowed = framing.all_origins()
        except DatabaseError:
            allowed = None
    return allowed or set()
