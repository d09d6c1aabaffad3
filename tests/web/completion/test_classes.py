"""The classes of an activity: their hours as somebody enters them, and each switched off and on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.core.intervals import OPEN
from rollcall.core.policy import MINUTE_MS, Condition, Policy, Quantity
from rollcall.derive.decided import decided_of
from rollcall.feed.deciding import By, decide
from rollcall.store.audit import AuditEntry
from tests.web.completion.conftest import NOON

if TYPE_CHECKING:
    from django.test import Client

    from rollcall.core.activity import Decided, Held
    from tests.web.completion.conftest import Course

pytestmark = pytest.mark.django_db


def of(course: Course) -> Decided:
    return decided_of(course.activity())


def post(course: Course, client: Client, act: str, number: int = 0, **typed: str) -> Any:
    meeting = str(course.meetings[number].meeting_id)
    return client.post(f"{course.path}/classes", {"act": act, "meeting": meeting} | typed)


def test_classes_stand_with_what_counts_and_why_not(course: Course, teacher: Client, held: list[Held]) -> None:
    policy = Policy(conditions=(Condition(Quantity.SHARE, 800),), shortest_ms=90 * MINUTE_MS)
    decide(course.activity(), policy, By("grace", "staff"), now=NOON)
    said = teacher.get(f"{course.path}/classes").content.decode()
    assert said.count('<li id="class-') == 3
    assert said.count("does not count") >= 3
    assert said.index(f"class-{course.meetings[2].meeting_id}") < said.index(f"class-{course.meetings[0].meeting_id}")


def test_a_running_class_is_running_and_not_perhaps_too_short(
    course: Course, teacher: Client, held: list[Held]
) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    last = held[-1]
    still: dict[str, Any] = {
        "ended": (last.began_at + 1, OPEN),
        "last_leave": (last.began_at + 1, OPEN),
        "settles_at": OPEN,
    }
    held[-1] = replace(last, attendees=(1, OPEN), **still)
    said = teacher.get(f"{course.path}/classes").content.decode()
    assert said.count(">running<") == 1
    assert "may count" not in said
    assert "too short" not in said


def test_hours_are_entered_changed_and_taken_back(course: Course, teacher: Client, held: list[Held]) -> None:
    began = course.meetings[0].started_at
    for end, minutes in (("10:45", 45), ("10:50", 50)):
        answer = post(course, teacher, "hours", begin="10:00", end=end)
        assert answer["Location"] == f"{course.path}/classes?said=hours"
        last = of(course).hours[-1]
        assert (last.begin, last.end) == (began, began + minutes * MINUTE_MS)
    assert 'value="10:50"' in teacher.get(f"{course.path}/classes").content.decode()
    assert post(course, teacher, "forget")["Location"].endswith("said=hours-forgotten")
    assert not of(course).hours
    assert {entry.subject for entry in AuditEntry.objects.filter(action="changed")} == {"hours"}


def test_hours_beyond_what_was_held_say_what_they_come_to(course: Course, teacher: Client, held: list[Held]) -> None:
    post(course, teacher, "hours", begin="10:00", end="11:02")
    post(course, teacher, "hours", number=1, begin="09:50", end="11:30")
    said = teacher.get(f"{course.path}/classes").content.decode()
    assert "It was held from 10:00 to 11:00: nobody can have been there for more than 60% of its hours." in said
    assert said.count("nobody can have been there") == 1


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("10:30", "10:00", "cannot end before it begins"),
        ("10:00", "10:00", "cannot end before it begins"),
        ("14:00", "15:00", "Nobody can have been there then"),
        ("08:00", "09:30", "Nobody can have been there then"),
        ("", "11:00", "Write when the class begins"),
        ("10:00", "late", "no time of day"),
        ("25:00", "\0", "no time of day"),
    ],
)
def test_impossible_hours_are_refused_beside_their_class(
    course: Course, teacher: Client, held: list[Held], begin: str, end: str, said: str
) -> None:
    answer = post(course, teacher, "hours", number=1, begin=begin, end=end)
    assert answer.status_code == 400
    page = answer.content.decode()
    mine = page.partition(f'<li id="class-{course.meetings[1].meeting_id}"')[2].partition("</li>")[0]
    assert said in mine
    assert "<details open>" in mine
    assert page.count("<details open>") == 1
    assert not of(course).hours


def test_a_class_is_switched_off_and_on_again(course: Course, teacher: Client, held: list[Held]) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    assert post(course, teacher, "off", number=1)["Location"].endswith("said=class-off")
    assert of(course).switched_off == {str(course.meetings[1].meeting_id)}
    said = teacher.get(f"{course.path}/classes").content.decode()
    assert said.count("Let it count again") == 1
    assert post(course, teacher, "on", number=1)["Location"].endswith("said=class-on")
    assert not of(course).switched_off


@pytest.mark.parametrize("meeting", ["", "0", "x", "9" * 40, "\0"])
def test_a_class_that_is_not_there_is_not_there(
    course: Course, teacher: Client, held: list[Held], meeting: str
) -> None:
    answer = teacher.post(f"{course.path}/classes", {"act": "off", "meeting": meeting})
    assert answer.status_code == 404


def test_no_class_yet_is_said(course: Course, teacher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollcall.web.completion.classes.held_of", lambda _organisation, _key: [])
    assert "No class of this activity" in teacher.get(f"{course.path}/classes").content.decode()
