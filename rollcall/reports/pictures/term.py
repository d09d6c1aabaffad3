"""A person's term as a calendar: weeks below each other, in each day the share of its classes that they attended."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy, ngettext

from rollcall.reports import words
from rollcall.reports.pictures import drawing
from rollcall.reports.pictures.counting import Gap, period_of, weeks_between
from rollcall.reports.pictures.drawing import Drawn
from rollcall.reports.pictures.labels import UNKNOWN, day_and_month, short_share
from rollcall.reports.rows import Column, Kind, Shares, Table
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, tzinfo

    from rollcall.reports.meeting_rows import AttendeeRow

_WEEK, _DAY, _ROW, _HEAD, _GAP = 56, 40, 34, 22, 18
_GAUGE = 6
_WIDE = _WEEK + 7 * _DAY


@dataclass(frozen=True, slots=True)
class Attended:
    """One class in which somebody was, and the share of it; None if that is not known (it runs, or had no length)."""

    started_at: int
    share: Shares | None
    name: str = ""


def attended(row: AttendeeRow) -> Attended:
    """One row of a person's page."""
    return Attended(row.meeting.summary.started_at, row.share, row.meeting.summary.name)


def term_calendar(classes: Sequence[Attended], zone: tzinfo, *, part: int = 20) -> list[Drawn]:
    """All classes in which somebody was, by the days and weeks of the reader; a picture for each `part` weeks."""
    first_weekday = formatting.first_weekday()
    days: defaultdict[date, list[Attended]] = defaultdict(list)
    for one in sorted(classes, key=lambda one: one.started_at):
        days[words.moment(one.started_at, zone).date()].append(one)
    lines = weeks_between(period_of(day, "week", first_weekday) for day in days)
    parts = [lines[begin : begin + part] for begin in range(0, len(lines), part)]
    return [_Term(number, some, days, first_weekday).drawn(len(parts)) for number, some in enumerate(parts, 1)]


def share_of_day(classes: Sequence[Attended]) -> Shares:
    """The mean of a day's classes, each counted alike."""
    shares = [UNKNOWN if one.share is None else one.share for one in classes]
    return Shares(*(sum(ends) / len(shares) for ends in zip(*shares, strict=True)))


class _Term:
    """One picture: its lines are weeks and gaps between them."""

    def __init__(
        self, number: int, lines: Sequence[date | Gap], days: dict[date, list[Attended]], first_weekday: int
    ) -> None:
        self._number, self._name, self._first_weekday = number, f"term-{number}", first_weekday
        # A gap says nothing where nothing comes after it.
        self._lines = lines[:-1] if isinstance(lines[-1], Gap) else lines
        self._flow = drawing.across(_WIDE)
        weeks = {line for line in lines if not isinstance(line, Gap)}
        self._days = {day: some for day, some in days.items() if period_of(day, "week", first_weekday) in weeks}

    def drawn(self, parts: int) -> Drawn:
        title = _("Share of each class attended, in percent")
        if parts > 1:
            title = _("Share of each class attended, in percent (%(part)d of %(parts)d)") % {
                "part": self._number,
                "parts": parts,
            }
        marks, high = self._marks()
        picture = drawing.picture(self._name, (title, self._told()), (_WIDE, high), marks, fluid=False)
        classes = [one for day in self._days.values() for one in day]
        return Drawn(picture, _term_table(classes))

    def _marks(self) -> tuple[list[str], int]:
        marks, y = [*self._head()], _HEAD
        for line in self._lines:
            if isinstance(line, Gap):
                marks.append(self._gap(line, y))
                y += _GAP
            else:
                marks += self._week(line, y)
                y += _ROW
        keys = [("proved", drawing.PROVED, _("certainly there"))]
        keys.append(("possible", drawing.hatched(self._name), _("possibly there")))
        marks.append(drawing.legend(y + 18, keys, self._flow))
        return marks, y + 26

    def _head(self) -> Iterator[str]:
        for column in range(7):
            label = formatting.weekday((self._first_weekday + column) % 7)
            yield drawing.text(self._flow.left(_WEEK + _DAY * (column + 0.5)), 14, label, "middle", "quiet")

    def _gap(self, gap: Gap, y: float) -> str:
        told = ngettext(
            "%(count)d week without a class they were seen in",
            "%(count)d weeks without a class they were seen in",
            gap.weeks,
        ) % {"count": gap.weeks}
        return drawing.text(
            self._flow.left(_WEEK), y + 12, drawing.ours(told), self._flow.anchor("start"), "quiet small"
        )

    def _week(self, week: date, y: float) -> Iterator[str]:
        label = drawing.ours(day_and_month(week))
        yield drawing.text(self._flow.left(_WEEK - 6), y + 20, label, self._flow.anchor("end"), "quiet")
        for column in range(7):
            x = self._flow.left(_WEEK + _DAY * column, _DAY)
            day = _later(week, column)
            classes = self._days.get(day, []) if day is not None else []
            yield from self._day(x, y, classes)
            if day is not None:
                place, kind = self._flow.left(_WEEK + _DAY * column + 4), "small" if classes else "quiet small"
                yield drawing.text(place, y + 10.5, str(day.day), self._flow.anchor("start"), kind)

    def _day(self, x: float, y: float, classes: Sequence[Attended]) -> Iterator[str]:
        box = (x + 1, y + 1, _DAY - 2, _ROW - 2)
        if not classes:
            yield drawing.rect("blank-day", box, "none", f' stroke="{drawing.LINE}"')
            return
        share = share_of_day(classes)
        tint = drawing.tint_of(share.lowest)
        yield drawing.rect(f"day tint-{tint}", box, drawing.TINTS[tint], f' stroke="{drawing.QUIET}"')
        shown = short_share(share)
        yield drawing.text(x + _DAY / 2, y + 23, shown, "middle", "strong small" if len(shown) > 5 else "strong")
        yield from drawing.gauge((x + 2, y + _ROW - 2 - _GAUGE, _DAY - 4, _GAUGE), share, self._name, self._flow)
        if len(classes) > 1:
            column_end = x + 4 if self._flow.is_mirrored else x + _DAY - 4
            yield drawing.text(column_end, y + 10.5, f"×{len(classes)}", self._flow.anchor("end"), "small")

    def _told(self) -> str:
        classes = [one for day in self._days.values() for one in day]
        told = ngettext(
            "Seen in %(count)d class, between %(first)s and %(last)s.",
            "Seen in %(count)d classes, between %(first)s and %(last)s.",
            len(classes),
        ) % {
            "count": len(classes),
            "first": formatting.short_date(min(self._days)),
            "last": formatting.short_date(max(self._days)),
        }
        known = [one for one in classes if one.share is not None]
        if known:
            mean = words.share(share_of_day(known))
            told += " " + _("On average they were there for %(share)s of it.") % {"share": mean}
        return told + " " + _("Classes in which they were not seen are not drawn.")


def _later(week: date, days: int) -> date | None:
    try:
        return week + timedelta(days=days)
    except OverflowError:
        return None


def _term_table(classes: Sequence[Attended]) -> Table:
    columns = (
        Column("started_at", gettext_lazy("Began"), Kind.TIME, lambda one: one.started_at),
        Column("name", gettext_lazy("Meeting"), Kind.TEXT, lambda one: one.name),
        Column("share", gettext_lazy("Share"), Kind.SHARES, lambda one: one.share),
    )
    return Table("picture-term/1", "classes", columns, sorted(classes, key=lambda one: one.started_at))
