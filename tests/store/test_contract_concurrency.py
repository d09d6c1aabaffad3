"""Several writers, folders and processes at once, on each of the three databases."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import pytest
from django.db import OperationalError, connection, connections, transaction

from rollcall.derive.log import Log
from rollcall.derive.rebuild import fold_due
from rollcall.feed.append import adopt, append
from rollcall.feed.feed import Arrival
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.store.connections import Pool
from rollcall.store.derived import Orphan, Seen, Summary
from rollcall.store.facts import Fact, Meeting, SetAside
from tests.derive.log import FAR_AHEAD, append_and_fold, arrivals_of, derived, fold_everything
from tests.store.arrivals import LESSON, joined, log_of, make_pool, meeting

pytestmark = pytest.mark.usefixtures("database")

ROOMS = [LESSON, "room 1", "room 2", "room 3"]

_WRITER = """
import sys, django
django.setup()
from rollcall.store.connections import Pool
from tests.store.test_contract_concurrency import write_all
write_all(Pool.objects.get(), seed=int(sys.argv[1]))
"""


def told(pool: Pool) -> list[Arrival]:
    """A class with three rooms, whose parent is named by every other message."""
    return [
        joined(pool, f"w_{n}", ROOMS[n % 4], parent=LESSON if n % 4 and n % 2 else None, is_end=n > 110)
        for n in range(120)
    ]


def write_all(pool: Pool, seed: int) -> None:
    """Everything, in an order and in parts of its own."""
    chance = random.Random(seed)
    arrivals = chance.sample(told(pool), k=120)
    while arrivals:
        size = chance.randint(1, 25)
        append(arrivals[:size])
        arrivals = arrivals[size:]


def expect_each_once(pool: Pool) -> None:
    expected = {room: sorted(a.payload for a in told(pool) if a.meeting == room) for room in ROOMS}
    assert {room: sorted(log_of(meeting(pool, room))) for room in ROOMS} == expected
    assert {meeting(pool, room).root for room in ROOMS[1:] if expected[room]} <= {None, meeting(pool)}
    assert not SetAside.objects.exists()


@contextmanager
def threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads whose connections are closed in the end."""
    with ThreadPoolExecutor(count) as pool:
        yield pool
        barrier = threading.Barrier(count)
        for done in [pool.submit(_leave, barrier) for _ in range(count)]:
            done.result()


def _leave(barrier: threading.Barrier) -> None:
    barrier.wait(timeout=60)
    connections.close_all()


def run_together(*works: Callable[[], None]) -> None:
    """All of them at once; the first error is raised."""
    barrier = threading.Barrier(len(works))

    def begin(work: Callable[[], None]) -> None:
        barrier.wait(timeout=60)
        work()

    with threads(len(works)) as pool:
        for done in [pool.submit(begin, work) for work in works]:
            done.result()


def test_threads_that_write_the_same_in_other_orders_store_each_fact_once() -> None:
    pool = make_pool()
    run_together(*[partial(write_all, pool, seed) for seed in range(4)])
    expect_each_once(pool)


def test_processes_that_write_the_same_in_other_orders_store_each_fact_once() -> None:
    pool = make_pool()
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(seed)], env=os.environ) for seed in range(3)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    expect_each_once(pool)


def test_a_meeting_made_by_many_at_the_same_moment_is_one() -> None:
    for number in range(5):
        pool = make_pool(str(number))
        run_together(*[partial(append, [joined(pool, f"w_{n}")]) for n in range(4)])
        assert len(log_of(meeting(pool))) == 4


def test_a_deadlock_with_somebody_else_is_survived() -> None:
    """The other one locks in the wrong order, which none of ours does."""
    pool = make_pool()
    append([joined(pool, meeting="one"), joined(pool, meeting="two")])
    one, two = sorted([meeting(pool, "one"), meeting(pool, "two")], key=lambda row: row.pk)
    has_locked = threading.Event()

    def lock_backwards() -> None:
        try:
            with transaction.atomic():
                Meeting.objects.filter(pk=two.pk).update(folded=0)
                has_locked.set()
                threading.Event().wait(0.2)
                Meeting.objects.filter(pk=one.pk).update(folded=0)
        except OperationalError:
            assert connection.vendor != "sqlite"  # the victim may be either

    def write() -> None:
        has_locked.wait(timeout=60)
        append([joined(pool, "w_2", "one"), joined(pool, "w_2", "two")])

    run_together(lock_backwards, write)
    assert len(log_of(meeting(pool, "one"))) == len(log_of(meeting(pool, "two"))) == 2


def test_families_moved_by_several_at_once_end_in_one_family() -> None:
    chain = ["a", "b", "c", "d", "e"]
    for number in range(3):
        pool = make_pool(str(number))
        append([joined(pool, meeting=name) for name in chain])
        pks = [meeting(pool, name).pk for name in chain]
        told = [joined(pool, f"w_{c}", c, parent=p) for p, c in pairwise(chain)]
        found = [partial(adopt, c, p) for p, c in pairwise(pks)]
        run_together(partial(append, told), partial(append, told[::-1]), *found)
        assert {row.root_id for row in Meeting.objects.filter(pk__in=pks[1:])} == {pks[0]}
        for name in chain:
            log_of(meeting(pool, name))


def test_writers_and_folders_at_once_end_with_everything_folded() -> None:
    pool = make_pool()
    append(told(pool)[:4])
    writing = threading.Event()
    folders_done: list[int] = []

    def write() -> None:
        write_all(pool, 1)
        write_all(pool, 2)
        writing.set()

    def fold() -> None:
        while not writing.is_set():
            folders_done.append(refold_all(pool))

    run_together(write, fold, fold)
    refold_all(pool)
    assert refold_all(pool) == 0
    for root in pool.meetings.filter(root=None):
        assert root.folded == root.appended
        assert folded(root) == read_log(root)
    expect_each_once(pool)


def refold_all(pool: Pool) -> int:
    """Fold every root that asks for it, as derive/ does; how many were stored."""
    return sum(refold(root) for root in pool.meetings.filter(root=None))


def refold(root: Meeting) -> bool:
    """Gather, decide, apply: here the derived rows are the digests themselves."""
    seen, digests = root.appended, read_log(root)
    with transaction.atomic():
        ours = Meeting.objects.filter(pk=root.pk, root=None, folded__lt=seen)
        if not ours.update(folded=seen):
            return False
        Seen.objects.filter(meeting=root).delete()
        Seen.objects.bulk_create(Seen(meeting=root, participant_key=digest) for digest in sorted(digests))
    return True


def read_log(root: Meeting) -> set[bytes]:
    family = [root.pk, *root.breakouts.values_list("pk", flat=True)]
    return set(map(bytes, Fact.objects.filter(meeting__in=family).values_list("digest", flat=True)))


def folded(root: Meeting) -> set[bytes]:
    return set(map(bytes, Seen.objects.filter(meeting=root).values_list("participant_key", flat=True)))


@pytest.mark.parametrize("generation", ["2.6.1", "3.5.0"])
def test_real_folders_among_writers_derive_what_one_fold_in_the_end_derives(generation: str) -> None:
    """Before bbb-webhooks 3 the folders themselves find whose room it is, and move it while others write."""
    truth = make_class(random.Random(1), Plan(people=6, minutes=15, rooms=2))
    pool = make_pool("one after the other")
    append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS[generation], random.Random(1))))
    expected = derived()
    forget_everything()
    arrivals = arrivals_of(pool, relay(truth, GENERATIONS[generation], random.Random(1)))
    writing = threading.Event()

    def write() -> None:
        for start in range(0, len(arrivals), 20):
            append(arrivals[start : start + 20])

    def write_backwards() -> None:
        for start in range(len(arrivals), 0, -15):
            append(arrivals[max(0, start - 15) : start])
        writing.set()

    def fold() -> None:
        log = Log()
        while not writing.is_set():
            list(fold_due(log, now=FAR_AHEAD))

    run_together(write, write_backwards, fold, fold)
    fold_everything()
    assert derived() == expected


def forget_everything() -> None:
    for table in (Summary, Seen, Orphan, Fact):
        table.objects.all().delete()
    Meeting.objects.update(root=None, parent=None)
    Meeting.objects.all().delete()


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_a_connection_that_broke_is_made_again() -> None:
    pool = make_pool()
    append([joined(pool)])
    cut_my_connection()
    append([joined(pool, "w_2")])
    assert len(log_of(meeting(pool))) == 2


def cut_my_connection() -> None:
    """What a restart of the server or an idle timeout does."""
    question = "SELECT pg_backend_pid()" if connection.vendor == "postgresql" else "SELECT CONNECTION_ID()"
    with connection.cursor() as cursor:
        cursor.execute(question)
        (mine,) = cursor.fetchone()
    cut = f"SELECT pg_terminate_backend({mine})" if connection.vendor == "postgresql" else f"KILL {mine}"
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(cut)
    other.close()
