"""Who may open a stream: Django decides it and signs; the stream, outside of Django, only reads the signature."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from django.core import signing
from django.utils.crypto import salted_hmac

from rollcall.live.snapshot import View

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = "/live/"
SECONDS = 60
"""How long a signed address opens a stream. An open stream goes on; who opens another asks Django again."""

_SALT = "rollcall.live"


class Kind(StrEnum):
    """Of what lets somebody in."""

    LICENCE = "licence"  # of an organisation
    SESSION = "session"  # of an account
    VISIT = "visit"  # from an LMS


class Ground(NamedTuple):
    """Without which a stream ends: a licence in force, a session or a visit that goes on; by its primary key."""

    kind: Kind
    pk: int


class Allowed(NamedTuple):
    """What may be watched, by which session (blank: none), and as long as what holds."""

    view: View
    session: str
    grounds: tuple[Ground, ...] = ()


def stream_address(view: View, session_key: str | None = None, grounds: Iterable[Ground] = ()) -> str:
    """The path of the stream for somebody who has just been allowed to see this meeting."""
    session = salted_hmac(_SALT, session_key).hexdigest()[:16] if session_key else ""
    what = [view.meeting, view.zone.key, view.language, view.form, view.after, session, list(grounds)]
    return PATH + signing.dumps(what, salt=_SALT)


def allowed(path: str) -> Allowed | None:
    """What this path may watch; None if it was not signed by us, or too long ago."""
    try:
        meeting, zone, language, form, after, session, told = signing.loads(
            path.removeprefix(PATH), salt=_SALT, max_age=SECONDS
        )
        grounds = tuple(Ground(Kind(kind), pk) for kind, pk in told)
    except (signing.BadSignature, ValueError, TypeError):  # signed, but by an older version, in another form
        return None
    return Allowed(View(meeting, ZoneInfo(zone), language, form, after), session, grounds)
