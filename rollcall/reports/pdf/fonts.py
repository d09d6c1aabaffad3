"""Which fonts are installed, and which of them a text needs. Only the files that lie there decide it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from rollcall.reports.pdf.cmap import characters_of

FAMILIES: Final = ("Noto Sans", "DejaVu Sans", "Liberation Sans")
"""What Latin, Greek and Cyrillic are set in: the first that is installed."""

EMBEDDED: Final = "Libertinus Serif"
"""What typst brings itself, for machines without any font."""

_OF_EMBEDDED: Final = (
    range(0x20, 0x7F),
    range(0xA0, 0x180),
    range(0x384, 0x38B),
    (0x38C,),
    range(0x38E, 0x3A2),
    range(0x3A3, 0x3CF),
    range(0x400, 0x460),
    (0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x20AC),
)
_LATER: Final = ("Mono", "Serif", "Display", "Symbols", "Math", "Looped", "UI", "Nastaliq", "Kufi", "Color", "Sharp")
_REGULAR, _BOLD = 400, 700
_HEAVIEST_REGULAR: Final = 500

_PACKAGES: Final = (
    (("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"), "fonts-noto-cjk"),
    (("EMOJI",), "fonts-noto-color-emoji"),
)
"""Debian's, by the first word of a character's name; all others are in `fonts-noto-core`."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family: the files of its regular and bold faces, and which face of the first is the regular one."""

    name: str
    files: tuple[Path, ...]
    index: int = 0

    def has(self, code: int) -> bool:
        """Whether it has a shape for the character."""
        return code in _characters(self)


@cache
def _characters(family: Family) -> frozenset[int]:
    if not family.files:
        return frozenset(code for codes in _OF_EMBEDDED for code in codes)
    return characters_of(family.files[0], family.index)


@cache
def installed() -> tuple[Family, ...]:
    """Every family, the one for most texts first; the same order on every machine with the same files."""
    import typst  # noqa: PLC0415 - 10 MB and 50 ms that only who prints needs

    faces: dict[str, dict[int, tuple[Path, int]]] = {}
    for font in typst.Fonts(include_embedded_fonts=False).fonts():
        if font.style == "normal" and font.path is not None:
            weight = _REGULAR if font.weight <= _HEAVIEST_REGULAR else _BOLD
            known = faces.setdefault(font.family, {})
            if weight not in known or font.weight == weight:
                known[weight] = (Path(font.path), font.index)
    families = [_family(name, found) for name, found in faces.items() if _REGULAR in found]
    return (*sorted(families, key=_rank), Family(EMBEDDED, ()))


def _family(name: str, found: dict[int, tuple[Path, int]]) -> Family:
    path, index = found[_REGULAR]
    bold = (found[_BOLD][0],) if _BOLD in found else ()
    return Family(name, tuple(dict.fromkeys((path, *bold))), index)


def _rank(family: Family) -> tuple[int, bool, bool, str]:
    name = family.name
    first = FAMILIES.index(name) if name in FAMILIES else len(FAMILIES)
    return (first, any(word in name for word in _LATER), not name.startswith("Noto Sans"), name)


@dataclass(slots=True)
class Chosen:
    """The families of one document, grown with what its texts need. A report in one script has one."""

    families: list[Family]

    def find(self, code: int) -> Family | None:
        """One that has the character, of those in use if possible; None if there is none."""
        for family in self.families:
            if family.has(code):
                return family
        found = _best(code)
        if found is not None:
            self.families.append(found)
        return found

    def has_together(self, codes: Iterable[int]) -> bool:
        """Whether one family has all of them: a letter and its marks are drawn by one font."""
        wanted = list(codes)
        return any(all(family.has(code) for code in wanted) for family in self.families)

    @property
    def names(self) -> list[str]:
        """In the order in which typst shall look."""
        return [family.name for family in self.families]

    @property
    def files(self) -> list[Path]:
        """All that typst has to know of."""
        return [path for family in self.families for path in family.files]


def choose() -> Chosen:
    """The family that every document has."""
    return Chosen([installed()[0]])


@cache
def _best(code: int) -> Family | None:
    """One named after the character's script before any other: it is the one made for it."""
    script = _script(code)
    by_name = [family for family in installed() if script and script in family.name.split()]
    return next((family for family in (*by_name, *installed()) if family.has(code)), None)


def _script(code: int) -> str:
    return unicodedata.name(chr(code), "").partition(" ")[0].title()


def packages(codes: Sequence[int]) -> list[str]:
    """The Debian packages in which fonts for these characters are, as far as that can be told."""
    return sorted({_package(code) for code in codes})


def _package(code: int) -> str:
    if unicodedata.category(chr(code)) == "So" and code >= 0x1F000:
        return "fonts-noto-color-emoji"
    name = unicodedata.name(chr(code), "")
    return next((package for words, package in _PACKAGES if name.startswith(words)), "fonts-noto-core")
