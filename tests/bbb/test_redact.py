"""What is kept is named; everything else never leaves the redaction, wherever it stands and whatever it is called."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.bbb.payloads import decode
from rollcall.bbb.redact import (
    EARLIEST_AT,
    LATEST_AT,
    LONGEST_ID,
    LONGEST_NAME,
    Kept,
    NotUnderstood,
    breakout_pointer,
    epoch_ms,
    keep_id,
    keep_metadata,
    keep_name,
    redact,
)

PAIRS = sorted((Path(__file__).parent.parent / "data" / "bbb").glob("*.given.json"))
ELEMENTS = {path.name.removesuffix(".given.json"): json.loads(path.read_text()) for path in PAIRS}

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def outcome(element: object) -> Any:
    try:
        kept = redact(element)
    except NotUnderstood as error:
        return str(error)
    return kept and (kept.kind, kept.meeting, kept.at, kept.payload, kept.identity, kept.parent, kept.is_end)


def kept_of(element: object) -> Kept:
    kept = redact(element)
    assert kept is not None
    return kept


# -- nothing but what is named ------------------------------------------------------------------------------------


def with_canaries(value: Any, chance: random.Random) -> Any:
    """The same with unknown keys beside every known one, and another order."""
    if isinstance(value, list):
        return [with_canaries(one, chance) for one in value]
    if not isinstance(value, dict):
        return value
    items = [(key, with_canaries(one, chance)) for key, one in value.items()]
    canaries = [("CANARY", "CANARY"), ("moderator-pass", "CANARY"), ("message", {"text": "CANARY"}), ("", ["CANARY"])]
    items += [(key, one) for key, one in canaries if key not in value]
    chance.shuffle(items)
    return dict(items)


@pytest.mark.parametrize("name", ELEMENTS)
def test_what_is_not_named_changes_no_byte(name: str) -> None:
    element = ELEMENTS[name]
    for seed in range(5):
        assert outcome(with_canaries(element, random.Random(seed))) == outcome(element)


@given(st.sampled_from(sorted(ELEMENTS)), st.randoms(), ANYTHING)
@settings(max_examples=400)
def test_any_value_in_any_place_is_kept_or_left_or_told(name: str, chance: random.Random, value: object) -> None:
    element = json.loads(json.dumps(ELEMENTS[name]))
    if places := list(leaves(element)):
        where, key = chance.choice(places)
        where[key] = value
    try:
        kept = redact(element)
    except NotUnderstood:
        return
    if kept is not None:
        assert kept.meeting
        assert EARLIEST_AT <= kept.at < LATEST_AT
        assert 0 < len(kept.kind) <= 64
        decode(kept.source, b"", kept.payload, kept.identity)


def leaves(value: Any) -> Any:
    """Every (container, key) of an element."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield value, key
        yield from leaves(one)


@given(ANYTHING)
def test_anything_at_all_is_refused_without_a_fuss(element: object) -> None:
    with pytest.raises(NotUnderstood):
        redact(element)


# -- one happening, one fact --------------------------------------------------------------------------------------


def test_an_invented_leave_is_the_same_fact_on_a_mapped_and_a_raw_hook_and_after_a_restart_of_the_relay() -> None:
    plain, restarted = (ELEMENTS[f"user-left.mapped-3.5.{name}"] for name in ("invented", "invented-after-restart"))
    assert outcome(plain) == outcome(restarted)


def test_a_time_as_text_is_the_same_fact() -> None:
    assert outcome(ELEMENTS["time.text"]) == outcome(ELEMENTS["meeting-ended.mapped"])


# -- times --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1795309405123, 1795309405123),
        ("1795309405123", 1795309405123),
        (1795309405123.4, 1795309405123),
        (1795309405, 1795309405000),
        ("1795309405", 1795309405000),
        (1795309405.25, 1795309405250),
        ("1795309405.25", 1795309405250),
        (10**9, 10**12),
    ],
)
def test_times_are_read_in_seconds_and_milliseconds(value: object, at: int) -> None:
    assert epoch_ms(value) == at


NO_TIMES: tuple[object, ...] = (
    0,
    -1,
    42,
    10**14,
    10**17,
    10**40,
    True,
    None,
    "",
    "soon",
    "١٢",
    [],
    {},
    "1e12",
    "9" * 30,
    "0x10",
)


@pytest.mark.parametrize("value", [*NO_TIMES, float("nan"), float("inf"), -float("inf"), "1_795_309_405_123"])
def test_what_cannot_be_the_time_of_a_class_is_none(value: object) -> None:
    assert epoch_ms(value) is None


# -- lengths ------------------------------------------------------------------------------------------------------


def test_a_name_is_cut_and_says_so() -> None:
    assert keep_name("ä" * LONGEST_NAME) == "ä" * LONGEST_NAME
    assert keep_name("ä" * (LONGEST_NAME + 1)) == "ä" * (LONGEST_NAME - 1) + "…"


def test_an_id_is_never_cut_into_another_one() -> None:
    assert keep_id("i" * LONGEST_ID) == "i" * LONGEST_ID
    long = [keep_id("i" * LONGEST_ID + end) for end in ("a", "b")]
    assert long[0] != long[1]
    assert all(one is not None and len(one) < 300 for one in long)


@given(st.text(min_size=1, max_size=50))
def test_an_id_is_kept_exactly(text: str) -> None:
    assert keep_id(text) == text


@pytest.mark.parametrize(("value", "kept"), [(4711, "4711"), (-1, "-1"), (0, "0")])
def test_a_number_is_an_id_as_javascript_prints_it(value: object, kept: str) -> None:
    assert keep_id(value) == kept


@pytest.mark.parametrize("value", [None, "", True, 1.5, [], {}, 10**40])
def test_what_is_no_id_is_none(value: object) -> None:
    assert keep_id(value) is None


def test_an_unknown_kind_with_a_long_name_is_kept_under_a_short_one() -> None:
    element = json.loads(json.dumps(ELEMENTS["unknown.mapped"]).replace("user-away-changed", "u" * 1000))
    assert len(kept_of(element).kind) == 64


# -- telephones ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("00302105551234", "XXXXXXXXXXXX34"),
        ("+30 210 555-1234", "+XX XXX XXX-XX34"),
        ("(030) 12 34 56", "(XXX) XX XX 56"),
        ("Anna 12345", "Anna XXX45"),
        ("Anna 1234", "Anna 1234"),
        ("٠١٢٣٤٥٦", "XXXXX٥٦"),
        ("210\u20131234\u2013567", "XXX\u2013XXXX\u2013X67"),
        ("+30\u00b7210_123:4567", "+XX\u00b7XXX_XXX:XX67"),
        ("0030XXXXX12 dial-in", "0030XXXXX12 dial-in"),
        ("Anna", "Anna"),
    ],
)
def test_of_a_callers_number_two_digits_stay(name: str, kept: str) -> None:
    for which in ("user-joined.mapped-3.5.dial-in", "user-audio-voice-enabled.raw.dial-in"):
        element = json.loads(json.dumps(ELEMENTS[which]))
        where = element["core"]["body"] if "core" in element else element["data"]["attributes"]["user"]
        where["callerName" if "core" in element else "name"] = name
        identity = kept_of(element).identity
        assert identity is not None
        assert json.loads(identity)["name"] == kept


def test_the_digits_of_anybody_else_stay() -> None:
    element = json.loads(json.dumps(ELEMENTS["user-joined.mapped-3.5"]))
    element["data"]["attributes"]["user"]["name"] = "Zoë 20261122"
    assert "Zoë 20261122".encode() in (kept_of(element).identity or b"")


def test_a_callers_external_id_is_kept_only_where_it_is_no_news() -> None:
    element = json.loads(json.dumps(ELEMENTS["user-joined.mapped-3.5.dial-in"]))
    element["data"]["attributes"]["user"]["external-user-id"] = "00302105551234"
    assert b"555" not in (kept_of(element).identity or b"")


def test_a_name_is_kept_only_where_people_come_and_go() -> None:
    element = json.loads(json.dumps(ELEMENTS["user-audio-muted.mapped-3.5"]))
    element["data"]["attributes"]["user"]["name"] = "CANARY"
    assert outcome(element) == outcome(ELEMENTS["user-audio-muted.mapped-3.5"])


# -- metadata -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("bbb-origin", "Moodle", "Moodle"),
        ("bbb-origin-version", 3, "3"),
        ("analytics-callback-url", "https://a:b@lms.example.org/x?token=t#f", "https://lms.example.org"),
        ("analytics-callback-url", "https://lms.example.org:8443/hook/CANARY/x", "https://lms.example.org:8443"),
        ("analytics-callback-url", "https://r.example.org/a/callbacks/CANARY/", "https://r.example.org/a/callbacks/…"),
        ("analytics-callback-url", "CANARY", None),
        ("analytics-callback-url", "secret:CANARY", None),
        (
            "analytics-callback-url",
            "https://lms.example.org/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events&t=s&bigbluebuttonbn=7",
            "https://lms.example.org/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events&bigbluebuttonbn=7",
        ),
        ("analytics-callback-url", "https://lms.example.org/a@b", "https://lms.example.org"),
        ("analytics-callback-url", "http://[broken@x", None),
        (
            "bbb-recording-ready-url",
            "https://l.example.org/mod/bigbluebuttonbn/z?t=1",
            "https://l.example.org/mod/bigbluebuttonbn/",
        ),
        (
            "bn-recording-ready-url",
            "https://u@l.example.org/m/mod/bigbluebuttonbn/z",
            "https://l.example.org/m/mod/bigbluebuttonbn/",
        ),
        ("bbb-recording-ready-url", "https://rooms.example.org/ready?t=CANARY", None),
        ("bbb-origin-tag", "CANARY", None),
        ("bbb-context", ["CANARY"], None),
        ("bbb-context", "", None),
    ],
)
def test_metadata(key: str, value: object, kept: str | None) -> None:
    assert (keep_metadata({key: value, "other": "CANARY"}) or {}).get(key) == kept


@given(st.dictionaries(st.text(max_size=30), ANYTHING))
def test_any_metadata_at_all(metadata: dict[str, object]) -> None:
    assert keep_metadata(metadata) is None


# -- breakout rooms -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("external", "pointer"),
    [
        ("w_q1w2e3r4t5y6-2", "w_q1w2e3r4t5y6"),
        ("w_teach000001-12", "w_teach000001"),
        ("w_q1w2e3r4t5y6", None),
        ("w_q1w2e3r4t5y6-", None),
        ("4711-2", None),
        ("W_Q1W2E3R4T5Y6-2", None),
        (None, None),
        ("", None),
    ],
)
def test_a_breakout_users_external_id_points_into_the_parent_meeting(external: str | None, pointer: str | None) -> None:
    assert breakout_pointer(external) == pointer
