"""What start refuses, on servers that really are set up that way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from rollcall.core.errors import Misconfigured
from rollcall.store import durability
from rollcall.store.durability import NotDurable, require_durable
from tests import databases
from tests.servers import free_port, fresh_database, mariadb, postgresql

Use = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def use(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Use:
    """Django's default database is the one at this address inside the block; "" is a SQLite file."""

    @contextmanager
    def using(url: str) -> Iterator[None]:
        with django_db_blocker.unblock(), databases.default_database(url, tmp_path / "rollcall.sqlite3"):
            yield

    return using


def tell(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.usefixtures("database")
def test_each_database_is_durable_as_it_is_installed() -> None:
    require_durable()


def test_a_postgresql_that_does_not_wait_for_the_disk_is_refused(use: Use) -> None:
    with postgresql() as server, use(fresh_database(server)):
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            change_postgresql(f"ALTER SYSTEM SET {setting} = off")
            with pytest.raises(NotDurable, match=f"{setting} = off") as refused:
                require_durable()
            assert setting in refused.value.hint
            change_postgresql(f"ALTER SYSTEM RESET {setting}")
        require_durable()


def change_postgresql(statement: str) -> None:
    """A new connection starts from what the server has read; it reads when it gets round to it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_conf_load_time()")
        (before,) = cursor.fetchone()
        cursor.execute(statement)
        cursor.execute("SELECT pg_reload_conf()")
    loaded = before
    while loaded == before:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_conf_load_time()")
            (loaded,) = cursor.fetchone()


def test_a_role_that_does_not_wait_for_the_disk_is_refused(postgresql_url: str, use: Use) -> None:
    with use(postgresql_url):
        name = connection.settings_dict["NAME"]
        tell(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.close()
        with pytest.raises(NotDurable, match="synchronous_commit"):
            require_durable()


def test_a_postgresql_that_cannot_hold_every_name_is_refused(postgresql_url: str, use: Use) -> None:
    with use(postgresql_url):
        name = connection.settings_dict["NAME"] + "_latin"
        tell(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        with use(postgresql_url + "_latin"), pytest.raises(NotDurable, match="server_encoding = LATIN1"):
            require_durable()
        tell(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_postgresql_that_only_reads_is_refused(postgresql_url: str, use: Use) -> None:
    with use(postgresql_url):
        tell(f"ALTER DATABASE {connection.settings_dict['NAME']} SET default_transaction_read_only = on")
        connection.close()
        with pytest.raises(NotDurable, match="nothing can be written"):
            require_durable()


def test_a_log_that_a_crash_would_empty_is_refused(postgresql_url: str, use: Use) -> None:
    with use(postgresql_url):
        tell("CREATE UNLOGGED TABLE store_fact (id bigint)")
        with pytest.raises(NotDurable, match="empties the log"):
            require_durable()


@pytest.mark.parametrize(("setting", "value"), [("innodb_doublewrite", "OFF"), ("innodb_flush_method", "nosync")])
def test_a_mariadb_started_so_that_it_does_not_wait_is_refused(setting: str, value: str, use: Use) -> None:
    with mariadb(f"{setting.replace('_', '-')}={value}") as server, use(fresh_database(server)):
        with pytest.raises(NotDurable, match=setting) as refused:
            require_durable()
        assert setting in refused.value.hint


def test_a_mariadb_told_not_to_wait_for_the_disk_is_refused(use: Use) -> None:
    """With the binary log on, as it is wherever there is a replica."""
    with mariadb("log-bin=b", "sync-binlog=1") as server, use(fresh_database(server)):
        wrong = {"innodb_flush_log_at_trx_commit": 2, "max_allowed_packet": 1_048_576, "sync_binlog": 0, "read_only": 1}
        for setting, value in wrong.items():
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT @@global.{setting}")
                (before,) = cursor.fetchone()
            tell(f"SET GLOBAL {setting} = {value}")
            connection.close()
            with pytest.raises(NotDurable, match=setting) as refused:
                require_durable()
            assert refused.value.hint
            tell(f"SET GLOBAL {setting} = {before}")
            connection.close()
        require_durable()


def test_a_mariadb_database_that_cannot_hold_every_name_is_refused(mariadb_url: str, use: Use) -> None:
    with use(mariadb_url):
        tell(f"ALTER DATABASE {connection.settings_dict['NAME']} CHARACTER SET latin1")
        connection.close()
        with pytest.raises(NotDurable, match="character_set_database = latin1"):
            require_durable()


def test_a_log_without_transactions_is_refused(mariadb_url: str, use: Use) -> None:
    with use(mariadb_url):
        tell("CREATE TABLE store_fact (id bigint) ENGINE = MyISAM")
        with pytest.raises(NotDurable, match="MyISAM"):
            require_durable()


@pytest.mark.parametrize(
    ("database", "oldest", "version"),
    [
        ("sqlite", "OLDEST_SQLITE", (99, 0)),
        ("postgresql", "OLDEST_POSTGRESQL", 99),
        ("mariadb", "OLDEST_MARIADB", (99, 0)),
    ],
    indirect=["database"],
)
def test_a_version_that_is_too_old_is_named(
    database: str, oldest: str, version: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, oldest, version)
    with pytest.raises(Misconfigured, match="is too old") as refused:
        require_durable()
    assert refused.value.code == "database-too-old"
    assert refused.value.hint


def test_a_sqlite_that_does_not_wait_for_the_disk_is_refused(use: Use) -> None:
    with use(""):
        tell("PRAGMA synchronous = NORMAL")
        with pytest.raises(NotDurable, match="synchronous"):
            require_durable()


def test_a_sqlite_without_a_write_ahead_log_is_refused(use: Use) -> None:
    with use(""):
        tell("PRAGMA journal_mode = DELETE")
        with pytest.raises(NotDurable, match="'delete'"):
            require_durable()


def test_the_file_the_settings_make_is_durable(use: Use) -> None:
    with use(""):
        require_durable()
        with sqlite3.connect(connection.settings_dict["NAME"]) as other:
            assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_not_there_is_named(scheme: str, use: Use) -> None:
    with use(f"{scheme}://rollcall:secret@127.0.0.1:{free_port()}/rollcall"):
        with pytest.raises(Misconfigured, match="cannot be reached") as refused:
            require_durable()
        assert refused.value.code == "no-database"
        assert "secret" not in f"{refused.value} {refused.value.hint}"
