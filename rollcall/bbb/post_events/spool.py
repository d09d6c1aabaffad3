"""What is owed, on disk: a small file for each meeting, written before anything is sent; no name, no secret.

A file says for each destination ("lms", "rollcall"; "reading" before either is known) how often it was tried, when it
is tried next and what was said. Beside it lies a hard link to events.xml, since that may be tidied away meanwhile.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import time
import zlib
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
LOCKS = 16


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

    __slots__ = ("folder",)

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def open(self) -> None:
        """Make the folder, for this user alone."""
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            probe = self._path("writable", ".tmp")
            _write(probe, "")
            os.unlink(probe)
        except OSError as error:
            raise Trouble(f"the spool {self.folder} cannot be written ({error.strerror})") from None

    def read(self, meeting: str) -> Entry | None:
        """What is remembered of this meeting; a file that is damaged remembers nothing."""
        try:
            with open(self._path(meeting, ".json"), encoding="utf-8") as file:
                return _entry_of(file.read())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, entry: Entry) -> None:
        """Remember it, whole or not at all."""
        path = self._path(entry.meeting, ".json")
        deliveries = {name: one.as_json() for name, one in sorted(entry.deliveries.items())}
        found = {"meeting": entry.meeting, "added_at": entry.added_at, "seen": entry.seen, "deliveries": deliveries}
        try:
            _write(path + ".tmp", json.dumps(found, sort_keys=True) + "\n")
            os.replace(path + ".tmp", path)
        except OSError as error:
            raise Trouble(f"the spool {self.folder} cannot be written ({error.strerror})") from None

    def meetings(self) -> list[str]:
        """Every meeting it remembers, the oldest first."""
        try:
            names = [name[:-5] for name in os.listdir(self.folder) if name.endswith(".json")]
        except OSError:
            return []
        return sorted((name for name in names if MEETING_ID.match(name)), key=lambda name: name.rpartition("-")[2])

    def keep_events(self, meeting: str, path: str) -> None:
        """Hold on to this file; where no link can be made it is taken to stay where it is."""
        kept = self.kept_events(meeting)
        try:
            if os.path.exists(kept) and os.path.samefile(kept, path):
                return
            _unlink(kept)
            os.link(path, kept)
        except OSError:
            return

    def kept_events(self, meeting: str) -> str:
        """Where the link is."""
        return self._path(meeting, ".xml")

    def forget_events(self, meeting: str) -> None:
        """The file is not needed any more."""
        _unlink(self.kept_events(meeting))

    def forget(self, meeting: str) -> None:
        """Nothing of this meeting is left."""
        self.forget_events(meeting)
        _unlink(self._path(meeting, ".json"))

    def remove(self) -> None:
        """Nothing at all is left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def lock(self, meeting: str, seconds: float) -> Lock:
        """The right to send this meeting, for which it waits so long."""
        number_of_lock = zlib.crc32(meeting.encode("utf-8")) % LOCKS
        return Lock(os.path.join(self.folder, f"lock-{number_of_lock}"), seconds)

    def _path(self, meeting: str, ending: str) -> str:
        return os.path.join(self.folder, meeting + ending)


class Lock:
    """Held by one process at a time; the system lets go of it when that process ends, however it ends."""

    __slots__ = ("_descriptor", "_path", "_seconds")

    def __init__(self, path: str, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._descriptor = -1

    def __enter__(self) -> bool:
        """Whether it could be had."""
        until = time.monotonic() + self._seconds
        try:
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            return True  # without a spool there is nothing to quarrel over
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    return False
                time.sleep(0.05)
            except OSError:
                return True  # a file system without locks
            else:
                return True

    def __exit__(self, *_: object) -> None:
        if self._descriptor != -1:
            os.close(self._descriptor)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
