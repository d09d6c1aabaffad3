"""Which characters a font has a shape for, read from its `cmap` table (OpenType 1.9, formats 4 and 12)."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

_PREFERRED: Final = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))
"""Platform and encoding: all of Unicode first, then its first 65,536 characters."""


def characters_of(path: Path, index: int) -> frozenset[int]:
    """The code points of one face of a file; none of a font that cannot be read."""
    try:
        return frozenset(chain.from_iterable(_ranges(path.read_bytes(), index)))
    except (OSError, struct.error, IndexError, ValueError):
        return frozenset()


def _ranges(font: bytes, index: int) -> Iterator[range | list[int]]:
    start = _cmap_at(font, _face_at(font, index))
    (count,) = struct.unpack_from(">H", font, start + 2)
    records = (struct.unpack_from(">HHL", font, start + 4 + 8 * number) for number in range(count))
    tables = {(platform, encoding): start + offset for platform, encoding, offset in records}
    for wanted in _PREFERRED:
        if wanted in tables and (found := _read_format(font, tables[wanted])) is not None:
            yield from found
            return


def _face_at(font: bytes, index: int) -> int:
    if font[:4] != b"ttcf":
        return 0
    (offset,) = struct.unpack_from(">L", font, 12 + 4 * index)
    return int(offset)


def _cmap_at(font: bytes, face: int) -> int:
    (count,) = struct.unpack_from(">H", font, face + 4)
    for number in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sLLL", font, face + 12 + 16 * number)
        if tag == b"cmap":
            return int(offset)
    raise ValueError("a font without a cmap")


def _read_format(font: bytes, at: int) -> Iterator[range | list[int]] | None:
    (number,) = struct.unpack_from(">H", font, at)
    if number == 12:
        return _groups(font, at)
    return _segments(font, at) if number == 4 else None


def _groups(font: bytes, at: int) -> Iterator[range]:
    (count,) = struct.unpack_from(">L", font, at + 12)
    for first, last, glyph in struct.iter_unpack(">LLL", font[at + 16 : at + 16 + 12 * count]):
        yield range(first + (glyph == 0), last + 1)


def _segments(font: bytes, at: int) -> Iterator[range | list[int]]:
    """Format 4: segments whose glyphs follow by a difference, or stand in a list in which 0 is none."""
    length, _, doubled = struct.unpack_from(">HHH", font, at + 2)
    words = array("H", font[at : at + length - length % 2])
    words.byteswap()
    count = doubled // 2
    ends, starts, differences, offsets = (7, 8 + count, 8 + 2 * count, 8 + 3 * count)
    for number in range(count):
        first, last = words[starts + number], words[ends + number]
        if first > last or first == 0xFFFF:
            continue
        if words[offsets + number] == 0:
            absent = -words[differences + number] & 0xFFFF
            yield [code for code in range(first, last + 1) if code != absent]
            continue
        glyphs = offsets + number + words[offsets + number] // 2
        yield [code for code in range(first, last + 1) if _word(words, glyphs + code - first)]


def _word(words: array[int], at: int) -> int:
    return words[at] if at < len(words) else 0
