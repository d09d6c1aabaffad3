"""Whoever is an instructor by the launch and a learner by the roster sees their own groups, wherever they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rollcall.core.access import Role
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Member, Visit
from tests.access.asking import TEACHER, launched, said_by, somebody
from tests.access.places import A1, BLUE, DAN, ONE, RED
from tests.makers import Attendee, make_export, make_meeting

if TYPE_CHECKING:
    from tests.access.places import School

pytestmark = pytest.mark.django_db


def meet(school: School, name: str, day: str, *users: str, group: str = "", activity: str = "rooms") -> int:
    people = [Attendee(name=f"qname{user}", uid=user) for user in users]
    place: dict[str, Any] = {"site": A1, "course": ONE, "organisation": school.pk("A"), "server": "qserver-shared"}
    return int(make_meeting(*people, name=name, day=day, group=group, activity=activity, **place).meeting_id)


def test_who_usually_comes_to_another_groups_rooms_is_not_told(school: School) -> None:
    for day in ("2026-11-21", "2026-11-22", "2026-11-23"):
        meet(school, f"q{day}", day, "571", group=BLUE)
        meet(school, f"r{day}", day, "572", group=RED)
    pk = meet(school, "own", "2026-11-24", group=RED)
    plain = meet(school, "plain", "2026-11-24", activity="other")
    red = somebody(school, "instructor of red")
    said = said_by(red.get(f"/meetings/{pk}"))
    assert "qname572" in said
    assert "qname571" not in said + said_by(red.get(f"/meetings/{pk}.json")) + said_by(red.get(f"/meetings/{plain}"))


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("instructor of red", {"aoneone", "aonelater", "aonered", "aonerunning"}),
        ("instructor of no group", {"aoneone", "aonelater", "aonerunning"}),
        ("instructor of A1 one", {"aoneone", "aonelater", "aonered", "aonerunning", "aoneblue", "aoneall"}),
    ],
)
def test_counts_are_of_the_rooms_that_are_seen(school: School, name: str, there: set[str]) -> None:
    someone = somebody(school, name)
    found = someone.rows("meetings")
    assert {one["meeting_name"].removeprefix("qmeet") for one in found} == there
    attendances = sum(school.meetings[one].attendees for one in there)
    assert f"{len(there)} meetings" in said_by(someone.get("/meetings"))
    assert f"{attendances} attendances" in said_by(someone.get("/attendances"))
    course = someone.rows("courses")[0]
    assert (course["meetings"], course["attendances"]) == (len(there), attendances)
    assert sum(one["meetings"] for one in someone.rows("use")) == len(there)


def test_the_roster_decides_and_not_the_launch_alone(school: School) -> None:
    someone = launched(school, "no groups told", A1, Role.INSTRUCTOR, TEACHER, ONE)
    assert someone.get(f"/meetings/{school.number('aoneblue')}").status_code == 200
    context = Context.objects.get(platform=school.platforms[A1], key=key_of(ONE))
    Member.objects.create(
        context=context, user_id=TEACHER, user_key=key_of(TEACHER), is_instructor=False, is_learner=True, from_at=0
    )
    assert someone.get(f"/meetings/{school.number('aoneblue')}").status_code == 404
    Visit.objects.update(groups=BLUE)
    assert someone.get(f"/meetings/{school.number('aoneblue')}").status_code == 200
    assert someone.get(f"/people/{school.person_key('A', A1, DAN)}").status_code == 200
    Member.objects.update(is_instructor=True)
    assert someone.get(f"/meetings/{school.number('aonered')}").status_code == 200


@pytest.mark.parametrize(("name", "status"), [("instructor of red", 400), ("instructor of A1 one", 200)])
def test_by_how_people_stand_on_the_roster_only_who_sees_all_groups_finds_them(
    school: School, name: str, status: int
) -> None:
    someone = somebody(school, name)
    for path in ("/attendances", "/people", "/attendances.csv"):
        assert someone.get(f"{path}?roster=enrolled").status_code == status, path
    assert ('name="roster"' in someone.get("/attendances").content.decode()) is (status == 200)


def test_a_file_of_all_groups_is_not_fetched_by_who_sees_some(school: School) -> None:
    from rollcall.reports.exports.asking import owner_of

    everything = somebody(school, "instructor of A1 one")
    assert everything.reader is not None
    made = make_export(owner=owner_of(everything.reader))
    assert everything.get(f"/exports/{made.pk}").status_code == 200
    for name in ("instructor of red", "instructor of A1 two", "instructor of A2 one", "staff of A", "operator"):
        other = somebody(school, name)
        for path in ("", "/progress", "/file"):
            assert other.get(f"/exports/{made.pk}{path}").status_code == 404, name
        assert other.post(f"/exports/{made.pk}/delete").status_code == 404
        assert "people.csv" not in said_by(other.get("/exports"))


def test_a_file_is_withdrawn_when_what_it_may_hold_changes_hands(school: School) -> None:
    import msgspec

    from rollcall.derive.rebuild import demand_sites
    from rollcall.reports.exports.asking import owner_of

    held = {}
    for name in ("staff of A", "staff of B", "operator"):
        someone = somebody(school, name)
        assert someone.reader is not None
        made = make_export(owner=owner_of(someone.reader), reader=msgspec.json.encode(someone.reader).decode())
        held[name] = (someone, f"/exports/{made.pk}")
    demand_sites([A1])
    asked = {name: someone.get(path).status_code for name, (someone, path) in held.items()}
    assert asked == {"staff of A": 404, "staff of B": 200, "operator": 200}
