"""Somebody who watches: one connection to the stream, and what their page shows after all that came over it."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import F

from rollcall.live.access import stream_address
from rollcall.live.snapshot import LIVE, View
from rollcall.live.stream import Streams
from tests.makers import Attendee, make_meeting

UTC = ZoneInfo("UTC")
SOON = 5.0


class Browser:
    """One connection to the stream: what came over it, and when it ended."""

    def __init__(self, streams: Streams, path: str, *, accepts: bytes = b"", query: bytes = b"") -> None:
        headers = [(b"accept-encoding", accepts)] if accepts else []
        self.scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": headers}
        self.scope["query_string"] = query
        self.start: dict[str, Any] = {}
        self.raw = b""
        self.has_ended = False
        self._free = asyncio.Event()
        self._free.set()
        self._left = asyncio.Event()
        self._news = asyncio.Event()
        self.task = asyncio.create_task(streams(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self._free.wait()
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.raw += message["body"]
            self.has_ended = not message.get("more_body", False)
        self._news.set()

    def hold(self) -> None:
        """Take nothing until `let_go`."""
        self._free.clear()

    def let_go(self) -> None:
        """Take what comes again."""
        self._free.set()

    @property
    def text(self) -> str:
        if any(name == b"content-encoding" for name, _ in self.start.get("headers", ())):
            return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(self.raw).decode()
        return self.raw.decode()

    @property
    def events(self) -> list[tuple[str, str]]:
        found = []
        for block in self.text.split("\n\n"):
            fields = [line.partition(": ")[::2] for line in block.splitlines() if not line.startswith("retry")]
            name = next((value for key, value in fields if key == "event"), "")
            if name:
                found.append((name, "\n".join(value for key, value in fields if key == "data")))
        return found

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def change(self, number: int) -> dict[str, Any]:
        """The event of that number, which must be a change."""
        name, data = self.events[number]
        assert name == "change", self.events
        found: dict[str, Any] = msgspec.json.decode(data)
        return found

    async def until(self, count: int) -> list[tuple[str, str]]:
        """Wait for so many events."""
        async with asyncio.timeout(SOON):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()
        return self.events

    async def leave(self) -> None:
        self._left.set()
        await asyncio.wait_for(self.task, SOON)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def in_thread(work: Any, *arguments: Any, **more: Any) -> Any:
    return await asyncio.to_thread(work, *arguments, **more)


@contextlib.asynccontextmanager
async def watching(streams: Streams, path: str, **more: Any) -> AsyncIterator[Browser]:
    """Somebody who has seen the first state, until the block ends."""
    browser = Browser(streams, path, **more)
    await browser.until(1)
    yield browser
    await browser.leave()


def address(summary: Any, zone: str = "UTC", form: str = LIVE) -> str:
    return stream_address(View(summary.meeting_id, ZoneInfo(zone), "en", form))


def ada(**more: Any) -> Attendee:
    return Attendee(name="Ada", proved=(("10:00", "10:10"),), possible=(("10:00", None),), end="open", **more)


def running(*others: Attendee, **more: Any) -> Any:
    return make_meeting(ada(), *others, name="Now", ended=None, **more)


def fold(summary: Any, **changes: Any) -> None:
    """As the worker would: other rows, and the counters moved."""
    from rollcall.store.derived import Summary
    from rollcall.store.facts import Meeting

    if changes:
        Summary.objects.filter(pk=summary.pk).update(**changes)
    Meeting.objects.filter(pk=summary.meeting_id).update(appended=F("appended") + 1, folded=F("folded") + 1)


def come(summary: Any, *names: str) -> None:
    """More people are in, just as Ada is, and it is folded."""
    from rollcall.store.derived import Attendance
    from rollcall.store.keys import key_of

    (first,) = Attendance.objects.filter(summary=summary, name="Ada")
    for name in names:
        key = key_of("user", name)
        first.pk, first.attendee_key, first.name, first.sort_key = None, key, name, name.lower().encode() + b"\0" + key
        first.save(force_insert=True)
    fold(summary)


def sign(summary: Any, name: str = "Ada", **at: int | None) -> None:
    """That person gives these signs from now on, and it is folded."""
    from rollcall.store.derived import Attendance

    row = Attendance.objects.get(summary=summary, name=name)
    detail = msgspec.json.decode(row.detail)
    row.detail = msgspec.json.encode(detail | {"signs": at})
    row.save()
    fold(summary)
