"""The body of a record as it comes in, in memory: what may not be kept, chat above all, must not touch the disk.

JSON is gathered and read as a whole. A recording may be far larger than memory, so it is read while it comes: a pipe
of a few pieces lies between the event loop and the thread that reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from rollcall.core.errors import Refused, Unavailable
from rollcall.store.fields import DIGEST_BYTES

Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]

GZIP: Final = b"\x1f\x8b"
LARGEST_JSON: Final = 32 * 1024 * 1024
LARGEST_RECORDING: Final = 1024 * 1024 * 1024
LARGEST_INFLATED: Final = 8 * 1024 * 1024 * 1024
# So many pieces lie in a pipe; a server gives pieces of 64 kB.
PIECES: Final = 16
# A sender that has been silent for so long is gone.
SILENT_SECONDS: Final = 20.0
# Whoever has been waited for so long in all must have sent so many bytes for each second of it.
PATIENT_SECONDS: Final = 30.0
SLOWEST_PER_SECOND: Final = 64 * 1024
# So many large bodies are taken in at a time, and so many of one server, which shall not keep the others out.
LARGE_AT_ONCE: Final = 4
LARGE_OF_ONE: Final = 2
QUEUEING_SECONDS: Final = 8.0
# What is read of a body that is refused, so that the sender gets to see why.
DRAINED: Final = 1024 * 1024
DRAINING_SECONDS: Final = 5.0

# What is wanted of a body to know what it is.
LOOKED_AT: Final = 512
_PEEKED = 4096
_BLANK = b" \t\r\n\xef\xbb\xbf\xff\xfe\x00"


class Gone(Exception):
    """The sender hung up: nobody waits for an answer."""


class Body:
    """What comes in; `is_recording`: XML, else JSON. Its first bytes have come when it is made."""

    __slots__ = ("_hash", "first", "is_gzip", "is_recording", "size")

    def __init__(self, first: bytes, *, is_gzip: bool, is_recording: bool) -> None:
        self.first = first
        self.is_gzip = is_gzip
        self.is_recording = is_recording
        self.size = 0
        self._hash = blake2b(digest_size=DIGEST_BYTES)

    @property
    def digest(self) -> bytes:
        """Of the bytes as they came."""
        return self._hash.digest()

    def count(self, piece: bytes) -> None:
        """Measure the next piece; Refused if it is one too many."""
        self.size += len(piece)
        largest = LARGEST_RECORDING if self.is_recording else LARGEST_JSON
        if self.size > largest:
            raise too_large(largest)
        self._hash.update(piece)


class BrokenOff(Exception):
    """The rest of what a pipe was to carry will not come."""


class Pipe:
    """Bytes on their way from the event loop to one reading thread, few enough at a time to stay in memory."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[bytes | None] = queue.Queue(PIECES)
        self._rest = b""
        self._is_over = self._is_broken = self._is_closed = False

    async def give(self, piece: bytes | None) -> None:
        """The next piece, None after the last; waits while the reader is behind, and not for one that has stopped."""
        while not self._is_closed:
            try:
                return self._pieces.put_nowait(piece)
            except queue.Full:
                await asyncio.sleep(0.005)
        return None

    def break_off(self) -> None:
        """Nothing more will come: the reader is to give up."""
        self._is_broken = True
        with contextlib.suppress(queue.Full):
            self._pieces.put_nowait(None)

    # -- in the thread --------------------------------------------------------------------------------------------

    def read(self, size: int) -> bytes:
        """At most so many bytes, none at the end; BrokenOff where they do not come."""
        if not self._rest and not self._is_over:
            piece = self._pieces.get()
            if self._is_broken:
                raise BrokenOff
            self._is_over = piece is None
            self._rest = piece or b""
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def close(self) -> None:
        """The reader has seen enough."""
        self._is_closed = True


def too_large(largest: int) -> Refused:
    """For a body of more bytes than that."""
    return Refused(
        f"The body is larger than {largest >> 20} MiB.",
        code="too-large",
        status=413,
        hint="events.xml may be sent compressed (gzip); `rollcall import` takes files of any size.",
    )


class Incoming:
    """The pieces of one request's body, as they come."""

    __slots__ = ("_read", "_receive", "_waited", "is_over")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read, self._waited = 0, 0.0
        self.is_over = False

    async def next(self) -> bytes:
        """The next piece; Gone if nobody is there any more, Refused if nothing comes, or next to nothing."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                message = await self._receive()
        except TimeoutError:
            raise self._broken_off("The body broke off.") from None
        self.is_over = not message.get("more_body")
        if message["type"] == "http.disconnect":
            raise Gone
        piece: bytes = message.get("body", b"")
        self._read += len(piece)
        self._waited += time.monotonic() - began  # not the time that we ourselves took
        if not self.is_over and PATIENT_SECONDS < self._waited > self._read / SLOWEST_PER_SECOND:
            raise self._broken_off(f"The body came too slowly: less than {SLOWEST_PER_SECOND >> 10} KiB a second.")
        return piece

    def _broken_off(self, sentence: str) -> Refused:
        """The rest is not waited for."""
        self.is_over = True
        hint = "Send it again; if that goes on, look at the time and size limits of what stands in between."
        return Refused(sentence, code="incomplete", hint=hint)

    async def drain(self) -> None:
        """Read on for a moment: who is refused in the middle of sending would not see the answer."""
        read = 0
        with contextlib.suppress(TimeoutError, Refused):
            async with asyncio.timeout(DRAINING_SECONDS):
                while not self.is_over and read < DRAINED:
                    read += len(await self.next())


class Places:
    """Where large bodies are taken in: few, since each needs memory and a thread."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(LARGE_AT_ONCE)
        self._of: dict[int, asyncio.Semaphore] = {}

    @contextlib.asynccontextmanager
    async def one(self, pool: int) -> AsyncIterator[None]:
        """One of them, for a server of this pool; Unavailable if none gets free soon."""
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(QUEUEING_SECONDS):
                    await held.enter_async_context(self._of.setdefault(pool, asyncio.Semaphore(LARGE_OF_ONE)))
                    await held.enter_async_context(self._all)
            except TimeoutError:
                raise Unavailable(
                    "Too many large records come at once.", code="too-busy", hint="Send it again in a minute."
                ) from None
            yield


async def begin_body(incoming: Incoming, content_type: str) -> Body:
    """As much of it as tells what it is."""
    first = await incoming.next()
    while not incoming.is_over and len(first) < LOOKED_AT:
        first += await incoming.next()
    body = _new_body(first, content_type)
    body.count(first)
    return body


async def rest_of(incoming: Incoming, body: Body) -> bytes:
    """All of it, with what has come already."""
    gathered = bytearray(body.first)
    while not incoming.is_over:
        piece = await incoming.next()
        body.count(piece)
        gathered += piece
    return bytes(gathered)


async def pour(incoming: Incoming, body: Body, pipe: Pipe) -> None:
    """All of it into a pipe; whatever is wrong breaks the pipe off."""
    try:
        await pipe.give(body.first)
        while not incoming.is_over:
            piece = await incoming.next()
            body.count(piece)
            if piece:
                await pipe.give(piece)
        await pipe.give(None)
    except BaseException:
        pipe.break_off()
        raise


def _new_body(first: bytes, content_type: str) -> Body:
    """What it is is told by its first bytes; only where they do not say it, by its header."""
    is_gzip = first.startswith(GZIP)
    peeked = _peek(first) if is_gzip else first
    begins = peeked.lstrip(_BLANK)[:1]
    is_recording = begins == b"<" or (begins not in {b"{", b"["} and (is_gzip or "xml" in content_type))
    return Body(first, is_gzip=is_gzip, is_recording=is_recording)


def _peek(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(packed, _PEEKED)
    except zlib.error:
        return b""


def inflate_json(packed: bytes) -> bytes:
    """JSON out of gzip, all of its pieces; Refused if it is too large or damaged."""
    inflated = bytearray()
    rest = packed
    try:
        while rest:
            inflating = zlib.decompressobj(31)
            inflated += inflating.decompress(rest, LARGEST_JSON + 1 - len(inflated))
            if len(inflated) > LARGEST_JSON:
                raise too_large(LARGEST_JSON)
            if not inflating.eof:
                break
            rest = inflating.unused_data
    except zlib.error:
        rest = packed
    if rest:
        raise Refused("The compressed body is damaged or broken off.", code="not-understood", hint="Send it again.")
    return bytes(inflated)


class Bounded:
    """A stream that must not be longer than can be."""

    __slots__ = ("_left", "_stream")

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - whatever has read()
        self._stream = stream
        self._left = LARGEST_INFLATED

    def read(self, size: int) -> bytes:
        """At most so many bytes; Refused when there have been too many."""
        found: bytes = self._stream.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise too_large(LARGEST_INFLATED)
        return found
