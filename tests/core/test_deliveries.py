"""From verdicts to goals, and from one goal to the next."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.core.activity import PersonVerdict, Verdict
from rollcall.core.deliveries import NOTHING, TAKES_BACK, Goal, Scoring, Step, Way, goal_of, step
from rollcall.core.policy import Condition, OnChange, Policy, Quantity

DONE, FULL = Goal(is_done=True), Goal(is_done=True, thousandths=1000)
CONDITIONS = (Condition(Quantity.CHATS, 1),)
AT = 1_000


def person(verdict: Verdict, share: tuple[int, int] = (0, 1000)) -> PersonVerdict:
    return PersonVerdict(
        user_id="4", computed=verdict, verdict=verdict, met=(0, 1), needed=1, share=share, measured=(), classes=()
    )


def policy(on_change: OnChange = OnChange.CORRECT, lowers_until: int | None = None) -> Policy:
    return Policy(conditions=CONDITIONS, on_change=on_change, lowers_until=lowers_until)


@pytest.mark.parametrize(
    ("way", "scoring", "verdict", "share", "goal"),
    [
        (Way.AGS, Scoring.PASS, Verdict.MET, (1000, 1000), FULL),
        (Way.AGS, Scoring.PASS, Verdict.NOT_MET, (0, 0), NOTHING),
        (Way.AGS, Scoring.PASS, Verdict.CANNOT_TELL, (500, 500), None),
        (Way.AGS, Scoring.PERCENT, Verdict.CANNOT_TELL, (430, 430), Goal(thousandths=430)),
        (Way.AGS, Scoring.PERCENT, Verdict.MET, (800, 801), None),
        (Way.AGS, Scoring.PERCENT, Verdict.NOT_MET, (0, 0), Goal(thousandths=0)),
        (Way.MOODLE, Scoring.PASS, Verdict.MET, (1000, 1000), DONE),
        (Way.MOODLE, Scoring.PERCENT, Verdict.MET, (430, 430), DONE),
        (Way.MOODLE, Scoring.PASS, Verdict.NOT_MET, (0, 0), NOTHING),
        (Way.CALLBACK, Scoring.PASS, Verdict.MET, (0, 0), DONE),
        (Way.CALLBACK, Scoring.PASS, Verdict.CANNOT_TELL, (0, 0), None),
    ],
)
def test_a_target_should_hold_what_is_certain(
    way: Way, scoring: Scoring, verdict: Verdict, share: tuple[int, int], goal: Goal | None
) -> None:
    assert goal_of(person(verdict, share), way, scoring) == goal


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (NOTHING, None, Step.KEEP),
        (DONE, None, Step.KEEP),
        (DONE, DONE, Step.KEEP),
        (NOTHING, NOTHING, Step.KEEP),
        (NOTHING, DONE, Step.DELIVER),
        (NOTHING, Goal(thousandths=0), Step.DELIVER),
        (Goal(thousandths=300), Goal(thousandths=400), Step.DELIVER),
        (Goal(thousandths=1000), FULL, Step.DELIVER),
        (DONE, NOTHING, Step.FLAG),
        (Goal(thousandths=400), Goal(thousandths=300), Step.FLAG),
        (FULL, Goal(thousandths=1000), Step.FLAG),
        (Goal(thousandths=300), NOTHING, Step.FLAG),
    ],
)
def test_only_what_is_lower_is_a_matter_of_the_policy(before: Goal, after: Goal | None, wanted: Step) -> None:
    assert step(before, after, way=Way.AGS, policy=policy(OnChange.FLAG), is_history=False, now=AT) is wanted


@pytest.mark.parametrize(
    ("on_change", "wanted"),
    [(OnChange.CORRECT, Step.DELIVER), (OnChange.TELL, Step.TELL), (OnChange.FLAG, Step.FLAG)],
)
@pytest.mark.parametrize("way", Way)
def test_a_lower_goal_is_delivered_told_or_flagged_where_the_way_takes_back(
    on_change: OnChange, wanted: Step, way: Way
) -> None:
    found = step(DONE, NOTHING, way=way, policy=policy(on_change), is_history=False, now=AT)
    assert found is (wanted if way in TAKES_BACK else Step.STAYS)


@pytest.mark.parametrize(
    ("lowers_until", "wanted"), [(None, Step.TELL), (AT + 1, Step.TELL), (AT, Step.STAYS), (AT - 1, Step.STAYS)]
)
def test_after_the_date_for_lowering_it_stays(lowers_until: int | None, wanted: Step) -> None:
    chosen = policy(OnChange.TELL, lowers_until)
    assert step(DONE, NOTHING, way=Way.MOODLE, policy=chosen, is_history=False, now=AT) is wanted
    assert step(NOTHING, DONE, way=Way.MOODLE, policy=chosen, is_history=False, now=AT) is Step.DELIVER


@pytest.mark.parametrize(("before", "wanted"), [(NOTHING, Step.HISTORY), (Goal(thousandths=300), Step.DELIVER)])
def test_a_first_goal_that_rests_on_history_waits_for_somebody_to_ask(before: Goal, wanted: Step) -> None:
    assert step(before, FULL, way=Way.AGS, policy=policy(), is_history=True, now=AT) is wanted


GOALS = st.builds(Goal, st.booleans(), st.none() | st.integers(0, 1000))


@given(GOALS, GOALS, st.sampled_from(sorted(TAKES_BACK)))
def test_a_policy_that_corrects_leads_to_the_last_goal_whatever_was_before(one: Goal, two: Goal, way: Way) -> None:
    """Met, not met, met: each is delivered, and the same again is not."""
    for before, after in product((one, two), repeat=2):
        found = step(before, after, way=way, policy=policy(), is_history=False, now=AT)
        assert found is (Step.KEEP if before == after else Step.DELIVER)
