"""What programs that are not ours read in a PDF."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections import Counter
from pathlib import Path

from tests import programs

_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def text_of(path: Path) -> str:
    """As pdftotext finds it."""
    return run("pdftotext", path, "-")


def words_of(text: str) -> Counter[str]:
    """Whatever form its letters have, and without the marks that only tell a direction."""
    return Counter(_MARKS.sub("", unicodedata.normalize("NFKC", text)).split())


def run(program: str, *arguments: str | Path) -> str:
    """What a program says."""
    done = subprocess.run([programs.need(program), *arguments], check=True, capture_output=True)
    return done.stdout.decode()
