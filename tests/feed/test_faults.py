"""What each database's own errors mean, provoked on the real ones."""

from __future__ import annotations

import pytest
from django.db import Error, connection, transaction

from rollcall.feed.faults import Fault, fault_of
from tests.servers import free_port

pytestmark = pytest.mark.usefixtures("database")

Statement = tuple[str, list[str | bytes | None]]

_POOL = "INSERT INTO store_pool (name, is_captured, relays) VALUES (%s, true, false)"
_ORPHAN: Statement = (
    "INSERT INTO store_seen (meeting_id, participant_key) VALUES (12345, %s)",
    [b"0123456789abcdef"],
)


def run(*statements: Statement) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, values in statements:
            cursor.execute(sql, values)


def fault_in(*statements: Statement) -> Fault:
    """What the error means that ends this transaction."""
    with pytest.raises(Error) as raised:
        run(*statements)
    return fault_of(raised.value)


def test_what_somebody_else_inserted_first_is_tried_again() -> None:
    assert fault_in((_POOL, ["one"]), (_POOL, ["one"])) is Fault.AGAIN


def test_what_belongs_to_nothing_is_the_fault_of_the_data() -> None:
    assert fault_in(_ORPHAN) is Fault.DATA


def test_what_is_missing_is_the_fault_of_the_data() -> None:
    assert fault_in((_POOL, [None])) is Fault.DATA


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_what_does_not_fit_is_the_fault_of_the_data() -> None:
    assert fault_in((_POOL, ["x" * 200])) is Fault.DATA
    too_large = "INSERT INTO store_pool (id, name, is_captured, relays) VALUES (99999999999999999999, 'x', true, false)"
    assert fault_in((too_large, [])) is Fault.DATA


def test_a_table_that_is_not_there_is_the_fault_of_no_data() -> None:
    assert fault_in(("INSERT INTO not_there (name) VALUES (%s)", ["x"])) is Fault.DOWN


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_only_reads_is_down() -> None:
    assert fault_in(("SET TRANSACTION READ ONLY", []), (_POOL, ["x"])) is Fault.DOWN


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_a_server_that_does_not_answer_is_lost() -> None:
    other = connection.copy()
    other.settings_dict["PORT"] = str(free_port())
    with pytest.raises(Error) as raised:
        other.ensure_connection()
    assert fault_of(raised.value) is Fault.LOST


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_lock_or_a_statement_that_takes_too_long_is_tried_again() -> None:
    assert fault_in(("SET LOCAL statement_timeout = 1", []), ("SELECT pg_sleep(1)", [])) is Fault.AGAIN
