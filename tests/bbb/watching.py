"""What tests of hooks and watches stand on: a server in the store, a fake to watch, a desk without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from rollcall.bbb import servers
from rollcall.bbb.payloads import decode
from rollcall.bbb.watch import Pace
from rollcall.core.errors import Unavailable
from rollcall.core.events import Anything
from rollcall.feed.append import Item, append
from rollcall.feed.feed import Arrival, Feed
from rollcall.store.connections import Hook, Pool, Secret, Server
from rollcall.store.sealing import seal

T = TypeVar("T")
BASE_URL = "https://rollcall.example.org"


def add_server(api_url: str, *, secret: str = "s3cret", name: str = "bbb.example.org", **columns: Any) -> Server:
    """A row as `rollcall server add` leaves it."""
    pool = Pool.objects.create(name=name)
    columns = {"added_at": servers.now_ms()} | columns
    server = Server.objects.create(pool=pool, api_url=api_url, **columns)
    Secret.objects.create(server=server, encrypted=seal(secret), added_at=server.added_at)
    return server


def addresses(server: Server, **where: Any) -> list[str]:
    """What is stored of our addresses."""
    return list(Hook.objects.filter(server=server, **where).order_by("pk").values_list("registered_url", flat=True))


class LogFeed:
    """A feed straight into the log; it may be told to fail."""

    def __init__(self) -> None:
        self.is_down = False
        self.log: list[Arrival] = []

    async def publish(self, arrivals: Sequence[Item]) -> None:
        if self.is_down:
            raise Unavailable("down")
        await asyncio.to_thread(append, list(arrivals))
        self.log += [one for one in arrivals if isinstance(one, Arrival)]

    async def close(self) -> None:
        pass

    def events(self, kind: str = "") -> list[Anything]:
        """What was published, read back."""
        found = [decode(one.source, one.digest, one.payload, one.identity)[0] for one in self.log]
        return [one for one in found if not kind or one.kind == kind]


@contextmanager
def store_thread() -> Iterator[Callable[..., Any]]:
    """Runs what asks the store in one thread, as a worker does, and lets its connection go."""
    from django.db import connections

    with ThreadPoolExecutor(1) as thread:

        async def in_thread(work: Callable[..., T], *arguments: Any, **named: Any) -> T:
            return await asyncio.get_running_loop().run_in_executor(thread, lambda: work(*arguments, **named))

        yield in_thread
        thread.submit(connections.close_all).result()


class Clock:
    """Our own time, which a test moves."""

    def __init__(self) -> None:
        self.at = servers.now_ms() // 1000 * 1000

    def __call__(self) -> int:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


class TestDesk:
    """What a watch finds around it in a worker, for one watch."""

    __test__ = False

    def __init__(self, in_thread: Callable[..., Any], clock: Clock, feed: LogFeed, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.feed: Feed = feed
        self.base_url = BASE_URL
        self.leased_until = 2**62
        self.outages: list[tuple[int, int]] = []
        self.at_once = asyncio.Semaphore(1)
        self.in_thread = in_thread
        self.clock = clock
        self.noted: dict[int, dict[str, Any]] = {}

    def note(self, server: int, **status: int | str | None) -> None:
        self.noted.setdefault(server, {}).update(status)

    async def write(self) -> None:
        """What a worker writes every few seconds."""
        await self.in_thread(write_statuses, self.noted)


def write_statuses(noted: dict[int, dict[str, Any]]) -> None:
    for server, status in noted.items():
        Server.objects.filter(pk=server).update(**status)
