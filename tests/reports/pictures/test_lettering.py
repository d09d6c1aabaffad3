"""Letters of a picture for who sets them himself."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from rollcall.reports.pictures import class_bars, course_matrix, people_present, term_calendar, use_over_time
from rollcall.reports.pictures.drawing import INK, QUIET
from rollcall.reports.pictures.lettering import apart
from tests.reports.pictures import samples
from tests.reports.pictures.samples import at, meeting, people, person

ATHENS = ZoneInfo("Europe/Athens")
TEXT = "{http://www.w3.org/2000/svg}text"


def test_a_picture_and_its_letters_are_all_of_it() -> None:
    of = meeting()
    for drawn in (
        *class_bars(people(of, 3), of, ATHENS),
        people_present(people(of, 3), of, ATHENS),
        *term_calendar(samples.term(), ATHENS),
        *course_matrix(*samples.matrix(3, 30), ATHENS),
        use_over_time(samples.use(), ATHENS),
    ):
        whole, parts = etree.fromstring(drawn.picture.svg), apart(drawn.picture)
        assert [line.text for line in parts.lines] == [one.text or "" for one in whole.iter(TEXT)]
        left = etree.fromstring(parts.svg)
        assert not list(left.iter(TEXT))
        assert len(list(left.iter())) == len(list(whole.iter())) - len(parts.lines)
        assert all(0 <= line.x <= parts.width and 0 < line.y <= parts.height for line in parts.lines)


def test_a_line_knows_its_place_and_looks() -> None:
    of = meeting(blind=[("10:00", "10:10")])
    lines = {line.text: line for line in apart(people_present(people(of, 3), of, ATHENS).picture).lines}
    assert (lines["12:30"].x, lines["12:30"].anchor, lines["12:30"].fill) == (380, "middle", QUIET)
    assert (lines["certainly there"].x, lines["certainly there"].fill) == (28, INK)
    assert lines["3"].has_halo
    assert any(line.is_strong for line in lines.values())


def test_a_fluid_picture_is_as_wide_as_there_is_room_and_no_higher() -> None:
    of = meeting(blind=[("10:00", "10:10")])
    fluid, fixed = people_present(people(of, 3), of, ATHENS).picture, class_bars(people(of, 3), of, ATHENS)[0].picture
    wide = apart(fluid, 1000)
    assert (wide.width, wide.height) == (1000, apart(fluid).height)
    assert {line.text: line.x for line in wide.lines}["12:30"] == 500
    assert apart(fixed, 1000) == apart(fixed)


def test_dates_of_many_meetings_stand_upright() -> None:
    lines = apart(course_matrix(*samples.matrix(1, 30), ATHENS)[0].picture).lines
    upright = [line for line in lines if line.is_upright]
    assert len(upright) == 30
    assert [upright[0].text, upright[0].x, upright[0].y] == ["7 Sept", 180.5, 53]


@pytest.mark.parametrize("name", ["<b>&amp;\"'", "Ali علاء", "👩‍👩‍👧", "a\x00b"])
def test_a_name_comes_out_as_it_was_drawn(name: str) -> None:
    of = meeting()
    (drawn,) = class_bars([person(of, name, [(at("10:00"), at("10:30"))])], of, ATHENS)
    assert name.replace("\x00", "\ufffd") in [line.text for line in apart(drawn.picture).lines]
