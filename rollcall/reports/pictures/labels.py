"""Short words for axes and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.reports import words
from rollcall.reports.rows import Shares
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from rollcall.reports.pictures.counting import Period


UNKNOWN = Shares(0.0, 1.0)
"""They were there; for how much of it nobody can say."""


def day_and_month(day: date) -> str:
    """22 Nov."""
    return f"{day.day} {formatting.month(day.month)}"


def period(first: date, kind: Period) -> str:
    """What a day, week, month or year is called in a table."""
    match kind:
        case "day":
            return f"{formatting.weekday(first.weekday())} {formatting.short_date(first)}"
        case "week":
            return _("week of %(day)s") % {"day": formatting.short_date(first)}
        case "month":
            return f"{formatting.month(first.month)} {first.year}"
        case "year":
            return str(first.year)


def short_period(first: date, kind: Period) -> str:
    """The same on an axis."""
    match kind:
        case "day" | "week":
            return day_and_month(first)
        case _:
            return period(first, kind)


def short_clock(at: int, zone: tzinfo) -> str:
    """10:02."""
    return words.clock(at, zone)[:5]


def short_share(part: Shares) -> str:
    """84–88 without a sign: a title says that these are percents."""
    if part == UNKNOWN:
        return "?"
    lowest, highest = (round(100 * one) for one in part)
    return str(lowest) if lowest == highest else formatting.interval(str(lowest), str(highest))
