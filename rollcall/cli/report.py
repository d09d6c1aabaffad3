"""Every report with every filter, as a table to read, JSON, CSV, XLSX or PDF.

Reports and filters are declared once, in rollcall.reports: the words of the command are made of these declarations.
"""

from __future__ import annotations

import sys
from datetime import tzinfo
from enum import StrEnum
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database, start_django
from rollcall.core.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rollcall.reports.filters import FilterField
    from rollcall.reports.rows import Table
    from rollcall.reports.tables.report import Report

_TEXT = "Meetings, attendance, people, courses and use as table, JSON, CSV, XLSX or PDF."


class Form(StrEnum):
    """In what form."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


def __getattr__(name: str) -> typer.Typer:
    """`app`: what may be asked is known only once Django has started, which no other command shall wait for."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> typer.Typer:
    start_django(for_readers=True)
    app = new_app(_TEXT)
    app.command()(_command())
    return app


def _command() -> Any:  # noqa: ANN401 - a function whose parameters are made here
    def report(**given: Any) -> None:
        """Write one report. The same facts give the same JSON, byte for byte."""
        _write_report(**{name.removeprefix(_OWN): value for name, value in given.items()})

    # What typer reads.
    report.__signature__ = Signature(list(_parameters()))  # type: ignore[attr-defined]
    report.__annotations__ = {}
    return report


_OWN = "of_"
"""Before the name of a parameter: a filter may be called as no parameter of Python's can be."""


def _parameters() -> Iterator[Parameter]:
    from rollcall.reports.filters import FIELDS
    from rollcall.reports.registry import REPORTS

    known: Any = StrEnum("Known", {name.upper().replace("-", "_"): name for name in REPORTS})  # type: ignore[misc]
    options = {name: words for one in REPORTS.values() for name, words in one.takes.options.items()}
    what = typer.Argument(help="What to report.", show_default=False, metavar="REPORT")
    about = typer.Argument(
        help="What it is about: the number of a meeting or the key of a person, as in addresses.", metavar="NUMBER KEY"
    )
    yield _parameter("what", Annotated[known, what], Parameter.empty)
    yield _parameter("about", Annotated[list[str] | None, about], None)
    for field in FIELDS.values():
        yield _word(field.name, _help_of(field))
    for name, words in options.items():
        yield _word(name, f"One of: {', '.join(words)}.")
    yield _word("sort", "The order, such as time, or -time for the other way.")
    yield _parameter("form", Annotated[Form, typer.Option("--format", help="How to write it.")], Form.TABLE)
    yield _word("zone", "The zone of days and times [default: ROLLCALL_TIME_ZONE].")
    file = typer.Option("--output", "-o", help="A file instead of standard output.")
    yield _parameter("output", Annotated[Path | None, file], None)


def _parameter(name: str, annotation: Any, default: object) -> Parameter:  # noqa: ANN401 - types are what typer reads
    return Parameter(f"{_OWN}{name}", Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _word(name: str, help_: str) -> Parameter:
    option: Any = typer.Option(f"--{name}", help=help_)
    return _parameter(name.replace("-", "_"), Annotated[str, option], "")


def _help_of(field: FilterField) -> str:
    """What its form says of it."""
    about = str(field.about)
    example = "" if about else _EXAMPLES.get(field.control.value, "")
    return " ".join(part for part in (f"{field.label}.", about, example) if part)


_EXAMPLES = {
    "moment": "A day (2026-11-22), or a time (2026-11-22T10:30).",
    "days": "Such as mon,wed.",
    "number": "0 to 100.",
}


def _write_report(
    *, what: str, about: list[str] | None, form: Form, zone: str, output: Path | None, **words: str
) -> None:
    asked = {name.replace("_", "-"): word for name, word in words.items() if word}
    _refuse_terminal(form, output)
    open_database(for_readers=True)
    _write(_rendered(what, about or [], asked, form, zone_named(zone)), output)


def _refuse_terminal(form: Form, output: Path | None) -> None:
    if form in {Form.XLSX, Form.PDF} and output is None and sys.stdout.isatty():
        raise Refused(f"A terminal cannot show {form.upper()}.", hint="Name a file: -o report." + form)


def _rendered(what: str, about: Sequence[str], words: Mapping[str, str], form: Form, zone: tzinfo) -> Iterable[bytes]:
    from django.http import Http404
    from django.utils import timezone

    from rollcall.reports.asking import ask
    from rollcall.reports.registry import REPORTS
    from rollcall.reports.rows import Format

    found = REPORTS[what]
    _check(found, about)
    asked = ask(found.takes, {name: [word] for name, word in words.items()}, zone=zone)
    with timezone.override(zone):
        try:
            table = found.table(asked, about, Format[form.name if form is not Form.TABLE else "TEXT"])
        except Http404 as error:
            raise Refused(str(error), hint=f"Look in its page for the address: {_address(found)}") from error
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


def _check(found: Report, about: Sequence[str]) -> None:
    """As an address has them: as many as it wants, each of its kind."""
    if len(about) > len(found.about):
        more = " ".join(about[len(found.about) :])
        raise Refused(f"{found.name} takes {_called(found) or 'neither number nor key'}.", hint=f"Leave out: {more}")
    if len(about) < len(found.about):
        raise Refused(f"{found.name} needs {_called(found)}.", hint=f"They stand in its address: {_address(found)}")
    for word, subject in zip(about, found.about, strict=True):
        if not subject.is_one(word):
            raise Refused(f"{word!r} is not {subject.called}.", hint=f"It stands in an address: {_address(found)}")


def _called(found: Report) -> str:
    return " and ".join(subject.called for subject in found.about)


def _address(found: Report) -> str:
    """An address of its page, for example."""
    return found.address.format(*(subject.example for subject in found.about))


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
