"""Names as they are shown: what turns the direction of writing, or cannot be seen at all, is written out."""

from __future__ import annotations

import re

# Joiners stay: they are part of names in Persian and Indic scripts, and of emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def visible(text: str) -> str:
    """The text with a sign for each such character: it neither hides anything nor moves what stands beside it."""
    return _UNSEEN.sub(_written_out, text) if _UNSEEN.search(text) else text


def _written_out(found: re.Match[str]) -> str:
    return f"[U+{ord(found[0]):04X}]"
