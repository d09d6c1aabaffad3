"""The list of activities, and everybody's verdict in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rollcall.core.activity import Verdict
from rollcall.core.policy import Condition, Policy, Quantity
from rollcall.feed.deciding import By, decide
from tests.makers import make_meeting
from tests.web.completion.conftest import NOON, SITE

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.completion.conftest import Course

pytestmark = pytest.mark.django_db


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


def test_activities_without_a_policy_stand_in_the_list_and_are_found_by_name(course: Course, teacher: Client) -> None:
    make_meeting(name="Poetry", site=SITE, course="8", organisation=course.organisation.pk)
    said = page(teacher, "/activities")
    assert said.count("Nothing is set yet") == 2
    assert said.index("Algebra") < said.index("Poetry") or said.index("Poetry") < said.index("Algebra")
    found = page(teacher, "/activities?name=poet")
    assert "Poetry" in found
    assert "Algebra" not in found
    assert "No activity is called that." in page(teacher, "/activities?name=nothing")


def test_each_activity_stands_once_however_many_classes_it_had(course: Course, teacher: Client) -> None:
    assert page(teacher, "/activities").count(f'href="{course.path}"') == 2  # its name, and that nothing is set


def test_before_a_policy_the_page_offers_ways_to_begin(course: Course, teacher: Client) -> None:
    said = page(teacher, course.path)
    for name in ("share", "time", "some", "part", "moodle", "own"):
        assert f"{course.path}/policy?preset={name}" in said


def judged(course: Course) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    course.judge("501", "Ada Byron", Verdict.MET)
    course.judge("502", "Bob Marley", Verdict.NOT_MET)
    course.judge("503", "Çetin Öz", Verdict.CANNOT_TELL)
    course.judge("504", "Dan Teach", Verdict.MET, is_teacher=True)


def test_counts_are_links_to_their_people_and_teachers_stand_apart(course: Course, teacher: Client) -> None:
    judged(course)
    said = page(teacher, course.path)
    assert "3 people" in said
    assert "Dan Teach" not in said
    met = page(teacher, f"{course.path}?verdict=met")
    assert "Ada Byron" in met
    assert "Bob Marley" not in met
    assert "Dan Teach" in page(teacher, f"{course.path}?verdict=teachers")
    assert "Çetin" in page(teacher, f"{course.path}?name=cetin")


@pytest.mark.parametrize(
    "query", ["verdict=%00", "verdict=no", "name=%00", "after=x", "before=~", "name=" + "x" * 5000]
)
def test_odd_addresses_are_no_failure(course: Course, teacher: Client, query: str) -> None:
    judged(course)
    for path in (course.path, "/activities"):
        assert teacher.get(f"{path}?{query}").status_code in {200, 400}


def test_three_thousand_people_are_read_page_by_page(
    course: Course, teacher: Client, django_assert_max_num_queries: Any
) -> None:
    judged(course)
    activity = course.activity()
    first = activity.completions.get(external_user_id="501")
    many = []
    for number in range(3000):
        first.pk, first.user_key = None, number.to_bytes(16)
        first.name, first.sort_key = f"Pupil {number:04}", f"pupil {number:04}".encode()
        many.append(
            type(first)(**{f.attname: getattr(first, f.attname) for f in first._meta.fields if f.attname != "id"})
        )
    type(first).objects.bulk_create(many)
    with django_assert_max_num_queries(25):
        said = page(teacher, course.path)
    assert "3,003 people" in said
    assert said.count("<li><h2>") == 50
    following = said.partition('id="page-after" rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "Pupil 0047" in page(teacher, following)


def test_what_is_not_there_is_not_there(teacher: Client) -> None:
    page(teacher, "/activities/" + "0" * 32, status=404)


def test_an_activity_of_which_no_class_is_kept_any_more_can_still_be_seen(course: Course, teacher: Client) -> None:
    judged(course)
    activity = course.activity()
    type(course.meetings[0]).objects.all().delete()
    assert "Ada Byron" in page(teacher, course.path)
    assert "No class of this activity" in page(teacher, f"{course.path}/classes")
    for below in ("/policy", "/sending", f"/people/{bytes(activity.completions.earliest('pk').user_key).hex()}"):
        page(teacher, course.path + below)
    assert teacher.post(f"{course.path}/policy", {"act": "preview", "share": "80"}).status_code == 200


def test_nobody_and_nothing_in_an_empty_organisation(teacher: Client, course: Course) -> None:
    type(course.meetings[0]).objects.all().delete()
    assert "No class has been heard of yet." in page(teacher, "/activities")


def test_that_verdicts_follow_is_said_where_somebody_waits_for_them(course: Course, teacher: Client) -> None:
    judged(course)
    activity = course.activity()
    rows = type(activity).objects.filter(pk=activity.pk)
    anew = "The verdicts are being worked out anew"
    rows.update(folded=1, appended=2, folded_at=NOON - 1)
    assert anew in page(teacher, course.path)
    type(course.meetings[0]).objects.filter(pk=course.meetings[0].pk).update(ended_possible_at=None)
    rows.update(folded_at=NOON + 1)
    assert anew not in page(teacher, course.path)
    activity.decisions.update(at=NOON + 2)
    assert anew in page(teacher, course.path)
