"""Databases with all tables and no rows: made once for a whole run of the tests, copied for everybody else.

Making the tables takes seconds on each kind of database, a copy none; that they can be made from nothing is what
tests/store/test_upgrade.py and the tests of the first start show.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from tests import databases
from tests.servers import copy_database

SQLITE = "sqlite"


class Templates:
    """One of each kind, in a folder that all processes of the run share; the first that asks makes it."""

    def __init__(self, folder: Path, fresh: Callable[[str], str]) -> None:
        """Take what gives the address of a fresh, empty database of a kind, as ROLLCALL_DATABASE_URL takes it."""
        self._folder = folder
        self._fresh = fresh

    def copy(self, kind: str, sqlite: Path) -> str:
        """Give the address of a copy; that of a SQLite database is "", and it lies at `sqlite`."""
        made = self._made(kind)
        if kind == SQLITE:
            sqlite.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(made, sqlite)
            return ""
        return copy_database(made.read_text(encoding="ascii"))

    def _made(self, kind: str) -> Path:
        """The database itself, or the file that holds its address."""
        made, draft = self._folder / f"tables-{kind}", self._folder / f"draft-{kind}"
        with (self._folder / f"making-{kind}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                url = "" if kind == SQLITE else self._fresh(kind)
                with databases.default_database(url, draft):
                    databases.migrate()
                if url:
                    draft.write_text(url, encoding="ascii")
                draft.rename(made)
        return made
