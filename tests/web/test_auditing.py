"""Who looked at whose record is known afterwards, and the log itself keeps no name that was searched for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from django.core.cache import cache

from rollcall.store.audit import AuditEntry
from rollcall.store.derived import Person
from tests.makers import make_export, operator
from tests.store.school import make_school

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client, django_user_model: type[User]) -> Client:
    cache.clear()
    make_school(1, meetings=4)
    client.force_login(operator(django_user_model, "officer"))
    return client


def test_a_look_at_a_person_names_who_looked_and_at_whom(reader: Client) -> None:
    key = bytes(Person.objects.filter(is_user=True).order_by("pk").values_list("key", flat=True)[0])

    assert reader.get(f"/people/{key.hex()}").status_code == 200

    entry = AuditEntry.objects.get()
    assert (entry.role, entry.actor, entry.action, entry.subject) == ("operator", "officer", "opened", "person")
    assert bytes(entry.person or b"") == key


def test_a_file_is_taken_and_a_page_is_opened(reader: Client) -> None:
    reader.get("/people")
    b"".join(reader.get("/people.csv"))

    assert list(AuditEntry.objects.order_by("pk").values_list("action", "subject")) == [
        ("opened", "people"),
        ("exported", "people"),
    ]


def test_names_that_were_searched_for_stand_in_no_entry(reader: Client) -> None:
    reader.get("/attendances?name=Lovelace&user=7&min-percent=80")

    entry = AuditEntry.objects.get()
    assert "Lovelace" not in entry.address
    assert "min-percent=80" in entry.address
    assert "user=7" not in entry.address


def test_a_page_that_asks_for_itself_again_is_one_look(reader: Client) -> None:
    for _ in range(5):
        reader.get("/meetings")

    assert AuditEntry.objects.count() == 1


def test_what_shows_nobody_is_no_look(reader: Client) -> None:
    reader.get("/use")
    reader.get("/servers")

    assert not AuditEntry.objects.exists()


def test_with_one_organisation_the_operator_sees_what_is_about_none(reader: Client) -> None:
    from rollcall.store import auditing
    from rollcall.store.auditing import Action
    from rollcall.store.derived import Summary

    Summary.objects.update(organisation=5)
    auditing.write(1, Action.SIGN_IN_FAILED, None, actor="mallory")

    assert "mallory" in reader.get("/audit").content.decode()
    assert b"mallory" in b"".join(reader.get("/audit.csv"))


def test_whose_it_was_is_told_to_nobody_when_somebody_is_refused(reader: Client, django_user_model: type[User]) -> None:
    from rollcall.store.accounts import Account
    from rollcall.store.derived import Summary
    from rollcall.store.organisations import Licence, Organisation

    ours, theirs = (Organisation.objects.create(name=name, added_at=0) for name in ("Ours", "Theirs"))
    for one in (ours, theirs):
        Licence.objects.create(organisation=one, starts_at=0, added_at=0)
    Summary.objects.update(organisation=theirs.pk)
    anna = operator(django_user_model, "anna@ours.example")
    Account.objects.filter(user=anna).update(organisation=ours)
    reader.force_login(anna)

    assert reader.get(f"/meetings/{Summary.objects.values_list('meeting', flat=True)[0]}").status_code == 404

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.organisation, entry.meeting, entry.person) == ("refused", ours.pk, None, None)


def test_whoever_looks_a_few_people_up_in_a_list_has_looked_at_each_of_them(reader: Client) -> None:
    one, two = Person.objects.filter(is_user=True).order_by("pk")[:2]

    for person in (one, two):
        reader.get("/attendances", {"user": person.external_user_id})

    assert {bytes(entry.person or b"") for entry in AuditEntry.objects.all()} >= {bytes(one.key), bytes(two.key)}


def test_whom_somebody_looked_for_and_did_not_see_they_did_not_look_at(
    reader: Client, django_user_model: type[User]
) -> None:
    from rollcall.store.accounts import Account
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.organisations import Licence, Organisation

    ours, theirs = (Organisation.objects.create(name=name, added_at=0) for name in ("Ours", "Theirs"))
    Licence.objects.create(organisation=ours, starts_at=0, added_at=0)
    for table in (Summary, Attendance, Person):
        table.objects.update(organisation=theirs.pk)
    person = Person.objects.filter(is_user=True).first()
    assert person is not None
    reader.get(f"/attendances?user={person.external_user_id}")
    entry = AuditEntry.objects.get()
    assert (entry.organisation, bytes(entry.person or b"")) == (theirs.pk, bytes(person.key)), "the operator's look"

    Account.objects.filter(user=operator(django_user_model, "anna")).update(organisation=ours)
    reader.force_login(django_user_model.objects.get(username="anna"))
    reader.get(f"/attendances?user={person.external_user_id}")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.person) == ("anna", None)


def test_words_that_mean_nothing_make_no_other_look(reader: Client) -> None:
    for number in range(5):
        reader.get(f"/people?after=&x{number}=1")
        reader.get(f"/meetings?from=2026-11-01&narrow={number}")

    assert AuditEntry.objects.count() <= 1


def test_whoever_asks_a_lot_first_is_seen_all_the_same(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.web import auditing

    monkeypatch.setattr(auditing, "MOST", 3)
    for number in range(6):
        reader.get(f"/attendances?min-time={number}")
    assert AuditEntry.objects.count() == 4
    assert "more than 3" in AuditEntry.objects.latest("pk").address

    person = Person.objects.filter(is_user=True).first()
    assert person is not None
    reader.get(f"/people/{bytes(person.key).hex()}")
    assert bytes(AuditEntry.objects.latest("pk").person or b"") == bytes(person.key)
    reader.get(f"/people?user={person.external_user_id}")
    assert AuditEntry.objects.latest("pk").address == "/people?user=%E2%80%A6"


def test_what_is_typed_beside_the_filters_is_not_kept(reader: Client) -> None:
    reader.get("/people?sort=name&after=x6164612000~1&nmae=Lovelace&course=Logic&" + "x" * 3000 + "=1")

    entry = AuditEntry.objects.filter(address__contains="Logic").first()
    assert entry is None or ("Lovelace" not in entry.address and "after" not in entry.address)
    assert all(len(one.address) <= 500 for one in AuditEntry.objects.all())


def test_whoever_tries_addresses_one_by_one_does_not_fill_the_log(
    reader: Client, django_user_model: type[User]
) -> None:
    from rollcall.store.accounts import Account
    from rollcall.store.organisations import Licence, Organisation

    ours = Organisation.objects.create(name="Ours", added_at=0)
    Licence.objects.create(organisation=ours, starts_at=0, added_at=0)
    Account.objects.filter(user=operator(django_user_model, "anna")).update(organisation=ours)
    reader.force_login(django_user_model.objects.get(username="anna"))

    for number in range(70):
        reader.get(f"/meetings/{900_000 + number}?x={'y' * 100}")

    assert AuditEntry.objects.filter(action="refused").count() == 61, "the last one says that there were more"
    assert not AuditEntry.objects.filter(address__contains="yyy").exists()


def test_a_file_of_others_that_is_refused_tells_nothing_of_it(reader: Client, django_user_model: type[User]) -> None:
    from rollcall.store.accounts import Account
    from rollcall.store.organisations import Licence, Organisation

    ours = Organisation.objects.create(name="Ours", added_at=0)
    Licence.objects.create(organisation=ours, starts_at=0, added_at=0)
    Account.objects.filter(user=operator(django_user_model, "anna")).update(organisation=ours)
    theirs = make_export(path="/courses.pdf", query="course=Secret", kind="pdf", owner=b"o" * 16)
    reader.force_login(django_user_model.objects.get(username="anna"))

    assert reader.get(f"/exports/{theirs.pk}/file").status_code == 404

    assert "Secret" not in AuditEntry.objects.get().address


def test_an_officer_finds_who_looked_at_one_person(reader: Client) -> None:
    person = Person.objects.filter(is_user=True).order_by("pk").first()
    assert person is not None
    row = person.attendance.select_related("summary").first()
    assert row is not None
    reader.get(f"/people/{bytes(person.key).hex()}")
    reader.get(f"/meetings/{row.summary.meeting_id}")
    reader.get("/people")

    told = reader.get(f"/audit.json?user={person.external_user_id}").getvalue()

    assert told.count(b'"action":"opened"') == 2
    assert b'"subject":"people"' not in told
    page = reader.get(f"/audit?user={person.external_user_id}").content.decode()
    assert person.name in page


def test_the_log_goes_by_pages_that_stay_right_while_it_grows(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports.views import audit
    from rollcall.store import auditing
    from rollcall.store.auditing import Action

    monkeypatch.setattr(audit, "PAGE", 2)
    for at in range(5):
        auditing.write(at, Action.OPENED, None, actor=f"a{at}")
    rows = re.compile(r"\ba\d\b")

    def actors(path: str) -> tuple[list[str], str]:
        page = reader.get(path).content.decode()
        found = re.search(r'href="[^"]*[?&;]after=([^"&]+)', page)
        return sorted(set(rows.findall(page))), unquote(found[1]) if found else ""

    first, after = actors("/audit")
    auditing.write(9, Action.OPENED, None, actor="a9")
    second, _ = actors(f"/audit?after={after}")

    assert (first, second) == (["a3", "a4"], ["a1", "a2"])


def test_entries_are_forgotten_after_their_time(reader: Client) -> None:
    from rollcall.store import auditing
    from rollcall.store.auditing import Action

    for at in (1, 2, 3):
        auditing.write(at, Action.SIGNED_IN, None, actor="ada")

    assert auditing.forget(3) == 2
    assert [entry.at for entry in AuditEntry.objects.all()] == [3]
    assert reader.get("/audit?action=none-such").status_code == 400
