"""Verdicts as they are kept: folded from what meetings say, rosters and decisions; written only where they differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from rollcall.core.activity import Hours, Verdict
from rollcall.core.policy import MINUTE_MS, Condition, Policy, Quantity, Scope
from rollcall.core.roster import Enrolled
from rollcall.deliveries.completion_words import verdict_from
from rollcall.derive.activity import demand_all, fold_activities_due, refold_activity
from rollcall.derive.pace import Pace
from rollcall.derive.rebuild import demand_misjudged
from rollcall.feed.deciding import By, Switch, Undo, Word, activity_for, decide
from rollcall.feed.demanding import demand, demand_course
from rollcall.lti import roster
from rollcall.store.completions import Completion, Evidence
from rollcall.store.decisions import Activity
from rollcall.store.derived import Person, Summary
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Teacher
from tests.makers import Attendee, at, make_meeting, make_organisation, make_platform

pytestmark = pytest.mark.usefixtures("database")

SITE = "https://moodle.example.org"
NOW = at("12:00")
TEACHER = By("anna", "instructor")
FORTY = Policy(conditions=(Condition(Quantity.TIME, 40 * MINUTE_MS),))

ADA = Attendee(proved=(("10:00", "11:00"),))
BEN = Attendee(name="Ben", uid="8", proved=(("10:00", "10:20"),))
EVE = Attendee(name="Eve", uid="9", proved=(("10:00", "10:20"),), possible=(("10:00", "10:50"),))


def algebra(*people: Attendee, **more: Any) -> Summary:
    found: Summary = make_meeting(*(people or (ADA, BEN, EVE)), course="42", organisation=1, **more)
    return found


def policy_on(summary: Summary, policy: Policy = FORTY) -> Activity:
    activity = activity_for(summary.organisation, bytes(summary.activity_key), now=NOW)
    decide(activity, policy, TEACHER, now=NOW)
    return activity


def fold(now: int = NOW) -> int:
    folded = 0
    while some := list(fold_activities_due(now=now)):
        folded += len(some)
    return folded


def verdicts(**of: Any) -> dict[str, str]:
    return dict(Completion.objects.filter(**of).order_by("sort_key").values_list("name", "verdict"))


def course(learners: str = "", teachers: str = "", *, at: int = NOW, platform: Any = None) -> Context:
    """The course 42 with this roster, a letter for each name shared."""
    if platform is None:
        platform = make_platform(make_organisation(), SITE)
    context, _ = Context.objects.get_or_create(
        platform=platform, key=key_of("42"), defaults={"context_id": "42", "launched_at": 0}
    )
    read = {user: Enrolled(user, "", is_learner=True) for user in learners.split()}
    read |= {user: Enrolled(user, "", is_instructor=True) for user in teachers.split()}
    roster.keep(context.pk, read, at)
    return context


def test_whoever_was_there_is_judged_as_soon_as_there_is_a_policy() -> None:
    summary = algebra()
    assert fold() == 0, "of nothing decided nothing is folded"
    activity = policy_on(summary)
    assert fold() == 1
    assert verdicts() == {"Ada Lovelace": "met", "Ben": "not-met", "Eve": "cannot-tell"}
    ada = Completion.objects.get(external_user_id="7")
    assert (ada.met_low, ada.needed, ada.share_low, ada.is_on_roster, ada.is_teacher) == (1, 1, 1000, None, False)
    assert ada.person == Person.objects.get(external_user_id="7")
    told = verdict_from(bytes(ada.detail))
    assert (told.user_id, told.classes[0].meetings) == ("7", (str(summary.meeting_id),))
    activity.refresh_from_db()
    assert (activity.folded, activity.due_at, activity.label) == (activity.appended, None, "Algebra")


def test_only_what_differs_is_written() -> None:
    activity = policy_on(algebra())
    fold()
    before = dict(Completion.objects.values_list("external_user_id", "pk"))
    decide(activity, Word("8", Verdict.MET), TEACHER, now=NOW)
    fold()
    after = dict(Completion.objects.values_list("external_user_id", "pk"))
    assert {user for user in after if after[user] != before[user]} == {"8"}


def test_a_rebuild_writes_nothing() -> None:
    policy_on(algebra())
    fold()
    before = kept()
    demand_all()
    assert fold(1 << 50) == 1
    assert kept() == before


def kept() -> list[tuple[int, bytes, bytes]]:
    rows = Completion.objects.order_by("pk").values_list("pk", "digest", "detail")
    return [(pk, bytes(digest), bytes(detail)) for pk, digest, detail in rows]


def test_of_a_course_with_a_roster_its_learners_are_judged_and_whoever_came() -> None:
    policy_on(algebra())
    course("7 8 10", "9")
    assert fold() == 1
    rows = {row.external_user_id: row for row in Completion.objects.all()}
    assert {user: (row.verdict, row.is_on_roster, row.is_teacher) for user, row in rows.items()} == {
        "7": ("met", True, False),
        "8": ("not-met", True, False),
        "9": ("cannot-tell", False, True),
        "10": ("not-met", True, False),
    }
    assert rows["10"].person is None


def test_a_new_roster_and_a_new_teacher_have_the_course_judged_anew() -> None:
    policy_on(algebra())
    context = course("7 8")
    fold()
    roster.keep(context.pk, {"7": Enrolled("7", "Ada King", is_learner=True)}, NOW + 1)
    assert fold(1 << 50) == 1
    assert dict(Completion.objects.values_list("external_user_id", "is_on_roster")) == {
        "7": True,
        "8": False,
        "9": False,
    }
    assert Completion.objects.get(external_user_id="7").name == "Ada King"
    roster.keep(context.pk, {"7": Enrolled("7", "Ada King", is_instructor=True)}, NOW + 2)
    assert fold(1 << 50) == 1, "the same people, one of whom teaches now"
    assert Completion.objects.get(external_user_id="7").is_teacher
    roster.came_as_instructor(context, "9", NOW)
    assert fold(1 << 50) == 1
    assert Completion.objects.get(external_user_id="9").is_teacher
    roster.came_as_instructor(context, "9", NOW + 1)
    assert fold(1 << 50) == 0, "they had come before"
    assert Teacher.objects.count() == 1


def test_a_correction_stands_beside_what_was_computed_until_it_is_undone() -> None:
    activity = policy_on(algebra())
    word = decide(activity, Word("8", Verdict.MET), By("anna", "instructor", "was in the room"), now=NOW)
    fold()
    ben = Completion.objects.get(external_user_id="8")
    assert (ben.verdict, ben.computed, ben.is_corrected) == ("met", "not-met", True)
    decide(activity, Undo(word.seq), TEACHER, now=NOW)
    fold()
    ben = Completion.objects.get(external_user_id="8")
    assert (ben.verdict, ben.is_corrected) == ("not-met", False)


def test_a_class_that_is_switched_off_counts_for_nobody() -> None:
    summary = algebra()
    activity = policy_on(summary)
    off = decide(activity, Switch(str(summary.meeting_id), is_on=False), TEACHER, now=NOW)
    fold()
    assert set(verdicts().values()) == {"not-met"}
    decide(activity, Switch(str(summary.meeting_id), is_on=True), TEACHER, now=NOW)
    fold()
    assert verdicts()["Ada Lovelace"] == "met"
    assert off.seq == 2


def test_hours_that_were_entered_are_the_class() -> None:
    summary = algebra()
    share = Policy(conditions=(Condition(Quantity.SHARE, 800),))
    activity = policy_on(summary, share)
    decide(activity, Hours(str(summary.meeting_id), at("10:00"), at("10:20")), TEACHER, now=NOW)
    fold()
    assert set(verdicts().values()) == {"met"}


def test_meetings_that_change_hands_take_their_verdicts_with_them() -> None:
    summary = algebra()
    activity = policy_on(summary)
    fold()
    Summary.objects.update(organisation=2)
    Evidence.objects.update(organisation=2)
    demand([activity.pk], now=NOW)
    fold()
    assert not Completion.objects.exists()
    activity.refresh_from_db()
    assert activity.label == "Algebra", "what it was called when it had meetings"


def test_without_all_its_meetings_nothing_is_judged() -> None:
    summary = algebra()
    activity = policy_on(summary)
    Evidence.objects.all().delete()
    Summary.objects.update(fold_version=4)
    assert not refold_activity(activity.pk, now=NOW)
    assert not Completion.objects.exists()
    summary.meeting.refresh_from_db()
    assert summary.meeting.due_at is not None, "the meeting is folded first"
    activity.refresh_from_db()
    assert activity.due_at == NOW + 2_000


def test_a_newer_fold_stops_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.derive import activity as folding

    activity = policy_on(algebra())
    gathered = folding.gather

    def overtaken(row: Activity) -> Any:
        found = gathered(row)
        monkeypatch.undo()
        decide(activity, Word("8", Verdict.MET), TEACHER, now=NOW)
        assert refold_activity(activity.pk, now=NOW)
        return found

    monkeypatch.setattr(folding, "gather", overtaken)
    assert not refold_activity(activity.pk, now=NOW)
    assert Completion.objects.get(external_user_id="8").verdict == "met"
    activity.refresh_from_db()
    assert activity.folded == activity.appended


def test_a_fold_that_was_killed_between_two_portions_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.derive import activity as folding

    activity = policy_on(algebra())
    monkeypatch.setattr(folding, "PORTION", 1)
    monkeypatch.setattr("rollcall.derive.activity.time.sleep", killed := Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        refold_activity(activity.pk, now=NOW)
    assert (killed.call_count, Completion.objects.count()) == (1, 1)
    activity.refresh_from_db()
    assert activity.due_at == NOW
    killed.side_effect = None
    fold()
    assert len(verdicts()) == 3


def test_one_that_cannot_be_folded_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.derive import activity as folding

    broken, fine = policy_on(algebra()), policy_on(algebra(name="Logic"))
    judge = folding.gather

    def gather(row: Activity) -> Any:
        if row.pk == broken.pk:
            raise ValueError("no")
        return judge(row)

    monkeypatch.setattr(folding, "gather", gather)
    assert set(fold_activities_due(now=NOW, pace=Pace())) == {broken.pk, fine.pk}
    assert set(Completion.objects.values_list("activity", flat=True)) == {fine.pk}
    broken.refresh_from_db()
    assert broken.due_at == NOW + 60_000


def test_rules_that_have_changed_judge_every_activity_anew() -> None:
    activity = policy_on(algebra())
    fold()
    assert not demand_misjudged()
    Activity.objects.update(fold_version=0)
    assert demand_misjudged()
    activity.refresh_from_db()
    assert activity.due_at is not None


def test_a_running_class_settles_never_yet() -> None:
    policy_on(algebra(ADA, began="10:00", ended=None))
    fold()
    (row,) = Completion.objects.all()
    assert (row.verdict, row.settles_at) == ("cannot-tell", 1 << 62)


def test_a_policy_without_conditions_judges_nobody_any_more() -> None:
    activity = policy_on(algebra())
    fold()
    decide(activity, Policy(conditions=()), TEACHER, now=NOW)
    fold()
    assert verdicts() == {}


def test_a_room_holds_one_meeting_at_a_time() -> None:
    """The end of the first was never told: the begin of the next bounds it."""
    policy = replace(FORTY, scope=Scope.SUMMED, conditions=(Condition(Quantity.TIME, 3 * 60 * MINUTE_MS),))
    open_end = replace(ADA, proved=(("10:00", "10:10"),), possible=(("10:00", None),))
    algebra(open_end, BEN, began="10:00", ended=None)
    summary = algebra(replace(ADA, proved=(("11:00", "11:30"),)), began="11:00", ended="11:30", settles=None)
    policy_on(summary, policy)
    fold()
    assert verdicts()["Ada Lovelace"] == "not-met"


def test_courses_that_are_not_of_the_organisation_demand_nothing() -> None:
    policy_on(algebra())
    fold()
    assert demand_course(2, SITE, "42") == 0
    assert demand_course(1, SITE, "43") == 0
    assert demand_course(1, SITE, "42") == 1
