"""Where tests write what nobody reads afterwards: into memory, where this machine has enough of it.

The databases wait for the disk at each commit, as they have to; on a disk that waiting is most of what tests would do.
Nothing is switched off for it: memory answers the same calls, at once. TMPDIR=/tmp puts everything on the disk again,
where what a failed test has left can be looked at.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made in it has a name nobody can guess
_DISK = Path("/tmp")  # noqa: S108 - the same
_PREFIX = "rollcall-tests-of-"
_ROOM_BYTES = 4 << 30


def write_into_memory() -> None:
    """From now on temporary folders of this process and its children lie there, unless somebody named a TMPDIR."""
    if "TMPDIR" in os.environ:
        return
    _clear_up_after_the_dead()
    if _has_room():
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY)
        Path(folder).chmod(0o711)  # the databases' own account passes through
        os.environ["TMPDIR"] = tempfile.tempdir = folder


def clear_up() -> None:
    """Give the memory back at the end of the process that took it."""
    folder = Path(tempfile.gettempdir())
    if _process_of(folder) == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def shallow() -> Path:
    """A folder with a short path every account may pass through: the path of a socket ends at 107 bytes."""
    folder = Path(tempfile.gettempdir())
    return folder if _process_of(folder) else _DISK


def _clear_up_after_the_dead() -> None:
    """A run that was killed has left everything there."""
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            is_dead = (process := _process_of(folder)) and not Path(f"/proc/{process}").exists()
            if is_dead and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)


def _process_of(folder: Path) -> int:
    """Whose it is; 0 for a folder that none of ours has made."""
    named = re.fullmatch(rf"{_PREFIX}(\d+)-\w+", folder.name) if folder.parent == _MEMORY else None
    return int(named[1]) if named else 0


def _has_room() -> bool:
    """Whether files and programs may lie there, and neither its own bound nor the machine's memory is near."""
    try:
        found = os.statvfs(_MEMORY)
        available = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    except OSError:
        return False
    is_usable = os.access(_MEMORY, os.W_OK | os.X_OK) and not found.f_flag & os.ST_NOEXEC
    rooms = found.f_bavail * found.f_frsize, int(available[1]) * 1024 if available else 0
    return is_usable and min(rooms) > _ROOM_BYTES
