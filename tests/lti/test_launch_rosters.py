"""What a launch does to the roster of its course."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.lti import launch, login
from rollcall.store.platforms import Context, Teacher
from tests.lti.standin import MEMBERSHIP, NOW, StandIn

pytestmark = pytest.mark.django_db
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
URL = "https://moodle.example.org/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
TEACHER, LEARNER = [f"{MEMBERSHIP}#Instructor"], [f"{MEMBERSHIP}#Learner"]


def launched(**claims: Any) -> Context:
    stand_in = StandIn()
    stand_in.register()
    asked = stand_in.authenticate(login.begin(stand_in.initiation(), NOW))
    told = stand_in.claims(asked.nonce, **{NRPS: {"context_memberships_url": URL}, **claims})
    launch.receive({"id_token": [stand_in.sign(told)], "state": [asked.state]}, NOW)
    return Context.objects.get()


def test_it_is_read_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    context = launched()
    assert (context.memberships_url, context.roster_due_at) == (URL, NOW)


@pytest.mark.parametrize("kind", ["Group", "http://purl.imsglobal.org/vocab/lis/v2/course#Group"])
def test_that_of_the_front_page_is_not_for_it_has_everybody(kind: str) -> None:
    context = launched(context={"id": "1", "label": "TM", "title": "Our Moodle", "type": [kind]})
    assert context.roster_due_at is None


def test_without_the_service_nothing_is_to_be_read() -> None:
    assert launched(**{NRPS: {}}).roster_due_at is None


@pytest.mark.parametrize(("roles", "teachers"), [(TEACHER, ["4"]), (LEARNER, []), (TEACHER + LEARNER, ["4"])])
def test_who_came_as_instructor_is_remembered(roles: list[str], teachers: list[str]) -> None:
    launched(roles=roles)
    assert list(Teacher.objects.values_list("user_id", flat=True)) == teachers
