"""The tasks shared out among processes, and their results added up."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import structlog

from rollcall.importing.exchange import Failed, Progress, Reply, Task
from rollcall.importing.finding import Found
from rollcall.importing.layers import CHUNK, Source, Tolerant
from rollcall.importing.outcomes import Outcome, Results, State, Tally
from rollcall.importing.tasks import Streamed, Tasks
from rollcall.importing.working import Target

DIED = "The process that read it died ({}); it is left out."
STOPPING_SECONDS = 30.0

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sharing:
    """One import under way. `tell` is called with each outcome that a person should look at, one after the other."""

    target: Target
    paths: Sequence[str]
    command: Sequence[str]
    """Starts a process that serves (exchange.serve); {lifeline} and {connection} stand for file descriptors."""
    standard_input: Source
    tell: Callable[[Outcome], None]
    tally: Tally = field(default_factory=Tally)
    done_bytes: int = 0
    failure: Failed | None = None
    _is_over: bool = False
    _is_streaming: bool = False
    _under_way: int = 0
    _taking: threading.Lock = field(default_factory=threading.Lock)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _tasks: Tasks = field(init=False)
    _next: Iterator[Task | Streamed | None] = field(init=False)
    _lifeline: tuple[int, int] = field(default_factory=os.pipe)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tasks = Tasks(self.paths, self.standard_input, self._complain, self.note)
        self._next = iter(self._tasks)

    def start(self, processes: int) -> None:
        """Begin, with so many of them."""
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(processes)]
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether all is done, after so long at most."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join(seconds)
                break
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Let the processes end, wherever they are: what is not finished is done again another time."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        with suppress(OSError):
            os.close(self._lifeline[1])
        for thread in self._threads:
            thread.join(STOPPING_SECONDS)

    def note(self, size: int) -> None:
        """So many bytes of the disk more are done."""
        with self._changed:
            self.done_bytes += size

    # -- in the threads, one for each process ---------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._do_all()
        except NotStartedError as error:
            self._fail(Failed(str(error), "See what it said above; more memory, or fewer of them (--processes)."))
        except Exception as error:
            logger.exception("The import failed by a fault of Rollcall")
            self._fail(Failed(f"The import failed: {type(error).__name__}.", "This is a fault of Rollcall."))

    def _do_all(self) -> None:
        process: _Process | None = None
        while task := self._take():
            process = process or self._start_process()
            reply, process = self._do(process, task)
            self._finish(task, reply)
        if process:
            process.end()

    def _start_process(self) -> _Process:
        return _Process(self.command, self.target, self._lifeline[0])

    def _do(self, process: _Process, task: Task | Streamed) -> tuple[Results | Failed, _Process | None]:
        """What became of it, and the process if it still lives."""
        try:
            reply = process.do(task, self.note)
        except (EOFError, OSError):
            return self._after_death(task, process.end()), None
        if isinstance(reply, Results) and isinstance(task, Task):
            items = [task.items[number] for number in reply.archives]
            self._tasks.archives.extend(Found(item.path, item.size, item.modified_at) for item in items)
        return reply, process

    def _after_death(self, task: Task | Streamed, status: int) -> Results | Failed:
        """Of many files one was guilty: each is tried by itself, in a process of its own."""
        items = task.task.items if isinstance(task, Streamed) else task.items
        if self._is_over:
            return Results()
        if len(items) == 1:
            return Results((Outcome(items[0].name, State.UNREADABLE, sentence=DIED.format(_told(status))),))
        added = Results()
        for item in items:
            reply, process = self._do(self._start_process(), Task((item,)))
            if process:
                process.end()
            if isinstance(reply, Failed):
                return reply
            added = added.plus(reply)
        return added

    def _take(self) -> Task | Streamed | None:
        """Something to do; waits while only those at work know whether there is more. None when all is done."""
        with self._taking:
            while True:
                with self._changed:
                    while self._is_streaming and not self._is_over:
                        self._changed.wait()
                    if self._is_over or self.failure:
                        return None
                    is_last = not self._under_way
                task = next(self._next)
                with self._changed:
                    if task is not None:
                        self._under_way += 1
                        self._is_streaming = isinstance(task, Streamed)
                        return task
                    if is_last:
                        self._is_over = True
                    elif self._under_way and not self._tasks.archives:
                        self._changed.wait()

    def _finish(self, task: Task | Streamed, reply: Results | Failed) -> None:
        with self._changed:
            self._under_way -= 1
            if isinstance(task, Streamed):
                self._is_streaming = False
            if isinstance(reply, Failed):
                self.failure = self.failure or reply
            else:
                self._add(reply)
            self._changed.notify_all()

    def _fail(self, failure: Failed) -> None:
        with self._changed:
            self.failure = self.failure or failure
            self._is_over = True
            self._changed.notify_all()

    def _add(self, results: Results) -> None:
        self.tally.add(results)
        for outcome in results.outcomes:
            if outcome.is_trouble:
                self.tell(outcome)

    def _complain(self, outcome: Outcome) -> None:
        with self._changed:
            self._add(Results((outcome,)))


def _told(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


class NotStartedError(Exception):
    """No process could be started; the argument is a sentence."""


class _Process:
    """One of those that do tasks, started."""

    def __init__(self, command: Sequence[str], target: Target, lifeline: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            words = [word.format(lifeline=lifeline, connection=theirs.fileno()) for word in command]
            inherited = (lifeline, theirs.fileno())
            try:
                # What it prints is for people, and standard output is for results.
                self._process = subprocess.Popen(words, pass_fds=inherited, stdin=subprocess.DEVNULL, stdout=2)  # noqa: S603 - words of our own
            except OSError as error:
                raise NotStartedError(f"A process that reads cannot be started: {error}.") from error
        self._connection = Connection(ours.detach())
        try:
            self._connection.send(target)
            self._connection.recv()
        except (EOFError, OSError) as error:
            raise NotStartedError(f"A process that reads ended at once ({_told(self.end())}).") from error

    def do(self, task: Task | Streamed, note: Callable[[int], None]) -> Results | Failed:
        """What became of it; EOFError or OSError if the process died of it."""
        if isinstance(task, Streamed):
            self._connection.send(task.task)
            self._stream(task.content)
        else:
            self._connection.send(task)
        while isinstance(reply := self._next_reply(), Progress):
            note(reply.size)
        return reply

    def _next_reply(self) -> Reply:
        reply: Reply = self._connection.recv()
        return reply

    def _stream(self, content: Source) -> None:
        """In pieces; where it cannot be read on it just ends, and is found to break off."""
        tolerant = Tolerant(content)
        while piece := tolerant.read(CHUNK):
            self._connection.send_bytes(piece)
        self._connection.send_bytes(b"")

    def end(self) -> int:
        """Let it go; its exit status."""
        self._connection.close()
        try:
            return self._process.wait(STOPPING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
