"""Any mixture of faults and deaths, in any order: when all is mended, every LMS user is credited exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import os
from random import Random

import pytest

from rollcall.store.outbox import DONE, Attempt, Delivery, Target
from tests.deliveries.test_faults import STEPS
from tests.deliveries.world import HOUR_MS, MINUTE_MS, SECRET, Clock, Crash, Worker, connect, owe
from tests.moodle import Activity, Moodle, moodle

FAULTS = (
    "close-before",
    "close-after",
    "301",
    "403",
    "429",
    "500",
    "502",
    "503",
    "500-after",
    "502-after",
    "504-after",
)
TROUBLES = ("none", "stripped", "secret", "swallows")
WORLDS = int(os.environ.get("ROLLCALL_KILLS", "6"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(WORLDS))
def test_whatever_happens_everybody_is_credited_once(seed: int) -> None:
    rng, clock = Random(seed), Clock()
    with moodle(SECRET, {1: Activity("a" * 40), 2: Activity("b" * 40)}) as site:
        site.clock = lambda: clock.now / 1000
        owed = [owe(site, name=f"Class {number}", instance=rng.choice((1, 2))) for number in range(rng.randint(1, 4))]
        connect(owed[0].meeting.pool, "one that was never right", SECRET)
        for _ in range(rng.randint(2, 8)):
            suffer(site, clock, rng)
        mend(site)
        clock.now += 12 * HOUR_MS
        asyncio.run(Worker(clock).work(ticks=20, step_ms=30 * MINUTE_MS))
        assert {row.state for row in Delivery.objects.all()} <= set(DONE), "and nothing is taken for somebody else's"
        assert dict(site.credited()) == {3: len(owed), 4: len(owed)}
        assert len(site.deliveries()) <= Attempt.objects.count(), "every request was written down before it left"
        assert Target.objects.get().failures == 0


def suffer(site: Moodle, clock: Clock, rng: Random) -> None:
    """Some time in which things go wrong, at the end of which the worker may die."""
    mend(site)
    match rng.choice(TROUBLES):
        case "stripped":
            site.is_header_stripped = True
        case "secret":
            site.secret = "another one"
        case "swallows":
            site.swallows_phrases = True
    site.faults = [rng.choice(FAULTS) for _ in range(rng.randint(0, 3))]
    worker = Worker(clock, name=rng.choice(("worker-1", "worker-2")))
    if rng.random() < 0.6:
        worker.crash_before = rng.choice(("", *STEPS))
        worker.crash_after = rng.choice(("", *STEPS))
    with contextlib.suppress(Crash):
        asyncio.run(worker.work(ticks=rng.randint(1, 6), step_ms=rng.choice((1_000, MINUTE_MS, 30 * MINUTE_MS))))
    clock.now += rng.choice((1_000, MINUTE_MS, HOUR_MS))


def mend(site: Moodle) -> None:
    site.faults, site.secret = [], SECRET
    site.is_header_stripped = site.swallows_phrases = False
