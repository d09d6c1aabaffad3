"""Whether the records of each server's meetings come: when the last one did, for how many, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from rollcall.doctor.findings import Finding, warning
from rollcall.reports import words
from rollcall.reports.missing_record import USUAL_MS, Why, why_no_record
from rollcall.store import reading
from rollcall.store.reading import Filter, RecordHistory, State

if TYPE_CHECKING:
    from rollcall.store.connections import Server
    from rollcall.store.derived import Summary

LOOKED_AT = 50


def check(server: Server, as_of: int) -> list[Finding]:
    """Looks at the last meetings that ended; nothing is asked of the server."""
    about = server.pool.name
    if not server.pool.is_captured:
        return [warning(about, "Capture is switched off for it.", f"rollcall capture on --server {about}")]
    history = reading.record_history(about, ended_by=as_of - USUAL_MS)
    if not history.recent:
        return []
    found, lacking = _standing(history), _lacking(server, history, as_of)
    if lacking is None:
        return [Finding(about, found)]
    return [warning(about, f"{found} {_newest(*lacking)}", lacking[1].mend)]


def _standing(history: RecordHistory) -> str:
    of_them = "meeting has" if history.recent == 1 else "meetings have"
    share = f"{history.recent_with} of the last {history.recent} {of_them} a record (callback or events.xml)"
    if history.reported_at is None:
        return f"{share}."
    last = words.day_and_clock(history.reported_at, timezone.get_default_timezone())
    return f"{share}; the last one came on {last}."


def _lacking(server: Server, history: RecordHistory, as_of: int) -> tuple[Summary, Why] | None:
    """The newest meeting of which a record is late, and its cause; None where none is since records come."""
    if history.recent_with == history.recent:
        return None
    zone = timezone.get_default_timezone()
    ended = Filter(server=server.pool.name, as_of=as_of, state=State.SETTLED)
    newest = (one for one in reading.newest_meetings(ended, limit=LOOKED_AT) if not one.record)
    causes = ((one, why_no_record(one, as_of=as_of, zone=zone)) for one in newest)
    late = next(((one, why) for one, why in causes if not why.may_come), None)
    return None if late is None or late[1].is_early else late


def _newest(summary: Summary, why: Why) -> str:
    """What is said of the one meeting alone stays on its page."""
    day = words.day(summary.started_at, timezone.get_default_timezone())
    about = f"The newest without one: {summary.name or summary.meeting.internal_meeting_id}, {day}."
    return about if why.code == "only-this-one" else f"{about} {why.sentence}"
