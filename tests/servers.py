"""Real PostgreSQL, MariaDB and Redis for the tests: own processes, free ports, a temporary folder, gone afterwards.

A server that somebody runs already is never used. As root the databases run as an account without rights.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pymysql
import pytest
import redis as redis_client

from tests import scratch
from tests.programs import need

_READY_SECONDS = 60
_PROGRAMS = {
    "postgresql": ("initdb", "postgres"),
    "mariadb": ("mariadb-install-db", "mariadbd"),
    "redis": ("redis-server",),
}


@dataclass(frozen=True)
class Server:
    """Where a server of ours listens, on 127.0.0.1."""

    kind: str
    port: int


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def postgresql(*settings: str) -> Iterator[Server]:
    """A PostgreSQL of its own; `settings` are such as "fsync=off"."""
    initdb, postgres = map(need, _PROGRAMS["postgresql"])
    with _home() as home:
        data, port, account = _owned(home / "data"), free_port(), _account()
        made = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        _run([initdb, *made], **account)
        options = [f"-c{setting}" for setting in ("listen_addresses=127.0.0.1", *settings)]
        command = [postgres, "-D", data, "-p", port, "-k", data, *options]
        with _process(command, home, lambda: _ask_postgresql(port), stop=signal.SIGINT, **account):
            yield Server("postgresql", port)


@contextlib.contextmanager
def mariadb(*settings: str) -> Iterator[Server]:
    """A MariaDB of its own; `settings` are such as "innodb_flush_log_at_trx_commit=2"."""
    install, mariadbd = map(need, _PROGRAMS["mariadb"])
    with _home() as home:
        data, port, account = _owned(home / "data"), free_port(), _account()
        # A tmpdir of its own: in a shared one each server deletes, at its start, what another has just made there.
        common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={_owned(home / 'tmp')}"]
        _run([install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"], **account)
        options = [f"--{setting}" for setting in settings]
        place = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={data}/m.sock"]
        with _process([mariadbd, *common, *place, *options], home, lambda: _ask_mariadb(port), **account):
            yield Server("mariadb", port)


@contextlib.contextmanager
def redis(*settings: str) -> Iterator[Server]:
    """A Redis of its own, with a database for every test; `settings` are such as "maxmemory 1mb"."""
    program = need("redis-server")
    with _home() as home:
        port, account = free_port(), _account()
        place = ["bind 127.0.0.1", f"port {port}", f"dir {_owned(home / 'data')}", 'save ""', "databases 10000"]
        options = [word for setting in (*place, *settings) for word in f"--{setting}".split(" ", 1)]
        with _process([program, *options], home, lambda: _ask_redis(port), **account):
            yield Server("redis", port)


def fresh_database(server: Server) -> str:
    """The address of a new, empty database, as ROLLCALL_DATABASE_URL or ROLLCALL_CACHE_URL takes it.

    It goes with its server: dropping one makes a busy PostgreSQL write everything to the disk first.
    """
    if server.kind == "redis":
        with redis_client.Redis(port=server.port) as client:
            return f"redis://127.0.0.1:{server.port}/{client.incr('databases handed out')}"
    name = _new_name()
    if server.kind == "postgresql":
        _tell_postgresql(server.port, f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{server.port}/{name}"
    _tell_mariadb(server.port, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return f"mysql://root@127.0.0.1:{server.port}/{name}"


def copy_database(url: str) -> str:
    """The address of a new database on the same server with the same tables and rows; nobody may be connected to it."""
    parts, name = urlsplit(url), _new_name()
    if parts.scheme == "postgresql":
        _tell_postgresql(parts.port or 0, f"CREATE DATABASE {name} TEMPLATE {parts.path[1:]}")
    else:
        _copy_mariadb(parts.port or 0, parts.path[1:], name)
    return parts._replace(path=f"/{name}").geturl()


def _copy_mariadb(port: int, source: str, name: str) -> None:
    """MariaDB has no word for it: each table is made as the other one says it was, then filled."""
    with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cursor.execute(f"SHOW TABLES FROM {source}")
        tables = [table for (table,) in cursor.fetchall()]
        connection.select_db(name)
        cursor.execute("SET foreign_key_checks = 0")
        for table in tables:
            cursor.execute(f"SHOW CREATE TABLE {source}.{table}")
            ((_, statement),) = cursor.fetchall()
            cursor.execute(statement)
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {source}.{table}")
        connection.commit()


def _new_name() -> str:
    return f"rollcall_{uuid4().hex[:12]}"


class Desk:
    """Starts each kind of server once, when it is first asked for, and tells every process of the test run its port.

    The process that began the run keeps the desk, so that it is the servers' parent and outlives all workers.
    """

    kinds: ClassVar[dict[str, Callable[[], contextlib.AbstractContextManager[Server]]]] = {
        "postgresql": postgresql,
        "mariadb": mariadb,
        "redis": redis,
    }

    def __init__(self) -> None:
        self._running = contextlib.ExitStack()
        self._answers: dict[str, Server | str] = {}
        self.address = str(self._running.enter_context(_home()) / "desk")
        self._listener = Listener(self.address)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            with self._listener.accept() as asker, contextlib.suppress(EOFError, OSError):
                if (kind := asker.recv()) is None:
                    return
                if kind not in self._answers:
                    self._answers[kind] = self._start(kind)
                asker.send(self._answers[kind])

    def _start(self, kind: str) -> Server | str:
        try:
            return self._running.enter_context(self.kinds[kind]())
        except Exception as error:  # noqa: BLE001 - every test that asks shall be told
            return f"{kind} did not start: {error}"

    def close(self) -> None:
        """Stop every server that was started."""
        with Client(self.address) as client:
            client.send(None)
        self._thread.join()
        self._listener.close()
        self._running.close()


def ask_desk(address: str, kind: str) -> Server:
    """The one server of this kind, started if nobody has asked before; the test is skipped where it cannot be."""
    for program in _PROGRAMS[kind]:
        need(program)
    with Client(address) as desk:
        desk.send(kind)
        answer = desk.recv()
    if isinstance(answer, str):
        pytest.fail(answer, pytrace=False)
    assert isinstance(answer, Server)
    return answer


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """A folder other accounts may pass through; short, because a socket's path ends at 107 bytes."""
    home = Path(tempfile.mkdtemp(prefix="rc-", dir=scratch.shallow()))
    home.chmod(0o711)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _account() -> dict[str, Any]:
    """The arguments of Popen that drop root; nothing to drop for anybody else."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    who = known.get("postgres") or known["nobody"]
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def _owned(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    if account := _account():
        os.chown(folder, account["user"], account["group"])
    return folder


def _run(command: Sequence[object], **account: Any) -> None:
    done = subprocess.run([*map(str, command)], cwd="/", capture_output=True, text=True, check=False, **account)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def _process(
    command: Sequence[object],
    home: Path,
    ask: Callable[[], None],
    *,
    stop: signal.Signals = signal.SIGTERM,
    **account: Any,
) -> Iterator[None]:
    """Runs `command` until the block ends; `ask` raises until the server is ready."""
    log = home / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([*map(str, command)], cwd="/", stdout=out, stderr=out, **account)
    try:
        _wait(process, ask, log)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ask: Callable[[], None], log: Path) -> None:
    give_up = time.monotonic() + _READY_SECONDS
    while True:
        try:
            return ask()
        except (psycopg.OperationalError, pymysql.OperationalError, redis_client.ConnectionError) as error:
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"{process.args!r} is not ready:\n{log.read_text(errors='replace')}") from error
        time.sleep(0.05)


def _tell_postgresql(port: int, statement: str) -> None:
    with psycopg.connect(host="127.0.0.1", port=port, user="postgres", autocommit=True) as connection:
        connection.execute(statement.encode())


def _tell_mariadb(port: int, statement: str) -> None:
    with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _ask_postgresql(port: int) -> None:
    _tell_postgresql(port, "SELECT 1")


def _ask_mariadb(port: int) -> None:
    _tell_mariadb(port, "SELECT 1")


def _ask_redis(port: int) -> None:
    with redis_client.Redis(port=port) as client:
        client.ping()
