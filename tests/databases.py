"""Django's default database exchanged for another one, inside the process of the tests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections

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
    """Take every row out again."""
    call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
    ContentType.objects.clear_cache()


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
