"""Text that every font in use can draw: what none of them has becomes a visible mark and is remembered by its name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from rollcall.reports.pdf.fonts import Chosen, choose

MARK: Final = "\N{REPLACEMENT CHARACTER}"
MARK_WITHOUT_FONTS: Final = "?"
LONGEST: Final = 300
"""Characters of one text: more is no name any more, and would fill pages."""

_BLANKS: Final = frozenset(map(ord, "\t\n\v\f\r\x85\u2028\u2029"))
_SILENT: Final = frozenset(
    (0xAD, 0x34F, 0x61C, *range(0x200B, 0x2010), 0x2060, *range(0x2066, 0x206A), *range(0x180B, 0x180E))
)
"""Without a shape of their own: what joins or parts letters, as Persian and Hindi need it, and isolates, which turn
nothing outside of themselves. Overrides of the direction are not among them."""

_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_SHAPELESS: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_MARKS: Final = frozenset(("Mn", "Mc", "Me"))

_PDI: Final = "\u2069"
_ISOLATES: Final = frozenset(("\u2066", "\u2067", "\u2068", _PDI))

_UNBROKEN: Final = re.compile(r"[^\s\u200b-]{25,}")
_PIECE: Final = re.compile(r".{12}")


@dataclass(slots=True)
class Printable:
    """What the texts of one document need, and what could not be printed of them."""

    fonts: Chosen = field(default_factory=choose)
    is_rtl: bool = False
    missing: set[int] = field(default_factory=set)
    shapeless: set[int] = field(default_factory=set)
    _known: _Known = field(init=False)

    def __post_init__(self) -> None:
        self._known = _Known(self)

    @property
    def mark(self) -> str:
        """What stands in the place of a character that cannot be drawn."""
        return MARK if self.fonts.families[0].has(ord(MARK)) else MARK_WITHOUT_FONTS

    def text(self, text: str) -> str:
        """The text on one line, as far as it can be drawn."""
        shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
        if not (shown.isascii() and shown.isprintable()):
            shown = shown.translate(self._known)
            if not self._known.marks.isdisjoint(shown):
                shown = self._with_drawable_marks(shown)
        # A long id without a blank is broken somewhere rather than run over its neighbours.
        return _UNBROKEN.sub(_in_pieces, shown) if len(shown) >= 25 else shown

    def data(self, text: str) -> str:
        """The same of what somebody wrote: it neither turns what stands around it nor is turned."""
        shown = _closed(self.text(text))
        return f"\u2068{shown}\u2069" if self.is_rtl or not shown.isascii() else shown

    def file(self, text: str) -> str:
        """The same of a whole file of text, such as an SVG, whose lines and length are its own."""
        return text.translate(self._known)

    def character(self, code: int) -> str | int:
        """What is printed for it; an int is itself."""
        if code in _BLANKS:
            return " "
        if code in _SILENT or any(code in selectors for selectors in _SELECTORS):
            return code
        if unicodedata.category(chr(code)) in _SHAPELESS and not 0x600 <= code <= 0x605:
            self.shapeless.add(code)
            return self.mark
        if self.fonts.find(code) is None:
            self.missing.add(code)
            return self.mark
        return code

    def _with_drawable_marks(self, text: str) -> str:
        """An accent on a letter of another font has no place: the two are drawn by one font, or it is marked."""
        clusters: list[list[int]] = []
        for character in text:
            if clusters and character in self._known.marks:
                clusters[-1].append(ord(character))
            else:
                clusters.append([ord(character)])
        return "".join(map(self._cluster, clusters))

    def _cluster(self, codes: list[int]) -> str:
        shaped = [code for code in codes if code not in _SILENT and not any(code in one for one in _SELECTORS)]
        if len(shaped) < 2 or self.fonts.has_together(shaped):
            return "".join(map(chr, codes))
        composed = unicodedata.normalize("NFC", "".join(map(chr, codes)))
        if len(composed) < len(codes) and all(self.fonts.find(ord(one)) for one in composed):
            return composed if len(composed) == 1 else self._cluster([ord(one) for one in composed])
        self.shapeless.update(codes[1:])
        return chr(codes[0]) + self.mark * (len(codes) - 1)


def _closed(text: str) -> str:
    """Isolates within a text end in it, and none ends that it has not begun: it cannot leave the one around it."""
    if _ISOLATES.isdisjoint(text):
        return text
    depth, kept = 0, []
    for character in text:
        if character == _PDI and not depth:
            continue
        depth += (character in _ISOLATES) - 2 * (character == _PDI)
        kept.append(character)
    return "".join(kept) + _PDI * depth


class _Known(dict[int, "str | int"]):
    """Each character is looked at once; str.translate asks here."""

    def __init__(self, printable: Printable) -> None:
        super().__init__()
        self._printable = printable
        self.marks: set[str] = set()

    def __missing__(self, code: int) -> str | int:
        self[code] = shown = self._printable.character(code)
        if shown == code and unicodedata.category(chr(code)) in _MARKS:
            self.marks.add(chr(code))
        return shown


def _in_pieces(found: re.Match[str]) -> str:
    return _PIECE.sub("\\g<0>\u200b", found[0])
