"""What the pictures count: how many were present at each moment, and use by the day, the week and the hour. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from rollcall.wording.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from datetime import tzinfo
    from typing import TypeVar

    from rollcall.reports.details import OpenSpan, Span

    Key = TypeVar("Key", bound=Hashable)

Period = Literal["day", "week", "month", "year"]

# --- present at each moment -------------------------------------------------------------------------------------------


class Level(NamedTuple):
    """How many are there from this moment on, until the next level: for certain, and at most."""

    at: int
    certain: int
    possible: int


class Peak(NamedTuple):
    """The most that were there at once, and when first."""

    number: int
    at: int


class Bin(NamedTuple):
    """A piece of the time: the fewest and the most that were certainly there in it, and the most that may have been."""

    at: int
    fewest: int
    most: int
    possible: int


def levels(people: Iterable[tuple[Sequence[OpenSpan], Sequence[OpenSpan]]], start: int, until: int) -> list[Level]:
    """Swept once from `start` to `until`. Each person is (proved, possible), and never counts twice at a moment."""
    certain: defaultdict[int, int] = defaultdict(int)
    possible: defaultdict[int, int] = defaultdict(int)
    for proved, maybe in people:
        sure = merged(proved, start, until)
        _add(certain, sure)
        _add(possible, sure if maybe == proved else merged([*maybe, *proved], start, until))
    found: list[Level] = []
    now = at_most = 0
    for at in sorted({start, *certain, *possible} - {until}):
        now += certain.get(at, 0)
        at_most += possible.get(at, 0)
        if not found or found[-1][1:] != (now, at_most):
            found.append(Level(at, now, at_most))
    return found


def _add(changes: defaultdict[int, int], spans: Iterable[Span]) -> None:
    for begins, ends in spans:
        changes[begins] += 1
        changes[ends] -= 1


def merged(spans: Iterable[OpenSpan], start: int, until: int) -> list[Span]:
    """As far as they lie within the two, without overlaps; an instant, such as one listing, lasts a millisecond."""
    joined: list[Span] = []
    for begins, ends in sorted((begins, until if ends is None else ends) for begins, ends in spans):
        begin, end = max(begins, start), min(max(ends, begins + 1), until)
        if end <= begin:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def peak(counted: Sequence[Level]) -> Peak:
    """The most that were certainly there."""
    best = max(counted, key=lambda level: level.certain)
    return Peak(best.certain, best.at)


def most_possible(counted: Sequence[Level]) -> Peak:
    """The most that may have been there."""
    best = max(counted, key=lambda level: level.possible)
    return Peak(best.possible, best.at)


def half_there(counted: Sequence[Level], until: int) -> Span:
    """From the first to the last moment at which half of the peak or more were certainly there."""
    most = peak(counted).number
    ends = [level.at for level in counted[1:]] + [until]
    busy = [(level.at, end) for level, end in zip(counted, ends, strict=True) if 2 * level.certain >= most]
    return busy[0][0], busy[-1][1]


def bins(counted: Sequence[Level], until: int, step: int) -> list[Bin]:
    """The same in pieces of `step` ms, for a table that somebody can read."""
    found, index = [], 0
    for at in range(counted[0].at, until, step):
        while index + 1 < len(counted) and counted[index + 1].at <= at:
            index += 1
        last = index
        while last + 1 < len(counted) and counted[last + 1].at < at + step:
            last += 1
        inside = counted[index : last + 1]
        certain = [level.certain for level in inside]
        found.append(Bin(at, min(certain), max(certain), max(level.possible for level in inside)))
    return found


# --- use over time ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bucket:
    """A quarter of an hour, beginning at `at` in epoch ms: what belongs to a meeting counts where the meeting began."""

    at: int
    meetings: int = 0
    attendances: int = 0
    person_ms: int = 0


class Use(NamedTuple):
    """So much in one period."""

    meetings: int = 0
    attendances: int = 0
    person_ms: int = 0


def by_period(buckets: Iterable[Bucket], zone: tzinfo, period: Period, first_weekday: int = 0) -> dict[date, Use]:
    """Use by the first day of each period that had any, oldest first; days are those of the zone."""
    return _summed(buckets, lambda bucket: period_of(moment(bucket.at, zone).date(), period, first_weekday))


def by_week_and_hour(buckets: Iterable[Bucket], zone: tzinfo, first_weekday: int = 0) -> dict[tuple[date, int], Use]:
    """Use by (first day of the week, hour of the clock). An hour that the clock goes through twice is one."""

    def cell(bucket: Bucket) -> tuple[date, int]:
        local = moment(bucket.at, zone)
        return period_of(local.date(), "week", first_weekday), local.hour

    return _summed(buckets, cell)


def by_weekday_and_hour(buckets: Iterable[Bucket], zone: tzinfo) -> dict[tuple[int, int], Use]:
    """Use by (weekday, Monday is 0, hour of the clock)."""

    def cell(bucket: Bucket) -> tuple[int, int]:
        local = moment(bucket.at, zone)
        return local.weekday(), local.hour

    return _summed(buckets, cell)


def _summed(buckets: Iterable[Bucket], cell: Callable[[Bucket], Key]) -> dict[Key, Use]:
    sums: dict[Key, list[int]] = {}
    for bucket in buckets:
        total = sums.setdefault(cell(bucket), [0, 0, 0])
        total[0] += bucket.meetings
        total[1] += bucket.attendances
        total[2] += bucket.person_ms
    return {key: Use(*sums[key]) for key in sorted(sums)}  # type: ignore[type-var]  # dates and numbers have an order


def period_of(day: date, period: Period, first_weekday: int = 0) -> date:
    """The first day of the period in which a day lies; before the calendar begins, its first day."""
    match period:
        case "day":
            return day
        case "week":
            back = (day.weekday() - first_weekday) % 7
            return day - timedelta(days=back) if day.toordinal() > back else date.min
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)


def next_period(first: date, period: Period) -> date | None:
    """The first day of the period after; None where the calendar ends."""
    try:
        match period:
            case "day":
                return first + timedelta(days=1)
            case "week":
                return first + timedelta(days=7)
            case "month":
                return (first + timedelta(days=31)).replace(day=1)
            case "year":
                return first.replace(year=first.year + 1)
    except (OverflowError, ValueError):
        return None


def number_of(first: date, last: date, period: Period) -> int:
    """How many periods there are from the one that begins with `first` to that of `last`, both counted."""
    match period:
        case "day":
            return (last - first).days + 1
        case "week":
            return (last - first).days // 7 + 1
        case "month":
            return 12 * (last.year - first.year) + last.month - first.month + 1
        case "year":
            return last.year - first.year + 1


def filled(used: Mapping[date, Use], period: Period, most: int) -> list[tuple[date, Use]]:
    """With the periods between that had none; of very many the last ones, beginning with one that had some."""
    days = list(used)
    while days and number_of(days[0], days[-1], period) > most:
        days.pop(0)
    found: list[tuple[date, Use]] = []
    at: date | None = days[0] if days else None
    while at is not None and at <= days[-1]:
        found.append((at, used.get(at, Use())))
        at = next_period(at, period)
    return found


@dataclass(frozen=True, slots=True)
class Gap:
    """So many weeks in a row in which there was nothing."""

    weeks: int


def weeks_between(weeks: Iterable[date], longest: int = 2) -> list[date | Gap]:
    """All weeks from the first to the last of these; more than `longest` others in a row are one gap."""
    found: list[date | Gap] = []
    last: date | None = None
    for week in sorted(set(weeks)):
        between = 0 if last is None else (week - last).days // 7 - 1
        if last is not None and between <= longest:
            found += [last + timedelta(days=7 * number) for number in range(1, between + 1)]
        elif between:
            found.append(Gap(between))
        found.append(week)
        last = week
    return found
