"""What people type: numbers in any digits, decimals with a comma, minutes or hours, days; and the form of a policy."""

from __future__ import annotations

from datetime import UTC, date, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.core.policy import COUNTED, MINUTE_MS, OF_HOURS, Condition, Join, OnChange, Policy, Quantity, Scope
from rollcall.web.completion.policy_form import ORDER, form_of, read_policy
from rollcall.web.completion.presets import PRESETS
from rollcall.web.completion.typed import (
    LONGEST_REASON,
    Wrong,
    WrongForm,
    instant,
    last_of,
    read_clock,
    read_day,
    read_length,
    read_number,
    read_reason,
    read_share,
    typed_length,
    typed_share,
)
from rollcall.wording.policies import length as said_length
from rollcall.wording.policies import policy_sentence, policy_sentences

if TYPE_CHECKING:
    from collections.abc import Callable

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 60 * MINUTE_MS


def length(text: str) -> int | None:
    return read_length(text, 0, 24 * HOUR)


@pytest.mark.parametrize(
    ("read", "text", "meant"),
    [
        (length, "45", 45 * MINUTE_MS),
        (length, " 7,5 ", 7 * MINUTE_MS + 30_000),
        (length, "7.25", 7 * MINUTE_MS + 15_000),
        (length, "1:30", 90 * MINUTE_MS),
        (length, "0:00:30", 30_000),
        (length, "٤٥", 45 * MINUTE_MS),
        (length, "٧٫٥", 7 * MINUTE_MS + 30_000),
        (length, "", None),
        (length, "0", 0),
        (read_share, "80", 800),
        (read_share, "80 %", 800),
        (read_share, "66,7", 667),
        (read_share, "٨٠٪", 800),
        (read_share, "%80", 800),
        (read_share, "100", 1000),
        (read_share, "", None),
        (read_day, "2026-11-22", date(2026, 11, 22)),
        (read_day, "22.11.2026", date(2026, 11, 22)),
        (read_clock, "8:05", time(8, 5)),
        (read_clock, "23.59", time(23, 59)),
    ],
)
def test_what_is_meant(read: Callable[[str], Any], text: str, meant: object) -> None:
    assert read(text) == meant


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *(
            (length, text)
            for text in (
                "-1",
                "1e9",
                "24:01",
                "45:00",
                "13:00",
                "1:60",
                "4 5",
                "45min",
                "NaN",
                "½",
                "9" * 300,
                "\u202e45",
            )
        ),
        *((read_share, text) for text in ("0", "100.1", "101", "-5", "eighty", "80%%x", "1e2", "0,04")),
        *((read_day, text) for text in ("2026-02-30", "1999-12-31", "2200-01-01", "tomorrow", "26-11-22")),
        *((read_clock, text) for text in ("24:00", "12:60", "noon", "1200")),
        *((lambda text: read_number(text, 1, 10), text) for text in ("0", "11", "2,5", "-1", "٣x", "1 0")),
        *((read_reason, text) for text in ("", " \n\t ", "\0", "x" * (LONGEST_REASON + 1))),
    ],
)
def test_what_cannot_be_meant_is_said(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(Wrong) as wrong:
        read(text)
    assert str(wrong.value)


def test_a_length_is_written_as_it_is_typed() -> None:
    assert typed_length(7 * MINUTE_MS + 30_000) == "7.5"
    assert said_length(7 * MINUTE_MS + 30_000) == "7.5 minutes"
    assert said_length(45 * MINUTE_MS) == "45 minutes"
    with pytest.raises(WrongForm) as wrong:
        read_policy({"time": "0"}, UTC)
    assert "it may be 0.1 to 60,000 minutes" in wrong.value.fields["time"]


def test_what_is_added_up_is_said_of_all_classes() -> None:
    one = (Condition(Quantity.SHARE, 800),)
    told = policy_sentences(Policy(conditions=one, scope=Scope.SUMMED, shortest_ms=0, fewest=0), UTC)
    assert "at least 80% of the time of all classes attended" in told[0]
    assert not any("apart" in sentence for sentence in told)
    assert "at least 80% of the class attended" in policy_sentence(Policy(conditions=one))


def test_a_reason_is_kept_in_one_line() -> None:
    assert read_reason("  was ill,\n  has a\tnote ") == "was ill, has a note"


def test_a_day_begins_and_ends_in_the_readers_zone() -> None:
    assert instant(date(2026, 11, 22), None, BERLIN) == 1_795_302_000_000
    assert last_of(date(2026, 11, 22), BERLIN) - instant(date(2026, 11, 22), None, BERLIN) == 24 * HOUR - 1
    # On the day on which clocks go forward there is no half past two: it is what they show an hour later.
    assert instant(date(2026, 3, 29), time(2, 30), BERLIN) == instant(date(2026, 3, 29), time(3, 30), BERLIN)


@given(st.integers(0, 86_400))
def test_a_length_is_read_back_to_the_second(seconds: int) -> None:
    assert length(typed_length(1000 * seconds)) == 1000 * seconds


@given(st.integers(1, 1000))
def test_a_share_is_read_back(thousandths: int) -> None:
    assert read_share(typed_share(thousandths)) == thousandths


# --- the form ---------------------------------------------------------------------------------------------------------

_AMOUNTS = {
    Quantity.SHARE: st.integers(1, 1000),
    Quantity.WHOLE_MINUTES: st.integers(1, 60_000),
    **dict.fromkeys(OF_HOURS, st.integers(0, 1440).map(lambda minutes: minutes * MINUTE_MS)),
    **dict.fromkeys(COUNTED, st.integers(1, 10_000)),
    **dict.fromkeys((Quantity.TIME, Quantity.TALK_TIME), st.integers(6, 60_000).map(lambda second: second * 1000)),
}


def _over(day: date) -> int:
    return last_of(day, BERLIN)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    scope = draw(st.sampled_from(Scope))
    possible = [one for one in ORDER if scope is Scope.CLASSES or one not in OF_HOURS]
    chosen = draw(st.sets(st.sampled_from(possible), min_size=1, max_size=4))
    needed = draw(st.integers(1, 20)) if scope is Scope.CLASSES else 1
    return Policy(
        conditions=tuple(Condition(one, draw(_AMOUNTS[one])) for one in ORDER if one in chosen),
        join=draw(st.sampled_from(Join)),
        scope=scope,
        needed=needed,
        planned=draw(st.none() | st.integers(needed, 30)) if scope is Scope.CLASSES else None,
        starts_at=draw(st.just(0) | st.integers(29_000_000, 30_000_000).map(lambda minute: minute * MINUTE_MS)),
        apart_ms=draw(st.integers(0, 120)) * MINUTE_MS,
        shortest_ms=draw(st.integers(0, 120)) * MINUTE_MS,
        fewest=draw(st.integers(0, 50)),
        on_change=draw(st.sampled_from(OnChange)),
        lowers_until=draw(
            st.none() | st.dates(date(2026, 1, 1), date(2030, 1, 1)).map(lambda day: last_of(day, BERLIN))
        ),
        waits=draw(st.booleans()),
    )


@given(policies())
@settings(max_examples=60)
def test_the_form_gives_back_what_it_was_filled_with(policy: Policy) -> None:
    assert read_policy(form_of(policy, BERLIN), BERLIN) == policy


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.name)
def test_each_preset_can_be_published_as_it_is(one: Any) -> None:
    assert read_policy(form_of(one.policy, UTC), UTC) == one.policy


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"share": ""}, {"conditions"}),
        ({"share": "120"}, {"share"}),
        ({"needed": "0"}, {"needed"}),
        ({"needed": "5", "planned": "4"}, {"planned"}),
        ({"from": "soon"}, {"from"}),
        ({"from-time": "10:00"}, {"from"}),
        ({"apart": "x", "shortest": "-1", "fewest": "many"}, {"apart", "shortest", "fewest"}),
        ({"present-by": "5", "scope": "summed"}, {"scope"}),
        ({"lowers_until": "2026-02-30"}, {"lowers_until"}),
    ],
)
def test_every_wrong_field_is_named_at_once(changes: dict[str, str], names: set[str]) -> None:
    with pytest.raises(WrongForm) as wrong:
        read_policy({"share": "80"} | changes, UTC)
    assert set(wrong.value.fields) == names


def test_choices_that_no_browser_sends_are_as_if_nothing_had_been_sent() -> None:
    told = read_policy({"share": "80", "join": "none", "scope": "\0", "on_change": "no"}, UTC)
    assert (told.join, told.scope, told.on_change) == (Join.ALL, Scope.CLASSES, OnChange.CORRECT)


def test_a_policy_that_adds_all_classes_needs_no_number_of_them() -> None:
    assert read_policy({"share": "80", "scope": "summed", "needed": "nonsense"}, UTC).needed == 1
