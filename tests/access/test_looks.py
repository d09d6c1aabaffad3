"""Every look at others' records stands in the audit log, whoever looked; nobody's look at their own does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.store.audit import AuditEntry
from rollcall.store.keys import key_of
from tests.access.asking import somebody
from tests.access.places import A1, ADA, BOB, ONE, attendee_key

if TYPE_CHECKING:
    from tests.access.places import School

pytestmark = pytest.mark.django_db


def looks(school: School) -> list[str]:
    pk = school.number("aoneone")
    person, course = school.person_key("A", A1, BOB), school.course_key("A", A1, ONE)
    activity = f"/activities/{bytes(school.meetings['aoneone'].activity_key).hex()}"
    pages = [f"/meetings/{pk}", f"/meetings/{pk}/facts", f"/people/{person}", f"/courses/{course}"]
    return [
        *(page + kind for page in pages for kind in ("", ".json", ".csv")),
        *("/activities", activity, f"{activity}/policy", f"{activity}/classes", f"{activity}/sending"),
        f"{activity}/people/{key_of(BOB).hex()}",
        *("/attendances", "/attendances.json", "/people.csv", f"/meetings/{pk}/facts/{attendee_key(BOB)}"),
        *(f"/meetings/{pk}/watch", f"/meetings/{school.number('aonerunning')}/live"),
    ]


@pytest.mark.parametrize("name", ["operator", "staff of A", "administrator of A1", "instructor of A1 one"])
def test_each_look_that_shows_something_is_noted(school: School, name: str) -> None:
    someone = somebody(school, name)
    for path in looks(school):
        AuditEntry.objects.all().delete()
        assert someone.get(path).status_code == 200, path
        (entry,) = AuditEntry.objects.all()
        assert entry.role == someone.role, path
        assert entry.action in {"opened", "exported"}, path
        if entry.meeting or entry.person or entry.course:
            assert entry.organisation == school.pk("A"), path


def test_a_learners_look_at_their_own_record_is_nobodys_business(school: School) -> None:
    someone = somebody(school, "ada in A1 one")
    AuditEntry.objects.all().delete()
    own = school.person_key("A", A1, ADA)
    why = f"/meetings/{school.number('aoneone')}/facts/{attendee_key(ADA)}"
    for path in (f"/people/{own}", f"/people/{own}.json", why, f"{why}.csv"):
        assert someone.get(path).status_code == 200, path
    assert not AuditEntry.objects.exists()


def test_what_was_refused_is_noted_where_the_reader_is_known_and_tells_nobody_whose_it_was(school: School) -> None:
    someone = somebody(school, "instructor of B one")
    AuditEntry.objects.all().delete()
    for path in (f"/meetings/{school.number('aoneone')}", f"/people/{school.person_key('A', A1, BOB)}"):
        assert someone.get(path).status_code == 404
    for entry in AuditEntry.objects.all():
        assert (entry.action, entry.organisation) == ("refused", school.pk("B"))
        assert (entry.meeting, entry.person, entry.course) == (None, None, None)
    assert AuditEntry.objects.count() == 2
