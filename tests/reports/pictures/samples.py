"""Classes, terms and use for pictures: rows that no database has seen."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rollcall.reports.details import AttendanceDetail, SummaryDetail
from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
from rollcall.reports.pictures import Attended, Bucket, MatrixMeeting, MatrixPerson
from rollcall.reports.rows import Bounds, Shares
from rollcall.store.derived import Attendance, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.reports.details import OpenSpan, Span

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NAMES = (
    "Eleni Markou",
    "Φαίδρα Δροσινού",
    "أنس البستاني",
    "贺凌云",
    "Núria Świetlik",
    "Богдан Дубравчук",
    "मीरा हिमानी",
    "שירה תבורי",
)


def at(clock: str, day: str = "2026-11-20") -> int:
    """Epoch ms of a time of day in UTC."""
    return round(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp() * 1000)


def meeting(
    began: str = "10:00",
    ended: str | None = "11:00",
    *,
    as_of: str = "12:00",
    blind: Sequence[tuple[str, str | None]] = (),
) -> MeetingRow:
    """A class by the clock; without an end it runs."""
    start, end = at(began), None if ended is None else at(ended)
    summary = Summary(
        name="Logic", started_at=start, ended_proved_at=end, ended_possible_at=end, attendees=0, present=0
    )
    spans = tuple((at(one), None if other is None else at(other), "downtime") for one, other in blind)
    length = None if end is None else Bounds(end - start, end - start)
    return MeetingRow(summary, SummaryDetail(blind=spans), at(as_of), length)


def person(
    of: MeetingRow, name: str, proved: Sequence[Span], possible: Sequence[OpenSpan] | None = None
) -> AttendeeRow:
    """Somebody in a class."""
    maybe = tuple(proved) if possible is None else tuple(possible)
    ends = [end for _, end in maybe]
    possible_ms = None if None in ends else sum((end or 0) - start for start, end in maybe)
    kept = Attendance(name=name, proved_ms=sum(end - start for start, end in proved), possible_ms=possible_ms)
    return AttendeeRow(kept, AttendanceDetail(proved=tuple(proved), possible=maybe), of)


def people(of: MeetingRow, number: int, seed: int = 7) -> list[AttendeeRow]:
    """A class as classes are: most come about the beginning and stay, some are in twice, some ends were not heard."""
    chance, start, length = random.Random(seed), of.summary.started_at, of.until - of.summary.started_at
    found = []
    for index in range(number):
        begin = start + int(length * min(0.9, chance.expovariate(20)))
        end = of.until - int(length * min(0.5, chance.expovariate(15)))
        end = max(end, begin + 1)
        proved, possible = [(begin, end)], [(begin, end)]
        if chance.random() < 0.2 and end - begin > length / 3:
            gap = begin + (end - begin) // 3
            proved = [(begin, gap), (gap + length // 10, end)]
            possible = list(proved)
        if chance.random() < 0.2:
            possible[-1] = (possible[-1][0], min(of.until, end + length // 8))
        found.append(person(of, f"{NAMES[index % len(NAMES)]} {index + 1}", proved, possible))
    return found


def term(weeks: int = 15, seed: int = 3) -> list[Attended]:
    """Three classes a week, most of them whole; two weeks of holidays are in it."""
    chance, first, found = random.Random(seed), at("08:00", "2026-09-07"), []
    for week in range(weeks):
        for day, hour in ((0, 0), (2, 2), (2, 5), (4, 1)):
            if week in (6, 7, 8) or chance.random() < 0.15:
                continue
            low = min(1.0, round(chance.betavariate(8, 1.5), 2))
            high = low if chance.random() < 0.7 else min(1.0, low + 0.1)
            share = None if chance.random() < 0.05 else Shares(low, high)
            found.append(Attended(first + (7 * week + day) * DAY + hour * HOUR, share, "Logic"))
    return found


def matrix(rows: int, columns: int, seed: int = 5) -> tuple[list[MatrixPerson], list[MatrixMeeting]]:
    """A course."""
    chance, first = random.Random(seed), at("08:00", "2026-09-07")

    def share() -> Shares | None:
        if chance.random() < 0.2:
            return None
        low = round(chance.betavariate(5, 1.2), 2)
        return Shares(low, low if chance.random() < 0.7 else min(1.0, low + 0.15))

    people_of_it = [
        MatrixPerson(f"{NAMES[row % len(NAMES)]} {row + 1}", [share() for _ in range(columns)]) for row in range(rows)
    ]
    return people_of_it, [MatrixMeeting(first + 3 * DAY * column, "Logic") for column in range(columns)]


def use(days: int = 40, seed: int = 11) -> list[Bucket]:
    """A school: weekdays, most of it in the morning."""
    chance, first, found = random.Random(seed), at("00:00", "2026-09-07"), []
    for day in range(days):
        for quarter in range(28, 80):
            if day % 7 < 5 and chance.random() < (0.6 if quarter < 56 else 0.2):
                many = chance.randrange(1, 6)
                when = first + day * DAY + quarter * 15 * MINUTE
                found.append(Bucket(when, many, many * 18, many * 18 * 14 * MINUTE))
    return found
