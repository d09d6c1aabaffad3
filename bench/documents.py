"""Reports as PDF, of thirty, a thousand and ten thousand rows: seconds, memory, and WeasyPrint where there is one."""

from __future__ import annotations

import importlib
import resource
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from bench.pages import make_meeting
from bench.results import Result, as_lines
from bench.sheets import ATHENS, attendances

if TYPE_CHECKING:
    from rollcall.reports.rows import Table

CLASS = 30
ROWS = (1_000, 10_000)
BESIDE = frozenset({1_000})
"""What WeasyPrint is asked for too: ten thousand rows take it minutes, and are measured by naming them."""

STYLE = "@page { size: A4 landscape; margin: 15mm } table { border-collapse: collapse; font: 8pt sans-serif }"


def in_scripts(rows: int) -> Table:
    """Classes whose names are in seven scripts, as they are in a large school."""
    from rollcall.simulate.names import invent_name

    table, rng = attendances(rows), Random(rows)
    made = list(table.rows)
    for one in made:
        one.meeting.summary.name = invent_name(rng)
    return replace(table, rows=made)


def of_class(people: int) -> bytes:
    """The register of one class, bars and signatures included, asked for as a browser does."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(User.objects.get_or_create(username="bench", defaults={"is_staff": True})[0])
    answer = client.get(f"/meetings/{make_meeting(people)}.pdf?signatures=1")
    assert answer.status_code == 200, answer.status_code
    return bytes(answer.content)


def of_rows(table: Table) -> bytes:
    """A list, as the worker makes it."""
    from rollcall.reports.pdf.document import Wanted, document_of
    from rollcall.reports.pdf.masthead import masthead
    from rollcall.reports.pdf.rendering import render

    return render(document_of(table, Wanted(zone=ATHENS), masthead()))


def weasyprint(table: Table) -> float | None:
    """The seconds WeasyPrint takes for the same rows; None where it is not installed."""
    try:
        html = importlib.import_module("weasyprint").HTML
    except (ImportError, OSError):
        return None
    from rollcall.reports.to_html import to_html

    began = time.perf_counter()
    html(string=f"<style>{STYLE}</style>{to_html(table, ATHENS, caption='Attendances')}").write_pdf()
    return time.perf_counter() - began


def run(rows: Sequence[int] = ROWS, beside: Collection[int] = BESIDE) -> list[Result]:
    """Each once warm; the memory is the most that any process of a document took so far, this one included."""
    of_class(CLASS)
    began = time.perf_counter()
    of_class(CLASS)
    found = [Result(f"pdf.class-of-{CLASS}.s", time.perf_counter() - began, "s")]
    seconds: dict[int, float] = {}
    for count in rows:
        table = in_scripts(count)
        began = time.perf_counter()
        size = len(of_rows(table))
        seconds[count] = time.perf_counter() - began
        found += [
            Result(f"pdf.{count}-rows.s", seconds[count], "s"),
            Result(f"pdf.{count}-rows.size", size / 1e6, "MB"),
            Result(f"pdf.{count}-rows.memory", _memory_mb(), "MB"),
        ]
    for count in rows:
        if count in beside and (other := weasyprint(in_scripts(count))) is not None:
            found.append(Result(f"pdf.{count}-rows.weasyprint.s", other, "s", seconds[count], "ours"))
    return found


def _memory_mb() -> float:
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


if __name__ == "__main__":
    from rollcall.cli.database import open_database

    open_database()
    named = [int(one) for one in sys.argv[1:]]
    print(as_lines(run(named, named) if named else run()))
