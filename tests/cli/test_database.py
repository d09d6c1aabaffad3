"""What a command does with a database before it does anything else."""

from __future__ import annotations

import pytest
from django.db import connection

from rollcall.cli import database
from tests.makers import Attendee, make_meeting


def statistics() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name = 'sqlite_stat1'")
        if not cursor.fetchall():
            return set()
        cursor.execute("SELECT DISTINCT tbl FROM sqlite_stat1")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the other databases look by themselves")
def test_after_an_upgrade_sqlite_looks_at_the_indexes_of_a_large_database(monkeypatch: pytest.MonkeyPatch) -> None:
    make_meeting(Attendee(), Attendee(name="Zoe", uid="8"))

    database._look_at_indexes()
    assert "store_attendance" not in statistics(), "of a small one nothing is remembered"

    monkeypatch.setattr(database, "MANY_ROWS", 1)
    database._look_at_indexes()
    assert {"store_attendance", "store_summary", "store_person"} <= statistics()
