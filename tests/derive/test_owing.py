"""What verdicts come to at the targets: written once, held where it may not go out, lowered as the policy says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import Scoring, Way
from rollcall.core.policy import MINUTE_MS, Condition, OnChange, Policy, Quantity, Scope
from rollcall.core.roster import Enrolled
from rollcall.derive.activity import demand_all, fold_activities_due
from rollcall.derive.held import pack, unpack
from rollcall.feed.deciding import Undo, Word, activity_for, decide
from rollcall.feed.demanding import demand
from rollcall.lti import roster
from rollcall.store.completions import Evidence
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.organisations import Organisation
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver, Reversal
from rollcall.store.platforms import Platform
from tests.derive.test_activity import ADA, BEN, EVE, FORTY, NOW, SITE, TEACHER, course
from tests.makers import Attendee, at, make_meeting, make_organisation, make_platform

pytestmark = pytest.mark.usefixtures("database")

LATER = 1 << 50


class School:
    """One activity with one class and one target of some way."""

    def __init__(self, way: Way = Way.MOODLE, policy: Policy = FORTY, **target: Any) -> None:
        self.organisation: Organisation = make_organisation()
        self.platform: Platform = make_platform(self.organisation, SITE)
        self.summary = self.meet(ADA, BEN, EVE)
        self.activity: Activity = activity_for(self.organisation.pk, bytes(self.summary.activity_key), now=NOW)
        receiver = Receiver.objects.create(platform=self.platform, way=way)
        self.target = CompletionTarget.objects.create(activity=self.activity, receiver=receiver, added_at=0, **target)
        self.publish(policy)

    def meet(self, *people: Attendee, **more: Any) -> Summary:
        found: Summary = make_meeting(*people, course="42", organisation=self.organisation.pk, **more)
        return found

    def publish(self, policy: Policy, now: int = NOW) -> None:
        decide(self.activity, policy, TEACHER, now=now)
        fold(now)

    def correct(self, user: str, verdict: Verdict, now: int = NOW) -> int:
        made = decide(self.activity, Word(user, verdict), TEACHER, now=now)
        fold(now)
        return made.seq

    def see(self, user: str, *, minutes: int, now: int = NOW) -> None:
        """A late witness: so long somebody was there."""
        row = Evidence.objects.get(summary=self.summary)
        held = unpack(bytes(row.packed), "")
        span = ((at("10:00"), at("10:00") + minutes * MINUTE_MS),)
        people = {**held.people, user: replace(held.people[user], proved=span, possible=span)}
        Evidence.objects.filter(pk=row.pk).update(packed=pack(replace(held, people=people), held.began_at))
        demand([self.activity.pk], now=now)
        fold(now)

    def sent(self, *users: str) -> None:
        """As the sender leaves rows that have arrived."""
        for row in Owed.objects.filter(external_user_id__in=users):
            columns = {"sent": row.wanted, "sent_revision": row.revision, "sent_at": NOW, "state": Owing.SENT}
            Owed.objects.filter(pk=row.pk).update(**columns, due_at=None)


def fold(now: int = NOW) -> None:
    while list(fold_activities_due(now=now)):
        pass


def owed() -> dict[str, tuple[str, str, str]]:
    """(wanted, state, reason) by user id."""
    rows = Owed.objects.order_by("external_user_id").values_list("external_user_id", "wanted", "state", "reason")
    return {user: (wanted, state, reason) for user, wanted, state, reason in rows}


def test_whoever_met_is_owed_at_once_and_nobody_else() -> None:
    School()
    assert owed() == {"7": ("done", "due", "")}
    row = Owed.objects.get()
    assert (row.due_at, row.revision, row.wanted_at) == (NOW, 1, NOW)


def test_a_rebuild_writes_nothing() -> None:
    school = School(Way.AGS, replace(FORTY, scope=Scope.SUMMED), scoring=Scoring.PERCENT)
    school.sent("7")
    before = list(Owed.objects.order_by("pk").values())
    assert [(row["external_user_id"], row["wanted"]) for row in before] == [("7", "open:1000"), ("8", "open:333")]
    demand_all()
    fold(LATER)
    assert list(Owed.objects.order_by("pk").values()) == before


def test_met_not_met_met_ends_as_it_was() -> None:
    school = School()
    school.sent("7")
    school.see("7", minutes=10)
    assert owed()["7"][:2] == ("open", "due")
    school.see("7", minutes=50)
    assert owed()["7"] == ("done", "sent", "")
    assert Owed.objects.get().revision == 3


def test_what_has_not_left_yet_is_simply_not_wanted_any_more() -> None:
    school = School(policy=replace(FORTY, on_change=OnChange.FLAG))
    school.see("7", minutes=10)
    assert owed() == {"7": ("open", "sent", "")}
    assert not Reversal.objects.exists()


def test_a_rise_that_has_not_left_yet_is_not_sent_when_it_falls_again() -> None:
    """However a fall is to be treated: nothing that is not true is sent, though something was sent before."""
    school = School(policy=replace(FORTY, on_change=OnChange.FLAG))
    school.sent("7")
    seq = school.correct("7", Verdict.NOT_MET)
    school.sent("7")
    decide(school.activity, Undo(seq), TEACHER, now=NOW)
    fold()
    assert owed()["7"] == ("done", "due", "")
    school.see("7", minutes=10)
    assert owed()["7"] == ("open", "sent", "")
    assert not Reversal.objects.exists()


def test_a_fall_below_what_was_sent_is_asked_about_and_the_rise_before_it_is_not_sent() -> None:
    policy = replace(FORTY, scope=Scope.SUMMED, on_change=OnChange.FLAG)
    school = School(Way.AGS, policy, scoring=Scoring.PERCENT)
    school.see("8", minutes=30)
    school.sent("8")
    school.see("8", minutes=45)
    assert owed()["8"] == ("open:750", "due", "")
    for _ in range(2):
        school.see("8", minutes=15)
    assert owed()["8"] == ("open:500", "sent", "")
    row = Owed.objects.get(external_user_id="8")
    assert (row.proposed, Reversal.objects.count()) == ("open:250", 1)


def test_what_was_asked_for_of_history_comes_back_without_being_asked_for_again() -> None:
    school = School(from_at=at("10:30"))
    Owed.objects.update(state=Owing.DUE, reason="", due_at=NOW)
    school.sent("7")
    school.see("7", minutes=10)
    assert owed()["7"] == ("open", "due", "")
    school.sent("7")
    school.see("7", minutes=50)
    assert owed()["7"] == ("done", "due", "")


@pytest.mark.parametrize(
    ("on_change", "expected", "told"),
    [
        (OnChange.CORRECT, ("open", "due", ""), []),
        (OnChange.TELL, ("open", "due", ""), [("tell", None)]),
        (OnChange.FLAG, ("done", "sent", ""), [("flag", None)]),
    ],
)
def test_a_late_witness_lowers_as_the_policy_says(
    on_change: OnChange, expected: tuple[str, str, str], told: list[tuple[str, None]]
) -> None:
    school = School(policy=replace(FORTY, on_change=on_change))
    school.sent("7")
    for _ in range(2):
        school.see("7", minutes=10)
    assert owed()["7"] == expected
    assert list(Reversal.objects.values_list("step", "handled_at")) == told


def test_after_its_date_nothing_is_lowered_but_by_a_teacher() -> None:
    school = School(policy=replace(FORTY, lowers_until=NOW))
    school.sent("7")
    school.see("7", minutes=10)
    assert owed()["7"] == ("done", "sent", "")
    school.correct("7", Verdict.NOT_MET)
    assert owed()["7"] == ("open", "due", "")


def test_a_flag_is_over_once_a_teacher_has_corrected_the_person() -> None:
    school = School(policy=replace(FORTY, on_change=OnChange.FLAG))
    school.sent("7")
    school.see("7", minutes=10)
    assert Owed.objects.get().proposed == "open"
    school.correct("7", Verdict.NOT_MET)
    row = Owed.objects.get()
    assert (row.wanted, row.state, row.proposed) == ("open", "due", "")
    assert not Reversal.objects.filter(handled_at=None).exists()


def test_a_correction_is_delivered_and_taken_back_when_it_is_undone() -> None:
    school = School(policy=replace(FORTY, on_change=OnChange.FLAG))
    seq = school.correct("8", Verdict.MET)
    assert owed()["8"] == ("done", "due", "")
    school.sent("8")
    decide(school.activity, Undo(seq), TEACHER, now=NOW)
    fold()
    assert owed()["8"] == ("open", "due", "")


def test_a_way_that_takes_nothing_back_keeps_what_it_has() -> None:
    school = School(Way.CALLBACK)
    school.sent("7")
    school.correct("7", Verdict.NOT_MET)
    assert owed()["7"] == ("done", "sent", "")


def test_of_a_course_with_a_roster_only_enrolled_learners_are_owed() -> None:
    school = School()
    school.correct("8", Verdict.MET)
    context = course("7 8", platform=school.platform)
    fold(LATER)
    assert owed() == {"7": ("done", "due", ""), "8": ("done", "due", "")}
    roster.keep(context.pk, {"7": Enrolled("7", is_learner=True)}, NOW + 1)
    fold(LATER)
    assert owed()["8"] == ("done", "held", "not-enrolled")
    everybody = {user: Enrolled(user, is_learner=True) for user in ("7", "8")}
    roster.keep(context.pk, everybody, NOW + 2)
    fold(LATER)
    assert owed()["8"] == ("done", "due", "")
    roster.came_as_instructor(context, "8", NOW)
    fold(LATER)
    assert owed()["8"] == ("done", "held", "teacher")


def test_what_has_arrived_stays_when_somebody_leaves_the_course() -> None:
    school = School()
    context = course("7 8", platform=school.platform)
    school.sent("7")
    roster.keep(context.pk, {"8": Enrolled("8", is_learner=True)}, NOW + 1)
    fold(LATER)
    assert owed() == {"7": ("done", "sent", "")}


def test_meetings_that_are_gone_hold_what_rests_on_them() -> None:
    school = School()
    Evidence.objects.update(organisation=school.organisation.pk + 1)
    Summary.objects.update(organisation=school.organisation.pk + 1)
    demand([school.activity.pk], now=NOW)
    fold()
    assert owed() == {"7": ("done", "held", "not-judged")}
    Evidence.objects.update(organisation=school.organisation.pk)
    Summary.objects.update(organisation=school.organisation.pk)
    demand([school.activity.pk], now=NOW)
    fold()
    assert owed() == {"7": ("done", "due", "")}


def test_what_is_not_certain_any_more_is_not_sent_and_not_taken_back() -> None:
    school = School()
    school.publish(replace(FORTY, conditions=(Condition(Quantity.TALKS, 1),)))
    assert owed() == {"7": ("done", "held", "not-certain")}
    school.publish(FORTY)
    assert owed() == {"7": ("done", "due", "")}
    school.sent("7")
    school.publish(replace(FORTY, conditions=(Condition(Quantity.TALKS, 1),)))
    assert owed() == {"7": ("done", "sent", "")}


def test_of_a_rule_that_was_taken_back_nothing_more_is_sent_and_what_was_sent_stays() -> None:
    school = School()
    school.publish(Policy(conditions=()))
    assert owed() == {"7": ("done", "held", "no-rule")}
    school.publish(FORTY)
    assert owed() == {"7": ("done", "due", "")}
    school.sent("7")
    school.publish(Policy(conditions=()))
    assert owed() == {"7": ("done", "sent", "")}


def test_what_waits_is_due_when_its_class_is_settled() -> None:
    School(policy=replace(FORTY, waits=True))
    row = Owed.objects.get()
    assert (row.state, row.due_at) == ("due", NOW)
    Owed.objects.all().delete()
    demand_all()
    while list(fold_activities_due(now=at("11:05"))):
        pass
    Activity.objects.update(due_at=at("11:05"))
    fold(at("11:05"))
    row = Owed.objects.get()
    assert (row.state, row.due_at) == ("waiting", at("11:10"))


def test_history_is_held_until_somebody_asks_and_goes_out_once_it_rests_on_more() -> None:
    school = School(from_at=at("10:30"))
    assert owed() == {"7": ("done", "held", "history")}
    school.meet(ADA, BEN, day="2026-11-21")
    demand([school.activity.pk], now=NOW)
    fold()
    assert owed() == {"7": ("done", "due", "")}


def test_what_was_over_for_days_before_it_was_heard_of_is_history() -> None:
    school = School()
    Owed.objects.all().delete()
    row = Evidence.objects.get()
    held = unpack(bytes(row.packed), "")
    Evidence.objects.update(packed=pack(held, held.ended[1] + 3 * 24 * 60 * MINUTE_MS + 1))
    demand([school.activity.pk], now=NOW)
    fold()
    assert owed() == {"7": ("done", "held", "history")}


def test_shares_of_classes_long_ago_are_history_and_of_new_ones_are_not() -> None:
    school = School(Way.AGS, scoring=Scoring.PERCENT, from_at=at("10:30"))
    assert {state for _, state, _ in owed().values()} == {"held"}
    school.meet(replace(BEN, proved=(("10:00", "10:30"),)), ADA, day="2026-11-21")
    school.publish(replace(FORTY, needed=2))
    assert {state for _, state, _ in owed().values()} == {"due"}


def test_a_target_that_is_off_is_left_alone() -> None:
    school = School()
    CompletionTarget.objects.update(is_on=False)
    school.correct("8", Verdict.MET)
    assert owed() == {"7": ("done", "due", "")}


def test_a_row_in_a_workers_hands_keeps_its_state() -> None:
    school = School()
    Owed.objects.update(state=Owing.SENDING, leased_until=LATER)
    school.see("7", minutes=10)
    row = Owed.objects.get()
    assert (row.wanted, row.state, row.revision) == ("open", "sending", 2)
