"""What the process that shares out the work and those that do it say to each other, over one connection each."""

from __future__ import annotations

import resource
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from django.db import Error

from rollcall.core.errors import RollcallError
from rollcall.importing.outcomes import Results
from rollcall.importing.reading import Item
from rollcall.importing.working import Target, Work

NOTE_SECONDS = 0.5
# What no record needs; a file that makes us ask for more is unreadable, and the machine goes on.
MEMORY_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Task:
    """Files to read. If `is_streamed`, it is one, whose content follows in pieces until an empty one."""

    items: tuple[Item, ...]
    is_streamed: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """So many bytes of the disk more are done."""

    size: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The task cannot be done now, and no other one either: the database does not take it."""

    sentence: str
    hint: str


Reply = Progress | Results | Failed


def serve(connection: Connection) -> None:
    """Learn where to, then do tasks until the other end is gone."""
    _bound_memory()
    with suppress(EOFError, ConnectionError):
        target: Target = connection.recv()
        connection.send(Progress(0))
        while True:
            task: Task = connection.recv()
            _do(task, connection, target)


def _do(task: Task, connection: Connection, target: Target) -> None:
    notes = _Notes(connection)
    streamed = _Streamed(connection) if task.is_streamed else None
    try:
        reply: Reply = Work(target, notes.note).do(task.items, streamed)
    except RollcallError as error:
        reply = Failed(str(error), error.hint)
    except Error as error:
        reply = Failed(f"The database does not answer: {type(error).__name__}.", "See that it runs, and begin again.")
    if streamed:
        streamed.finish()
    notes.send()
    connection.send(reply)


def _bound_memory() -> None:
    """Of what this process asks for itself; its libraries are not counted."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


class _Notes:
    """Tells now and then how many bytes are done."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._size = 0
        self._next = time.monotonic() + NOTE_SECONDS

    def note(self, size: int) -> None:
        self._size += size
        if time.monotonic() > self._next:
            self.send()

    def send(self) -> None:
        if self._size:
            self._connection.send(Progress(self._size))
        self._size, self._next = 0, time.monotonic() + NOTE_SECONDS


class _Streamed:
    """The content of one file, which comes in pieces."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._piece = b""
        self._is_over = False

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        if not self._piece and not self._is_over:
            self._piece = self._connection.recv_bytes()
            self._is_over = not self._piece
        data, self._piece = self._piece[:size], self._piece[size:]
        return data

    def finish(self) -> None:
        """Let the rest pass."""
        while not self._is_over:
            self._is_over = not self._connection.recv_bytes()
