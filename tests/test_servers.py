from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from django.db import connection

from tests import programs
from tests.servers import fresh_database, postgresql


def test_each_test_gets_an_empty_postgresql(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as session:
        assert session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
        assert session.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_each_test_gets_an_empty_redis(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("seen", "1")


test_the_next_test_gets_another_redis = test_each_test_gets_an_empty_redis


def test_a_postgresql_may_be_started_with_settings_of_its_own() -> None:
    with (
        postgresql("synchronous_commit=off") as server,
        psycopg.connect(url := fresh_database(server)) as session,
    ):
        assert session.execute("SHOW synchronous_commit").fetchone() == ("off",)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_the_default_database_is_exchanged_for_each_kind(database: str) -> None:
    from rollcall.store.connections import Pool

    assert connection.vendor == {"": "sqlite", "postgresql": "postgresql", "mysql": "mysql"}[urlsplit(database).scheme]
    assert not Pool.objects.exists()
    Pool.objects.create(name="left behind for the next test to miss")


test_rows_do_not_outlive_their_test = test_the_default_database_is_exchanged_for_each_kind


@pytest.mark.django_db(transaction=True)
def test_the_ordinary_test_database_is_a_file_with_the_locks_of_the_real_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
    assert Path(connection.settings_dict["NAME"]).is_file()


def test_a_missing_program_is_a_skip_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_TEST_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        programs.need("no-such-program")


def test_a_missing_program_is_a_failure_where_all_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_TEST_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        programs.need("no-such-program")


def send_a_datagram() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        return out.sendto(b"", ("192.0.2.1", 53))


@pytest.mark.parametrize(
    "go_out",
    [
        lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
        send_a_datagram,
        lambda: socket.create_connection(("rollcall.invalid.not-reserved", 443), timeout=1),
    ],
    ids=["a connection", "a datagram", "a name"],
)
def test_tests_cannot_leave_this_machine(go_out: Callable[[], object]) -> None:
    with pytest.raises(PermissionError, match="tests stay on this machine"):
        go_out()


def test_a_reserved_name_is_unknown_as_it_is_everywhere() -> None:
    with pytest.raises(socket.gaierror):
        socket.create_connection(("bbb.example.org", 443), timeout=1)


def test_an_instance_starts_from_an_empty_environment(instance_env: dict[str, str], tmp_path: Path) -> None:
    assert Path(instance_env["ROLLCALL_DATA"]).is_relative_to(tmp_path)
    assert not Path(instance_env["ROLLCALL_DATA"]).exists()
