"""Django's default database exchanged for another one, inside the process of the tests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.models import AutoField

from rollcall import environment, settings

DEFAULT = "default"


@contextlib.contextmanager
def default_database(url: str, sqlite: Path) -> Iterator[None]:
    """Everything inside the block works on this database; "" is the SQLite file `sqlite`."""
    with _variable(url):
        before = connections.settings[DEFAULT]
        _exchange(_described(url, sqlite))
        try:
            yield
        finally:
            _exchange(before)


def migrate() -> None:
    """Make the tables."""
    call_command("migrate", verbosity=0, interactive=False)


def empty() -> None:
    """Take every row out again, and count each table's keys from one again.

    Django's own `flush` makes every table anew, which is a hundred times the work: most are empty, the rest nearly so.
    """
    keys = _keys()
    with connection.cursor() as cursor:
        asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in keys)
        cursor.execute(asked)
        full = [table for (table,) in cursor.fetchall()]
    if full:
        _empty_tables(full, keys)
    ContentType.objects.clear_cache()


def _empty_tables(full: list[str], keys: dict[str, str]) -> None:
    """These; keys that point from one to another are looked at when all is done, or not at all."""
    counted = [{"table": table, "column": keys[table]} for table in full if keys[table]]
    with connection.constraint_checks_disabled(), transaction.atomic(), connection.cursor() as cursor:
        for table in full:
            cursor.execute(f"DELETE FROM {table}")
        for statement in connection.ops.sequence_reset_by_name_sql(no_style(), counted):
            cursor.execute(statement)


@cache
def _keys() -> dict[str, str]:
    """Every table with the column the database counts, or ""."""
    models = apps.get_models(include_auto_created=True)
    keys = {model._meta.db_table: model._meta.pk for model in models if model._meta.managed}
    return {table: str(key.column) if isinstance(key, AutoField) else "" for table, key in keys.items()}


def _described(url: str, sqlite: Path) -> dict[str, Any]:
    """The entry of DATABASES that the settings would make of this address."""
    entry = settings._database()
    if not url:
        entry["NAME"] = sqlite
    return connections.configure_settings({DEFAULT: entry})[DEFAULT]  # type: ignore[no-any-return]


@contextlib.contextmanager
def _variable(url: str) -> Iterator[None]:
    """ROLLCALL_DATABASE_URL inside the block."""
    name = environment.DATABASE_URL.name
    before = os.environ.get(name)
    os.environ[name] = url
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


def _exchange(entry: dict[str, Any]) -> None:
    connections[DEFAULT].close()
    del connections[DEFAULT]
    connections.settings[DEFAULT] = entry
