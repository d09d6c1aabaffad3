"""Plays what a relay sends against a running Rollcall: in real time, faster, or as fast as it is taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx

from rollcall.simulate.answers import RegisteredHook
from rollcall.simulate.archive import Post
from rollcall.simulate.generations import Generation
from rollcall.simulate.sendings import Sending, kind_of
from rollcall.simulate.signing import Signer

RETRY_MS = (100, 500, 1000, 2000, 4000, 8000, 10_000, 30_000, 60_000, 60_000, 60_000, 60_000)
TIMEOUT_SECONDS = 5.0
AT_ONCE = 64


class PlayClock:
    """The time of the simulated world: `speed` times real time from `starts_at` on, or as fast as can be with None."""

    def __init__(self, starts_at: int, speed: float | None = 1.0) -> None:
        self._starts_at = starts_at
        self._began = time.monotonic()
        self._speed = speed
        self._jumped_to = starts_at

    def now(self) -> int:
        """Epoch ms."""
        if self._speed is None:
            return self._jumped_to
        return self._starts_at + int((time.monotonic() - self._began) * 1000 * self._speed)

    async def sleep_until(self, at: int) -> None:
        """Return when it is that late."""
        if self._speed is None:
            self._jumped_to = max(at, self._jumped_to)
        elif (left := at - self.now()) > 0:
            await asyncio.sleep(left / 1000 / self._speed)


@dataclass(slots=True)
class Tally:
    """What became of the requests. `refused`: 401, which the relay takes for delivered."""

    delivered: int = 0
    refused: int = 0
    retried: int = 0
    given_up: int = 0
    replies: dict[int, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Courier:
    """Brings one sending to one hook as node-fetch does: 2xx or 401 is delivered, anything else is tried again.

    `pause` stretches the pauses between tries; redirects are followed, a 302 as GET without the body.
    """

    client: httpx.AsyncClient
    signer: Signer
    generation: Generation
    pause: float = 1.0
    retry_ms: Sequence[int] = RETRY_MS
    tally: Tally = field(default_factory=Tally)

    async def deliver(self, url: str, sending: Sending) -> bool:
        """True when it was taken; False when all tries are used up."""
        request = self._request(url, sending)
        for wait_ms in (*self.retry_ms, None):
            if await self._try(request):
                return True
            _stop_if_cancelled()
            if wait_ms is None:
                break
            self.tally.retried += 1
            await asyncio.sleep(wait_ms / 1000 * self.pause)
        self.tally.given_up += 1
        return False

    def _request(self, url: str, sending: Sending) -> httpx.Request:
        signed = self.signer.sign(sending, url, self.generation)
        scheme, _, rest = url.partition("://")
        address = f"{scheme}://{rest.partition('/')[0]}{signed.path}"
        request = self.client.build_request("POST", address, content=signed.body, headers=dict(signed.headers))
        del request.headers["Accept-Encoding"]
        if self.generation.is_2x:
            del request.headers["User-Agent"]
        return request

    async def _try(self, request: httpx.Request) -> bool:
        try:
            reply = await self.client.send(request, follow_redirects=True)
        except httpx.HTTPError:
            return False
        self.tally.replies[reply.status_code] = self.tally.replies.get(reply.status_code, 0) + 1
        self.tally.delivered += reply.is_success
        self.tally.refused += reply.status_code == httpx.codes.UNAUTHORIZED
        return reply.is_success or reply.status_code == httpx.codes.UNAUTHORIZED


def _stop_if_cancelled() -> None:
    """A cancellation that meets a connection being made may come out of the client as "cannot connect"."""
    if (task := asyncio.current_task()) is not None and task.cancelling():
        raise asyncio.CancelledError


@asynccontextmanager
async def courier(
    signer: Signer, generation: Generation, *, pause: float = 1.0, retry_ms: Sequence[int] = RETRY_MS
) -> AsyncIterator[Courier]:
    """A courier with connections of its own."""
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False) as client:
        yield Courier(client=client, signer=signer, generation=generation, pause=pause, retry_ms=retry_ms)


async def post_records(url: str, posts: Iterable[Post]) -> list[int]:
    """Each is tried once, as BigBlueButton's script does; the replies, 0 for none."""
    replies = []
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS * 12, trust_env=False) as client:
        for post in posts:
            try:
                reply = await client.post(url, content=post.body, headers=dict(post.headers))
            except httpx.HTTPError:
                replies.append(0)
            else:
                replies.append(reply.status_code)
    return replies


@dataclass(kw_only=True)
class Player:
    """Plays sendings to whatever hooks there are at the time.

    A new relay sends everything at once, on its own clock; an old one has a queue for each hook, in which a failing
    head holds up the rest. `on_given_up` is told of a hook whose tries were used up.
    """

    courier: Courier
    clock: PlayClock
    hooks: Callable[[], Sequence[RegisteredHook]]
    on_given_up: Callable[[RegisteredHook], None] = lambda _: None
    is_deaf: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        self._queues: dict[str, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def play(self, sendings: Iterable[Sending]) -> Tally:
        """Return when everything was taken or given up."""
        async with asyncio.TaskGroup() as group:
            for sending in sendings:
                await self.clock.sleep_until(sending.arrives_at)
                for hook in [] if self.is_deaf() else self.hooks():
                    if wanted := for_hook(sending, hook, self.courier.generation):
                        await self._slots.acquire()
                        group.create_task(self._bring(hook, wanted))
        return self.courier.tally

    async def _bring(self, hook: RegisteredHook, sending: Sending) -> None:
        try:
            if self.courier.generation.is_2x:
                async with self._queues.setdefault(hook.url, asyncio.Lock()):
                    taken = await self.courier.deliver(hook.url, sending)
            else:
                taken = await self.courier.deliver(hook.url, sending)
        finally:
            self._slots.release()
        if not taken:
            self.on_given_up(hook)


def for_hook(sending: Sending, hook: RegisteredHook, generation: Generation) -> Sending | None:
    """What of a sending this hook gets: raw or mapped, of its meeting, of its events."""
    if sending.is_raw is not hook.is_raw:
        return None
    elements = sending.elements
    if hook.events:
        wanted = hook.events.split(",")
        elements = tuple(element for element in elements if kind_of(element) in wanted)
    if hook.meeting and (generation.is_2x or generation.relay >= (3, 4, 0)):
        elements = tuple(e for e in elements if _external_meeting(e) == hook.meeting)
    return replace(sending, elements=elements) if elements else None


def _external_meeting(element: dict[str, object]) -> str:
    match element:
        case {"data": {"attributes": {"meeting": {"external-meeting-id": external}}}}:
            return str(external)
    return ""
