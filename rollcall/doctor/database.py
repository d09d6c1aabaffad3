"""Whether what is acknowledged survives a power cut, and names are found quickly."""

from __future__ import annotations

from django.db import connection

from rollcall.core.errors import RollcallError
from rollcall.doctor.findings import Finding, fault, warning
from rollcall.store import name_index
from rollcall.store.durability import require_durable

ABOUT = "database"
_HINTS = {
    "sqlite": "Use a SQLite of 3.34 or later with FTS5, and start Rollcall again.",
    "postgresql": "Install PostgreSQL's extension pg_trgm (package postgresql-contrib), let the database's owner run"
    " CREATE EXTENSION pg_trgm, and start Rollcall again.",
}
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB"}


def check() -> list[Finding]:
    """Ask the database itself."""
    try:
        require_durable()
    except RollcallError as error:
        return [fault(ABOUT, error)]
    name = _NAMES.get(connection.vendor, connection.vendor)
    return [Finding(ABOUT, f"{name} keeps what it has committed."), *_names()]


def _names() -> list[Finding]:
    if not name_index.is_missing():
        return []
    sentence = "Names are looked for row by row, which takes long with many people: there is no index of their letters."
    return [warning(ABOUT, sentence, _HINTS[connection.vendor])]
