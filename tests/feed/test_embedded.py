"""The group commit of one machine, on a real file."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from rollcall.core.errors import Unavailable
from rollcall.feed.append import GROUP_ARRIVALS, append
from rollcall.feed.embedded import Embedded
from rollcall.store.facts import Fact, SetAside
from tests.store.arrivals import joined, log_of, make_pool, meeting, unreadable
from tests.store.test_contract_concurrency import cut_my_connection

pytestmark = pytest.mark.django_db(transaction=True)


def with_feed(work: Callable[[Embedded], Awaitable[None]]) -> None:
    """Run one piece of work on a feed that is closed afterwards."""

    async def run() -> None:
        feed = Embedded()
        try:
            await work(feed)
        finally:
            await feed.close()
        assert (feed._arrivals, feed._bytes) == (0, 0)

    asyncio.run(run())


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many arrivals each transaction of the writer took."""
    sizes: list[int] = []

    def counted(arrivals: Sequence[Any], **how: Any) -> None:
        sizes.append(len(arrivals))
        append(arrivals, **how)

    monkeypatch.setattr("rollcall.feed.embedded.append", counted)
    return sizes


@contextmanager
def file() -> Iterator[sqlite3.Connection]:
    """The database's file, opened by somebody else."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        yield other


@contextmanager
def somebody_writes() -> Iterator[None]:
    """Another connection holds SQLite's one lock on writing, so that whatever arrives has to gather."""
    with file() as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


@contextmanager
def without_the_log() -> Iterator[None]:
    """A database that takes nothing."""
    with file() as other:
        other.execute("ALTER TABLE store_fact RENAME TO taken_away")
        try:
            yield
        finally:
            other.execute("ALTER TABLE taken_away RENAME TO store_fact")


async def outcomes(feed: Embedded, *publishings: Sequence[Any]) -> list[str]:
    """What each of several callers at once is told: ok, or the error's code."""
    told = await asyncio.gather(*map(feed.publish, publishings), return_exceptions=True)
    return [
        outcome.code if isinstance(outcome, Unavailable) else "ok" if outcome is None else repr(outcome)
        for outcome in told
    ]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for another thread, at most ten seconds."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - what is waited for is no part of this loop
            await asyncio.sleep(0.001)


def test_what_was_published_is_there_for_everybody_when_publish_returns() -> None:
    pool = make_pool()

    async def work(feed: Embedded) -> None:
        for n in range(5):
            await feed.publish([joined(pool, f"w_{n}"), joined(pool, f"w_{n}-")])
            assert await asyncio.to_thread(Fact.objects.count) == 2 * (n + 1)

    with_feed(work)


def test_what_gathers_while_a_commit_runs_is_committed_together(groups: list[int]) -> None:
    pool = make_pool()

    async def work(feed: Embedded) -> None:
        with somebody_writes():
            first = asyncio.create_task(feed.publish([joined(pool, "first")]))
            await until(lambda: groups == [1])
            rest = [asyncio.create_task(feed.publish([joined(pool, f"w_{n}")])) for n in range(200)]
            await asyncio.sleep(0)
        await asyncio.gather(first, *rest)

    with_feed(work)
    assert groups == [1, 200]
    assert len(log_of(meeting(pool))) == 201


def test_a_group_ends_where_a_transaction_is_full(groups: list[int]) -> None:
    pool = make_pool()

    async def work(feed: Embedded) -> None:
        with somebody_writes():
            first = asyncio.create_task(feed.publish([joined(pool, "first")]))
            await until(lambda: groups == [1])
            rest = [asyncio.create_task(feed.publish([joined(pool, f"w_{n}")])) for n in range(GROUP_ARRIVALS + 1)]
            await asyncio.sleep(0)
        await asyncio.gather(first, *rest)

    with_feed(work)
    assert groups == [1, GROUP_ARRIVALS, 1]


def test_nothing_is_durable_at_once() -> None:
    with_feed(lambda feed: feed.publish([]))


def test_what_cannot_be_read_or_stored_is_no_failure_to_anybody() -> None:
    pool = make_pool()

    async def work(feed: Embedded) -> None:
        publishings: list[list[Any]] = [
            [joined(pool)],
            [joined(pool, "w_2", at=2**63)],
            [unreadable(pool)],
            [joined(pool, "w_3")],
        ]
        assert await outcomes(feed, *publishings) == ["ok"] * 4

    with_feed(work)
    assert len(log_of(meeting(pool))) == 2
    assert SetAside.objects.count() == 2


def test_a_caller_that_goes_away_loses_and_blocks_nothing(groups: list[int]) -> None:
    pool = make_pool()

    async def work(feed: Embedded) -> None:
        with somebody_writes():
            first = asyncio.create_task(feed.publish([joined(pool, "first")]))
            await until(lambda: groups == [1])
            tasks = [asyncio.create_task(feed.publish([joined(pool, f"w_{n}")])) for n in range(9)]
            await asyncio.sleep(0)
            for task in (first, *tasks[::2]):
                task.cancel()
        assert await asyncio.gather(*tasks[1::2]) == [None] * 4
        await feed.publish([joined(pool, "last")])

    with_feed(work)
    assert len(log_of(meeting(pool))) == 11


def test_a_failed_commit_is_told_to_its_own_group_and_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_pool()
    monkeypatch.setattr("rollcall.feed.embedded.PATIENCE_SECONDS", 0.05)

    async def work(feed: Embedded) -> None:
        await feed.publish([joined(pool, "before")])
        with without_the_log():
            feed._patience = 0.05
            assert await outcomes(feed, [joined(pool, "w_1")], [joined(pool, "w_2")]) == ["database-down"] * 2
        assert await outcomes(feed, [joined(pool, "w_3")], [joined(pool, "w_1")]) == ["ok"] * 2

    with_feed(work)
    assert len(log_of(meeting(pool))) == 3


def test_while_the_database_is_down_everybody_is_told_at_once() -> None:
    pool = make_pool()

    async def work(feed: Embedded) -> None:
        with without_the_log():
            assert await outcomes(feed, [joined(pool)]) == ["database-down"]
            async with asyncio.timeout(2):  # the first took three seconds
                for n in range(20):
                    assert await outcomes(feed, [joined(pool, f"w_{n}")]) == ["database-down"]
        await feed.publish([joined(pool)])
        assert feed._patience > 1

    with_feed(work)


def test_a_fault_of_our_own_is_told_to_the_one_it_concerns(groups: list[int], caplog: pytest.LogCaptureFixture) -> None:
    pool = make_pool()
    odd = replace(joined(pool), meeting=7)  # type: ignore[arg-type]  # what no caller of ours does

    async def work(feed: Embedded) -> None:
        with somebody_writes():
            first = asyncio.create_task(feed.publish([joined(pool, "first")]))
            await until(lambda: groups == [1])
            rest = asyncio.create_task(outcomes(feed, [joined(pool, "w_1")], [odd], [joined(pool, "w_2")]))
            await asyncio.sleep(0.01)
        await first
        assert await rest == ["ok", "unavailable", "ok"]

    with_feed(work)
    assert len(log_of(meeting(pool))) == 3
    assert "could not be written" in caplog.text


def test_too_much_at_once_is_refused_before_it_takes_memory(groups: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_pool()
    monkeypatch.setattr("rollcall.feed.embedded.DEEPEST_ARRIVALS", 10)

    async def work(feed: Embedded) -> None:
        with somebody_writes():
            waiting = [asyncio.create_task(feed.publish([joined(pool, f"w_{n}")])) for n in range(10)]
            await asyncio.sleep(0)
            assert await outcomes(feed, [joined(pool, "late")]) == ["too-busy"]
        await asyncio.gather(*waiting)
        await feed.publish([joined(pool, "later")])

    with_feed(work)
    assert len(log_of(meeting(pool))) == 11


def test_too_many_bytes_are_too_much_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_pool()
    monkeypatch.setattr("rollcall.feed.embedded.DEEPEST_BYTES", 1_000)

    async def work(feed: Embedded) -> None:
        with somebody_writes():
            waiting = asyncio.create_task(feed.publish([joined(pool, payload=b"x" * 2_000)]))
            await asyncio.sleep(0)
            assert await outcomes(feed, [joined(pool, "late")]) == ["too-busy"]
        await waiting

    with_feed(work)


def test_closing_finishes_what_is_in_flight_and_refuses_the_rest() -> None:
    pool = make_pool()

    async def work(feed: Embedded) -> None:
        with somebody_writes():
            waiting = [asyncio.create_task(feed.publish([joined(pool, f"w_{n}")])) for n in range(600)]
            await asyncio.sleep(0)
            closing = asyncio.create_task(feed.close())
            await asyncio.sleep(0)
            assert await outcomes(feed, [joined(pool, "late")]) == ["stopping"]
        await closing
        assert await asyncio.gather(*waiting) == [None] * 600
        await feed.close()

    with_feed(work)
    assert len(log_of(meeting(pool))) == 600


def test_closing_ends_the_writer_and_its_connection() -> None:
    arrival = joined(make_pool())
    with_feed(lambda feed: feed.publish([arrival]))
    assert "rollcall-writer" not in {thread.name for thread in threading.enumerate()}


def test_a_feed_that_was_never_used_closes() -> None:
    asyncio.run(Embedded().close())


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_a_writer_whose_connection_broke_makes_another(
    database: str, monkeypatch: pytest.MonkeyPatch, groups: list[int]
) -> None:
    pool = make_pool()
    is_to_break = threading.Event()

    def breaking(arrivals: Sequence[Any], **how: Any) -> None:
        if is_to_break.is_set():
            cut_my_connection()
            is_to_break.clear()
        append(arrivals, **how)

    monkeypatch.setattr("rollcall.feed.embedded.append", breaking)

    async def work(feed: Embedded) -> None:
        await feed.publish([joined(pool, "w_1")])
        is_to_break.set()
        await feed.publish([joined(pool, "w_2")])
        assert not is_to_break.is_set()

    with_feed(work)
    assert len(log_of(meeting(pool))) == 2


@pytest.mark.usefixtures("database")
def test_a_lock_that_somebody_forgot_is_not_waited_for_for_ever() -> None:
    pool = make_pool()
    other = connection.copy()

    def lock() -> None:
        append([joined(pool)])
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("UPDATE store_meeting SET folded = 0")

    def let_go() -> None:
        other.rollback()
        other.close()

    async def work(feed: Embedded) -> None:
        async with asyncio.timeout(15):
            assert await outcomes(feed, [joined(pool, "w_2")]) == ["database-down"]
            other.inc_thread_sharing()
            await asyncio.to_thread(let_go)
            assert await outcomes(feed, [joined(pool, "w_2")]) == ["ok"]

    lock()
    with_feed(work)
    assert len(log_of(meeting(pool))) == 2
