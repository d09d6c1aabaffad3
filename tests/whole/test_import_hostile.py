"""Files that are broken, enormous or made to do harm: told in a sentence, in little memory, and the others are read."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.importing.history import callback, events_xml, tar, write
from tests.whole.instance import ROLLCALL

# A process that has loaded everything needs about 75.
LARGEST_MB = 260
MEGABYTE = 1024 * 1024

GOOD = events_xml(0)
HEAD, _, REST = GOOD.partition(b"\n")
LAUGHS = b'<!DOCTYPE recording [<!ENTITY a "' + b"ha" * 50 + b'"><!ENTITY b "' + b"&a;" * 100 + b'">]>\n'
SOMEBODY = b"<externalUserId>"


def hostile() -> dict[str, bytes]:
    """By name, what some file holds."""
    other = [events_xml(number) for number in range(1, 12)]
    return {
        "laughs.xml": HEAD + LAUGHS + REST.replace(b"<name>", b"<name>&b;&b;"),
        "nul.xml": other[0][:4000] + b"\0" * 5 + other[0][4000:],
        "latin.xml": other[1].replace(b"<name>", b"<name>\xe9\xe8"),
        "unknown-encoding.xml": other[2].replace(b'encoding="UTF-8"', b'encoding="klingon"'),
        "utf-16.xml": other[3].decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        "long-ids.xml": other[4].replace(SOMEBODY, SOMEBODY + b"i" * 10_240),
        "text.xml": other[5].replace(b"<name>", b"<name>" + b"n" * 30 * MEGABYTE, 1),
        "tag.xml": other[6].replace(b"<name>", b"<name " + b"n" * 30 * MEGABYTE + b'="1">', 1),
        "deep.xml": other[7].replace(b"<name>", b"<a>" * 200_000, 1),
        "times.xml": other[8]
        .replace(b"<timestampUTC>1", b"<timestampUTC>-1")
        .replace(b' timestamp="', b' timestamp="9' * 3),
        "bomb.xml.gz": gzip.compress(other[9].replace(b"<name>", b"<name>" + b" " * 350 * MEGABYTE, 1), 9),
        "bomb.tar.gz": gzip.compress(gzip.compress(bytes(300 * MEGABYTE), 9), 9),
        "members.tgz": tar({f"{number}/events.xml": b"<recording" for number in range(100)}),
        "lie.tar": lie(),
        "deep.json": b'{"data": ' + b"[" * 3_000_000,
        "large.json": b'{"internal_meeting_id": "' + b"x" * 40 * MEGABYTE + b'"}',
        "list.json": b'[1, 2, {"internal_meeting_id": 5}]',
        "numbers.json": callback(1).replace(b'"duration": ', b'"duration": 1e999, "x": '),
    }


# What is not here is kept without a word, or is none of ours.
TOLD = {
    "laughs.xml": "unreadable",
    "nul.xml": "new malformed",
    "latin.xml": "new malformed",
    "unknown-encoding.xml": "unreadable",
    "tag.xml": "new malformed",
    "deep.xml": "new malformed",
    "times.xml": "new malformed",
    "bomb.xml.gz": "new truncated",
    "members.tgz": "unreadable",
    "lie.tar": "unreadable",
    "large.json": "unreadable",
    "list.json": "unreadable",
}


def lie() -> bytes:
    """An archive that says of a member to be as large as the sea."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        member = tarfile.TarInfo("events.xml")
        member.size = 2**60
        archive.addfile(member)
    return out.getvalue() + GOOD


class Watch:
    """The most memory that any of a process and its children has taken, in MB."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.largest = 0.0
        self._thread.start()

    def _look(self) -> None:
        while self._process.poll() is None:
            for status in self._statuses():
                peaks = [line for line in status.splitlines() if line.startswith("VmHWM:")]
                self.largest = max(self.largest, *(int(line.split()[1]) / 1024 for line in peaks), 0)
            time.sleep(0.02)

    def _statuses(self) -> Iterator[str]:
        pids = [str(self._process.pid)]
        try:
            pids += Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text().split()
            for pid in pids:
                yield Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return


def imported(env: dict[str, str], *arguments: object, given: IO[bytes] | None = None) -> tuple[dict[str, Any], float]:
    command = [ROLLCALL, "import", *map(str, arguments), "--server", "old", "--create", "--format", "json"]
    with subprocess.Popen(command, env=env, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        watch = Watch(process)
        assert process.stdout
        summary = json.loads(process.stdout.read())
    assert process.returncode == 3
    return summary, watch.largest


def test_hostile_files_are_named_and_the_others_read(migrated_env: dict[str, str], tmp_path: Path) -> None:
    for name, content in hostile().items():
        write(tmp_path / "in" / name, content)
    write(tmp_path / "in" / "z-good.xml", GOOD)
    summary, largest = imported(migrated_env, tmp_path / "in")
    told: dict[str, str] = {}
    for one in summary["problems"]:
        name = Path(one["name"].partition(": ")[0]).name
        told.setdefault(name, f"{one['state']} {one['damage']}".strip())
        assert one["sentence"].endswith("."), one
    assert told == TOLD
    assert largest < LARGEST_MB


def test_one_endless_text_by_standard_input(migrated_env: dict[str, str]) -> None:
    before, after = GOOD.split(b"<name>", 1)
    text = f"for _ in range(400): w(b'n' * {MEGABYTE})"
    command = f"import sys\nw = sys.stdout.buffer.write\nw({before + b'<name>'!r})\n{text}\nw({after!r})"
    with subprocess.Popen(["python3", "-c", command], stdout=subprocess.PIPE) as writer:
        summary, largest = imported(migrated_env, "-", "/nowhere", given=writer.stdout)
    assert (summary["new"], summary["damaged"], summary["unreadable"]) == (1, 0, 1)
    assert largest < LARGEST_MB


@pytest.mark.parametrize("people", [15_000])
def test_a_multitude(migrated_env: dict[str, str], tmp_path: Path, people: int) -> None:
    write(tmp_path / "in" / "events.xml", multitude(people))
    summary, largest = imported(migrated_env, tmp_path / "in", "/nowhere")
    assert (summary["new"], summary["people"]) == (1, people)
    assert largest < LARGEST_MB


def multitude(people: int) -> bytes:
    """One meeting with so many, each of whom joins once."""
    start = 1_684_314_000_000
    meeting = f"{7:040x}-{start}"

    def event(module: str, name: str, at: int, children: str) -> str:
        head = f'<event timestamp="{at - start}" module="{module}" eventname="{name}">'
        return f"{head}{children}<timestampUTC>{at}</timestampUTC></event>\n"

    joins = (
        event(
            "PARTICIPANT",
            "ParticipantJoinEvent",
            start + 20 * number,
            f"<userId>w_{number:012x}</userId><externalUserId>u{number}</externalUserId><role>VIEWER</role><name>N</name>",
        )
        for number in range(people)
    )
    end = event("PARTICIPANT", "EndAndKickAllEvent", start + 20 * people + 60_000, "<reason>ENDED</reason>")
    head = f'<recording meeting_id="{meeting}" bbb_version="2.6.1"><meeting id="{meeting}" externalId="x" name="Big"/>'
    return "".join((head, *joins, end, "</recording>")).encode()
