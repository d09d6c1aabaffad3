"""One file or member read: the document in it, or a sentence that says why there is none."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from rollcall.bbb.documents import Document, NoMeeting, keep_callback, keep_recording
from rollcall.bbb.redact import NotUnderstood
from rollcall.core.errors import Refused
from rollcall.importing.finding import cannot_be_read
from rollcall.importing.layers import (
    DEEPEST,
    HEAD,
    Allowance,
    Counted,
    Form,
    Peeking,
    Source,
    Tolerant,
    Unreadable,
    members,
    packer_of,
    unwrapped,
)
from rollcall.importing.outcomes import State

# What rollcall takes by HTTP too: a callback of some thousand people.
LARGEST_JSON = 16 * 1024 * 1024
# What lies in an archive was counted when it came out of it.
FREE_OF_MEMBER = 1024 * 1024

EXPECTED_NAMES = {"events.xml", "data.json"}
OF_WHICH_MEETING = (
    "It does not say which meeting it is of: put it into a folder that is named by the meeting's internal id."
)
_MEETING = re.compile(r"[^/]+-[0-9]{13}")
_CALLBACK_MARKS = (b'"internal_meeting_id"', b'"ext_user_id"', b'"attendees"')

DAMAGES = {
    "truncated": "It breaks off; what stands before the break is kept.",
    "malformed": "It is damaged; what stands before the damage is kept.",
    "doctype": "It declares a document type, which no record of BigBlueButton does; it is not read on from there.",
    "blank-events": "Some of its events are blank: they had expired before BigBlueButton wrote them down.",
    "odd-events": "Some of its events have no time that could be, and are left out.",
    "no-end": "It does not tell of the meeting's end: events may be missing.",
}


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be read: a file of the disk, or a member of an archive with its content."""

    path: str
    size: int
    modified_at: int
    key: bytes
    is_named: bool = False
    member: str = ""
    content: bytes | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.path}: {self.member}" if self.member else self.path


@dataclass(frozen=True, slots=True)
class Read:
    """One document, or none and why. `state` is NEW until somebody has looked whether it is held."""

    name: str
    state: State = State.NEW
    damage: str = ""
    sentence: str = ""
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads for one pool. `note` is told how many bytes of the disk were read."""

    pool: int
    pool_name: str
    note: Callable[[int], None]

    def read(self, item: Item, streamed: Source | None = None) -> Iterator[Read]:
        """What is in it: one document, or many if it is an archive inside an archive."""
        if streamed is not None:
            yield from self._unfold(streamed, item.name, item.member, FREE_OF_MEMBER, is_named=item.is_named)
        elif item.content is not None:
            source = _Bytes(item.content)
            yield from self._unfold(source, item.name, item.member, FREE_OF_MEMBER, is_named=False)
        else:
            yield from self._file(item)

    def _file(self, item: Item) -> Iterator[Read]:
        try:
            file = os.open(item.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            yield Read(item.name, State.UNREADABLE, sentence=cannot_be_read(error))
            return
        try:
            yield from self._plain(_Noted(file, self.note), item)
        finally:
            os.close(file)

    def _plain(self, source: Source, item: Item) -> Iterator[Read]:
        """A file of the disk; its archives are somebody else's, who shares out what is in them."""
        allowance = Allowance()
        try:
            form, stream = unwrapped(Counted(source, allowance), allowance)
        except Unreadable as unreadable:
            yield Read(item.name, State.UNREADABLE, sentence=str(unreadable))
        except OSError as error:
            yield Read(item.name, State.UNREADABLE, sentence=cannot_be_read(error))
        else:
            if form is Form.TAR:
                yield Read(item.name, State.ARCHIVE)
            else:
                yield self._document(form, stream, item.name, item.path, is_named=item.is_named)

    def _unfold(
        self, source: Source, name: str, path: str, free: int, *, is_named: bool, depth: int = 1
    ) -> Iterator[Read]:
        """A member, and where it is an archive too, its members."""
        allowance = Allowance(free)
        try:
            form, stream = unwrapped(Counted(source, allowance), allowance)
            if form is not Form.TAR:
                yield self._document(form, stream, name, path, is_named=is_named)
                return
            for member in members(stream) if depth < DEEPEST else ():
                inner = f"{name}: {member.name}"
                yield from self._unfold(member.content, inner, member.name, free, is_named=False, depth=depth + 1)
        except Unreadable as unreadable:
            yield Read(name, State.UNREADABLE, sentence=str(unreadable))
        else:
            if depth >= DEEPEST:
                yield Read(name, State.UNREADABLE, sentence="It is packed more often than any record is.")

    def _document(self, form: Form, stream: Peeking, name: str, path: str, *, is_named: bool) -> Read:
        is_expected = is_named or _plain_name(path) in EXPECTED_NAMES
        tolerant = Tolerant(stream)
        try:
            match form:
                case Form.RECORDING:
                    return self._recording(tolerant, name)
                case Form.JSON:
                    return self._callback(tolerant, name, path, is_expected=is_expected)
                case _:
                    return _none_of_ours(form, stream, name, is_expected=is_expected)
        except NotUnderstood as error:
            sentence = tolerant.fault or _not_understood(error)
            return _unreadable(name, sentence, is_expected=is_expected or form is Form.RECORDING)
        except Refused as refused:
            return Read(name, State.UNREADABLE, refused.code, str(refused))
        except (MemoryError, RecursionError):
            return Read(name, State.UNREADABLE, sentence="It is too large or too deep to be read.")

    def _recording(self, stream: Tolerant, name: str) -> Read:
        document = keep_recording(stream, self.pool_name, received_at=_now(), pool=self.pool)
        return _judged(name, document, stream.fault)

    def _callback(self, stream: Tolerant, name: str, path: str, *, is_expected: bool) -> Read:
        body = Peeking(stream).read_exactly(LARGEST_JSON + 1)
        is_ours = is_expected or any(mark in body for mark in _CALLBACK_MARKS)
        if len(body) > LARGEST_JSON:
            return _unreadable(name, "It is larger than a callback can be.", is_expected=is_ours)
        if stream.fault:
            return _unreadable(name, stream.fault, is_expected=is_ours)
        try:
            document = keep_callback(
                body, self.pool_name, received_at=_now(), pool=self.pool, meeting=_meeting_named(path)
            )
        except NoMeeting:
            return _unreadable(name, OF_WHICH_MEETING, is_expected=is_ours)
        except NotUnderstood as error:
            return _unreadable(name, _not_understood(error), is_expected=is_ours)
        return _judged(name, document, "")


def _judged(name: str, document: Document, fault: str) -> Read:
    """A document, and in what way it is damaged if it is."""
    damage = document.damage or ("truncated" if fault else "")
    if not damage and not document.is_whole:
        damage = "blank-events" if document.blank_events else "odd-events" if document.odd_events else "no-end"
    return Read(name, damage=damage, sentence=fault or sentence_of(damage), document=document)


def sentence_of(damage: str) -> str:
    """A code of damage as a sentence; nothing for no damage."""
    return DAMAGES.get(damage, f"It is damaged ({damage}).") if damage else ""


def _none_of_ours(form: Form, stream: Peeking, name: str, *, is_expected: bool) -> Read:
    match form:
        case Form.EMPTY:
            sentence = "It is empty."
        case Form.PACKED:
            sentence = f"It is {packer_of(stream.peek(HEAD))}: unpack it, or make it a tar.gz."
        case _:
            sentence = "It is no events.xml, callback body or archive of them."
    return _unreadable(name, sentence, is_expected=is_expected)


def _unreadable(name: str, sentence: str, *, is_expected: bool) -> Read:
    """Below a folder lie other things too, and nobody is told about each of them."""
    return Read(name, State.UNREADABLE if is_expected else State.IGNORED, sentence=sentence)


def _not_understood(error: NotUnderstood) -> str:
    return f"It is not understood: {str(error).rstrip('.')}."


def _plain_name(path: str) -> str:
    return PurePath(path).name.lower().removesuffix(".gz")


def _meeting_named(path: str) -> str:
    """The internal meeting id by which BigBlueButton names the folder of a data.json, which does not hold it."""
    folder = PurePath(path).parent.name
    return folder if _MEETING.fullmatch(folder) and folder.isprintable() else ""


def _now() -> int:
    return time.time_ns() // 1_000_000


class _Noted:
    """A file of the disk, read without Python's buffer; somebody is told how far it is."""

    def __init__(self, file: int, note: Callable[[int], None]) -> None:
        self._file, self._note = file, note

    def read(self, size: int, /) -> bytes:
        data = os.read(self._file, size)
        self._note(len(data))
        return data


class _Bytes:
    """What is in memory already."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)

    def read(self, size: int, /) -> bytes:
        data, self._content = self._content[:size], self._content[size:]
        return bytes(data)
