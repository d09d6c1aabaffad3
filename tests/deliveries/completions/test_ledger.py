"""What is written together, and what becomes of the others where one cannot be written; and a worker that stops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from django.db import DataError

from rollcall.core.deliveries import Way
from rollcall.deliveries.completions import queue, writing
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.ledger import Ledger
from rollcall.deliveries.completions.sender import Sender
from rollcall.deliveries.completions.writing import Beginning, Change, Ending, Return
from rollcall.deliveries.driver import Order, Outcome, Result
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import at_work
from rollcall.store.owed import Owed, Owing, Try
from tests.deliveries.completions.outbox_world import DONE, Lms, make_target, owe, states
from tests.deliveries.world import Clock


def change(number: int) -> Return:
    return Return(queue.Claimed(Order(number, 1, "7", DONE, None, 1), 1, "worker", 1), now=0)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What was asked to be written together; 13 cannot be."""
    batches: list[list[int]] = []

    def write(changes: Sequence[Change]) -> list[int | bool | None]:
        numbers = [one.claimed.order.owed for one in changes]
        batches.append(numbers)
        if 13 in numbers:
            raise DataError("13")
        return list(numbers)

    monkeypatch.setattr(writing, "write", write)
    return batches


async def _write(numbers: Sequence[int]) -> list[object]:
    async with at_work("test") as hands:
        ledger = Ledger(hands)
        return await asyncio.gather(*(ledger.write(change(one)) for one in numbers), return_exceptions=True)


def test_what_comes_at_one_moment_is_one_transaction(written: list[list[int]]) -> None:
    assert asyncio.run(_write(range(1, 6))) == [1, 2, 3, 4, 5]
    assert written == [[1, 2, 3, 4, 5]]


def test_one_that_cannot_be_written_takes_no_other_with_it(written: list[list[int]]) -> None:
    found = asyncio.run(_write([12, 13, 14]))
    assert (found[0], found[2]) == (12, 14)
    assert isinstance(found[1], DataError)
    assert written == [[12, 13, 14], [12], [13], [14]]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_gives_back_what_it_has_not_begun(lms: Lms, clock: Clock) -> None:
    owe(make_target(), *(f"{number}" for number in range(60)), now=clock)

    async def stopping() -> None:
        stop = asyncio.Event()
        async with http_client() as http, at_work("test") as hands:
            tools = Tools(http, hands.in_thread, clock, Tokens(http, hands.in_thread, clock), frozenset())
            sender = Sender("worker", hands, tools, stop, makers={Way.MOODLE: lms.make})
            await sender.tick()
            lms.says = lambda _: stop.set()
            await hands.finish()

    asyncio.run(stopping())
    found = states()
    assert found[Owing.SENT] == len(lms.requests) == Try.objects.count()
    assert found == {Owing.SENT: len(lms.requests), Owing.DUE: 60 - len(lms.requests)}


@pytest.mark.django_db
def test_of_two_tries_of_one_row_only_the_one_that_holds_it_is_written() -> None:
    target, clock = make_target(), Clock()
    owe(target, "7", now=clock)
    (first,) = queue.claim("w", clock.now, {})
    late = clock.now + queue.LEASE_MS + 1
    queue.look(late)
    (again,) = queue.claim("w", late, {})
    (outlived,), (held,) = first.claimed, again.claimed
    for change in (Ending(outlived, Outcome(Result.REFUSED, "x"), None, 1, late), Return(outlived, late)):
        told = writing.write([change, Beginning(held, None, None, late)])
        assert (told[0], bool(told[1])) == (False, True)
        assert (states(), Owed.objects.get().tries) == ({Owing.SENDING: 1}, held.tries)
