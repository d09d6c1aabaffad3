"""What pictures are made of: axes, letters, colours."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import product
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from rollcall.reports.pictures import drawing
from rollcall.reports.pictures.present import outline
from rollcall.reports.pictures.ticks import step_for, ticks

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Athens", "Asia/Kathmandu", "America/St_Johns", "Asia/Kolkata")]
START = 1_790_000_000_000


@given(st.integers(0, 10**9), st.integers(1, 3 * 86_400_000), st.integers(2, 9), st.sampled_from(ZONES))
def test_an_axis_has_a_few_marks_at_full_times_of_the_clock(later: int, length: int, most: int, zone: ZoneInfo) -> None:
    start = START + later
    found = ticks(start, start + length, zone, most)
    assert len(found) <= most + 1
    assert all(0 <= tick.part <= 1 and tick.at == start + round(tick.part * length) for tick in found)
    step = step_for(length, most)
    for tick in found:
        shown = datetime.fromtimestamp(tick.at / 1000, zone)
        assert (shown.second * 1000) % min(step, 60_000) == 0
        assert shown.minute * 60_000 % min(step, 3_600_000) == 0
        assert f"{shown:%H:%M}" in tick.label


@given(st.integers(1, 10**15), st.integers(1, 40))
def test_a_step_is_never_too_small(length: int, most: int) -> None:
    assert length <= step_for(length, most) * most


def test_an_axis_over_a_change_of_the_clock_says_the_true_times() -> None:
    athens = ZoneInfo("Europe/Athens")
    start = round(datetime(2026, 10, 25, 2, 0, tzinfo=athens).timestamp() * 1000)
    assert [tick.label for tick in ticks(start, start + 4 * 3_600_000, athens, 4)] == [
        "02:00",
        "03:00",
        "03:00",
        "04:00",
        "05:00",
    ]


@given(st.text(), st.integers(2, 30))
def test_a_shortened_name_is_no_wider_than_its_room(name: str, room: int) -> None:
    short = drawing.shortened(name, room)
    wide = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in short.removesuffix("…") if letter.isalnum())
    assert wide <= room
    if not short.endswith("…"):
        assert short == " ".join(name[: 20 * room].split())


@given(st.text())
def test_any_text_can_be_drawn(content: str) -> None:
    read = etree.fromstring(drawing.text(1, 2, content))
    assert "\u202e" not in (read.text or "")


def test_what_xml_cannot_hold_and_what_turns_text_round_is_seen_as_such() -> None:
    assert drawing.clean("a\x00b\x1bc\u202ed\ud800\ufffe<&\"'") == "a�b�c�d��&lt;&amp;&quot;&#x27;"


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    lights = sorted((_light(one), _light(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize("tint", drawing.TINTS)
def test_numbers_can_be_read_on_every_tint(tint: str) -> None:
    assert _contrast(drawing.INK, tint) >= 4.5


def test_shapes_and_quiet_words_stand_out_from_the_ground() -> None:
    assert _contrast(drawing.QUIET, drawing.GROUND) >= 4.5
    grounds = (drawing.GROUND, drawing.POSSIBLE_GROUND, drawing.BLIND_GROUND)
    assert all(_contrast(one, ground) >= 3 for one, ground in product((drawing.PROVED, drawing.BLIND_LINE), grounds))


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 20)), min_size=1, max_size=30), st.booleans())
def test_an_area_is_as_high_as_what_it_counts(steps: list[tuple[int, int]], is_mirrored: bool) -> None:
    """Read back from the path: how high it is between each two steps."""
    first, *others = sorted(dict(steps).items())
    counted = [(0, first[1]), *((at, high) for at, high in others if at)]
    path = outline([(at / 1000, high / 20) for at, high in counted], is_mirrored)
    assert re.fullmatch(r"M[01] 1(?:[HV][\d.]+)*V1Z", path)
    drawn, x, y = {}, float(path[1]), 1.0
    for kind, value in re.findall(r"([HV])([\d.]+)", path):
        if kind == "H":
            begin, end = (1 - x, 1 - float(value)) if is_mirrored else (x, float(value))
            drawn[round(1000 * begin)], x = (round(1000 * end), round(20 * (1 - y))), float(value)
        else:
            y = float(value)
    ends = [at for at, _ in counted[1:]] + [1000]
    for (at, high), end in zip(counted, ends, strict=True):
        begin, (until, level) = max((begin, span) for begin, span in drawn.items() if begin <= at and span[0] > at)
        assert level == high, (begin, until, at, end, path)
