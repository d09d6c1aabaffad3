"""`rollcall serve` as an operator meets it: what it prints, what it survives, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.whole.instance import PATIENCE_SECONDS, ROLLCALL, register, running


def children(process: int) -> dict[str, int]:
    """The processes it has started, by the command each runs."""
    found = {}
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
        if "rollcall.cli.child" in words:
            found[words[words.index("rollcall.cli.child") + 2]] = int(child)
    return found


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def wait_until(claim: object, what: str) -> None:
    assert callable(claim)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        assert time.monotonic() < give_up, f"{what} did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_well_when_told_to(instance_env: dict[str, str], tmp_path: Path, number: int) -> None:
    with running(instance_env, tmp_path) as instance:
        assert instance.ask("GET", "/health").status == 200
        assert instance.ask("GET", "/hooks/x").status == 405
        assert instance.post("/hooks/x", b"").status == 403
        assert instance.post("/behind/a/proxy/hooks/x/", b"").status == 403
        wait_until(lambda: len(children(instance.process.pid)) == 2, "the start of the worker")
        started = children(instance.process.pid)
        assert started.keys() == {"web", "worker"}
        assert instance.stop(number) == 0
        assert not any(map(is_alive, started.values()))


def test_a_second_start_finds_everything_in_place(instance_env: dict[str, str], tmp_path: Path) -> None:
    data = Path(instance_env["ROLLCALL_DATA"])
    keys = set()
    for _ in range(2):
        with running(instance_env, tmp_path) as instance:
            assert instance.ask("GET", "/health").status == 200
            assert instance.stop() == 0
        keys.add((data / "secret-key").read_text())
    assert len(keys) == 1
    assert (data / "secret-key").stat().st_mode & 0o077 == 0
    assert data.stat().st_mode & 0o077 == 0


def test_the_folder_can_be_named_on_the_command_line(instance_env: dict[str, str], tmp_path: Path) -> None:
    with running(instance_env, tmp_path, "--data", str(tmp_path / "elsewhere")):
        assert (tmp_path / "elsewhere" / "rollcall.sqlite3").exists()
    assert not Path(instance_env["ROLLCALL_DATA"]).exists()


def test_a_child_that_is_killed_is_started_again_and_callers_wait_for_it(
    migrated_env: dict[str, str], tmp_path: Path
) -> None:
    with running(migrated_env, tmp_path) as instance:
        wait_until(lambda: len(children(instance.process.pid)) == 2, "the start of the worker")
        before = children(instance.process.pid)
        os.kill(before["web"], signal.SIGKILL)
        assert instance.ask("GET", "/health").status == 200
        os.kill(before["worker"], signal.SIGKILL)

        def are_new() -> bool:
            after = children(instance.process.pid)
            return len(after) == len(before) and not set(before.values()) & set(after.values())

        wait_until(are_new, "the new start of both")
        assert instance.stop() == 0
        assert "web ended (-9); starting it again" in instance.log.read_text()


def test_both_children_end_with_a_parent_that_was_killed_and_the_port_is_free_again(
    migrated_env: dict[str, str], tmp_path: Path
) -> None:
    with running(migrated_env, tmp_path) as instance:
        wait_until(lambda: len(children(instance.process.pid)) == 2, "the start of the worker")
        orphans = children(instance.process.pid)
        port = instance.url.rpartition(":")[2]
        instance.process.kill()
        instance.process.wait()
        with running(migrated_env, tmp_path, "--port", port) as second:
            assert second.ask("GET", "/health").status == 200
            wait_until(lambda: not any(map(is_alive, orphans.values())), "the end of the orphans")


def test_a_taken_port_is_told_in_a_sentence(instance_env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [ROLLCALL, "serve", "--port", str(port)], env=instance_env, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert f"Rollcall cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ROLLCALL_DATABASE_URL", "oracle://x/y", "ROLLCALL_DATABASE_URL starts with oracle://"),
        ("ROLLCALL_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none", "The database cannot be reached"),
        ("ROLLCALL_DATA", "/proc/nowhere", "The data folder cannot be used"),
        ("ROLLCALL_PORT", "many", "ROLLCALL_PORT is 'many'"),
    ],
)
def test_what_cannot_work_ends_at_once_and_says_why(
    instance_env: dict[str, str], name: str, value: str, sentence: str
) -> None:
    env = instance_env | {name: value}
    done = subprocess.run([ROLLCALL, "serve"], env=env, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_help_answers_without_loading_what_commands_need(instance_env: dict[str, str]) -> None:
    done = subprocess.run(
        [ROLLCALL, "--help"],
        env=instance_env | {"PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "serve" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"django", "httpx", "rich", "typer", "msgspec", "structlog", "asyncio"}


def signed_body() -> bytes:
    """What a relay in bearer mode posts for somebody who joins now."""
    user = {"internal-user-id": "w_q1w2e3r4t5y6", "external-user-id": "4711", "name": "Ada", "role": "VIEWER"}
    attributes = {"meeting": {"internal-meeting-id": "m-1", "external-meeting-id": "m"}, "user": user}
    now = time.time_ns() // 1_000_000
    return json.dumps({"data": {"id": "user-joined", "attributes": attributes, "event": {"ts": now}}}).encode()


BEARER = {"Authorization": "Bearer s3cret"}
HOOK = "https://ra.example.org/hooks/token"


def test_a_message_under_way_is_stored_before_the_end(migrated_env: dict[str, str], tmp_path: Path) -> None:
    """A body whose second half comes after SIGTERM is still read, stored and acknowledged."""
    with running(migrated_env, tmp_path) as instance:
        register(migrated_env, "bbb.invalid", "s3cret", HOOK)
        body = signed_body()
        head = (
            "POST /hooks/token HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection = instance.connect()
        connection.connect()
        connection.sock.sendall(head.encode() + body[:50])
        time.sleep(0.2)
        stopping = threading.Thread(target=instance.stop)
        stopping.start()
        time.sleep(0.3)
        connection.sock.sendall(body[50:])
        assert connection.sock.recv(4096).startswith(b"HTTP/1.1 200")
        connection.close()
        stopping.join()
        assert instance.process.returncode == 0
    with contextlib.closing(sqlite3.connect(instance.data / "rollcall.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM store_fact WHERE source = 'mapped'").fetchone() == (1,)


_ADDRESS = """
from rollcall.cli.database import open_database
open_database()
from zoneinfo import ZoneInfo
from rollcall.live.access import stream_address
from rollcall.live.snapshot import View
from rollcall.store.models import Meeting
print(stream_address(View(Meeting.objects.get().pk, ZoneInfo("UTC"), "en")), end="")
"""


def test_open_streams_of_clients_that_do_nothing_hold_no_stop_up(migrated_env: dict[str, str], tmp_path: Path) -> None:
    with running(migrated_env, tmp_path) as instance, contextlib.ExitStack() as open_streams:
        register(migrated_env, "bbb.invalid", "s3cret", HOOK)
        assert instance.post("/hooks/token", signed_body(), BEARER).status == 200
        address = instance.tell(_ADDRESS)
        streams = []
        for _ in range(50):
            connection = open_streams.enter_context(contextlib.closing(instance.connect()))
            connection.request("GET", address)
            streams.append(connection.getresponse())
        assert {stream.status for stream in streams} == {200}
        assert all(stream.readline().startswith(b"retry:") for stream in streams)
        assert instance.ask("GET", "/health").status == 200
        began = time.monotonic()
        assert instance.stop() == 0
        assert time.monotonic() - began < 20
        for stream in streams:
            stream.read()
