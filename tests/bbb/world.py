"""A class, its BigBlueButton, its relay and a Rollcall that watches, in one time that a test moves: all may fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from rollcall.bbb import api, servers
from rollcall.bbb.payloads import decode
from rollcall.bbb.watch import Watch
from rollcall.core.events import Anything
from rollcall.feed.append import append
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.sendings import Sending
from rollcall.simulate.server import SimulatedServer
from rollcall.simulate.truth import Truth
from rollcall.store.connections import Pool, Server
from rollcall.store.facts import Fact
from tests.bbb.watching import Clock, LogFeed, TestDesk, add_server
from tests.derive.log import arrivals_of

ROUND_MS = 30_000
GIVEN_UP_AFTER_MS = 295_600
# When after the first try the relay tries again, at most.
SLOWEST_RETRY_MS = 60_000


@dataclass(frozen=True)
class Mishap:
    """Something that goes wrong, in seconds after the class began."""

    kind: str
    start_s: int
    length_s: int = 0


@dataclass
class _Undelivered:
    sending: Sending
    url: str
    give_up_at: int


@dataclass
class World:
    """Who can reach whom just now. A count, since mishaps overlap."""

    truth: Truth
    mishaps: list[Mishap]
    clock: Clock = field(default_factory=Clock)
    relay_down: int = 0
    server_down: int = 0
    network_down: int = 0
    rollcall_down: int = 0
    watch: Watch | None = None
    feed: LogFeed = field(default_factory=LogFeed)
    _undelivered: list[_Undelivered] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = SimulatedServer(truths=[self.truth], now=lambda: self.clock.at)
        self.row: Server = add_server(
            "http://bbb.example.org/bigbluebutton/api/", secret=self.server.secret, name=uuid4().hex
        )
        self.pool: Pool = self.row.pool
        self.sendings = relay(self.truth, GENERATIONS["3.5.0"], Random(1), mapped=True, raw=False)

    # -- time -----------------------------------------------------------------------------------------------------

    async def run(self, in_thread: Callable[..., Any]) -> None:
        """From two minutes before the class to long after it."""
        begin, end = self.truth.started_at - 120_000, self.truth.ended_at + 900_000
        agenda: list[tuple[int, int, Callable[[], Any]]] = [
            (at, 2, partial(self._round, in_thread)) for at in range(begin, end, ROUND_MS)
        ]
        agenda += [(one.arrives_at, 1, partial(self._send, one, in_thread)) for one in self.sendings]
        for mishap in self.mishaps:
            start = self.truth.started_at + 1000 * mishap.start_s
            agenda.append((start, 0, partial(self._begin, mishap)))
            agenda.append((start + 1000 * mishap.length_s, 0, partial(self._end, mishap)))
        transport = httpx.MockTransport(self._answer)
        async with httpx.AsyncClient(transport=transport) as self.http:
            for at, _, act in sorted(agenda, key=lambda entry: entry[:2]):
                self.clock.at = at
                if (doing := act()) is not None:
                    await doing

    async def _round(self, in_thread: Callable[..., Any]) -> None:
        await self._retry(in_thread)
        if self.rollcall_down:
            self.watch = None
            return
        if self.watch is None:
            self.watch = await self._new_watch(in_thread)
        await self.watch.round()
        assert isinstance(self.watch.desk, TestDesk)
        await self.watch.desk.write()

    async def _new_watch(self, in_thread: Callable[..., Any]) -> Watch:
        [watched] = [one for one in await in_thread(servers.claim, "test", 2**40) if one.pk == self.row.pk]
        client = api.BigBlueButton(self.http, watched.api_url, watched.secrets, clock=self.clock)
        watch = Watch(watched, client, TestDesk(in_thread, self.clock, self.feed))
        await watch.begin()
        return watch

    # -- mishaps --------------------------------------------------------------------------------------------------

    def _begin(self, mishap: Mishap) -> None:
        match mishap.kind:
            case "hooks-lost":
                self.server.lose_hooks()
            case "relay-restarts":
                self._undelivered.clear()
                self.server.restart_relay()
            case kind:
                setattr(self, kind, getattr(self, kind) + 1)

    def _end(self, mishap: Mishap) -> None:
        if hasattr(self, mishap.kind):
            setattr(self, mishap.kind, getattr(self, mishap.kind) - 1)
        if mishap.kind in {"relay_down", "server_down"}:
            self._undelivered.clear()
            self.server.restart_relay()

    # -- deliveries -----------------------------------------------------------------------------------------------

    async def _send(self, sending: Sending, in_thread: Callable[..., Any]) -> None:
        if self.relay_down or self.server_down:
            return
        for hook in list(self.server.hooks):
            if self.network_down or self.rollcall_down:
                self._undelivered.append(_Undelivered(sending, hook.url, self.clock.at + GIVEN_UP_AFTER_MS))
            else:
                await in_thread(append, arrivals_of(self.pool, [sending]))

    async def _retry(self, in_thread: Callable[..., Any]) -> None:
        for one in [one for one in self._undelivered if one.give_up_at < self.clock.at]:
            self._undelivered.remove(one)
            for hook in [hook for hook in self.server.hooks if hook.url == one.url]:
                self.server.give_up(hook)
        if self.network_down or self.rollcall_down or self.relay_down or self.server_down:
            return
        delivered, self._undelivered = self._undelivered, []
        await in_thread(append, arrivals_of(self.pool, [one.sending for one in delivered]))

    # -- answers --------------------------------------------------------------------------------------------------

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.network_down or self.server_down:
            raise httpx.ConnectError("no way there")
        target = request.url.raw_path.decode()
        if self.relay_down and "/hooks/" in target:
            return httpx.Response(502, stream=httpx.ByteStream(b""))
        answer = self.server.answer(target)
        headers = {"Date": formatdate(self.clock.at // 1000, usegmt=True)}
        return httpx.Response(answer.status, stream=httpx.ByteStream(answer.text.encode()), headers=headers)


def log(pool: Pool) -> list[Anything]:
    """Everything that was kept, as events."""
    return [
        event
        for fact in Fact.objects.filter(meeting__pool=pool).order_by("pk")
        for event in decode(
            fact.source,
            bytes(fact.digest),
            bytes(fact.payload),
            None if fact.identity is None else bytes(fact.identity),
        )
    ]
