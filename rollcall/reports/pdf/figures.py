"""The pictures of a report as a document has them: drawn as SVG, lettered by the document itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from rollcall.reports.pdf.printable import Printable
from rollcall.reports.pictures.lettering import Line, apart
from rollcall.reports.rows import Picture

_POINTS_OF_A_PIXEL: Final = 0.75


@dataclass(frozen=True, slots=True)
class Figure:
    """`look` is what the template is told of it, `svg` the file of that name; blank if it can only be told in words."""

    look: dict[str, Any]
    svg: bytes = b""

    @property
    def file_name(self) -> str:
        """What the file is called beside the template."""
        return str(self.look["file"])


def figure(number: int, one: Picture, printable: Printable, room: float) -> Figure:
    """One picture, where there are `room` points across. What is broken or no picture of ours is told in its words."""
    look = {"title": printable.text(one.title), "text": printable.file(one.text), "file": ""}
    try:
        drawn = apart(one, room / _POINTS_OF_A_PIXEL)
    except (etree.XMLSyntaxError, KeyError, ValueError):
        return Figure(look)
    return Figure(
        look
        | {
            "file": f"picture-{number}.svg",
            "natural": drawn.width,
            "high": drawn.height,
            "width": drawn.width * _POINTS_OF_A_PIXEL,
            "lines": [_lettered(line, printable) for line in drawn.lines],
        },
        printable.file(drawn.svg).encode(),
    )


def _lettered(line: Line, printable: Printable) -> dict[str, Any]:
    return {
        "text": f"\u2068{printable.file(line.text)}\u2069",
        "x": line.x,
        "y": line.y,
        "back": {"start": 0.0, "middle": 0.5, "end": 1.0}[line.anchor],
        "size": line.size,
        "fill": line.fill,
        "weight": 700 if line.is_strong else 400,
        "is_upright": line.is_upright,
    }
