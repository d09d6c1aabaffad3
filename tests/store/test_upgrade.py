"""A database of an earlier version keeps what it holds, and is found at once by what needs no fold."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

from rollcall.store.derived import Attendance, Summary
from rollcall.store.searching import Filter, page
from tests import databases
from tests.makers import at


def migrate_to(name: str) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate([("store", name)])
    return MigrationExecutor(connection)


def test_attendance_of_before_the_reports_is_found_by_date(
    database_url: str, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), databases.default_database(database_url, tmp_path / "old.sqlite3"):
        tables = migrate_to("0002_three_witnesses").loader.project_state([("store", "0002_three_witnesses")]).apps
        pool = tables.get_model("store", "Pool").objects.create(name="bbb1")
        meeting = tables.get_model("store", "Meeting").objects.create(pool=pool, key=b"m" * 16, internal_meeting_id="m")
        times = {"started_at": at("10:00"), "ended_proved_at": at("11:00"), "ended_possible_at": at("11:00")}
        texts = {"pool_name": "bbb1", "external_meeting_id": "x", "name": "Logic", "name_key": "logic", "site": "s"}
        keys = {"site_key": b"s" * 16, "activity_key": b"a" * 16}
        summary = tables.get_model("store", "Summary").objects.create(
            meeting=meeting, **times, **texts, **keys, attendees=1, present=0, detail=b"{}"
        )
        person = {"attendee_key": b"k" * 16, "sort_key": b"zoe", "person_key": b"p" * 16, "name_key": "zoe quill"}
        person |= {"kind": "user", "external_user_id": "7", "name": "Zoe Quill"}
        times = {"proved_ms": 60_000, "possible_ms": 60_000}
        tables.get_model("store", "Attendance").objects.create(summary=summary, **person, **times, detail=b"{}")
        databases.migrate()
        assert Attendance.objects.get().started_at == at("10:00")
        day = Filter(since=at("00:00"), until=at("23:00"))
        assert [row.name for row in page("meetings", day).rows] == ["Logic"]
        assert [row.name for row in page("attendances", day).rows] == ["Zoe Quill"]
        assert Summary.objects.get().fold_version == 0, "so it is folded again"


def test_people_of_before_know_at_once_what_their_attendances_come_to(
    database_url: str, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), databases.default_database(database_url, tmp_path / "old.sqlite3"):
        tables = migrate_to("0004_when_they_began").loader.project_state([("store", "0004_when_they_began")]).apps
        pool = tables.get_model("store", "Pool").objects.create(name="bbb1")
        entry = {"key": b"z" * 16, "is_user": True, "site": "s", "external_user_id": "7", "external_key": b"7" * 16}
        about = {"name": "Zoe Quill", "sort_key": b"zoe", "names_key": "zoe quill", "meetings": 3, "proved_ms": 3}
        zoe = tables.get_model("store", "Person").objects.create(**entry, **about, first_at=1, last_at=3)
        for number, share in enumerate((500, 801, None), 1):
            key = bytes([number]) * 16
            meeting = tables.get_model("store", "Meeting").objects.create(
                pool=pool, key=key, internal_meeting_id=str(number)
            )
            texts = {"pool_name": "bbb1", "external_meeting_id": "x", "name": "Logic", "name_key": "logic", "site": "s"}
            keys = {"site_key": key, "activity_key": key}
            summary = tables.get_model("store", "Summary").objects.create(
                meeting=meeting, **texts, **keys, started_at=number, attendees=1, present=0, detail=b"{}"
            )
            tables.get_model("store", "Attendance").objects.create(
                summary=summary, person=zoe, attendee_key=key, sort_key=b"zoe", kind="user", external_user_id="7",
                started_at=number, proved_ms=1, possible_ms=1, share=share, chats=number, talk_ms=2**33, detail=b"{}",
            )  # fmt: skip
        databases.migrate()
        (found,) = page("people", Filter(name="quill")).rows
        assert (found.meetings, found.share, found.chats, found.talk_ms) == (3, 650, 6, 3 * 2**33)


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
