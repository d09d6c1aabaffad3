"""Many times and durations as text, quickly: a zone is asked once for each quarter of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from rollcall.reports import words

_QUARTER = 900
_MOST_QUARTERS = 20_000
"""Half a year of them, about 4 MB."""

_IN_HOUR = tuple(f"{second // 60:02}:{second % 60:02}" for second in range(3600))


class _Quarter(NamedTuple):
    hour: str
    """2026-11-22 10:"""
    second: int
    """With which second of that hour it begins."""
    offset: int
    """How far the zone is ahead of UTC, in seconds."""


class _OddError(Exception):
    """In that quarter the clocks were changed, or they go by odd minutes, as at Casey in 2020 and long ago."""


class LocalTimes(dict[int, _Quarter]):
    """The quarters of an hour of one zone that were asked for."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, number: int) -> _Quarter:
        if len(self) >= _MOST_QUARTERS:
            self.clear()
        began = datetime.fromtimestamp(number * _QUARTER, self._zone)
        offset = _offset(began)
        if offset % _QUARTER or _offset(datetime.fromtimestamp(number * _QUARTER + _QUARTER - 1, self._zone)) != offset:
            raise _OddError
        self[number] = quarter = _Quarter(f"{began:%Y-%m-%d %H:}", began.minute * 60, offset)
        return quarter

    def stamps(self, times: list[int | None]) -> list[str]:
        """Each as `words.stamp` says it."""
        try:
            return [
                ""
                if at is None
                else (quarter := self[(second := (at + 500) // 1000) // _QUARTER])[0]
                + _IN_HOUR[quarter[1] + second % _QUARTER]
                for at in times
            ]
        except (_OddError, OverflowError, ValueError, OSError):
            return [words.stamp(at, self._zone) for at in times]

    def second(self, at: int) -> int | None:
        """What a clock on the wall has counted since 1970-01-01 00:00, None for a time that no calendar holds."""
        second = (at + 500) // 1000
        try:
            return second + self[second // _QUARTER].offset
        except _OddError:
            return second + _offset(datetime.fromtimestamp(second, self._zone))
        except (OverflowError, ValueError, OSError):
            return None


def durations(several: list[int | None]) -> list[str]:
    """Each as `words.long_duration` says it."""
    return [
        "" if ms is None else f"{(second := (ms + 500) // 1000) // 3600}:{_IN_HOUR[second % 3600]}" for ms in several
    ]


def _offset(local: datetime) -> int:
    return round((local.replace(tzinfo=UTC) - local).total_seconds())
