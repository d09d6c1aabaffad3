"""The player brings sendings as the real relays do, to a receiver that answers what it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from random import Random

import httpx
import pytest

from rollcall.simulate.answers import RegisteredHook
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.player import Courier, PlayClock, Player, Tally, courier
from rollcall.simulate.relay import relay
from rollcall.simulate.running import Timetable
from rollcall.simulate.sendings import Sending
from rollcall.simulate.server import SimulatedServer
from rollcall.simulate.signing import Signer

TRUTH = make_class(Random(2), Plan(people=5, minutes=10))
RETRIES = (1, 1, 1)


@dataclass
class Receiver:
    """Answers with `statuses` in turn, then 200; keeps what came."""

    statuses: list[int] = field(default_factory=list)
    came: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.came.append((self.command, self.path, body, dict(self.headers)))
            status = found.statuses.pop(0) if found.statuses else 200
            self.send_response(status)
            if status in (302, 307):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815  # its name in the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # all of a class may knock at once; five may by default, and the sixth waits a second

    server = Server(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/t"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def play(
    sendings: list[Sending], hooks: list[RegisteredHook], generation: str = "3.5.0", speed: float | None = None
) -> Tally:
    made = GENERATIONS[generation]

    async def whole() -> Tally:
        signer = Signer(secret="s", regime=made.regime)
        async with courier(signer, made, pause=1.0, retry_ms=RETRIES) as one:
            clock = PlayClock(TRUTH.started_at, speed)
            gone = hooks.remove
            return await Player(courier=one, clock=clock, hooks=lambda: list(hooks), on_given_up=gone).play(sendings)

    return asyncio.run(whole())


def sent(generation: str = "3.5.0", *, raw: bool = False) -> list[Sending]:
    return relay(TRUTH, GENERATIONS[generation], Random(1), raw=raw)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_whole_class_reaches_the_hook(receiver: Receiver, generation: str) -> None:
    sendings = sent(generation)
    tally = play(sendings, [RegisteredHook("1", receiver.url)], generation)
    assert tally.delivered == len(sendings) == len(receiver.came)
    assert all(method == "POST" and "checksum=" in path for method, path, _, _ in receiver.came)


def test_an_old_relay_keeps_the_order_and_names_no_agent(receiver: Receiver) -> None:
    sendings = sent("2.6.1")
    receiver.statuses = [503, 503]
    play(sendings, [RegisteredHook("1", receiver.url)], "2.6.1")
    made = Signer(secret="s", regime="D")
    signed = [made.sign(one, receiver.url, GENERATIONS["2.6.1"]).body for one in sendings]
    assert [body for _, _, body, _ in receiver.came] == [signed[0], signed[0], *signed]
    assert not any("User-Agent" in headers for *_, headers in receiver.came)


def test_what_was_not_taken_is_sent_again_byte_for_byte(receiver: Receiver) -> None:
    receiver.statuses = [503, 500, 404]
    tally = play(sent()[:1], [RegisteredHook("1", receiver.url)])
    assert tally.retried == 3
    assert tally.delivered == 1
    assert len({body for _, _, body, _ in receiver.came}) == 1


def test_a_hook_that_never_takes_is_given_up(receiver: Receiver) -> None:
    receiver.statuses = [500] * 10
    hooks = [RegisteredHook("1", receiver.url)]
    tally = play(sent()[:1], hooks)
    assert tally.given_up == 1
    assert hooks == []


def test_a_401_counts_as_delivered(receiver: Receiver) -> None:
    receiver.statuses = [401]
    tally = play(sent()[:1], [RegisteredHook("1", receiver.url)])
    assert (tally.refused, tally.retried) == (1, 0)


def test_a_redirect_is_followed_without_the_body_and_the_event_is_lost(receiver: Receiver) -> None:
    receiver.statuses = [302]
    tally = play(sent()[:1], [RegisteredHook("1", receiver.url)])
    assert tally.delivered == 1
    assert [(method, body == b"") for method, _, body, _ in receiver.came] == [("POST", False), ("GET", True)]


def test_each_hook_gets_its_own(receiver: Receiver) -> None:
    mapped, raw = (
        RegisteredHook("1", receiver.url),
        RegisteredHook("2", f"{receiver.url}?raw=1", is_raw=True),
    )
    filtered = RegisteredHook("3", f"{receiver.url}?joined=1", events="user-joined")
    elsewhere = RegisteredHook("4", f"{receiver.url}?other=1", meeting="another meeting")
    play(sent(raw=True), [mapped, raw, filtered, elsewhere])
    paths = [path for _, path, _, _ in receiver.came]
    assert sum("raw=1" in path for path in paths) == sum(one.is_raw for one in sent(raw=True))
    assert sum("joined=1" in path for path in paths) == sum("user-joined" in one.kinds for one in sent())
    assert not any("other=1" in path for path in paths)


def test_a_class_can_be_played_faster_than_it_was(receiver: Receiver) -> None:
    clock = PlayClock(TRUTH.started_at, 1000.0)
    first = sent()[:5]
    play(first, [RegisteredHook("1", receiver.url)], speed=1000.0)
    assert len(receiver.came) == 5
    assert TRUTH.started_at <= clock.now()


def test_one_class_follows_the_other_without_end(receiver: Receiver) -> None:
    made = GENERATIONS["3.5.0"]
    rng = Random(4)
    clock = PlayClock(TRUTH.started_at, 2_000.0)
    server = SimulatedServer(now=clock.now, hooks=[RegisteredHook("1", receiver.url)])
    plan = Plan(people=2, minutes=2, guests=0, dial_ins=0, rooms=0)
    timetable = Timetable(
        server=server,
        signer=Signer(secret="s", regime=made.regime),
        clock=clock,
        next_class=lambda at: make_class(rng, replace(plan, starts_at=at)),
        rng=rng,
    )

    async def until_three() -> None:
        running = asyncio.create_task(timetable.run())
        while sum(b"meeting-created" in body for _, _, body, _ in receiver.came) < 3:  # noqa: ASYNC110  # another thread
            await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(until_three(), 30))
    starts = [truth.started_at for truth in server.truths]
    assert starts == sorted(set(starts))
    assert all(later.started_at > one.ended_at for one, later in pairwise(server.truths))


class _LosesCancellations(httpx.AsyncBaseTransport):
    """As a client may that is cancelled while it connects."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise httpx.ConnectError("cannot connect") from None
        return httpx.Response(200)


def test_a_cancellation_that_the_client_lost_ends_the_tries_all_the_same() -> None:
    async def cancelled_while_connecting() -> None:
        transport = _LosesCancellations()
        async with httpx.AsyncClient(transport=transport) as client:
            brings = Courier(client=client, signer=Signer(secret="s", regime="A"), generation=GENERATIONS["3.5.0"])
            trying = asyncio.create_task(brings.deliver("http://127.0.0.1:9/hooks/x", sent()[0]))
            await transport.asked.wait()
            trying.cancel()
            done, _ = await asyncio.wait([trying], timeout=10)
            assert done
            assert trying.cancelled()

    asyncio.run(cancelled_while_connecting())
