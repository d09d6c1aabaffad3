"""Names are found by any three letters in a row: FTS5 on SQLite, pg_trgm on PostgreSQL; a search does without, too."""

from __future__ import annotations

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.utils import Error

_INDEXES = (
    ("store_person_names", "store_person", "names_key"),
    ("store_summary_names", "store_summary", "name_key"),
)


def make(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    if editor.connection.vendor == "sqlite" and _has_trigrams(editor):
        for index, table, column in _INDEXES:
            for statement in _sqlite(index, table, column):
                editor.execute(statement)
    elif editor.connection.vendor == "postgresql" and _allows_trigrams(editor):
        for index, table, column in _INDEXES:
            editor.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {table} USING gin ({column} gin_trgm_ops)")


def take_away(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    for index, *_ in _INDEXES:
        if editor.connection.vendor == "sqlite":
            for event in ("insert", "delete", "update"):
                editor.execute(f"DROP TRIGGER IF EXISTS {index}_{event}")
            editor.execute(f"DROP TABLE IF EXISTS {index}")
        elif editor.connection.vendor == "postgresql":
            editor.execute(f"DROP INDEX IF EXISTS {index}")


def _has_trigrams(editor: BaseDatabaseSchemaEditor) -> bool:
    """Whether this SQLite was built with FTS5 and is 3.34 or younger."""
    with editor.connection.cursor() as cursor:
        try:
            cursor.execute("CREATE VIRTUAL TABLE temp.tried USING fts5(name, tokenize='trigram')")
            cursor.execute("DROP TABLE temp.tried")
        except Error:
            return False
    return True


def _allows_trigrams(editor: BaseDatabaseSchemaEditor) -> bool:
    """Whether the extension is there or can be made; `rollcall doctor` tells if not."""
    try:
        with transaction.atomic(using=editor.connection.alias), editor.connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except Error:
        return False
    return True


def _sqlite(index: str, table: str, column: str) -> tuple[str, ...]:
    """A table of the letters alone, kept up by triggers; a name that stays costs a fold nothing."""
    forget = f"INSERT INTO {index}({index}, rowid, {column}) VALUES ('delete', old.id, old.{column});"
    learn = f"INSERT INTO {index}(rowid, {column}) VALUES (new.id, new.{column});"
    changed = f"AFTER UPDATE OF {column} ON {table} WHEN old.{column} IS NOT new.{column}"
    return (
        f"CREATE VIRTUAL TABLE {index} USING fts5({column}, content='{table}', content_rowid='id', tokenize='trigram')",
        f"INSERT INTO {index}({index}) VALUES ('rebuild')",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {learn} END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {forget} END",
        f"CREATE TRIGGER {index}_update {changed} BEGIN {forget} {learn} END",
    )


class Migration(migrations.Migration):
    dependencies = [("store", "0003_reports")]

    operations = [migrations.RunPython(make, take_away)]
