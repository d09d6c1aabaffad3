"""From the log to verdicts and what is owed: every witness, a rebuild of everything, and meetings that change hands."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import Way
from rollcall.core.policy import MINUTE_MS, Condition, Policy, Quantity
from rollcall.derive.activity import demand_all, fold_activities_due
from rollcall.derive.claims import claim
from rollcall.derive.log import Log
from rollcall.derive.rebuild import Outdated, demand, fold_due
from rollcall.feed.append import append
from rollcall.feed.deciding import By, activity_for, decide
from rollcall.store.completions import Completion, Evidence
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver
from tests.derive.log import FAR_AHEAD, fold_everything
from tests.makers import make_organisation, make_platform, make_pool
from tests.reports.three_witnesses import class_of, keep, told_by

pytestmark = pytest.mark.usefixtures("database")

TEACHER = By("anna", "operator")
NEEDED_MS = 25 * MINUTE_MS
POLICY = Policy(conditions=(Condition(Quantity.TIME, NEEDED_MS),), fewest=1)


def policy_on(summary: Summary) -> Activity:
    activity = activity_for(summary.organisation, bytes(summary.activity_key), now=0)
    decide(activity, POLICY, TEACHER, now=0)
    judge()
    return activity


def judge() -> None:
    while list(fold_activities_due(now=FAR_AHEAD)):
        pass


def verdicts() -> dict[str, str]:
    return dict(Completion.objects.values_list("external_user_id", "verdict"))


@pytest.mark.parametrize("witnesses", [("webhooks",), ("webhooks", "polls"), ("callback",), ("recording",)])
def test_no_witness_tells_anything_that_is_not_true(witnesses: tuple[str, ...]) -> None:
    # A callback says nothing of breakout rooms: alone it does not even know that there were any.
    truth = class_of(rooms=0 if witnesses == ("callback",) else 2)
    policy_on(keep(truth, *witnesses))
    met = {key: truth.present_ms(key) >= NEEDED_MS for key in truth.people if key in verdicts()}
    assert met, "somebody was judged"
    wrong = {Verdict.MET: False, Verdict.NOT_MET: True}
    for user, verdict in verdicts().items():
        assert wrong.get(Verdict(verdict)) is not met[user], (user, verdict)
    if witnesses == ("recording",):
        assert Verdict.CANNOT_TELL not in verdicts().values()


def test_a_rebuild_of_everything_comes_to_the_same_and_sends_nothing() -> None:
    summary = keep(class_of(rooms=2), "webhooks", "polls", "recording")
    activity = policy_on(summary)
    receiver = Receiver.objects.create(
        platform=make_platform(make_organisation(), "https://moodle.example"), way=Way.MOODLE
    )
    CompletionTarget.objects.create(activity=activity, receiver=receiver, added_at=0)
    demand_all()
    judge()
    Owed.objects.update(state=Owing.SENT, sent="done", due_at=None)
    before = everything()
    assert any(before)
    Summary.objects.all().delete()
    assert not Evidence.objects.exists()
    demand()
    demand_all()
    fold_everything()
    judge()
    assert everything() == before
    Completion.objects.all().delete()
    demand_all()
    judge()
    assert everything() == before


def everything() -> tuple[list[Any], ...]:
    def rows(table: Any, *columns: str) -> list[Any]:
        found = table.objects.order_by("user_key").values_list(*columns)
        return [tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in found]

    columns = ("wanted", "sent", "state", "revision", "reason", "due_at")
    return rows(Completion, "user_key", "verdict", "name", "sort_key"), rows(Owed, "user_key", *columns)


def test_a_late_witness_has_the_activity_judged_anew() -> None:
    truth = class_of()
    activity = policy_on(keep(truth, "webhooks"))
    live = verdicts()
    append(told_by(truth, make_pool("bbb1"))["recording"])
    fold_everything()
    activity.refresh_from_db()
    assert activity.due_at is not None
    judge()
    assert Verdict.CANNOT_TELL not in verdicts().values()
    assert all(live[user] in {verdict, Verdict.CANNOT_TELL} for user, verdict in verdicts().items() if user in live)


def test_what_another_organisation_claims_is_no_longer_judged_here() -> None:
    summary = keep(class_of(), "webhooks")
    activity = policy_on(summary)
    assert Completion.objects.exists()
    owner = make_organisation()
    claim(summary.meeting.pool, summary.site, owner, None, by="operator", now=0)
    while Outdated().demand_some():
        for _ in fold_due(Log(), now=FAR_AHEAD):
            pass
    judge()
    assert not Completion.objects.exists()
    assert Evidence.objects.get().organisation == owner.pk
    taken = Summary.objects.get()
    assert bytes(taken.activity_key) == bytes(activity.key)
    policy_on(taken)
    assert set(Completion.objects.values_list("organisation", flat=True)) == {owner.pk}
