"""A server on which one class follows the other, played to whoever has registered hooks there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from rollcall.simulate.player import PlayClock, Player, courier
from rollcall.simulate.relay import relay
from rollcall.simulate.server import SimulatedServer
from rollcall.simulate.signing import Signer
from rollcall.simulate.truth import Truth

PAUSE_MS = 20_000
KEPT_CLASSES = 3


@dataclass(kw_only=True)
class Timetable:
    """Plays without end. `next_class` makes the class that begins at a time, `on_over` is what follows its end."""

    server: SimulatedServer
    signer: Signer
    clock: PlayClock
    next_class: Callable[[int], Truth]
    rng: Random
    on_over: Callable[[Truth], Awaitable[None]] | None = None

    async def run(self) -> None:
        """One class after the other until cancelled; what is still being retried goes on beside the next."""
        async with courier(self.signer, self.server.generation) as brings:
            player = Player(
                courier=brings,
                clock=self.clock,
                hooks=lambda: list(self.server.hooks),
                on_given_up=self.server.give_up,
                is_deaf=lambda: self.server.trouble.is_deaf,
            )
            async with asyncio.TaskGroup() as classes:
                while True:
                    truth = self.next_class(self.clock.now())
                    self.server.truths[:] = [*self.server.truths[-KEPT_CLASSES:], truth]
                    sendings = relay(truth, self.server.generation, self.rng, raw=True)
                    classes.create_task(player.play(sendings))
                    await self.clock.sleep_until(truth.ended_at + PAUSE_MS)
                    if self.on_over is not None:
                        classes.create_task(_finish(self.on_over, truth))


async def _finish(on_over: Callable[[Truth], Awaitable[None]], truth: Truth) -> None:
    await on_over(truth)
