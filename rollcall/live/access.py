"""Who may open a stream: Django decides it and signs; the stream, outside of Django, only reads the signature."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.core import signing
from django.utils.crypto import salted_hmac

from rollcall.live.snapshot import View

PATH = "/live/"
SECONDS = 60
"""How long a signed address opens a stream. An open stream goes on; who opens another asks Django again."""

_SALT = "rollcall.live"


class Allowed(NamedTuple):
    """What may be watched, by which session (blank: none), under whose licence (None: an operator needs none)."""

    view: View
    session: str
    organisation: int | None = None


def stream_address(view: View, session_key: str | None = None, organisation: int | None = None) -> str:
    """The path of the stream for somebody who has just been allowed to see this meeting."""
    session = salted_hmac(_SALT, session_key).hexdigest()[:16] if session_key else ""
    what = [view.meeting, view.zone.key, view.language, view.form, view.after, session, organisation]
    return PATH + signing.dumps(what, salt=_SALT)


def allowed(path: str) -> Allowed | None:
    """What this path may watch; None if it was not signed by us, or too long ago."""
    try:
        meeting, zone, language, form, after, session, organisation = signing.loads(
            path.removeprefix(PATH), salt=_SALT, max_age=SECONDS
        )
    except (signing.BadSignature, ValueError):  # signed, but by an older version, in another form
        return None
    return Allowed(View(meeting, ZoneInfo(zone), language, form, after), session, organisation)
