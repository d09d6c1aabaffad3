"""Reports as PDF: how long 30, 1,000 and 10,000 rows take, how much memory, and beside WeasyPrint where it is there.

WeasyPrint is no requirement of ours: the comparison is made where this Python has it, or the one that
ROLLCALL_WEASYPRINT names does.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results import Result, as_lines, limited

if TYPE_CHECKING:
    from rollcall.reports.rows import Table

SIZES = (30, 1_000, 10_000)
ROUNDS = {30: 5, 1_000: 3, 10_000: 1}
LIMITS = {30: 0.3, 1_000: 0.8, 10_000: 5.0}
MOST_MEMORY = 300.0
LONG = 10_000
"""WeasyPrint takes more than a minute for it, so it is compared only when asked for."""
_NAMES = (
    "Κρασάς Ορέστης",
    "Горянов Богдан",
    "Peñaflor Núria",
    "Østerlund Zoë",
    "Świetlik Łucja",
    "البستاني ليان",
    "Müßigbrodt Françoise",
)
_BEGAN = 1_788_000_000_000
_WEASYPRINT = Path(__file__).with_name("weasyprint_document.py")


def rows_of(count: int) -> list[list[str]]:
    """What stands in the cells, for both."""
    return [
        [
            f"{_NAMES[number % len(_NAMES)]} {number}",
            "moderator" if number % 20 == 0 else "viewer",
            f"10:{number % 60:02}:11",
            f"11:{number % 50:02}:30",
            f"{40 + number % 15}:{number % 60:02}",
            f"{number % 101}%",
            str(number % 13),
        ]
        for number in range(count)
    ]


HEADS = ("Name", "Role", "In", "Out", "Time", "Share", "Chats")


def table_of(count: int) -> Table:
    """A register of so many people."""
    from operator import itemgetter

    from rollcall.reports.rows import Column, Heading, Kind, Table

    columns = [Column(head.lower(), head, Kind.TEXT, itemgetter(place)) for place, head in enumerate(HEADS)]
    heading = Heading("Introduction to Logic", _BEGAN, (("Course", "Logic 101"),), (("From", "2026-09-01"),))
    return Table("register/1", "people", columns, iter(rows_of(count)), heading=heading)


def draw(count: int) -> bytes:
    """One document."""
    from zoneinfo import ZoneInfo

    from rollcall.reports.pdf.document import Wanted, document_of
    from rollcall.reports.pdf.masthead import Masthead
    from rollcall.reports.pdf.rendering import render

    return render(document_of(table_of(count), Wanted(ZoneInfo("Europe/Athens")), Masthead("Example University")))


def run(*, is_whole: bool) -> Iterator[Result]:
    """Each size: the best of some rounds, as the machine does other things too; then the memory."""
    draw(1)  # what fonts there are is asked once in a process
    seconds = {count: min(_timed(count) for _ in range(ROUNDS[count])) for count in SIZES}
    for count in SIZES:
        yield limited(f"pdf.{count}-rows", seconds[count], "s", LIMITS[count])
    for who, name in ((resource.RUSAGE_CHILDREN, "largest-child"), (resource.RUSAGE_SELF, "itself")):
        yield limited(f"pdf.memory.{name}", resource.getrusage(who).ru_maxrss / 1024, "MB", MOST_MEMORY)
    # Last, as its processes are children, too, with their memory.
    for count in SIZES:
        if (is_whole or count < LONG) and (theirs := _seconds_of_weasyprint(count)):
            yield Result(f"pdf.{count}-rows.weasyprint", theirs, "s", seconds[count], "Rollcall")


def _timed(count: int) -> float:
    begin = time.perf_counter()
    assert draw(count).startswith(b"%PDF")
    return time.perf_counter() - begin


def _seconds_of_weasyprint(count: int) -> float | None:
    """The same rows as an HTML table, in a process of its own, which tells the time it drew."""
    python = os.environ.get("ROLLCALL_WEASYPRINT", sys.executable)
    given = json.dumps({"heads": HEADS, "rows": rows_of(count)})
    done = subprocess.run([python, str(_WEASYPRINT)], input=given.encode(), capture_output=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def main() -> None:
    """As a part of `python -m bench`."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
    django.setup()
    for result in run(is_whole="whole" in sys.argv[1:]):
        print(as_lines([result]), end="", flush=True)


if __name__ == "__main__":
    main()
