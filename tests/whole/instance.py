"""A `rollcall serve` of its own: started, asked, stopped."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROLLCALL = str(Path(sys.executable).with_name("rollcall"))
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    text: str


@dataclass(frozen=True)
class Instance:
    """A running one; `log` is what it wrote to standard error."""

    env: Mapping[str, str]
    url: str
    process: subprocess.Popen[str]
    log: Path

    @property
    def data(self) -> Path:
        return Path(self.env["ROLLCALL_DATA"])

    def connect(self) -> http.client.HTTPConnection:
        """A connection to be kept alive."""
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("POST", path, body, headers)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())

    def tell(self, program: str, *arguments: str) -> str:
        """What a small program says that works on the same database."""
        return tell(self.env, program, *arguments)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def running(env: Mapping[str, str], home: Path, *arguments: str) -> Iterator[Instance]:
    """`rollcall serve` on a free port until the block ends."""
    log = home / "serve.log"
    with log.open("a") as stderr:
        command = [ROLLCALL, "serve", "--port", "0", *arguments]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Rollcall listens on "), log.read_text()
        yield Instance(env, line.split()[-1], process, log)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)
        process.stdout.close()


def tell(env: Mapping[str, str], program: str, *arguments: str) -> str:
    """What a small program says that works on the database of this environment."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def register(env: Mapping[str, str], name: str, secret: str, *urls: str) -> None:
    """A server with hooks that its operator registered; the server itself is nowhere."""
    hooks = [word for url in urls for word in ("--hook-url", url)]
    told = {**env, "ROLLCALL_SERVER_SECRET": secret}
    rollcall(told, "server", "add", f"http://{name}/bigbluebutton/", "--name", name, "--no-check", *hooks)


def rollcall(env: Mapping[str, str], *arguments: str) -> str:
    """What a command prints."""
    return subprocess.run([ROLLCALL, *arguments], env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
