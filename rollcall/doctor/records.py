"""Whether the records of each server's meetings come: when the last one did, for how many, and why not."""

from __future__ import annotations

from django.utils import timezone

from rollcall.doctor.findings import Finding, warning
from rollcall.reports import words
from rollcall.reports.missing_record import Why, why_no_record
from rollcall.store import reading
from rollcall.store.connections import Server
from rollcall.store.reading import Filter, RecordHistory, State

LOOKED_AT = 50


def check(server: Server, as_of: int) -> list[Finding]:
    """Looks at the last meetings that ended; nothing is asked of the server."""
    about = server.pool.name
    if not server.pool.is_captured:
        return [warning(about, "Capture is switched off for it.", f"rollcall capture on --server {about}")]
    history = reading.record_history(about)
    if not history.recent:
        return []
    found = _standing(history)
    why = _why(server, history, as_of)
    if why is None:
        return [Finding(about, found)]
    return [warning(about, f"{found} {why.sentence}", why.mend)]


def _standing(history: RecordHistory) -> str:
    share = f"{history.recent_with} of the last {history.recent} meetings have a record (callback or events.xml)"
    if history.reported_at is None:
        return f"{share}."
    last = words.day_and_clock(history.reported_at, timezone.get_default_timezone())
    return f"{share}; the last one came on {last}."


def _why(server: Server, history: RecordHistory, as_of: int) -> Why | None:
    """The cause for the newest meeting of which a record is late; None where none is."""
    if history.recent_with == history.recent:
        return None
    ended = Filter(server=server.pool.name, as_of=as_of, state=State.SETTLED)
    newest = (one for one in reading.newest_meetings(ended, limit=LOOKED_AT) if not one.record)
    zone = timezone.get_default_timezone()
    causes = (why_no_record(one, as_of=as_of, zone=zone, history=history) for one in newest)
    return next((why for why in causes if not why.may_come), None)
