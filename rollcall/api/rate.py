"""How often one token may ask: so many times in each minute of the clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from rollcall import environment
from rollcall.core.errors import Refused
from rollcall.store import counting

if TYPE_CHECKING:
    from django.http import HttpRequest

SECONDS: Final = 60
_ATTRIBUTE: Final = "rate_headers"


class TooMany(Refused):
    """The minute's share is used up."""

    code = "too-many-requests"
    status = 429


def count(request: HttpRequest, who: str) -> None:
    """Count a request of somebody; TooMany if they have to wait. Any answer then says how much is left."""
    limit = environment.API_PER_MINUTE.read_whole_number()
    now = int(time.time())
    wait = SECONDS - now % SECONDS
    used = used_in_minute(f"api:{who}", now)
    left = max(0, limit - used)
    found = {"RateLimit-Limit": str(limit), "RateLimit-Remaining": str(left), "RateLimit-Reset": str(wait)}
    setattr(request, _ATTRIBUTE, found if used <= limit else {**found, "Retry-After": str(wait)})
    if used > limit:
        raise TooMany(
            _("More than %(limit)d requests came in this minute.") % {"limit": limit},
            hint=_("Wait %(seconds)d seconds, and ask for more rows at a time.") % {"seconds": wait},
        )


def headers_of(request: HttpRequest) -> dict[str, str]:
    """What is said of it; nothing where nothing was counted."""
    found: dict[str, str] = getattr(request, _ATTRIBUTE, {})
    return found


def used_in_minute(what: str, now: int) -> int:
    """Count one more of something, at `now` (epoch seconds): how many there were in this minute of the clock."""
    return counting.count(f"{what}:{now // SECONDS}", 2 * SECONDS)
