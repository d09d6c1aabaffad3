"""Whatever fails, for however long: what is claimed as proved is true, and the truth was possible."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.bbb import servers
from rollcall.core.intervals import Span, merge, subtract
from rollcall.core.meeting import FoldedMeeting, fold_meeting
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.truth import Truth
from tests.bbb.watching import store_thread
from tests.bbb.world import Mishap, World, log

pytestmark = pytest.mark.django_db(transaction=True)

MINUTES = 14
# The relay stamps up to 40 ms late; HTTP's Date has whole seconds.
SECOND_MS = 1_000
KINDS = ("hooks-lost", "relay-restarts", "relay_down", "server_down", "network_down", "rollcall_down")
MISHAPS = st.builds(
    Mishap, kind=st.sampled_from(KINDS), start_s=st.integers(-60, MINUTES * 60), length_s=st.integers(1, 500)
)


def play(seed: int, mishaps: list[Mishap]) -> tuple[Truth, FoldedMeeting]:
    tomorrow = servers.now_ms() + 24 * 60 * 60_000  # what is stored by the real clock shall not be newer
    truth = make_class(Random(seed), Plan(people=7, minutes=MINUTES, rooms=seed % 2 * 2, starts_at=tomorrow))
    world = World(truth, mishaps)
    with store_thread() as in_thread:
        asyncio.run(world.run(in_thread))
    return truth, fold_meeting(log(world.pool), root=truth.root.internal_meeting_id)


def assert_truth_inside(truth: Truth, folded: FoldedMeeting) -> None:
    """Who stands there twice, because a join was lost that would have told who it was, is taken together."""
    stays = [stay for meeting in truth.meetings for stay in meeting.stays]
    person_of = {stay.participant: stay.person.key for stay in stays}
    possible: defaultdict[str, list[Span]] = defaultdict(list)
    for attendance in folded.attendances:
        key = person_of.get(attendance.key.id, attendance.key.id)
        spans = truth.spans(key)
        possible[key] += attendance.possible
        for start, end in subtract(attendance.proved, spans):
            assert end - start <= SECOND_MS, f"{key} proved {start}-{end}, of {spans}"
    for key, told in possible.items():
        for start, end in subtract(truth.spans(key), merge(told)):
            assert end - start <= SECOND_MS, f"{key} not possible {start}-{end}, of {truth.spans(key)}"


@settings(max_examples=12)
@given(seed=st.integers(0, 50), mishaps=st.lists(MISHAPS, max_size=4))
def test_truth_lies_inside_whatever_fails(seed: int, mishaps: list[Mishap]) -> None:
    assert_truth_inside(*play(seed, mishaps))


def test_where_nothing_fails_nothing_is_blind_and_little_is_open() -> None:
    truth, folded = play(3, [])
    assert folded.blind == ()
    assert {attendance.key.id for attendance in folded.attendances} == set(truth.people)
    assert_truth_inside(truth, folded)
