"""A watched meeting is folded at once, and not again before it has rested."""

from __future__ import annotations

import time

import pytest

from rollcall.derive import pace, rebuild
from rollcall.derive.log import Log
from rollcall.derive.pace import Pace
from rollcall.store.facts import Meeting
from tests.makers import make_pool


def test_it_rests_as_long_as_its_fold_took_and_a_quarter_second_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    one = Pace()
    one.rest(1, took=0.01)
    one.rest(2, took=3.0)
    assert one.resting() == [1, 2]
    now += pace.SHORTEST_REST_SECONDS
    assert one.resting() == [2]
    now += 3.0
    assert one.resting() == []


@pytest.mark.django_db(transaction=True)
def test_who_rests_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_pool()
    one, other = (
        Meeting.objects.create(pool=pool, key=bytes([number]) * 16, internal_meeting_id=str(number), due_at=1).pk
        for number in (1, 2)
    )
    monkeypatch.setattr(rebuild, "refold", lambda *_: True)
    kept, log = Pace(), Log()
    kept.rest(one, took=60.0)
    assert list(rebuild.fold_due(log, pace=kept)) == [other]
    assert list(rebuild.fold_due(log, pace=kept)) == []
    assert list(rebuild.fold_due(log)) == [one, other]
