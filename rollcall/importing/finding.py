"""The files below some paths, one after the other: however many there are, they are never held all at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Found:
    """One file. `path` is absolute, with bytes that are no text as lone surrogates; `is_named` on the command line."""

    path: str
    size: int
    modified_at: int
    is_named: bool = False


Complaint = Callable[[str, str], None]
"""Called with a path and a sentence that says why nothing of it is read."""


def find(paths: Sequence[str], complain: Complaint) -> Iterator[Found]:
    """Every plain file at or below the paths, in the order of their names; symbolic links are followed, once each."""
    walk = _Walk(complain)
    for path in paths:
        if path == STANDARD_INPUT:
            yield Found(STANDARD_INPUT, 0, 0, is_named=True)
        else:
            yield from walk.enter(os.path.abspath(path))  # noqa: PTH100 - plain strings: there may be millions


Inode = tuple[int, int]


class _Walk:
    """What one walk must remember: the folders above the one it is in, and those it came to by a link."""

    def __init__(self, complain: Complaint) -> None:
        self._complain = complain
        self._linked: set[Inode] = set()

    def enter(self, path: str) -> Iterator[Found]:
        """A path of the command line."""
        try:
            told = os.stat(path)  # noqa: PTH116 - as everywhere here
        except OSError as error:
            self._complain(path, cannot_be_read(error))
            return
        if stat.S_ISDIR(told.st_mode):
            yield from self._below(path, told)
        elif stat.S_ISREG(told.st_mode):
            yield Found(path, told.st_size, told.st_mtime_ns, is_named=True)
        else:
            self._complain(path, "It is neither a file nor a folder.")

    def _below(self, path: str, told: os.stat_result) -> Iterator[Found]:
        """Every file in the folder; without recursion, since folders may lie deeper than Python's stack is high."""
        open_folders = [(_inode(told), self._entries(path))]
        while open_folders:
            entry = next(open_folders[-1][1], None)
            if entry is None:
                open_folders.pop()
            elif (status := self._status(entry)) is None:
                continue
            elif stat.S_ISREG(status.st_mode):
                yield Found(entry.path, status.st_size, status.st_mtime_ns)
            elif self._leads_on(entry, status, {inode for inode, _ in open_folders}):
                open_folders.append((_inode(status), self._entries(entry.path)))

    def _entries(self, path: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(path) as listing:
                return iter(sorted(listing, key=lambda entry: entry.name))
        except OSError as error:
            self._complain(path, cannot_be_read(error))
            return iter(())

    def _status(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        try:
            return entry.stat()
        except FileNotFoundError:  # a link that leads nowhere, or gone since: nothing is missing
            return None
        except OSError as error:
            self._complain(entry.path, cannot_be_read(error))
            return None

    def _leads_on(self, entry: os.DirEntry[str], status: os.stat_result, above: set[Inode]) -> bool:
        """Whether it is a folder to go into: not one we are in, and by links into none twice."""
        inode = _inode(status)
        if not stat.S_ISDIR(status.st_mode) or inode in above:
            return False
        if entry.is_symlink():
            if inode in self._linked:
                return False
            self._linked.add(inode)
        return True


def _inode(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino


def cannot_be_read(error: OSError) -> str:
    """Why the operating system refused, as a sentence."""
    return f"It cannot be read: {error.strerror or type(error).__name__}."


def shown(path: str) -> str:
    """A path as a terminal or JSON takes it: what is no text, or would steer a terminal, is shown as U+FFFD."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in path)
