"""Server-sent events on one connection: made once as bytes, with and without compression, sent to many."""

from __future__ import annotations

import asyncio
import random
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rollcall.live.fragment import Change, Fragment

    Scope: TypeAlias = dict[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
    Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

RETRY_MS = (500, 4_000)
"""A browser that lost its stream comes back after so long; a thousand of them not all at once."""
STREAM_SECONDS = (800.0, 1_000.0)
"""After this a stream ends and the page asks Django again whether it may go on; again not everybody at once."""
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


class Chunk:
    """Some events; standing alone, so that chunks made once may follow each other in anybody's stream."""

    def __init__(self, plain: bytes) -> None:
        squeezer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self.plain = plain
        # Ends on a byte and refers to nothing before it.
        self.squeezed = squeezer.compress(plain) + squeezer.flush(zlib.Z_FULL_FLUSH)


def whole_chunk(fragment: Fragment) -> Chunk:
    """Everything that is to be seen; of an ended meeting also the last."""
    lines = b"\n".join(b"data: " + line for line in fragment.html().encode().splitlines())
    return Chunk(b"event: state\n" + lines + b"\n\n" + _end(is_last=fragment.is_last))


def change_chunk(found: Change, *, is_last: bool) -> Chunk:
    """What is new."""
    return Chunk(b"event: change\ndata: " + msgspec.json.encode(found) + b"\n\n" + _end(is_last=is_last))


def _end(*, is_last: bool) -> bytes:
    return b"event: done\ndata:\n\n" if is_last else b""


GONE = Chunk(b"event: gone\ndata:\n\n")
"""No longer to be found here."""
BEAT = Chunk(b"event: beat\ndata:\n\n")
"""Nothing has changed; a page that hears nothing for long knows that its line is dead."""


class Line:
    """The connection to one browser. `wake` it when there is something for it; `version` is what it has seen."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._is_squeezed = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        self._news = asyncio.Event()
        self.version = 0
        self.is_ending = False
        self.has_gone = False

    async def begin(self) -> None:
        """The head, and how soon to come back."""
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store, no-transform"),
            (b"x-accel-buffering", b"no"),
        ]
        if self._is_squeezed:
            headers.append((b"content-encoding", b"gzip"))
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        retry = Chunk(b"retry: %d\n\n" % random.randint(*RETRY_MS))  # noqa: S311 - to spread them
        await self._body(_GZIP_HEAD + retry.squeezed if self._is_squeezed else retry.plain)

    async def send(self, chunk: Chunk) -> None:
        """Return when the server has taken it."""
        await self._body(chunk.squeezed if self._is_squeezed else chunk.plain)

    async def end(self) -> None:
        """Nothing more."""
        if not self.has_gone:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def hang_up(self) -> None:
        """Return when the browser has gone; whoever writes to it is told."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_gone = True
        self.finish()

    def finish(self) -> None:
        """Let it end by itself."""
        self.is_ending = True
        self._news.set()

    def wake(self) -> None:
        """There is something for it."""
        self._news.set()

    async def news(self) -> None:
        """Return once there is something, or it is to end."""
        await self._news.wait()
        self._news.clear()

    async def _body(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})


async def refuse(send: Send) -> None:
    """The page asks for a new address when it sees this."""
    await _answer(send, 403, "stream-not-allowed", "This address opens no stream.", "Load the page again.")


async def refuse_more(send: Send) -> None:
    """The page tries again later."""
    await _answer(send, 429, "too-many-streams", "This is watched in too many ways at once.", "Close other pages.")


async def _answer(send: Send, status: int, code: str, message: str, hint: str) -> None:
    body = msgspec.json.encode({"code": code, "message": message, "hint": hint})
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
