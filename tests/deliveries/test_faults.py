"""Whatever dies, and whenever: every LMS user is credited once, and nothing that was owed is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import pytest

from rollcall.deliveries import queue
from rollcall.deliveries.send import Sender
from rollcall.deliveries.told import state_of
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import at_work
from rollcall.store.outbox import DONE, Attempt, Delivery, State, Target
from tests.deliveries.world import HOUR_MS, MINUTE_MS, SECRET, Clock, Crash, Worker, delivery_of, owe
from tests.moodle import Activity, Moodle, moodle
from tests.servers import free_port

STEPS = ("claim", "remember_key", "begin", "told", "record")


@pytest.mark.django_db(transaction=True)
def test_moodle_down_for_a_day_loses_nothing(clock: Clock) -> None:
    port = free_port()
    activities = {1: Activity("a" * 40), 2: Activity("b" * 40)}
    nowhere = Moodle(SECRET, activities)
    nowhere.base = f"http://127.0.0.1:{port}"
    owed = [owe(nowhere, name=f"Class {number}", instance=1 + number % 2) for number in range(12)]
    asyncio.run(Worker(clock).work(ticks=24 * 6, step_ms=10 * MINUTE_MS))
    assert {row.state for row in Delivery.objects.all()} == {State.DUE}
    assert Attempt.objects.count() == 0, "without a secret that is known to fit nothing but the probe is sent"
    target = Target.objects.get()
    assert target.trouble == "unreachable"
    assert 5 <= target.failures <= 14, "a target in trouble is paused as a whole, for longer each time"
    told = state_of(owed[0].meeting_id, as_of=clock.now)
    assert told is not None
    assert "cannot be reached" in told.sentence or "About to be" in told.sentence
    with moodle(SECRET, activities, port=port) as site:
        site.clock = lambda: clock.now / 1000
        clock.now = max(clock.now, Target.objects.get().paused_until)
        asyncio.run(Worker(clock).work(ticks=15, step_ms=10_000))
        assert {row.state for row in Delivery.objects.all()} == {State.SENT}, "at once, when one has got through"
        assert dict(site.credited()) == {3: 12, 4: 12}


@pytest.mark.django_db(transaction=True)
def test_after_two_weeks_a_person_has_to_look(clock: Clock) -> None:
    nowhere = Moodle(SECRET, {1: Activity("a" * 40)})
    nowhere.base = f"http://127.0.0.1:{free_port()}"
    summary = owe(nowhere)
    asyncio.run(Worker(clock).work(ticks=16 * 4, step_ms=6 * HOUR_MS))
    row = delivery_of(summary)
    assert (row.state, row.reason) == (State.HELD, "gave-up")
    told = state_of(summary.meeting_id, as_of=clock.now)
    assert told is not None
    assert "Two weeks" in told.sentence
    assert told.level == "wants-a-person"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_credited_once(site: Moodle, clock: Clock, step: str, when: str) -> None:
    summary = owe(site)
    dying = Worker(clock, crash_before=step) if when == "before" else Worker(clock, crash_after=step)
    with contextlib.suppress(Crash):
        asyncio.run(dying.work(ticks=1))
    assert dying.crashed == [step]
    assert sum(site.credited().values()) in {0, 2}
    asyncio.run(Worker(clock).work(ticks=5, step_ms=MINUTE_MS))
    assert delivery_of(summary).state in DONE
    assert dict(site.credited()) == {3: 1, 4: 1}
    arrived_unseen = step == "told" or (step, when) == ("record", "before")
    assert delivery_of(summary).state == (State.ALREADY if arrived_unseen else State.SENT)


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_had_in_hand_is_taken_over_when_its_lease_ends(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    with pytest.raises(Crash, match="claim"):
        asyncio.run(Worker(clock, name="gone", crash_after="claim").work())
    asyncio.run(Worker(clock, name="other").work())
    assert delivery_of(summary).state == State.SENDING
    clock.now += queue.LEASE_MS + 1
    asyncio.run(Worker(clock, name="other").work(ticks=2, step_ms=1000))
    assert delivery_of(summary).state == State.SENT


def test_several_workers_at_once_send_each_thing_once(database: str, clock: Clock) -> None:
    with moodle(SECRET, {1: Activity("a" * 40)}) as site:
        site.clock = lambda: clock.now / 1000
        for number in range(10):
            owe(site, name=f"Class {number}")

        async def together() -> None:
            workers = [Worker(clock, name=f"worker-{number}") for number in range(4)]
            await asyncio.gather(*(worker.work(ticks=12) for worker in workers))

        asyncio.run(together())
        assert Counter(row.state for row in Delivery.objects.all()) == {State.SENT: 10}
        assert dict(site.credited()) == {3: 10, 4: 10}
        assert len(site.deliveries()) == 10, "and each was sent once, not only taken once"
        assert {row.tries for row in Delivery.objects.all()} == {1}


@pytest.mark.django_db(transaction=True)
def test_told_to_stop_it_leaves_what_is_slow_to_its_successor(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    site.faults = ["slow"]

    async def stopped() -> None:
        async with http_client() as http, at_work("test") as hands:
            await Sender("worker-1", http, hands, clock=clock, trusted=frozenset({"127.0.0.1"})).tick()
            await hands.finish(0.5)

    asyncio.run(stopped())
    assert delivery_of(summary).state == State.SENDING
    assert delivery_of(summary).is_unanswered
    asyncio.run(Worker(clock).work())
    assert delivery_of(summary).state == State.ALREADY
    assert dict(site.credited()) == {3: 1, 4: 1}


@pytest.mark.django_db(transaction=True)
def test_a_class_that_turns_out_to_be_a_breakout_room_is_not_sent(site: Moodle, clock: Clock) -> None:
    summary = owe(site, record="")
    asyncio.run(Worker(clock).work())
    row = delivery_of(summary)
    Delivery.objects.filter(pk=row.pk).update(state=State.DUE, due_at=clock.now)
    summary.delete()
    asyncio.run(Worker(clock).work())
    assert (delivery_of(summary).state, delivery_of(summary).reason) == (State.HELD, "part-of-a-class")
    assert site.requests == []
    told = state_of(row.meeting_id, as_of=clock.now)
    assert told is not None
    assert "breakout room" in told.sentence


@pytest.mark.django_db(transaction=True)
def test_one_that_never_gets_through_does_not_hold_up_the_others(site: Moodle, clock: Clock) -> None:
    poison = owe(site, name="Poison", began="09:00")
    asyncio.run(Worker(clock).work(ticks=0))
    others = [owe(site, name=f"Class {number}") for number in range(5)]
    site.fails_for = poison.meeting.internal_meeting_id
    asyncio.run(Worker(clock).work(ticks=200, step_ms=2 * MINUTE_MS))
    assert {delivery_of(one).state for one in others} == {State.SENT}
    assert delivery_of(poison).state == State.DUE


@pytest.mark.django_db(transaction=True)
def test_a_late_yes_counts_although_the_lease_was_lost(site: Moodle, clock: Clock) -> None:
    from rollcall.deliveries.outcome import Outcome
    from rollcall.deliveries.post import Answer

    summary = owe(site)
    asyncio.run(Worker(clock, name="slow", crash_before="begin").work())
    (slow,) = [queue._read(row.pk) for row in Delivery.objects.all()]
    clock.now += queue.LEASE_MS + 1
    queue.reclaim_expired(clock.now)
    (fast,) = queue.claim("fast", clock.now, {})
    assert queue.begin(slow, b"0" * 16, clock.now) is None, "it is not ours any more"
    assert queue.record(fast, Outcome(State.ALREADY, is_well=True), None, clock.now)
    assert not queue.record(slow, Outcome(State.SENT, is_well=True), Answer(200, "OK", 1), clock.now)
    assert delivery_of(summary).state == State.SENT
