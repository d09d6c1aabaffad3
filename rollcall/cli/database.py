"""Django started and the database's tables made, for every command that needs them."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_NAME = "rollcall migrate"
LOCK_NUMBER = 0x726F6C6C
MANY_ROWS = 100_000
"""Attendances, from which on it matters what a database knows of its indexes."""


def start_django(*, for_readers: bool = False) -> None:
    """Read the settings and load the models; needed before anything of rollcall.store is imported.

    What a command says to an operator is English; what is read by teachers is in the configured language.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
    import django

    from rollcall.core.errors import Misconfigured
    from rollcall.logs import set_up_plain_logging
    from rollcall.usable import require_usable

    require_usable()
    set_up_plain_logging()
    try:
        django.setup()
    except OSError as error:
        raise Misconfigured(
            f"The data folder cannot be used: {error}", hint="Name another with --data, or ROLLCALL_DATA."
        ) from error
    if not for_readers:
        _speak_english()


def _speak_english() -> None:
    from django.utils import translation

    from rollcall.languages import SOURCE

    translation.activate(SOURCE)


def open_database(*, for_readers: bool = False) -> None:
    """Start Django and bring the tables up to date, so that no command depends on another having run before."""
    start_django(for_readers=for_readers)
    from django.core.management import call_command
    from django.db import DatabaseError

    from rollcall.core.errors import Misconfigured
    from rollcall.store.durability import require_durable

    try:
        require_durable()
        if _is_up_to_date():
            return
        with _alone():
            call_command("migrate", verbosity=0, interactive=False)
            _look_at_indexes()
    except DatabaseError as error:
        raise Misconfigured(
            f"The database cannot be used: {str(error).strip()}",
            hint="Check ROLLCALL_DATABASE_URL, or that the data folder (--data) can be written.",
        ) from error


def _look_at_indexes() -> None:
    """SQLite forgets what it knew of a table that a migration has copied; of a large one it must know it.

    Of a small one it would know little, and go by that when it has grown.
    """
    from django.db import connection

    from rollcall.store.derived import Attendance

    if connection.vendor != "sqlite" or Attendance.objects.order_by()[: MANY_ROWS + 1].count() <= MANY_ROWS:
        return
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _is_up_to_date() -> bool:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from rollcall.store import name_index

    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes()) and not name_index.can_be_made()


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time, on one machine or on many: a migration must not meet itself."""
    from django.db import connection

    match connection.vendor:
        case "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
                try:
                    yield
                finally:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_NUMBER])
        case "mysql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT GET_LOCK(%s, 600)", [LOCK_NAME])
                try:
                    yield
                finally:
                    cursor.execute("SELECT RELEASE_LOCK(%s)", [LOCK_NAME])
        case _:
            with _file_lock():
                yield


@contextmanager
def _file_lock() -> Iterator[None]:
    from rollcall import settings

    with (settings.DATA / "migrate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
