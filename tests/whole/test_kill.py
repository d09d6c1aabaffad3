"""kill -9, again and again, while signed webhooks stream in: what was acknowledged is in the log, once.

`make faults` raises the number of kills by ROLLCALL_KILLS. A kill leaves the machine's memory alone, so this says
nothing about a power cut: that part is promised by the database's settings (store.durability).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.servers import free_port
from tests.whole.instance import ROLLCALL, register, tell

# Each of the four things that are killed, three times; each costs a start of everything.
KILLS = int(os.environ.get("ROLLCALL_KILLS", "12"))
SENDERS = 4
PATIENCE_SECONDS = 90
# A child that died just before the end would, rightly, be told by the exit status.
NOTICING_SECONDS = 1

HOOK = "https://rollcall.example.org/hooks/k1llk1llk1llk1llk1ll"
SECRET = "kill-secret"

_READ = """
import json
from rollcall.cli.database import open_database
open_database()
from rollcall.store.models import Fact, Meeting, SetAside
facts = Fact.objects.order_by("meeting", "seq").values_list("meeting", "seq", "payload")
print(json.dumps({
    "facts": [[meeting, seq, bytes(payload).decode()] for meeting, seq, payload in facts],
    "last": dict(Meeting.objects.values_list("pk", "last_seq")),
    "aside": SetAside.objects.count(),
}))
"""


def test_kill_9_loses_nothing_acknowledged_and_stores_nothing_twice(
    migrated_env: dict[str, str], tmp_path: Path
) -> None:
    stream_and_kill(Serve(migrated_env, tmp_path), KILLS)


@pytest.mark.parametrize("migrated_url", ["postgresql", "mariadb"], indirect=True)
def test_on_a_database_of_its_own_too(migrated_url: str, instance_env: dict[str, str], tmp_path: Path) -> None:
    env = instance_env | {"ROLLCALL_DATABASE_URL": migrated_url}
    stream_and_kill(Serve(env, tmp_path), max(2, KILLS // 10))


def stream_and_kill(serve: Serve, kills: int) -> None:
    """One run: senders never stop, the server often does, and in the end the log is compared with what was answered."""
    chance = random.Random(kills)
    register(serve.env, "killed", SECRET, HOOK)
    stream = Stream(serve.port)
    with serve.running(), stream.flowing():
        for number in range(kills):
            stream.expect_more()
            time.sleep(chance.uniform(0, 0.3))
            serve.kill_something(number, chance)
        stream.expect_more()
        time.sleep(NOTICING_SECONDS)
    compare(json.loads(tell(serve.env, _READ)), stream, kills)


def compare(log: Mapping[str, Any], stream: Stream, kills: int) -> None:
    """Everything acknowledged once, nothing twice, no gap in any meeting."""
    stored = Counter(_participant(payload) for _, _, payload in log["facts"])
    lost = stream.acknowledged - stored.keys()
    assert not lost, f"{len(lost)} of {len(stream.acknowledged)} acknowledged facts are not in the log"
    assert max(stored.values()) == 1
    assert len(stream.acknowledged) > 10 * kills
    assert log["aside"] == 0
    seqs: dict[str, list[int]] = {}
    for meeting, seq, _ in log["facts"]:
        seqs.setdefault(str(meeting), []).append(seq)
    assert all(found == list(range(1, log["last"][meeting] + 1)) for meeting, found in seqs.items())


def _participant(payload: str) -> str:
    return str(json.loads(payload)["data"]["attributes"]["user"]["internal-user-id"])


@dataclass
class Serve:
    """`rollcall serve` in a process group of its own, on one port for all its lives."""

    env: dict[str, str]
    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Started at the beginning; at the end it stops when told to, and says that all was well."""
        self.start()
        try:
            yield
            assert self.process
            self.process.terminate()
            assert self.process.wait(timeout=PATIENCE_SECONDS) == 0, (self.home / "log").read_text()
        finally:
            self.kill_all()

    def start(self) -> None:
        command = [ROLLCALL, "serve", "--port", str(self.port)]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, start_new_session=True)

    def kill_something(self, number: int, chance: random.Random) -> None:
        """In turn: everything, a beginner that is not up yet, the web process, the worker."""
        match number % 4:
            case 0:
                self.kill_all()
                self.start()
            case 1:
                self.kill_all()
                self.start()
                time.sleep(chance.uniform(0, 1.5))
                self.kill_all()
                self.start()
            case 2:
                self.kill_child("web")
            case 3:
                self.kill_child("worker")

    def kill_all(self) -> None:
        """The whole process group, which is ours alone."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill_child(self, name: str) -> None:
        """One of the two that the first process keeps running."""
        assert self.process
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if name.encode() in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                    os.kill(int(child), signal.SIGKILL)


@dataclass
class Stream:
    """Several relays, each sending one delivery after the other, and the same again until it is acknowledged."""

    port: int
    acknowledged: set[str] = field(default_factory=set)
    _ends: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def flowing(self) -> Iterator[None]:
        """Inside the block the senders send."""
        senders = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        try:
            yield
        finally:
            self._ends.set()
            for sender in senders:
                sender.join()

    def expect_more(self) -> None:
        """Wait until something is acknowledged that was not before."""
        before, give_up = len(self.acknowledged), time.monotonic() + PATIENCE_SECONDS
        while len(self.acknowledged) < before + 2 * SENDERS:
            assert time.monotonic() < give_up, "nothing is acknowledged any more"
            time.sleep(0.01)

    def _send(self, sender: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        number = 0
        while not self._ends.is_set():
            number += 1
            participants = [f"w_{sender}x{number}x{part}" for part in range(1 + number % 3)]
            body = delivery(f"{sender:040x}-{1_795_309_405_123 + number // 25}", participants)
            if self._deliver(connection, body):
                self.acknowledged.update(participants)
            time.sleep(0.003)
        connection.close()

    def _deliver(self, connection: http.client.HTTPConnection, body: bytes) -> bool:
        """Again and again, as a relay does."""
        while not self._ends.is_set():
            if post(connection, body):
                return True
            connection.close()
            time.sleep(0.02)
        return False


def post(connection: http.client.HTTPConnection, body: bytes) -> bool:
    """Whether a whole answer was read, and was 200."""
    checksum = sha1(HOOK.encode() + body + SECRET.encode(), usedforsecurity=False).hexdigest()
    path = f"/hooks/{HOOK.rpartition('/')[2]}?checksum={checksum}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    assert answer.status in {200, 503}, answer.status
    return answer.status == 200


def delivery(meeting: str, participants: list[str]) -> bytes:
    """A form as bbb-webhooks sends it, with one join per participant."""
    elements = [
        {
            "data": {
                "type": "event",
                "id": "user-joined",
                "attributes": {
                    "meeting": {"internal-meeting-id": meeting, "external-meeting-id": "kill-42-7"},
                    "user": {"internal-user-id": participant, "external-user-id": participant, "name": "Ada"},
                },
                "event": {"ts": 1_795_309_405_123},
            }
        }
        for participant in participants
    ]
    return urlencode({"domain": "b", "event": json.dumps(elements), "timestamp": 1}).encode()
