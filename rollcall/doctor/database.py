"""Whether what is acknowledged survives a power cut."""

from __future__ import annotations

from django.db import connection

from rollcall.core.errors import RollcallError
from rollcall.doctor.findings import Finding, fault
from rollcall.store.durability import require_durable

ABOUT = "database"
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB"}


def check() -> list[Finding]:
    """Ask the database itself."""
    try:
        require_durable()
    except RollcallError as error:
        return [fault(ABOUT, error)]
    return [Finding(ABOUT, f"{_NAMES.get(connection.vendor, connection.vendor)} keeps what it has committed.")]
