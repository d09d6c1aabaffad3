"""Documents for tests, and what programs that are not ours read in them."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pikepdf

from rollcall.reports.pdf.document import Wanted, document_of
from rollcall.reports.pdf.masthead import Masthead
from rollcall.reports.pdf.rendering import render
from rollcall.reports.rows import Column, Heading, Kind, Table
from tests import programs
from tests.makers import at

SCHOOL = Masthead("Example University")
ATHENS = ZoneInfo("Europe/Athens")
HEADING = Heading("Logic", at("12:00"), (("Course", "Logic 101"),), (("Name", "ΠΑΠ"),))

_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Row = Sequence[Any]

COLUMNS = (
    Column("name", "Name", Kind.TEXT, lambda row: row[0]),
    Column("proved_ms", "Time", Kind.DURATION, lambda row: row[1]),
    Column("chats", "Chats", Kind.COUNT, lambda row: row[2]),
)


def people(names: Iterable[str]) -> list[Row]:
    """A row for each name, no two alike."""
    return [(name, 60_000 * number, number) for number, name in enumerate(names, 1)]


def table_of(rows: Iterable[Any], **others: Any) -> Table:
    """A table of such rows."""
    return replace(Table("people/1", "people", COLUMNS, rows, heading=HEADING), **others)


def printed(table: Table, masthead: Masthead = SCHOOL, **wanted: Any) -> bytes:
    """The table as PDF."""
    return render(document_of(table, Wanted(ATHENS, **wanted), masthead))


def run(program: str, pdf: bytes, tmp_path: Path, *options: str) -> str:
    """What a program says of it."""
    path = tmp_path / "printed.pdf"
    path.write_bytes(pdf)
    end = ["-"] if program == "pdftotext" else []
    done = subprocess.run([programs.need(program), *options, path, *end], capture_output=True, check=True)
    return done.stdout.decode()


def text_of(pdf: bytes, tmp_path: Path) -> str:
    """What pdftotext finds, line by line as on the page, without the marks it sets for the direction."""
    return _DIRECTIONS.sub("", run("pdftotext", pdf, tmp_path, "-layout"))


def lines_of(pdf: bytes, tmp_path: Path) -> list[list[str]]:
    """The same, each line in its columns."""
    return [re.split(r" {2,}", line.strip()) for line in text_of(pdf, tmp_path).splitlines() if line.strip()]


def checked(pdf: bytes, tmp_path: Path) -> str:
    """What `qpdf --check` says; it fails where it finds anything."""
    return run("qpdf", pdf, tmp_path, "--check")


def info_of(pdf: bytes, tmp_path: Path) -> dict[str, str]:
    """What pdfinfo says."""
    lines = (line.partition(":") for line in run("pdfinfo", pdf, tmp_path).splitlines())
    return {name: value.strip() for name, _, value in lines}


def letters(text: str) -> list[str]:
    """A name without its order: where letters are joined, programs disagree in which order to read them."""
    return sorted(unicodedata.normalize("NFKC", text).replace(" ", ""))


def opened(pdf: bytes) -> pikepdf.Pdf:
    """For a look inside."""
    return pikepdf.open(BytesIO(pdf))


def elements(pdf: pikepdf.Pdf) -> Iterable[Any]:
    """Every element of its structure, in reading order."""
    return _below(pdf.Root.StructTreeRoot)


def _below(node: Any) -> Iterable[Any]:
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from _below(kid)
