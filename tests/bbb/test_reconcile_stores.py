"""What a watch asks of the store gives the same on every database."""

from __future__ import annotations

import asyncio

import pytest

from rollcall.bbb import registration, servers
from rollcall.bbb.registration import Addition
from rollcall.simulate.server import SimulatedServer
from rollcall.store.connections import Hook, Pool, Secret, Server
from tests.bbb.test_reconcile_watch import webhook_fact
from tests.bbb.watching import add_server


def test_a_server_is_added_watched_and_removed(database: str) -> None:
    with SimulatedServer() as bbb:
        wanted = Addition(bbb.url, bbb.secret, name="Σχολείο", wants_raw=True, base_url="https://rollcall.example.org")
        added = asyncio.run(registration.add(wanted))
        assert (added.name, added.addresses, added.trouble) == ("Σχολείο", 2, None)
        [watched] = servers.claim("a", 60_000)
        assert (watched.name, watched.secrets) == ("Σχολείο", (bbb.secret,))
        assert servers.claim("b", 60_000) == []
        servers.write_statuses("a", {watched.pk: {"polled_at": 1, "hooks_seen_at": 2, "trouble": "Ἀλλοίμονο."}})
        assert servers.last_seen(watched.pk) == servers.LastSeen(1, 2, was_in_trouble=True)
        servers.release("a")
        assert [one.pk for one in servers.claim("b", 60_000)] == [watched.pk]
        asyncio.run(registration.remove("Σχολείο"))
        assert bbb.hooks == []
    assert servers.claim("b", 60_000) == []
    assert (Hook.objects.count(), Secret.objects.count(), Pool.objects.count()) == (0, 0, 1)
    assert Server.objects.get().removed_at


def test_names_that_differ_in_case_accent_or_blank_are_two_servers(database: str) -> None:
    for name in ("Ada", "ada", "adá"):
        add_server("http://127.0.0.1:9/bigbluebutton/api/", name=name)
    assert [registration.find(name).pool.name for name in ("ada", "adá", "Ada")] == ["ada", "adá", "Ada"]
    assert sorted(one.name for one in servers.claim("a", 60_000)) == ["Ada", "ada", "adá"]


def test_meetings_that_run_were_touched_or_live_are_found(database: str) -> None:
    server = add_server("http://127.0.0.1:9/bigbluebutton/api/")
    for at, meeting in enumerate(("a", "A", "á", "over"), 1):
        webhook_fact(server, meeting, at, is_end=meeting == "over")
    assert servers.open_meetings(server.pool_id) == {"a", "A", "á"}
    assert servers.touched_since(server.pool_id, 3) == {"á", "over"}
    assert servers.with_life_since(server.pool_id, ["a", "A", "á", "unknown"], 2) == {"A", "á"}


def test_a_new_address_is_confirmed_retired_and_forgotten(database: str) -> None:
    server = add_server("http://127.0.0.1:9/bigbluebutton/api/")
    address = servers.new_address(server.pk, "https://rollcall.example.org", is_raw=True)
    servers.confirm(address.pk, "remote")
    [row] = servers.hooks_of(server.pk)
    assert (row.url, row.is_raw, row.is_ours, row.remote_id, row.verifies_until) == (
        address.url,
        True,
        True,
        "remote",
        None,
    )
    servers.retire(address.pk)
    servers.forget([address.pk])
    [row] = servers.hooks_of(server.pk)
    assert row.verifies_until
    Hook.objects.update(verifies_until=1)
    servers.forget([address.pk])
    assert servers.hooks_of(server.pk) == []


@pytest.mark.usefixtures("database")
def test_two_workers_that_claim_at_once_do_not_both_get_a_server() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    def claim(name: str) -> list[int]:
        try:
            return [one.pk for one in servers.claim(name, 60_000)]
        finally:
            connections.close_all()

    for number in range(8):
        add_server("http://127.0.0.1:9/bigbluebutton/api/", name=f"s{number}")
    with ThreadPoolExecutor(6) as workers:
        claimed = list(workers.map(claim, "abcdef"))
    held = [pk for each in claimed for pk in each]
    assert sorted(held) == sorted(Server.objects.values_list("pk", flat=True))
