"""The three servers that are measured, each a process of its own on a free port."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.requests import HOOK, SECRET

GRANIAN = str(Path(sys.executable).with_name("granian"))
ROLLCALL = str(Path(sys.executable).with_name("rollcall"))
READY_SECONDS = 30.0
# A meeting that is watched is folded a second after its last; an idle worker only looks now and then.
IDLE_SECONDS, IDLE_SHARE, IDLE_WITHIN_SECONDS = 2.0, 0.1, 60.0

PREPARE = """
import sys
from rollcall.cli.database import open_database
open_database()
from rollcall.store.models import Hook, Pool, Secret, Server
from rollcall.store.sealing import seal
server = Server.objects.create(pool=Pool.objects.create(name="bench"), api_url="http://127.0.0.1:9/bigbluebutton/api/",
                               added_at=0, watcher="nobody", watched_until=2**62)
Secret.objects.create(server=server, encrypted=seal(sys.argv[2]), added_at=0)
Hook.objects.create(server=server, registered_url=sys.argv[1], token=sys.argv[1].rpartition("/")[2], added_at=0)
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. `web` is the process that does, `worker` the one that folds `data`, where there is one."""

    port: int
    web: int
    worker: int | None = None
    data: Path | None = None

    def make_busy(self) -> None:
        """As if somebody looked at every meeting there is: the worker folds each of them every second."""
        if self.worker and self.data:
            with contextlib.closing(sqlite3.connect(self.data / "rollcall.sqlite3", timeout=20)) as database, database:
                database.execute("UPDATE store_meeting SET watched_until = 9000000000000")

    def wait_until_idle(self) -> None:
        """Return when the worker has folded what is due: the next measurement is not to pay for this one."""
        until = time.monotonic() + IDLE_WITHIN_SECONDS
        while self.worker and time.monotonic() < until:
            before = cpu_seconds(self.worker)
            time.sleep(IDLE_SECONDS)
            if cpu_seconds(self.worker) - before < IDLE_SECONDS * IDLE_SHARE:
                return


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A data folder for one measurement."""
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as made:
        yield Path(made)


def environment(data: Path) -> dict[str, str]:
    """Nothing of whatever instance the machine has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
    return kept | {"ROLLCALL_DATA": str(data), "DJANGO_SETTINGS_MODULE": "rollcall.settings"}


@contextlib.contextmanager
def ok() -> Iterator[Running]:
    """The bare server."""
    port = free_port()
    with _process([sys.executable, "-m", "bench.ok_server", str(port)], dict(os.environ)) as process:
        wait_for_answer(port)
        yield Running(port, process.pid)


@contextlib.contextmanager
def plain_django(interface: str = "wsgi") -> Iterator[Running]:
    """The plain Django view: by WSGI with one thread, its best, or by ASGI, as Rollcall itself is served."""
    port = free_port()
    with folder() as data:
        threads = ("--blocking-threads", "1") if interface == "wsgi" else ()
        options = ("--interface", interface, *threads, "--backlog", "2048", "--no-ws", "--log-level", "error")
        command = [GRANIAN, *options, "--port", str(port), f"bench.django_server:{interface}"]
        with _process(command, environment(data)) as process:
            wait_for_answer(port)
            yield Running(port, process.pid)


@contextlib.contextmanager
def rollcall(*, has_worker: bool) -> Iterator[Running]:
    """`rollcall serve`, or its web process alone."""
    with folder() as data, serve(data) if has_worker else web(data) as running:
        yield running


@contextlib.contextmanager
def serve(data: Path, *, is_prepared: bool = False) -> Iterator[Running]:
    """The whole of it."""
    if not is_prepared:
        prepare(data)
    port = free_port()
    with _process([ROLLCALL, "serve", "--port", str(port)], environment(data)) as process:
        wait_for_answer(port)
        yield Running(port, _child_named(process.pid, "web"), _child_named(process.pid, "worker"), data)


@contextlib.contextmanager
def web(data: Path) -> Iterator[Running]:
    """The process that answers, and no worker beside it."""
    prepare(data)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        lifeline, ours = os.pipe()
        numbers = (str(lifeline), "web", str(listener.fileno()))
        command = [sys.executable, "-m", "rollcall.cli.child", *numbers]
        try:
            with _process(command, environment(data), (lifeline, listener.fileno())) as process:
                port = listener.getsockname()[1]
                wait_for_answer(port)
                yield Running(port, process.pid)
        finally:
            os.close(lifeline)
            os.close(ours)


def prepare(data: Path) -> None:
    """A server with one hook that nobody polls."""
    subprocess.run([sys.executable, "-c", PREPARE, HOOK, SECRET], env=environment(data), check=True)


def wait_for_answer(port: int) -> float:
    """Return when /health was answered (by anything); the seconds it took from this call."""
    began = time.perf_counter()
    while time.perf_counter() - began < READY_SECONDS:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if connection.recv(64):
                    return time.perf_counter() - began
        except ConnectionError:
            time.sleep(0.005)
    raise TimeoutError(f"nothing answers on port {port}")


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def resident_mb(process: int) -> float:
    """The memory of a process that is not swapped out."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(process)


def cpu_seconds(process: int) -> float:
    """How long a process has computed."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _child_named(process: int, name: str) -> int:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
            if name.encode() in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
        time.sleep(0.05)
    raise ProcessLookupError(name)


@contextlib.contextmanager
def _process(
    command: list[str], env: dict[str, str], inherited: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=env, pass_fds=inherited, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
