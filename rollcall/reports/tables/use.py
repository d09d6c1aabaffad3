"""How much BigBlueButton was used: by day or week, and at which hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rollcall.reports import words
from rollcall.reports.asking import Takes
from rollcall.reports.filters import OF_MEETINGS
from rollcall.reports.pictures import Bucket, use_by_hour, use_over_time
from rollcall.reports.rows import Column, Format, Heading, Kind, Table
from rollcall.reports.tables.report import Report
from rollcall.store import searching
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from rollcall.reports.asking import Asked
    from rollcall.reports.pictures import Drawn

BY = ("day", "week")

_WEEKS_FROM_DAYS = 70
"""A longer time than this is shown by weeks, unless days are asked for."""


@dataclass(slots=True)
class Period:
    """A day or a week that begins on `day`."""

    day: date
    meetings: int = 0
    attendances: int = 0
    person_ms: int = 0


def columns(by: str) -> tuple[Column, ...]:
    """What is told of each day or week."""
    label = _("Week from") if by == "week" else _("Day")
    return (
        Column("day", label, Kind.DAY, attrgetter("day")),
        Column("meetings", _("Meetings"), Kind.COUNT, attrgetter("meetings")),
        Column("attendances", _("Attendances"), Kind.COUNT, attrgetter("attendances")),
        Column("proved_ms", _("Time of all people, at least"), Kind.DURATION, attrgetter("person_ms")),
    )


def periods(buckets: Iterable[Bucket], by: str, zone: tzinfo, *, first_weekday: int = 0) -> list[Period]:
    """The days or weeks in which there was a class, oldest first; 0 is Monday."""
    found: dict[date, Period] = {}
    for bucket in buckets:
        day = words.moment(bucket.at, zone).date()
        if by == "week":
            day -= timedelta(days=(day.weekday() - first_weekday) % 7)
        period = found.setdefault(day, Period(day))
        period.meetings += bucket.meetings
        period.attendances += bucket.attendances
        period.person_ms += bucket.person_ms
    return [found[day] for day in sorted(found)]


def by_of(asked: Asked, buckets: Sequence[Bucket]) -> str:
    """By day or by week: as it was asked for, else as it fits."""
    if by := asked.options.get("by", ""):
        return by
    times = [bucket.at for bucket in buckets]
    is_long = times and max(times) - min(times) > _WEEKS_FROM_DAYS * 86_400_000
    return "week" if is_long else "day"


def use_table(buckets: Sequence[Bucket], asked: Asked, form: Format) -> Table:
    """The table, and in a document its pictures.

    What programs read depends on nothing but the address: days unless weeks are asked for, and these from Monday on.
    """
    is_file = form in Format.FILE
    by = asked.options.get("by", "day") if is_file else by_of(asked, buckets)
    found = periods(buckets, by, asked.zone, first_weekday=0 if is_file else formatting.first_weekday())
    totals = {column.key: sum(map(column.of, found)) for column in columns(by)[1:]}
    drawn = pictures(buckets, asked, by) if form is Format.PDF else []
    return Table(
        "use/1",
        "weeks" if by == "week" else "days",
        columns(by),
        found,
        heading=Heading(str(_("Use")), asked.wanted.as_of),
        totals=totals if found else {},
        pictures=[one.picture for one in drawn],
    )


def pictures(buckets: Sequence[Bucket], asked: Asked, by: str) -> list[Drawn]:
    """By time, and by hour of the weeks and of their days."""
    over_time = use_over_time(buckets, asked.zone, by="week" if by == "week" else "day")
    return [over_time, use_by_hour(buckets, asked.zone), use_by_hour(buckets, asked.zone, rows="weekday")]


def buckets_of(asked: Asked) -> list[Bucket]:
    """The quarter hours of a filter in which a meeting began."""
    return [Bucket(*one) for one in searching.use(asked.wanted)]


def _make(asked: Asked, _subject: Sequence[str], form: Format) -> Table:
    return use_table(buckets_of(asked), asked, form)


USE = Report(
    name="use",
    title=_("Use"),
    address="/use",
    takes=Takes(OF_MEETINGS, options={"by": BY}),
    make=_make,
)
