"""A watched meeting as it is now: the same fragment as in its page, made anew each time. State is sent, not changes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import close_old_connections
from django.template.loader import render_to_string
from django.utils import timezone, translation

from rollcall.reports.meeting_page import meeting_parts
from rollcall.store import reading
from rollcall.store.facts import Meeting

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WATCHED_MS = 20_000
"""How long the worker folds a meeting every second after the last time a watcher was heard of."""

_SOON_MS = 1_000


@dataclass(frozen=True, slots=True)
class View:
    """In what form somebody watches: everybody with the same one is sent the same bytes."""

    meeting: int
    zone: ZoneInfo
    language: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The fragment as HTML, and whether nothing more is to be expected."""

    html: str
    is_last: bool


def now() -> int:
    """Epoch ms."""
    return time.time_ns() // 1_000_000


def take(view: View) -> Snapshot | None:
    """The meeting as it is; None if it has become a room of another one, or its people have changed places."""
    close_old_connections()
    summary = reading.meeting(view.meeting)
    if summary is None or summary.meeting_id != view.meeting:
        return None
    with timezone.override(view.zone), translation.override(view.language):
        parts = meeting_parts(summary, as_of=now(), zone=view.zone, after=view.after)
        if parts is None:
            return None
        return Snapshot(render_to_string("_meeting.html", parts), is_last=not parts["meeting"].is_running)


def progress(meeting: int) -> reading.Progress | None:
    """How far the meeting has been folded."""
    close_old_connections()
    return reading.progress(meeting)


def keep_watching(meeting: int) -> None:
    """Ask the worker to fold this meeting every second, and what already waits for a slower turn now."""
    close_old_connections()
    at = now()
    Meeting.objects.filter(pk=meeting).update(watched_until=at + WATCHED_MS)
    Meeting.objects.filter(pk=meeting, due_at__gt=at + _SOON_MS).update(due_at=at + _SOON_MS)
