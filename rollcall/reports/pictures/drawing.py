"""Marks of an SVG that stands in a page and in a PDF alike.

Colours are presentation attributes: typst knows no style sheets, and a page's policy forbids styles in its markup. The
classes are for the page's own style sheet, which stands above such attributes: see pictures.css.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from django.utils.translation import get_language_bidi

from rollcall.reports.rows import Picture, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollcall.reports.rows import Shares

INK = "#1d2530"
QUIET = "#566070"
LINE = "#c3cad3"
GROUND = "#ffffff"
PROVED = "#1f7a8c"
POSSIBLE_GROUND = "#dcecef"
BLIND_GROUND = "#f3dfb8"
BLIND_LINE = "#8a6314"
TINTS = ("#eef6f8", "#d5eaee", "#b5d9e0", "#8fc5cf", "#69afbc")
"""From little to much. Ink is readable on each, and each has a number in it: colour alone says nothing."""

_FONTS = "Noto Sans, DejaVu Sans, sans-serif"

# What XML cannot hold, and what would turn the text around it: one name must not break a picture.
_UNDRAWABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e]")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture, and its numbers as a table."""

    picture: Picture
    table: Table


@dataclass(frozen=True, slots=True)
class Across:
    """Places across a picture `wide` units wide: from the left, or from the right if the language is written so."""

    wide: float
    is_mirrored: bool
    is_fluid: bool = False

    def left(self, begin: float, width: float = 0) -> float:
        """The left edge of what begins there and is so wide, as the reader reads."""
        return self.wide - begin - width if self.is_mirrored else begin

    def anchor(self, side: str) -> str:
        """The side as SVG knows it: a start is where reading begins."""
        if self.is_mirrored:
            return {"start": "end", "end": "start"}.get(side, side)
        return side

    def place(self, begin: float, width: float = 0) -> str:
        """The same as it is written down."""
        return number(self.left(begin, width)) + ("%" if self.is_fluid else "")


def across(wide: float) -> Across:
    """In the direction of the reader's language."""
    return Across(wide, get_language_bidi())


def across_percent() -> Across:
    """The same for what is as wide as there is room."""
    return Across(100, get_language_bidi(), is_fluid=True)


# --- text -------------------------------------------------------------------------------------------------------------


def clean(content: str) -> str:
    """Text as XML can hold it."""
    return escape(_UNDRAWABLE.sub("\ufffd", content))


def ours(content: str) -> str:
    """Words of ours in a language from right to left: numbers in them do not change sides."""
    return f"\u200f{content}\u200f" if get_language_bidi() else content


def shortened(content: str, room: int) -> str:
    """At most so many letters wide; where it was cut it says so."""
    content = " ".join(content[: 20 * room].split())
    if content.isascii() and len(content) <= room:
        return content
    used = 0
    for index, letter in enumerate(content):
        used += _width(letter)
        if used > room:
            return content[: max(1, index - 1)].rstrip() + "…"
    return content


def _width(letter: str) -> int:
    if combining(letter) or letter in "\u200b\u200c\u200d\ufe0f":
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1


def text(x: str | float, y: float, content: str, anchor: str = "start", kind: str = "") -> str:
    """A line of text; `kind` is quiet, strong, halo or none, several by spaces."""
    place = x if isinstance(x, str) else number(x)
    looks = "".join(_KINDS.get(one, "") for one in kind.split())
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{place}" y="{number(y)}" text-anchor="{anchor}"{looks}>{clean(content)}</text>'


_KINDS = {
    "quiet": f' fill="{QUIET}"',
    "strong": ' font-weight="600"',
    "small": ' font-size="9.5"',
    "halo": f' stroke="{GROUND}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"',
}


def number(value: float) -> str:
    """Short, and the same on every machine."""
    return str(value) if type(value) is int else f"{value:.2f}".rstrip("0").rstrip(".")


# --- shapes -----------------------------------------------------------------------------------------------------------


def rect(kind: str, place: tuple[str | float, float, str | float, float], fill: str, more: str = "") -> str:
    """(x, y, width, height)."""
    x, y, width, height = (one if isinstance(one, str) else number(one) for one in place)
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"{more}/>'


def line(kind: str, ends: tuple[str | float, float, str | float, float], stroke: str, more: str = "") -> str:
    """(x1, y1, x2, y2)."""
    x1, y1, x2, y2 = (one if isinstance(one, str) else number(one) for one in ends)
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}"{more}/>'


def hatched(name: str) -> str:
    """What `fill` is for that which is only possible."""
    return f"url(#{name}-possible)"


def finely_hatched(name: str) -> str:
    """The same where there are but a few pixels."""
    return f"url(#{name}-fine)"


def dotted(name: str) -> str:
    """What `fill` is for times in which messages may be missing."""
    return f"url(#{name}-blind)"


def patterns(name: str) -> str:
    """Stripes and dots, with ids that no other picture of a page has."""
    coarse, fine = possible_pattern(f"{name}-possible"), possible_pattern(f"{name}-fine", 3)
    return coarse + fine + blind_pattern(f"{name}-blind")


def possible_pattern(identity: str, size: int = 6) -> str:
    """Stripes, so many pixels from one to the next."""
    square = f'width="{size}" height="{size}"'
    return (
        f'<pattern id="{identity}" {square} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect class="possible-ground" {square} fill="{POSSIBLE_GROUND}"/>'
        f'<rect class="possible-line" width="{number(0.42 * size)}" height="{size}" fill="{PROVED}"/></pattern>'
    )


def blind_pattern(identity: str) -> str:
    """Dots."""
    return (
        f'<pattern id="{identity}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect class="blind-ground" width="6" height="6" fill="{BLIND_GROUND}"/>'
        f'<circle class="blind-line" cx="3" cy="3" r="0.9" fill="{BLIND_LINE}"/></pattern>'
    )


def legend(y: float, keys: Sequence[tuple[str, str, str]], flow: Across) -> str:
    """What fills mean: (kind, fill, words). One under the other where the width is not known, else side by side."""
    slot = min(flow.wide / len(keys), 230)
    drawn = []
    for index, key in enumerate(keys):
        over, down = (0, KEY_HEIGHT * index) if flow.is_fluid else (slot * index, 0)
        drawn.append(_key(flow.place(over), y + down, key, flow))
    return "".join(drawn)


KEY_HEIGHT = 17


def _key(x: str, y: float, key: tuple[str, str, str], flow: Across) -> str:
    kind, fill, meaning = key
    back, on = (-22, -28) if flow.is_mirrored else (0, 28)
    sample = rect(kind, (x, y - 9.5, 22, 11), fill, f' transform="translate({back} 0)"')
    words = text(x, y, ours(meaning), flow.anchor("start"))
    return sample + words.replace("<text", f'<text transform="translate({on} 0)"', 1)


def tint_of(part: float) -> int:
    """Which of the tints a part from 0 to 1 has: the last one is all of it."""
    return min(len(TINTS) - 1, int(part * (len(TINTS) - 1)))


def gauge(box: tuple[float, float, float, float], share: Shares, name: str, flow: Across) -> Iterator[str]:
    """How much of a box is certainly full, solid, and may be full, hatched: from where reading begins."""
    x, y, wide, high = box
    yield rect("gauge", box, GROUND)
    for kind, part, fill in (("possible", share.highest, finely_hatched(name)), ("proved", share.lowest, PROVED)):
        if part > 0 and not (kind == "possible" and share.highest == share.lowest):
            left = x + wide * (1 - part) if flow.is_mirrored else x
            yield rect(kind, (left, y, wide * part, high), fill)


# --- the whole --------------------------------------------------------------------------------------------------------


def picture(name: str, words: tuple[str, str], size: tuple[int, int], marks: Iterable[str], *, fluid: bool) -> Picture:
    """The picture of these marks; `words` are its title and what it shows.

    Of a fluid one the places across are percents: in a page it is as wide as there is room while its letters stay as
    large as they are. Others are drawn smaller where there is little room.
    """
    (title, shown), (wide, high) = words, size
    box = "" if fluid else f' viewBox="0 0 {wide} {high}"'
    kind = "picture fluid" if fluid else "picture"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind} {kind_of(name)}" role="img"'
        f' aria-label="{clean(title)}" width="{wide}" height="{high}"{box} direction="ltr"'
        f' font-family="{_FONTS}" font-size="11" fill="{INK}"><title>{clean(title)}</title><desc>{clean(shown)}</desc>'
        f"<defs>{patterns(name)}</defs>{''.join(marks)}</svg>"
    )
    return Picture(name, title, svg, shown)


def kind_of(name: str) -> str:
    """What parts of one picture have in common: bars of bars-2."""
    return name.rstrip("-0123456789")
