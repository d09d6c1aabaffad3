"""Server-sent events from a bare ASGI handler: Django would keep a thread for every open one.

Of each watched meeting one poller a process looks at two counters twice a second. When they move, or some seconds have
passed, what is shown is made once for everybody who sees it in the same form, and sent whole: whoever was away needs
nothing of what was sent meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from rollcall.live import snapshot
from rollcall.live.access import allowed_view

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from rollcall.live.snapshot import Snapshot, View

    Scope: TypeAlias = dict[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
    Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

_log = logging.getLogger("rollcall.live")

LOOK_SECONDS = 0.5
REFRESH_SECONDS = 10.0
"""How often the state is sent although nothing was folded: durations grow, and proxies want to hear something."""
STREAM_SECONDS = 900.0
"""After this a stream ends and the page asks Django again whether it may go on."""
_RETRY_MS = 2_000
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


class Chunk:
    """One event, as it goes over the wire with and without compression; made once and sent to many."""

    def __init__(self, event: bytes, *, is_last: bool = False) -> None:
        # Each chunk stands alone and ends on a byte, so chunks made once may follow each other in anybody's stream.
        squeezer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self.plain = event
        self.squeezed = squeezer.compress(event) + squeezer.flush(zlib.Z_FULL_FLUSH)
        self.is_last = is_last

    @classmethod
    def of(cls, taken: Snapshot | None) -> Chunk:
        """A state as an event; an ended meeting, or one that is no longer to be found here, is also the last one."""
        if taken is None:
            return cls(b"event: gone\ndata:\n\n", is_last=True)
        lines = b"\n".join(b"data: " + line for line in taken.html.encode().splitlines())
        last = b"event: done\ndata:\n\n" if taken.is_last else b""
        return cls(b"event: state\n" + lines + b"\n\n" + last, is_last=taken.is_last)


class Watched:
    """One meeting that somebody watches: its poller, and the chunks of its newest state."""

    def __init__(self, meeting: int, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self.meeting = meeting
        self.version = 0
        self.viewers = 0
        self._in_thread = in_thread
        self._moved = asyncio.Event()
        self._chunks: dict[View, asyncio.Task[Chunk]] = {}
        self._poller = asyncio.create_task(self._poll())

    async def chunk(self, view: View) -> Chunk:
        """The newest state in this form; whoever asks first has it made."""
        if view not in self._chunks:
            self._chunks[view] = asyncio.create_task(self._make(view))
        return await asyncio.shield(self._chunks[view])

    async def moved_on(self, version: int) -> None:
        """Return once there is something newer."""
        while self.version == version:
            await self._moved.wait()

    def close(self) -> None:
        """Nobody watches any more."""
        self._poller.cancel()

    async def _make(self, view: View) -> Chunk:
        return await self._in_thread(lambda: Chunk.of(snapshot.take(view)))  # type: ignore[no-any-return]

    async def _poll(self) -> None:
        """Look at the counters until nobody watches; a database that does not answer is asked again."""
        seen: object = None
        looks = 0
        watch_looks, refresh_looks = (round(seconds / LOOK_SECONDS) for seconds in (10.0, REFRESH_SECONDS))
        while True:
            try:
                if looks % watch_looks == 0:
                    await self._in_thread(lambda: snapshot.keep_watching(self.meeting))
                now = await self._in_thread(lambda: snapshot.progress(self.meeting))
                if now != seen or looks % refresh_looks == 0:
                    seen = now
                    self._move()
            except Exception:  # noqa: BLE001 - whatever it is, those who watch stay, and the next look may succeed
                _log.warning("a watched meeting could not be read", exc_info=True)
            looks += 1
            await asyncio.sleep(LOOK_SECONDS)

    def _move(self) -> None:
        self.version += 1
        self._chunks = {}
        self._moved.set()
        self._moved = asyncio.Event()


class Streams:
    """All open streams of a process."""

    def __init__(self) -> None:
        self._watched: dict[int, Watched] = {}
        self._closing = asyncio.Event()
        self._executor: ThreadPoolExecutor | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a stream, and go on answering until either side has enough."""
        view = allowed_view(scope["path"])
        if view is None or scope["method"] != "GET":
            await _refuse(send)
            return
        watched = self._watch(view.meeting)
        try:
            await self._stream(watched, view, _Line(scope, receive, send))
        finally:
            self._unwatch(watched)

    def close(self) -> None:
        """The server closes: every stream ends by itself, and browsers come back."""
        self._closing.set()

    def _watch(self, meeting: int) -> Watched:
        watched = self._watched.get(meeting)
        if watched is None:
            watched = self._watched[meeting] = Watched(meeting, self._in_thread)
        watched.viewers += 1
        return watched

    def _unwatch(self, watched: Watched) -> None:
        watched.viewers -= 1
        if not watched.viewers:
            watched.close()
            self._watched.pop(watched.meeting, None)

    async def _in_thread(self, work: Callable[[], object]) -> object:
        """Read and render off the loop, in threads of our own: each keeps its connection to the database."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(2, thread_name_prefix="live")
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def _stream(self, watched: Watched, view: View, line: _Line) -> None:
        await line.begin()
        gone = asyncio.create_task(line.gone())
        closing = asyncio.create_task(self._closing.wait())
        too_long = asyncio.create_task(asyncio.sleep(STREAM_SECONDS))
        ends = {gone, closing, too_long}
        try:
            await _unless(ends, watched.moved_on(0))
            while not any(task.done() for task in ends):
                version = watched.version
                chunk = await _unless(ends, watched.chunk(view))
                if chunk is not None:
                    await line.send(chunk)
                    if chunk.is_last:
                        break
                await _unless(ends, watched.moved_on(version))
        finally:
            for task in ends:
                task.cancel()
            if not gone.done() or closing.done():
                await line.end()


async def _unless(ends: Iterable[asyncio.Task[Any]], work: Coroutine[Any, Any, Chunk | None]) -> Chunk | None:
    """The result of the work, or None if one of the ends came before it or it failed."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, *ends}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        return None
    if error := task.exception():
        _log.warning("a watched meeting could not be shown", exc_info=error)
        return None
    return task.result()


class _Line:
    """The connection to one browser."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._is_squeezed = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])

    async def begin(self) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        if self._is_squeezed:
            headers.append((b"content-encoding", b"gzip"))
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        if self._is_squeezed:
            await self._body(_GZIP_HEAD)
        await self.send(Chunk(b"retry: %d\n\n" % _RETRY_MS))

    async def send(self, chunk: Chunk) -> None:
        await self._body(chunk.squeezed if self._is_squeezed else chunk.plain)

    async def _body(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def gone(self) -> None:
        """Return when the browser has gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _refuse(send: Send) -> None:
    """The page asks for a new address when it sees this."""
    body = msgspec.json.encode(
        {"code": "stream-not-allowed", "message": "This address opens no stream.", "hint": "Load the page again."}
    )
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_streams = Streams()


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application for every path under /live/."""
    await _streams(scope, receive, send)


def close() -> None:
    """Let every open stream end by itself; called in the loop when the server closes."""
    _streams.close()
