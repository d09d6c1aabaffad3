"""Who voted in a secret poll stands on no page."""

from __future__ import annotations

from datetime import UTC
from random import Random

import pytest

from rollcall.reports.facts import facts_of_attendee, facts_of_meeting
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.truth import Does
from rollcall.store import reading
from rollcall.store.connections import Pool
from rollcall.store.derived import Summary
from tests.derive.log import append_and_fold, arrivals_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_secret_vote_names_nobody_and_an_open_one_its_voter() -> None:
    truth = make_class(Random(12), Plan(people=8, minutes=40, rooms=0))
    votes = [act for act in truth.root.acts if act.does is Does.ANSWERS_POLL]
    secret, open_ = [vote for vote in votes if vote.is_secret], [vote for vote in votes if not vote.is_secret]
    assert secret, "the class held no secret poll"
    assert open_, "the class held no open poll"
    pool = Pool.objects.create(name="bbb.example.org")
    append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1), raw=True)))
    summary = Summary.objects.get()
    lines = facts_of_meeting(summary, reading.facts(summary, limit=10_000), UTC)
    named = [line.payload for line in lines if line.kind == "poll-responded" and "userId" in line.payload]
    assert len(named) == len(open_)
    own = [line for one in reading.attendees(summary) for line in facts_of_attendee(summary, one, UTC)]
    assert sum(line.kind == "poll-responded" for line in own) == len(open_)
