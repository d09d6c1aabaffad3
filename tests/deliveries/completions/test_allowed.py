"""What a verdict does not say any more does not leave, whatever has happened to its row since it was wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollcall.core.deliveries import Way
from rollcall.core.policy import Condition, OnChange, Policy, Quantity
from rollcall.deliveries.completions import by_hand
from rollcall.deliveries.driver import Order, Outcome, Result
from rollcall.store.completions import Completion
from rollcall.store.owed import CompletionTarget, Owed, Owing
from tests.deliveries.completions.outbox_world import DOWN, Lms, Worker, make_target, owe
from tests.deliveries.world import Clock
from tests.derive.test_activity import FORTY, NOW
from tests.derive.test_owing import LATER, School, owed

pytestmark = pytest.mark.usefixtures("database")

HOUR_MS = 3_600_000
CANNOT_TELL = replace(FORTY, conditions=(Condition(Quantity.PRESENT_BY, 0),))
BUSY = Outcome(Result.RECEIVER, "too-many", status=429)

LOWERED = [
    (Way.CALLBACK, FORTY),
    (Way.MOODLE, replace(FORTY, on_change=OnChange.FLAG)),
    (Way.MOODLE, replace(FORTY, lowers_until=1)),
]


@pytest.fixture
def clock() -> Clock:
    found = Clock()
    found.now = NOW
    return found


def nobody_is_done_after(lms: Lms, worker: Worker) -> bool:
    lms.says = lambda _: None
    worker.work(ticks=6, step_ms=8 * HOUR_MS)
    return lms.who_is_done() == set()


@pytest.mark.parametrize(("way", "policy"), LOWERED)
@pytest.mark.parametrize("answer", [DOWN, BUSY])
def test_whoever_turns_out_not_to_have_met_while_the_lms_is_down(
    way: Way, policy: Policy, answer: Outcome, clock: Clock
) -> None:
    school, lms = School(way, policy), Lms(says=lambda _: answer)
    worker = Worker(lms, clock)
    worker.work(step_ms=HOUR_MS)
    assert lms.requests
    school.see("7", minutes=10, now=clock.now)
    assert nobody_is_done_after(lms, worker)
    school.see("7", minutes=45, now=clock.now)
    worker.work(ticks=6, step_ms=8 * HOUR_MS)
    assert lms.who_is_done() == {"7"}


@pytest.mark.parametrize(("way", "policy"), LOWERED)
def test_whoever_turns_out_not_to_have_met_while_it_is_in_hand(way: Way, policy: Policy, clock: Clock) -> None:
    school = School(way, policy)
    lms = Lms()
    first: list[Order] = []

    def says(order: Order) -> Outcome | None:
        if not first:
            first.append(order)
            Completion.objects.update(verdict="not-met")
            return BUSY
        return None

    lms.says = says
    worker = Worker(lms, clock)
    worker.work(step_ms=HOUR_MS)
    school.see("7", minutes=10, now=clock.now)
    worker.work(ticks=6, step_ms=8 * HOUR_MS)
    assert lms.who_is_done() == set()


def test_what_cannot_be_told_any_more_after_an_answer_that_was_lost(clock: Clock) -> None:
    school, lms = School(), Lms(says=lambda _: DOWN)
    worker = Worker(lms, clock)
    worker.work(step_ms=HOUR_MS)
    school.publish(CANNOT_TELL, clock.now)
    assert nobody_is_done_after(lms, worker)
    assert owed()["7"] == ("done", "held", "not-certain")
    school.publish(FORTY, clock.now)
    worker.work(ticks=6, step_ms=8 * HOUR_MS)
    assert lms.who_is_done() == {"7"}, "it goes on by itself once it is certain again"


def test_no_click_overrules_what_is_not_certain(clock: Clock) -> None:
    school, lms = School(), Lms()
    school.publish(CANNOT_TELL)
    pk = Owed.objects.get().pk
    by_hand.cancel(pk, now=NOW)
    by_hand.retry(pk, now=NOW)
    assert nobody_is_done_after(lms, Worker(lms, clock))


def test_history_that_is_not_certain_any_more_is_not_sent_when_asked_for(clock: Clock) -> None:
    school, lms = School(from_at=LATER), Lms()
    school.publish(CANNOT_TELL)
    by_hand.send_history(school.target.pk, now=NOW)
    assert nobody_is_done_after(lms, Worker(lms, clock))


@pytest.mark.parametrize(
    ("columns", "reason"), [({"is_teacher": True}, "teacher"), ({"is_on_roster": False}, "not-enrolled")]
)
def test_whoever_is_no_learner_by_then(columns: dict[str, bool], reason: str, clock: Clock) -> None:
    target, lms = make_target(), Lms()
    owe(target, "7", now=clock)
    Completion.objects.update(**columns)
    assert nobody_is_done_after(lms, Worker(lms, clock))
    assert (Owed.objects.get().state, Owed.objects.get().reason) == (Owing.HELD, reason)


def test_whoever_has_no_verdict_at_all_by_then(clock: Clock) -> None:
    target, lms = make_target(), Lms()
    owe(target, "7", now=clock)
    Completion.objects.all().delete()
    assert nobody_is_done_after(lms, Worker(lms, clock))
    assert Owed.objects.get().reason == "not-judged"


@pytest.mark.parametrize("how", ["target", "receiver", "platform"])
def test_what_was_claimed_stays_when_it_is_switched_off(how: str, clock: Clock) -> None:
    target, lms = make_target(), Lms()
    owe(target, *map(str, range(1, 61)), now=clock)

    def switch_off(_: Order) -> None:
        if how == "target":
            CompletionTarget.objects.update(is_on=False)
        elif how == "receiver":
            by_hand.stop(target.receiver_id, now=clock.now)
        else:
            target.receiver.platform.removed_at = clock.now
            target.receiver.platform.save()

    lms.meanwhile = switch_off
    Worker(lms, clock).work()
    assert len(lms.requests) <= 40, "those that had begun"
    assert not Owed.objects.filter(state=Owing.SENDING).exists()
    assert Owed.objects.filter(state=Owing.DUE).count() >= 20
