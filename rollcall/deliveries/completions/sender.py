"""The loop that brings verdicts to the LMSs: takes what is due, has it sent by its way, writes down what came of it.

Any number of workers may run it. Before a request that may have an effect leaves, a row of its own says so; what a
worker had in hand when it was killed is sent again, and its driver sees to it that the effect is there once.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from django.db import Error

from rollcall import settings
from rollcall.bbb.watcher import own_name
from rollcall.core.deliveries import Way
from rollcall.deliveries.completions import queue
from rollcall.deliveries.completions.drivers import MAKERS, Maker, Tools
from rollcall.deliveries.completions.ledger import Ledger
from rollcall.deliveries.completions.queue import Batch, Claimed
from rollcall.deliveries.completions.writing import Beginning, Ending, Return
from rollcall.deliveries.driver import Driver, Outcome, Result
from rollcall.deliveries.post import OWN_FAULT
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.addresses import trusted_hosts
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import Hands, at_work, ticking
from rollcall.store.owed import CompletionTarget

TICK_SECONDS: Final = 2.0
LOOK_MS: Final = 2_000
AT_ONCE_PER_RECEIVER: Final = 20
DRIVER_MS: Final = 60_000
DELIVERY_SECONDS: Final = 280.0
"""One try, all its requests, ends before its lease does."""

logger = structlog.get_logger(__name__)


async def run(stop: asyncio.Event) -> None:
    """Send what is owed until told to stop; what is in flight is given a few seconds."""
    with own_name(settings.DATA / "completions") as name:
        async with http_client() as http, at_work("rollcall-completions") as hands:
            tokens = Tokens(http, hands.in_thread, now_ms)
            sender = Sender(name, hands, Tools(http, hands.in_thread, now_ms, tokens, trusted_hosts()), stop)
            await hands.in_thread(queue.reclaim, name, now_ms())
            await ticking(stop, sender.tick, TICK_SECONDS, sender.sooner)


def now_ms() -> int:
    """Our own clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """Which driver: of a target as it stood when it was made."""

    target: int
    receiver: int
    place: tuple[int | None, str, str]


@dataclass(slots=True)
class Sender:
    """What one worker sends: at most a few requests to each receiver at a time. Hands are counted by both keys."""

    name: str
    hands: Hands[tuple[int, int]]
    tools: Tools
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    makers: Mapping[Way, Maker] = field(default_factory=lambda: MAKERS)
    sooner: asyncio.Event = field(default_factory=asyncio.Event)
    _ledger: Ledger = field(init=False)
    _places: defaultdict[int, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(AT_ONCE_PER_RECEIVER))
    )
    _drivers: dict[_Kept, tuple[Driver | Outcome, int]] = field(default_factory=dict)
    _troubled: dict[tuple[Result, int], int] = field(default_factory=dict)
    _looked_at: int = 0

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.hands)

    async def tick(self) -> None:
        """Look once for what is owed and due, and begin to send it."""
        now = self.tools.clock()
        try:
            if not 0 <= now - self._looked_at < LOOK_MS:
                await self.hands.in_thread(queue.look, now)
                self._looked_at = now
            batches = await self.hands.in_thread(queue.claim, self.name, now, self.hands.counted())
            for batch in batches:
                self._begin(batch, await self._driver(batch.target, now), now)
        except Error as error:
            logger.warning("The database cannot be asked which verdicts are to be sent", error=type(error).__name__)

    async def _driver(self, target: CompletionTarget, now: int) -> Driver | Outcome:
        """What it has read of its target is good for a minute, unless something was wrong with it."""
        for stale in [key for key, (_, until) in self._drivers.items() if not now < until]:
            del self._drivers[stale]
        key = _Kept(target.pk, target.receiver_id, (target.line_item_id, target.cmid, target.pool_url))
        if key not in self._drivers:
            self._drivers[key] = await self.hands.in_thread(self._make, target), now + DRIVER_MS
        return self._drivers[key][0]

    def _make(self, target: CompletionTarget) -> Driver | Outcome:
        """In the store's thread. One that cannot be made, by a fault of ours, holds up no other."""
        maker = self.makers.get(Way(target.receiver.way))
        try:
            return maker(target, self.tools) if maker else Outcome(Result.TARGET, "no-such-way")
        except Error:
            raise
        except Exception:
            logger.exception("A way to an LMS cannot be made ready by a fault of Rollcall", target=target.pk)
            return Outcome(Result.TARGET, OWN_FAULT)

    def _begin(self, batch: Batch, driver: Driver | Outcome, now: int) -> None:
        for one in batch.claimed:
            self.hands.begin((one.receiver, one.order.target), self._send_in_turn(one, driver, now))

    async def _send_in_turn(self, one: Claimed, driver: Driver | Outcome, claimed_at: int) -> None:
        """A fault of ours puts it off; without the database the row is left to its lease and tried again."""
        try:
            async with self._places[one.receiver]:
                if self._is_in_time(one, claimed_at):
                    ending = await self._try(one, driver)
                else:
                    ending = None
            # The place is free while this is written down.
            await self._ledger.write(ending or Return(one, self.tools.clock()))
        except Error as error:
            logger.warning("What came of a verdict cannot be written down", owed=one.order.owed, error=str(error))
        finally:
            self._look_for_more(one.receiver)

    def _is_in_time(self, one: Claimed, claimed_at: int) -> bool:
        """Whether nothing has come up while it waited for its turn."""
        keys = ((Result.RECEIVER, one.receiver), (Result.TARGET, one.order.target))
        return not self.stop.is_set() and all(self._troubled.get(key, -1) < claimed_at for key in keys)

    async def _try(self, one: Claimed, driver: Driver | Outcome) -> Ending:
        attempt = _Attempt(one, self._ledger, self.tools.clock)
        outcome = driver if isinstance(driver, Outcome) else await _deliver(driver, attempt)
        self._note_trouble(one, outcome)
        return attempt.ended(outcome)

    def _note_trouble(self, one: Claimed, outcome: Outcome) -> None:
        if outcome.result not in {Result.RECEIVER, Result.TARGET}:
            return
        of = one.receiver if outcome.result is Result.RECEIVER else one.order.target
        self._troubled[outcome.result, of] = self.tools.clock()
        for key in [key for key in self._drivers if of in {key.receiver, key.target}]:
            del self._drivers[key]

    def _look_for_more(self, receiver: int) -> None:
        in_hand = sum(count for (of, _), count in self.hands.counted().items() if of == receiver)
        if in_hand <= queue.AHEAD_PER_RECEIVER // 3:
            self.sooner.set()


@dataclass(slots=True)
class _Attempt:
    """One try under way; it is what its driver calls before each request that may have an effect."""

    claimed: Claimed
    ledger: Ledger
    clock: Callable[[], int]
    began: float = field(default_factory=time.monotonic)
    request: int | None = None

    async def __call__(self, stamp: int | None = None) -> bool:
        """Written down, durably; False: the row is not ours any more."""
        beginning = Beginning(self.claimed, stamp, self.request, self.clock())
        self.request = await self.ledger.write(beginning)
        self.began = time.monotonic()
        return self.request is not None

    def ended(self, outcome: Outcome) -> Ending:
        took_ms = round((time.monotonic() - self.began) * 1000)
        return Ending(self.claimed, outcome, self.request, took_ms, self.clock())


async def _deliver(driver: Driver, attempt: _Attempt) -> Outcome:
    """What the driver says, or that it came to no end."""
    try:
        async with asyncio.timeout(DELIVERY_SECONDS):
            return await driver.deliver(attempt.claimed.order, attempt)
    except Error:
        raise
    except TimeoutError:
        return Outcome(Result.RECEIVER, "timeout")
    except Exception:
        logger.exception("A verdict was not sent by a fault of Rollcall", owed=attempt.claimed.order.owed)
        return Outcome(Result.LATER, OWN_FAULT)
