"""Moments and durations as they are read. Here, and only here, they become text, and are rounded: once."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from rollcall.wording import formatting

UNKNOWN = "–"


@lru_cache(8192)
def moment(at: int, zone: tzinfo) -> datetime:
    """Epoch ms in the reader's zone; what no calendar can hold is shown as its first or last second."""
    try:
        return datetime.fromtimestamp(seconds(at), zone)
    except (OverflowError, ValueError, OSError):
        return datetime(9999 if at > 0 else 1, 12, 31, 23, 59, 59, tzinfo=UTC)


def seconds(ms: int) -> int:
    """The one rule by which times and durations are rounded where they are shown."""
    return (ms + 500) // 1000


def clock(at: int | None, zone: tzinfo) -> str:
    """10:02:11."""
    if at is None:
        return UNKNOWN
    shown = moment(at, zone)
    return f"{shown.hour:02}:{shown.minute:02}:{shown.second:02}"


def day_and_clock(at: int | None, zone: tzinfo) -> str:
    """Sun 22 Nov 2026, 10:02."""
    return UNKNOWN if at is None else formatting.date_and_time(moment(at, zone))


def near_day_and_clock(at: int, zone: tzinfo) -> str:
    """The same without the year, if it is this one."""
    return formatting.near_date_and_time(moment(at, zone), year=datetime.now(zone).year)


def day(at: int, zone: tzinfo) -> str:
    """Sunday 22 November 2026."""
    return formatting.full_date(moment(at, zone).date())


def stamp(at: int | None, zone: tzinfo) -> str:
    """2026-11-22 10:02:11, which every spreadsheet reads; blank for none."""
    return "" if at is None else f"{moment(at, zone):%Y-%m-%d %H:%M:%S}"


def days_apart(one: int, other: int, zone: tzinfo) -> int:
    """How many midnights lie between; 0 on the same day, which is nearly always and quickly seen."""
    return (moment(other, zone).date() - moment(one, zone).date()).days


def duration(ms: int) -> str:
    """42:10, or 1:02:10 from an hour on; rounded to the second, once."""
    minutes, rest = divmod(seconds(ms), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def long_duration(ms: int | None) -> str:
    """0:42:10, the same form for every row of a spreadsheet; blank while it grows."""
    if ms is None:
        return ""
    minutes, rest = divmod(seconds(ms), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
