"""The live class: how long from a webhook to a viewer's screen, and what a thousand viewers of one class cost.

Viewers are connections that read and unpack what a browser would be sent; they share the machine with the server.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import httpx

from bench import servers
from bench.load import Load, fire
from bench.requests import HOOK, SECRET, as_request
from bench.results import Result, as_lines, limited
from rollcall.simulate.classes import MINUTE, SECOND, Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.signing import Signer
from rollcall.simulate.truth import Act, Does, Meeting, Person, Stay, Truth

PATIENCE_SECONDS = 30.0
BEGAN_MINUTES_AGO = 30
GENERATION = GENERATIONS["3.5.0"]


@dataclass(frozen=True, slots=True)
class Case:
    """`people` in the class, `viewers` of it, so many `events`, and how many seconds apart they are at most."""

    name: str
    people: int
    viewers: int
    events: int
    apart: float = 1.5
    form: str = "live"


CASES = (
    Case("quiet", 30, 10, 100),
    Case("large", 300, 10, 100),
    Case("thousand", 300, 1_000, 100),
    Case("page", 300, 10, 100, form="page"),
    Case("short", 300, 1_000, 15, 1.0),
)
SCREEN_MS = 1000.0


@dataclass(slots=True)
class Viewer:
    """One stream: when each probe was first seen on it, and how many bytes came."""

    seen: dict[bytes, float] = field(default_factory=dict)
    read: int = 0
    first: int = 0
    _tail: bytes = b""

    async def watch(self, port: int, path: str, ready: asyncio.Semaphore) -> None:
        """Read until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
        while size := int(await reader.readline(), 16):
            self._look(unpack.decompress(await reader.readexactly(size)), time.perf_counter())
            self.read += size
            await reader.readexactly(2)
            if not self.first and self.read > 200:
                self.first = self.read
                ready.release()

    def _look(self, text: bytes, at: float) -> None:
        for probe in re.findall(rb"Probe [0-9]{4}", self._tail + text):
            self.seen.setdefault(probe, at)
        self._tail = text[-16:]


def running_class(people: int) -> Truth:
    """A class that began some time ago and goes on for hours."""
    began = time.time_ns() // 1_000_000 - BEGAN_MINUTES_AGO * MINUTE
    return make_class(Random(people), Plan(starts_at=began, people=people, minutes=240, rooms=0, early=0.0, late=0.0))


def so_far(truth: Truth) -> list[bytes]:
    """What has been sent of it until now."""
    now = time.time_ns() // 1_000_000
    signer = Signer(secret=SECRET)
    sent = (one for one in relay(truth, GENERATION, Random(1)) if one.arrives_at < now)
    return [as_request(signer.sign(one, HOOK, GENERATION)) for one in sent]


def events_at(root: Meeting, number: int, *does: Does) -> list[bytes]:
    """Somebody who was not in before joins, and does these things a second after each other, the last of them now."""
    joined_at = time.time_ns() // 1_000_000 - SECOND * len(does)
    person, participant = Person(f"9{number:06}", f"Probe {number:04}"), f"w_probe{number:07}"
    ids = {"participant": participant, "external_user_id": person.key}
    stay = Stay(person=person, joined_at=joined_at, left_at=root.ended_at, is_announced=False, **ids)
    acts = tuple(
        Act(at=joined_at + SECOND * n, does=one, participant=participant, key=f"{number}-{n}")
        for n, one in enumerate(does, 1)
    )
    return _requests(replace(root, stays=(stay,), acts=acts), {"meeting-created", "meeting-ended"}, number)


def end(root: Meeting) -> bytes:
    """The class ends now."""
    ended = replace(root, ended_at=time.time_ns() // 1_000_000, stays=(), acts=())
    (request,) = _requests(ended, {"meeting-created"}, 0)
    return request


def _requests(meeting: Meeting, without: Collection[str], seed: int) -> list[bytes]:
    signer = Signer(secret=SECRET)
    sent = relay(Truth(meeting, ()), GENERATION, Random(seed))
    # What follows from the end is none of it: leaves that the relay makes up.
    wanted = [one for one in sent if not {*one.kinds} & {*without, "user-left"}]
    return [as_request(signer.sign(one, HOOK, GENERATION)) for one in wanted]


async def _post(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


class SignedIn:
    """A teacher who asks for the address of the stream."""

    def __init__(self, port: int, env: Mapping[str, str]) -> None:
        command = [servers.ROLLCALL, "user", "add", "bench", "--link"]
        told = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
        link = re.search(r"/login/link/\S+", told)
        assert link
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True)
        self._client.get(link[0]).raise_for_status()

    def stream(self, form: str) -> str:
        """Of the only meeting there is, as soon as it has a page."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            answer = self._client.get("/meetings/1/watch" + ("?form=live" if form == "live" else ""))
            if answer.status_code == 200:
                return str(json.loads(answer.text)["stream"])
            time.sleep(0.2)
        raise TimeoutError("the meeting has no page")


async def measure(case: Case, running: servers.Running, path: str, truth: Truth) -> list[Result]:
    """Every viewer's time from each webhook's first byte to the text on its line; and the server's costs meanwhile."""
    before = servers.resident_mb(running.web)
    ready, viewers = asyncio.Semaphore(0), [Viewer() for _ in range(case.viewers)]
    tasks = [asyncio.create_task(viewer.watch(running.port, path, ready)) for viewer in viewers]
    for _ in viewers:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ready.acquire()
    await asyncio.sleep(3.0)
    at_first, began = sum(one.read for one in viewers), time.perf_counter()
    assert running.worker
    cpu = [servers.cpu_seconds(process) for process in (running.web, running.worker)]
    load = await _events(case, running.port, viewers, truth)
    spent = time.perf_counter() - began
    used = [servers.cpu_seconds(process) - one for process, one in zip((running.web, running.worker), cpu, strict=True)]
    memory = servers.resident_mb(running.web)
    for task in tasks:
        task.cancel()
    failed = [one for one in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(one, Exception)]
    assert not failed, failed[0]
    each = (sum(one.read for one in viewers) - at_first) / case.viewers / case.events
    return [
        Result(f"live.{case.name}.p50.ms", load.percentile_ms(50), "ms"),
        limited(f"live.{case.name}.p95.ms", load.percentile_ms(95), "ms", SCREEN_MS),
        Result(f"live.{case.name}.slowest.ms", load.percentile_ms(100), "ms"),
        Result(f"live.{case.name}.first", viewers[0].first, "bytes"),
        Result(f"live.{case.name}.event", each, "bytes"),
        Result(f"live.{case.name}.memory", memory - before, "MB"),
        Result(f"live.{case.name}.web", 100 * used[0] / spent, "% core"),
        Result(f"live.{case.name}.worker", 100 * used[1] / spent, "% core"),
    ]


async def _events(case: Case, port: int, viewers: Sequence[Viewer], truth: Truth) -> Load:
    """Joins at random times; each must reach everybody."""
    rng, sent = Random(case.name), {}
    for number in range(case.events):
        (request,) = events_at(truth.root, number)
        sent[f"Probe {number:04}".encode()] = time.perf_counter()
        await _post(port, request)
        await asyncio.sleep(rng.uniform(0.1, case.apart))
    until = time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < until and not all(len(viewer.seen) >= case.events for viewer in viewers):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return Load(latencies=[viewer.seen[name] - at for viewer in viewers for name, at in sent.items()])


def latency(case: Case) -> list[Result]:
    """One case on a server of its own."""
    truth = running_class(case.people)
    with servers.folder() as data, servers.serve(data) as running:
        fire(running.port, so_far(truth), 1, PATIENCE_SECONDS)
        teacher = SignedIn(running.port, servers.environment(data))
        teacher.stream(case.form)
        running.wait_until_idle()
        return asyncio.run(measure(case, running, teacher.stream(case.form), truth))


def run(cases: Sequence[Case] = CASES) -> Iterator[Result]:
    """Each after the other."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for case in cases:
        yield from latency(case)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    print(as_lines(list(run([case for case in CASES if not wanted or case.name in wanted]))))
