"""The letters of a picture, taken apart from it: for a document, which sets them itself.

typst's renderer of SVG gives boxes for a name in which Arabic and Latin stand together, and misplaces the signs of
Indian scripts. As text of the document they are right, and are found by who searches in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from rollcall.reports.pictures.drawing import INK, number

if TYPE_CHECKING:
    from rollcall.reports.rows import Picture

_TEXT = "{http://www.w3.org/2000/svg}text"
_SHIFT = re.compile(r"translate\((-?[\d.]+) (-?[\d.]+)\)")
_SIZE = 11.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text: where its baseline begins, ends or has its middle (`anchor`), in pixels of the picture."""

    text: str
    x: float
    y: float
    anchor: str
    size: float
    fill: str
    is_strong: bool
    has_halo: bool
    is_upright: bool


@dataclass(frozen=True, slots=True)
class Apart:
    """A picture without its letters, and these."""

    svg: str
    width: float
    height: float
    lines: tuple[Line, ...]


def apart(picture: Picture, room: float = 0) -> Apart:
    """The two of them. Only for pictures of this package, whose marks are few and known.

    With `room`, in pixels, a fluid picture is as wide as that; its letters and its height stay as they are.
    """
    root = etree.fromstring(picture.svg)
    if room and "fluid" in str(root.get("class", "")).split():
        root.set("width", number(room))
    wide = float(str(root.attrib["width"]))
    found = []
    for one in list(root.iter(_TEXT)):
        found.append(_line(one, wide))
        _remove(one)
    return Apart(etree.tostring(root, encoding="unicode"), wide, float(str(root.attrib["height"])), tuple(found))


def _line(one: etree._Element, wide: float) -> Line:
    given = {str(key): str(value) for key, value in one.attrib.items()}
    parent = one.getparent()
    around = "" if parent is None else str(parent.get("transform", ""))
    shifts = [found.groups() for found in map(_SHIFT.search, (given.get("transform", ""), around)) if found]
    return Line(
        one.text or "",
        _across(given["x"], wide) + sum(float(shift[0]) for shift in shifts),
        float(given["y"]) + sum(float(shift[1]) for shift in shifts),
        given["text-anchor"],
        float(given.get("font-size", _SIZE)),
        given.get("fill", INK),
        is_strong="font-weight" in given,
        has_halo="stroke" in given,
        is_upright="rotate(-90)" in around,
    )


def _across(x: str, wide: float) -> float:
    return float(x[:-1]) * wide / 100 if x.endswith("%") else float(x)


def _remove(one: etree._Element) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)
