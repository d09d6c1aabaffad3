"""From the wire to the fold: every relay's own words, with faults, against the truth of the class."""

from __future__ import annotations

from random import Random

import pytest

from rollcall.core.intervals import subtract
from rollcall.core.meeting import FoldedMeeting, fold_meeting
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.faults import afflict, parse_fault
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.truth import Truth
from tests.derive.wire import events_of, polls_of

LAG_MS = 41
"""The simulated relay stamps a mapped event up to 40 ms late."""

HOOKS = {"mapped": (True, False), "raw": (False, True), "both": (True, True)}
FAULTS = ("repeat=0.5", "delay=0.5", "reorder=60000", "missing-created", "missing-leave=0.5", "leaves-twice")


def folded_class(seed: int, generation: str, hooks: str, *faults: str) -> tuple[Truth, FoldedMeeting]:
    rng = Random(seed)
    truth = make_class(rng, Plan(people=8, minutes=25, rooms=seed % 2 * 2, without_ids=1))
    mapped, raw = HOOKS[hooks]
    sendings = relay(truth, GENERATIONS[generation], rng, mapped=mapped, raw=raw)
    sendings = afflict(sendings, rng, map(parse_fault, faults))
    return truth, fold_meeting(events_of(sendings) + polls_of(truth), root=truth.root.internal_meeting_id)


def assert_truth_inside(truth: Truth, folded: FoldedMeeting) -> None:
    people = {attendance.key.id: attendance for attendance in folded.attendances}
    assert set(people) == {key for key in truth.people if truth.spans(key)}
    for key, attendance in people.items():
        for start, end in subtract(attendance.proved, truth.spans(key)):
            assert end - start <= LAG_MS, "proved more than the truth"
        for start, end in subtract(truth.spans(key), attendance.possible):
            assert end - start <= LAG_MS, "the truth is not possible"


@pytest.mark.parametrize("hooks", HOOKS)
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("seed", range(4))
def test_truth_lies_inside_and_real_leaves_are_exact(seed: int, generation: str, hooks: str) -> None:
    truth, folded = folded_class(seed, generation, hooks)
    assert_truth_inside(truth, folded)
    stays = {stay.participant: stay for meeting in truth.meetings for stay in meeting.stays}
    for attendance in folded.attendances:
        for session in attendance.sessions:
            if stays[session.participant].is_announced:
                assert session.proved == (session.possible,)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_truth_lies_inside_under_faults(generation: str, fault: str) -> None:
    for seed, hooks in enumerate(HOOKS):
        assert_truth_inside(*folded_class(10 + seed, generation, hooks, fault))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("side", ["raw", "mapped"])
def test_one_sided_loss_loses_nothing(seed: int, side: str) -> None:
    truth, folded = folded_class(seed, "3.5.0", "both", f"loss-{side}=0.4")
    assert_truth_inside(truth, folded)
    assert_counted(truth, folded, poll_answers=side == "mapped")


def test_a_vote_in_a_secret_poll_is_nobodys_even_where_only_the_answer_was_told() -> None:
    secret = 0
    for seed in range(6):
        truth, folded = folded_class(seed, "3.5.0", "both", "loss-raw=0.4")
        for attendance in folded.attendances:
            counts = truth.counts(attendance.key.id)
            secret += counts.secret_poll_answers
            assert attendance.engagement.poll_answers.seen <= counts.poll_answers
    assert secret, "these classes held no secret poll"


@pytest.mark.parametrize("hooks", ["raw", "both"])
@pytest.mark.parametrize("generation", ["3.3.1", "3.3.1-on-2.6", "3.5.0"])
def test_raw_hooks_tell_every_count(generation: str, hooks: str) -> None:
    assert_counted(*folded_class(7, generation, hooks))


@pytest.mark.parametrize("generation", ["3.3.1", "3.3.1-on-2.6", "3.5.0"])
def test_mapped_hooks_tell_every_count_but_who_answered_a_poll(generation: str) -> None:
    truth, folded = folded_class(7, generation, "mapped")
    assert_counted(truth, folded, poll_answers=False)
    assert all(attendance.engagement.poll_answers.seen == 0 for attendance in folded.attendances)


def assert_counted(truth: Truth, folded: FoldedMeeting, *, poll_answers: bool = True) -> None:
    for attendance in folded.attendances:
        counts, engagement = truth.counts(attendance.key.id), attendance.engagement
        assert engagement.chats.seen == counts.chats
        assert engagement.raise_hands.seen == counts.raise_hands
        assert engagement.emojis.seen == counts.emojis
        assert engagement.cameras.seen == counts.cameras
        if poll_answers:
            assert engagement.poll_answers.seen == counts.poll_answers
