"""The feed of one machine: whatever has gathered while the last commit ran is committed next, by one writer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from django.db import connection, connections

from rollcall.core.errors import Unavailable
from rollcall.feed.append import GROUP_ARRIVALS, GROUP_BYTES, PATIENCE_SECONDS, Item, append, size_of

logger = logging.getLogger(__name__)

# What may wait for the writer: about a second's work, and never more memory than this.
DEEPEST_ARRIVALS = 20_000
DEEPEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Publishing:
    """One caller's arrivals, and how the caller learns what became of them."""

    arrivals: Sequence[Item]
    size: int
    done: asyncio.Future[None]


class Embedded:
    """A Feed (feed.feed) that writes to this process's own database. All callers share one event loop."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[_Publishing | None] = SimpleQueue()
        self._arrivals = 0
        self._bytes = 0
        self._patience = PATIENCE_SECONDS
        self._is_closed = False
        self._writer: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def publish(self, arrivals: Sequence[Item]) -> None:
        """Return once every arrival is durable; a caller that goes away meanwhile takes nothing back."""
        if not arrivals:
            return
        self._refuse_if_closed_or_full()
        loop = self._start_writer()
        size = sum(map(size_of, arrivals))
        publishing = _Publishing(arrivals, size, loop.create_future())
        self._arrivals += len(arrivals)
        self._bytes += size
        self._waiting.put(publishing)
        await publishing.done

    async def close(self) -> None:
        """Finish what is in flight and refuse the rest."""
        if self._writer and not self._is_closed:
            self._waiting.put(None)
        self._is_closed = True
        if self._writer:
            await asyncio.to_thread(self._writer.join)

    def _refuse_if_closed_or_full(self) -> None:
        if self._is_closed:
            raise Unavailable("Rollcall is stopping.", code="stopping", hint="Send it again to the next one.")
        if self._arrivals >= DEEPEST_ARRIVALS or self._bytes >= DEEPEST_BYTES:
            hint = "Send it again later. If this goes on, the disk or the database is too slow for what arrives."
            raise Unavailable("Too much is waiting to be written.", code="too-busy", hint=hint)

    def _start_writer(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._writer = threading.Thread(target=self._write, args=(self._loop,), name="rollcall-writer", daemon=True)
            self._writer.start()
        return self._loop

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """The writer's thread; it has a connection of its own."""
        _wait_for_locks_no_longer_than(PATIENCE_SECONDS)
        try:
            while group := self._next_group():
                outcomes = self._commit(group)
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who asked
                    loop.call_soon_threadsafe(self._tell, group, outcomes)
        finally:
            connections.close_all()

    def _next_group(self) -> list[_Publishing]:
        """Everything that waits, as far as one transaction takes it; nothing once closed and empty."""
        if (first := self._waiting.get()) is None:
            return []
        group = [first]
        arrivals, size = len(first.arrivals), first.size
        with contextlib.suppress(Empty):
            while arrivals < GROUP_ARRIVALS and size < GROUP_BYTES:
                if (more := self._waiting.get_nowait()) is None:
                    self._waiting.put(None)
                    break
                group.append(more)
                arrivals, size = arrivals + len(more.arrivals), size + more.size
        return group

    def _commit(self, group: Sequence[_Publishing]) -> list[Unavailable | None]:
        """What to tell each of the group: nothing once it is durable."""
        try:
            append([item for publishing in group for item in publishing.arrivals], patience=self._patience)
        except Unavailable as error:
            self._patience = 0.0  # who waits behind these shall be told at once while the database is down
            return [Unavailable(str(error), code=error.code, hint=error.hint) for _ in group]
        except Exception as error:  # a fault of ours; nobody else's arrivals shall suffer from it
            if len(group) > 1:
                return [outcome for publishing in group for outcome in self._commit([publishing])]
            logger.exception("An arrival could not be written")
            return [
                Unavailable(f"This could not be written: {type(error).__name__}.", hint="Look into Rollcall's log.")
            ]
        self._patience = PATIENCE_SECONDS
        return [None] * len(group)

    def _tell(self, group: Sequence[_Publishing], outcomes: Sequence[Unavailable | None]) -> None:
        """Back on the event loop: those who still wait go on."""
        for publishing, outcome in zip(group, outcomes, strict=True):
            self._arrivals -= len(publishing.arrivals)
            self._bytes -= publishing.size
            if publishing.done.done():
                continue
            if outcome:
                publishing.done.set_exception(outcome)
            else:
                publishing.done.set_result(None)


def _wait_for_locks_no_longer_than(seconds: float) -> None:
    """Who sent something gives up after five seconds; a lock that somebody forgot must not hold up the writer for ever.

    MariaDB is told so for every connection (settings.py), the other two only for this thread's.
    """
    options = connection.settings_dict["OPTIONS"]
    match connection.vendor:
        case "sqlite":
            options = {**options, "timeout": seconds}
        case "postgresql":
            told = options.get("options", "")
            options = {**options, "options": f"{told} -c lock_timeout={seconds * 1000:.0f}".strip()}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
