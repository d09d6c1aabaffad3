"""What another policy would come to, before it is published: who gains, who loses, of whom it cannot be told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollcall.core.activity import Verdict
from rollcall.core.policy import MINUTE_MS, Condition, Policy, Quantity
from rollcall.derive.preview import preview
from rollcall.store.completions import Completion, Evidence
from rollcall.store.decisions import Activity, Decision
from rollcall.store.derived import Summary
from tests.derive.test_activity import ADA, FORTY, algebra, course, policy_on
from tests.makers import at, make_organisation, make_platform

pytestmark = pytest.mark.usefixtures("database")

TEN = replace(FORTY, conditions=(Condition(Quantity.TIME, 10 * MINUTE_MS),))


def key_of(summary: Summary) -> bytes:
    return bytes(summary.activity_key)


def test_of_an_activity_without_a_policy_whoever_meets_it_gains() -> None:
    summary = algebra()
    found = preview(1, key_of(summary), FORTY)
    assert [(one.name, one.before, one.after) for one in found.people] == [
        ("Ada Lovelace", None, Verdict.MET),
        ("Ben", None, Verdict.NOT_MET),
        ("Eve", None, Verdict.CANNOT_TELL),
    ]
    assert [one.user_id for one in found.gains()] == ["7"]
    assert (found.loses(), [one.name for one in found.unsure()]) == ((), ["Eve"])
    assert found.counts() == {Verdict.MET: 1, Verdict.NOT_MET: 1, Verdict.CANNOT_TELL: 1}
    (one,) = found.classes
    assert (one.meetings, one.version, one.counts) == ((str(summary.meeting_id),), 0, Verdict.MET)
    assert (one.met, one.not_met, one.cannot_tell) == (1, 1, 1)
    assert found.unread == 0
    assert not Activity.objects.exists(), "looking writes nothing"


def test_a_weaker_policy_takes_nothing_a_stronger_one_does() -> None:
    summary = algebra()
    policy_on(summary)
    assert ([one.name for one in preview(1, key_of(summary), TEN).gains()]) == ["Ben", "Eve"]
    ninety = replace(FORTY, conditions=(Condition(Quantity.TIME, 90 * MINUTE_MS),))
    found = preview(1, key_of(summary), ninety)
    assert [one.name for one in found.loses()] == ["Ada Lovelace"]
    assert (Decision.objects.count(), Completion.objects.count()) == (1, 0)


def test_one_that_begins_later_judges_what_began_before_only_if_asked() -> None:
    summary = algebra()
    policy_on(summary)
    later = replace(TEN, starts_at=at("11:30"))
    assert [one.name for one in preview(1, key_of(summary), later).gains()] == ["Ben", "Eve"]
    found = preview(1, key_of(summary), later, is_from_start=False)
    assert found.gains() == found.loses() == ()
    assert found.classes[0].version == 0


def test_a_class_before_any_policy_is_shown_and_judges_nobody() -> None:
    summary = algebra()
    found = preview(1, key_of(summary), replace(FORTY, starts_at=at("11:30")), is_from_start=False)
    assert found.people == ()
    assert [(one.version, one.met) for one in found.classes] == [(None, 0)]


def test_with_a_roster_its_learners_are_shown_and_no_teacher() -> None:
    platform = make_platform(make_organisation(), "https://moodle.example.org")
    summary = algebra()
    course("7 10", "9", platform=platform)
    found = preview(1, key_of(summary), FORTY)
    assert {(one.user_id, one.after) for one in found.people} == {("7", Verdict.MET), ("10", Verdict.NOT_MET)}
    assert (found.classes[0].met, found.classes[0].not_met) == (1, 1)


def test_no_rule_any_more_judges_nobody() -> None:
    summary = algebra(ADA, replace(ADA, uid="8", name="Ben"))
    policy_on(summary)
    found = preview(1, key_of(summary), Policy(conditions=()))
    assert {(one.before, one.after) for one in found.people} == {(Verdict.MET, None)}


def test_meetings_that_were_not_read_since_an_upgrade_are_counted() -> None:
    summary = algebra()
    Evidence.objects.all().delete()
    Summary.objects.update(fold_version=4)
    assert preview(1, key_of(summary), FORTY).unread == 1
