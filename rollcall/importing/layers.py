"""What lies inside a file: compressed, packed, or plain, told by its first bytes and never by its name.

Everything is read in one direction, nothing is written to the disk, and what comes out is bounded by what went in.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

CHUNK = 256 * 1024
# So much is looked at to tell what something is: a tar's mark is at 257, a document's root element after any comments.
HEAD = 4096

# A file may be packed in a packed file; more than this is a trap.
DEEPEST = 4
# An events.xml is a tenth or a thirtieth of itself when compressed; a thousandth is possible only on purpose.
MOST_RATIO = 200
FREE_BYTES = 256 * 1024 * 1024


class Form(Enum):
    """What the first bytes say."""

    EMPTY = auto()
    GZIP = auto()
    TAR = auto()
    PACKED = auto()  # in a way that is not read here
    RECORDING = auto()
    JSON = auto()
    OTHER = auto()


class Unreadable(Exception):
    """Nothing (more) can be read of this; the argument is a sentence."""


class Source(Protocol):
    """Whatever gives bytes: at most `size`, none at the end."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        ...


@dataclass(slots=True)
class Allowance:
    """How much one file may unfold to: `taken` bytes of it were read, `given` came out of its layers."""

    free: int = FREE_BYTES
    taken: int = 0
    given: int = 0

    def give(self, number: int) -> None:
        """Count what a layer has unfolded; Unreadable if it is out of all proportion."""
        self.given += number
        if self.given > self.free + MOST_RATIO * self.taken:
            raise Unreadable("It unfolds to more than a record ever does, as only a trap would.")


class Counted:
    """The bytes of the disk, counted towards the allowance."""

    def __init__(self, source: Source, allowance: Allowance) -> None:
        self._source, self._allowance = source, allowance

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        data = self._source.read(size)
        self._allowance.taken += len(data)
        return data


class Peeking:
    """A source that can be looked into before it is read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen = b""

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only if there are no more; they stay to be read, also before a break."""
        try:
            while len(self._seen) < size and (more := self._source.read(CHUNK)):
                self._seen += more
        except Unreadable:
            # Whoever reads on after these meets it again.
            if not self._seen:
                raise
        return self._seen[:size]

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; fewer do not mean the end, none does."""
        if self._seen:
            data, self._seen = self._seen[:size], self._seen[size:]
            return data
        return self._source.read(size)

    def read_exactly(self, size: int) -> bytes:
        """So many bytes, fewer only at the end."""
        parts = []
        while size > 0 and (data := self.read(min(size, CHUNK))):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)


class Inflated:
    """What a gzip stream holds, also one of several members; Unreadable when it breaks off, never more than allowed."""

    def __init__(self, source: Source, allowance: Allowance) -> None:
        self._source, self._allowance = source, allowance
        self._inflater = zlib.decompressobj(wbits=31)
        self._waiting = b""
        self._is_over = False

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        while not self._is_over:
            data = self._inflate(size)
            if data:
                self._allowance.give(len(data))
                return data
        return b""

    def _inflate(self, size: int) -> bytes:
        if self._inflater.eof:
            self._begin_next_member()
            return b""
        if not self._waiting:
            self._waiting = self._source.read(CHUNK)
        is_last = not self._waiting
        try:
            data = self._inflater.decompress(self._waiting, size)
        except zlib.error as error:
            raise Unreadable("Its compressed data are damaged.") from error
        if is_last and not data and not self._inflater.eof:
            raise Unreadable("Its compressed data break off.")
        self._waiting = self._inflater.unconsumed_tail
        return data

    def _begin_next_member(self) -> None:
        rest = self._inflater.unused_data or self._source.read(CHUNK)
        # Whatever else follows is padding, as gzip itself takes it.
        if not rest.lstrip(b"\0").startswith(b"\x1f"):
            self._is_over = True
            return
        self._inflater = zlib.decompressobj(wbits=31)
        self._waiting = rest.lstrip(b"\0")


_OTHER_PACKERS = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"(\xb5/\xfd": "compressed by zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a rar archive",
}
# The root of BigBlueButton's own record; published/…/metadata.xml has the same one, without an attribute.
_ROOT = re.compile(rb"<recording\s[^>]*\bmeeting_id\s*=")
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}


def form_of(head: bytes) -> Form:
    """What begins so."""
    if not head:
        return Form.EMPTY
    if head.startswith(b"\x1f\x8b"):
        return Form.GZIP
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return Form.TAR
    if packer_of(head):
        return Form.PACKED
    text = _narrow(head).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\0")
    if text.startswith((b"{", b"[")):
        return Form.JSON
    return Form.RECORDING if text.startswith(b"<") and _ROOT.search(text) else Form.OTHER


def packer_of(head: bytes) -> str:
    """In words, how something is packed that is not read here; blank if it is not."""
    return next((words for mark, words in _OTHER_PACKERS.items() if head.startswith(mark)), "")


def _narrow(head: bytes) -> bytes:
    """Text of two bytes a character as one of one byte."""
    encoding = _WIDE.get(head[:2])
    return head.decode(encoding, "replace").lstrip("\ufeff").encode() if encoding else head


def _is_old_tar(head: bytes) -> bool:
    """A tar from before 1988 has no mark, but a checksum."""
    return (
        len(head) >= 512
        and 0 < head.find(b"\0") < 100
        and bool(head[156:157].strip(b"\0") in {b"", b"0", b"5"})
        and (_number(head[148:156]) == _checksum(head[:512]))
    )


class Tolerant:
    """A source that just ends where it cannot be read on: what stands before is worth keeping. `fault` says why."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.fault = ""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none where it ends, or breaks off."""
        if self.fault:
            return b""
        try:
            return self._source.read(size)
        except Unreadable as unreadable:
            self.fault = str(unreadable)
        except OSError as error:
            self.fault = f"It cannot be read on: {error.strerror or type(error).__name__}."
        return b""


def unwrapped(source: Source, allowance: Allowance) -> tuple[Form, Peeking]:
    """What is inside all compressions."""
    stream = Peeking(source)
    for _ in range(DEEPEST):
        form = form_of(stream.peek(HEAD))
        if form is not Form.GZIP:
            return form, stream
        stream = Peeking(Inflated(stream, allowance))
    raise Unreadable("It is compressed more often than any record is.")


# -- tar ----------------------------------------------------------------------------------------------------------

BLOCK = 512
# A long name, or what a pax header says; more is not of this world.
LONGEST_HEADER = 256 * 1024
_PLAIN = frozenset((b"0", b"\0", b"7"))
_SPARSE = b"S"


@dataclass(slots=True)
class Member:
    """One file of an archive; it can be read until the next one is asked for."""

    name: str
    size: int
    modified_at: int
    content: Peeking


class _Limited:
    """So many bytes of a source."""

    def __init__(self, source: Peeking, size: int) -> None:
        self._source = source
        self.left = size

    def read(self, size: int, /) -> bytes:
        if self.left <= 0:
            return b""
        data = self._source.read(min(size, self.left))
        if not data:
            raise Unreadable("The archive breaks off inside it.")
        self.left -= len(data)
        return data


def members(archive: Peeking) -> Iterator[Member]:
    """The plain files of a tar, of whichever program; Unreadable where it is damaged or breaks off.

    Names are shown and looked up, never opened: there is no path a member could lead to.
    """
    told: dict[str, str] = {}
    while header := _header(archive):
        kind, size = header[156:157], _number(header[124:136])
        if size is None or size < 0:
            raise Unreadable("The archive is damaged: a member has no size.")
        if kind in b"LxgKX" and kind:
            told |= _long_header(archive, kind, size)
            continue
        size = _told_size(told, size)
        body = _Limited(archive, size)
        if kind in _PLAIN:
            yield Member(told.get("path") or _name(header), size, _modified_at(header), Peeking(body))
        elif kind == _SPARSE:
            raise Unreadable("The archive holds a file with holes in it, which is not read: make it without -S.")
        _skip(archive, body, size)
        told = {}


def _header(archive: Peeking) -> bytes:
    """The next header, or nothing at the end of the archive."""
    block = archive.read_exactly(BLOCK)
    if not block.strip(b"\0"):
        if len(block) < BLOCK:
            raise Unreadable("The archive breaks off.")
        return b""
    if len(block) < BLOCK:
        raise Unreadable("The archive breaks off.")
    if _number(block[148:156]) not in {_checksum(block), _signed_checksum(block)}:
        raise Unreadable("The archive is damaged: what should be the head of a member is none.")
    return block


def _skip(archive: Peeking, body: _Limited, size: int) -> None:
    while body.left:
        body.read(CHUNK)
    archive.read_exactly(-size % BLOCK)


def _long_header(archive: Peeking, kind: bytes, size: int) -> dict[str, str]:
    """What is said of the next member before its own header: its path, where that is long, and its size."""
    if size > LONGEST_HEADER:
        raise Unreadable("The archive is damaged: a name is longer than any.")
    text = archive.read_exactly(size)
    if len(text) < size:
        raise Unreadable("The archive breaks off.")
    archive.read_exactly(-size % BLOCK)
    match kind:
        case b"L":
            return {"path": _text(text.rstrip(b"\0"))}
        case b"x" | b"X":
            return _pax(text)
    return {}


def _pax(text: bytes) -> dict[str, str]:
    r"""Lines as `27 path=some/where/else.xml\n`, each beginning with its own length."""
    told: dict[str, str] = {}
    while text:
        length, _, rest = text.partition(b" ")
        if not length.isdigit() or not len(length) + 1 < int(length) <= len(text):
            break
        name, _, value = rest[: int(length) - len(length) - 1].rstrip(b"\n").partition(b"=")
        told[_text(name)] = _text(value)
        text = text[int(length) :]
    return told


def _told_size(told: dict[str, str], size: int) -> int:
    said = told.get("size", "")
    return int(said) if said.isdecimal() and len(said) < 19 else size


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0")[0]
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _modified_at(header: bytes) -> int:
    """In nanoseconds."""
    seconds = _number(header[136:148]) or 0
    return seconds * 1_000_000_000 if abs(seconds) < 2**33 else 0


def _number(field: bytes) -> int | None:
    """Octal digits, or binary after a first byte of 128, as GNU tar writes what is too large."""
    if field[:1] and field[0] & 0x80:
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if re.fullmatch(rb"[0-7]+", digits) else None


def _checksum(block: bytes) -> int:
    return sum(block) - sum(block[148:156]) + 8 * 0x20


def _signed_checksum(block: bytes) -> int:
    """As some old programs count."""
    return _checksum(block) - 256 * sum(byte > 127 for byte in block[:148] + block[156:])
