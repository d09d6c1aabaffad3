"""Names are found by any three letters in a row: FTS5 on SQLite, pg_trgm on PostgreSQL; a search does without, too.

Made after every migration and not by one: Django's editor for SQLite copies a table to change it, and triggers go with
the old one without a word; PostgreSQL may be given its extension later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, connections, transaction
from django.db.utils import Error

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

INDEXES = (
    ("store_person_names", "store_person", "names_key"),
    ("store_summary_names", "store_summary", "name_key"),
)
"""(index, table, column)"""


def after_migrating(*, using: str, **_: Any) -> None:
    """Make what is missing; a receiver of post_migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    for index, table, column in INDEXES:
        if table not in tables:
            continue  # migrated backwards
        if connection.vendor == "sqlite":
            _on_sqlite(connection, index, table, column)
        elif connection.vendor == "postgresql" and _allows_trigrams(connection):
            _run(connection, f"CREATE INDEX IF NOT EXISTS {index} ON {table} USING gin ({column} gin_trgm_ops)")


def _on_sqlite(connection: BaseDatabaseWrapper, index: str, table: str, column: str) -> None:
    if _is_whole(connection, index) or not _has_trigrams(connection):
        return
    with transaction.atomic(using=connection.alias):
        for statement in _statements(index, table, column):
            _run(connection, statement)


def _is_whole(connection: BaseDatabaseWrapper, index: str) -> bool:
    wanted = [index, *(f"{index}_{event}" for event in ("insert", "delete", "update"))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM sqlite_master WHERE name IN (%s, %s, %s, %s)", wanted)
        return bool(cursor.fetchone()[0] == len(wanted))


def _has_trigrams(connection: BaseDatabaseWrapper) -> bool:
    """Whether this SQLite was built with FTS5 and is 3.34 or younger."""
    try:
        _run(connection, "CREATE VIRTUAL TABLE temp.tried USING fts5(name, tokenize='trigram')")
        _run(connection, "DROP TABLE temp.tried")
    except Error:
        return False
    return True


def _allows_trigrams(connection: BaseDatabaseWrapper) -> bool:
    """Whether the extension is there or can be made."""
    try:
        with transaction.atomic(using=connection.alias):
            _run(connection, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except Error:
        return False
    return True


def _run(connection: BaseDatabaseWrapper, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _statements(index: str, table: str, column: str) -> tuple[str, ...]:
    """A table of the letters alone, kept up by triggers; a name that stays costs a fold nothing."""
    forget = f"INSERT INTO {index}({index}, rowid, {column}) VALUES ('delete', old.id, old.{column});"  # noqa: S608 - our own names
    learn = f"INSERT INTO {index}(rowid, {column}) VALUES (new.id, new.{column});"  # noqa: S608 - the same
    changed = f"AFTER UPDATE OF {column} ON {table} WHEN old.{column} IS NOT new.{column}"
    return (
        *(f"DROP TRIGGER IF EXISTS {index}_{event}" for event in ("insert", "delete", "update")),
        f"DROP TABLE IF EXISTS {index}",
        f"CREATE VIRTUAL TABLE {index} USING fts5({column}, content='{table}', content_rowid='id', tokenize='trigram')",
        f"INSERT INTO {index}({index}) VALUES ('rebuild')",  # noqa: S608 - the same
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {learn} END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {forget} END",
        f"CREATE TRIGGER {index}_update {changed} BEGIN {forget} {learn} END",
    )


def is_missing() -> bool:
    """Whether this database might have the index and has not, so that names are looked for row by row."""
    if connection.vendor == "sqlite":
        return not all(_is_whole(connection, index) for index, *_ in INDEXES)
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")
        return not {index for index, *_ in INDEXES} <= {name for (name,) in cursor.fetchall()}


def can_be_made() -> bool:
    """Whether it is missing though what it needs has come meanwhile."""
    if not is_missing():
        return False
    if connection.vendor == "sqlite":
        return _has_trigrams(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        return cursor.fetchone() is not None
