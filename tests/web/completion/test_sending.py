"""Where verdicts go: what is offered, switched on and off on the page, and what waits for a teacher's word."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from rollcall.core.access import Reader, Role
from rollcall.core.activity import Verdict
from rollcall.core.deliveries import Step, Way
from rollcall.core.policy import Condition, Policy, Quantity
from rollcall.deliveries.completions.choosing import Choice
from rollcall.derive.activity import refold_activity
from rollcall.feed.deciding import By, decide
from rollcall.lti import grades
from rollcall.store.audit import AuditEntry
from rollcall.store.completions import Completion
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver, Reversal
from rollcall.store.platforms import Context, Platform
from rollcall.web.completion.sending import _hint
from tests.makers import make_meeting
from tests.web.completion.conftest import NOON, SITE

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.completion.conftest import Course

pytestmark = pytest.mark.django_db

SCOPES = f"{grades.READ_SCOPE} {grades.MANAGE_SCOPE} {grades.RESULT_SCOPE} {grades.SCORE_SCOPE}"


@pytest.fixture
def gradebook(course: Course) -> str:
    """The key of the choice "a column of its own"."""
    platform = Platform.objects.get(site=SITE)
    columns = f"{SITE}/lineitems"
    told = {"line_items_url": columns, "grade_scopes": SCOPES, "launched_at": 0}
    Context.objects.create(platform=platform, context_id="7", key=key_of("7"), **told)
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    refold_activity(course.activity().pk, now=NOON)
    return f"ags:{platform.pk}:new"


def post(course: Course, client: Client, act: str, **typed: Any) -> Any:
    return client.post(f"{course.path}/sending", {"act": act} | typed)


def test_without_a_course_in_the_lms_each_way_says_why_not(course: Course, teacher: Client) -> None:
    said = teacher.get(f"{course.path}/sending").content.decode()
    assert "Nothing is sent before it is said what counts." in said
    assert "Nobody has come to Rollcall from this course yet" in said
    assert "Send it there" not in said
    answer = post(course, teacher, "on", key="ags:1:new")
    assert answer.status_code == 400
    assert not CompletionTarget.objects.exists()


def test_a_target_is_switched_on_for_past_classes_and_off_again(
    course: Course, teacher: Client, gradebook: str
) -> None:
    assert "Send it there" in teacher.get(f"{course.path}/sending").content.decode()
    answer = post(course, teacher, "on", key=gradebook, scoring="percent", **{"from": "all"})
    assert answer["Location"] == f"{course.path}/sending?said=target-on"
    target = CompletionTarget.objects.get()
    assert (target.is_on, target.scoring, target.from_at, target.added_by) == (True, "percent", 0, "grace")
    refold_activity(course.activity().pk, now=NOON + 1)
    assert Owed.objects.filter(target=target).exists()
    said = teacher.get(f"{course.path}/sending").content.decode()
    assert "switched on" in said
    assert "Switch off" in said
    assert {entry.subject for entry in AuditEntry.objects.filter(action="changed")} == {"target-on"}
    # On the page of the activity it stands beside each verdict.
    assert 'class="about owed' in teacher.get(course.path).content.decode()

    assert post(course, teacher, "off", target=str(target.pk)).status_code == 303
    target.refresh_from_db()
    assert not target.is_on
    assert 'class="about owed' not in teacher.get(course.path).content.decode()


def moodles(platform: Platform, *, can_choose: bool) -> list[Choice]:
    """The two ways of a Moodle: one that an administrator would have to set up, one that cannot be taken back."""
    told: dict[str, Any] = {"platform": platform, "name": "Moodle", "sentence": "It completes it."}
    hint = "rollcall platform moodle set"
    why_not = "" if can_choose else "No token."
    return [
        Choice(key="moodle:1", way=Way.MOODLE, why_not=why_not, hint=hint, is_for_administrators=True, **told),
        Choice(key="callback:1", way=Way.CALLBACK, warning="Never taken back.", **told),
    ]


@pytest.mark.parametrize("can_choose", [True, False])
def test_what_cannot_be_taken_back_is_chosen_by_nobody_who_does_not_say_so(
    course: Course, teacher: Client, monkeypatch: pytest.MonkeyPatch, *, can_choose: bool
) -> None:
    offered = moodles(Platform.objects.get(site=SITE), can_choose=can_choose)
    monkeypatch.setattr("rollcall.web.completion.sending.choices", lambda _activity: offered)
    said = teacher.get(f"{course.path}/sending").content.decode()
    assert '<p class="alert alert-warning">Never taken back.</p>' in said
    assert ("<summary>Choose it all the same</summary>" in said) is can_choose
    assert said.count('name="known"') == 1
    answer = post(course, teacher, "on", key="callback:1")
    assert answer.status_code == 400
    assert "Tick first that you know" in answer.content.decode()
    assert not CompletionTarget.objects.exists()


def test_a_command_is_told_to_nobody_who_cannot_use_it(course: Course, teacher: Client) -> None:
    hint = moodles(Platform.objects.get(site=SITE), can_choose=False)[0].hint
    of_course = SimpleNamespace(
        reader=Reader(role=Role.INSTRUCTOR, name="7", organisation=1, site=SITE, context_id="7")
    )
    of_school = SimpleNamespace(reader=Reader(role=Role.STAFF, name="grace", organisation=1))
    assert _hint(hint, cast("Any", of_school), is_of_lms=True) == hint
    assert "administrator" in _hint(hint, cast("Any", of_course), is_of_lms=True)
    assert _hint(hint, cast("Any", of_course), is_of_lms=False) == hint


def test_from_now_on_is_what_is_chosen_unless_somebody_says_otherwise(
    course: Course, teacher: Client, gradebook: str
) -> None:
    post(course, teacher, "on", key=gradebook)
    target = CompletionTarget.objects.get()
    assert (target.scoring, target.from_at) == ("pass", NOON)


@pytest.mark.parametrize(
    "typed",
    [
        {"act": "off", "target": "1"},
        {"act": "off", "target": "x"},
        {"act": "history", "target": "9" * 40},
        {"act": "accept", "reversal": "1"},
        {"act": "decline", "reversal": "9" * 40},
        {"act": "drop"},
        {},
    ],
)
def test_what_is_not_there_is_not_there(course: Course, teacher: Client, typed: dict[str, str]) -> None:
    assert teacher.post(f"{course.path}/sending", typed).status_code == 404


def flagged(course: Course, step: Step = Step.FLAG) -> Reversal:
    """Of Ada the LMS holds that she is done, and she would not be any more."""
    target = CompletionTarget.objects.get()
    row = Completion.objects.get(external_user_id="501")
    owed, _made = Owed.objects.update_or_create(
        target=target,
        user_key=bytes(row.user_key),
        defaults={
            "external_user_id": "501",
            "wanted": "done:1000",
            "sent": "done:1000",
            "proposed": "open",
            "state": Owing.SENT,
            "reasons": bytes(row.detail),
            "wanted_at": NOON,
        },
    )
    columns = {"before": "done:1000", "after": "open", "step": step.value, "at": NOON, "reasons": bytes(row.detail)}
    return Reversal.objects.create(owed=owed, **columns)


@pytest.mark.parametrize(("act", "wanted"), [("accept", "open"), ("decline", "done:1000")])
def test_a_flagged_change_waits_for_a_word(
    course: Course, teacher: Client, gradebook: str, act: str, wanted: str
) -> None:
    post(course, teacher, "on", key=gradebook)
    change = flagged(course)
    said = teacher.get(f"{course.path}/sending").content.decode()
    assert "Ada Byron" in said
    assert "was 100%, would now be not complete" in said
    assert "Send the new one" in said
    for _ in range(2):
        assert post(course, teacher, act, reversal=str(change.pk)).status_code == 303
    change.refresh_from_db()
    assert (change.owed.wanted, change.handled_by) == (wanted, "grace")
    assert "Send the new one" not in teacher.get(f"{course.path}/sending").content.decode()


def test_what_was_only_told_is_seen_and_goes(course: Course, teacher: Client, gradebook: str) -> None:
    post(course, teacher, "on", key=gradebook)
    change = flagged(course, Step.TELL)
    assert "Seen" in teacher.get(f"{course.path}/sending").content.decode()
    assert post(course, teacher, "decline", reversal=str(change.pk)).status_code == 303
    change.refresh_from_db()
    assert change.handled_at is not None


def test_another_activitys_change_is_not_decided_here(course: Course, teacher: Client, gradebook: str) -> None:
    post(course, teacher, "on", key=gradebook)
    change = flagged(course)
    other = make_meeting(name="Poetry", site=SITE, course="8", organisation=course.organisation.pk)
    path = f"/activities/{bytes(other.activity_key).hex()}/sending"
    assert teacher.post(path, {"act": "accept", "reversal": str(change.pk)}).status_code == 404
    assert teacher.post(path, {"act": "off", "target": str(change.owed.target_id)}).status_code == 404
    assert Completion.objects.filter(verdict=Verdict.MET).exists()


def test_trouble_of_the_whole_lms_is_said_once_and_not_under_each(
    course: Course, teacher: Client, gradebook: str
) -> None:
    post(course, teacher, "on", key=gradebook, **{"from": "all"})
    refold_activity(course.activity().pk, now=NOON + 1)
    Owed.objects.update(state=Owing.DUE)
    Receiver.objects.update(trouble="no-such-host", trouble_at=NOON)

    said = teacher.get(course.path).content.decode()

    assert Owed.objects.count() > 1
    assert said.count("has no address") == 1
    assert said.count("See that its address is right here") == 1
    assert said.count("Gradebook: waiting") == Owed.objects.count()
