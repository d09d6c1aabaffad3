"""What a person decides about verdicts that are owed to an LMS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollcall.core.deliveries import NOTHING, Step
from rollcall.core.errors import Refused
from rollcall.deliveries.completions import by_hand
from rollcall.deliveries.driver import Outcome, Result
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver, Reversal
from tests.deliveries.completions.outbox_world import DONE, DOWN, Lms, Worker, make_target, owe, row_of, states, wish
from tests.deliveries.world import MINUTE_MS, Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target() -> CompletionTarget:
    return make_target()


def test_a_retry_does_not_wait_for_a_pause(lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget) -> None:
    owe(target, "7", now=clock)
    lms.says = lambda _: DOWN
    worker.work(ticks=3, step_ms=MINUTE_MS)
    lms.says = lambda _: None
    worker.work()
    assert row_of("7").state == Owing.DUE
    by_hand.retry(row_of("7").pk, now=clock.now)
    worker.work()
    assert row_of("7").state == Owing.SENT


@pytest.mark.parametrize("result", [Result.LEFT, Result.REFUSED])
def test_what_rests_may_be_tried_again(
    result: Result, lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget
) -> None:
    owe(target, "7", now=clock)
    lms.answers = lambda _: Outcome(result, "not-enrolled")
    worker.work()
    by_hand.retry(row_of("7").pk, now=clock.now)
    assert row_of("7").state == Owing.DUE


def test_what_is_cancelled_stays_until_something_else_is_wanted(
    lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget
) -> None:
    owe(target, "7", now=clock)
    by_hand.cancel(row_of("7").pk, now=clock.now)
    by_hand.cancel(row_of("7").pk, now=clock.now)
    owe(target, "7", now=clock)
    worker.work()
    assert not lms.requests
    by_hand.retry(row_of("7").pk, now=clock.now)
    worker.work()
    assert row_of("7").state == Owing.SENT
    owe(target, wish("7", NOTHING), now=clock)
    by_hand.cancel(row_of("7").pk, now=clock.now)
    owe(target, wish("7", DONE), now=clock)
    assert row_of("7").state == Owing.SENT, "it is held there: nothing has to be sent"


def test_what_is_lost_there_is_sent_once_more(lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget) -> None:
    owe(target, "7", now=clock)
    worker.work()
    lms.holds.clear()
    by_hand.resend(row_of("7").pk, now=clock.now)
    worker.work()
    assert lms.who_is_done() == {"7"}
    assert [order.is_unanswered for order in lms.requests] == [False, True]
    assert (row_of("7").state, row_of("7").is_unanswered) == (Owing.SENT, False)


def test_history_is_sent_if_somebody_asks(lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget) -> None:
    owe(target, wish("7", step=Step.HISTORY), wish("8", step=Step.HISTORY), "9", now=clock)
    worker.work()
    assert lms.who_is_done() == {"9"}
    assert by_hand.send_history(target.pk, now=clock.now) == 2
    owe(target, wish("7", step=Step.HISTORY), now=clock)
    worker.work()
    assert lms.who_is_done() == {"7", "8", "9"}


def test_history_that_rests_on_more_by_now_is_sent(clock: Clock, target: CompletionTarget) -> None:
    owe(target, wish("7", step=Step.HISTORY), now=clock)
    owe(target, wish("7"), now=clock)
    assert (row_of("7").state, row_of("7").revision) == (Owing.DUE, 1)
    owe(target, wish("8", step=Step.HISTORY), now=clock)
    owe(target, wish("8", NOTHING, Step.KEEP), now=clock)
    assert (row_of("8").state, row_of("8").sent) == (Owing.SENT, ""), "taken back before anything was sent"
    assert by_hand.send_history(target.pk, now=clock.now) == 0


def test_a_receiver_that_is_stopped_and_started(
    lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget
) -> None:
    owe(target, "7", "8", now=clock)
    receiver = Receiver.objects.get()
    by_hand.stop(receiver.pk, now=clock.now)
    worker.work()
    assert not lms.requests
    Owed.objects.filter(external_user_id="8").update(state=Owing.HELD, reason="gave-up")
    by_hand.start(receiver.pk, now=clock.now)
    worker.work()
    assert states() == {Owing.SENT: 2}


@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_reversal_is_decided_once(
    is_accepted: bool,
    lms: Lms,
    worker: Worker,
    clock: Clock,
    target: CompletionTarget,
) -> None:
    owe(target, "7", now=clock)
    worker.work()
    owe(target, wish("7", NOTHING, Step.FLAG), now=clock)
    found = Reversal.objects.get()
    by_hand.decide_reversal(found.pk, is_accepted=is_accepted, by="tess", now=clock.now)
    by_hand.decide_reversal(found.pk, is_accepted=not is_accepted, by="tom", now=clock.now)
    worker.work()
    assert lms.who_is_done() == (set() if is_accepted else {"7"})
    assert Reversal.objects.get().handled_by == "tess"
    if is_accepted:
        assert bytes(row_of("7").reasons) == b"7: False"
        owe(target, wish("7", NOTHING, Step.KEEP), now=clock)
    else:
        assert owe(target, wish("7", NOTHING, Step.FLAG), now=clock) == 0, "asked and answered"
    assert Reversal.objects.filter(handled_at=None).count() == 0


@pytest.mark.parametrize(
    ("state", "act", "code"),
    [
        (Owing.SENDING, lambda pk: by_hand.retry(pk, now=1), "being-sent"),
        (Owing.SENDING, lambda pk: by_hand.resend(pk, now=1), "being-sent"),
        (Owing.SENDING, lambda pk: by_hand.cancel(pk, now=1), "being-sent"),
        (Owing.SENT, lambda pk: by_hand.retry(pk, now=1), "sent-already"),
        (Owing.SENT, lambda pk: by_hand.cancel(pk, now=1), "sent-already"),
        (Owing.DUE, lambda pk: by_hand.resend(pk, now=1), "not-sent"),
        (Owing.DUE, lambda pk: by_hand.retry(pk + 1, now=1), "unknown-delivery"),
        (Owing.DUE, lambda pk: by_hand.stop(pk + 99, now=1), "unknown-receiver"),
        (Owing.DUE, lambda pk: by_hand.decide_reversal(pk, is_accepted=True, by="", now=1), "unknown-reversal"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    state: Owing, act: Callable[[int], object], code: str, target: CompletionTarget
) -> None:
    owe(target, "7", now=1)
    Owed.objects.update(state=state)
    with pytest.raises(Refused) as refused:
        act(row_of("7").pk)
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


def test_nobody_sends_what_is_not_certain(target: CompletionTarget) -> None:
    owe(target, "7", now=1)
    Owed.objects.update(state=Owing.HELD, reason="not-certain")
    with pytest.raises(Refused, match="nothing certain"):
        by_hand.retry(row_of("7").pk, now=2)
