"""`rollcall simulate`, as a process of its own."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from rollcall.simulate.signing import digest
from tests.serving import on_a_port

ROLLCALL = str(Path(sys.executable).parent / "rollcall")


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROLLCALL, "simulate", *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_class_is_written_as_signed_requests_and_the_same_for_a_seed() -> None:
    once = simulate("--people", "3", "--minutes", "5", "--seed", "4")
    lines = [json.loads(line) for line in once.stdout.splitlines()]
    assert len(lines) > 10
    for line in lines:
        checksum = line["path"].rpartition("checksum=")[2]
        signed = f"http://127.0.0.1:8000/hooks/simulated-token{line['body']}simulated-secret"
        assert checksum == digest("sha1", signed)
    assert simulate("--people", "3", "--minutes", "5", "--seed", "4").stdout == once.stdout
    assert simulate("--people", "3", "--minutes", "5", "--seed", "5").stdout != once.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--generation", "9"), "3.5.0"),
        (("--auth", "Z"), "A, B, C, D"),
        (("--fault", "gremlins"), "missing-leave"),
        (("--algorithm", "md5"), "sha256"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(arguments: tuple[str, ...], told: str) -> None:
    found = simulate(*arguments)
    assert found.returncode == 1
    assert told in found.stderr
    assert "Traceback" not in found.stderr


class _TakesNothing(BaseHTTPRequestHandler):
    asked: queue.SimpleQueue[str]

    def do_POST(self) -> None:
        self.asked.put(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(501)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _interrupted(found: subprocess.Popen[bytes]) -> bytes:
    """What it says when somebody presses Ctrl-C; on a busy machine the first may be lost, and they press it again."""
    for _ in range(3):
        found.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return found.communicate(timeout=20)[1]
    raise AssertionError("it does not end")


def test_what_is_not_taken_is_told() -> None:
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    handler = type("Handler", (_TakesNothing,), {"asked": asked})
    with on_a_port(handler) as port:
        url = f"http://127.0.0.1:{port}/hooks/x"
        with subprocess.Popen(
            [ROLLCALL, "simulate", "--people", "1", "--minutes", "1", "--url", url, "--speed", "100000"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as found:
            try:
                first, again = asked.get(timeout=60), asked.get(timeout=60)  # it goes on trying, as the relay would
                told = _interrupted(found)
            finally:
                found.kill()
    assert first.partition("?")[0] == again.partition("?")[0] == "/hooks/x"
    assert found.returncode == 130
    assert b"Traceback" not in told


def test_it_can_be_a_server() -> None:
    found = subprocess.Popen([ROLLCALL, "simulate", "--listen", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert found.stdout
        url = found.stdout.readline().split()[-1]
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert b"SUCCESS" in answer.read()
    finally:
        found.terminate()
        found.communicate(timeout=60)
