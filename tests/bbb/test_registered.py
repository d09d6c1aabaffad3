"""Hooks and secrets as they stand in the store, and how soon a change is known."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from rollcall.bbb.checksum import Callback, Regime, SharedSecret, Verified
from rollcall.bbb.registered import LONGEST_TRUSTED_SECONDS, MINUTE_MS, RETIRED_MS, SHORTEST_PAUSE_SECONDS, Registered
from rollcall.store.models import Hook, Pool, Secret, Server
from rollcall.store.sealing import seal

pytestmark = pytest.mark.django_db(transaction=True)

NOW = time.time_ns() // 1_000_000
URL = "https://ra.example.org/hooks/token"


def make_server(name: str = "bbb.example.org", **columns: Any) -> Server:
    pool = Pool.objects.create(name=name)
    return Server.objects.create(
        pool=pool, api_url="https://bbb.example.org/bigbluebutton/api/", added_at=NOW, **columns
    )


def make_secret(server: Server, text: str = "s3cret", **columns: Any) -> Secret:
    return Secret.objects.create(server=server, encrypted=seal(text), **{"added_at": NOW, **columns})


def make_hook(server: Server, url: str = URL, token: str = "token", **columns: Any) -> Hook:
    return Hook.objects.create(server=server, registered_url=url, token=token, added_at=NOW, **columns)


def with_registered(ask: Callable[[Registered], Any]) -> Any:
    async def run() -> Any:
        registered = Registered()
        await registered.reread()
        try:
            return await ask(registered)
        finally:
            await registered.close()

    return asyncio.run(run())


def read(token: str = "token", query: str = "", at: int = NOW) -> list[Callback]:
    async def ask(registered: Registered) -> list[Callback]:
        return list(registered.at(token, query, at))

    found: list[Callback] = with_registered(ask)
    return found


def test_a_hook_is_found_with_all_that_may_sign_for_it() -> None:
    server = make_server(allows_constant_checksum=False)
    older = make_secret(server, "older", added_at=NOW - 5)
    newer = make_secret(server, "newer")
    make_hook(server, verifies_until=NOW + 5)
    assert read() == [
        Callback(
            url=URL,
            server=server.pk,
            pool=server.pool_id,
            pool_name="bbb.example.org",
            secrets=(SharedSecret(newer.pk, b"newer"), SharedSecret(older.pk, b"older")),
            allows_constant=False,
            verifies_until=NOW + 5,
        )
    ]
    assert read(at=NOW + 5) == []
    assert read("other") == []


def test_the_query_decides_which_of_several_hooks_is_tried_first() -> None:
    server = make_server()
    for query in ("", "?raw=1", "?raw=2"):
        make_hook(server, URL + query)
    assert [one.url for one in read(query="raw=2")] == [URL + "?raw=2", URL, URL + "?raw=1"]
    assert next(one.url for one in read(query="")) == URL
    assert len(read(query="raw=3")) == 3


def test_hooks_of_several_servers_may_share_a_token() -> None:
    for name in ("first", "second"):
        make_hook(make_server(name), f"https://{name}.example.org/hooks/token")
    assert [one.pool_name for one in read()] == ["first", "second"]


def test_a_server_that_was_removed_verifies_no_more() -> None:
    make_hook(make_server(removed_at=NOW))
    assert read() == []


def test_a_secret_verifies_for_an_hour_after_it_was_replaced() -> None:
    server = make_server()
    make_hook(server)
    make_secret(server, "a", retired_at=NOW - RETIRED_MS + 1_800_000)
    make_secret(server, "b", retired_at=NOW - RETIRED_MS - 60_000)
    (callback,) = read()
    assert {secret.value: secret.is_current for secret in callback.secrets} == {b"a": True, b"b": False}


def test_a_secret_that_cannot_be_opened_is_told_once_and_hinders_no_other() -> None:
    server = make_server()
    make_hook(server)
    Secret.objects.create(server=server, encrypted=b"sealed with another key", added_at=NOW)
    make_secret(server, "s3cret")

    async def ask(registered: Registered) -> Any:
        await registered.reread()
        return registered.at("token", "", NOW)

    with capture_logs() as lines:
        (callback,) = with_registered(ask)
    assert [secret.value for secret in callback.secrets] == [b"s3cret"]
    assert [line["event"] for line in lines] == ["a shared secret cannot be opened"]


def test_a_change_is_known_without_anybody_being_refused() -> None:
    async def ask(registered: Registered) -> int:
        await asyncio.to_thread(lambda: make_hook(make_server()))
        for _ in range(100):
            await asyncio.sleep(LONGEST_TRUSTED_SECONDS / 50)
            if found := registered.at("token", "", NOW):
                return len(found)
        return 0

    assert with_registered(ask) == 1


def test_many_who_ask_again_share_one_reading() -> None:
    readings = []

    class Counting(Registered):
        def _load(self) -> Any:
            readings.append(time.monotonic())
            return super()._load()

    async def ask() -> None:
        registered = Counting()
        for _ in range(3):
            await asyncio.gather(*(registered.reread() for _ in range(100)))
        await registered.close()

    asyncio.run(ask())
    assert len(readings) <= 6
    assert all(later - sooner > SHORTEST_PAUSE_SECONDS * 0.9 for sooner, later in itertools.pairwise(readings))


def test_when_a_server_was_heard_is_written_to_the_minute() -> None:
    server = make_server()
    secret = make_secret(server)
    make_hook(server)
    at = 29_921_823 * MINUTE_MS

    async def ask(registered: Registered) -> None:
        callback = registered.at("token", "", NOW)[0]
        registered.note(Verified(callback, callback.secrets[0], Regime.BODY), at + 12_345)
        await registered.write_notes()
        await registered.write_notes()

    with_registered(ask)
    server.refresh_from_db()
    secret.refresh_from_db()
    assert (server.arrived_at, secret.matched_at) == (at, at)
