"""The pictures themselves: drawn alike each time, safe, right at the edges, and drawable by who has no browser."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from lxml import etree

import rollcall.web
from rollcall.reports.pictures import (
    PATTERNS,
    Attended,
    Bucket,
    MatrixMeeting,
    MatrixPerson,
    class_bars,
    course_matrix,
    people_present,
    presence_bar,
    term_calendar,
    time_axis,
    use_by_hour,
    use_over_time,
)
from rollcall.reports.pictures.figure import figure, figures
from rollcall.reports.rows import Shares
from tests.reports.pictures import samples
from tests.reports.pictures.samples import HOUR, at, meeting, people, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.reports.pictures import Drawn

ATHENS = ZoneInfo("Europe/Athens")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><!--",
    '#image("/etc/passwd") #eval $x$',
    "\u202egnp.exe",
    "\x1b[31m\x00\ud800\ufffe",
    "👩‍👩‍👧",
    "x" * 10_000,
    "",
    " \u200f ",
)


def every_picture() -> list[Drawn]:
    """One class, one term, one course, one school: nine pictures."""
    of = meeting(blind=[("10:20", "10:26")])
    class_of_30 = people(of, 30)
    return [
        *class_bars(class_of_30, of, ATHENS, part=20),
        people_present(class_of_30, of, ATHENS),
        *term_calendar(samples.term(), ATHENS),
        *course_matrix(*samples.matrix(5, 4), ATHENS),
        use_over_time(samples.use(), ATHENS),
        use_by_hour(samples.use(), ATHENS),
        use_by_hour(samples.use(), ATHENS, rows="weekday"),
    ]


def texts(drawn: Drawn) -> list[str]:
    return [one.text or "" for one in etree.fromstring(drawn.picture.svg).iter(f"{SVG}text")]


def rects(drawn: Drawn, kind: str) -> list[tuple[float, float]]:
    """(x, width) of those shapes, without the sample in the legend."""
    found = etree.fromstring(drawn.picture.svg).findall(f"{SVG}rect")
    return [
        (float(str(one.attrib["x"]).rstrip("%")), float(str(one.attrib["width"]).rstrip("%")))
        for one in found
        if one.attrib["class"] == kind and "transform" not in one.attrib
    ]


# --- all of them ---


def test_every_picture_says_what_it_is_and_shows() -> None:
    for drawn in every_picture():
        root, picture = etree.fromstring(drawn.picture.svg), drawn.picture
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == picture.title == root.findtext(f"{SVG}title")
        assert root.findtext(f"{SVG}desc") == picture.text != ""
        assert list(drawn.table.rows)


def test_pictures_of_one_page_have_no_id_twice() -> None:
    ids = re.findall(r' id="([^"]+)"', PATTERNS + "".join(str(figure(one, ATHENS)) for one in every_picture()))
    assert len(ids) == len(set(ids)) > 20
    used = re.findall(r"url\(#([^)]+)\)", "".join(one.picture.svg for one in every_picture()))
    assert set(used) <= set(ids)


def test_pictures_stand_without_a_style_sheet_and_within_the_policy() -> None:
    for drawn in every_picture():
        assert not re.search(r"style=|<style|var\(|currentColor|foreignObject|href|<script", drawn.picture.svg)
        shapes = [one for one in etree.fromstring(drawn.picture.svg).iter() if one.tag in {f"{SVG}rect", f"{SVG}line"}]
        assert all("fill" in one.attrib or "stroke" in one.attrib for one in shapes)


def test_the_same_rows_are_the_same_bytes() -> None:
    assert [one.picture for one in every_picture()] == [one.picture for one in every_picture()]


def test_each_class_of_a_mark_is_known_to_the_style_sheet() -> None:
    """Else a page in forced colours has marks of ours on a ground that is not."""
    css = (Path(rollcall.web.__file__).parent / "static" / "pictures.css").read_text()
    kinds = {
        kind for one in every_picture() for kind in re.findall(r'<(?:rect|line|path) class="([^"]+)"', one.picture.svg)
    }
    assert {kind for kinds_of_it in kinds for kind in kinds_of_it.split()} - {"possible", "blind"} <= set(
        re.findall(r"\.([a-z0-9-]+)", css)
    )


def test_typst_draws_every_picture_without_a_complaint(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst", reason="PDFs are not installed")
    for language in ("en", "ar"):
        with translation.override(language):
            drawn = every_picture()
        for one in drawn:
            (tmp_path / f"{one.picture.name}.svg").write_text(one.picture.svg)
        source = "".join(f'#image("{one.picture.name}.svg", alt: "picture")\n' for one in drawn)
        (tmp_path / "all.typ").write_text(source)
        _, warnings = typst.compile_with_warnings(tmp_path / "all.typ", format="pdf", output=tmp_path / "all.pdf")
        assert not warnings


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_or_enters_a_picture(name: str) -> None:
    of = meeting()
    drawn = [
        *class_bars([person(of, name, [(at("10:00"), at("10:30"))])], of, ATHENS),
        *course_matrix([MatrixPerson(name, [Shares(0.5, 0.6)])], [MatrixMeeting(at("10:00"), name)], ATHENS),
        *term_calendar([Attended(at("10:00"), Shares(0.5, 0.6), name)], ATHENS),
    ]
    for one in drawn:
        root = etree.fromstring(one.picture.svg)
        assert not {"script", "img", "image"} & {tag.tag.removeprefix(SVG) for tag in root.iter()}
        assert len(one.picture.svg) < 20_000
        assert "<script>" not in figure(one, ATHENS)
        assert "<img" not in figure(one, ATHENS)


def test_hostile_names_are_drawn_by_typst_as_text(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst", reason="PDFs are not installed")
    of = meeting()
    (drawn,) = class_bars([person(of, name, [(at("10:00"), at("10:30"))]) for name in HOSTILE], of, ATHENS)
    (tmp_path / "bars.svg").write_text(drawn.picture.svg)
    (tmp_path / "all.typ").write_text('#image("bars.svg", alt: "bars")')
    assert typst.compile(tmp_path / "all.typ", format="pdf")


# --- bars ---


def test_a_large_class_is_several_pictures_with_everybody_in_one() -> None:
    of = meeting()
    drawn = class_bars(people(of, 95), of, ATHENS, part=40)
    assert [one.picture.name for one in drawn] == ["bars-1", "bars-2", "bars-3"]
    assert "(2 of 3)" in drawn[1].picture.title
    names = [name for one in drawn for name in texts(one) if re.search(r" \d+$", name)]
    assert len(names) == len(set(names)) == 95
    assert class_bars([], of, ATHENS) == []


def test_bars_lie_between_the_names_and_the_times() -> None:
    of = meeting(blind=[("09:00", "10:05"), ("10:50", None)])
    beyond = person(of, "Ada", [(at("09:30"), at("10:10")), (at("10:59"), at("12:30"))])
    (drawn,) = class_bars([beyond], of, ATHENS)
    for kind in ("proved", "blind"):
        assert all(x >= 168 and x + wide <= 760 - 118 + 0.02 for x, wide in rects(drawn, kind))
    assert len(rects(drawn, "proved")) == len(rects(drawn, "blind")) == 2


def test_time_runs_from_the_right_in_languages_that_do() -> None:
    of = meeting()
    rows = [person(of, "Ada", [(of.summary.started_at, of.summary.started_at + HOUR // 4)])]
    ((left, wide),) = rects(class_bars(rows, of, ATHENS)[0], "proved")
    with translation.override("ar"):
        ((right, wide_in_arabic),) = rects(class_bars(rows, of, ATHENS)[0], "proved")
        assert re.findall(r'x="([0-9.]+)%"', time_axis(of, ATHENS))[0] == "100"
    assert wide == wide_in_arabic
    assert left + right + wide == pytest.approx(760)
    assert re.findall(r'x="([0-9.]+)%"', time_axis(of, ATHENS))[0] == "0"


def test_a_bar_shows_an_instant_at_the_very_end() -> None:
    of = meeting()
    bar = presence_bar(person(of, "Ada", [(at("11:00"), at("11:00"))]), ATHENS)
    x, wide = (float(one) for one in re.findall(r'(?:x|width)="([0-9.]+)%"', bar)[:2])
    assert wide > 0
    assert x + wide <= 100


# --- how many ---


def test_the_peak_is_named_with_its_time() -> None:
    of = meeting()
    rows = [
        person(of, "Ada", [(at("10:00"), at("10:40"))]),
        person(of, "Bo", [(at("10:20"), at("11:00"))], [(at("10:10"), at("11:00"))]),
        person(of, "Cy", [], [(at("10:25"), at("10:30"))]),
    ]
    drawn = people_present(rows, of, ATHENS)
    assert drawn.picture.text == (
        "At most 2 people were certainly there at the same time, first at 12:20:00. "
        "Half of them or more were there from 12:00:00 to 13:00:00. "
        "It is possible that 3 people were there at 12:25:00."
    )
    assert "2 at 12:20" in texts(drawn)


def test_who_is_still_in_counts_until_now() -> None:
    of = meeting(ended=None, as_of="10:30")
    rows = [person(of, "Ada", [(at("10:00"), at("10:20"))], [(at("10:00"), None)])]
    drawn = people_present(rows, of, ATHENS)
    assert drawn.picture.text.endswith("The class is still running; this is as of 12:30:00.")
    assert [row.possible for row in drawn.table.rows][-1] == 1


@pytest.mark.parametrize("number", [0, 1, 30, 3_000])
def test_classes_of_every_size_are_drawn_small(number: int) -> None:
    of = meeting()
    drawn = people_present(people(of, number), of, ATHENS)
    assert len(drawn.picture.svg) < 60_000
    assert len(list(drawn.table.rows)) <= 41
    assert (drawn.picture.text == "Nobody was seen in this class.") is (number == 0)


def test_a_meeting_of_no_length_is_drawn() -> None:
    of = meeting("10:00", "10:00")
    rows = [person(of, "Ada", [(at("10:00"), at("10:00"))])]
    assert "At most 1 person was certainly there" in people_present(rows, of, ATHENS).picture.text
    (drawn,) = class_bars(rows, of, ATHENS)
    assert rects(drawn, "proved")
    assert time_axis(of, ATHENS)


def test_what_was_blind_is_drawn_only_within_the_class() -> None:
    of = meeting(blind=[("08:00", "09:00"), ("10:30", None)])
    assert rects(people_present(people(of, 3), of, ATHENS), "blind") == [(50, 50)]


# --- a term ---


def cells(drawn: Drawn) -> list[str]:
    return re.findall(r'class="strong(?: small)?"[^>]*>([^<]*)<', drawn.picture.svg)


def test_a_term_has_a_day_for_each_day_with_a_class() -> None:
    classes = [
        Attended(at("08:00", "2026-09-07"), Shares(0.5, 0.5)),
        Attended(at("10:00", "2026-09-07"), Shares(0.7, 0.9)),
        Attended(at("08:00", "2026-09-08"), None),
    ]
    (drawn,) = term_calendar(classes, ATHENS)
    assert cells(drawn) == ["60–70", "?"]
    assert "×2" in texts(drawn)
    assert "Seen in 3 classes, between 7 Sept 2026 and 8 Sept 2026." in drawn.picture.text
    assert "they were there for 60–70% of it" in drawn.picture.text


def test_a_class_lies_in_the_day_of_the_reader_also_where_the_clock_is_changed() -> None:
    before_midnight = Attended(at("21:30", "2026-10-24"), Shares(0.1, 0.1))  # 00:30 on the 25th in Athens
    after = Attended(at("22:30", "2026-10-25"), Shares(0.2, 0.2))  # 00:30 on the 26th, now in winter time
    (drawn,) = term_calendar([before_midnight, after], ATHENS)
    assert cells(drawn) == ["10", "20"]
    assert "between 25 Oct 2026 and 26 Oct 2026" in drawn.picture.text
    assert {"19 Oct", "26 Oct"} <= set(texts(drawn))


def test_long_holidays_are_a_line_and_long_terms_several_pictures() -> None:
    classes = [Attended(at("08:00", day), Shares(1, 1)) for day in ("2026-01-05", "2026-02-02", "2026-05-04")]
    (drawn,) = term_calendar(classes, ATHENS)
    assert "3 weeks without a class they were seen in" in texts(drawn)
    assert len(term_calendar(samples.term(45), ATHENS, part=20)) == 3
    assert term_calendar([], ATHENS) == []


def test_a_clock_that_went_wrong_breaks_no_calendar() -> None:
    wrong = [Attended(-(10**17), None), Attended(0, None), Attended(10**17, None)]
    assert term_calendar(wrong, ATHENS)
    assert course_matrix([MatrixPerson("Ada", [None] * 3)], [MatrixMeeting(one.started_at) for one in wrong], ATHENS)
    assert use_over_time([Bucket(one.started_at, 1, 1, HOUR) for one in wrong], ATHENS).picture.svg
    assert use_by_hour([Bucket(one.started_at, 1, 1, HOUR) for one in wrong], ATHENS).picture.svg


# --- a course ---


def test_few_meetings_have_numbers_and_many_have_not() -> None:
    few, many = (course_matrix(*samples.matrix(3, columns), ATHENS)[0] for columns in (4, 30))
    assert any(re.fullmatch(r"\d+(–\d+)?", one) for one in texts(few))
    assert not any(re.fullmatch(r"\d+(–\d+)?", one) for one in texts(many))


def test_a_cell_is_full_to_its_share() -> None:
    (drawn,) = course_matrix([MatrixPerson("Ada", [Shares(0.5, 1), None, Shares(0, 0)])], _three(), ATHENS)
    frames, possible, proved = re.findall(r'<path class="\w+" d="([^"]*)"', drawn.picture.svg)
    assert (frames.count("M"), possible.count("M"), proved.count("M")) == (2, 1, 1)
    assert "v-7h" in possible
    assert "v-7h" in proved


def _three() -> list[MatrixMeeting]:
    return [MatrixMeeting(at("10:00") + day * 24 * HOUR) for day in range(3)]


def test_a_large_course_is_drawn_in_parts() -> None:
    drawn = course_matrix(*samples.matrix(90, 70), ATHENS, part=(40, 30))
    assert len(drawn) == 9
    assert sum(len(list(one.table.rows)) for one in drawn) == 3 * 90
    (one,) = course_matrix(*samples.matrix(200, 60), ATHENS)
    assert len(one.picture.svg) < 700_000
    assert course_matrix([], _three(), ATHENS) == []


# --- use ---


def test_use_is_told_by_the_day_up_to_ten_weeks_then_by_longer_times() -> None:
    expected = {40: "Use by day", 100: "Use by week", 800: "Use by month", 4000: "Use by year"}
    found = {
        days: use_over_time([Bucket(0, 1, 1, HOUR), Bucket(days * 24 * HOUR, 1, 1, HOUR)], ATHENS).picture.title
        for days in expected
    }
    assert found == expected


def test_use_has_a_bar_for_each_day_that_had_any() -> None:
    used = [Bucket(at("08:00", f"2026-11-{day}"), 2, 30, 30 * HOUR) for day in (16, 17, 20)]
    drawn = use_over_time(used, ATHENS)
    assert len(rects(drawn, "proved")) == 9
    assert [row[1].meetings for row in drawn.table.rows] == [2, 2, 0, 0, 2]
    assert drawn.picture.text.startswith(
        "From Mon 16 Nov 2026 to Fri 20 Nov 2026: 6 meetings, 90 attendances, 90 person-hours."
    )


def test_the_map_tells_each_number() -> None:
    used = [Bucket(at("08:00"), 1, 10, 10 * HOUR), Bucket(at("08:15"), 0, 0, 2 * HOUR), Bucket(at("10:00"), 1, 1, 1)]
    drawn = use_by_hour(used, ATHENS)
    assert {"10:00", "11:00", "12:00", "12", "<1"} <= set(texts(drawn))
    assert drawn.picture.text == "Most at 10:00 (16 Nov): 12 person-hours."


@pytest.mark.parametrize("draw", [use_over_time, use_by_hour, partial(use_by_hour, rows="weekday")])
def test_no_use_is_a_picture_that_says_so(draw: Callable[..., Drawn]) -> None:
    assert draw([], ATHENS).picture.text == "There was no class in this time."


# --- in a page ---


def test_a_figure_has_words_and_a_table() -> None:
    of = meeting()
    drawn = people_present(people(of, 5), of, ATHENS)
    page = figures([drawn], ATHENS)
    assert ">How many were present at each moment</figcaption>" in page
    assert f'<p class="picture-text">{drawn.picture.text}</p>' in page
    assert ">The same as a table</summary>" in page
    assert page.count("<tr>") == len(list(drawn.table.rows)) + 1
