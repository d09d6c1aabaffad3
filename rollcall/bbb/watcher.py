"""Who a worker is, so that each server is watched by one of them; the same again after a new start on this machine."""

from __future__ import annotations

import contextlib
import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

from rollcall.store.keys import key_of

MOST_WORKERS = 1000


@contextlib.contextmanager
def own_name(folder: Path) -> Iterator[str]:
    """A name nobody else bears while the block lasts: of this machine, this folder and the first free number.

    The lock on the number goes with the process, however that ends, so that its successor need not wait until the
    lease on its servers has run out.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(MOST_WORKERS):
        with (folder / f"worker-{number}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield key_of(socket.gethostname(), str(folder), str(number)).hex()
            return
    raise RuntimeError(f"{MOST_WORKERS} workers run in {folder}")
