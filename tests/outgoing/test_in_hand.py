"""What a loop of the worker has in hand: counted while it goes on, finished or left when the loop ends."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

from rollcall.outgoing.in_hand import at_work, ticking


def test_what_goes_on_is_counted_by_any_key_and_no_more_when_it_is_done() -> None:
    async def run() -> list[Counter[tuple[str, int]]]:
        gate, seen = asyncio.Event(), []
        async with at_work("test") as hands:
            for key in (("lms", 1), ("lms", 1), ("lms", 2)):
                hands.begin(key, _wait(gate))
            seen.append(hands.counted())
            gate.set()
            await hands.finish()
            seen.append(hands.counted())
        return seen

    assert asyncio.run(run()) == [Counter({("lms", 1): 2, ("lms", 2): 1}), Counter()]


async def _wait(gate: asyncio.Event) -> None:
    await gate.wait()


def test_what_is_not_done_in_time_is_left() -> None:
    async def run() -> Counter[str]:
        async with at_work("test") as hands:
            hands.begin("slow", _wait(asyncio.Event()))
            await hands.finish(0)
            await asyncio.sleep(0)
            return hands.counted()

    assert asyncio.run(run()) == Counter()


def test_the_store_is_asked_in_one_thread_beside_the_loop() -> None:
    async def run() -> set[int]:
        async with at_work("test") as hands:
            return set(await asyncio.gather(*(hands.in_thread(threading.get_ident) for _ in range(5))))

    asked_in = asyncio.run(run())
    assert len(asked_in) == 1
    assert threading.get_ident() not in asked_in


def test_it_ticks_until_told_to_stop() -> None:
    async def run() -> int:
        stop, ticks = asyncio.Event(), 0

        async def tick() -> None:
            nonlocal ticks
            ticks += 1
            if ticks == 3:
                stop.set()

        await ticking(stop, tick, 0.001)
        return ticks

    assert asyncio.run(run()) == 3
