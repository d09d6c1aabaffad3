"""Blind spans: told once, piece by piece, to the meetings that ran in them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.blindness import Blindness, Cause, Ran, created_at_of
from rollcall.bbb.payloads import decode
from rollcall.bbb.sightings import FactsOf
from rollcall.core.events import WentBlind
from rollcall.feed.feed import Arrival

MINUTE = 60_000


def spans(arrivals: Iterable[Arrival]) -> list[tuple[str, int, int, str]]:
    found = []
    for one in arrivals:
        [event] = decode(one.source, one.digest, one.payload, one.identity)
        assert isinstance(event, WentBlind)
        assert one.source == "ours"
        assert one.at == event.at
        found.append((event.meeting, event.at // MINUTE, event.until // MINUTE, event.cause))
    return found


def ran(seen_at: int, created_at: int | None = None) -> Ran:
    return Ran(None if created_at is None else created_at * MINUTE, seen_at * MINUTE)


@pytest.fixture
def blindness() -> Blindness:
    return Blindness(FactsOf(1, "pool"))


def test_a_span_is_told_to_whoever_ran_in_it(blindness: Blindness) -> None:
    blindness.begin(Cause.NO_POLLS, 10 * MINUTE)
    blindness.end(Cause.NO_POLLS, 20 * MINUTE)
    told = blindness.tell({"a": ran(20), "b": ran(20, created_at=15)}, 20 * MINUTE, 0)
    assert spans(told) == [("a", 10, 20, "no-polls"), ("b", 15, 20, "no-polls")]
    assert blindness.tell({"a": ran(20), "b": ran(20)}, 20 * MINUTE, 0) == []


def test_a_class_that_began_later_is_not_told(blindness: Blindness) -> None:
    blindness.begin(Cause.NO_POLLS, 10 * MINUTE)
    blindness.end(Cause.NO_POLLS, 20 * MINUTE)
    assert blindness.tell({"a": ran(25, created_at=20)}, 25 * MINUTE, 0) == []


def test_a_long_span_is_told_every_five_minutes_without_a_gap(blindness: Blindness) -> None:
    blindness.begin(Cause.HOOK_MISSING, 0)
    told = []
    for minute in range(1, 14):
        now_at = minute * MINUTE
        if blindness.is_due(now_at):
            told += blindness.tell({"a": ran(minute)}, now_at, 0)
            blindness.told(now_at)
    blindness.end(Cause.HOOK_MISSING, 14 * MINUTE)
    assert blindness.is_due(14 * MINUTE)
    told += blindness.tell({"a": ran(14)}, 14 * MINUTE, 0)
    assert [(start, end) for _, start, end, _ in spans(told)] == [(0, 1), (1, 6), (6, 11), (11, 14)]


def test_a_class_that_has_closed_is_told_to_its_end_and_no_further(blindness: Blindness) -> None:
    blindness.begin(Cause.NO_WEBHOOKS, None)
    assert spans(blindness.tell({"a": ran(3, created_at=1)}, 3 * MINUTE, 0)) == [("a", 1, 3, "no-webhooks")]
    assert spans(blindness.tell({"a": ran(4)}, 5 * MINUTE, 0)) == [("a", 3, 5, "no-webhooks")]
    assert blindness.tell({"a": ran(4)}, 10 * MINUTE, 0) == []


def test_a_span_since_ever_begins_with_the_class(blindness: Blindness) -> None:
    blindness.begin(Cause.NOT_WATCHED, None)
    blindness.end(Cause.NOT_WATCHED, 10 * MINUTE)
    assert spans(blindness.tell({"a": ran(10, created_at=2), "b": ran(10)}, 10 * MINUTE, 0)) == [
        ("a", 2, 10, "not-watched")
    ]


def test_an_ended_span_is_kept_until_a_later_poll_could_show_who_else_ran(blindness: Blindness) -> None:
    blindness.begin(Cause.HOOK_MISSING, 0)
    blindness.end(Cause.HOOK_MISSING, 10 * MINUTE)
    blindness.forget_ended(9 * MINUTE)
    assert spans(blindness.tell({"late": ran(11, created_at=8)}, 11 * MINUTE, 0)) == [("late", 8, 10, "hook-missing")]
    blindness.forget_ended(11 * MINUTE)
    assert blindness.tell({"later": ran(12, created_at=8)}, 12 * MINUTE, 0) == []
    assert blindness.since is None


def test_causes_are_told_apart(blindness: Blindness) -> None:
    blindness.begin(Cause.NO_POLLS, 0)
    blindness.begin(Cause.HOOKS_SILENT, 2 * MINUTE)
    blindness.end(Cause.NO_POLLS, 5 * MINUTE)
    told = spans(blindness.tell({"a": ran(6)}, 6 * MINUTE, 0))
    assert sorted(told) == [("a", 0, 5, "no-polls"), ("a", 2, 6, "hooks-silent")]
    assert Cause.NO_POLLS not in blindness
    assert Cause.HOOKS_SILENT in blindness


def test_beginning_twice_keeps_the_first_beginning_and_ending_what_never_began_is_nothing(blindness: Blindness) -> None:
    blindness.end(Cause.NO_POLLS, MINUTE)
    assert not blindness.is_due(MINUTE)
    blindness.begin(Cause.NO_POLLS, 0)
    blindness.begin(Cause.NO_POLLS, MINUTE)
    assert spans(blindness.tell({"a": ran(2)}, 2 * MINUTE, 0)) == [("a", 0, 2, "no-polls")]


@given(ticks=st.lists(st.integers(1, 400_000), max_size=30), created_at=st.none() | st.integers(0, 3_000_000))
def test_the_pieces_join_without_gap_or_overlap(ticks: list[int], created_at: int | None) -> None:
    blindness = Blindness(FactsOf(1, "pool"))
    blindness.begin(Cause.HOOKS_SILENT, 1_000)
    now_at, told = 1_000, []
    for tick in ticks:
        now_at += tick
        if blindness.is_due(now_at):
            told += blindness.tell({"a": Ran(created_at, now_at)}, now_at, 0)
            blindness.told(now_at)
    blindness.end(Cause.HOOKS_SILENT, now_at)
    told += blindness.tell({"a": Ran(created_at, now_at)}, now_at, 0)
    events = [decode(one.source, one.digest, one.payload, one.identity)[0] for one in told]
    pieces = [(one.at, one.until) for one in events if isinstance(one, WentBlind)]
    start = max(1_000, created_at or 0)
    if start >= now_at:
        assert pieces == []
        return
    assert pieces[0][0] == start
    assert pieces[-1][1] == now_at
    assert all(one[1] == other[0] for one, other in pairwise(pieces))


def test_the_create_time_is_read_from_the_internal_id_only_where_it_is_one() -> None:
    assert created_at_of("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3-1795310193672") == 1795310193672
    assert created_at_of("something-else") is None
