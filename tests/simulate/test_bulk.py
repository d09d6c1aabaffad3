"""`rollcall simulate --bulk`: millions of rows are what folds would have left, tried on a few thousand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Sum

from rollcall.cli.bulk import make_bulk
from rollcall.core.errors import Refused
from rollcall.derive import directory
from rollcall.derive.rows import sort_key
from rollcall.reports.details import attendance_detail, summary_detail
from rollcall.simulate import bulk
from rollcall.simulate.bulk import DAY, Size, make_plan
from rollcall.store.connections import Pool
from rollcall.store.derived import SEARCHED, Attendance, Course, Person, Summary
from rollcall.store.facts import Meeting
from rollcall.store.keys import course_key, guests_key, key_of, person_key
from rollcall.store.licensing import Standing, licensed
from rollcall.store.names import fold_name

UNTIL = 1_795_338_000_000
SIZE = Size(attendances=6_000, meetings=400, people=600, until=UNTIL)


def rows_of(model: Any) -> list[dict[str, Any]]:
    return list(model.objects.order_by("pk").values())


def test_as_many_as_were_asked_for_and_the_same_for_a_seed() -> None:
    plan = make_plan(SIZE)
    assert len(plan.meetings) == SIZE.meetings
    assert len(plan.people) == SIZE.people
    assert 0.9 * SIZE.attendances <= sum(one.people for one in plan.meetings) <= SIZE.attendances
    assert plan == make_plan(SIZE)
    assert {one.site.organisation for one in plan.people} == set(range(1, 9))
    assert all(SIZE.until - 3 * 365 * DAY <= one.starts_at < SIZE.until for one in plan.meetings)


def test_the_largest_organisation_has_two_sites_with_equal_ids() -> None:
    of_first = [one for one in make_plan(SIZE).people if one.site.organisation == 1]
    assert len(of_first) == 0.4 * SIZE.people
    assert len({one.external_user_id for one in of_first}) < len(of_first)


def test_rows_are_what_folds_would_have_left(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "RENAMED", 0.3)
    make_bulk(SIZE)
    assert Summary.objects.count() == SIZE.meetings
    assert Course.objects.filter(meetings=0).count() == 0
    _directories_agree()
    _each_person_agrees()
    _each_meeting_agrees()


def _directories_agree() -> None:
    """Counted anew from the rows, as a fold does it, people and courses are what they are."""
    for model, recount in (
        (Person, directory.count_people),
        (Course, directory.recount_courses),
    ):
        before = rows_of(model)
        with transaction.atomic():
            recount([row["id"] for row in before])
        assert rows_of(model) == before
    assert Person.objects.filter(is_user=True, meetings__gt=1, names_key__contains="\n").exists()


def _each_person_agrees() -> None:
    for row in Attendance.objects.select_related("summary", "person")[:2_000]:
        assert row.person is not None
        assert row.name_key == fold_name(row.name)
        assert bytes(row.sort_key) == sort_key(row.name_key, bytes(row.attendee_key))
        site = row.summary.site
        is_user = row.kind == "user"
        assert row.person.is_user == is_user
        of = row.organisation
        known = person_key(site, row.external_user_id, of) if is_user else guests_key(site, row.name_key, of)
        assert bytes(row.person.key) == known
        assert (row.organisation, row.started_at) == (row.summary.organisation, row.summary.started_at)
        _detail_agrees(row)


def _detail_agrees(row: Attendance) -> None:
    detail, length = attendance_detail(row.detail), summary_detail(row.summary.detail).length
    assert sum(end - start for start, end in detail.proved) == row.proved_ms
    ends = [end for _, end in detail.possible]
    assert (None in ends) == row.is_present == (row.possible_ms is None)
    if row.possible_ms is not None:
        assert sum((end or 0) - start for start, end in detail.possible) == row.possible_ms >= row.proved_ms
    assert (row.first_in_at, row.last_out_at) == (detail.possible[0][0], ends[-1])
    assert {name: getattr(detail.engagement, name).seen for name in SEARCHED} == {
        name: getattr(row, name) for name in SEARCHED
    }
    assert length is not None
    assert row.share == (1000 * row.proved_ms // length[1] if length[1] else None)
    assert b"".join(session.meeting.encode() for session in detail.sessions)


def _each_meeting_agrees() -> None:
    for row in Summary.objects.select_related("course"):
        assert row.course is not None
        assert bytes(row.course.key) == course_key(row.site, row.context_id, row.organisation)
    assert all(licensed(number).standing is Standing.IN_FORCE for number in range(1, 9))
    counted = Summary.objects.annotate(people=Count("attendance"), proved=Sum("attendance__proved_ms"))
    assert not counted.exclude(people=F("attendees")).exists()
    assert not counted.exclude(proved=F("person_ms")).exists()
    assert not Meeting.objects.exclude(root=None).exists()
    assert Meeting.objects.filter(is_over=False).count() == Summary.objects.filter(ended_possible_at=None).count() > 0


def test_a_second_run_begins_anew_and_leaves_the_same_with_every_index(database: str) -> None:
    tables = (Attendance, Summary, Person, Course, Meeting)
    indexes = [_constraints(model) for model in tables]
    make_bulk(SIZE)
    before = [rows_of(model) for model in tables[1:]]
    make_bulk(SIZE)
    assert [rows_of(model) for model in tables[1:]] == before
    assert [_constraints(model) for model in tables] == indexes
    Meeting.objects.create(pool=Pool.objects.earliest("pk"), key=key_of("another"), internal_meeting_id="another")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the others have no journal for all
def test_whoever_reads_meanwhile_is_not_in_the_way(database: str) -> None:
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name)) as reader:
        reader.execute("SELECT count(*) FROM store_meeting").fetchone()
        make_bulk(SIZE)
        assert reader.execute("SELECT count(*) FROM store_meeting").fetchone() == (SIZE.meetings,)


def _constraints(model: Any) -> set[tuple[object, ...]]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return {(name, tuple(one["columns"]), one["unique"], one["foreign_key"]) for name, one in found.items()}


@pytest.mark.django_db
def test_a_database_in_real_use_is_refused_and_keeps_its_meetings() -> None:
    pool = Pool.objects.create(name="real.example")
    Meeting.objects.create(pool=pool, key=key_of("real"), internal_meeting_id="real")
    with pytest.raises(Refused, match="real meetings"):
        make_bulk(SIZE)
    assert Meeting.objects.count() == 1
