"""`rollcall serve`: a small process that keeps two others, web and worker, running."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Annotated

import typer

from rollcall import environment
from rollcall.cli import EXIT_FAILED, new_app
from rollcall.cli.child import EXIT_HOPELESS
from rollcall.core.errors import Misconfigured

app = new_app()

BACKLOG = 2048
# The process before us may still be finishing what it had begun.
PORT_PATIENCE_SECONDS = 5.0
READY_SECONDS = 60.0
STOPPING_SECONDS = 30.0
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
# A child that ran so long was well: its next pause is the shortest again.
WELL_SECONDS = 60.0
# A child that is told to stop before it has begun to listen to signals had nothing in hand.
ENDED_WELL = (0, -signal.SIGTERM, -signal.SIGINT)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; also ROLLCALL_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port; 0 takes a free one; also ROLLCALL_PORT.")
    ] = None,
) -> None:
    """Web pages, webhooks and worker; makes its database; prints the address."""
    listener = listen(
        environment.HOST.read() if host is None else host,
        environment.PORT.read_whole_number() if port is None else port,
    )
    if not asyncio.run(Supervisor(listener).run()):
        raise typer.Exit(EXIT_FAILED)


def listen(host: str, port: int) -> socket.socket:
    """The socket both ends of a restart share: while the web process is away, callers wait in its queue."""
    until = time.monotonic() + PORT_PATIENCE_SECONDS
    while True:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, protocol)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE and time.monotonic() < until:
                time.sleep(0.1)
                continue
            raise Misconfigured(
                f"Rollcall cannot listen on {host}, port {port}: {error}",
                hint="Name others with --host and --port; --port 0 takes a free port.",
            ) from error
        return listener


def address_of(listener: socket.socket) -> str:
    """What a browser on this machine would open."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # any address of this machine, so the nearest one
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(slots=True)
class Supervisor:
    """Starts web, then worker; starts again what ends by itself; ends when told to."""

    listener: socket.socket
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    is_well: bool = True

    async def run(self) -> bool:
        """Whether everything ended well, once it has ended."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        lifeline, _ours = os.pipe()
        start = (sys.executable, "-m", "rollcall.cli.child", str(lifeline))
        inherited = (lifeline, self.listener.fileno())
        web = _Child("web", (*start, "web", str(self.listener.fileno())), inherited)
        kept = [asyncio.create_task(self._keep(web))]
        if await self._is_answering():
            print(f"Rollcall listens on {address_of(self.listener)}", flush=True)
            self.answering.set()
            worker = _Child("worker", (*start, "worker"), (lifeline,))
            kept.append(asyncio.create_task(self._keep(worker)))
        await self.stopping.wait()
        self.listener.close()
        await asyncio.gather(*kept)
        return self.is_well

    async def _is_answering(self) -> bool:
        """Wait for the first answer, or for the end; the socket listens already, so asking once is enough."""
        asking = asyncio.create_task(_ask_health(self.listener))
        stopping = asyncio.create_task(self.stopping.wait())
        await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        asking.cancel()
        return not self.stopping.is_set()

    async def _keep(self, child: _Child) -> None:
        pause = SHORTEST_PAUSE_SECONDS
        while not self.stopping.is_set():
            began = time.monotonic()
            status = await child.run(self.stopping)
            if self.stopping.is_set():
                self.is_well &= status in ENDED_WELL
                return
            if status == EXIT_HOPELESS and not self.answering.is_set():
                # It has never worked; later the same sentence means that the database is away, and comes back.
                self.is_well = False
                self.stopping.set()
                return
            pause = SHORTEST_PAUSE_SECONDS if time.monotonic() - began > WELL_SECONDS else pause
            print(f"rollcall: {child.name} ended ({status}); starting it again in {pause} s", file=sys.stderr)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    command: tuple[str, ...]
    inherited: tuple[int, ...]

    async def run(self, stopping: asyncio.Event) -> int:
        """Run once; when told to stop, pass it on and wait."""
        process = await asyncio.create_subprocess_exec(*self.command, pass_fds=self.inherited)
        ended = asyncio.create_task(process.wait())
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not ended.done():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait((ended,), timeout=STOPPING_SECONDS)
        if not ended.done():
            print(f"rollcall: {self.name} did not stop within {STOPPING_SECONDS:.0f} s", file=sys.stderr)
            process.kill()
        return await ended


async def _ask_health(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(READY_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            await reader.readline()
            writer.close()
