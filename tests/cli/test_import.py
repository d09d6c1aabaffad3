"""`rollcall import` as a command: whose records, what it says, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.importing.history import callback, data_of, events_xml, host, meeting_of, tar, write
from tests.whole.instance import ROLLCALL, rollcall

Env = Mapping[str, str]


def run(env: Env, *arguments: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [ROLLCALL, "import", *map(str, arguments)]
    return subprocess.run(command, env=env, input=given, capture_output=True, check=False)


def summary(env: Env, *arguments: object, status: int = 0) -> dict[str, Any]:
    # So few files that a second process would only take time to start.
    done = run(env, *arguments, "--format", "json", "--processes", "1")
    assert done.returncode == status, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Something of everything."""
    folder = tmp_path / "in"
    write(folder / "good.xml", events_xml(0))
    write(folder / "a" / "cut.xml", events_xml(1)[:-3000])
    write(folder / "a" / "callback", callback(2))
    write(folder / meeting_of(3) / "data.json", data_of(3))
    write(folder / "nameless" / "data.json", data_of(4))
    write(folder / "b" / "events.xml", b"")
    write(folder / "b" / "events.xml.gz", b"\x1f\x8b\x08\x00 no gzip at all")
    write(folder / "b" / "picture.png", b"\x89PNG\r\n")
    write(folder / "b" / "package.json", b'{"name": "something else"}')
    write(folder / "b" / "half.json", callback(5)[:-10])
    with open(os.path.join(os.fsencode(folder), b"\xff\xfe.xml"), "wb") as file:  # noqa: PTH118, PTH123
        file.write(events_xml(6))
    return folder


def test_each_file_has_its_fate_and_the_rest_goes_on(migrated_env: Env, mixed: Path, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    found = summary(migrated_env, mixed, "--server", "old", "--create", "--errors", errors, status=3)
    counts = {name: found[name] for name in ("new", "known", "damaged", "unreadable", "ignored", "meetings")}
    assert counts == {"new": 5, "known": 0, "damaged": 1, "unreadable": 4, "ignored": 2, "meetings": 5}
    told = {Path(one["name"]).relative_to(mixed).as_posix(): one["sentence"] for one in found["problems"]}
    assert told == {
        "a/cut.xml": "It breaks off; what stands before the break is kept.",
        "b/events.xml": "It is empty.",
        "b/events.xml.gz": "Its compressed data are damaged.",
        "b/half.json": told["b/half.json"],
        "nameless/data.json": told["nameless/data.json"],
    }
    assert told["b/half.json"].startswith("It is not understood: ")
    assert told["nameless/data.json"] == (
        "It does not say which meeting it is of: put it into a folder that is named by the meeting's internal id."
    )
    page = Path(__file__).parents[2] / "docs" / "importing.md"
    assert "| It does not say which meeting it is of … |" in page.read_text()
    lines = errors.read_text().splitlines()
    assert sorted(lines) == sorted(f"{mixed}/{name}: {sentence}" for name, sentence in told.items())
    again = summary(migrated_env, mixed, status=3)
    assert {name: again[name] for name in counts} == counts | {"new": 0, "known": 5, "meetings": 0}


def test_a_dry_run_keeps_nothing(migrated_env: Env, mixed: Path) -> None:
    found = summary(migrated_env, mixed, "--server", "old", "--create", "--dry-run", status=3)
    assert (found["new"], found["damaged"], found["meetings"], found["dry_run"]) == (5, 1, 0, True)
    assert b"no server called old" in run(migrated_env, mixed, "--server", "old").stderr
    assert summary(migrated_env, mixed, "--server", "old", "--create", status=3)["new"] == 5
    assert summary(migrated_env, mixed, "--dry-run", "--again", status=3)["known"] == 5


def test_whose_they_are_must_be_clear(migrated_env: Env, tmp_path: Path) -> None:
    file = write(tmp_path / "events.xml", events_xml(0))
    done = run(migrated_env, file)
    assert (done.returncode, b"Of which server" in done.stderr, b"--create" in done.stderr) == (1, True, True)
    assert summary(migrated_env, file, "--server", "bbb.example.org", "--create")["new"] == 1
    assert b"Did you mean bbb.example.org?" in run(migrated_env, file, "--server", "bbb.exmaple.org").stderr
    assert summary(migrated_env, file, "--server", "other", "--create")["new"] == 1
    assert b"there are: bbb.example.org, other" in run(migrated_env, file).stderr
    assert b"cannot be used" in run(migrated_env, file, "--server", "a\nb", "--create").stderr


def test_a_server_added_later_takes_the_history_over(migrated_env: Env, tmp_path: Path) -> None:
    file = write(tmp_path / "events.xml", events_xml(0))
    summary(migrated_env, file, "--server", "old", "--create")
    told = {**migrated_env, "ROLLCALL_SERVER_SECRET": "s"}
    rollcall(told, "server", "add", "https://bbb.example.org", "--name", "old", "--no-check", "--no-hooks")
    assert summary(migrated_env, file, "--server", "https://bbb.example.org/bigbluebutton/")["known"] == 1


def test_nothing_is_no_trouble(migrated_env: Env, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = summary(migrated_env, tmp_path / "empty", "--server", "old", "--create")
    assert (found["new"], found["unreadable"], found["finished"]) == (0, 0, True)


def test_what_is_named_must_be_there_and_be_something(migrated_env: Env, tmp_path: Path) -> None:
    other = write(tmp_path / "letter.txt", b"Dear all,")
    zipped = write(tmp_path / "old.zip", b"PK\x03\x04....")
    found = summary(migrated_env, tmp_path / "gone", other, zipped, "--server", "old", "--create", status=3)
    assert sorted(one["sentence"] for one in found["problems"]) == [
        "It cannot be read: No such file or directory.",
        "It is a zip archive: unpack it, or make it a tar.gz.",
        "It is no events.xml, callback body or archive of them.",
    ]


def test_the_summary_is_for_people_too(migrated_env: Env, tmp_path: Path) -> None:
    host(tmp_path / "host", 2)
    done = run(migrated_env, tmp_path / "host", "--server", "old", "--create")
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "old:"
    assert [line.split() for line in lines[1:3]] == [["2", "kept"], ["1", "known", "already"]]
    assert lines[-1].endswith("/s)")
    assert done.stderr == b""


def test_everybody_is_counted_people_of_an_lms_once_and_guests_and_callers_in_each_meeting(
    migrated_env: Env, tmp_path: Path
) -> None:
    found = summary(migrated_env, host(tmp_path / "host", 2), "--server", "old", "--create")

    def reported(what: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(rollcall(migrated_env, "report", what, "--format", "json"))[
            {"attendance": "meetings"}.get(what, what)
        ]
        return rows

    known = reported("people")
    others = [person["kind"] for one in reported("attendance") for person in one["people"] if person["kind"] != "user"]
    assert known
    assert len(others) > 1, "a caller in each"
    assert found["people"] == len(known) + len(others)


def test_quiet_says_nothing_of_each(migrated_env: Env, tmp_path: Path) -> None:
    file = write(tmp_path / "events.xml", b"")
    done = run(migrated_env, file, "--server", "old", "--create", "--quiet")
    assert (done.returncode, done.stderr) == (3, b"")
    assert b"1  cannot be read" in done.stdout


def test_an_archive_cannot_reach_outside(migrated_env: Env, tmp_path: Path) -> None:
    inside = tmp_path / "here"
    archive = write(inside / "a.tar", tar({"../../escaped/events.xml": events_xml(0), "/etc/x": b"x"}, "w"))

    def outside() -> list[Path]:
        return sorted(path for path in tmp_path.rglob("*") if "rollcall-data" not in str(path))

    before = outside()
    assert summary(migrated_env, archive, "--server", "old", "--create")["new"] == 1
    assert outside() == before


NASTY = b"\xff\xfe\x1b[31mX\nY"


def test_no_name_stops_the_import_or_steers_a_terminal(migrated_env: Env, tmp_path: Path) -> None:
    nasty = os.fsdecode(NASTY)
    members = {f"{nasty}/events.xml": b"garbage", f"{nasty}-1795309400123/data.json": b"[", "ok.xml": events_xml(0)}
    archive = write(tmp_path / "in" / "a.tar", tar(members, "w"))
    write(tmp_path / "in" / f"{nasty}.xml" / "events.xml", b"")
    nested = write(tmp_path / "in" / "b.tar", tar({f"{nasty}.tar": archive.read_bytes()}, "w"))
    errors = tmp_path / "errors"
    done = run(migrated_env, tmp_path / "in", "--server", "old", "--create", "--errors", errors, "--format", "json")
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert (found["new"], found["unreadable"], found["finished"]) == (1, 5, True)
    assert len(errors.read_text("utf-8").splitlines()) == 5
    for told in (done.stderr, errors.read_bytes(), *(one["name"].encode() for one in found["problems"])):
        assert b"\x1b" not in told
        assert b"Traceback" not in told
    assert str(nested) in errors.read_text("utf-8")


def test_a_path_may_be_any_bytes(migrated_env: Env, tmp_path: Path) -> None:
    file = write(tmp_path / f"{os.fsdecode(NASTY)}.xml", events_xml(0))
    assert summary(migrated_env, file, "--server", "old", "--create")["new"] == 1
    assert run(migrated_env, file, "--server", os.fsdecode(b"\xff"), "--create").returncode == 1
    done = subprocess.run([ROLLCALL, "events", file], env=migrated_env, capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["internal_meeting_id"]) == (0, meeting_of(0))


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_that_breaks_off_gives_what_stands_before_the_break(
    migrated_env: Env, tmp_path: Path, mode: str
) -> None:
    content = tar({"a/events.xml": events_xml(0), "b/events.xml": events_xml(1, people=30, minutes=60)}, mode)
    archive = write(tmp_path / "a.tar", content[: len(content) * 8 // 10])
    found = summary(migrated_env, archive, "--server", "old", "--create", status=3)
    assert (found["new"], found["damaged"], found["unreadable"], found["meetings"]) == (2, 1, 1, 2)
    told = {one["name"].removeprefix(f"{archive}"): one["damage"] for one in found["problems"]}
    assert told == {": b/events.xml": "truncated", "": ""}
    # Fetched anew, its times the same.
    write(archive, content)
    again = summary(migrated_env, archive)
    assert (again["new"], again["known"], again["damaged"]) == (1, 1, 0)


def test_a_database_that_goes_away_is_told_and_costs_nothing(migrated_env: Env, tmp_path: Path) -> None:
    file = write(tmp_path / "events.xml", events_xml(0))
    bad = {**migrated_env, "ROLLCALL_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    done = run(bad, file, "--server", "old", "--create")
    assert done.returncode == 1
    assert b"database cannot be reached" in done.stderr
