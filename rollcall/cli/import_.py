"""`rollcall import`: old records into a server's history, from files, folders and archives of them."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from rollcall.cli import EXIT_FAILED, EXIT_INTERRUPTED, new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_json
from rollcall.core.errors import Misconfigured

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rollcall.importing.outcomes import Outcome, Tally
    from rollcall.importing.progress import Total
    from rollcall.importing.working import Target

app = new_app("Old records: events.xml, data.json, callback bodies, folders and archives of them.")

EXIT_TROUBLE = 3
MOST_PROCESSES = 64

# How often the line is drawn anew on a terminal, and a new one written elsewhere.
DRAWN_SECONDS, WRITTEN_SECONDS = 0.5, 15.0

CHILD = (sys.executable, "-m", "rollcall.cli.child", "{lifeline}", "import-reader", "{connection}")


@app.command("import")
def import_(  # noqa: PLR0917 - typer passes them by name
    paths: Annotated[list[str], typer.Argument(help="Files, folders, archives; - is standard input.")],
    server: Annotated[str, typer.Option(help="Whose meetings they are; may be left out if there is only one.")] = "",
    create: Annotated[
        bool, typer.Option("--create", help="Make --server if there is none of that name: a history without a server.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything and keep nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Read also what was read before and has not changed.")] = False,
    processes: Annotated[
        int, typer.Option(min=0, max=MOST_PROCESSES, help="How many read at a time; 0 is one for each core.")
    ] = 0,
    errors: Annotated[Path | None, typer.Option(help="A file for what is damaged or cannot be read.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, and of what is wrong only the numbers.")] = False,
    form: Annotated[Form, typer.Option("--format", help="How to write the summary.")] = Form.TABLE,
) -> None:
    """Read old records in; begin again at any time: what was read is passed over, and nothing is kept twice."""
    open_database()
    from rollcall.importing.pools import pool_named
    from rollcall.importing.working import Target

    pool = pool_named(server, may_create=create, is_dry=dry_run)
    target = Target(pool.pk, pool.name, is_dry=dry_run, reads_again=again)
    with _opened(errors) as file:
        run = _Run(target, paths, processes or len(os.sched_getaffinity(0)), _Screen(file, is_quiet=quiet))
        status = run.run()
    run.print_summary(form)
    raise typer.Exit(status)


class _Run:
    """One import, from beginning to summary."""

    def __init__(self, target: Target, paths: list[str], processes: int, screen: _Screen) -> None:
        from rollcall.importing.progress import Rate, Total
        from rollcall.importing.sharing import Sharing

        self._target, self._paths, self._processes, self._screen = target, paths, processes, screen
        self._sharing = Sharing(target, paths, CHILD, sys.stdin.buffer, screen.tell)
        self._total, self._rate = Total(), Rate()
        self._began = time.monotonic()
        self._is_interrupted = False

    def run(self) -> int:
        """Do all of it, and return the exit status."""
        threading.Thread(target=_count, args=(self._paths, self._total), daemon=True).start()
        self._sharing.start(self._processes)
        try:
            while not self._sharing.wait(DRAWN_SECONDS):
                self._show_progress()
        except KeyboardInterrupt:
            self._is_interrupted = True
        self._sharing.stop()
        self._screen.clear()
        return self._ended()

    def _show_progress(self) -> None:
        from rollcall.importing.progress import progress_line

        tally = self._sharing.tally
        self._rate.tell(time.monotonic(), tally.documents, self._sharing.done_bytes)
        self._screen.draw(progress_line(tally, self._sharing.done_bytes, self._total, self._rate))

    def _ended(self) -> int:
        failure = self._sharing.failure
        if failure is not None:
            self._screen.say(f"rollcall: {failure.sentence}\n          {failure.hint}")
        if failure is not None or self._is_interrupted:
            self._screen.say("          What is done is done: the same command goes on from here.")
        if failure is not None:
            return EXIT_FAILED
        if not self._target.is_dry:
            from rollcall.importing.keeping import fold_rest

            fold_rest(self._target.pool)
        if self._is_interrupted:
            return EXIT_INTERRUPTED
        return EXIT_TROUBLE if self._sharing.tally.trouble else 0

    def print_summary(self, form: Form) -> None:
        """On standard output."""
        seconds = time.monotonic() - self._began
        if form is Form.JSON:
            print_json(self._as_json(seconds))
        else:
            print("\n".join(_as_lines(self._sharing.tally, self._sharing.done_bytes, seconds, self._target)))

    def _as_json(self, seconds: float) -> dict[str, object]:
        from rollcall.importing.progress import summary

        tally = self._sharing.tally
        return {
            "server": self._target.pool_name,
            "dry_run": self._target.is_dry,
            "finished": self._sharing.failure is None and not self._is_interrupted,
            **summary(tally),
            "bytes": self._sharing.done_bytes,
            "seconds": round(seconds, 3),
            "problems": [_problem(outcome) for outcome in tally.problems],
            "problems_left_off": tally.left_off,
        }


def _problem(outcome: Outcome) -> dict[str, object]:
    told = asdict(outcome)
    return {name: told[name] for name in ("name", "state", "damage", "sentence", "meeting")}


def _as_lines(tally: Tally, done_bytes: int, seconds: float, target: Target) -> list[str]:
    from rollcall.importing.progress import size_text, summary, time_text

    numbers = summary(tally)
    words = {
        "new": "kept" if not target.is_dry else "would be kept",
        "known": "known already",
        "damaged": "of these damaged: kept as far as they can be read",
        "unreadable": "cannot be read",
        "refused": "not wanted: capture is switched off for them",
        "unfolded": "kept, but not folded yet",
    }
    lines = [
        f"{numbers[name]:>9,}  {sentence}"
        for name, sentence in words.items()
        if numbers[name] or name in {"new", "known"}
    ]
    if not target.is_dry:
        lines.append(f"{numbers['meetings']:>9,}  meetings folded, with {numbers['people']:,} people")
    rate = f" ({size_text(done_bytes / seconds)}/s)" if seconds > 0 else ""
    return [f"{target.pool_name}:", *lines, f"{size_text(done_bytes)} in {time_text(seconds)}{rate}"]


def _count(paths: list[str], total: Total) -> None:
    """What there is to read, counted beside the reading: a walk that keeps nothing."""
    from rollcall.importing.finding import STANDARD_INPUT, find

    for found in find(paths, lambda _path, _sentence: None):
        total.files += 1
        total.size += found.size
    total.is_known = STANDARD_INPUT not in paths


def _opened(errors: Path | None) -> AbstractContextManager[IO[str] | None]:
    if errors is None:
        return nullcontext()
    try:
        return errors.open("w", encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"The file for --errors cannot be written: {error}", hint="Name another one.") from error


class _Screen:
    """Standard error: a line that is drawn again and again, and what is wrong above it."""

    def __init__(self, errors: IO[str] | None, *, is_quiet: bool) -> None:
        self._errors, self._is_quiet = errors, is_quiet
        self._is_terminal = sys.stderr.isatty()
        self._next = time.monotonic() + WRITTEN_SECONDS
        self._lock = threading.Lock()

    def draw(self, line: str) -> None:
        """On a terminal in place of the last one; elsewhere now and then."""
        if self._is_quiet:
            return
        with self._lock:
            if self._is_terminal:
                print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)
            elif time.monotonic() > self._next:
                self._next = time.monotonic() + WRITTEN_SECONDS
                print(line, file=sys.stderr, flush=True)

    def tell(self, outcome: Outcome) -> None:
        """What is wrong with one file."""
        line = f"{outcome.name}: {outcome.sentence}"
        with self._lock:
            if self._errors:
                print(line, file=self._errors, flush=True)
            if not self._is_quiet:
                self._clear()
                print(line, file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """What must be seen."""
        with self._lock:
            self._clear()
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Away with the line."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        if self._is_terminal and not self._is_quiet:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
