"""The index of names is made after every migration, whole or not at all."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from rollcall.store.derived import Person
from rollcall.store.searching import Filter, page
from tests.makers import Attendee, make_meeting


def found(name: str) -> list[str]:
    return [person.name for person in page("people", Filter(name=name), limit=5).rows]


@pytest.mark.usefixtures("database")
def test_names_are_found_by_three_letters_after_any_number_of_migrations() -> None:
    make_meeting(Attendee(name="Zoe Quill"))
    for _ in range(2):
        call_command("migrate", verbosity=0)
        assert found("uil") == ["Zoe Quill"]


@pytest.mark.django_db
def test_triggers_that_went_with_a_table_come_back_with_what_they_missed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER store_person_names_insert")
    make_meeting(Attendee(name="Zoe Quill"))
    assert Person.objects.count() == 1
    assert found("quill") == []
    call_command("migrate", verbosity=0)
    assert found("quill") == ["Zoe Quill"]
    make_meeting(Attendee(name="Ian Quillon", uid="8"), day="2026-11-21")
    assert found("quill") == ["Ian Quillon", "Zoe Quill"]
    Person.objects.filter(name="Zoe Quill").update(names_key="other")
    assert found("quill") == ["Ian Quillon"]
