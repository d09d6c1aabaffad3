"""Where tests write what nobody reads afterwards: into memory, where this machine has enough of it.

The databases wait for the disk at each commit, as they have to; on a disk that waiting is most of what tests would do.
Nothing is switched off for it: memory answers the same calls, at once. TMPDIR=/tmp puts everything on the disk again.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made in it has a name nobody can guess
_DISK = Path("/tmp")  # noqa: S108 - the same
_ROOM_BYTES = 4 << 30


def write_into_memory() -> None:
    """From now on temporary folders of this process and its children lie there, unless somebody named a TMPDIR."""
    if "TMPDIR" not in os.environ and _has_room():
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def shallow() -> Path:
    """A folder with a short path every account may pass through: the path of a socket ends at 107 bytes."""
    return _MEMORY if Path(tempfile.gettempdir()) == _MEMORY else _DISK


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
