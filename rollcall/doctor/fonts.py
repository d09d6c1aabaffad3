"""Whether the fonts are there that names need on paper."""

from __future__ import annotations

from typing import Final

from rollcall.doctor.findings import Finding, warning
from rollcall.reports.pdf import fonts

ABOUT: Final = "fonts"
SCRIPTS: Final = {
    "Greek": "Ω",
    "Cyrillic": "Ж",
    "Arabic": "ع",
    "Hebrew": "ש",
    "Devanagari": "क",
    "Thai": "ก",
    "Han": "中",
    "Hangul": "한",
    "kana": "あ",
}
"""A letter of each that schools write names in."""


def check() -> list[Finding]:
    """One sentence for all that is missing, with the packages that have it."""
    chosen = fonts.choose()
    missing = {script: ord(letter) for script, letter in SCRIPTS.items() if chosen.find(ord(letter)) is None}
    if not missing:
        return [Finding(ABOUT, "Names of every common script can be printed.")]
    packages = " ".join(fonts.packages(list(missing.values())))
    sentence = f"Names cannot be printed in PDF in: {', '.join(missing)}."
    return [warning(ABOUT, sentence, f"Install fonts for them; in Debian: apt-get install {packages}")]
