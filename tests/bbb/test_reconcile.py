"""The worker's part: which servers it watches, beside which others, and how it stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rollcall.bbb import reconcile, servers
from rollcall.bbb.reconcile import OUTAGE_MS, OwnAddress
from rollcall.bbb.watch import Pace, Watch
from rollcall.bbb.watcher import own_name
from rollcall.core.errors import RollcallError
from rollcall.simulate.server import SimulatedServer
from rollcall.store.connections import Server
from tests.bbb.fake import Attendee, Class, FakeBigBlueButton, Running, running
from tests.bbb.watching import BASE_URL, LogFeed, add_server

pytestmark = pytest.mark.django_db(transaction=True)

FAST = Pace(poll_ms=100, hook_check_ms=300, tick_ms=50, own_address_ms=10_000)


@pytest.fixture(autouse=True)
def _public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "http://127.0.0.1:9")


@pytest.fixture
def bbb() -> Iterator[Running]:
    with running(FakeBigBlueButton()) as server:
        yield server


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while True:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < give_up, "it did not come to that"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def worker(feed: LogFeed, pace: Pace = FAST) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    task = asyncio.create_task(reconcile.run(feed, stop, pace))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


def status(server: Server) -> Server:
    return Server.objects.get(pk=server.pk)


def test_a_worker_watches_keeps_hooks_in_place_writes_down_and_lets_go(bbb: Running) -> None:
    server = add_server(bbb.api_url)
    bbb.fake.classes["m"] = Class("m-1", created_at=servers.now_ms(), attendees=[Attendee("11")])
    feed = LogFeed()

    async def play() -> None:
        async with worker(feed):
            await until(lambda: len(bbb.fake.hooks) == 1)
            await until(lambda: len(feed.events("meeting-listed")) >= 2)
            await until(lambda: asyncio.to_thread(lambda: status(server).polled_at is not None))
            await until(lambda: asyncio.to_thread(lambda: status(server).hooks_seen_at is not None))
            held = await asyncio.to_thread(status, server)
            assert held.watcher
            assert held.watched_until > servers.now_ms()

    asyncio.run(play())
    assert (status(server).watcher, status(server).watched_until, status(server).trouble) == ("", 0, "")


def test_a_server_is_taken_up_when_it_is_added_and_left_when_it_is_removed(bbb: Running) -> None:
    feed = LogFeed()

    async def play() -> None:
        async with worker(feed):
            await asyncio.sleep(0.15)
            server = await asyncio.to_thread(add_server, bbb.api_url)
            await until(lambda: bool(bbb.fake.hooks))
            await asyncio.to_thread(lambda: Server.objects.filter(pk=server.pk).update(removed_at=1))
            await asyncio.sleep(0.3)
            asked = len(bbb.fake.requests)
            await asyncio.sleep(0.4)
            assert len(bbb.fake.requests) == asked

    asyncio.run(play())


def test_trouble_is_written_in_a_sentence_and_taken_back(bbb: Running) -> None:
    server = add_server(bbb.api_url, secret="wrong")
    feed = LogFeed()

    async def play() -> None:
        async with worker(feed):
            await until(lambda: asyncio.to_thread(lambda: "shared secret" in status(server).trouble))
            bbb.fake.secret = "wrong"
            await until(lambda: asyncio.to_thread(lambda: status(server).trouble == ""))

    asyncio.run(play())


def test_one_server_that_hangs_holds_up_no_other(bbb: Running) -> None:
    feed = LogFeed()
    with SimulatedServer() as hanging:
        hanging.trouble.slow_seconds = 60
        add_server(hanging.url, name="hanging")
        add_server(bbb.api_url)

        async def play() -> None:
            async with worker(feed):
                await until(lambda: len(bbb.fake.requests) > 10)

        asyncio.run(play())


def test_a_fault_of_our_own_ends_neither_its_watch_nor_another(bbb: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    add_server(bbb.api_url, name="one")
    with SimulatedServer(secret="s3cret") as other:
        server = add_server(other.url, name="other")
        rounds: list[str] = []
        real = Watch.round

        async def fails_at_first(self: Watch) -> None:
            rounds.append(self.server.name)
            if rounds.count("one") in {1, 2} and self.server.name == "one":
                raise RuntimeError("a fault of ours")
            await real(self)

        monkeypatch.setattr(Watch, "round", fails_at_first)

        async def play() -> None:
            async with worker(LogFeed()):
                await until(lambda: rounds.count("one") > 3 and bool(bbb.fake.hooks))
                await until(lambda: asyncio.to_thread(lambda: status(server).polled_at is not None))

        asyncio.run(play())


def test_two_workers_never_watch_one_server_at_a_time_and_the_second_takes_over(bbb: Running) -> None:
    add_server(bbb.api_url)
    one, other = LogFeed(), LogFeed()
    bbb.fake.classes["m"] = Class("m-1", created_at=servers.now_ms(), attendees=[Attendee("11")])

    async def play() -> None:
        async with worker(other):
            await until(lambda: bool(other.log))
            async with worker(one):
                await asyncio.sleep(0.5)
                assert not one.log
                assert len(bbb.fake.hooks) == 1

    asyncio.run(play())

    async def play_again() -> None:
        async with worker(one):
            await until(lambda: bool(one.log), seconds=10)

    asyncio.run(play_again())


def test_a_worker_that_died_is_succeeded_when_its_lease_has_run_out(bbb: Running) -> None:
    runs_out_at = servers.now_ms() + 1_500
    add_server(bbb.api_url, watcher="one that died", watched_until=runs_out_at)

    async def play() -> None:
        async with worker(LogFeed()):
            await until(lambda: bool(bbb.fake.requests))
            assert servers.now_ms() >= runs_out_at

    asyncio.run(play())


# -- leases -------------------------------------------------------------------------------------------------------


def test_a_server_is_claimed_by_one_worker_until_its_lease_ends() -> None:
    server = add_server("http://127.0.0.1:9/bigbluebutton/api/")
    assert [one.pk for one in servers.claim("a", 60_000)] == [server.pk]
    assert servers.claim("b", 60_000) == []
    Server.objects.update(watched_until=servers.now_ms() - 1)
    assert [one.pk for one in servers.claim("b", 60_000)] == [server.pk]
    assert servers.claim("a", 60_000) == []


def test_a_lease_is_renewed_when_half_of_it_is_over_and_not_before() -> None:
    server = add_server("http://127.0.0.1:9/bigbluebutton/api/")
    servers.claim("a", 60_000)
    held_until = status(server).watched_until
    servers.claim("a", 60_000)
    assert status(server).watched_until == held_until
    Server.objects.update(watched_until=servers.now_ms() + 20_000)
    servers.claim("a", 60_000)
    assert status(server).watched_until >= held_until


def test_who_has_lost_a_server_writes_nothing_of_it() -> None:
    server = add_server("http://127.0.0.1:9/bigbluebutton/api/")
    servers.claim("a", 60_000)
    servers.write_statuses("b", {server.pk: {"trouble": "not mine"}})
    assert status(server).trouble == ""
    servers.write_statuses("a", {server.pk: {"trouble": "mine"}})
    assert status(server).trouble == "mine"


def test_a_secret_never_stands_in_what_is_printed_of_a_server() -> None:
    add_server("http://127.0.0.1:9/bigbluebutton/api/")
    [watched] = servers.claim("a", 60_000)
    assert watched.secrets == ("s3cret",)
    assert "s3cret" not in repr(watched)


def test_a_retired_secret_is_not_used_and_the_newest_is_used_first() -> None:
    from rollcall.store.connections import Secret
    from rollcall.store.sealing import seal

    server = add_server("http://127.0.0.1:9/bigbluebutton/api/", secret="old", added_at=1)
    Secret.objects.create(server=server, encrypted=seal("gone"), added_at=2, retired_at=3)
    Secret.objects.create(server=server, encrypted=seal("new"), added_at=3)
    [watched] = servers.claim("a", 60_000)
    assert watched.secrets == ("new", "old")


def test_a_workers_name_is_its_own_while_it_lives_and_its_successors_after(tmp_path: Path) -> None:
    with own_name(tmp_path) as first, own_name(tmp_path) as second:
        assert first != second
    with own_name(tmp_path) as again:
        assert again == first


# -- what runs ----------------------------------------------------------------------------------------------------


def test_meetings_touched_since_a_moment_are_found_from_the_end_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.bbb.test_reconcile_watch import webhook_fact

    monkeypatch.setattr(servers, "_FACTS_READ", 3)
    monkeypatch.setattr(servers, "_DISORDER_MS", 0)
    server = add_server("http://127.0.0.1:9/bigbluebutton/api/")
    other = add_server("http://127.0.0.1:9/bigbluebutton/api/", name="other")
    for at in range(1, 11):
        webhook_fact(server, f"m-{at}", at)
        webhook_fact(other, f"o-{at}", at)
    assert servers.touched_since(server.pool_id, 8) == {"m-8", "m-9", "m-10"}


# -- our own address ----------------------------------------------------------------------------------------------


def test_an_outage_of_our_own_address_counts_only_when_it_was_seen_from_both_sides_and_was_long(bbb: Running) -> None:
    async def play() -> None:
        import httpx

        moments = iter([0, OUTAGE_MS - 1, OUTAGE_MS, 2 * OUTAGE_MS])
        now = [0]
        up = [False]
        transport = httpx.MockTransport(lambda _request: httpx.Response(200 if up[0] else 502))
        async with httpx.AsyncClient(transport=transport) as http:
            desk: Any = type("Stub", (), {})()
            desk.base_url, desk.http, desk.outages, desk.clock = BASE_URL, http, [], lambda: now[0]
            own = OwnAddress(desk)
            await own.ask()  # never reached: perhaps this machine cannot
            up[0], now[0] = True, next(moments)
            await own.ask()
            assert desk.outages == []
            for expected in ([], [], [(OUTAGE_MS, 2 * OUTAGE_MS)]):
                up[0] = False
                await own.ask()
                up[0], now[0] = True, next(moments)
                await own.ask()
                assert desk.outages == expected

    asyncio.run(play())


def test_the_settings_decide_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_POLL_SECONDS", "7")
    monkeypatch.setenv("ROLLCALL_HOOK_CHECK_SECONDS", "70")
    pace = Pace.from_environment()
    assert (pace.poll_ms, pace.hook_check_ms, pace.blind_after_ms) == (7_000, 70_000, 21_000)
    monkeypatch.setenv("ROLLCALL_POLL_SECONDS", "0")
    assert Pace.from_environment().poll_ms == 1_000
    monkeypatch.setenv("ROLLCALL_POLL_SECONDS", "soon")
    with pytest.raises(RollcallError):
        Pace.from_environment()


def test_a_task_that_lost_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "CANCELLED_AGAIN_SECONDS", 0.01)

    async def run() -> int:
        lost = 0

        async def work() -> None:
            nonlocal lost
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    lost += 1
                    if lost == 3:
                        raise

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await asyncio.wait_for(reconcile._end([task]), timeout=60)
        return lost

    assert asyncio.run(run()) == 3
