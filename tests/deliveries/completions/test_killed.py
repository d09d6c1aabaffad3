"""kill -9 at every step of a delivery: in effect once at the LMS, and nothing that was owed is lost.

The worker is a process of its own, which dies for good at the step, in the middle of many deliveries; another takes up
what it leaves. The LMS is a server in the process of the test, and remembers everything.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest
from django.db import connections

from rollcall.core.deliveries import NOTHING, Way
from rollcall.deliveries.completions import queue, sender, writing
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.sender import Sender
from rollcall.deliveries.completions.writing import Beginning, Ending
from rollcall.deliveries.driver import Begin, Driver, Order, Outcome, Result
from rollcall.deliveries.goals import text_of
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import at_work
from rollcall.store.owed import CompletionTarget, Owed, Owing, Try
from tests.deliveries.completions.outbox_world import DONE, FINE, make_target, owe, states, wish
from tests.serving import on_a_port

PEOPLE = 40
DUE_AT = 1_000_000
PATIENCE_SECONDS = 30
DEATHS = (
    "before claim",
    "after claim",
    "before begin",
    "after begin",
    "after the call",
    "before record",
    "after record",
)
AT_THE_LMS = ("before it is taken", "before it is answered")


@dataclass
class Remembering:
    """The LMS. At the request of this number it has its sender killed, before or after it has taken what it brings."""

    holds: dict[str, str] = field(default_factory=dict)
    changes: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    kills: str = ""
    kills_at: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, told: dict[str, Any]) -> None:
        with self.lock:
            self.requests += 1
            is_fatal = self.requests == self.kills_at
            if is_fatal and self.kills == AT_THE_LMS[0]:
                os.kill(told["pid"], signal.SIGKILL)
                return
            if self.holds.get(told["user"], text_of(NOTHING)) != told["goal"]:
                self.changes[told["user"]] += 1
            self.holds[told["user"]] = told["goal"]
            if is_fatal and self.kills == AT_THE_LMS[1]:
                os.kill(told["pid"], signal.SIGKILL)


@pytest.fixture
def site() -> Iterator[tuple[Remembering, str]]:
    """It, and its address."""
    lms = Remembering()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            lms.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with on_a_port(Handler) as port:
        yield lms, f"http://127.0.0.1:{port}/"


@dataclass
class Mortal:
    """What a worker is made of, dying at a step when it comes to it for the given time."""

    url: str
    step: str
    at: int
    came: int = 0
    http: httpx.AsyncClient | None = None

    def maybe_die(self, step: str) -> None:
        if step == self.step:
            self.came += 1
            if self.came == self.at:
                os.kill(os.getpid(), signal.SIGKILL)

    def make(self, target: CompletionTarget, tools: Tools) -> Driver | Outcome:
        self.http = tools.http
        return self

    async def deliver(self, order: Order, begin: Begin) -> Outcome:
        if not await begin(order.revision):
            return Outcome(Result.LATER, "not-ours")
        self.maybe_die("after begin")
        told = {"user": order.user_id, "goal": text_of(order.goal), "pid": os.getpid()}
        assert self.http is not None
        await self.http.post(self.url, json=told)
        self.maybe_die("after the call")
        return FINE

    def claim(self, *arguments: Any) -> list[queue.Batch]:
        self.maybe_die("before claim")
        found = _claim(*arguments)
        self.maybe_die("after claim")
        return found

    def write(self, changes: list[writing.Change]) -> list[int | bool | None]:
        kinds = [("begin", Beginning), ("record", Ending)]
        come = [name for name, kind in kinds if any(isinstance(one, kind) for one in changes)]
        for name in come:
            self.maybe_die(f"before {name}")
        found = _write(changes)
        if "record" in come:
            self.maybe_die("after record")
        return found


_claim, _write = queue.claim, writing.write


def in_a_process(work: Callable[[], None]) -> int:
    """How it ended: 0, or minus the signal that it died of."""
    connections.close_all()
    return ended(begin_process(work))


def begin_process(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def ended(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def work(mortal: Mortal, name: str = "mortal") -> None:
    """Work until nothing is owed."""
    queue.claim, writing.write = mortal.claim, mortal.write  # type: ignore[assignment]
    asyncio.run(asyncio.wait_for(_work(mortal, name), PATIENCE_SECONDS))


async def _work(mortal: Mortal, name: str) -> None:
    async with http_client() as http, at_work("mortal") as hands:
        tools = Tools(http, hands.in_thread, sender.now_ms, Tokens(http, hands.in_thread, sender.now_ms), frozenset())
        one = Sender(name, hands, tools, makers={Way.MOODLE: mortal.make})
        await hands.in_thread(queue.reclaim, name, sender.now_ms())
        unsent = Owed.objects.exclude(state=Owing.SENT)
        while await hands.in_thread(unsent.exists):
            await one.tick()
            await hands.finish()


def killed_and_succeeded(lms: Remembering, url: str, step: str, at: int) -> None:
    """One worker dies, and the next one finds what it left."""
    target = make_target()
    owe(target, *(f"{number}" for number in range(PEOPLE)), now=DUE_AT)
    if step in AT_THE_LMS:
        lms.kills, lms.kills_at = step, at
    assert in_a_process(lambda: work(Mortal(url, step, at))) == -signal.SIGKILL
    left = states()
    assert left.get(Owing.SENT, 0) < PEOPLE
    assert Try.objects.count() >= lms.requests, "each request was written down before it left"
    assert in_a_process(lambda: work(Mortal(url, "", 0))) == 0
    assert states() == {Owing.SENT: PEOPLE}
    assert lms.holds == {f"{number}": "done" for number in range(PEOPLE)}
    assert set(lms.changes.values()) == {1}
    assert not Owed.objects.filter(is_unanswered=True).exists()
    assert Try.objects.filter(status=None, fault="").count() <= lms.requests


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", [*DEATHS, *AT_THE_LMS])
def test_a_worker_dies_at_a_step(step: str, site: tuple[Remembering, str]) -> None:
    killed_and_succeeded(*site, step, 1)


@pytest.mark.parametrize(("step", "at"), [("after begin", 7), ("before record", 2), (AT_THE_LMS[1], 5)])
def test_in_the_middle_on_each_database(step: str, at: int, site: tuple[Remembering, str], database: str) -> None:
    killed_and_succeeded(*site, step, at)


@pytest.mark.django_db(transaction=True)
def test_what_changed_after_a_death_is_what_arrives(site: tuple[Remembering, str]) -> None:
    """The LMS holds what was met; the worker died before it knew; by now it is not met any more."""
    lms, url = site
    target = make_target()
    owe(target, "7", now=DUE_AT)
    assert in_a_process(lambda: work(Mortal(url, "before record", 1))) == -signal.SIGKILL
    assert lms.holds == {"7": "done"}
    owe(target, wish("7", NOTHING), now=DUE_AT)
    owe(target, wish("7", DONE), now=DUE_AT)
    owe(target, wish("7", NOTHING), now=DUE_AT)
    assert in_a_process(lambda: work(Mortal(url, "", 0))) == 0
    assert lms.holds == {"7": "open"}


def test_two_workers_side_by_side_send_each_once(site: tuple[Remembering, str], database: str) -> None:
    lms, url = site
    target = make_target()
    owe(target, *(f"{number}" for number in range(120)), now=DUE_AT)
    connections.close_all()
    children = [begin_process(lambda name=name: work(Mortal(url, "", 0), name)) for name in ("one", "other")]  # type: ignore[misc]
    assert [ended(child) for child in children] == [0, 0]
    assert states() == {Owing.SENT: 120}
    assert lms.requests == 120
    assert Try.objects.count() == 120
