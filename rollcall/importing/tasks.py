"""What is to be read, in portions: files of the disk, and the members of archives, which are never unpacked to it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from rollcall.importing.exchange import Task
from rollcall.importing.finding import STANDARD_INPUT, Found, cannot_be_read, find
from rollcall.importing.journal import key_of_file
from rollcall.importing.layers import (
    Allowance,
    Counted,
    Form,
    Member,
    Peeking,
    Source,
    Tolerant,
    Unreadable,
    members,
    unwrapped,
)
from rollcall.importing.outcomes import Outcome, State
from rollcall.importing.reading import Item

# One task: enough that a commit is shared, little enough that all processes end at about the same time.
TASK_FILES = 64
TASK_BYTES = 8 * 1024 * 1024
# A member up to this size is handed over whole, so that the archive can be read on meanwhile.
WHOLE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Streamed:
    """A task whose only file is too large to be handed over whole, or of a size that nobody knows."""

    task: Task
    content: Source


@dataclass(slots=True)
class Tasks:
    """All tasks of some paths, for one taker at a time. `complain` is told of what cannot be read at all."""

    paths: Sequence[str]
    standard_input: Source
    complain: Callable[[Outcome], None]
    note: Callable[[int], None]
    archives: deque[Found] = field(default_factory=deque)
    """Files that turned out to be archives: whoever found that out puts them here."""

    def __iter__(self) -> Iterator[Task | Streamed | None]:
        """Never ends: None says that there is nothing just now."""
        gathered = _Gathered()
        for found in find(self.paths, self._refuse):
            if found.path == STANDARD_INPUT:
                yield from self._inside(found, _Noted(self.standard_input.read, self.note))
            elif task := gathered.add(_item_of_file(found), found.size):
                yield task
            yield from self._known_archives()
        yield from gathered.rest()
        while True:
            yield from self._known_archives()
            yield None

    def _known_archives(self) -> Iterator[Task | Streamed]:
        while self.archives:
            yield from self._archive(self.archives.popleft())

    def _archive(self, found: Found) -> Iterator[Task | Streamed]:
        try:
            file = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self._refuse(found.path, cannot_be_read(error))
            return
        try:
            yield from self._inside(found, _Noted(partial(os.read, file), self.note))
        finally:
            os.close(file)

    def _inside(self, found: Found, source: Source) -> Iterator[Task | Streamed]:
        """The members of an archive, or the one document that comes by standard input."""
        allowance = Allowance()
        gathered = _Gathered()
        try:
            form, stream = unwrapped(Counted(source, allowance), allowance)
            if form is not Form.TAR:
                item = Item(found.path, 0, 0, b"", is_named=True, member="standard input")
                yield Streamed(Task((item,), is_streamed=True), stream)
                return
            for member in members(stream):
                if member.size > WHOLE_BYTES:
                    yield Streamed(Task((_item_of_member(found, member, None),), is_streamed=True), member.content)
                elif task := gathered.add(_whole(found, member), member.size):
                    yield task
        except Unreadable as unreadable:
            self._refuse(found.path, str(unreadable))
        except OSError as error:
            self._refuse(found.path, cannot_be_read(error))
        yield from gathered.rest()

    def _refuse(self, path: str, sentence: str) -> None:
        self.complain(Outcome(path, State.UNREADABLE, sentence=sentence))


class _Gathered:
    """Items until they are enough for a task."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._size = 0

    def add(self, item: Item, size: int) -> Task | None:
        """One more; the task if it is full with it."""
        self._items.append(item)
        self._size += size
        if self._size < TASK_BYTES and len(self._items) < TASK_FILES:
            return None
        return next(self.rest())

    def rest(self) -> Iterator[Task]:
        """What has gathered."""
        if self._items:
            task = Task(tuple(self._items))
            self._items, self._size = [], 0
            yield task


def _item_of_file(found: Found) -> Item:
    return Item(found.path, found.size, found.modified_at, key_of_file(found.path), is_named=found.is_named)


def _whole(found: Found, member: Member) -> Item:
    """All of it; where the archive breaks off inside it, what stands before the break."""
    content = Peeking(Tolerant(member.content)).read_exactly(member.size)
    return _item_of_member(found, member, content)


def _item_of_member(found: Found, member: Member, content: bytes | None) -> Item:
    key = key_of_file(found.path, member.name)
    return Item(found.path, member.size, member.modified_at, key, member=member.name, content=content)


class _Noted:
    """What comes from outside; somebody is told how much of it was read."""

    def __init__(self, read: Callable[[int], bytes], note: Callable[[int], None]) -> None:
        self._read, self._note = read, note

    def read(self, size: int, /) -> bytes:
        data = self._read(size)
        self._note(len(data))
        return data
