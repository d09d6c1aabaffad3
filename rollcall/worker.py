"""The worker process: folds what is due, watches servers, sends what is owed, reads rosters. Any number may run."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from django.db import Error, close_old_connections, connections

from rollcall.bbb import reconcile
from rollcall.deliveries import send
from rollcall.deliveries.completions import sender as completions
from rollcall.derive.activity import fold_activities_due
from rollcall.derive.directory import recount
from rollcall.derive.log import Log
from rollcall.derive.pace import Pace
from rollcall.derive.rebuild import Outdated, fold_due
from rollcall.feed.embedded import Embedded
from rollcall.lti import refreshing
from rollcall.reports.exports import working as exports
from rollcall.store import retention

IDLE_SECONDS: Final = 0.1
DATABASE_DOWN_SECONDS: Final = 3.0
# What stays decoded of running meetings is no garbage: looking it through again and again would double a fold's time.
GARBAGE_AT: Final = 20_000

logger = structlog.get_logger(__name__)


def work() -> None:
    """Work until told to stop (SIGTERM or SIGINT), finish the fold in hand, and return."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AT)
    asyncio.run(_work())


async def _work() -> None:
    stop, stopping = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    folding = asyncio.create_task(asyncio.to_thread(_fold, stopping))
    feed = Embedded()
    watching = asyncio.create_task(_go_on("Watching the servers", lambda: reconcile.run(feed, stop), stop))
    sending = asyncio.create_task(_go_on("Sending to the LMS", lambda: send.run(stop), stop))
    completing = asyncio.create_task(_go_on("Sending verdicts to the LMS", lambda: completions.run(stop), stop))
    exporting = asyncio.create_task(_go_on("Making files", lambda: exports.run(stop), stop))
    refreshing_rosters = asyncio.create_task(_go_on("Reading rosters", lambda: refreshing.run(stop), stop))
    forgetting = asyncio.create_task(_go_on("Forgetting what is old", lambda: retention.run(stop), stop))
    await stop.wait()
    stopping.set()
    await asyncio.gather(folding, watching, sending, completing, exporting, refreshing_rosters, forgetting)
    await feed.close()


async def _go_on(what: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """A fault in it is logged, waited out and begun again: folding does not depend on it."""
    while not stop.is_set():
        try:
            await work()
        except Exception:
            logger.exception("Something of the worker failed; it begins again", what=what)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), DATABASE_DOWN_SECONDS)


def _fold_due(log: Log, pace: Pace, stopping: threading.Event) -> bool:
    worked = False
    for _ in fold_due(log, pace=pace):
        worked = True
        if stopping.is_set():
            break
    return worked


def _fold_next(log: Log, meetings: Pace, activities: Pace, stopping: threading.Event) -> bool:
    """What is due; a few activities between two looks for meetings, which many wait for."""
    folded = _fold_due(log, meetings, stopping)
    judged = not stopping.is_set() and bool(list(fold_activities_due(pace=activities)))
    return folded or judged


def _fold(stopping: threading.Event) -> None:
    log, meetings, activities = Log(), Pace(), Pace()
    outdated = Outdated()
    while not stopping.is_set():
        try:
            close_old_connections()
            worked = _fold_next(log, meetings, activities, stopping)
            worked = worked or outdated.demand_some() or bool(recount())
        except Error as error:
            logger.warning("The database does not answer; folding waits", error=type(error).__name__)
            stopping.wait(DATABASE_DOWN_SECONDS)
            continue
        if not worked:
            stopping.wait(IDLE_SECONDS)
    connections.close_all()
