"""Run as a program, within bounds.py: one part of a document.

It imports nothing of ours, so that it starts at once: `child.py FOLDER PART STAMP`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import typst


def main() -> None:
    """Draw FOLDER/PART.pdf from FOLDER/PART.json; say on standard error which corner had to be cut, if any."""
    folder, part, stamp = sys.argv[1:]
    os.chdir(folder)
    pdf, cut = _drawn(part, int(stamp))
    with open(f"{part}.pdf", "wb") as file:  # noqa: PTH123 - pathlib takes as long to import as a page to draw
        file.write(pdf)
    if cut:
        sys.stderr.write(cut)


def _drawn(part: str, stamp: int) -> tuple[bytes, str]:
    """Strictly if that goes; a drawing, and then the strictness, is given up before the report is."""
    cut = ""
    for name, without, is_strict in _attempts():
        inputs = {"part": f"{part}.json", "without": without}
        try:
            pdf = typst.compile(
                "report.typ",
                root=".",
                sys_inputs=inputs,
                font_paths=["fonts"],
                ignore_system_fonts=True,
                timestamp=stamp,
                pdf_standards="ua-1" if is_strict else None,
            )
        except typst.TypstError as error:
            cut = f"{name}: {error}"
            continue
        assert isinstance(pdf, bytes)  # noqa: S101 - without an output it is
        return pdf, cut
    raise SystemExit(cut)


def _attempts() -> Iterator[tuple[str, str, bool]]:
    yield "strict", "", True
    yield "without pictures", "pictures", True
    yield "without PDF/UA", "pictures", False


if __name__ == "__main__":
    main()
