"""What a loop of the worker has in hand: tasks that go on beside it, and the one thread in which it asks the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from django.db import close_old_connections, connections

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")

FINISHING_SECONDS: Final = 5.0


@dataclass(slots=True)
class Hands(Generic[Key]):
    """Tasks, each counted to whom it asks, so that nobody is asked too much at a time."""

    thread: ThreadPoolExecutor
    _tasks: dict[asyncio.Task[None], Key] = field(default_factory=dict)

    async def in_thread(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Run a function of the store in the one thread that may wait for the database."""
        return await in_thread(self.thread, work, *arguments, **named)

    def counted(self) -> Counter[Key]:
        """How many tasks go on for each key."""
        return Counter(self._tasks.values())

    def begin(self, key: Key, work: Coroutine[Any, Any, None]) -> None:
        """Have it go on beside the loop. What it raises is told nobody: it has to catch what it can."""
        task = asyncio.create_task(work)
        self._tasks[task] = key
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def finish(self, seconds: float | None = None) -> None:
        """Wait for what is in hand; what is not done in time is left to whoever takes it up, as after a crash."""
        if self._tasks:
            _, late = await asyncio.wait(tuple(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def in_thread(thread: ThreadPoolExecutor, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Run a function of the store there, on connections that are still good."""

    def working() -> T:
        close_old_connections()
        return work(*arguments, **named)

    return await asyncio.get_running_loop().run_in_executor(thread, working)


@asynccontextmanager
async def at_work(name: str) -> AsyncIterator[Hands[Any]]:
    """Empty hands with a thread of this name; at the end what is in them is given FINISHING_SECONDS."""
    with ThreadPoolExecutor(1, name) as thread:
        hands: Hands[Any] = Hands(thread)
        try:
            yield hands
        finally:
            await hands.finish(FINISHING_SECONDS)
            await hands.in_thread(connections.close_all)


async def ticking(
    stop: asyncio.Event,
    tick: Callable[[], Awaitable[None]],
    seconds: float,
    sooner: asyncio.Event | None = None,
) -> None:
    """Tick, and again so many seconds after each, or as soon as `sooner` is set, until told to stop."""
    while not stop.is_set():
        if sooner is not None:
            sooner.clear()
        await tick()
        await _first_of(stop, sooner, seconds)


async def _first_of(stop: asyncio.Event, sooner: asyncio.Event | None, seconds: float) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in (stop, sooner) if event is not None]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
