"""Dates, numbers and what stands between them, as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from rollcall import languages
from rollcall.reports import words
from rollcall.reports.rows import Bounds
from rollcall.wording import formatting

AT = datetime(2026, 11, 22, 9, 5, 11, tzinfo=UTC)
CODES = languages.codes()


@pytest.mark.parametrize(
    ("code", "moment", "near", "day", "short"),
    [
        ("en", "Sun 22 Nov 2026, 09:05", "Sun 22 Nov, 09:05", "Sunday 22 November 2026", "22 Nov 2026"),
        ("de", "So., 22. Nov. 2026, 09:05", "So., 22. Nov., 09:05", "Sonntag, 22. November 2026", "22. Nov. 2026"),
        ("el", "Κυρ 22 Νοε 2026, 09:05", "Κυρ 22 Νοε, 09:05", "Κυριακή 22 Νοεμβρίου 2026", "22 Νοε 2026"),
        ("ar", "الأحد، 22 نوفمبر 2026، 09:05", "الأحد، 22 نوفمبر، 09:05", "الأحد، 22 نوفمبر 2026", "22 نوفمبر 2026"),
    ],
)
def test_a_date_is_written_as_the_language_does(code: str, moment: str, near: str, day: str, short: str) -> None:
    with translation.override(code):
        assert formatting.date_and_time(AT) == moment
        assert formatting.near_date_and_time(AT, year=2026) == near
        assert formatting.near_date_and_time(AT, year=2027) == moment
        assert formatting.full_date(AT.date()) == day
        assert formatting.short_date(AT.date()) == short


@pytest.mark.parametrize(
    ("code", "number", "percent", "between"),
    [
        ("en", "1,234,567", "88%", "84–88%"),
        ("de", "1.234.567", "88\N{NO-BREAK SPACE}%", "84–88\N{NO-BREAK SPACE}%"),
        ("el", "1.234.567", "88%", "84–88%"),
        ("ar", "1,234,567", "\u206688%\u2069", "\u206684–88%\u2069"),
    ],
)
def test_a_number_is_written_as_the_language_does(code: str, number: str, percent: str, between: str) -> None:
    with translation.override(code):
        assert formatting.number(1234567) == number
        assert words.share((0.88, 0.88)) == percent  # type: ignore[arg-type]
        assert words.share((0.84, 0.88)) == between  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "weekday", "month", "first"),
    [
        ("en", "Mon", "November", 0),
        ("de", "Mo", "November", 0),
        ("el", "Δευ", "Νοέμβριος", 0),
        ("ar", "الاثنين", "نوفمبر", 5),
    ],
)
def test_weekdays_and_months_have_names(code: str, weekday: str, month: str, first: int) -> None:
    with translation.override(code):
        assert formatting.weekday(0) == weekday
        assert formatting.month(11, "wide") == month
        assert formatting.first_weekday() == first


def test_the_earlier_time_comes_first_in_every_direction() -> None:
    bounds = Bounds(2_400_000, 2_530_000)
    with translation.override("en"):
        assert words.bounds(bounds) == "40:00–42:10"
    with translation.override("ar"):
        assert words.bounds(bounds) == "\u206640:00–42:10\u2069"
        assert formatting.interval("22 نوفمبر", "23 نوفمبر") == "22 نوفمبر – 23 نوفمبر"


def test_arabic_has_six_forms_of_the_plural() -> None:
    with translation.override("ar"):
        assert [words.people(number) for number in (0, 1, 2, 3, 11, 100)] == [
            "لا أحد",
            "شخص واحد",
            "شخصان",
            "3 أشخاص",
            "11 شخصًا",
            "100 شخص",
        ]


@given(st.dates(min_value=date(1, 1, 1)), st.sampled_from(CODES))
def test_every_day_can_be_written_in_every_language(day: date, code: str) -> None:
    with translation.override(code):
        for written in (formatting.full_date(day), formatting.short_date(day)):
            assert str(day.day) in written
            assert str(day.year) in written


@given(st.integers(0, 100), st.integers(0, 100), st.sampled_from(CODES))
def test_a_share_names_both_its_ends(one: int, other: int, code: str) -> None:
    least, most = sorted((one, other))
    with translation.override(code):
        shown = formatting.percent(least, most)
    assert "%" in shown
    assert (f"{least}–{most}" in shown) == (least != most)


def test_nearly_all_is_read_from_the_left_in_arabic() -> None:
    with translation.override("ar"):
        assert words.part(0.999) == "\u2066>99%\u2069"
        assert words.part(0.001) == "\u2066<1%\u2069"


def test_a_name_is_shut_off_from_what_stands_beside_it() -> None:
    assert formatting.isolated("عائشة") == "\u2068عائشة\u2069"


def test_a_date_that_was_typed_keeps_its_order_in_a_sentence_from_right_to_left() -> None:
    assert formatting.typed("2026-02-31") == "2026-02-31"
    with translation.override("ar"):
        assert formatting.typed("2026-02-31") == "\u20682026-02-31\u2069"


def test_several_things_are_listed_with_the_languages_own_comma() -> None:
    for code, listed in (("de", "a, b"), ("ar", "a، b")):
        with translation.override(code):
            assert formatting.listed(["a", "b"]) == listed
