"""The way from a launch into its pages: the cookie that may or may not come back, and the address that works anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpResponseRedirect

from rollcall.lti import visits

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.store.platforms import Visit

PREFIX: Final = "/in/"
"""Below it stand all pages of visits."""
COOKIE: Final = "__Host-rollcall-visit"
MOST_VISITS: Final = 8
"""Courses in tabs beside each other, of one person in one browser; the one that was opened first is forgotten first."""
_LONGEST_SECRET: Final = 64
_ATTRIBUTE: Final = "visit"


def enter(request: HttpRequest, visit: Visit, secret: str, to: str) -> HttpResponse:
    """Send whoever was let in to `to`, a plain path of ours, with a cookie for those who keep it.

    Where it comes back, the next request finds out (rollcall.web.visits); until then the address opens the visit.
    """
    now = visits.clock()
    response = HttpResponseRedirect(f"{PREFIX}{visits.token(visit, now)}{to}")
    response.status_code = 303
    kept = [*_own_before(request, visit, now), secret][-MOST_VISITS:]
    # Neither Django nor Python 3.11 know the attribute Partitioned.
    response.headers["Set-Cookie"] = f"{COOKIE}={'.'.join(kept)}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
    return response


def _own_before(request: HttpRequest, visit: Visit, now: int) -> list[str]:
    """What the cookie opens besides, if it is the same person's. Another's visits in this browser are over."""
    own = []
    for secret in secrets_of(request):
        before = visits.of_secret(secret, now)
        if before is None:
            continue
        if (before.platform_id, before.user_id) == (visit.platform_id, visit.user_id):
            own.append(secret)
        else:
            visits.end(before, now)
    return own


def secrets_of(request: HttpRequest) -> list[str]:
    """What stands in the cookie."""
    told = request.COOKIES.get(COOKIE, "").split(".")[:MOST_VISITS]
    return [secret for secret in told if 0 < len(secret) <= _LONGEST_SECRET]


def let_visit(request: HttpRequest, visit: Visit | None) -> None:
    """Say in which visit a request is asked."""
    setattr(request, _ATTRIBUTE, visit)


def visit_of(request: HttpRequest) -> Visit | None:
    """The visit in which a request is asked; None for staff and for nobody."""
    found: Visit | None = getattr(request, _ATTRIBUTE, None)
    return found
