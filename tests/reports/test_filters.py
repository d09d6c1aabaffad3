"""Filters: what can be meant is read, what cannot is refused at its field, and an address says it again."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.core.errors import Refused
from rollcall.reports.asking import Takes, as_written, ask, used
from rollcall.reports.filters import DAYS, FIELDS, WrongFilter, read_filter
from rollcall.store.searching import EVERYTHING
from tests.makers import at

TAKES = Takes(
    tuple(name for name in FIELDS if name != "server"), ("-started", "started", "time"), {"by": ("day", "week")}
)
ATHENS = ZoneInfo("Europe/Athens")


def read(**words: str) -> Any:
    return read_filter({name.rstrip("_").replace("_", "-"): word for name, word in words.items()}, zone=UTC, as_of=0)


def test_a_filter_is_read_from_its_words() -> None:
    found = read(
        name=" papad ",
        from_="2026-11-20T10:30",
        to="2026-11-20",
        weekday="mon, FRI",
        hour_from="8:30",
        hour_to="24:00",
        role="moderator",
        kind="dial-in",
        min_time="45",
        max_time="1:30",
        min_percent="12,5 %",
        chats="3",
        talk="0:02:30",
    )
    assert (found.name, found.since, found.until) == ("papad", at("10:30"), at("00:00", "2026-11-21"))
    assert found.weekdays == frozenset({0, 4})
    assert (found.hour_from, found.hour_to) == (510, 1440)
    assert (found.role, found.kind) == ("MODERATOR", "dial-in")
    assert (found.min_ms, found.max_ms, found.min_share) == (45 * 60_000, 90 * 60_000, 125)
    assert (found.chats, found.talk_ms) == (3, 150_000)


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("from", "2026-02-30"),
        ("to", "soon"),
        ("weekday", "someday"),
        ("weekday", ","),
        ("from", "T09:00"),
        ("hour-from", "25:00"),
        ("hour-to", "8:75"),
        ("role", "king"),
        ("kind", "ghost"),
        ("state", "asleep"),
        ("min-time", "-5"),
        ("max-time", "1:99"),
        ("min-percent", "101"),
        ("max-percent", "-1"),
        ("chats", "many"),
        ("hands", "1.5"),
        ("talk", "∞"),
        ("name", "x" * 10_000),
        ("user", "a\0b"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_field_and_named_by_its_label(field: str, word: str) -> None:
    with pytest.raises(WrongFilter) as caught:
        read_filter({field: word}, zone=UTC, as_of=0)
    assert list(caught.value.fields) == [field]
    assert str(caught.value.fields[field]).startswith(f"{FIELDS[field].label}: ")
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"from": "2026-11-20", "to": "2026-11-19"}, "to"),
        ({"min-time": "1:30", "max-time": "45"}, "max-time"),
        ({"min-percent": "80", "max-percent": "20"}, "max-percent"),
    ],
)
def test_two_fields_between_which_nothing_lies_are_refused_at_the_second(words: dict[str, str], field: str) -> None:
    with pytest.raises(WrongFilter, match="so nothing can lie between") as caught:
        read_filter(words, zone=UTC, as_of=0)
    assert list(caught.value.fields) == [field]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(WrongFilter) as caught:
        read_filter({"from": "soon", "chats": "x", "name": "ada"}, zone=UTC, as_of=0)
    assert list(caught.value.fields) == ["from", "chats"]


_WORDS = st.dictionaries(st.sampled_from(sorted(FIELDS.keys() - {"server"})), st.text(max_size=30), max_size=6)


@given(_WORDS)
def test_whatever_is_written_is_read_or_refused_in_a_sentence(words: dict[str, str]) -> None:
    said = ""
    try:
        read_filter(words, zone=ATHENS, as_of=0)
    except Refused as refused:
        said = str(refused)
    assert not said or said.endswith(".")


_SENSIBLE = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12),
        "from": st.dates(min_value=date(2000, 1, 1), max_value=date(2020, 1, 1)).map(str),
        "to": st.dates(min_value=date(2021, 1, 1), max_value=date(2090, 1, 1)).map(lambda day: f"{day}T10:30"),
        "weekday": st.sets(st.sampled_from(DAYS), min_size=1).map(",".join),
        "hour-from": st.times().map(lambda clock: f"{clock:%H:%M}"),
        "min-percent": st.integers(0, 100).map(str),
        "chats": st.integers(0, 99).map(str),
        "state": st.sampled_from(("running", "ended", "settled")),
    },
)


@given(_SENSIBLE, st.sampled_from(("", "started", "time")))
@settings(max_examples=50)
def test_an_address_that_was_read_says_the_same_again(words: dict[str, str], sort: str) -> None:
    query = {name: [word] for name, word in words.items()} | ({"sort": [sort]} if sort else {})
    asked = ask(TAKES, query, zone=ATHENS)
    again = ask(TAKES, parse_qs(asked.query().removeprefix("?")), zone=ATHENS)
    assert (again.words, again.sort) == (asked.words, asked.sort)
    assert len(used(asked)) == len(words)
    assert all(label and said for label, said in used(asked))


def test_a_form_says_a_day_and_its_time_in_two_fields_and_several_days_in_many() -> None:
    asked = ask(TAKES, {"from": ["2026-11-20"], "from-time": ["10:30"], "weekday": ["mon", "tue"]}, zone=UTC)
    assert asked.words == {"from": "2026-11-20T10:30", "weekday": "mon,tue"}
    assert asked.wanted.since == at("10:30")


def test_nothing_of_what_was_typed_is_lost() -> None:
    asked = as_written(TAKES, {"from": ["2026-13-01"], "name": ["ada"], "chats": ["x"]}, zone=UTC, inside=EVERYTHING)
    assert asked.words == {"name": "ada", "from": "2026-13-01", "chats": "x"}


@pytest.mark.parametrize("query", [{"nmae": ["ada"]}, {"sort": ["shoe-size"]}, {"by": ["moon"]}])
def test_an_unknown_word_is_refused(query: dict[str, list[str]]) -> None:
    with pytest.raises(Refused):
        ask(TAKES, query, zone=UTC)


def test_the_same_filters_are_taken_along_as_far_as_another_report_knows_them() -> None:
    asked = ask(TAKES, {"name": ["ada"], "chats": ["3"], "sort": ["time"]}, zone=UTC)
    assert asked.query_for(("name",)) == "?name=ada"
    assert asked.query(without=("chats",)) == "?name=ada&sort=time"
