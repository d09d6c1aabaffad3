"""The index of names is made after every migration, whole or not at all."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from rollcall.store.derived import Person
from rollcall.store.names import matches, search_terms
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


def hostile() -> list[str]:
    every = [chr(code) for code in range(0x20, 0x7F)]
    operators = ["NEAR(ada king)", "ada AND", "OR", "NOT ada", "ada*", '"ada', 'ada"', "^ada", "names_key:ada", "{ada}"]
    odd = ["-ada", "ada' OR '1'='1", "%da", "a_a", "\\", "\ud800", "ada\udfff", "\0", "ada\0king", "é\u0301\u0301"]
    return [*every, *operators, *odd]


def test_whatever_is_asked_for_is_a_name_and_no_operator(database: str) -> None:
    for number, name in enumerate(("Ada King", "Adb Near", "Andrew Notley", "100% Ada_x", "")):
        make_meeting(Attendee(name=name, uid=str(number)), internal=str(number))
    everybody = list(Person.objects.all())
    for query in hostile():
        expected = sorted(one.name for one in everybody if matches(search_terms(query), one.names_key))
        assert sorted(found(query)) == expected, query


def test_a_name_as_long_as_a_page_is_kept_and_found(database: str) -> None:
    make_meeting(Attendee(name="Ada " + "ω" * 10_000 + " Quill", uid="1"))
    assert len(found("quill")) == len(found("ωωωω")) == 1
    for query in ("ω" * 10_000, "ada " * 3_000, "%" * 10_000, '"' * 10_000, "a b " * 2_000):
        assert len(found(query)) <= 1


def test_a_missing_index_is_told_and_names_are_found_without_it(database: str) -> None:
    from rollcall.doctor import database as check
    from rollcall.store import name_index

    make_meeting(Attendee(name="Zoe Quill"))
    assert not name_index.is_missing()
    if connection.vendor == "mysql":
        return
    drop = "TABLE" if connection.vendor == "sqlite" else "INDEX"
    with connection.cursor() as cursor:
        for event in ("insert", "delete", "update") if connection.vendor == "sqlite" else ():
            cursor.execute(f"DROP TRIGGER store_person_names_{event}")
        cursor.execute(f"DROP {drop} store_person_names")
    assert found("quill") == ["Zoe Quill"]
    assert "Names" in check.check()[-1].sentence
    assert name_index.can_be_made()
    call_command("migrate", verbosity=0)
    assert len(check.check()) == 1
