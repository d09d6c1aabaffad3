"""The body of a record as it comes in: small ones and JSON in memory, recordings in a file that has no name."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

from rollcall import environment
from rollcall.core.errors import Refused, Unavailable
from rollcall.store.fields import DIGEST_BYTES

Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]

GZIP: Final = b"\x1f\x8b"
LARGEST_JSON: Final = 32 * 1024 * 1024
LARGEST_RECORDING: Final = 1024 * 1024 * 1024
LARGEST_INFLATED: Final = 8 * 1024 * 1024 * 1024
WRITTEN_AT_ONCE: Final = 1024 * 1024
# A sender that has been silent for so long is gone.
SILENT_SECONDS: Final = 20.0
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
    """What has come in, to be read from its beginning once all has; `is_recording`: XML, else JSON."""

    __slots__ = ("_hash", "_memory", "file", "is_gzip", "is_recording", "size")

    def __init__(self, *, is_gzip: bool, is_recording: bool) -> None:
        self.is_gzip = is_gzip
        self.is_recording = is_recording
        self.size = 0
        self.file: BinaryIO | None = None
        self._memory = bytearray()
        self._hash = blake2b(digest_size=DIGEST_BYTES)

    @property
    def digest(self) -> bytes:
        """Of the bytes as they came."""
        return self._hash.digest()

    @property
    def memory(self) -> bytes:
        """All of a body that is in no file."""
        return bytes(self._memory)

    @property
    def largest(self) -> int:
        """How large it may be."""
        return LARGEST_RECORDING if self.is_recording else LARGEST_JSON

    async def add(self, chunk: bytes) -> None:
        """The next piece; Refused if it is one too many, Unavailable if the disk does not take it."""
        self.size += len(chunk)
        if self.size > self.largest:
            raise too_large(self.largest)
        self._hash.update(chunk)
        self._memory += chunk
        if self.is_recording and len(self._memory) >= WRITTEN_AT_ONCE:
            await self._spill()

    async def finish(self) -> None:
        """All has come."""
        if self.file is not None:
            await self._spill()
            await asyncio.to_thread(self.file.seek, 0)

    def close(self) -> None:
        """Let the file go, and with it what was in it."""
        if self.file is not None:
            self.file.close()

    async def _spill(self) -> None:
        piece, self._memory = self._memory, bytearray()
        await asyncio.to_thread(self._write, piece)

    def _write(self, piece: bytearray) -> None:
        try:
            if self.file is None:
                self.file = nameless_file()
            self.file.write(piece)
        except OSError as error:
            raise Unavailable(
                f"The record could not be written down while it came: {type(error).__name__}.",
                code="not-stored",
                hint="See that the disk of ROLLCALL_DATA has room; then let it be sent again.",
            ) from error


def nameless_file() -> BinaryIO:
    """A file in the data folder that only this process can see, and that is gone when it is closed."""
    folder = Path(environment.DATA.read()).expanduser() / "tmp"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


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

    __slots__ = ("_receive", "is_over")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_over = False

    async def next(self) -> bytes:
        """The next piece; Gone if nobody is there any more, Refused if nothing comes."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                message = await self._receive()
        except TimeoutError:
            self.is_over = True
            raise Refused(
                "The body broke off.",
                code="incomplete",
                hint="Send it again; if that goes on, look at the time and size limits of what stands in between.",
            ) from None
        self.is_over = not message.get("more_body")
        if message["type"] == "http.disconnect":
            raise Gone
        piece: bytes = message.get("body", b"")
        return piece

    async def drain(self) -> None:
        """Read on for a moment: who is refused in the middle of sending would not see the answer."""
        read = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAINING_SECONDS):
                while not self.is_over and read < DRAINED:
                    read += len(await self.next())


async def read_body(incoming: Incoming, content_type: str) -> Body:
    """Take in all of it. Who calls closes what is given."""
    first = await incoming.next()
    while not incoming.is_over and len(first) < LOOKED_AT:
        first += await incoming.next()
    body = _new_body(first, content_type)
    try:
        await body.add(first)
        while not incoming.is_over:
            await body.add(await incoming.next())
        await body.finish()
    except BaseException:
        body.close()
        raise
    return body


def _new_body(first: bytes, content_type: str) -> Body:
    """What it is is told by its first bytes; only where they do not say it, by its header."""
    is_gzip = first.startswith(GZIP)
    peeked = _peek(first) if is_gzip else first
    begins = peeked.lstrip(_BLANK)[:1]
    is_recording = begins == b"<" or (begins not in {b"{", b"["} and (is_gzip or "xml" in content_type))
    return Body(is_gzip=is_gzip, is_recording=is_recording)


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
