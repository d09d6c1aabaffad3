"""`rollcall import`, from what a BigBlueButton host has kept to the report, on each database."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.eras import ERAS
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.play import SECRET, URL, arrivals
from rollcall.simulate.recording import recordings
from rollcall.simulate.recording_xml import to_xml
from tests.importing.history import callback, data_of, events_xml, host, meeting_of, tar, write
from tests.whole.instance import ROLLCALL, register, rollcall, running, tell

FACTS = """
import json
from rollcall.cli.database import open_database
open_database()
from rollcall.store.models import Fact, Meeting
rows = Fact.objects.order_by("meeting__internal_meeting_id", "digest").values_list(
    "meeting__internal_meeting_id", "source", "kind", "digest")
print(json.dumps({
    "facts": [[meeting, source, kind, bytes(digest).hex()] for meeting, source, kind, digest in rows],
    "gaps": [m.pk for m in Meeting.objects.all() if m.last_seq != m.facts.count()],
    "due": Meeting.objects.exclude(due_at=None).count(),
    "open": Meeting.objects.filter(is_over=False).count(),
}))
"""


def imported(
    env: Mapping[str, str], *arguments: object, status: int = 0, given: bytes = b"", processes: int = 1
) -> dict[str, Any]:
    """The summary of one import; most have so few files that a second process would only take time to start."""
    command = [ROLLCALL, "import", *map(str, arguments), "--format", "json", "--processes", str(processes)]
    done = subprocess.run(command, env=env, input=given, capture_output=True, check=False)
    assert done.returncode == status, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def numbers(summary: Mapping[str, Any]) -> dict[str, int]:
    """Those that are not zero."""
    names = ("new", "known", "damaged", "unreadable", "refused", "unfolded", "ignored", "meetings")
    return {name: summary[name] for name in names if summary[name]}


def report(env: Mapping[str, str]) -> str:
    return rollcall(env, "report", "attendance", "--format", "json")


def facts(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tell(env, FACTS))
    return found


@pytest.fixture
def env(migrated_url: str, instance_env: dict[str, str]) -> dict[str, str]:
    return instance_env | {"ROLLCALL_DATABASE_URL": migrated_url}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return host(tmp_path / "bigbluebutton", 4, rooms=1)


def test_a_host_becomes_a_history(env: dict[str, str], home: Path) -> None:
    write(home / "events" / meeting_of(0, rooms=1) / "data.json", data_of(0))
    first = imported(env, home, "--server", "old", "--create", processes=2)
    assert numbers(first) == {"new": 9, "known": 4, "ignored": 4, "meetings": 4}
    assert first["people"] > 0
    told = json.loads(report(env))
    assert sorted(one["meeting"] for one in told["meetings"]) == sorted(
        meeting_of(number, rooms=1) for number in range(4)
    )
    assert all(one["settles_at"] is None for one in told["meetings"])
    stored = facts(env)
    assert (len(stored["facts"]), stored["gaps"], stored["due"], stored["open"]) == (9, [], 0, 0)


def test_the_second_time_nothing_is_read_and_nothing_changes(env: dict[str, str], home: Path) -> None:
    imported(env, home, "--server", "old", "--create")
    before = report(env), facts(env)
    assert numbers(imported(env, home)) == {"known": 12, "ignored": 4}
    assert numbers(imported(env, home, "--again", processes=2)) == {"known": 12, "ignored": 4, "meetings": 4}
    assert (report(env), facts(env)) == before
    rollcall(env, "rebuild", "--quiet")
    assert report(env) == before[0]


def test_killed_in_the_middle_and_begun_again_it_ends_as_if_undisturbed(
    migrated_url: str, instance_env: dict[str, str], tmp_path: Path
) -> None:
    home = host(tmp_path / "bigbluebutton", 30, cursor=0.7)
    disturbed = instance_env | {"ROLLCALL_DATABASE_URL": migrated_url}
    quiet = instance_env | {"ROLLCALL_DATA": str(tmp_path / "undisturbed")}
    imported(quiet, home, "--server", "old", "--create")
    for after in (0.9, 1.3, 1.6, 2.0, 2.5):
        kill_after(after, disturbed, home)
    summary = imported(disturbed, home, "--server", "old", "--create")
    assert summary["new"] + summary["known"] == 45
    assert report(disturbed) == report(quiet)
    assert facts(disturbed) == facts(quiet)


def kill_after(seconds: float, env: Mapping[str, str], home: Path) -> None:
    """Kill -9 of the process that shares out the work; those that read end by themselves."""
    command = [ROLLCALL, "import", str(home), "--server", "old", "--create", "--processes", "2"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_reader_that_is_killed_loses_nothing(env: dict[str, str], tmp_path: Path) -> None:
    home = host(tmp_path / "bigbluebutton", 20, cursor=0.7)
    command = [ROLLCALL, "import", str(home), "--server", "old", "--create", "--processes", "2", "--format", "json"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as process:
        kill_one_reader(process)
        assert process.stdout
        summary = json.loads(process.stdout.read())
    assert process.returncode == 0
    assert summary["new"] + summary["known"] == 30
    assert len(facts(env)["facts"]) == 20


def kill_one_reader(process: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        for child in children.read_text().split():
            if b"import-reader" in Path(f"/proc/{child}/cmdline").read_bytes():
                time.sleep(1.0)
                os.kill(int(child), signal.SIGKILL)
                return
        time.sleep(0.01)


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
class TestArchives:
    """What holds files in a file."""

    def test_archives_give_what_their_files_would(self, env: dict[str, str], home: Path, tmp_path: Path) -> None:
        files = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
        inner = {"backup/old.tgz": tar(files), "backup/one.xml.gz": gzip.compress(events_xml(40))}
        write(tmp_path / "archives" / "all.tar", tar(inner, "w"))
        write(tmp_path / "archives" / "again.tar.gz", tar(files))
        summary = imported(env, tmp_path / "archives", "--server", "old", "--create")
        assert numbers(summary) == {"new": 9, "known": 16, "ignored": 8, "meetings": 5}
        assert numbers(imported(env, tmp_path / "archives")) == {"known": 25, "ignored": 4}
        assert numbers(imported(env, home)) == {"known": 12, "ignored": 4, "meetings": 4}

    def test_an_archive_comes_by_standard_input(self, env: dict[str, str], home: Path) -> None:
        files = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*.xml")}
        summary = imported(env, "-", "--server", "old", "--create", given=tar(files))
        assert numbers(summary) == {"new": 8, "known": 4, "meetings": 4}

    def test_so_does_one_file(self, env: dict[str, str]) -> None:
        assert numbers(imported(env, "-", "--server", "o", "--create", given=events_xml(1)))["new"] == 1
        assert numbers(imported(env, "-", given=gzip.compress(callback(1))))["new"] == 1
        assert numbers(imported(env, "-", given=b"hello", status=3)) == {"unreadable": 1}

    def test_a_member_too_large_to_be_handed_over_is_streamed(self, env: dict[str, str], tmp_path: Path) -> None:
        large = events_xml(3).replace(b"</recording>", b"<!--" + b" " * 100_000 + b"-->\n") + b"<x/>" * 5_000_000
        write(tmp_path / "l.tar.gz", tar({"a/events.xml": large + b"</recording>", "b/events.xml": events_xml(4)}))
        summary = imported(env, tmp_path / "l.tar.gz", "--server", "old", "--create")
        assert numbers(summary) == {"new": 2, "meetings": 2}

    def test_a_broken_archive_gives_what_stands_before(self, env: dict[str, str], tmp_path: Path) -> None:
        files = {f"{number}/events.xml": events_xml(number) for number in range(3)}
        whole = tar(files)
        write(tmp_path / "b.tgz", whole[: len(whole) * 5 // 6])
        summary = imported(env, tmp_path / "b.tgz", "--server", "old", "--create", status=3)
        assert summary["new"] == 3
        assert {one["name"].rpartition("b.tgz")[2]: one["sentence"] for one in summary["problems"]} == {
            "": "Its compressed data break off.",
            ": 2/events.xml": "It breaks off; what stands before the break is kept.",
        }


def test_files_and_webhooks_of_one_meeting_are_one_meeting(env: dict[str, str], tmp_path: Path) -> None:
    era = ERAS["3.0"]
    truth = make_class(Random(5), Plan(starts_at=era.at, people=6, minutes=12, rooms=0))
    write(tmp_path / "in" / "events.xml", to_xml(recordings(truth, era, Random(5))[truth.root.internal_meeting_id]))
    register(env, "bbb.example.org", SECRET, URL)
    with running(env, tmp_path) as instance:
        for arrived in arrivals(truth, GENERATIONS["3.5.0"]):
            assert instance.post(arrived.path, arrived.body, dict(arrived.headers)).status == 200
        summary = imported(env, tmp_path / "in")
    assert numbers(summary) == {"new": 1, "meetings": 1}
    told = json.loads(report(env))
    assert [one["meeting"] for one in told["meetings"]] == [truth.root.internal_meeting_id]
    assert {fact[1] for fact in facts(env)["facts"]} >= {"recording", "mapped"}
