"""Start refuses a store that could forget what it has committed, or that cannot hold every name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from sqlite3 import sqlite_version, sqlite_version_info
from typing import NamedTuple

from django.db import NotSupportedError, OperationalError, connection

from rollcall.core.errors import Misconfigured

OLDEST_POSTGRESQL = 15
OLDEST_MARIADB = (10, 11)
OLDEST_SQLITE = (3, 35)
SUPPORTED = "Use PostgreSQL 15, MariaDB 10.11, or newer ones; or none, then SQLite is used."

# A packet must hold the longest document (feed.append), every byte of it escaped.
SMALLEST_PACKET = 16 * 1024 * 1024


class NotDurable(Misconfigured):
    """The database may lose what it has acknowledged."""

    code = "not-durable"


class _Rule(NamedTuple):
    """One setting of a server: what it has to be, why, and how to mend it."""

    name: str
    is_right: Callable[[str], bool]
    why: str
    mend: str


_ON = {"on", "1"}

_POSTGRESQL = (
    _Rule("fsync", _ON.__contains__, "a power cut destroys the database", "Set fsync = on in postgresql.conf."),
    _Rule(
        "full_page_writes",
        _ON.__contains__,
        "a power cut can tear pages apart",
        "Set full_page_writes = on in postgresql.conf.",
    ),
    _Rule(
        "synchronous_commit",
        lambda value: value != "off",
        "a crash forgets the last transactions",
        "Set synchronous_commit = on, in postgresql.conf and for this role (ALTER ROLE … RESET synchronous_commit).",
    ),
    _Rule(
        "server_encoding",
        {"UTF8"}.__contains__,
        "not every name can be stored",
        "Make the database anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
    ),
    _Rule(
        "transaction_read_only",
        {"off"}.__contains__,
        "nothing can be written",
        "Point ROLLCALL_DATABASE_URL at the primary, or reset default_transaction_read_only.",
    ),
)

_MARIADB = (
    _Rule(
        "innodb_flush_log_at_trx_commit",
        {"1", "3"}.__contains__,
        "a power cut forgets the last transactions",
        "Set innodb_flush_log_at_trx_commit = 1 in the [mysqld] section.",
    ),
    _Rule(
        "innodb_doublewrite",
        lambda value: value.lower() not in {"0", "off"},
        "a power cut can tear pages apart",
        "Set innodb_doublewrite = ON in the [mysqld] section.",
    ),
    _Rule(
        "innodb_flush_method",
        lambda value: value.lower() not in {"nosync", "littlesync"},
        "what is written may never reach the disk",
        "Remove innodb_flush_method from the [mysqld] section.",
    ),
    _Rule(
        "character_set_database",
        {"utf8mb4"}.__contains__,
        "not every name can be stored",
        "Run ALTER DATABASE … CHARACTER SET utf8mb4, before the first start.",
    ),
    _Rule(
        "max_allowed_packet",
        lambda value: int(value) >= SMALLEST_PACKET,
        "long documents do not fit",
        "Set max_allowed_packet = 16M or more in the [mysqld] section.",
    ),
    _Rule(
        "read_only",
        {"0"}.__contains__,
        "nothing can be written",
        "Point ROLLCALL_DATABASE_URL at the primary, or turn read_only off.",
    ),
)

# Whether a transaction is in the binary log decides about it after a crash.
_BINARY_LOG = _Rule(
    "sync_binlog",
    {"1"}.__contains__,
    "with the binary log on, a power cut forgets the last transactions",
    "Set sync_binlog = 1 in the [mysqld] section.",
)


def require_durable() -> None:
    """Raise Misconfigured, in one sentence, unless a commit on Django's default database is there after a power cut."""
    try:
        connection.ensure_connection()
        match connection.vendor:
            case "sqlite":
                _require_sqlite()
            case "postgresql":
                _require_postgresql()
            case "mysql":
                _require_mariadb()
    except NotSupportedError as error:  # Django itself refuses what is older still
        raise Misconfigured(f"The database is too old: {error}", code="database-too-old", hint=SUPPORTED) from error
    except OperationalError as error:
        raise Misconfigured(
            f"The database cannot be reached: {str(error).strip()}",
            code="no-database",
            hint="See that it runs, and that ROLLCALL_DATABASE_URL names its host, user and password.",
        ) from error


def _require_sqlite() -> None:
    if sqlite_version_info < OLDEST_SQLITE:
        raise _too_old("SQLite", sqlite_version, "3.35", "It comes with Python: use a newer one.")
    journal = _ask("PRAGMA journal_mode")
    if journal != "wal":
        why = f"SQLite keeps its journal as {journal!r}, not as a write-ahead log."
        raise NotDurable(why, hint="Put ROLLCALL_DATA on a local disk; network folders cannot hold this database.")
    if _ask("PRAGMA synchronous") not in {"2", "3"}:
        raise NotDurable("SQLite does not wait for the disk (synchronous).", hint="Leave PRAGMA synchronous at FULL.")


def _require_postgresql() -> None:
    major = int(_ask("SHOW server_version_num")) // 10_000
    if major < OLDEST_POSTGRESQL:
        raise _too_old("PostgreSQL", str(major), str(OLDEST_POSTGRESQL))
    _hold_to("PostgreSQL", _POSTGRESQL, lambda name: _ask(f"SHOW {name}"))
    if _ask("SELECT relpersistence FROM pg_class WHERE oid = to_regclass('store_fact')") == "u":
        raise NotDurable("PostgreSQL empties the log after a crash.", hint="ALTER TABLE store_fact SET LOGGED;")


def _require_mariadb() -> None:
    version = _ask("SELECT VERSION()")
    if "mariadb" not in version.lower():
        raise Misconfigured(f"This is MySQL {version}, not MariaDB.", hint=SUPPORTED)
    if tuple(map(int, version.split("-")[0].split(".")[:2])) < OLDEST_MARIADB:
        raise _too_old("MariaDB", version, "10.11")
    rules = (*_MARIADB, _BINARY_LOG) if _ask("SELECT @@log_bin") == "1" else _MARIADB
    _hold_to("MariaDB", rules, lambda name: _ask(f"SELECT @@{name}"))
    engine = _ask(
        "SELECT engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'store_fact'"
    )
    if engine not in {"", "InnoDB"}:
        raise NotDurable(f"MariaDB keeps the log in {engine}.", hint="ALTER TABLE store_fact ENGINE = InnoDB;")


def _hold_to(database: str, rules: Iterable[_Rule], value_of: Callable[[str], str]) -> None:
    for rule in rules:
        if not rule.is_right(value := value_of(rule.name)):
            raise NotDurable(f"{database} has {rule.name} = {value}: {rule.why}.", hint=rule.mend)


def _too_old(database: str, version: str, oldest: str, mend: str = "") -> Misconfigured:
    hint = mend or f"Use {database} {oldest} or newer."
    return Misconfigured(
        f"{database} {version} is too old; Rollcall needs {oldest}.", code="database-too-old", hint=hint
    )


def _ask(question: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(question)
        (answer,) = cursor.fetchone() or ("",)
        return str(answer)
