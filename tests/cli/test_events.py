"""`rollcall events`: one file, without a database."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rollcall.cli import run
from rollcall.cli.events import quickly
from tests.bbb.recordings import cursor, joined, left, poll_answered, poll_started, recording

DATA = Path(__file__).parents[1] / "data" / "events_xml"
WHOLE = recording(joined(0, "ada", external="9"), cursor(5), joined(10, "guest"), left(30_000, "ada"), ended_at=40_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.xml"
    path.write_bytes(WHOLE)
    return path


def body(capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    told = capsys.readouterr()
    return json.loads(told.out), told.err


@pytest.mark.parametrize("path", sorted(DATA.glob("*.xml")), ids=lambda path: path.stem)
def test_it_prints_the_body_and_says_by_its_status_whether_the_file_is_whole(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = json.loads(path.with_name(path.stem + ".expected.json").read_text())
    assert run(["events", str(path)]) == (0 if expected["recording"]["is_whole"] else 3)
    told, notes = body(capsys)
    assert told == expected["body"]
    assert bool(notes) is not expected["recording"]["is_whole"]


def test_gzip_and_standard_input_are_the_same(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["events", str(file)]) == 0
    plain = capsys.readouterr().out
    file.with_suffix(".gz").write_bytes(gzip.compress(WHOLE))
    assert run(["events", str(file.with_suffix(".gz"))]) == 0
    assert capsys.readouterr().out == plain
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(gzip.compress(WHOLE))))
    assert run(["events", "-"]) == 0
    assert capsys.readouterr().out == plain


def test_for_an_lms_guests_are_left_out(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["events", "--for-lms", str(file)]) == 0
    assert [one["ext_user_id"] for one in body(capsys)[0]["data"]["attendees"]] == ["9"]


def test_like_the_gem_it_has_the_gems_form(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["events", str(file), "--like-gem"]) == 0
    told, _ = body(capsys)
    assert told["duration"] == 40
    assert [one["id"] for one in told["attendees"]] == ["w_ada000000000", "w_guest0000000"]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (WHOLE[:-30], "breaks off at byte"),
        (WHOLE.replace(b"</recording>", b"&x;</recording>"), "damaged from byte"),
        (
            WHOLE.replace(b"</recording>", b'<event timestamp="" module="" eventname=""/></recording>'),
            "1 of its events",
        ),
        (
            WHOLE.replace(b'"30500005"', b'"-1"').replace(b"<timestampUTC>1795309400005", b"<timestampUTC>x"),
            "no sensible",
        ),
        (recording(joined(0, "ada"), cursor(9)), "no end of the meeting"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_printed(
    data: bytes, note: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(data)
    assert run(["events", str(file)]) == 3
    told, notes = body(capsys)
    assert note in notes
    assert told["data"]["attendees"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"<html/>", "is no events.xml"),
        (b"<recording", "breaks off before it names its meeting"),
        (b"\x89PNG", "is no XML"),
        (b"<!DOCTYPE x><recording meeting_id='m'/>", "has a document type"),
        (b"<recording/>", "does not name its meeting"),
        (b"\x1f\x8b\x08", "breaks off before"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_printed(
    data: bytes, sentence: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(data)
    assert run(["events", str(file)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert sentence in told.err


@pytest.mark.parametrize("name", ["missing.xml", "."])
def test_a_file_that_is_not_there_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["events", str(tmp_path / name)]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--like-gem", "--for-lms", "a"], ["--gem", "a"], ["--help"]])
def test_help_and_mistakes_are_typers(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert not quickly(arguments)
    assert run(["events", *arguments]) == (0 if arguments == ["--help"] else 2)
    assert "rollcall events" in "".join(capsys.readouterr())


def test_it_needs_neither_django_nor_a_database_nor_typer(file: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from rollcall.cli import run; status = run(['events', sys.argv[1]]);"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in"
        " {'django', 'typer', 'click', 'lxml', 'httpx', 'msgspec', 'sqlite3'}), status, file=sys.stderr)"
    )
    nowhere = {"ROLLCALL_DATA": str(tmp_path / "nowhere"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code, str(file)], env=nowhere, capture_output=True, check=True)
    assert done.stderr.decode().split() == ["0"]
    assert json.loads(done.stdout)["data"]["duration"] == 40
    assert not (tmp_path / "nowhere").exists()


def test_names_of_any_script_leave_a_terminal_of_none(file: Path) -> None:
    file.write_bytes(recording(joined(0, "ada", name="Εύα 👩‍🏫"), ended_at=9))
    command = [sys.executable, "-c", "from rollcall.cli import main; main()", "events", str(file)]
    done = subprocess.run(command, env={"LC_ALL": "C", "PYTHONUTF8": "0"}, capture_output=True, check=True)
    assert json.loads(done.stdout)["data"]["attendees"][0]["name"] == "Εύα 👩‍🏫"


def test_secret_answers_and_chat_texts_are_not_in_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = poll_answered(6, "p", "ada", 0, answer="SECRET")
    file.write_bytes(recording(joined(0, "ada"), poll_started(5, "p", "A", secretPoll="true"), secret, ended_at=9))
    assert run(["events", str(file)]) == 0
    assert "SECRET" not in capsys.readouterr().out
