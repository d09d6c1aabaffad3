"""A document drawn in parts, each in a process of its own whose memory is bounded, and joined with its tags kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import structlog

from rollcall.core.errors import RollcallError
from rollcall.reports.pdf import desks
from rollcall.reports.pdf.cells import Row
from rollcall.reports.pdf.printable import Printable
from rollcall.wording.translating import gettext as _

ROWS_OF_A_PART: Final = 1_000
"""Of usual ones; of rows that weigh more as many fewer."""

AT_ONCE: Final = min(2, os.cpu_count() or 1)
"""Parts that are drawn at a time: each takes a core, and 150 MB."""

LEFT_OVER: Final = 100
MEMORY_OF_A_PART: Final = 1 << 30
"""Of address space, which is more than what is used: a part of 1,000 rows uses a fifth of it."""

MEMORY_OF_JOINING: Final = 2 << 30
SECONDS: Final = 120.0
"""More than any part takes on a slow machine; a part that takes longer never ends."""

_HERE: Final = Path(__file__).parent
_ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "2", "RAYON_NUM_THREADS": "2", "LANG": "C.UTF-8"}
"""A child needs nothing of ours, and on a machine of many cores not all of them."""

logger = structlog.get_logger(__name__)


class NotPrinted(RollcallError):
    """A document could not be drawn: a fault of ours or of the machine."""

    code = "not-printed"
    status = 500


@dataclass(frozen=True, slots=True)
class Document:
    """What all parts share: `frame` for the template, `files` beside it (pictures, a logo), `stamp` in seconds."""

    frame: Mapping[str, Any]
    rows: Iterator[Row]
    printable: Printable
    stamp: int
    weight: float = 1.0
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: Callable[[], Sequence[str]] = tuple
    progress: Callable[[int], None] = lambda _done: None


def render(document: Document) -> bytes:
    """The whole of it as PDF; the same bytes for the same data and stamp."""
    with desks.folder() as folder:
        return _Desk(folder, document).render()


@dataclass(slots=True)
class _Desk:
    """The folder in which one document is made."""

    folder: Path
    document: Document
    _linked: set[Path] = field(default_factory=set)
    _done: int = 0

    def render(self) -> bytes:
        self._lay_out()
        names = []
        with ThreadPoolExecutor(AT_ONCE) as threads:
            drawing: deque[tuple[Future[None], int]] = deque()
            try:
                for number, (rows, is_last) in enumerate(_in_parts(self.document.rows, self.document.weight)):
                    names.append(name := f"part-{number}")
                    self._write_part(name, rows, is_first=number == 0, is_last=is_last)
                    run = threads.submit(self._draw, name)
                    drawing.append((run, len(rows)))
                    self._wait(drawing, leave=AT_ONCE)  # one more lies ready
                self._wait(drawing, leave=0)
            finally:
                for run, _rows in drawing:
                    run.cancel()
        parts = [self.folder / f"{name}.pdf" for name in names]
        whole = parts[0] if len(parts) == 1 else self._join(parts)
        return whole.read_bytes()

    def _wait(self, drawing: deque[tuple[Future[None], int]], *, leave: int) -> None:
        """Until no more than so many are being drawn; tell of those that are done."""
        while len(drawing) > leave:
            run, rows = drawing.popleft()
            run.result()
            self._done += rows
            self.document.progress(self._done)

    def _lay_out(self) -> None:
        (self.folder / "fonts").mkdir()
        for template in ("report.typ", "pages.typ"):
            shutil.copy(_HERE / template, self.folder)
        for name, content in self.document.files.items():
            (self.folder / name).write_bytes(content)
        self._write("frame.json", self.document.frame)

    def _write_part(self, name: str, rows: Sequence[Row], *, is_first: bool, is_last: bool) -> None:
        part = {
            "rows": rows,
            "is_first": is_first,
            "is_last": is_last,
            "is_whole": is_first and is_last,
            "notes": self.document.notes() if is_last else (),
            "fonts": self._fonts(),
        }
        self._write(f"{name}.json", part)

    def _fonts(self) -> list[str]:
        """The families so far, their files where the child looks for them; a name of ours, as it may be any."""
        chosen = self.document.printable.fonts
        for path in chosen.files:
            if path not in self._linked:
                (self.folder / "fonts" / f"{len(self._linked)}{path.suffix}").symlink_to(path)
                self._linked.add(path)
        return chosen.names

    def _write(self, name: str, content: object) -> None:
        (self.folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    def _join(self, parts: Sequence[Path]) -> Path:
        self._write("numbers.json", {"fonts": self._fonts()})
        stamp = str(self.document.stamp)
        self._run("merging.py", MEMORY_OF_JOINING, str(self.folder), stamp, *map(str, parts))
        return self.folder / "whole.pdf"

    def _draw(self, name: str) -> None:
        self._run("child.py", MEMORY_OF_A_PART, str(self.folder), name, str(self.document.stamp))

    def _run(self, program: str, memory: int, *arguments: str) -> None:
        bounds = [str(_HERE / "bounds.py"), str(memory), str(int(SECONDS) + 1)]
        command = [sys.executable, "-I", *bounds, str(_HERE / program), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - a program of ours, with paths of ours
                command, env=_ENVIRONMENT, stderr=subprocess.PIPE, check=False, timeout=SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _not_printed() from error
        said = done.stderr.decode(errors="replace")[-2000:]
        if done.returncode:
            logger.error("A part of a PDF could not be drawn", program=program, status=done.returncode, said=said)
            raise _not_printed()
        if said:
            logger.warning("A part of a PDF was drawn less strictly", said=said)


def _in_parts(rows: Iterator[Row], weight: float) -> Iterator[tuple[list[Row], bool]]:
    """Pieces of about so many rows, each with whether it is the last; there is always one.

    A group stays with its rows, and a few that are left over are worth no piece of their own.
    """
    usual = max(1, int(ROWS_OF_A_PART / weight))
    most = usual + int(LEFT_OVER / weight)
    part = list(islice(rows, most))
    while len(part) == most:
        cut = max(1, usual - isinstance(part[usual - 1], dict))
        yield part[:cut], False
        part = part[cut:] + list(islice(rows, cut))
    yield part, True


def _not_printed() -> NotPrinted:
    return NotPrinted(
        _("The PDF could not be made."),
        hint=_("Try again; if it lasts, take CSV or XLSX, and tell whoever runs Rollcall."),
    )
