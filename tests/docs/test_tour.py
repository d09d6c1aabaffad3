"""The tour shows what its script draws: all of it, and small."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.tour import FOLDER, PAPERS, SCREENS

TOUR = Path(__file__).parents[2] / "docs" / "tour.md"
LARGEST, ALL = 120_000, 2_500_000


def test_every_picture_of_the_tour_is_drawn_by_its_script() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(pictures/tour/([a-z-]+)\.png\)", TOUR.read_text(encoding="utf-8"))
    drawn = sorted(one.name for one in (*SCREENS, *PAPERS))
    assert sorted(shown) == drawn
    assert sorted(path.stem for path in FOLDER.glob("*.png")) == drawn


def test_the_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert sum(sizes.values()) <= ALL
