"""What is kept for a time only, and forgotten after it: some rows at a time, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

import structlog
from django.db import close_old_connections

from rollcall import environment
from rollcall.store import auditing, rosters, staff_sessions
from rollcall.store.platforms import Visit

SECONDS: Final = 3600.0
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

logger = structlog.get_logger(__name__)


async def run(stop: asyncio.Event) -> None:
    """Forget what is old, once an hour, until told to stop."""
    while not stop.is_set():
        await asyncio.to_thread(forget, time.time_ns() // 1_000_000)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SECONDS)


def forget(now: int) -> None:
    """Everything that is past its time at `now` (epoch ms)."""
    close_old_connections()
    staff_sessions.forget_old(before=now - environment.SESSION_HOURS.read_whole_number() * HOUR_MS)
    if count := auditing.forget(now - environment.AUDIT_DAYS.read_whole_number() * DAY_MS):
        logger.info("Entries of the audit log were forgotten", entries=count)
    if count := rosters.forget(now):
        logger.info("Who left courses long ago was forgotten", stays=count)
    Visit.objects.filter(expires_at__lt=now).delete()
