"""How a document is kept: canonical JSON, compressed, beside the digest of what it says.

The digest is made before compressing, so that another zlib, which may write other bytes, changes no digest.
"""

from __future__ import annotations

import zlib
from hashlib import blake2b
from typing import Any, Final

import msgspec

from rollcall.core.errors import Refused
from rollcall.feed.append import LONGEST_BYTES

MARK: Final = b"z"
LEVEL: Final = 6
LARGEST_TEXT: Final = 32 * 1024 * 1024
"""Bytes of JSON in one document: more would take a worker's memory when it is read again."""
LONGEST_PLAIN: Final = 1_000
"""An identity of fewer bytes is kept as it is: compressing would gain nothing."""

encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode


def too_large(what: str) -> Refused:
    """For a document with more in it than a class can have."""
    return Refused(
        f"This record holds more than can be kept of one meeting: {what}.",
        code="too-large",
        status=413,
        hint="A class of 100,000 people fits. Look whether the file is what it should be.",
    )


class Packing:
    """Canonical JSON written in parts, compressed and hashed on the way."""

    __slots__ = ("_deflate", "_hash", "_packed", "_size", "_text_size")

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(LEVEL)
        self._hash = blake2b()
        self._packed = [MARK]
        self._size = self._text_size = 0

    def write(self, text: bytes) -> None:
        """The next part; Refused once it is more than can be kept."""
        self._text_size += len(text)
        if self._text_size > LARGEST_TEXT:
            raise too_large(f"over {LARGEST_TEXT >> 20} MiB")
        self._hash.update(text)
        self._keep(self._deflate.compress(text))

    def close(self) -> tuple[bytes, bytes]:
        """What is stored, and the digest of what was written."""
        self._keep(self._deflate.flush())
        return b"".join(self._packed), self._hash.digest()

    def _keep(self, packed: bytes) -> None:
        self._size += len(packed)
        if self._size > LONGEST_BYTES:
            raise too_large(f"over {LONGEST_BYTES >> 20} MiB compressed")
        self._packed.append(packed)


def pack(value: object) -> tuple[bytes, bytes]:
    """What is stored of one value, and the digest of what it says."""
    packing = Packing()
    packing.write(encode(value))
    return packing.close()


def pack_identity(people: dict[str, Any]) -> tuple[bytes | None, bytes | None]:
    """The identity column, and the text its digest is made over; None for both where nobody is named."""
    if not people:
        return None, None
    text = encode(people)
    if len(text) > LARGEST_TEXT:
        raise too_large(f"over {LARGEST_TEXT >> 20} MiB of names")
    return (text if len(text) < LONGEST_PLAIN else MARK + zlib.compress(text, LEVEL)), text


def unpack(kept: bytes) -> Any:  # noqa: ANN401 - JSON of our own
    """What was packed, or was small enough to be kept as it is."""
    return _decode(zlib.decompress(memoryview(kept)[1:]) if kept[:1] == MARK else kept)
