"""One person in an activity: why, and a teacher's correction with its reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from rollcall.core.activity import Measured, Verdict
from rollcall.core.policy import Condition, Policy, Quantity
from rollcall.deliveries import completion_words
from rollcall.derive.activity import refold_activity
from rollcall.derive.decided import decided_of
from rollcall.feed.deciding import By, Word, decide
from rollcall.store.audit import AuditEntry
from rollcall.store.completions import Completion
from rollcall.store.decisions import Decision
from rollcall.store.keys import key_of, person_key
from rollcall.web.completion.subject import zone_of
from tests.web.completion.conftest import NOON, SITE

if TYPE_CHECKING:
    from typing import Any

    from django.test import Client

    from tests.web.completion.conftest import Course

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(course: Course) -> str:
    """Of Bob, who has not met it."""
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    course.judge("502", "Bob Marley", Verdict.NOT_MET)
    return f"{course.path}/people/{key_of('502').hex()}"


def correct(client: Client, path: str, **typed: str) -> Any:
    told = {"act": "correct", "verdict": "met", "class": "all", "reason": "He had a note.", "once": "one"}
    return client.post(path, told | typed)


def test_the_page_says_the_very_sentence(course: Course, teacher: Client, path: str) -> None:
    said = teacher.get(path).content.decode()
    row = Completion.objects.get()
    assert completion_words.sentence(bytes(row.detail), zone_of()) in said
    assert said.count("<h3>") == 3


def test_a_correction_needs_a_verdict_and_a_reason(course: Course, teacher: Client, path: str) -> None:
    answer = correct(teacher, path, verdict="", reason="  ")
    said = answer.content.decode()
    assert answer.status_code == 400
    assert "Say why in a few words" in said
    assert "Choose whether it is met" in said
    assert correct(teacher, path, reason="x" * 501).status_code == 400
    assert correct(teacher, path, **{"class": "12345"}).status_code == 400
    assert correct(teacher, path, verdict="cannot-tell").status_code == 400
    assert Decision.objects.filter(kind="correction").count() == 0


def test_it_is_kept_once_told_with_who_and_why_and_undone(course: Course, teacher: Client, path: str) -> None:
    for _ in range(2):
        assert correct(teacher, path)["Location"] == f"{path}?said=corrected"
    (word,) = decided_of(course.activity()).corrections
    assert (word.user_id, word.verdict, word.meeting) == ("502", Verdict.MET, "")
    said = teacher.get(path).content.decode()
    assert "He had a note." in said
    assert "grace" in said
    entry = AuditEntry.objects.filter(action="corrected").first()
    assert entry is not None
    assert bytes(entry.person or b"") == person_key(SITE, "502", course.organisation.pk)

    undo = {"act": "undo", "seq": str(word.seq), "once": "two"}
    for _ in range(2):
        assert teacher.post(path, undo)["Location"] == f"{path}?said=undone"
    assert not decided_of(course.activity()).corrections
    assert 'class="is-undone"' in teacher.get(path).content.decode()


def test_it_may_be_of_one_class(course: Course, teacher: Client, path: str) -> None:
    meeting = str(course.meetings[1].meeting_id)
    correct(teacher, path, **{"class": meeting})
    (word,) = decided_of(course.activity()).corrections
    assert word.meeting == meeting


def test_where_classes_are_added_none_is_met_by_itself(course: Course, teacher: Client, path: str) -> None:
    row = Completion.objects.get()
    told = completion_words.verdict_from(bytes(row.detail))
    measured = (Measured(Quantity.TIME, 0, 0, 60_000, Verdict.NOT_MET),)
    first, *others = told.classes
    classes = (first._replace(correction=3), *others)
    row.detail = msgspec.json.encode(replace(told, measured=measured, needed=0, classes=classes))
    row.save()
    said = teacher.get(path).content.decode()
    assert said.partition('id="classes"')[2].partition("</section>")[0].count('class="verdict') == 1


def test_who_reads_the_reason_is_said_where_it_is_written(course: Course, teacher: Client, path: str) -> None:
    assert "Write nothing about health." in teacher.get(path).content.decode()


def test_nobody_elses_correction_is_undone_here(course: Course, teacher: Client, path: str) -> None:
    other = decide(course.activity(), Word("501", Verdict.MET), By("grace", "staff", "why"), now=NOON)
    for seq in (str(other.seq), "1", "0", "x", "9" * 50):
        assert teacher.post(path, {"act": "undo", "seq": seq}).status_code == 404
    assert len(decided_of(course.activity()).corrections) == 1


def test_a_reason_shows_as_it_was_written_and_is_no_markup(course: Course, teacher: Client, path: str) -> None:
    correct(teacher, path, reason="<script>alert(1)</script>\u202eoh")
    said = teacher.get(path).content.decode()
    assert "<script>alert" not in said
    assert "\u202e" not in said


def test_after_the_fold_the_corrected_verdict_stands_beside_what_was_measured(course: Course, teacher: Client) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.TIME, 7_200_000),)), By("grace", "staff"), now=NOON)
    refold_activity(course.activity().pk, now=NOON)
    path = f"{course.path}/people/{key_of('501').hex()}"
    before = Completion.objects.get(external_user_id="501")
    assert before.verdict != Verdict.MET
    correct(teacher, path)
    refold_activity(course.activity().pk, now=NOON + 1)
    said = teacher.get(path).content.decode()
    assert "Without corrections:" in said
    assert "corrected" in teacher.get(f"{course.path}?verdict=met").content.decode()


def test_the_audit_log_tells_acts_apart_and_names_whoever_was_in_no_class(course: Course, teacher: Client) -> None:
    course.judge("902", "", Verdict.NOT_MET)
    path = f"{course.path}/people/{key_of('902').hex()}"
    correct(teacher, path)
    (word,) = decided_of(course.activity()).corrections
    teacher.post(path, {"act": "undo", "seq": str(word.seq), "once": "two"})
    teacher.post(f"{course.path}/classes", {"meeting": str(course.meetings[0].meeting_id), "act": "off"})

    rows = json.loads(b"".join(teacher.get("/audit.json")))["entries"]
    told = [(row["action"], row["person"]) for row in rows if row["action"] in {"corrected", "undone"}]
    assert told == [("undone", "902"), ("corrected", "902")]
    said = teacher.get("/audit").content.decode()
    assert f"/people/{person_key(SITE, '902', course.organisation.pk).hex()}" not in said
