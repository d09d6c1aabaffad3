"""The doctor names each fault and the mend, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from redis import Redis

from rollcall.bbb import servers
from rollcall.cli import run
from rollcall.doctor import cache, database, public_url
from rollcall.doctor.findings import Finding, Level
from rollcall.simulate.server import SimulatedServer
from rollcall.store.connections import Hook, Server
from tests.bbb.fake import FakeBigBlueButton, Running, running
from tests.databases import default_database
from tests.servers import free_port, fresh_database, postgresql, redis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place() -> Iterator[Running]:
    """Something that answers over HTTP as it is told to."""
    with running(FakeBigBlueButton()) as server:
        yield server


def looked_at(url: str, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setenv("ROLLCALL_URL", url)
    return asyncio.run(public_url.check())


def levels(findings: list[Finding]) -> list[Level]:
    return [one.level for one in findings]


# -- our own address ----------------------------------------------------------------------------------------------


def test_rollcall_at_its_address_is_fine(place: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    place.fake.answer = lambda target: (200, {}, b"ok\n") if target == "/health" else (404, {}, b"")
    found = looked_at(f"http://localhost:{place.port}/", monkeypatch)
    assert levels(found) == [Level.WARNING, Level.FINE]
    assert "this machine alone" in found[0].sentence


def test_somebody_else_at_the_address_is_a_fault(place: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    place.fake.answer = lambda _target: (200, {}, b"<html>Welcome to nginx</html>")
    found = looked_at(f"http://127.0.0.1:{place.port}", monkeypatch)
    assert levels(found) == [Level.WARNING, Level.FAULT]
    assert "not by Rollcall" in found[1].sentence
    assert found[1].hint


def test_a_redirect_is_named_because_deliveries_would_be_lost(place: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    place.fake.answer = lambda _target: (301, {"Location": "https://elsewhere.example/health"}, b"")
    assert "lose what it delivers" in looked_at(f"http://127.0.0.1:{place.port}", monkeypatch)[-1].sentence


def test_nobody_at_the_address_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked_at("http://rollcall.nowhere.invalid", monkeypatch)
    assert levels(found) == [Level.WARNING, Level.FAULT]
    assert "in clear" in found[0].sentence
    assert "is not known" in found[1].sentence


@pytest.mark.parametrize(
    "url", ["", "rollcall.example.org", "ftp://rollcall.example.org", "https://", "https://[", "https://a.example/?x=1"]
)
def test_an_address_that_cannot_be_one_is_a_fault(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = looked_at(url, monkeypatch)
    assert found.level is Level.FAULT
    assert found.hint


# -- the database -------------------------------------------------------------------------------------------------


def test_the_database_of_the_default_is_fine() -> None:
    assert levels(database.check()) == [Level.FINE]


def test_a_database_that_forgets_is_a_fault(tmp_path: Path) -> None:
    with (
        postgresql("fsync=off") as server,
        default_database(fresh_database(server), tmp_path / "unused.sqlite3"),
    ):
        [found] = database.check()
        connection.close()
    assert found.level is Level.FAULT
    assert "fsync" in found.sentence
    assert "postgresql.conf" in found.hint


# -- the cache ----------------------------------------------------------------------------------------------------


def test_without_a_cache_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_CACHE_URL", raising=False)
    assert cache.check() == []


def test_a_cache_that_keeps_is_fine_and_nothing_is_left_in_it(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_CACHE_URL", redis_url)
    assert levels(cache.check()) == [Level.FINE]
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_a_cache_that_cannot_be_reached_is_a_fault_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROLLCALL_CACHE_URL", f"redis://:biscuits@127.0.0.1:{free_port()}/0")
    monkeypatch.delenv("ROLLCALL_URL", raising=False)
    assert run(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  cache: The cache cannot be used: ConnectionError.\n      Does Redis run" in out
    assert "biscuits" not in out


def test_a_cache_without_room_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with redis("maxmemory 1kb", "maxmemory-policy noeviction") as server:
        monkeypatch.setenv("ROLLCALL_CACHE_URL", f"redis://127.0.0.1:{server.port}/0")
        [found] = cache.check()
    assert found.level is Level.FAULT
    assert "OutOfMemoryError" in found.sentence


# -- everything ---------------------------------------------------------------------------------------------------


def test_everything_is_looked_at_and_nothing_changed(
    place: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.fake.answer = lambda _target: (200, {}, b"ok")
    monkeypatch.setenv("ROLLCALL_URL", f"http://127.0.0.1:{place.port}")
    with SimulatedServer() as bbb, SimulatedServer() as other:
        for server, name in ((bbb, "school"), (other, "college")):
            assert run(["server", "add", server.url, "--secret", server.secret, "--name", name]) == 0
        Server.objects.update(polled_at=servers.now_ms())
        other.lose_hooks()
        rows = list(Hook.objects.values())
        capsys.readouterr()
        assert run(["doctor", "--json"]) == 1
        assert list(Hook.objects.values()) == rows
        assert other.hooks == []
    found = json.loads(capsys.readouterr().out)
    about = list(dict.fromkeys(one["about"] for one in found))
    assert about == ["database", "fonts", "ROLLCALL_URL", "college", "school"]
    assert [one["about"] for one in found if one["level"] == "fault"] == ["college"]


def test_a_server_nobody_polls_and_webhooks_that_never_came_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org")
    with SimulatedServer() as bbb:
        run(["server", "add", bbb.url, "--secret", bbb.secret])
        Server.objects.update(polled_at=servers.now_ms() - 600_000, added_at=servers.now_ms() - 6_000_000)
        assert run(["server", "check"]) == 0
    out = capsys.readouterr().out
    assert "was polled 10 minutes ago" in out
    assert "No webhook has ever come." in out
    assert "warn" in out


@pytest.mark.parametrize(
    ("since_ms", "when"), [(30_000, "just now"), (60_000, "1 minute ago"), (120_000, "2 minutes ago")]
)
def test_the_last_webhook_is_said_in_whole_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], since_ms: int, when: str
) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org")
    with SimulatedServer() as bbb:
        run(["server", "add", bbb.url, "--secret", bbb.secret])
        Server.objects.update(arrived_at=servers.now_ms() - since_ms, polled_at=servers.now_ms() - 60_500)
        monkeypatch.setenv("ROLLCALL_POLL_SECONDS", "5")
        run(["server", "check"])
    out = capsys.readouterr().out
    assert f"The last webhook came {when}." in out
    assert "It was polled 1 minute ago." in out


def test_a_server_that_was_just_added_is_told_when_it_will_be_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org")
    monkeypatch.setenv("ROLLCALL_POLL_SECONDS", "40")
    with SimulatedServer() as bbb:
        run(["server", "add", bbb.url, "--secret", bbb.secret])
        Server.objects.update(added_at=servers.now_ms() - 60_000)
        assert run(["server", "check"]) == 0
        fresh = capsys.readouterr().out
        Server.objects.update(added_at=servers.now_ms() - 81_000)
        assert run(["server", "check"]) == 0
    assert re.search(r"^ok    127.0.0.1:\d+: A running worker will ask it within (1\d|20) s\.$", fresh, re.MULTILINE)
    assert "warn" not in fresh
    assert "It has not been polled yet." in capsys.readouterr().out
