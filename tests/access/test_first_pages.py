"""Where a launch leads: one's own record with its reasons, one's course, and something kind where nothing is yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from rollcall.core.access import Role
from rollcall.lti import visits
from tests.access.asking import TEACHER, Someone, launched, somebody
from tests.access.places import A1, ADA, BOB, ONE, TWO

if TYPE_CHECKING:
    from tests.access.places import School

pytestmark = pytest.mark.django_db


def first_page(someone: Someone) -> Any:
    assert someone.visit is not None
    return someone.get(visits.first_page(someone.visit))


def links_of(someone: Someone, response: Any) -> list[str]:
    tree: Any = html.fromstring(response.content)
    found = [str(link) for link in tree.xpath("//a/@href") if link.startswith("/in/")]
    return [link.removeprefix(someone.before) for link in found]


@pytest.mark.parametrize("name", ["ada in A1 one", "bob in A1 one", "cyd in A1 two"])
def test_a_learner_comes_to_their_record_and_can_follow_each_link_of_it(school: School, name: str) -> None:
    someone = somebody(school, name)
    page = first_page(someone)
    assert page.status_code == 200
    links = links_of(someone, page)
    assert any("/facts/" in link for link in links)
    for link in links:
        assert someone.get(link).status_code == 200, link


def test_the_reasons_of_a_learners_time_lead_back_to_their_record(school: School) -> None:
    someone = somebody(school, "ada in A1 one")
    why = next(link for link in links_of(someone, first_page(someone)) if "/facts/" in link)
    page = someone.get(why)
    assert "What was heard of" in page.content.decode()
    for link in links_of(someone, page):
        assert someone.get(link).status_code == 200, link


def test_a_learner_who_was_in_no_class_of_the_activity_is_told_so(school: School) -> None:
    someone = somebody(school, "ada in A1 one")
    assert someone.visit is not None
    page = someone.get(f"{visits.first_page(someone.visit)}?meeting={'0' * 32}")
    assert page.status_code == 200
    assert "You were not seen in such a class yet." in page.content.decode()


@pytest.mark.parametrize("name", ["instructor of A1 one", "instructor of red", "instructor of B one"])
def test_an_instructor_comes_to_their_course_and_can_follow_each_link_of_it(school: School, name: str) -> None:
    someone = somebody(school, name)
    page = first_page(someone)
    assert page.status_code == 200
    for link in links_of(someone, page):
        assert someone.get(link).status_code in {200, 302}, link


@pytest.mark.parametrize(
    ("role", "user", "course", "told"),
    [
        (Role.LEARNER, "599", ONE, "You were not seen in a class of this course yet."),
        (Role.LEARNER, ADA, TWO, "You were not seen in a class of this course yet."),
        (Role.INSTRUCTOR, TEACHER, "699", "No class of this course has been heard of yet."),
    ],
)
def test_what_is_not_there_yet_is_a_page_of_its_own(
    school: School, role: Role, user: str, course: str, told: str
) -> None:
    page = first_page(launched(school, "new", A1, role, user, course))
    assert page.status_code == 200
    assert told in page.content.decode()


def test_an_activity_without_a_meeting_says_so(school: School) -> None:
    someone = somebody(school, "instructor of A1 one")
    page = someone.get(f"/meetings?meeting={'0' * 32}")
    assert page.status_code == 200
    assert "This activity had no meeting yet" in page.content.decode()
    assert "It may help to loosen" not in page.content.decode()


def test_only_ones_own_is_not_there_yet(school: School) -> None:
    someone = launched(school, "new", A1, Role.LEARNER, "599", ONE)
    assert someone.get(f"/people/{school.person_key('A', A1, BOB)}").status_code == 404
    teacher = launched(school, "new too", A1, Role.INSTRUCTOR, TEACHER, "699")
    assert teacher.get(f"/courses/{school.course_key('A', A1, ONE)}").status_code == 404


@pytest.mark.parametrize("name", ["operator", "staff of A", "administrator of A1", "instructor of A1 two"])
def test_each_entry_of_the_menu_leads_somewhere(school: School, name: str) -> None:
    someone = somebody(school, name)
    tree: Any = html.fromstring(someone.get("/").content)
    entries = tree.xpath("//nav[contains(@class, 'frame-nav')]//a/@href")
    assert entries
    for address in entries:
        assert someone.get(str(address).removeprefix(someone.before)).status_code == 200, address


@pytest.mark.parametrize(("name", "left_out"), [("ada in A1 one", True), ("instructor of A1 one", False)])
def test_a_link_to_one_activity_is_headed_by_it_and_unfolds_no_filters(
    school: School, name: str, left_out: bool
) -> None:
    someone = somebody(school, name)
    assert someone.visit is not None
    activity = bytes(school.meetings["aoneone"].activity_key or b"").hex()
    path = visits.first_page(someone.visit) if left_out else "/meetings"
    tree: Any = html.fromstring(someone.get(f"{path}?meeting={activity}").content)
    assert len(tree.xpath("//details[@class='fold']")) == 1
    assert not tree.xpath("//details[@class='fold']/@open")
    if left_out:
        assert not {"role", "kind", "roster", "state", "server"} & set(tree.xpath("//*[@id='filters']//@name"))
    else:
        assert tree.xpath("string(//h1)") == school.meetings["aoneone"].name
