"""What is wanted reaches the LMS, whatever changes meanwhile, and what is in trouble is left alone."""

from __future__ import annotations

import pytest

from rollcall.core.deliveries import NOTHING, Goal, Step, Way
from rollcall.deliveries.driver import Order, Outcome, Result
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver, Try
from tests.deliveries.completions.outbox_world import (
    DONE,
    DOWN,
    FINE,
    Lms,
    Worker,
    make_target,
    owe,
    row_of,
    states,
    wish,
)
from tests.deliveries.world import HOUR_MS, MINUTE_MS, Clock

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_wanted_is_sent_once(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    owe(target, *(f"{number}" for number in range(30)), now=clock)
    worker.work(ticks=3, step_ms=MINUTE_MS)
    assert states() == {Owing.SENT: 30}
    assert len(lms.requests) == 30
    row = row_of("7")
    assert (row.sent, row.sent_revision, row.is_unanswered, row.tries) == ("done", 1, False, 1)
    assert set(Try.objects.values_list("status", "fault")) == {(200, "")}
    assert Receiver.objects.get().answered_at is not None
    owe(target, *(f"{number}" for number in range(30)), now=clock)
    worker.work()
    assert len(lms.requests) == 30, "the same verdicts again send nothing"


def test_what_changes_while_it_is_sent_is_not_lost(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    owe(target, "7", now=clock)
    changes = [wish("7", NOTHING)]
    lms.meanwhile = lambda _: owe(target, changes.pop(), now=clock) if changes else None  # type: ignore[assignment]
    worker.work()
    row = row_of("7")
    assert (row.state, row.sent, row.wanted, row.revision) == (Owing.DUE, "done", "open", 2)
    worker.work()
    assert (row_of("7").state, row_of("7").sent) == (Owing.SENT, "open")
    assert lms.who_is_done() == set()


def test_what_comes_back_to_what_is_held_sends_nothing(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    owe(target, "7", now=clock)
    worker.work()
    owe(target, wish("7", NOTHING), now=clock)
    assert row_of("7").state == Owing.DUE
    owe(target, wish("7", DONE), now=clock)
    worker.work()
    assert (row_of("7").state, row_of("7").revision) == (Owing.SENT, 3)
    assert len(lms.requests) == 1


def test_what_may_have_arrived_is_sent_again_before_it_counts_as_held(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    owe(target, "7", now=clock)
    worker.work()
    owe(target, wish("7", NOTHING), now=clock)
    lms.answers = lambda _: Outcome(Result.RECEIVER, "timeout")
    worker.work()
    assert lms.who_is_done() == set(), "it has arrived, and nobody knows"
    assert row_of("7").is_unanswered
    owe(target, wish("7", DONE), now=clock)
    assert row_of("7").state == Owing.DUE
    lms.answers = lambda _: FINE
    worker.work(ticks=2, step_ms=2 * MINUTE_MS)
    worker.work()
    assert lms.who_is_done() == {"7"}
    assert row_of("7").state == Owing.SENT


def test_met_not_met_met_ends_as_met_after_any_trouble(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    troubles = iter([DOWN, Outcome(Result.LATER, "busy"), Outcome(Result.TARGET, "no-such-activity")] * 2)
    lms.answers = lambda _: next(troubles, FINE)
    for goal in (DONE, NOTHING, DONE):
        owe(target, wish("7", goal), now=clock)
        worker.work(ticks=2, step_ms=30_000)
    worker.work(ticks=48, step_ms=HOUR_MS)
    assert (row_of("7").state, row_of("7").sent) == (Owing.SENT, "done")
    assert lms.who_is_done() == {"7"}


def test_an_lms_that_is_down_for_a_week_gets_everything_after(lms: Lms, worker: Worker, clock: Clock) -> None:
    first, second = make_target(), make_target(name="Geometry")
    owe(first, *(f"{number}" for number in range(40)), now=clock)
    owe(second, *(f"{number}" for number in range(40)), now=clock)
    lms.says = lambda _: DOWN
    worker.work(ticks=7 * 12, step_ms=2 * HOUR_MS)
    assert states() == {Owing.DUE: 80}
    assert 20 <= len(lms.requests) <= 60, "while it is in trouble one is tried at a time, with growing pauses"
    receiver = Receiver.objects.get()
    assert receiver.trouble == "unreachable"
    assert receiver.paused_until > clock.now - 2 * HOUR_MS
    lms.says = lambda _: None
    worker.work(ticks=24, step_ms=HOUR_MS)
    assert states() == {Owing.SENT: 80}
    assert len(lms.who_is_done()) == 40
    assert set(lms.changes.values()) == {1}
    assert (Receiver.objects.get().trouble, Receiver.objects.get().failures) == ("", 0)


def test_after_three_weeks_of_silence_everything_still_goes(lms: Lms, worker: Worker, clock: Clock) -> None:
    owe(make_target(), "7", "8", now=clock)
    lms.says = lambda _: DOWN
    worker.work(ticks=42, step_ms=12 * HOUR_MS)
    assert states() == {Owing.DUE: 2}
    lms.says = lambda _: None
    worker.work(ticks=4, step_ms=6 * HOUR_MS)
    assert states() == {Owing.SENT: 2}


def test_one_that_never_gets_through_is_given_up_after_two_weeks(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    owe(target, "7", now=clock)
    lms.says = lambda order: DOWN if order.user_id == "7" else None
    for user in ("8", "9", "10"):
        owe(target, user, now=clock)
        worker.work(ticks=4 * 6, step_ms=6 * HOUR_MS)
    assert (row_of("7").state, row_of("7").reason) == (Owing.HELD, "gave-up")
    assert lms.who_is_done() == {"8", "9", "10"}, "it holds up nobody else"


def test_only_the_target_in_trouble_waits(lms: Lms, worker: Worker, clock: Clock) -> None:
    gone, well = make_target(), make_target(name="Geometry")
    owe(gone, *(f"{number}" for number in range(20)), now=clock)
    owe(well, *(f"{number}" for number in range(20)), now=clock)
    lms.says = lambda order: Outcome(Result.TARGET, "no-such-activity") if order.target == gone.pk else None
    worker.work(ticks=4, step_ms=10_000)
    assert set(Owed.objects.filter(target=well).values_list("state", flat=True)) == {Owing.SENT}
    assert set(Owed.objects.filter(target=gone).values_list("state", flat=True)) == {Owing.DUE}
    found = CompletionTarget.objects.get(pk=gone.pk)
    assert (found.trouble, found.failures, Receiver.objects.get().trouble) == ("no-such-activity", 1, "")
    before = len(lms.requests)
    worker.work(ticks=1, step_ms=2 * MINUTE_MS)
    assert len(lms.requests) - before <= 1
    lms.says = lambda _: None
    worker.work(ticks=5, step_ms=HOUR_MS)
    assert states() == {Owing.SENT: 40}
    assert CompletionTarget.objects.get(pk=gone.pk).trouble == ""


def test_it_waits_as_long_as_it_is_asked_to(lms: Lms, worker: Worker, clock: Clock) -> None:
    owe(make_target(), "7", now=clock)
    lms.says = lambda _: Outcome(Result.RECEIVER, "too-many", status=429, retry_after_ms=3 * HOUR_MS)
    worker.work()
    assert Receiver.objects.get().paused_until >= clock.now + 3 * HOUR_MS
    assert not row_of("7").is_unanswered, "429: it has had no effect"
    worker.work(ticks=2, step_ms=HOUR_MS)
    assert len(lms.requests) == 1
    lms.says = lambda _: None
    worker.work(ticks=3, step_ms=HOUR_MS)
    assert row_of("7").state == Owing.SENT


@pytest.mark.parametrize(("result", "state"), [(Result.LEFT, Owing.LEFT), (Result.REFUSED, Owing.REFUSED)])
def test_what_the_lms_will_not_take_rests_until_something_else_is_wanted(
    result: Result, state: Owing, lms: Lms, worker: Worker, clock: Clock
) -> None:
    target = make_target(Way.AGS)
    CompletionTarget.objects.update(scoring="percent")
    target.refresh_from_db()
    owe(target, wish("7", Goal(thousandths=500)), now=clock)
    lms.answers = lambda _: Outcome(result, "overridden", status=200)
    worker.work(ticks=48, step_ms=HOUR_MS)
    row = row_of("7")
    assert (row.state, row.reason, row.sent, row.is_unanswered) == (state, "overridden", "", False)
    assert len(lms.requests) == 1
    owe(target, wish("7", Goal(thousandths=500)), now=clock)
    worker.work()
    assert len(lms.requests) == 1
    owe(target, wish("7", Goal(thousandths=900)), now=clock)
    worker.work()
    assert len(lms.requests) == 2


def test_what_waits_for_its_classes_to_settle_is_sent_then(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    owe(target, wish("7", not_before=clock.now + HOUR_MS), now=clock)
    assert row_of("7").state == Owing.WAITING
    worker.work(ticks=2, step_ms=20 * MINUTE_MS)
    assert not lms.requests
    worker.work(ticks=2, step_ms=20 * MINUTE_MS)
    assert row_of("7").state == Owing.SENT
    owe(target, wish("8", not_before=clock.now + HOUR_MS), now=clock)
    owe(target, wish("8"), now=clock)
    worker.work()
    assert row_of("8").state == Owing.SENT, "a whole witness has come in: nothing is left to wait for"


def test_nothing_is_sent_past_a_stop_a_switch_or_the_grace_of_a_licence(lms: Lms, worker: Worker, clock: Clock) -> None:
    from rollcall.store.organisations import Licence

    target = make_target()
    owe(target, "7", now=clock)
    Receiver.objects.update(is_stopped=True)
    worker.work()
    Receiver.objects.update(is_stopped=False)
    CompletionTarget.objects.update(is_on=False)
    worker.work()
    CompletionTarget.objects.update(is_on=True)
    Licence.objects.update(ends_at=clock.now - 2 * HOUR_MS, grace_ms=HOUR_MS)
    worker.work()
    assert not lms.requests
    Licence.objects.update(grace_ms=3 * HOUR_MS)
    worker.work()
    assert row_of("7").state == Owing.SENT


def test_a_fault_of_ours_puts_off_that_one_and_no_other(lms: Lms, worker: Worker, clock: Clock) -> None:
    target = make_target()
    owe(target, "7", "8", now=clock)

    def odd(order: Order) -> None:
        if order.user_id == "7":
            raise RuntimeError("odd")

    lms.says = odd
    worker.work(ticks=2)
    assert (row_of("7").state, row_of("7").reason, row_of("7").is_unanswered) == (Owing.DUE, "own-fault", True)
    assert row_of("8").state == Owing.SENT


def test_a_way_that_nobody_speaks_is_trouble_of_the_target(worker: Worker, clock: Clock) -> None:
    owe(make_target(), "7", now=clock)
    worker.work(ways=())
    assert CompletionTarget.objects.get().trouble == "no-such-way"


@pytest.mark.parametrize("step", [Step.FLAG, Step.STAYS])
def test_a_reversal_is_proposed_once_and_withdrawn_by_itself(
    step: Step, lms: Lms, worker: Worker, clock: Clock
) -> None:
    from rollcall.store.owed import Reversal

    target = make_target()
    owe(target, "7", now=clock)
    worker.work()
    assert owe(target, wish("7", NOTHING, step), now=clock) == 1
    assert owe(target, wish("7", NOTHING, step), now=clock) == 0
    told = Reversal.objects.get()
    assert (told.before, told.after, told.handled_at, bytes(told.reasons)) == ("done", "open", None, b"7: False")
    assert (row_of("7").wanted, row_of("7").proposed, row_of("7").state) == ("done", "open", Owing.SENT)
    owe(target, wish("7", DONE, Step.KEEP), now=clock)
    assert row_of("7").proposed == ""
    assert Reversal.objects.get().handled_at == clock.now
    worker.work()
    assert len(lms.requests) == 1


@pytest.mark.parametrize(("times", "state"), [(1, Owing.SENT), (2, Owing.SENT), (9, Owing.REFUSED)])
def test_a_refusal_that_may_be_a_moment_of_trouble_is_believed_the_third_time(
    lms: Lms, worker: Worker, clock: Clock, times: int, state: Owing
) -> None:
    refusals = [Outcome(Result.REFUSED, "locked", 500)] * times
    lms.says = lambda _: refusals.pop() if refusals else FINE
    owe(make_target(), "7", now=clock)
    worker.work(ticks=6, step_ms=HOUR_MS)
    assert row_of("7").state == state
    assert len(lms.requests) == min(times + 1, 3)
