"""Where staff accounts are signed in. A session that has no row here any more is none: whoever comes with it is out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rollcall.store.accounts import StaffSession
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

MINUTE_MS: Final = 60_000
_ATTRIBUTE: Final = "staff_session"


def key_of_session(session_key: str) -> bytes:
    """The key of its row; the session's own key opens it, and is kept nowhere but with the session."""
    return key_of("staff session", session_key)


def sessions_of(user: User) -> list[StaffSession]:
    """All of an account, the one last used first."""
    return list(StaffSession.objects.filter(user=user).order_by("-seen_at", "-pk"))


def make_session(user: User, session_key: str, *, now: int) -> StaffSession:
    """Remember a session that has just begun (epoch ms)."""
    key = key_of_session(session_key)
    made, _is_new = StaffSession.objects.get_or_create(
        key=key, defaults={"user": user, "made_at": now, "seen_at": now // MINUTE_MS * MINUTE_MS}
    )
    return made


def note_login(sender: object, request: HttpRequest, user: User, **_more: object) -> None:  # noqa: ARG001 - Django's
    """Django tells of each login, whatever way it came."""
    if request.session.session_key is None:  # who was signed in as somebody else has none yet
        request.session.create()
    make_session(user, request.session.session_key or "", now=time.time_ns() // 1_000_000)


def mark_session(request: HttpRequest, held: StaffSession | None) -> None:
    """Say in which session of an account something is asked; None is in none."""
    setattr(request, _ATTRIBUTE, held)


def session_of(request: HttpRequest) -> StaffSession | None:
    """In which it was asked."""
    held: StaffSession | None = getattr(request, _ATTRIBUTE, None)
    return held


def find_session(user: User, session_key: str) -> StaffSession | None:
    """The row of a session, with what its account may see, as each page asks for both; None if it was ended."""
    found = StaffSession.objects.filter(user=user, key=key_of_session(session_key))
    return found.select_related("user__account").first()


def see_session(held: StaffSession, *, now: int) -> None:
    """Remember that it was used, to the minute; one that was ended meanwhile does not come back."""
    minute = now // MINUTE_MS * MINUTE_MS
    if held.seen_at < minute:
        StaffSession.objects.filter(pk=held.pk).update(seen_at=minute)


def end_sessions(user: User, *, but: StaffSession | None = None) -> int:
    """End all of an account, or all others; return how many."""
    found = StaffSession.objects.filter(user=user)
    if but is not None:
        found = found.exclude(pk=but.pk)
    ended, _of = found.delete()
    return ended


def forget_old(*, before: int) -> None:
    """Those that began before this time (epoch ms) are over anyway."""
    StaffSession.objects.filter(made_at__lt=before).delete()
