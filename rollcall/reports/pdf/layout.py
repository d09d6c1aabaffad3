"""Which way the paper lies and how wide each column is: decided from the first rows, so that all parts agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

PAPERS: Final = {"a4": (595.28, 841.89), "letter": (612.0, 792.0)}
MARGIN: Final = 42.0
INSET: Final = 3.5
"""Points on each side of a cell's text."""

_SIZES: Final = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5)
_UPRIGHT: Final = _SIZES[:3]
"""Type smaller than these is not taken to keep a page upright."""

_LETTER, _NARROW, _WIDE = 0.58, 0.3, 0.45
_WIDEST_TEXT: Final = 20.0
"""In ems: a longer name goes on below."""

_TALL_HEADS: Final = 12
"""From so many columns on, long heads of narrow ones are written upwards."""

_TALLEST_HEAD: Final = 130.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What one column would like: ems for its widest text and its longest word, and of its head the same."""

    text: float
    word: float
    head: float
    head_word: float
    can_wrap: bool
    may_wrap: bool = False
    """Only where nothing else helps: a day and its time are read as one."""

    @property
    def fixed(self) -> float:
        """Ems it needs whatever happens, its head written upwards."""
        return max(1.2, self.word if self.can_wrap else self.text)


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths in points; `bands` are ranges of columns that stand beside the first one, one below the other."""

    is_landscape: bool
    size: float
    widths: tuple[float, ...]
    bands: tuple[range, ...]
    has_tall_heads: bool
    head_height: float


def wish(label: str, texts: Sequence[str], *, can_wrap: bool, may_wrap: bool = False, least: float = 0.0) -> Wish:
    """What a column with these texts would like."""
    widest = max((ems(text) for text in texts), default=0.0)
    word = max((ems(part) for text in texts if " " in text for part in _words(text)), default=widest)
    word = max(word, max((ems(part) for text in texts if " " not in text for part in _words(text)), default=0.0))
    head_word = max((ems(part) for part in _words(label)), default=0.0)
    return Wish(
        max(widest, least), max(min(word, _WIDEST_TEXT), least), ems(label), head_word * 1.06, can_wrap, may_wrap
    )


def ems(text: str) -> float:
    """About how wide a text is, for a sans-serif."""
    wide = 0 if text.isascii() else sum(ord(character) >= 0x1100 for character in text)
    narrow = sum(map(text.count, " :.,'il\u200b"))
    return _LETTER * len(text) - _NARROW * narrow + _WIDE * wide


def lay_out(wishes: Sequence[Wish], paper: str) -> Layout:
    """Upright if that is readable, else lying; in the largest type that fits; in bands if none does."""
    yielding = [replace(one, can_wrap=one.can_wrap or one.may_wrap) for one in wishes]
    return (
        _whole_of(wishes, paper)
        or _whole_of(yielding, paper)
        or _banded(yielding, PAPERS[paper][1] - 2 * MARGIN, _SIZES[4])
    )


def _whole_of(wishes: Sequence[Wish], paper: str) -> Layout | None:
    short, long = PAPERS[paper]
    for is_landscape, side, sizes in ((False, short, _UPRIGHT), (True, long, _SIZES)):
        for size in sizes:
            if (widths := _fit(wishes, side - 2 * MARGIN, size, tall=False)) is not None:
                return _whole(is_landscape, size, widths, wishes, tall=False)
    for size in _SIZES if len(wishes) >= _TALL_HEADS else ():
        if (widths := _fit(wishes, long - 2 * MARGIN, size, tall=True)) is not None:
            return _whole(is_landscape=True, size=size, widths=widths, wishes=wishes, tall=True)
    return None


def _whole(is_landscape: bool, size: float, widths: Sequence[float], wishes: Sequence[Wish], *, tall: bool) -> Layout:  # noqa: FBT001 - of a line above
    return Layout(
        is_landscape, size, tuple(widths), (range(1, len(widths)),), tall, _head_height(wishes, widths, size, tall=tall)
    )


def _fit(wishes: Sequence[Wish], width: float, size: float, *, tall: bool) -> list[float] | None:
    """Everything at its natural width, texts narrowed where they may be; None if words would break."""
    least = [_least(one, tall=tall) * size + 2 * INSET for one in wishes]
    if sum(least) > width:
        return None
    most = [max(low, min(one.text, _WIDEST_TEXT) * size + 2 * INSET) for one, low in zip(wishes, least, strict=True)]
    spare, wanted = width - sum(least), sum(most) - sum(least)
    if wanted >= spare:
        part = spare / wanted if wanted else 0.0
        if part < 0.85 and size > _SIZES[-1]:
            return None
        return [low + part * (high - low) for low, high in zip(least, most, strict=True)]
    return _spread(_for_heads(most, wishes, width - sum(most), size, tall=tall), wishes, width)


def _for_heads(widths: list[float], wishes: Sequence[Wish], spare: float, size: float, *, tall: bool) -> list[float]:
    """What is left over goes first to columns whose head would stand in more than two lines."""
    if tall:
        return widths
    wanted = [max(0.0, 0.6 * one.head * size + 2 * INSET - wide) for one, wide in zip(wishes, widths, strict=True)]
    part = min(1.0, spare / sum(wanted)) if sum(wanted) else 0.0
    return [wide + part * more for wide, more in zip(widths, wanted, strict=True)]


def _spread(widths: list[float], wishes: Sequence[Wish], width: float) -> list[float]:
    """And then mostly to the columns of text: numbers far from their heads are hard to read."""
    spare = width - sum(widths)
    weights = [max(1.0, 3.0 * one.text) if one.can_wrap else 1.0 for one in wishes]
    return [wide + spare * weight / sum(weights) for wide, weight in zip(widths, weights, strict=True)]


def _least(one: Wish, *, tall: bool) -> float:
    return one.fixed if tall else max(one.fixed, one.head_word)


def _head_height(wishes: Sequence[Wish], widths: Sequence[float], size: float, *, tall: bool) -> float:
    if not tall:
        lines = max(
            (-(-one.head * size // max(1.0, wide - 2 * INSET)) for one, wide in zip(wishes, widths, strict=True)),
            default=1,
        )
        return size * 1.35 * min(lines + (lines > 1), 4) + 8
    return min(_TALLEST_HEAD, max(one.head for one in wishes) * size * 1.1) + 8


def _banded(wishes: Sequence[Wish], width: float, size: float) -> Layout:
    """So many columns that they stand in several tables below each other, each with the first column."""
    level, turned = (sum(_least(one, tall=tall) for one in wishes) for tall in (False, True))
    tall = len(wishes) >= _TALL_HEADS and level > 1.1 * turned  # else it saves too little
    widths = [min(width / 3, _least(one, tall=tall) * size + 2 * INSET) for one in wishes]
    widths[0] = min(width / 4, max(widths[0], wishes[0].text * size + 2 * INSET))
    bands, begin, used = [], 1, widths[0]
    for number in range(1, len(widths)):
        if used + widths[number] > width and number > begin:
            bands.append(range(begin, number))
            begin, used = number, widths[0]
        used += widths[number]
    bands.append(range(begin, len(widths)))
    return Layout(True, size, tuple(widths), tuple(bands), tall, _head_height(wishes, widths, size, tall=tall))  # noqa: FBT003 - the first of the fields


def _words(text: str) -> list[str]:
    return text.replace("\u200b", " ").replace("–", "– ").split()
