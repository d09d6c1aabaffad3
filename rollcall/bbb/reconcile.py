"""The watch over every server: who is in, whether webhooks can arrive, and facts about what was seen or missed.

One task per server, all in the event loop; the database is asked from one thread. Several workers share the servers by
leases. What a watch remembers is lost with it; the next one begins from the two times that are stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import structlog
from django.db import Error, connections

from rollcall import environment, settings
from rollcall.bbb import servers
from rollcall.bbb.api import BigBlueButton, http_client
from rollcall.bbb.servers import Watched, now_ms
from rollcall.bbb.watch import Pace, Watch
from rollcall.bbb.watcher import own_name
from rollcall.feed.feed import Feed
from rollcall.outgoing.in_hand import in_thread, ticking

T = TypeVar("T")
logger = structlog.get_logger(__name__)

# bbb-webhooks retries for 295 s and then forgets the hook.
OUTAGE_MS = 4 * 60_000
AT_ONCE = 128
CANCELLED_AGAIN_SECONDS = 5.0


async def run(feed: Feed, stop: asyncio.Event, pace: Pace | None = None) -> None:
    """Watch every server that no other worker watches, until told to stop."""
    with own_name(settings.DATA) as name, ThreadPoolExecutor(1, "rollcall-watch") as thread:
        async with http_client() as http:
            desk = Desk(name, feed, http, thread, pace or Pace.from_environment())
            try:
                await desk.run(stop)
            finally:
                await desk.close()


@dataclass(slots=True)
class Desk:
    """What all watches of one worker share."""

    name: str
    feed: Feed
    http: httpx.AsyncClient
    thread: ThreadPoolExecutor
    pace: Pace
    clock: Callable[[], int] = now_ms
    base_url: str = field(default_factory=lambda: environment.URL.read().rstrip("/"))
    leased_until: int = 0
    outages: list[tuple[int, int]] = field(default_factory=list)
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _tasks: dict[Watched, asyncio.Task[None]] = field(default_factory=dict)
    _statuses: dict[int, dict[str, int | str | None]] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the leases, begin and end watches, write down what was seen."""
        own_address = asyncio.create_task(OwnAddress(self).run())
        try:
            await ticking(stop, self._tick, self.pace.tick_ms / 1000)
        finally:
            await _end((own_address,))

    async def close(self) -> None:
        """End all watches, and let other workers have the servers at once."""
        await _end(self._tasks.values())
        with contextlib.suppress(Error):
            await self._write_statuses()
            await self.in_thread(servers.release, self.name)
        await self.in_thread(connections.close_all)

    async def in_thread(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Run a function of the store in the one thread that may wait for the database."""
        return await in_thread(self.thread, work, *arguments, **named)

    def note(self, server: int, **status: int | str | None) -> None:
        """Have columns of a server written with the next tick."""
        self._statuses.setdefault(server, {}).update(status)

    async def _tick(self) -> None:
        asked_at = self.clock()
        try:
            watched = await self.in_thread(servers.claim, self.name, self.pace.lease_ms)
            self.leased_until = asked_at + self.pace.lease_ms // 2
            await self._write_statuses()
        except Error as error:
            logger.warning("The database cannot be asked for the servers to watch", error=type(error).__name__)
            return
        await self._begin_and_end(set(watched))

    async def _begin_and_end(self, watched: set[Watched]) -> None:
        await _end(self._tasks.pop(server) for server in self._tasks.keys() - watched)
        # All at the same moment would be all at the same moment for ever.
        spread_ms = min(self.pace.poll_ms, 20 * len(watched))
        for server in watched - self._tasks.keys():
            bbb = BigBlueButton(self.http, server.api_url, server.secrets)
            pause_ms = random.uniform(0, spread_ms)  # noqa: S311 - only spread
            self._tasks[server] = asyncio.create_task(Watch(server, bbb, self).run(pause_ms))

    async def _write_statuses(self) -> None:
        statuses, self._statuses = self._statuses, {}
        try:
            if statuses:
                await self.in_thread(servers.write_statuses, self.name, statuses)
        except Error:
            self._statuses = {pk: status | self._statuses.get(pk, {}) for pk, status in statuses.items()}
            raise


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended: before Python 3.12 wait_for may lose a cancellation, and the task goes on."""
    ending = going_on = list(tasks)
    while going_on:
        for task in going_on:
            task.cancel()
        _, late = await asyncio.wait(going_on, timeout=CANCELLED_AGAIN_SECONDS)
        going_on = list(late)
    await asyncio.gather(*ending, return_exceptions=True)


@dataclass(slots=True)
class OwnAddress:
    """Whether we can be reached ourselves: after four minutes in which we could not, every hook may be half lost."""

    desk: Desk
    _reached_at: int | None = None
    _is_lost: bool = False

    async def run(self) -> None:
        """Ask for our own address again and again."""
        while self.desk.base_url:
            await self.ask()
            await asyncio.sleep(self.desk.pace.own_address_ms / 1000)

    async def ask(self) -> None:
        """Once. Only an outage seen to begin and to end counts: not every machine reaches its own public address."""
        try:
            response = await self.desk.http.get(f"{self.desk.base_url}/health", timeout=5)
            is_reached = response.status_code < 500
        except (httpx.HTTPError, httpx.InvalidURL):
            is_reached = False
        if not is_reached:
            self._is_lost = True
            return
        now = self.desk.clock()
        if self._is_lost and self._reached_at is not None and now - self._reached_at >= OUTAGE_MS:
            logger.warning(
                "Rollcall could not be reached; all hooks are replaced", seconds=(now - self._reached_at) // 1000
            )
            self.desk.outages.append((self._reached_at, now))
        self._reached_at, self._is_lost = now, False
