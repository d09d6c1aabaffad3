"""Pages stay whole while rows come, go and move, and an address that was changed by hand opens nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from tests.makers import Attendee, make_meeting
from tests.store import school


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if everything were too large to be sorted."""
    from rollcall.store.searching import directory, meetings, scope

    monkeypatch.setattr(directory, "MOST", 0)
    monkeypatch.setattr(scope, "MOST", 0)
    monkeypatch.setattr(scope, "FEW_ROWS", -1)
    monkeypatch.setattr(meetings, "FEW_ROWS", -1)


def everything(name: str, sort: str, limit: int = 2) -> list[int]:
    from rollcall.store.searching import Filter, page

    found, after = [], ""
    while True:
        one = page(name, Filter(organisation=0), sort=sort, after=after, limit=limit)
        found += [row.pk for row in one.rows]
        if not one.after:
            return found
        after = one.after


@pytest.mark.parametrize("sort", ["share", "-share"])
def test_people_of_unknown_and_of_uneven_shares_are_sorted_page_by_page(database: str, sort: str) -> None:
    from rollcall.store.searching import Filter, page

    ada, eva, ivo = (Attendee(name=name, uid=name, proved=(("10:00", out),)) for name, out in PEOPLE)
    make_meeting(ada, eva, internal="one")
    make_meeting(Attendee(name="Ada", uid="Ada", proved=(("10:00", "10:11"),)), internal="two")
    make_meeting(Attendee(name="Ada", uid="Ada", proved=(("10:00", "10:12"),)), internal="three")
    make_meeting(ivo, internal="running", ended=None)
    rows = page("people", Filter(), sort=sort).rows
    shares = [row.share for row in rows]
    assert None in shares
    assert shares == sorted(shares, key=lambda one: (one is not None, one), reverse=sort.startswith("-"))
    assert everything("people", sort, 1) == [row.pk for row in rows]


PEOPLE = (("Ada", "10:20"), ("Eva", "10:37"), ("Ivo", "10:41"))


@pytest.mark.parametrize("sort", ["started", "-started", "meeting", "-meeting", "time", "-time", "name", "-name"])
@pytest.mark.parametrize("way", ["sorted", "walked"])
def test_an_emptied_page_leads_back_to_the_row_beside_it(
    database: str, way: str, sort: str, request: pytest.FixtureRequest
) -> None:
    from rollcall.store.derived import Attendance
    from rollcall.store.searching import Filter, page

    if way == "walked":
        request.getfixturevalue("walked")
    school.make_school(3, meetings=3)
    wanted = Filter(organisation=0)
    order = everything("attendances", sort)
    half = len(order) // 2
    first = page("attendances", wanted, sort=sort, limit=half)
    Attendance.objects.filter(pk__in=order[half:]).delete()
    emptied = page("attendances", wanted, sort=sort, after=first.after, limit=half)
    assert (emptied.rows, emptied.after) == ([], "")
    back = page("attendances", wanted, sort=sort, before=emptied.before, limit=half)
    assert [row.pk for row in back.rows] == order[:half]

    second = page("attendances", wanted, sort=sort, after=page("attendances", wanted, sort=sort, limit=2).after)
    Attendance.objects.filter(pk__in=order[:2]).delete()
    emptied = page("attendances", wanted, sort=sort, before=second.before, limit=half)
    assert (emptied.rows, emptied.before) == ([], "")
    again = page("attendances", wanted, sort=sort, after=emptied.after, limit=half)
    assert [row.pk for row in again.rows] == order[2:half]


@pytest.mark.parametrize("sort", ["started", "-meeting"])
def test_a_place_in_another_meeting_opens_nothing_of_it(database: str, walked: None, sort: str) -> None:
    from rollcall.store.derived import Summary
    from rollcall.store.searching import Filter, page

    school.make_school(3, meetings=4)
    place = page("attendances", Filter(organisation=0), sort=sort, limit=1).after
    shown: Any = page("attendances", Filter(organisation=0), sort=sort, limit=1).rows[0]
    Summary.objects.filter(pk=shown.summary_id).update(organisation=7)
    rows = page("attendances", Filter(organisation=0), sort=sort, after=place).rows
    assert rows
    assert shown.summary_id not in {row.summary_id for row in rows}


@pytest.mark.parametrize("way", ["sorted", "walked"])
def test_what_is_not_folded_again_since_an_upgrade_is_in_every_list(
    database: str, way: str, request: pytest.FixtureRequest
) -> None:
    """Its rows have no person, no course and no share yet."""
    from rollcall.core.errors import Refused
    from rollcall.derive.directory import count_people
    from rollcall.store.derived import Attendance, Person, Summary
    from rollcall.store.searching import SORTS, Filter, count, each_attendance, facets, totals

    school.make_school(9, meetings=6)
    old = list(Summary.objects.order_by("pk").values_list("pk", flat=True)[:4])
    Attendance.objects.filter(summary__in=old).update(person=None, share=None)
    Summary.objects.filter(pk__in=old).update(course=None, length_ms=None)
    with transaction.atomic():
        count_people(list(Person.objects.values_list("pk", flat=True)))
    if way == "walked":
        request.getfixturevalue("walked")
    rows = school.all_rows()
    for sort in SORTS["attendances"]:
        try:
            assert sorted(everything("attendances", sort)) == sorted(row.pk for row in rows), sort
        except Refused:
            assert way == "walked"
    assert len(list(each_attendance(Filter(organisation=0)))) == len(rows)
    assert len(everything("meetings", "-started")) == 6
    assert set(everything("people", "name")) == {row.person_id for row in rows if row.person and row.person.is_user}
    assert count("attendances", Filter()).number == totals(Filter()).attendances.number == len(rows)
    assert facets(Filter(), of="people")


def test_a_place_by_an_odd_role_is_one_too(database: str) -> None:
    make_meeting(*(Attendee(name=str(number), uid=str(number), role="é" * 600) for number in range(3)))
    assert len(everything("attendances", "role", 1)) == 3
