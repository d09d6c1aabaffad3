"""Every report with every filter, as a table to read, JSON, CSV, XLSX or PDF."""

from __future__ import annotations

import sys
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.core.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.reports.rows import Table
    from rollcall.reports.tables.report import Report

app = new_app("Meetings, attendance, people, courses and use as table, JSON, CSV, XLSX or PDF.")


class What(StrEnum):
    """What may be reported; rollcall.reports.registry says the same, a test compares them."""

    MEETINGS = "meetings"
    ATTENDANCE = "attendance"
    MEETING = "meeting"
    ATTENDANCES = "attendances"
    PEOPLE = "people"
    PERSON = "person"
    COURSES = "courses"
    COURSE = "course"
    USE = "use"
    SERVERS = "servers"
    COVERAGE = "coverage"
    FACTS = "facts"
    FACTS_OF_PERSON = "facts-of-person"


class Form(StrEnum):
    """In what form."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


def _option(help_: str, *names: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(*names, help=help_)
    return option


@app.command()
def report(  # noqa: PLR0917 - typer passes them by name
    what: Annotated[What, typer.Argument(help="What to report.", show_default=False)],
    about: Annotated[
        list[str] | None,
        typer.Argument(help="What it is about: the number of a meeting or the key of a person, as in addresses."),
    ] = None,
    name: Annotated[str, _option("A person's name, in any script, case and order of words.")] = "",
    user: Annotated[str, _option("A person's user id in the LMS.")] = "",
    since: Annotated[str, _option("First day (2026-11-22) or time (2026-11-22T10:30).", "--from")] = "",
    until: Annotated[str, _option("Last day or time.", "--to")] = "",
    weekday: Annotated[str, _option("Days of the week, such as mon,wed.")] = "",
    hour_from: Annotated[str, _option("Meetings that began at this time of day (08:30) or later.")] = "",
    hour_to: Annotated[str, _option("Meetings that began before this time of day.")] = "",
    course: Annotated[str, _option("Words of a course's name, or its id or key.")] = "",
    meeting: Annotated[str, _option("Words of a meeting's name, or one of its ids.")] = "",
    server: Annotated[str, _option("The name of a server.")] = "",
    role: Annotated[str, _option("moderator or viewer.")] = "",
    kind: Annotated[str, _option("user, guest, dial-in or connection.")] = "",
    state: Annotated[str, _option("running, ended or settled.")] = "",
    min_time: Annotated[str, _option("There for so long or longer: minutes (45), or hours and minutes (1:30).")] = "",
    max_time: Annotated[str, _option("There for so long or shorter.")] = "",
    min_percent: Annotated[str, _option("There for this percentage of the meeting or more.")] = "",
    max_percent: Annotated[str, _option("There for this percentage or less.")] = "",
    chats: Annotated[str, _option("So many chat messages or more.")] = "",
    hands: Annotated[str, _option("So many raised hands or more.")] = "",
    reactions: Annotated[str, _option("So many reactions or more.")] = "",
    polls: Annotated[str, _option("So many answers to polls or more.")] = "",
    cameras: Annotated[str, _option("A camera switched on so many times or more.")] = "",
    talk: Annotated[str, _option("Talked for so long or longer.")] = "",
    sort: Annotated[str, _option("The order, such as time, or -time for the other way.")] = "",
    by: Annotated[str, _option("Of use: day or week.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
    zone: Annotated[str, _option("The zone of days and times [default: ROLLCALL_TIME_ZONE].")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")] = None,
) -> None:
    """Write one report. The same facts give the same JSON, byte for byte."""
    named = {key.replace("_", "-"): word for key, word in locals().items() if isinstance(word, str)}
    words = {"from": since, "to": until} | {key: word for key, word in named.items() if key in _WORDS}
    _refuse_terminal(form, output)
    open_database(for_readers=True)
    _write(_rendered(what, about or [], words, form, zone_named(zone)), output)


_WORDS = frozenset(
    (
        *("name", "user", "weekday", "hour-from", "hour-to", "course", "meeting", "server", "role", "kind", "state"),
        *("min-time", "max-time", "min-percent", "max-percent", "chats", "hands", "reactions", "polls", "cameras"),
        *("talk", "sort", "by"),
    )
)


def _refuse_terminal(form: Form, output: Path | None) -> None:
    if form in {Form.XLSX, Form.PDF} and output is None and sys.stdout.isatty():
        raise Refused(f"A terminal cannot show {form.upper()}.", hint="Name a file: -o report." + form)


def _rendered(what: What, about: list[str], words: Mapping[str, str], form: Form, zone: tzinfo) -> Iterable[bytes]:
    from django.utils import timezone

    from rollcall.reports.asking import ask
    from rollcall.reports.registry import REPORTS
    from rollcall.reports.rows import Format

    found = REPORTS[what]
    _check(found, about)
    asked = ask(found.takes, {name: [word] for name, word in words.items() if word}, zone=zone)
    with timezone.override(zone):
        table = found.table(asked, _subjects(found, about), Format[form.name if form is not Form.TABLE else "TEXT"])
        yield from _drawn(table, form, zone)


def _drawn(table: Table, form: Form, zone: tzinfo) -> Iterable[bytes]:
    from rollcall.reports import files
    from rollcall.reports.pdf.document import Wanted, document_of
    from rollcall.reports.pdf.masthead import masthead
    from rollcall.reports.pdf.rendering import render
    from rollcall.reports.to_text import to_text

    match form:
        case Form.TABLE:
            return to_text(table, zone)
        case Form.PDF:
            return [render(document_of(table, Wanted(zone), masthead()))]
        case _:
            return files.file_parts(table, form.value, zone=zone, options={})


def _check(found: Report, about: list[str]) -> None:
    if len(about) == found.subjects:
        return
    if not found.subjects:
        raise Refused(f"{found.name} is about nothing in particular.", hint=f"Leave out {' '.join(about)}.")
    hint = f"Its page has the address {found.address}: write what stands in place of each {{}}."
    raise Refused(f"What is the report about? {found.name} wants {found.subjects} more word(s).", hint=hint)


def _subjects(found: Report, about: list[str]) -> tuple[str, ...]:
    """As an address has them: the number of a meeting, or a key of 32 digits."""
    for at, word in enumerate(about):
        is_number = at == 0 and found.address.startswith("/meetings/")
        is_fine = word.isdecimal() if is_number else len(word) == 32 and not set(word) - set("0123456789abcdef")
        if not is_fine:
            raise Refused(f"{word!r} stands in no address of {found.name}.", hint="Copy it from the page's address.")
    return tuple(about)


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
