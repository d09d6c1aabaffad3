"""Millions of rows into tables at once: indexes are dropped before and made again after, as each database likes it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.management.color import no_style
from django.db import OperationalError, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from django.db.models import Model

    Rows = Sequence[tuple[Any, ...]]


class Tables:
    """The tables of some models, emptied, and filled while `open`. This form of it does for every database."""

    before: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()

    def __init__(self, models: Sequence[type[Model]]) -> None:
        self._models = models
        self._names = [model._meta.db_table for model in models]  # noqa: SLF001 - Django's documented attribute

    @contextmanager
    def open(self) -> Iterator[None]:
        """Inside of it rows may be added; after it everything is indexed, and the planner knows how much there is."""
        self._prepare()
        with self._at_once():
            self._empty()
            with connection.constraint_checks_disabled():
                again = self._dropped()
                try:
                    yield
                finally:
                    self._run(again)
                    self._run(connection.ops.sequence_reset_sql(no_style(), self._models))
        self._run(self.after)

    def _prepare(self) -> None:
        self._run(self.before)

    def _empty(self) -> None:
        # Apart from what follows: on MariaDB it ends with the checks switched on again.
        with connection.constraint_checks_disabled():
            self._run(connection.ops.sql_flush(no_style(), self._names, reset_sequences=True, allow_cascade=True))

    def add(self, model: type[Model], columns: Sequence[str], rows: Rows) -> None:
        """Insert them."""
        quote = connection.ops.quote_name
        names, values = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
        table = quote(model._meta.db_table)  # noqa: SLF001
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", rows)  # noqa: S608 - our own names

    def _at_once(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def _dropped(self) -> list[str]:
        """Drop what slows inserting down; the statements that bring it back."""
        return []

    @staticmethod
    def _run(statements: Sequence[str]) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


class SqliteTables(Tables):
    """Without a journal: whoever kills it in the middle deletes the file."""

    before = ("PRAGMA synchronous=OFF", "PRAGMA cache_size=-262144", "PRAGMA threads=2")
    after = (
        "ANALYZE",
        "PRAGMA cache_size=-2000",
        "PRAGMA synchronous=FULL",
        "PRAGMA journal_mode=WAL",
    )

    def _prepare(self) -> None:
        # Who else has the file open, a page that is being read say, needs its journal; then it only takes longer.
        with suppress(OperationalError):
            self._run(["PRAGMA journal_mode=OFF"])
        super()._prepare()

    def _dropped(self) -> list[str]:
        marks = ", ".join(["%s"] * len(self._names))
        with connection.cursor() as cursor:
            made = "FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"  # those of constraints have no SQL
            cursor.execute(f"SELECT name, sql {made} AND tbl_name IN ({marks})", self._names)
            found = cursor.fetchall()
        self._run([f"DROP INDEX {connection.ops.quote_name(name)}" for name, _ in found])
        return [sql for _, sql in found]


class PostgresqlTables(Tables):
    """By COPY, in one transaction: an interrupted one leaves nothing behind."""

    before = ("SET maintenance_work_mem = '512MB'", "SET synchronous_commit = off")
    # Of a table that was not vacuumed no index alone answers.
    after = ("RESET maintenance_work_mem", "RESET synchronous_commit", "VACUUM ANALYZE")

    def _at_once(self) -> AbstractContextManager[Any]:
        return transaction.atomic()

    def _dropped(self) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('f', 'u') ORDER BY contype DESC, conname",
                [self._names],
            )
            constraints = cursor.fetchall()
            # The deferred checks of what was done so far would be in the way of the next statements.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table, name, _ in constraints:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            cursor.execute(
                "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
                " WHERE indrelid::regclass::text = ANY(%s) AND NOT indisprimary ORDER BY 1",
                [self._names],
            )
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
        added = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for table, name, text in constraints]
        return [text for _, text in indexes] + added

    def add(self, model: type[Model], columns: Sequence[str], rows: Rows) -> None:
        """Copy them in."""
        quote = connection.ops.quote_name
        names, table = ", ".join(map(quote, columns)), quote(model._meta.db_table)  # noqa: SLF001
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def tables_of(models: Sequence[type[Model]]) -> Tables:
    """As the database at hand likes it."""
    kinds = {"sqlite": SqliteTables, "postgresql": PostgresqlTables}
    return kinds.get(connection.vendor, Tables)(models)
