"""What files are called."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from rollcall.reports.file_names import disposition
from rollcall.store.derived import Course, Person
from rollcall.store.facts import Meeting
from tests.makers import Attendee, make_meeting, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def called(client: Client, django_user_model: Any) -> Any:
    client.force_login(operator(django_user_model, "teacher"))
    return lambda address: client.get(address)["Content-Disposition"].removeprefix("attachment; ")


def key_of(one: Any) -> str:
    return bytes(one.key).hex()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "pdf"])
def test_a_register_is_called_by_its_day_and_course(called: Any, kind: str) -> None:
    make_meeting(Attendee(name="Ada Markou", uid="7"), course="5", label="LOG 101/2")
    pk = Meeting.objects.get().pk
    name = called(f"/meetings/{pk}.{kind}")
    assert name == f'filename="meeting-2026-11-20-1000-LOG-101-2.{kind}"'


def test_a_person_is_called_by_no_name(called: Any) -> None:
    make_meeting(Attendee(name="Ada Markou", uid="7"))
    key = key_of(Person.objects.get(is_user=True))
    assert called(f"/people/{key}.csv").startswith(f'filename="person-{key[:8]}-2')


def test_a_course_of_another_script_has_a_name_for_old_programs_too(called: Any) -> None:
    make_meeting(Attendee(name="Ada", uid="7"), course="5", label='Λογική "1"\r\nX: é\u202egpj')
    name = called(f"/courses/{key_of(Course.objects.get())}.csv")
    plain, _sep, whole = name.partition("; ")
    assert plain.startswith('filename="course--1-X-e-gpj-2')
    assert whole.startswith("filename*=UTF-8''course-%CE%9B%CE%BF%CE%B3%CE%B9%CE%BA%CE%AE-1-X-%C3%A9-gpj-2")
    assert disposition("course-Λογική", "pdf").startswith('attachment; filename="course.pdf"; filename*=')


def test_a_list_is_called_by_the_day_it_was_made(called: Any) -> None:
    assert called("/meetings.csv").startswith('filename="meetings-2')
