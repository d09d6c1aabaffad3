"""The fold of an activity against every truth that the evidence allows, looked at one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.core.activity import Decided, PersonVerdict, Verdict, fold_activity
from rollcall.core.policy import Policy, Scope
from tests.core.activity_truths import ME, UNIT, Maybe, activities, brute, decisions, policies

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

Case: TypeAlias = tuple[list[Maybe], Decided]

RANKS = {Verdict.NOT_MET: 0, Verdict.CANNOT_TELL: 1, Verdict.MET: 2}
FEW = settings(max_examples=max(settings().max_examples * 6 // 10, 1))
"""A case has some hundred truths."""


def folded(activity: Sequence[Maybe], decided: Decided) -> PersonVerdict:
    return fold_activity([one.held() for one in activity], [ME], decided)[ME]


@st.composite
def cases(draw: st.DrawFn, scope: Scope | None = None) -> Case:
    return draw(activities()), draw(decisions([draw(policies(scope))]))


@st.composite
def cases_of_two_versions(draw: st.DrawFn) -> Case:
    later: Policy = replace(draw(policies()), starts_at=draw(st.integers(0, 10)) * UNIT)
    return draw(activities()), draw(decisions([draw(policies()), later]))


@FEW
@given(cases(Scope.CLASSES))
def test_of_counted_classes_is_certain_what_every_truth_says(case: Case) -> None:
    assert folded(*case).verdict is brute(*case)


@FEW
@given(cases(Scope.SUMMED))
def test_of_summed_classes_is_certain_what_every_truth_says(case: Case) -> None:
    assert folded(*case).verdict is brute(*case)


@FEW
@given(cases_of_two_versions())
def test_of_classes_under_two_versions_is_certain_what_every_truth_says(case: Case) -> None:
    assert folded(*case).verdict is brute(*case)


@FEW
@given(cases())
def test_without_history_it_is_what_the_other_classes_say(case: Case) -> None:
    assert folded(*case).without_history is brute(*case, without_history=True)


def narrower(draw: st.DrawFn, one: Maybe) -> Maybe:
    """Something more is known of it."""

    def part(side: tuple[int, ...]) -> tuple[int, ...]:
        first = draw(st.integers(0, len(side) - 1))
        return side[first : draw(st.integers(first + 1, len(side)))]

    unsure = sorted(one.possible - one.proved)
    told = {unit: draw(st.sampled_from([None, True, False])) for unit in unsure}
    return replace(
        one,
        first_join=part(one.first_join),
        last_leave=part(one.last_leave),
        ended=part(one.ended),
        attendees=part(one.attendees),
        proved=one.proved | {unit for unit, there in told.items() if there} if one.is_known else one.proved,
        possible=one.possible - {unit for unit, there in told.items() if there is False},
        chats=one.chats if draw(st.booleans()) else one.chats[:1],
    )


@FEW
@given(cases_of_two_versions(), st.data())
def test_more_evidence_never_flips_what_was_certain(case: Case, data: st.DataObject) -> None:
    activity, decided = case
    before = folded(activity, decided).verdict
    after = folded([data.draw(st.composite(narrower)(one)) for one in activity], decided).verdict
    assert before in {after, Verdict.CANNOT_TELL}


@FEW
@given(cases_of_two_versions(), st.data())
def test_more_presence_never_takes_anything_away(case: Case, data: st.DataObject) -> None:
    activity, decided = case
    at = data.draw(st.sampled_from(range(len(activity))))
    one = activity[at]
    more = data.draw(st.sets(st.integers(one.began, one.began + 4)))
    fuller = replace(
        one,
        proved=one.proved | more if one.is_known else one.proved,
        possible=one.possible | more,
        chats=tuple(chats + 1 for chats in one.chats) if one.is_known else one.chats,
    )
    after = folded([*activity[:at], fuller, *activity[at + 1 :]], decided)
    assert RANKS[after.verdict] >= RANKS[folded(activity, decided).verdict]


@FEW
@given(cases_of_two_versions(), st.randoms())
def test_the_order_of_meetings_and_people_and_repeats_of_them_change_nothing(case: Case, rnd: random.Random) -> None:
    activity, decided = case
    held, roster = [one.held() for one in activity], [ME, "5", "6"]
    mixed = fold_activity(rnd.sample(held * 2, 2 * len(held)), rnd.sample(roster * 2, 6), decided)
    assert mixed == fold_activity(held, roster, decided)


@FEW
@given(cases_of_two_versions())
def test_what_is_told_of_a_person_does_not_contradict_the_verdict(case: Case) -> None:
    person = folded(*case)
    assert person.share[0] <= person.share[1]
    if person.needed:
        assert person.met[0] <= person.met[1]
        assert RANKS[person.verdict] >= 2 * (person.met[0] >= person.needed)
    for one in person.classes:
        assert one.verdict is one.computed
        if one.verdict is Verdict.CANNOT_TELL and one.counts is Verdict.MET:
            assert one.doubts
