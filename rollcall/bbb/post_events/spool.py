"""What is owed, on disk: a small file for each meeting, written before anything is sent; no name, no secret.

A file says for each destination ("lms", "rollcall"; "reading" before either is known) how often it was tried, when it
is tried next and what was said. Beside it lie a hard link to events.xml, since that may be tidied away meanwhile; the
lock of whoever sends it just now; and, until the file says so, an empty one whose name says that the meeting has ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import time
from typing import TYPE_CHECKING

from rollcall.bbb.post_events.host import MEETING_ID, Trouble
from rollcall.bbb.post_events.verdict import DONE, FAULT, GONE, LATER, Verdict

if TYPE_CHECKING:
    from typing import Any

SENDING = "sending"  # a try has begun and its end was not written down: it may have arrived
FINISHED = (DONE, GONE)
# Long enough for a request that broke off at our side to have ended at the other.
PAUSE_SECONDS = 5 * 60
FAULT_PAUSE_SECONDS = 15 * 60
LONGEST_PAUSE_SECONDS = 6 * 3600
ENTRY, ASKED, EVENTS, LOCK = ".json", ".asked", ".xml", ".lock"
OWN_NAME = re.compile(r"[0-9a-f]{1,64}-[0-9]{1,20}(\.json|\.json\.tmp|\.asked|\.xml|\.xml\.tmp|\.lock)\Z")


class Delivery:
    """One meeting for one destination."""

    __slots__ = ("at", "is_unsure", "next_at", "said", "state", "tries")

    def __init__(self) -> None:
        self.state = LATER
        self.tries = 0
        self.at = 0
        self.next_at = 0
        self.said = ""
        self.is_unsure = False  # an earlier try may have arrived

    def is_due(self, now: float) -> bool:
        """Whether it is to be tried now, without being told to."""
        return self.state in {LATER, FAULT, SENDING} and self.next_at <= now

    def begin(self, now: float) -> None:
        """A try begins. If it is never ended, the next one waits as after one that broke off."""
        self.is_unsure = self.is_unsure or self.state == SENDING
        self.state = SENDING
        self.tries += 1
        self.at = int(now)
        self.next_at = int(now) + _pause(LATER, self.tries)

    def end(self, verdict: Verdict, now: float, *, was_sent: bool) -> None:
        """A try has ended so."""
        self.state = verdict.kind
        self.said = verdict.said
        self.is_unsure = self.is_unsure or (was_sent and verdict.kind == LATER)
        self.next_at = int(now) + _pause(verdict.kind, self.tries)

    def as_json(self) -> dict[str, Any]:
        """What stands in the file."""
        return {name: getattr(self, name) for name in self.__slots__}


def _pause(kind: str, tries: int) -> int:
    """Twice as long each time, and never the same for two hosts."""
    first = FAULT_PAUSE_SECONDS if kind == FAULT else PAUSE_SECONDS
    longest = min(first * 2 ** min(tries - 1, 20), LONGEST_PAUSE_SECONDS)
    return max(PAUSE_SECONDS, int(longest * random.uniform(0.75, 1.25)))


class Entry:
    """One meeting in the spool."""

    __slots__ = ("added_at", "deliveries", "meeting", "seen")

    def __init__(self, meeting: str, added_at: int) -> None:
        self.meeting = meeting
        self.added_at = added_at
        self.seen: list[int] = []  # size and time of the events.xml that was delivered last
        self.deliveries: dict[str, Delivery] = {}

    def delivery(self, destination: str) -> Delivery:
        """What is owed there."""
        return self.deliveries.setdefault(destination, Delivery())

    def is_finished(self) -> bool:
        """Whether nothing is owed any more."""
        return all(one.state in FINISHED for one in self.deliveries.values())

    def is_due(self, now: float) -> bool:
        """Whether anything is to be tried now."""
        return any(one.is_due(now) for one in self.deliveries.values())


def _entry_of(text: str) -> Entry:
    found = json.loads(text)
    entry = Entry(str(found["meeting"]), int(found["added_at"]))
    entry.seen = list(map(int, found["seen"]))
    for destination, values in found["deliveries"].items():
        delivery = entry.delivery(destination)
        for name in Delivery.__slots__:
            setattr(delivery, name, type(getattr(delivery, name))(values[name]))
    return entry


class Spool:
    """The folder of it."""

    __slots__ = ("_place", "folder")

    def __init__(self, folder: str) -> None:
        self.folder = folder
        # Where a link leads somebody else decides. Nothing can be in /dev/null, so nothing is read or written.
        self._place = os.devnull if os.path.islink(folder) else folder

    def open(self) -> None:
        """Make the folder, for this user alone."""
        if os.path.islink(self.folder):
            raise Trouble(f"the spool {self.folder} is a symbolic link, which is not followed: name the folder itself")
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> Trouble:
        return Trouble(f"the spool {self.folder} cannot be written ({error.strerror})")

    def ask(self, meeting: str) -> None:
        """From now on the meeting is owed, whatever becomes of whoever asks."""
        try:
            _write(self._path(meeting, ASKED), "")
            os.utime(self._path(meeting, ASKED))
        except OSError as error:
            raise self._unwritable(error) from None

    def asked_at(self, meeting: str) -> float | None:
        """When it was asked for, if nobody has heard of it yet."""
        try:
            return os.lstat(self._path(meeting, ASKED)).st_mtime
        except OSError:
            return None

    def hear(self, meeting: str) -> None:
        """Whoever asks from now on asks anew."""
        _unlink(self._path(meeting, ASKED))

    def read(self, meeting: str) -> Entry | None:
        """What is remembered of this meeting; a file that is damaged remembers nothing."""
        try:
            with open(self._path(meeting, ENTRY), encoding="utf-8", opener=_open_plain) as file:
                return _entry_of(file.read())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, entry: Entry) -> None:
        """Remember it, whole or not at all."""
        path = self._path(entry.meeting, ENTRY)
        deliveries = {name: one.as_json() for name, one in sorted(entry.deliveries.items())}
        found = {"meeting": entry.meeting, "added_at": entry.added_at, "seen": entry.seen, "deliveries": deliveries}
        try:
            _write(path + ".tmp", json.dumps(found, sort_keys=True) + "\n")
            os.replace(path + ".tmp", path)
        except OSError as error:
            raise self._unwritable(error) from None

    def meetings(self) -> list[str]:
        """Every meeting it remembers or was asked for, the oldest first."""
        names = {os.path.splitext(name)[0] for name in self._names() if name.endswith((ENTRY, ASKED))}
        return sorted((name for name in names if MEETING_ID.match(name)), key=lambda name: name.rpartition("-")[2])

    def _names(self) -> list[str]:
        try:
            return os.listdir(self._place)
        except OSError:
            return []

    def keep_events(self, meeting: str, path: str) -> None:
        """Hold on to this file; where no link can be made it is taken to stay where it is."""
        kept = self.kept_events(meeting)
        try:
            if os.path.exists(kept) and os.path.samefile(kept, path):
                return
            _unlink(kept + ".tmp")
            os.link(path, kept + ".tmp")
            os.replace(kept + ".tmp", kept)
        except OSError:
            return

    def kept_events(self, meeting: str) -> str:
        """Where the link is."""
        return self._path(meeting, EVENTS)

    def forget_events(self, meeting: str) -> None:
        """The file is not needed any more."""
        _unlink(self.kept_events(meeting))

    def forget(self, meeting: str) -> None:
        """Nothing of this meeting is left."""
        for ending in (EVENTS, ENTRY, ASKED, LOCK):
            _unlink(self._path(meeting, ending))

    def remove(self) -> bool:
        """Take away what is its own, by its name, and the folder if nothing else is in it; False if it stays."""
        try:
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            return not os.path.lexists(self.folder)
        try:
            for name in filter(OWN_NAME.match, os.listdir(folder)):
                _unlink(name, folder)
        finally:
            os.close(folder)
        try:
            os.rmdir(self.folder)
        except OSError:
            return False
        return True

    def lock(self, meeting: str, seconds: float) -> Lock:
        """The right to send this meeting, for which it waits so long."""
        return Lock(self._path(meeting, LOCK), seconds)

    def _path(self, meeting: str, ending: str) -> str:
        return os.path.join(self._place, meeting + ending)


class Lock:
    """Held by one process at a time; the system lets go of it when that process ends, however it ends.

    Its file goes with it. So a lock counts only if the file that was locked still has its name.
    """

    __slots__ = ("_descriptor", "_is_mine", "_path", "_seconds")

    def __init__(self, path: str, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._descriptor = -1
        self._is_mine = False

    def __enter__(self) -> bool:
        """Whether it could be had."""
        until = time.monotonic() + self._seconds
        while True:
            try:
                if self._is_taken():
                    return True
            except BlockingIOError:
                if time.monotonic() >= until:
                    return False
                time.sleep(0.05)
            except OSError:
                return True  # no spool, so nothing to quarrel over; or a file system without locks

    def _is_taken(self) -> bool:
        """False if whoever had it took the file away just now: there may be another."""
        if self._descriptor == -1:
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._is_mine = self._is_named()
        if not self._is_mine:
            self._close()
        return self._is_mine

    def _is_named(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.lstat(self._path))
        except FileNotFoundError:
            return False

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    def __exit__(self, *_: object) -> None:
        if self._is_mine and self._is_named():
            _unlink(self._path)
        if self._descriptor != -1:
            self._close()


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _open_plain(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _unlink(path: str, folder: int | None = None) -> None:
    try:
        os.unlink(path, dir_fd=folder)
    except OSError:
        return
