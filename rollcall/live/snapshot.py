"""What a watched meeting looks like now, and how it is told from what was shown before."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.db import close_old_connections
from django.utils import timezone, translation

from rollcall.live import now_html, page_html
from rollcall.store import reading
from rollcall.store.facts import Meeting

if TYPE_CHECKING:
    from collections.abc import Collection
    from zoneinfo import ZoneInfo

    from rollcall.live.fragment import Fragment

WATCHED_MS = 20_000
"""How long the worker folds a meeting at once after the last time a watcher was heard of."""

LIVE, PAGE = "live", "page"
FORMS = (LIVE, PAGE)
"""Who is in now, and the page of the meeting."""


@dataclass(frozen=True, slots=True)
class View:
    """In what form somebody watches: everybody with the same one is sent the same bytes."""

    meeting: int
    zone: ZoneInfo
    language: str
    form: str = PAGE
    after: str = ""


def now() -> int:
    """Epoch ms."""
    return time.time_ns() // 1_000_000


def take(view: View, old: Fragment | None = None, *, is_fresh: bool = True) -> Fragment | None:
    """The meeting as it is; None if it has become a room of another one, or its people have changed places.

    Unless it is to be fresh, what only time has changed is left as it stands in the `old` one.
    """
    close_old_connections()
    summary = reading.meeting(view.meeting)
    if summary is None or summary.meeting_id != view.meeting:
        return None
    known = {} if old is None or is_fresh else old.marked()
    with timezone.override(view.zone), translation.override(view.language):
        if view.form == LIVE:
            return now_html.fragment(summary, as_of=now(), zone=view.zone)
        return page_html.fragment(summary, as_of=now(), zone=view.zone, after=view.after, known=known)


def news(view: View, old: Fragment, new: Fragment) -> list[str]:
    """What has happened since, in sentences to be read out."""
    with translation.override(view.language):
        return now_html.news(old, new)


class Progress(NamedTuple):
    """How far a meeting's log has been folded, and into whose rows; when it changes there is something new to show."""

    folded: int
    root: int | None


def progress(meetings: Collection[int]) -> dict[int, Progress]:
    """Of each of these meetings that there is: one query for all of them, several times a second."""
    close_old_connections()
    found = Meeting.objects.filter(pk__in=meetings).values_list("pk", "folded", "root_id")
    return {pk: Progress(folded, root) for pk, folded, root in found}


def keep_watching(meetings: Collection[int]) -> None:
    """Ask the worker to fold these at once whenever something comes, and what already waits for a slower turn now."""
    close_old_connections()
    at = now()
    Meeting.objects.filter(pk__in=meetings).update(watched_until=at + WATCHED_MS)
    Meeting.objects.filter(pk__in=meetings, due_at__gt=at).update(due_at=at)
