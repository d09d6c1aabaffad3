"""The sending loop: takes what is due, signs and posts it, and writes down what came of it.

Any number of workers may run it. Before a request leaves, the row says that it may arrive; what a worker had in hand
when it was killed is tried again, and the receiver's own memory of meeting ids then tells whether it had arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import httpx
import structlog
from django.db import Error

from rollcall import settings
from rollcall.bbb.watcher import own_name
from rollcall.deliveries import queue
from rollcall.deliveries.by_callback import PADDINGS, PROBE, Meaning, token
from rollcall.deliveries.outcome import Outcome, outcome_of, said_by
from rollcall.deliveries.post import Answer, Silence, post
from rollcall.deliveries.wanting import Wanting
from rollcall.outgoing.addresses import trusted_hosts
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import Hands, at_work, ticking
from rollcall.store.outbox import State

TICK_SECONDS: Final = 2.0
LOOK_MS: Final = 5_000
DELIVERY_SECONDS: Final = 280.0
"""One try, probes and all, ends before its lease does."""

logger = structlog.get_logger(__name__)


async def run(stop: asyncio.Event) -> None:
    """Send what is owed until told to stop; what is in flight is finished."""
    with own_name(settings.DATA / "relay") as name:
        async with http_client() as http, at_work("rollcall-send") as hands:
            sender = Sender(name, http, hands)
            await hands.in_thread(queue.reclaim, name, sender.clock())
            await ticking(stop, sender.tick, TICK_SECONDS)


def now_ms() -> int:
    """Our own clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """What asking with every key has come to: the one that fits, or the last answer that was none."""

    key: queue.Key | None
    meaning: Meaning | None
    answer: Answer | Silence | None


@dataclass(slots=True)
class Sender:
    """What one worker sends: at most a few requests to each target at a time."""

    name: str
    http: httpx.AsyncClient
    hands: Hands[int]
    clock: Callable[[], int] = now_ms
    trusted: frozenset[str] = field(default_factory=trusted_hosts)
    wanting: Wanting = field(default_factory=Wanting)
    _looked_at: int = 0

    async def tick(self) -> None:
        """Look once for what is owed and due, and begin to send it."""
        now = self.clock()
        try:
            await self.hands.in_thread(queue.reclaim_expired, now)
            if not 0 <= now - self._looked_at < LOOK_MS:
                await self.hands.in_thread(self.wanting.look, now)
                self._looked_at = now
            claimed = await self.hands.in_thread(queue.claim, self.name, now, self.hands.counted())
        except Error as error:
            logger.warning("The database cannot be asked what is to be sent", error=type(error).__name__)
            return
        for one in claimed:
            self.hands.begin(one.target, self._deliver_safely(one))

    async def _deliver_safely(self, one: queue.Claimed) -> None:
        """A fault of ours puts it off; without the database, or time, the row is left to its lease and tried again."""
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                await self.deliver(one)
        except (Error, TimeoutError) as error:
            logger.warning("A delivery came to no end; it is tried again", delivery=one.pk, error=type(error).__name__)
        except Exception:
            logger.exception("A delivery failed by a fault of Rollcall; it is tried again", delivery=one.pk)
            with contextlib.suppress(Error):
                await self.hands.in_thread(queue.fail, one.pk, self.clock(), one.tries)

    async def deliver(self, one: queue.Claimed) -> None:
        """One try, from finding the secret to writing down what came of it."""
        if one.body is None or not one.body.people:
            await self._record(one, Outcome(State.HELD, "nobody" if one.body else "part-of-a-class"), None)
            return
        found = Found(one.known, None, None) if one.known else await self._find_key(one)
        if found.key is None:
            await self._record(one, _without_key(one, found), found.answer)
            return
        answer = await self._send(one, found.key)
        if answer is None:
            return
        if found.key is one.known and _says(answer, Meaning.WRONG_SECRET):
            await self._changed_secret(one, answer)
            return
        probed = await self._probe(one.url, found.key) if _says(answer, Meaning.UNCLEAR) else None
        await self._record(one, outcome_of(answer, one.before, probed), answer)

    async def _changed_secret(self, one: queue.Claimed, refused: Answer | Silence) -> None:
        """The secret that used to fit does not: nothing was stored, so the newest one is tried at once."""
        found = await self._find_key(one)
        answer = await self._send(one, found.key) if found.key else refused
        if answer is not None:
            await self._record(one, outcome_of(answer, one.before), answer)

    async def _send(self, one: queue.Claimed, key: queue.Key) -> Answer | Silence | None:
        assert one.body is not None  # noqa: S101 - deliver() has looked
        attempt = await self.hands.in_thread(queue.begin, one, one.body.digest(), self.clock())
        if attempt is None:
            logger.warning("A delivery was taken over by another worker", delivery=one.pk)
            return None
        answer = await self._post(one.url, one.body.content, key)
        await self.hands.in_thread(queue.told, attempt, answer)
        return answer

    async def _post(self, url: str, content: bytes, key: queue.Key) -> Answer | Silence:
        signed = token(PADDINGS[key.padding].format(key.text), self.clock())
        return await post(self.http, url, content, signed, self.trusted)

    async def _probe(self, url: str, key: queue.Key) -> Meaning | None:
        answer = await self._post(url, PROBE, key)
        return said_by(answer) if isinstance(answer, Answer) else None

    async def _find_key(self, one: queue.Claimed) -> Found:
        found = await find_key(one.keys, lambda key: self._post(one.url, PROBE, key))
        if found.key is not None:
            await self.hands.in_thread(queue.remember_key, one.target, found.key)
        return found

    async def _record(self, one: queue.Claimed, outcome: Outcome, answer: Answer | Silence | None) -> None:
        is_ours = await self.hands.in_thread(queue.record, one, outcome, answer, self.clock())
        log = logger.info if outcome.is_well else logger.warning
        log(
            "A record was offered to the LMS"
            if is_ours
            else "A record was offered though another worker had taken over",
            delivery=one.pk,
            state=outcome.state.value,
            reason=outcome.reason,
            status=answer.status if isinstance(answer, Answer) else None,
        )


async def find_key(keys: tuple[queue.Key, ...], ask: Callable[[queue.Key], Awaitable[Answer | Silence]]) -> Found:
    """Ask with one secret after the other, then with each of them in stray blanks, until the receiver accepts one."""
    last = Found(None, None, None)
    tries = [queue.Key(key.secret, key.text, padding) for padding in PADDINGS for key in keys]
    for key in tries:
        answer = await ask(key)
        if isinstance(answer, Silence):
            return Found(None, None, answer)
        meaning = said_by(answer)
        if meaning is Meaning.GONE:
            return Found(key, meaning, answer)
        last = Found(None, meaning, answer)
        # Something in front may swallow the phrase: then a 400 can mean a wrong secret.
        if meaning is not Meaning.WRONG_SECRET and answer.status != 400:
            return last
        if meaning is Meaning.HEADER_STRIPPED:
            return last
    return last


def trouble_without_key(found: Found) -> str:
    """Why no key could be found, as a code: nothing was sent, so whatever it is, it is the target's trouble."""
    if isinstance(found.answer, Silence):
        return found.answer.fault
    if found.meaning is None:
        return "no-secret"
    is_elsewhere = found.meaning in _NOT_MOODLES or (found.answer is not None and found.answer.status == 404)
    return NOT_MOODLE if is_elsewhere else found.meaning


def _without_key(one: queue.Claimed, found: Found) -> Outcome:
    trouble = trouble_without_key(found)
    return Outcome(State.DUE, trouble, one.before.is_unanswered, one.before.was_refused, trouble=trouble)


NOT_MOODLE: Final = "not-moodle"
_NOT_MOODLES: Final = frozenset({Meaning.ACCEPTED, Meaning.ALREADY, Meaning.BROKEN_OFF, Meaning.PAGE})


def _says(answer: Answer | Silence, meaning: Meaning) -> bool:
    return isinstance(answer, Answer) and said_by(answer) is meaning
