"""Where documents are made: folders that are gone with the process, and how many are made at a time."""

from __future__ import annotations

import atexit
import fcntl
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Final

from rollcall import settings

_LOCK: Final = "lock"
_PREFIX: Final = "pdf-"


class Desks:
    """So many, and who comes when none is free waits for a moment."""

    def __init__(self, count: int, patience: float) -> None:
        self._free = threading.BoundedSemaphore(count)
        self.patience = patience

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Whether there is one, while the block lasts."""
        has_one = self._free.acquire(timeout=self.patience)
        try:
            yield has_one
        finally:
            if has_one:
                self._free.release()


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder, deleted after the block; if the process is killed in it, by the next one that comes here."""
    with _shared() as parent:
        _sweep(parent)
        path = Path(mkdtemp(prefix=_PREFIX, dir=parent))
        held = _locked(path / _LOCK)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        held.close()


def sweep() -> None:
    """Delete what processes left behind that were killed."""
    with _shared() as parent:
        _sweep(parent)


@contextmanager
def _shared() -> Iterator[Path]:
    """The folder of folders, which only one process changes at a time."""
    with (_parent() / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(lock.name).parent


@cache
def _parent() -> Path:
    """Beside what else is Rollcall's; elsewhere for whoever may only read that, and then for this process alone."""
    parent = settings.DATA / "tmp"
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (parent / _LOCK).touch()
    except OSError:
        parent = Path(mkdtemp(prefix="rollcall-"))
        atexit.register(shutil.rmtree, parent, ignore_errors=True)
    return parent


def _sweep(parent: Path) -> None:
    for path in parent.glob(f"{_PREFIX}*"):
        try:
            _locked(path / _LOCK).close()
        except BlockingIOError:
            continue  # somebody works in it
        except OSError:
            pass  # half of it is deleted
        shutil.rmtree(path, ignore_errors=True)


def _locked(path: Path) -> IO[str]:
    """The lock goes with the process, however that ends."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
