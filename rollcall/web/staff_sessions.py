"""A staff session lasts as long as its row: whoever comes with one that was ended, or is too old, is signed out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from rollcall.store.staff_sessions import (
    MINUTE_MS,
    find_session,
    key_of_session,
    make_session,
    mark_session,
    see_session,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from rollcall.store.accounts import StaffSession


def now_ms() -> int:
    """Our own clock; tests put another in its place."""
    return time.time_ns() // 1_000_000


class StaffSessions:
    """Middleware behind the one that knows the account."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        held = _enter(request)
        mark_session(request, held)
        response = self.get_response(request)
        if held is not None:
            _follow(request, held)
        return response


def _enter(request: HttpRequest) -> StaffSession | None:
    """The row of who comes; without one, or with one too old, they are nobody from here on."""
    if not request.user.is_authenticated:
        return None
    now = now_ms()
    held = find_session(request.user, request.session.session_key or "")
    if held is not None and not _is_over(held, now):
        see_session(held, now=now)
        request.user = held.user
        return held
    if held is not None:
        held.delete()
    request.session.flush()
    request.user = AnonymousUser()
    return None


def _is_over(held: StaffSession, now: int) -> bool:
    idle_ms, age_ms = settings.SESSION_IDLE_SECONDS * 1000, settings.SESSION_COOKIE_AGE * 1000
    return now >= held.seen_at + MINUTE_MS + idle_ms or now >= held.made_at + age_ms


def _follow(request: HttpRequest, held: StaffSession) -> None:
    """Signing out ends the row; a change of password, or of the account, gives the session another key."""
    key = request.session.session_key
    if key is not None and key_of_session(key) == bytes(held.key):
        return
    held.delete()
    if key is not None and request.user.is_authenticated:
        make_session(request.user, key, now=now_ms())
