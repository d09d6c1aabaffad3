"""What the pictures count, against counting it the long way."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.reports.pictures.counting import (
    Bucket,
    Gap,
    Period,
    Use,
    bins,
    by_period,
    by_week_and_hour,
    by_weekday_and_hour,
    filled,
    half_there,
    levels,
    merged,
    most_possible,
    next_period,
    number_of,
    peak,
    period_of,
    weeks_between,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.reports.details import OpenSpan
    from rollcall.reports.pictures.counting import Level

    People = list[tuple[list[OpenSpan], list[OpenSpan]]]

ATHENS = ZoneInfo("Europe/Athens")
START, UNTIL = 10, 40
QUARTER, HOUR = 900_000, 3_600_000

spans = st.tuples(st.integers(0, 50), st.none() | st.integers(0, 12)).map(
    lambda given: (given[0], None if given[1] is None else given[0] + given[1])
)
people = st.lists(st.tuples(st.lists(spans, max_size=3), st.lists(spans, max_size=3)), max_size=8)
periods = st.sampled_from(["day", "week", "month", "year"])
buckets = st.lists(
    st.builds(
        Bucket,
        at=st.integers(0, 4 * 365 * 96).map(lambda quarter: 1_700_000_100_000 + quarter * QUARTER),
        meetings=st.integers(0, 5),
        attendances=st.integers(0, 50),
        person_ms=st.integers(0, 50 * QUARTER),
    ),
    max_size=30,
)


def is_in(at: int, of_one: Iterable[OpenSpan]) -> bool:
    """Half-open, but an instant lasts a millisecond; what has no end goes on."""
    return any(begins <= at < (UNTIL if ends is None else max(ends, begins + 1)) for begins, ends in of_one)


def long_way(everybody: People) -> dict[int, tuple[int, int]]:
    return {
        at: (
            sum(is_in(at, proved) for proved, _ in everybody),
            sum(is_in(at, [*proved, *maybe]) for proved, maybe in everybody),
        )
        for at in range(START, UNTIL)
    }


def level_at(counted: list[Level], at: int) -> Level:
    return max((level for level in counted if level.at <= at), key=lambda level: level.at)


@given(people)
def test_the_sweep_counts_everybody_once_at_each_moment(everybody: People) -> None:
    counted = levels(everybody, START, UNTIL)
    assert {at: level_at(counted, at)[1:] for at in range(START, UNTIL)} == long_way(everybody)
    assert counted[0].at == START
    assert [level.at for level in counted] == sorted({level.at for level in counted})
    assert all(one[1:] != other[1:] for one, other in pairwise(counted))


@given(people)
def test_nobody_is_more_certain_than_possible(everybody: People) -> None:
    assert all(0 <= level.certain <= level.possible <= len(everybody) for level in levels(everybody, START, UNTIL))


@given(people)
def test_the_peak_is_the_first_of_the_highest(everybody: People) -> None:
    truth, counted = long_way(everybody), levels(everybody, START, UNTIL)
    for found, which in ((peak(counted), 0), (most_possible(counted), 1)):
        assert found.number == max(both[which] for both in truth.values())
        assert found.at == min(at for at, both in truth.items() if both[which] == found.number)


@given(people)
def test_half_there_is_from_the_first_to_the_last_such_moment(everybody: People) -> None:
    truth, counted = long_way(everybody), levels(everybody, START, UNTIL)
    busy = [at for at, (certain, _) in truth.items() if 2 * certain >= peak(counted).number]
    assert half_there(counted, UNTIL) == (busy[0], busy[-1] + 1)


@given(people, st.integers(1, 40))
def test_the_table_of_a_class_tells_the_fewest_and_the_most_of_each_piece(everybody: People, step: int) -> None:
    truth = long_way(everybody)
    for piece in bins(levels(everybody, START, UNTIL), UNTIL, step):
        inside = [truth[at] for at in range(piece.at, min(UNTIL, piece.at + step))]
        assert (piece.fewest, piece.most) == (min(one for one, _ in inside), max(one for one, _ in inside))
        assert piece.possible == max(possible for _, possible in inside)


@given(st.lists(spans, max_size=6))
def test_merged_spans_lie_apart_and_inside(several: Any) -> None:
    joined = merged(several, START, UNTIL)
    assert all(START <= begin < end <= UNTIL for begin, end in joined)
    assert all(one[1] < other[0] for one, other in pairwise(joined))
    assert merged(joined, START, UNTIL) == joined


# --- use over time ---


def total(used: Any) -> list[int]:
    return [sum(values) for values in zip(*used, strict=True)] if used else [0, 0, 0]


def local(bucket: Bucket) -> datetime:
    return datetime.fromtimestamp(bucket.at / 1000, ATHENS)


@settings(max_examples=50)
@given(buckets, periods, st.integers(0, 6))
def test_each_bucket_counts_in_one_period(several: Any, period: Period, first_weekday: int) -> None:
    used = by_period(several, ATHENS, period, first_weekday)
    assert total(used.values()) == total([(one.meetings, one.attendances, one.person_ms) for one in several])
    for first in used:
        inside = [one for one in several if first <= local(one).date() < (next_period(first, period) or date.max)]
        assert used[first] == Use(*total([(one.meetings, one.attendances, one.person_ms) for one in inside]))


@settings(max_examples=50)
@given(buckets, st.integers(0, 6))
def test_each_bucket_counts_in_one_hour_of_the_map(several: Any, first_weekday: int) -> None:
    for (week, hour), use in by_week_and_hour(several, ATHENS, first_weekday).items():
        assert week.weekday() == first_weekday
        days = {week + timedelta(days=number) for number in range(7)}
        inside = [one for one in several if local(one).date() in days and local(one).hour == hour]
        assert use.person_ms == sum(one.person_ms for one in inside)
    for (weekday, hour), use in by_weekday_and_hour(several, ATHENS).items():
        inside = [one for one in several if (local(one).weekday(), local(one).hour) == (weekday, hour)]
        assert use.meetings == sum(one.meetings for one in inside)


def test_a_day_has_23_or_25_hours_where_the_clock_is_changed() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=ATHENS).timestamp()
        whole_week = [Bucket(round(midnight * 1000) + HOUR * hour, person_ms=1) for hour in range(-24, 72)]
        assert by_period(whole_week, ATHENS, "day")[day].person_ms == hours
        clocks = by_week_and_hour(whole_week, ATHENS)
        monday = day - timedelta(days=6)
        twice = 2 if hours == 25 else 0
        assert clocks.get((monday, 3), Use()).person_ms == 1 + twice
        assert clocks[monday, 12].person_ms == 2


@given(st.dates(), periods, st.integers(0, 6))
def test_a_day_lies_in_its_period(day: date, period: Period, first_weekday: int) -> None:
    first = period_of(day, period, first_weekday)
    after = next_period(first, period)
    assert first <= day
    assert after is None or day < after
    assert number_of(first, first, period) == 1
    if after is not None and first != date.min:
        assert number_of(first, after, period) == 2


@given(st.dictionaries(st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.just(Use(1)), max_size=6), periods)
def test_periods_without_use_are_filled_in(used: Any, period: Period) -> None:
    kept = {period_of(day, period): use for day, use in sorted(used.items())}
    shown = filled(kept, period, most=50)
    assert len(shown) <= 50
    assert all(next_period(one[0], period) == other[0] for one, other in pairwise(shown))
    if kept:
        assert shown[-1][0] == max(kept)
        assert sum(use.meetings for _, use in shown) == sum(day >= shown[0][0] for day in kept)


@given(st.lists(st.integers(0, 60).map(lambda week: date(2026, 1, 5) + timedelta(days=7 * week)), max_size=8))
def test_long_holidays_are_one_line(weeks: list[date]) -> None:
    lines = weeks_between(weeks)
    assert sum(one.weeks if isinstance(one, Gap) else 1 for one in lines) == (
        number_of(min(weeks), max(weeks), "week") if weeks else 0
    )
    assert set(weeks) <= set(lines)
    assert all(one.weeks > 2 for one in lines if isinstance(one, Gap))
