"""What is kept for a time only, and forgotten after it: some rows at a time, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import structlog
from django.db import close_old_connections
from django.db.models import Count, Q

from rollcall import environment
from rollcall.store import auditing, deliveries_kept, rosters, staff_sessions
from rollcall.store.platforms import Invitation, PendingLaunch, Visit

SECONDS: Final = 60.0
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

LAUNCH_KEPT_MS: Final = 10 * MINUTE_MS
"""So long whoever loads a page again is told that their launch was too late; after it nobody knows of it."""
MOST_LAUNCHES: Final = 20_000
"""Of one LMS. A true one needs its row for seconds, and would have to be followed by so many within them to lose it."""

INVITATION_KEPT_MS: Final = 30 * DAY_MS

logger = structlog.get_logger(__name__)


async def run(stop: asyncio.Event) -> None:
    """Forget what is old, launches each minute and the rest each hour, until told to stop."""
    due = 0
    while not stop.is_set():
        now = time.time_ns() // 1_000_000
        await asyncio.to_thread(_go, forget_launches, now)
        if now >= due:
            await asyncio.to_thread(_go, forget, now)
            due = now + HOUR_MS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SECONDS)


def _go(work: Callable[[int], None], now: int) -> None:
    close_old_connections()
    work(now)


def forget(now: int) -> None:
    """Everything that is past its time at `now` (epoch ms)."""
    staff_sessions.forget_old(before=now - environment.SESSION_HOURS.read_whole_number() * HOUR_MS)
    if count := auditing.forget(now - environment.AUDIT_DAYS.read_whole_number() * DAY_MS):
        logger.info("Entries of the audit log were forgotten", entries=count)
    if count := rosters.forget(now):
        logger.info("Who left courses long ago was forgotten", stays=count)
    if count := deliveries_kept.forget(now):
        logger.info("What was owed to an LMS long ago was forgotten", rows=count)
    Visit.objects.filter(expires_at__lt=now).delete()
    Invitation.objects.filter(expires_at__lt=now - INVITATION_KEPT_MS).delete()


def forget_launches(now: int) -> None:
    """Launches that can be used no more, and the oldest of more than anybody needs: anybody may begin one."""
    over = Q(used_at__lt=now - MINUTE_MS) | Q(expires_at__lt=now - LAUNCH_KEPT_MS)
    PendingLaunch.objects.filter(over).delete()
    counted = PendingLaunch.objects.order_by().values("platform").annotate(count=Count("pk"))
    for platform in counted.filter(count__gt=MOST_LAUNCHES).values_list("platform", flat=True):
        waiting = PendingLaunch.objects.filter(platform=platform)
        oldest = waiting.order_by("-pk").values_list("pk", flat=True)[MOST_LAUNCHES]
        waiting.filter(pk__lte=oldest).delete()
