"""Use over time: bars for each day, week, month or year, and a map of weeks or weekdays by the hour of the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from rollcall.reports import words
from rollcall.reports.pictures import drawing
from rollcall.reports.pictures.counting import (
    Gap,
    Use,
    by_period,
    by_week_and_hour,
    by_weekday_and_hour,
    filled,
    number_of,
    weeks_between,
)
from rollcall.reports.pictures.drawing import Drawn
from rollcall.reports.pictures.labels import day_and_month, period, short_period
from rollcall.reports.pictures.ticks import edge_anchor
from rollcall.reports.rows import Column, Kind, Table
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, tzinfo

    from django.utils.functional import _StrPromise

    from rollcall.reports.pictures.counting import Bucket, Period

_HOUR = 3_600_000

# --- bars -------------------------------------------------------------------------------------------------------------

_OVER_TIME = "use"
_WIDE, _HIGH, _TITLE = 760, 64, 20
_MOST = 400
"""Bars; of more the last ones are drawn."""

_FEWEST = 8
"""So many have room, even if there are fewer: one day is a bar and no wall."""

_ENOUGH: tuple[tuple[Period, int], ...] = (("day", 70), ("week", 110), ("month", 120))
"""Up to how many bars a period is taken if the reader has not chosen."""


def use_over_time(buckets: Sequence[Bucket], zone: tzinfo, *, by: Period | Literal[""] = "") -> Drawn:
    """Meetings, attendances and person-hours by the day, week, month or year of the zone; without `by` what fits."""
    first_weekday = formatting.first_weekday()
    kind = by or _fitting(buckets, zone)
    used = by_period(buckets, zone, kind, first_weekday)
    return _OverTime(filled(used, kind, _MOST), kind).drawn()


def _fitting(buckets: Sequence[Bucket], zone: tzinfo) -> Period:
    if not buckets:
        return "day"
    ends = (min(one.at for one in buckets), max(one.at for one in buckets))
    first, last = (words.moment(at, zone).date() for at in ends)
    return next((kind for kind, most in _ENOUGH if number_of(first, last, kind) <= most), "year")


class _OverTime:
    """Three rows of bars over one axis."""

    def __init__(self, used: Sequence[tuple[date, Use]], kind: Period) -> None:
        self._used, self._kind = used, kind
        self._slots = max(_FEWEST, len(used))
        self._flow = drawing.across_percent()
        self._bottom = 3 * (_TITLE + _HIGH)

    def drawn(self) -> Drawn:
        marks = [mark for index in range(3) for mark in self._bars(index)]
        marks += self._axis()
        size = (_WIDE, self._bottom + 22)
        title = _TITLES[self._kind]
        picture = drawing.picture(_OVER_TIME, (_(title), self._told()), size, marks, fluid=True)
        return Drawn(picture, _use_table(self._used, self._kind))

    def _bars(self, index: int) -> Iterator[str]:
        values = [use[index] for _first, use in self._used]
        most, foot = max(values, default=0), (index + 1) * (_TITLE + _HIGH)
        label = drawing.ours(_measured(index, most))
        yield drawing.text(self._flow.place(0), foot - _HIGH - 6, label, self._flow.anchor("start"), "strong")
        slot = 100 / self._slots
        for place, value in enumerate(values):
            if value:
                high = max(1.0, _HIGH * value / most)
                wide = 0.8 * slot
                x = self._flow.place(slot * place + 0.1 * slot, wide)
                yield drawing.rect("proved", (x, foot - high, f"{drawing.number(wide)}%", high), drawing.PROVED)
        yield drawing.line("axis-line", (0, foot, "100%", foot), drawing.QUIET)

    def _axis(self) -> Iterator[str]:
        number = len(self._used)
        every = max(1, -(-number // 6))
        for place in range(0, number, every):
            part = (place + 0.5) / self._slots
            side = edge_anchor(part)
            label = drawing.ours(short_period(self._used[place][0], self._kind))
            kind = "quiet minor" if (place // every) % 2 else "quiet"
            yield drawing.text(self._flow.place(100 * part), self._bottom + 15, label, self._flow.anchor(side), kind)

    def _told(self) -> str:
        if not self._used:
            return _("There was no class in this time.")
        first, last = self._used[0][0], self._used[-1][0]
        busiest, most = max(self._used, key=lambda one: one[1].person_ms)
        sums = Use(*(sum(values) for values in zip(*(use for _first, use in self._used), strict=True)))
        return _(
            "From %(first)s to %(last)s: %(meetings)s, %(attendances)s, %(hours)s. Busiest: %(busiest)s, with %(most)s."
        ) % {
            "first": period(first, self._kind),
            "last": period(last, self._kind),
            "meetings": _counted(0, sums.meetings),
            "attendances": _counted(1, sums.attendances),
            "hours": _counted(2, sums.person_ms),
            "busiest": period(busiest, self._kind),
            "most": _counted(2, most.person_ms),
        }


_TITLES: dict[Period, str] = {
    "day": gettext_noop("Use by day"),
    "week": gettext_noop("Use by week"),
    "month": gettext_noop("Use by month"),
    "year": gettext_noop("Use by year"),
}


def _measured(index: int, most: int) -> str:
    """What a row of bars counts, and its highest bar."""
    named = (_("Meetings, at most %(most)s"), _("Attendances, at most %(most)s"), _("Person-hours, at most %(most)s"))
    return named[index] % {"most": _hours(most) if index == 2 else formatting.number(most)}


def _counted(index: int, value: int) -> str:
    if index == 0:
        return ngettext("%(number)s meeting", "%(number)s meetings", value) % {"number": formatting.number(value)}
    if index == 1:
        return ngettext("%(number)s attendance", "%(number)s attendances", value) % {"number": formatting.number(value)}
    whole = round(value / _HOUR)
    return ngettext("%(number)s person-hour", "%(number)s person-hours", whole) % {"number": _hours(value)}


def _hours(ms: int) -> str:
    """Whole hours; little is not nothing."""
    return formatting.left_to_right("<1") if 0 < ms < _HOUR / 2 else formatting.number(round(ms / _HOUR))


def _use_table(used: Sequence[tuple[date, Use]], kind: Period) -> Table:
    columns = (
        Column("period", gettext_lazy("Time"), Kind.TEXT, lambda row: period(row[0], kind)),
        Column("meetings", gettext_lazy("Meetings"), Kind.COUNT, lambda row: row[1].meetings),
        Column("attendances", gettext_lazy("Attendances"), Kind.COUNT, lambda row: row[1].attendances),
        Column("person_ms", gettext_lazy("Time of all people, at least"), Kind.DURATION, lambda row: row[1].person_ms),
    )
    return Table("picture-use/1", "periods", columns, used)


# --- weeks and hours --------------------------------------------------------------------------------------------------

_NAMES, _CELL, _ROW, _HEAD, _GAP = 92, 42, 22, 24, 18
_WEEKS = 30
"""Lines of a map; of more weeks the last ones are drawn."""

_Line = tuple[str, "Mapping[int, Use] | None"]
"""What a line is called, and its hours; None for weeks without any class."""


def use_by_hour(buckets: Sequence[Bucket], zone: tzinfo, *, rows: Literal["week", "weekday"] = "week") -> Drawn:
    """Person-hours of each week, or each day of the week, by the hour of the zone's clock in which the class began."""
    first_weekday = formatting.first_weekday()
    if rows == "week":
        return _ByHour("hours-by-week", _week_lines(by_week_and_hour(buckets, zone, first_weekday))).drawn()
    return _ByHour("hours-by-weekday", _weekday_lines(by_weekday_and_hour(buckets, zone), first_weekday)).drawn()


def _week_lines(used: Mapping[tuple[date, int], Use]) -> list[_Line]:
    lines: list[_Line] = []
    for week in weeks_between(week for week, _hour in used)[-_WEEKS:]:
        if isinstance(week, Gap):
            told = ngettext("%(count)d week without a class", "%(count)d weeks without a class", week.weeks)
            lines.append((told % {"count": week.weeks}, None))
        else:
            lines.append((day_and_month(week), {hour: use for (of, hour), use in used.items() if of == week}))
    return lines


def _weekday_lines(used: Mapping[tuple[int, int], Use], first_weekday: int) -> list[_Line]:
    days = [(first_weekday + number) % 7 for number in range(7)] if used else []
    return [(formatting.weekday(day), {hour: use for (of, hour), use in used.items() if of == day}) for day in days]


class _ByHour:
    """A map: darker is more, and each number is told."""

    def __init__(self, name: str, lines: Sequence[_Line]) -> None:
        self._name, self._lines = name, lines
        hours = [hour for _label, used in lines for hour in used or ()]
        self._hours = range(min(hours, default=8), max(hours, default=17) + 1)
        self._most = max((use.person_ms for _label, used in lines for use in (used or {}).values()), default=0)
        self._wide = max(_NAMES + _CELL * len(self._hours), 300)
        self._flow = drawing.across(self._wide)

    def drawn(self) -> Drawn:
        marks, y = [*self._head()], float(_HEAD)
        for label, used in self._lines:
            if used is None:
                x, anchor = self._flow.left(_NAMES), self._flow.anchor("start")
                marks.append(drawing.text(x, y + 13, drawing.ours(label), anchor, "quiet small"))
                y += _GAP
            else:
                marks += self._line(label, used, y)
                y += _ROW
        is_weekly = self._name == "hours-by-week"
        if is_weekly:
            title = _("Person-hours by week and the hour in which classes began")
        else:
            title = _("Person-hours by weekday and the hour in which classes began")
        size = (self._wide, round(y) + 6)
        picture = drawing.picture(self._name, (title, self._told()), size, marks, fluid=False)
        return Drawn(picture, self._table(gettext_lazy("Week") if is_weekly else gettext_lazy("Weekday")))

    def _head(self) -> Iterator[str]:
        for column, hour in enumerate(self._hours):
            yield drawing.text(self._middle(column), 15, f"{hour}:00", "middle", "quiet")

    def _middle(self, column: int) -> float:
        return self._flow.left(_NAMES + _CELL * (column + 0.5))

    def _line(self, label: str, used: Mapping[int, Use], y: float) -> Iterator[str]:
        yield drawing.text(self._flow.left(_NAMES - 8), y + 15, drawing.ours(label), self._flow.anchor("end"), "quiet")
        for column, hour in enumerate(self._hours):
            box = (self._flow.left(_NAMES + _CELL * column, _CELL) + 1, y + 1, _CELL - 2, _ROW - 2)
            ms = used[hour].person_ms if hour in used else 0
            if not ms:
                yield drawing.rect("blank-day", box, "none", f' stroke="{drawing.LINE}"')
                continue
            tint = drawing.tint_of(ms / self._most)
            yield drawing.rect(f"day tint-{tint}", box, drawing.TINTS[tint])
            yield drawing.text(self._middle(column), y + 15, _hours(ms), "middle")

    def _told(self) -> str:
        cells = [(use.person_ms, label, hour) for label, used in self._lines for hour, use in (used or {}).items()]
        if not self._most:
            return _("There was no class in this time.")
        most, label, hour = max(cells, key=lambda cell: cell[0])
        return _("Most at %(hour)s (%(line)s): %(most)s.") % {
            "hour": f"{hour}:00",
            "line": label,
            "most": _counted(2, most),
        }

    def _table(self, name: str | _StrPromise) -> Table:
        columns = [Column("line", name, Kind.TEXT, lambda row: row[0])]
        columns += [Column(f"hour_{hour}", f"{hour}:00", Kind.DURATION, _time_at(hour)) for hour in self._hours]
        return Table("picture-hours/1", "lines", columns, [line for line in self._lines if line[1] is not None])


def _time_at(hour: int) -> Callable[[_Line], int]:
    return lambda line: line[1][hour].person_ms if line[1] and hour in line[1] else 0
