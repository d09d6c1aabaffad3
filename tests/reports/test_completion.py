"""Verdicts on the pages of people and classes, in the report and for programs: one sentence, whoever reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from django.test import Client, RequestFactory
from django.urls import resolve

from rollcall.core.access import Reader, Role
from rollcall.core.verdicts import CANNOT_TELL, MET, NOT_MET
from rollcall.deliveries.completion_words import sentence
from rollcall.feed.deciding import By, Word, decide
from rollcall.reports import meeting_page
from rollcall.reports.access import let_in
from rollcall.reports.completion import verdicts_of
from rollcall.store.keys import key_of, person_key
from rollcall.store.searching import EVERYTHING
from tests.makers import Attendee, make_meeting, make_organisation, operator
from tests.verdicts import judge, owe, verdict_in, verdict_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.store.derived import Attendance, Summary

pytestmark = pytest.mark.django_db

ADA = "Not met yet. Time attended: 38:10 of 45:00 needed, 6:50 missing."


@pytest.fixture
def algebra() -> Summary:
    people = [Attendee(name="Ada", uid="1"), Attendee(name="Bob", uid="2"), Attendee(name="Cyd", uid="3")]
    summary: Summary = make_meeting(*people, name="Algebra", course="c1", label="Mathematics")
    return summary


@pytest.fixture
def teacher(django_user_model: Any) -> Client:
    client = Client()
    client.force_login(operator(django_user_model, "teacher"))
    return client


def of(summary: Summary, user: str) -> Attendance:
    return summary.attendance.select_related("person", "summary").get(external_user_id=user)


def rows_of(client: Client, **words: str) -> list[Any]:
    answered = client.get("/completion.json", words)
    assert answered.status_code == 200
    found: list[Any] = json.loads(b"".join(answered))["completions"]
    return found


def test_the_report_has_each_verdict_with_its_sentence(algebra: Summary, teacher: Client) -> None:
    judge(of(algebra, "1"))
    judge(of(algebra, "2"), MET, high=3_000_000)

    ada, bob = rows_of(teacher)

    assert (ada["name"], ada["verdict"], ada["sentence"][: len(ADA)]) == ("Ada", "not-met", ADA)
    assert (bob["name"], bob["verdict"]) == ("Bob", "met")
    assert ada["sentence"].startswith(ADA)
    page = teacher.get("/completion").content.decode()
    assert ADA in page
    assert "2 verdicts on this page" in page


def test_teachers_are_left_out(algebra: Summary, teacher: Client) -> None:
    judge(of(algebra, "1"), is_teacher=True)

    assert rows_of(teacher) == []
    assert "Nobody has set yet what any activity asks for" in teacher.get("/completion").content.decode()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ({"verdict": "not-met"}, ["Ada"]),
        ({"verdict": "cannot-tell"}, ["Cyd"]),
        ({"name": "bob"}, ["Bob"]),
        ({"user": "3"}, ["Cyd"]),
        ({"delivery": "refused"}, ["Bob"]),
        ({"delivery": "sent"}, []),
        ({"meeting": "algebra"}, ["Ada", "Bob", "Cyd"]),
        ({"meeting": "logic"}, []),
        ({"course": "mathem"}, ["Ada", "Bob", "Cyd"]),
        ({"course": "physics"}, []),
        ({"verdict": "met", "name": "ada"}, []),
    ],
)
def test_it_is_searched(algebra: Summary, teacher: Client, words: dict[str, str], names: list[str]) -> None:
    judge(of(algebra, "1"), NOT_MET)
    owe(judge(of(algebra, "2"), MET), state="refused", reason="locked")
    judge(of(algebra, "3"), CANNOT_TELL, high=None)

    assert [row["name"] for row in rows_of(teacher, **words)] == names


def test_one_activity_is_found_by_its_key(algebra: Summary, teacher: Client) -> None:
    judge(of(algebra, "1"))

    (row,) = rows_of(teacher, meeting=bytes(algebra.activity_key).hex())

    assert row["activity_key"] == bytes(algebra.activity_key).hex()


@pytest.mark.parametrize(("field", "word"), [("verdict", "perhaps"), ("delivery", "lost")])
def test_what_no_verdict_can_be_is_refused_with_what_there_is(teacher: Client, field: str, word: str) -> None:
    answered = teacher.get("/completion.json", {field: word})

    assert answered.status_code == 400
    assert answered.json()["code"] == f"unknown-{field}"
    assert answered.json()["hint"].startswith("There are: ")


def test_a_delivery_says_how_far_it_is(algebra: Summary, teacher: Client) -> None:
    owe(judge(of(algebra, "1")), state="refused", reason="locked", status=403)

    (row,) = rows_of(teacher)

    (delivery,) = row["deliveries"]
    assert (delivery["way"], delivery["state"], delivery["reason"]) == ("ags", "refused", "locked")
    assert delivery["sentence"] == (
        "The LMS does not take it for this person. The grade, or its column, is locked in the gradebook."
    )
    assert "Gradebook: refused" in teacher.get("/completion").content.decode()


def test_pages_go_on_where_the_last_one_ended(algebra: Summary) -> None:
    from rollcall.store.searching import Filter
    from rollcall.store.searching.completions import completions_page

    for user in ("1", "2", "3"):
        judge(of(algebra, user))

    first = completions_page(Filter(), limit=2)
    second = completions_page(Filter(), after=first.after, limit=2)

    assert [one.completion.name for one in (*first.rows, *second.rows)] == ["Ada", "Bob", "Cyd"]
    assert not second.after


def test_a_persons_page_shows_it(algebra: Summary, teacher: Client) -> None:
    completion = judge(of(algebra, "1"))

    page = teacher.get(f"/people/{bytes(of(algebra, '1').person.key).hex()}").content.decode()  # type: ignore[union-attr]

    assert sentence(bytes(completion.detail), UTC) in page
    assert f'href="/activities/{bytes(algebra.activity_key).hex()}/people/' in page


def test_a_class_says_what_it_comes_to_for_each(algebra: Summary, teacher: Client) -> None:
    row = of(algebra, "1")
    judge(row, detail=verdict_in(algebra.meeting_id, row))

    told = "This class: Not met. Time attended: 38:10 of 45:00 needed, 6:50 missing."
    assert told in teacher.get(f"/meetings/{algebra.meeting_id}").content.decode()
    why = f"/meetings/{algebra.meeting_id}/facts/{bytes(row.attendee_key).hex()}"
    assert told in teacher.get(why).content.decode()


def test_a_page_of_a_class_reads_the_verdicts_of_its_own_people_alone(
    algebra: Summary, teacher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def sentences(_summary: Summary, _zone: object, users: Iterable[str]) -> dict[str, str]:
        asked.extend(users)
        return {}

    monkeypatch.setattr(meeting_page, "class_sentences", sentences)
    monkeypatch.setattr(meeting_page, "PAGE", 1)
    teacher.get(f"/meetings/{algebra.meeting_id}")
    assert len(asked) == 1


def test_a_guest_is_told_nothing_of_a_user_with_the_same_id(teacher: Client) -> None:
    summary = make_meeting(Attendee(name="Ada", uid="1"), Attendee(name="Guest", kind="guest", uid="1x"))
    row = summary.attendance.select_related("person", "summary").get(external_user_id="1")
    judge(row, detail=verdict_in(summary.meeting_id, row))

    assert teacher.get(f"/meetings/{summary.meeting_id}").content.decode().count("This class: Not met.") == 1


# --- the same for everybody -------------------------------------------------------------------------------------------


@pytest.fixture
def owned() -> Summary:
    summary: Summary = make_meeting(Attendee(name="Ada", uid="1"), organisation=make_organisation().pk, course="c1")
    return summary


def reader(summary: Summary, role: Role, user: str = "") -> Reader:
    place = {"organisation": summary.organisation, "site": summary.site, "context_id": summary.context_id}
    return Reader(role=role, name=user or "9", user_id=user, **place)


def as_reader(someone: Reader, address: str) -> str:
    request = RequestFactory().get(address)
    let_in(request, someone)
    match = resolve(address)
    response: Any = match.func(request, *match.args, **match.kwargs)
    page: str = response.content.decode()
    return page


def test_a_learner_a_teacher_and_an_operator_read_the_same_sentence(owned: Summary) -> None:
    row = of(owned, "1")
    told = sentence(bytes(judge(row).detail), UTC)
    assert row.person is not None
    address = f"/people/{bytes(row.person.key).hex()}"
    operators = Reader(role=Role.OPERATOR, name="root")

    for someone in (reader(owned, Role.LEARNER, "1"), reader(owned, Role.INSTRUCTOR), operators):
        page = as_reader(someone, address)
        assert told in page, someone.role
        assert ('<a href="/activities/' in page) is (someone.role is not Role.LEARNER)


def test_a_learner_who_was_in_no_class_reads_it_too(owned: Summary) -> None:
    roster: dict[str, Any] = {"external_user_id": "77", "user_key": key_of("77"), "person": None, "is_on_roster": True}
    told = sentence(bytes(judge(of(owned, "1"), **roster).detail), UTC)
    own = person_key(owned.site, "77", owned.organisation).hex()

    assert told in as_reader(reader(owned, Role.LEARNER, "77"), f"/people/{own}")


def test_a_learner_reads_class_by_class_where_it_went_and_why_it_was_corrected(owned: Summary) -> None:
    row = of(owned, "1")
    assert row.person is not None
    found = verdict_on("1", NOT_MET, low=2_290_000, high=2_290_000, began_at=row.started_at)
    twice = replace(found, classes=(found.classes[0], found.classes[0]._replace(began_at=row.started_at + 86_400_000)))
    completion = judge(row, detail=msgspec.json.encode(twice))
    owe(completion, state="sent", sent="done:1000", sent_at=row.started_at)
    for user, reason in (("1", "Her line broke"), ("2", "Somebody else's")):
        decide(completion.activity, Word(user, MET), By("grace", "staff", reason=reason), now=1)

    page = as_reader(reader(owned, Role.LEARNER, "1"), f"/people/{bytes(row.person.key).hex()}")

    assert page.count("Not met. Time attended: 38:10") == len(twice.classes)
    assert "Gradebook: sent (" in page
    assert "Her line broke" in page
    assert "Somebody else" not in page
    assert "ask your teacher" in page


def test_what_keeps_a_delivery_is_not_told_to_learners(owned: Summary) -> None:
    row = of(owned, "1")
    assert row.person is not None
    owe(judge(row), state="refused", reason="locked")

    page = as_reader(reader(owned, Role.LEARNER, "1"), f"/people/{bytes(row.person.key).hex()}")

    assert "Gradebook: refused" in page
    assert "locked" not in page


def test_the_same_id_of_another_lms_is_somebody_else(algebra: Summary) -> None:
    judge(of(algebra, "1"))

    assert len(verdicts_of("1", algebra.site, EVERYTHING)) == 1
    assert verdicts_of("1", "https://other.example", EVERYTHING) == []


def test_every_page_that_tells_why_says_it_in_the_same_words(algebra: Summary, teacher: Client) -> None:
    row = of(algebra, "1")
    owed = owe(judge(row), state="refused", reason="locked")
    told = sentence(bytes(owed.reasons), UTC)
    assert row.person is not None
    activity = f"/activities/{bytes(algebra.activity_key).hex()}"

    for address in (
        *("/completion", activity, f"{activity}/people/{key_of('1').hex()}"),
        *(f"/people/{bytes(row.person.key).hex()}", f"/deliveries/{owed.target.receiver_id}"),
    ):
        assert told in teacher.get(address).content.decode(), address
    assert told in b"".join(teacher.get("/completion.csv")).decode()


def test_a_file_does_not_call_classes_of_those_needed_a_share_of_time(algebra: Summary, teacher: Client) -> None:
    judge(of(algebra, "1"))

    head = b"".join(teacher.get("/completion.csv")).decode().splitlines()[0]

    assert "Reached, at least (%)" in head
    assert "Share" not in head
