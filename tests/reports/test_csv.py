"""CSV: what csv.reader reads back, whatever people call themselves, and times that are quick and right."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.reports import words
from rollcall.reports.local_times import LocalTimes, durations
from rollcall.reports.rows import Column, Group, Kind, Table
from rollcall.reports.to_csv import safe, to_csv

NASTY = st.text(st.sampled_from("=+-@＝＋－＠'\";,\t\r\n \u200b\u00a0\u202eaΩ1"), max_size=12) | st.text()
SEPARATORS = re.compile("[;\t\r\n\v\f]")
BLANKS = "".join(map(chr, range(33))) + "\x7f\xa0\xad\u200b\u200c\u200d\u200e\u200f\u202e\u2060\ufeff"
FORMULA = tuple("=+-@＝＋－＠")


def written(*rows: tuple[Any, ...], kinds: tuple[Kind, ...] = (Kind.TEXT, Kind.TEXT)) -> list[list[str]]:
    columns = [Column(str(i), f"c{i}", kind, itemgetter(i)) for i, kind in enumerate(kinds)]
    text = b"".join(to_csv(Table("t/1", "t", columns, rows), UTC)).decode()
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]


@settings(max_examples=200)
@given(st.lists(st.tuples(NASTY, NASTY), max_size=5))
def test_what_is_written_is_read_back(rows: list[tuple[str, str]]) -> None:
    as_kept = [[safe(one).encode(errors="replace").decode() for one in row] for row in rows]

    assert written(*rows) == as_kept


@settings(max_examples=500)
@given(NASTY)
def test_no_part_of_a_cell_begins_a_formula_wherever_it_is_cut(text: str) -> None:
    for part in SEPARATORS.split(safe(text)):
        assert not part.lstrip(BLANKS).startswith(FORMULA)
    assert not safe(text).startswith(("\t", "\r"))


@settings(max_examples=200)
@given(NASTY)
def test_nothing_but_quotes_is_put_in(text: str) -> None:
    rest = iter(safe(text))

    assert all(any(one == other for other in rest) for one in text)
    assert safe(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "O'Neill", "Anne-Marie", "a+b", "2026-11-22", "x; y", "Ω, α\nβ", "e@example.org"]
)
def test_usual_names_stay_as_they_are(name: str) -> None:
    assert safe(name) == name
    assert written((name, "")) == [[name, ""]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" =1", "' =1"),
        ("\u200b@A1", "'\u200b@A1"),
        ("Ada;=1+1", "Ada;'=1+1"),
        ("Ada;;  =1+1", "Ada;;  '=1+1"),
        ("Ada\n-1", "Ada\n'-1"),
        (";=1", "';'=1"),
        ("＝1", "'＝1"),
        ("\tAda", "'\tAda"),
        ("-", "'-"),
    ],
)
def test_what_a_spreadsheet_would_calculate_is_quoted(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_a_name_of_blanks_takes_no_time() -> None:
    endless = ";\n \u200b" * 100_000 + "a="

    assert safe(endless) == endless


def test_kinds_that_no_sheet_knows_are_text_and_claims_are_words() -> None:
    rows = written((True, None), (False, ["a"]), kinds=(Kind.JSON, Kind.JSON))

    assert rows == [["yes", ""], ["no", "['a']"]]


def test_rows_of_groups_have_their_group_in_front() -> None:
    columns = [Column("meeting", "Meeting", Kind.TEXT, lambda row: row)]
    inner = [Column("name", "Name", Kind.TEXT, lambda row: row)]
    groups = [Group("Logic", ["Ada", "Emmy"]), Group("empty", []), Group("=1", ["Ω"] * 600)]
    table = Table("t/1", "t", columns, groups, inner_key="people", inner=inner)

    _, *lines = csv.reader(io.StringIO(b"".join(to_csv(table, UTC)).decode(), newline=""))
    assert lines == [["Logic", "Ada"], ["Logic", "Emmy"], *[["'=1", "Ω"]] * 600]


# --- times ------------------------------------------------------------------------------------------------------------

ZONES = sorted(available_timezones())


@settings(max_examples=300)
@given(st.sampled_from(ZONES), st.integers(-(10**15), 10**15) | st.integers(10**12, 2 * 10**12) | st.none())
def test_times_are_those_of_the_slow_way(name: str, at: int | None) -> None:
    zone = ZoneInfo(name)

    assert LocalTimes(zone).stamps([at, at]) == [words.stamp(at, zone)] * 2


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("Antarctica/Casey", "2020-10-03T16:01:00"),
        ("America/St_Johns", "2009-03-08T03:31:00"),
        ("Africa/Monrovia", "1972-01-07T00:44:30"),
        ("Europe/Amsterdam", "1937-06-30T23:40:28"),
        ("Europe/Athens", "2026-10-25T01:00:00"),
    ],
)
def test_times_around_a_change_of_the_clocks_are_right(name: str, changed: str) -> None:
    zone, at = ZoneInfo(name), int(datetime.fromisoformat(f"{changed}+00:00").timestamp() * 1000)
    times = [at + 1000 * seconds for seconds in range(-2000, 2000, 7)]

    assert LocalTimes(zone).stamps(list(times)) == [words.stamp(one, zone) for one in times]
    seconds = [LocalTimes(zone).second(one) for one in times]
    assert seconds == [int(words.moment(one, zone).replace(tzinfo=UTC).timestamp()) for one in times]


@given(st.integers(0, 10**12))
def test_durations_are_those_of_the_slow_way(ms: int) -> None:
    assert durations([ms, None]) == [words.long_duration(ms), ""]
