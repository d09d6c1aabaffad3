"""Meetings, attendance, people and coverage as a table to read, JSON or CSV."""

from __future__ import annotations

import sys
import time
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.reports.rows import Table

app = new_app("Meetings, attendance, people and coverage as table, JSON or CSV.")


class Report(StrEnum):
    """What may be reported."""

    MEETINGS = "meetings"
    ATTENDANCE = "attendance"
    PEOPLE = "people"
    COVERAGE = "coverage"


class Form(StrEnum):
    """In what form."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.command()
def report(  # noqa: PLR0917 - typer passes them by name
    what: Annotated[Report, typer.Argument(help="What to report.", show_default=False)],
    name: Annotated[str, typer.Option(help="A person's name, in any script, case and order of words.")] = "",
    since: Annotated[str, typer.Option("--from", help="First day (2026-11-22) or time (2026-11-22T10:30).")] = "",
    until: Annotated[str, typer.Option("--to", help="Last day or time.")] = "",
    server: Annotated[str, typer.Option(help="The name of a server.")] = "",
    meeting: Annotated[str, typer.Option(help="Words of a meeting's name, or one of its ids.")] = "",
    state: Annotated[str, typer.Option(help="running, ended or settled.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
    zone: Annotated[str, typer.Option(help="The zone of days and times [default: ROLLCALL_TIME_ZONE].")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")] = None,
) -> None:
    """Write one report. The same facts give the same JSON, byte for byte."""
    open_database()
    words = {"name": name, "from": since, "to": until, "server": server, "meeting": meeting, "state": state}
    _write(_rendered(what, words, form, zone_named(zone)), output)


def _rendered(what: Report, words: dict[str, str], form: Form, zone: tzinfo) -> Iterable[bytes]:
    from rollcall.reports import rows
    from rollcall.reports.filters import read_filter
    from rollcall.reports.to_csv import to_csv
    from rollcall.reports.to_json import to_json
    from rollcall.reports.to_text import to_text

    wanted = read_filter(words, zone=zone, as_of=time.time_ns() // 1_000_000)
    reports = {
        Report.MEETINGS: rows.meetings_report,
        Report.ATTENDANCE: rows.attendance_report,
        Report.PEOPLE: rows.people_report,
        Report.COVERAGE: rows.coverage_report,
    }
    table: Table = reports[what](wanted)
    match form:
        case Form.JSON:
            return to_json(table)
        case Form.CSV:
            return to_csv(table, zone)
        case Form.TABLE:
            return to_text(table, zone)


def zone_named(name: str) -> tzinfo:
    """The reader's zone; blank is the configured one."""
    from django.utils import timezone

    from rollcall.web.zones import find_zone

    if not name:
        return timezone.get_default_timezone()
    found = find_zone(name)
    if found is None:
        raise Misconfigured(f"There is no time zone {name!r}.", hint="Write one as Europe/Athens.")
    return found


def _write(parts: Iterable[bytes], output: Path | None) -> None:
    try:
        if output is None:
            for part in parts:
                sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
            return
        with output.open("wb") as file:
            file.writelines(parts)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Misconfigured(
            f"The report cannot be written: {error}", hint="Check the path after -o, and the room on the disk."
        ) from error
