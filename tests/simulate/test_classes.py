"""A class made up: the same for a seed, and true to itself."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha1
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.simulate.classes import Plan, make_cast, make_class
from rollcall.simulate.truth import Does, Ending, Meeting, Truth, merge

PLANS = st.builds(
    Plan,
    minutes=st.integers(1, 90),
    people=st.integers(1, 20),
    ending=st.sampled_from([None, *Ending]),
    rooms=st.sampled_from([None, 0, 2]),
    guests=st.integers(0, 2),
    dial_ins=st.integers(0, 2),
    without_ids=st.integers(0, 2),
    liveliness=st.floats(0, 20),
)
CLASSES = st.builds(lambda seed, plan: make_class(Random(seed), plan), st.integers(0, 10**6), PLANS)


def test_a_seed_gives_the_same_class_and_another_seed_another() -> None:
    assert make_class(Random(7)) == make_class(Random(7))
    assert make_class(Random(7)) != make_class(Random(8))


@given(CLASSES)
def test_ids_are_bigbluebuttons_and_moodles(truth: Truth) -> None:
    root = truth.root
    assert re.fullmatch(r"[0-9a-f]{40}-42-7\[0\]", root.external_meeting_id)
    for meeting in truth.meetings:
        hashed = sha1(meeting.external_meeting_id.encode()).hexdigest()  # noqa: S324  # BigBlueButton's way
        assert meeting.internal_meeting_id == f"{hashed}-{meeting.created_at}"
        assert all(re.fullmatch(r"[wv]_[a-z0-9]{12}", stay.participant) for stay in meeting.stays)
    for room in truth.rooms:
        parents = {stay.participant for stay in root.stays}
        assert room.parent == root.internal_meeting_id
        assert all(stay.external_user_id.rpartition("-")[0] in parents for stay in room.stays)


@given(CLASSES)
def test_everybody_is_in_only_while_the_meeting_runs_and_acts_only_while_in(truth: Truth) -> None:
    for meeting in truth.meetings:
        for stay in meeting.stays:
            assert meeting.created_at < stay.joined_at < stay.left_at <= meeting.ended_at
        for act in meeting.acts:
            assert act.does is Does.IS_ARCHIVED or meeting.created_at <= act.at < meeting.ended_at
            if act.participant:
                assert is_in_or_just_gone(meeting, act.participant, act.at)


def is_in_or_just_gone(meeting: Meeting, participant: str, at: int) -> bool:
    return any(s.participant == participant and s.joined_at <= at < s.left_at + 500 for s in meeting.stays)


@given(CLASSES)
def test_one_participant_is_one_person_and_never_in_twice(truth: Truth) -> None:
    for meeting in truth.meetings:
        by_participant: dict[str, list[tuple[int, int]]] = {}
        for stay in meeting.stays:
            by_participant.setdefault(stay.participant, []).append((stay.joined_at, stay.left_at))
        for spans in by_participant.values():
            assert len(merge(spans)) == len(spans)


@given(CLASSES)
def test_nobody_was_in_for_longer_than_the_class(truth: Truth) -> None:
    for key in truth.people:
        assert 0 < truth.present_ms(key) <= truth.ended_at - truth.started_at


@given(CLASSES)
def test_leaves_are_announced_except_those_of_the_end(truth: Truth) -> None:
    for meeting in truth.meetings:
        for stay in meeting.stays:
            assert stay.is_announced or stay.left_at == meeting.ended_at
    if truth.root.ending is Ending.LAST_LEFT:
        assert all(stay.is_announced for stay in truth.root.stays)


@given(CLASSES)
def test_a_hand_is_down_before_it_goes_up_again_and_nobody_answers_a_poll_twice(truth: Truth) -> None:
    for meeting in truth.meetings:
        up: set[str] = set()
        answered: set[tuple[str, str]] = set()
        for act in meeting.acts:
            if act.does is Does.RAISES_HAND:
                assert act.participant not in up
                up.add(act.participant)
            elif act.does is Does.LOWERS_HAND:
                up.remove(act.participant)
            elif act.does is Does.ANSWERS_POLL:
                assert (act.participant, act.key) not in answered
                answered.add((act.participant, act.key))


def test_over_many_seeds_everything_the_field_knows_occurs() -> None:
    truths = [make_class(Random(seed)) for seed in range(40)]
    acts = [act for truth in truths for meeting in truth.meetings for act in meeting.acts]
    assert {act.does for act in acts} == set(Does)
    assert {truth.root.ending for truth in truths} == set(Ending)
    assert any(truth.rooms for truth in truths)
    assert any(len(truth.spans(key)) > 1 for truth in truths for key in truth.people)
    assert any(act.does is Does.STARTS_POLL and act.is_secret for act in acts)
    assert has_two_tabs(truths)
    assert has_a_return(truths)


def has_two_tabs(truths: list[Truth]) -> bool:
    """Somebody was in by two participants at once, both in the same meeting."""
    return any(
        one.person == two.person and one.participant != two.participant and one.holds(two.joined_at)
        for truth in truths
        for one in truth.root.stays
        for two in truth.root.stays
    )


def has_a_return(truths: list[Truth]) -> bool:
    """Somebody came back as the same participant."""
    return any(len({s.participant for s in truth.root.stays}) < len(truth.root.stays) for truth in truths)


@pytest.mark.parametrize("script", ["GREEK", "CYRILLIC", "ARABIC", "HEBREW", "CJK", "DEVANAGARI", "LATIN"])
def test_names_come_in_every_script(script: str) -> None:
    import unicodedata

    letters = {letter for person in make_cast(Random(1), 200) for letter in person.name if letter.isalpha()}
    assert any(unicodedata.name(letter).startswith(script) for letter in letters)


def test_a_given_cast_is_who_comes() -> None:
    cast = make_cast(Random(3), 9)
    truth = make_class(Random(4), Plan(cast=cast, guests=0, dial_ins=0))
    assert set(truth.people) == {person.key for person in cast}
    assert set(truth.people.values()) <= {replace(person) for person in cast}


def test_presence_is_the_union_over_tabs_and_rooms() -> None:
    assert merge([(5, 9), (1, 3), (3, 4), (8, 12)]) == [(1, 4), (5, 12)]
