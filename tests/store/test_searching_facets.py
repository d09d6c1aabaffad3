"""What a list may be narrowed down to, with how many of its own rows are left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.makers import Attendee, at, make_meeting
from tests.store import school

AS_OF = at("23:35", "2026-11-20")


@pytest.mark.parametrize("way", ["sorted", "walked"])
@pytest.mark.parametrize("name", ["meetings", "attendances", "people", "courses"])
def test_each_number_is_that_of_the_rows_it_leads_to(
    database: str, name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from rollcall.store.searching import Filter, State, count, facets, meetings, scope

    if way == "walked":
        monkeypatch.setattr(scope, "MOST", 0)
        monkeypatch.setattr(scope, "FEW_ROWS", -1)
        monkeypatch.setattr(meetings, "FEW_ROWS", -1)
    school.make_school(5, organisations=school.ORGANISATIONS)
    make_meeting(name="Nobody came", internal="empty", course="15", label="History")
    fields = {"course": str, "server": str, "role": str, "kind": str, "state": State, "weekday": int}
    for wanted in (Filter(organisation=0, as_of=AS_OF), Filter(organisation=0, as_of=AS_OF, server="bbb1")):
        for facet, values in facets(wanted, of=name).items():
            for value in values:
                read: Any = fields[facet](value.value)
                narrowed = {"weekdays": frozenset({read})} if facet == "weekday" else {facet: read}
                assert value.count == count(name, replace(wanted, **narrowed)), (facet, value)


def test_a_guest_is_no_person_of_a_facet_or_a_course(database: str) -> None:
    from rollcall.store.searching import Filter, facets, page

    user, guest = Attendee(name="Ada", uid="1"), Attendee(name="Eva", uid="", kind="guest")
    caller = Attendee(name="", uid="", kind="dial-in")
    make_meeting(user, guest, caller, course="1", label="Algebra")
    (server,) = facets(Filter(), "server", of="people")["server"]
    assert server.count.number == 1
    (course,) = page("courses", Filter()).rows
    assert (course.people, course.attendances) == (1, 3)
    (course,) = page("courses", Filter(name="a")).rows
    assert (course.people, course.attendances) == (1, 2)


def test_people_in_a_total_are_those_of_the_list_of_people(database: str) -> None:
    from rollcall.store.searching import Filter, count, totals

    make_meeting(Attendee(name="Ada", uid="1"), Attendee(name="Eva", uid="9", kind="guest"))
    make_meeting(Attendee(name="", uid="7", kind="dial-in"), internal="other")
    for wanted in (Filter(), Filter(kind="guest"), Filter(name="a"), Filter(organisation=0, kind="user")):
        assert totals(wanted).people == count("people", wanted)
    assert totals(Filter()).people == (1, False)


def test_times_beside_a_list_are_those_of_its_rows(database: str) -> None:
    from rollcall.store.searching import Filter, every, totals

    make_meeting(
        Attendee(name="Ada", uid="1"), Attendee(name="Eva", uid="9", kind="guest"), course="1", label="Algebra"
    )
    make_meeting(Attendee(name="Ada", uid="1"), internal="other")
    make_meeting(internal="nobody came")
    of_all = totals(Filter())
    assert (of_all.meetings.number, of_all.attendances.number) == (3, 3)
    for name in ("people", "courses", "attendances"):
        assert totals(Filter(), name).proved_ms == sum(row.proved_ms for row in every(name, Filter()))
        assert totals(Filter(), name)[:3] == of_all[:3]
