"""A million attendances as CSV, a hundred thousand as XLSX: rows a second, and the memory that it takes.

The rows are made before, and read one by one: this is what the formats themselves take. What a database adds is
measured with the queries.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench.results import Result, as_lines, from_lines, limited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.reports.rows import Table
    from rollcall.store.searching.whole import AttendanceLine

ROWS = {"csv": 1_000_000, "xlsx": 100_000}
MOST_SECONDS = {"csv": 10.0, "xlsx": 15.0}
MOST_MEMORY = {"csv": 100.0, "xlsx": 300.0}

ATHENS = ZoneInfo("Europe/Athens")
MADE = 5_000
_HOUR_MS = 3_600_000
_BEGAN = 1_788_000_000_000
_UNCERTAIN = b'{"engagement":{},"possible":[],"proved":[[%d,%d]],"sessions":[]}'
"""What the fold kept of one of ten, of whom not all is certain."""


def attendances(rows: int) -> Table:
    """Attendances as a file has them, over and over those that were made before."""
    from rollcall.reports.tables.attendances import table

    made = [_row(Random(number)) for number in range(min(rows, MADE))]
    return table(islice(cycle(made), rows))


def _row(rng: Random) -> AttendanceLine:
    from rollcall.store.searching.whole import AttendanceLine

    began, stayed = _BEGAN + rng.randrange(200) * _HOUR_MS + rng.randrange(300_000), rng.randrange(5_400_000)
    return AttendanceLine(
        name=f"{rng.choice(('Ada', 'Emmy', 'Παύλος'))} {rng.randbytes(5).hex()}",
        external_user_id=str(rng.randrange(300_000)),
        kind="user",
        role="VIEWER",
        started_at=began,
        first_in_at=began + rng.randrange(300_000),
        last_out_at=began + stayed,
        proved_ms=stayed,
        possible_ms=stayed,
        share=rng.randrange(1001),
        chats=rng.randrange(9),
        raise_hands=0,
        emojis=rng.randrange(3),
        poll_answers=0,
        cameras=1,
        talk_ms=rng.randrange(600_000),
        meeting_name=f"{rng.choice(('Algebra', 'Λογική', 'Geometry'))} {rng.randrange(500)}",
        course_label=f"Course {rng.randrange(500)}",
        course_id=str(rng.randrange(500)),
        server=f"bbb{rng.randrange(20)}.example.org",
        site="https://moodle.example.org",
        external_meeting_id=rng.randbytes(20).hex(),
        internal_meeting_id=rng.randbytes(27).hex(),
        detail=None if rng.randrange(10) else _UNCERTAIN % (began, began + stayed),
        meeting_detail=b"{}",
    )


def parts(kind: str, table: Table) -> Iterator[bytes]:
    """The file, in parts."""
    from rollcall.reports.files import file_parts

    return file_parts(table, kind, zone=ATHENS, options={})


def run() -> list[Result]:
    """Each in a process of its own, for the memory."""
    found = []
    for kind in ROWS:
        done = subprocess.run([sys.executable, "-m", "bench.sheets", kind], stdout=subprocess.PIPE, check=True)
        found += from_lines(done.stdout.decode())
    return found


def measure(kind: str) -> list[Result]:
    """One of them in this process."""
    rows = ROWS[kind]
    table = attendances(rows)
    began, worked, written = time.perf_counter(), time.process_time(), 0
    for part in parts(kind, table):
        written += len(part)
    seconds = time.perf_counter() - began
    name = f"{kind}.{rows}-rows"
    return [
        Result(f"{name}.rows", rows / seconds, "rows/s"),
        limited(f"{name}.s", seconds, "s", MOST_SECONDS[kind]),
        Result(f"{name}.cpu", time.process_time() - worked, "s"),
        Result(f"{name}.size", written / 1e6, "MB"),
        limited(f"{name}.memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB", MOST_MEMORY[kind]),
    ]


if __name__ == "__main__":
    from rollcall.cli.database import open_database

    open_database()
    print(as_lines(measure(sys.argv[1]) if len(sys.argv) > 1 else run()))
