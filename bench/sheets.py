"""A million rows as CSV, a hundred thousand as XLSX: rows a second, and the memory that it takes."""

from __future__ import annotations

import resource
import time
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bench.results import Result, as_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.reports.rows import Table

CSV_ROWS = 1_000_000
XLSX_ROWS = 100_000

ATHENS = ZoneInfo("Europe/Athens")
_MADE = 20_000
_HOUR_MS = 3_600_000
_BEGAN = 1_788_000_000_000


def attendances(rows: int) -> Table:
    """Attendances as a person's report shows them, read one after the other from rows that were made before."""
    from rollcall.reports.rows import PERSON_COLUMNS, Heading, Table

    made = [_row(Random(number)) for number in range(min(rows, _MADE))]
    heading = Heading("Attendances", _BEGAN, filters=[("Course", "Logic")])
    return Table("person/1", "meetings", PERSON_COLUMNS, islice(cycle(made), rows), heading=heading)


def _row(rng: Random) -> Any:
    from rollcall.reports.details import AttendanceDetail, Count, Engagement
    from rollcall.reports.rows import AttendeeRow, meeting_row
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.facts import Meeting

    began, stayed = _BEGAN + rng.randrange(8_000) * _HOUR_MS, rng.randrange(5_400_000)
    summary = Summary(
        meeting=Meeting(internal_meeting_id=rng.randbytes(27).hex()),
        name=f"{rng.choice(('Algebra', 'Λογική', 'Geometry'))} {rng.randrange(500)}",
        pool_name=f"bbb{rng.randrange(20)}.example.org",
        started_at=began,
        ended_possible_at=began + 5_400_000,
        present=0,
        detail=b'{"length":[5400000,5400000]}',
    )
    attendance = Attendance(
        role="VIEWER", first_in_at=began, last_out_at=began + stayed, proved_ms=stayed, possible_ms=stayed
    )
    engaged = Engagement(
        chats=Count(rng.randrange(9), is_exact=True), talk_ms=Count(rng.randrange(600_000), is_exact=True)
    )
    return AttendeeRow(attendance, AttendanceDetail(engagement=engaged), meeting_row(summary, as_of=began))


def csv_of(table: Table) -> Iterator[bytes]:
    """The file, in parts."""
    from rollcall.reports.to_csv import to_csv

    return to_csv(table, ATHENS)


def xlsx_of(table: Table) -> Iterator[bytes]:
    """The same."""
    from rollcall.reports.to_xlsx import to_xlsx

    return to_xlsx(table, ATHENS)


def run() -> list[Result]:
    """Both, one after the other: the memory is the most that was ever taken."""
    return _measure("csv", CSV_ROWS, csv_of) + _measure("xlsx", XLSX_ROWS, xlsx_of)


def _measure(name: str, rows: int, render: Any) -> list[Result]:
    table = attendances(rows)
    began, written = time.perf_counter(), 0
    for part in render(table):
        written += len(part)
    seconds = time.perf_counter() - began
    return [
        Result(f"{name}.{rows}-rows.rows", rows / seconds, "rows/s"),
        Result(f"{name}.{rows}-rows.s", seconds, "s"),
        Result(f"{name}.{rows}-rows.size", written / 1e6, "MB"),
        Result(f"{name}.{rows}-rows.memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB"),
    ]


if __name__ == "__main__":
    from rollcall.cli.database import open_database

    open_database()
    print(as_lines(run()))
