"""`rollcall report`: the same reports from the command line."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rollcall.cli import run
from tests.makers import Attendee, make_meeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run a report; its status and what it wrote."""

    def call(*words: str) -> tuple[int, str]:
        status = run(["report", *words])
        printed = capsysbinary.readouterr()
        return status, (printed.out if status == 0 else printed.err).decode()

    return call


@pytest.fixture(autouse=True)
def _school(db: None) -> None:
    make_meeting(Attendee(name="Ada Lovelace"), name="Algebra", day="2026-11-18")
    make_meeting(Attendee(name="ΠΑΠΑΔΟΠΟΥΛΟΣ", uid="8"), name="Logic", day="2026-11-19", server="bbb2")


@pytest.mark.parametrize(
    "filters",
    [
        ("--name", "papadopoulos"),
        ("--from", "2026-11-19"),
        ("--from", "2026-11-19T09:00", "--to", "2026-11-19"),
        ("--server", "bbb2"),
        ("--meeting", "log"),
        ("--meeting", "ext-logic"),
        ("--name", "παπαδ", "--server", "bbb2", "--state", "settled"),
    ],
)
@pytest.mark.parametrize("what", ["meetings", "attendance"])
def test_each_filter_finds_the_same_as_on_the_page(report: Any, what: str, filters: tuple[str, ...]) -> None:
    status, written = report(what, *filters, "--format", "json")

    assert status == 0
    assert [one["meeting_name"] for one in json.loads(written)["meetings"]] == ["Logic"]


def test_people_as_csv_in_a_file(report: Any, tmp_path: Path) -> None:
    status, written = report("people", "--format", "csv", "-o", str(tmp_path / "people.csv"))

    assert (status, written) == (0, "")
    lines = list(csv.reader(io.StringIO((tmp_path / "people.csv").read_text(encoding="utf-8"), newline="")))
    assert [line[0] for line in lines] == ["Name", "Ada Lovelace", "ΠΑΠΑΔΟΠΟΥΛΟΣ"]


def test_a_table_is_what_one_sees_without_asking_for_a_format(report: Any) -> None:
    status, written = report("meetings", "--zone", "Europe/Athens")

    assert status == 0
    heading, algebra, logic = written.splitlines()
    assert heading.split()[:2] == ["Meeting", "State"]
    assert "2026-11-18 12:00:00" in algebra
    assert algebra.index("bbb1") == logic.index("bbb2")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("meetings", "--from", "soon"), "“soon” is not a date."),
        (("meetings", "--from", "2026-11-19", "--to", "2026-11-18"), "“From” is later than “to”"),
        (("meetings", "--state", "asleep"), "State: there is no state “asleep”."),
        (("meetings", "--server", "bbb3"), "Server: there is no server “bbb3”."),
        (("attendance", "--server", "bbb3"), "There are: bbb1, bbb2."),
        (("people", "--server", "bbb3"), "Server: there is no server “bbb3”."),
        (("meetings", "--zone", "Moon/Sea"), "There is no time zone 'Moon/Sea'."),
        (("meetings", "-o", "/nowhere/at/all"), "The report cannot be written"),
    ],
)
def test_what_cannot_be_meant_is_said(report: Any, words: tuple[str, ...], sentence: str) -> None:
    status, said = report(*words)

    assert status == 1
    assert sentence in said


def test_a_report_that_is_none_is_a_misuse(report: Any) -> None:
    assert report("grades")[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("attendances", "--min-time", "45", "--kind", "user", "--weekday", "thu", "--sort", "-time"),
        ("courses", "--meeting", "logic"),
        ("use", "--by", "week"),
        ("servers",),
        ("coverage",),
    ],
)
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_every_report_is_on_the_command_line(report: Any, words: tuple[str, ...], form: str) -> None:
    status, written = report(*words, "--format", form)
    assert status == 0, written
    assert written


def test_xlsx_and_pdf_are_written_into_files(report: Any, tmp_path: Path) -> None:
    for form, begins in (("xlsx", b"PK"), ("pdf", b"%PDF")):
        path = tmp_path / f"people.{form}"
        assert report("people", "--format", form, "-o", str(path)) == (0, "")
        assert path.read_bytes().startswith(begins)


def test_a_report_about_something_is_told_about_what(report: Any) -> None:
    from rollcall.store.derived import Person, Summary

    key = bytes(Person.objects.get(external_user_id="8").key).hex()
    assert "Logic" in report("person", key)[1]
    number = str(Summary.objects.get(name="Logic").meeting_id)
    assert "ΠΑΠΑΔΟΠΟΥΛΟΣ" in report("meeting", number)[1]
    assert "person needs the key of a person." in report("person")[1]
    assert "/meetings/153" in report("meeting")[1]
    assert "people takes neither number nor key." in report("people", key)[1]
    assert "'me' is not the key of a person." in report("person", "me")[1]


@pytest.mark.parametrize("form", ["table", "pdf"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("meeting", "9999"), "There is no such meeting"),
        (("meeting", "9" * 18), "There is no such meeting"),
        (("facts", "9999"), "There is no such meeting"),
        (("facts-of-person", "9999", "0" * 32), "There is no such meeting"),
        (("person", "0" * 32), "Nobody of that kind"),
        (("course", "0" * 32), "There is no such course"),
    ],
)
def test_what_is_not_there_is_said(report: Any, words: tuple[str, ...], sentence: str, form: str) -> None:
    status, said = report(*words, "--format", form)

    assert status == 1
    assert sentence in said


def test_a_row_of_the_table_says_when_somebody_came_and_went(report: Any) -> None:
    heading, *rows = report("attendances", "--name", "ada")[1].splitlines()

    assert heading.split()[heading.split().index("In") + 1] == "Out"
    assert [len(re.findall(r"\d\d:\d\d:\d\d", row)) for row in rows] == [3]


def test_every_filter_is_an_option_with_its_meaning(report: Any) -> None:
    from rollcall.reports.filters import FIELDS

    status, written = report("--help")

    assert status == 0
    assert [name for name in FIELDS if f"--{name} " not in written] == []
