"""From what is owed to what a Moodle holds, by the worker's own sender, on real databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from rollcall.core.deliveries import NOTHING, Goal, Step, Way
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.sender import Sender
from rollcall.lti.tokens import Tokens
from rollcall.moodle.service_user import sealed_for
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import at_work
from rollcall.store.owed import CompletionTarget, MoodleService, Owed, Owing, Receiver
from tests.deliveries.completions.outbox_world import make_target, owe, row_of, wish
from tests.deliveries.world import Clock
from tests.moodle_web_services import OURS, OVERRIDE, READ, TEACHER, TOKEN, Site, bad_token, web_services

one_database = pytest.mark.django_db(transaction=True)

DONE = Goal(is_done=True)
MINUTE_MS = 60_000


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    with web_services() as running:
        running.users |= set(range(100, 130))
        running.students |= set(range(100, 130))
        yield running


@pytest.fixture
def target(site: Site) -> CompletionTarget:
    """An activity whose verdicts go to the completion of the same activity there."""
    target = make_target(Way.MOODLE, site=site.base)
    type(target.activity).objects.update(context_id="2", instance="1")
    platform = target.receiver.platform
    MoodleService.objects.create(platform=platform, sealed=sealed_for(platform, TOKEN), user_id=str(OURS), added_at=0)
    return target


def work(clock: Clock, ticks: int = 2, step_ms: int = 0) -> None:
    """Run a worker's sender for a time."""

    async def run() -> None:
        async with http_client() as http, at_work("test-moodle") as hands:
            tools = Tools(http, hands.in_thread, clock, Tokens(http, hands.in_thread, clock), frozenset({"127.0.0.1"}))
            sender = Sender("worker-1", hands, tools)
            for _ in range(ticks):
                await sender.tick()
                await hands.finish()
                clock.now += step_ms

    asyncio.run(run())


def want_all(target: CompletionTarget, goals: dict[int, Goal], clock: Clock, step: Step = Step.DELIVER) -> None:
    owe(target, *(wish(str(user), goal, step) for user, goal in goals.items()), now=clock)


def test_a_class_of_30_ends_as_it_should_and_a_correction_is_taken_back(
    database: str, target: CompletionTarget, site: Site, clock: Clock
) -> None:
    site.students.discard(129)
    site.by_hand(128, 0)
    site.by_hand(127, 1)
    want_all(target, dict.fromkeys(range(100, 130), DONE), clock)
    work(clock)
    assert site.completed() == set(range(100, 128))
    assert (row_of("129").state, row_of("129").reason) == (Owing.REFUSED, "no-student")
    assert (row_of("128").state, row_of("128").reason) == (Owing.LEFT, "overridden")
    assert row_of("127").state == Owing.SENT
    assert (site.asked()[READ], site.asked()[OVERRIDE]) == (30, 27)

    want_all(target, {100: NOTHING, 127: NOTHING}, clock)
    work(clock)
    assert site.completed() == set(range(101, 128))
    assert row_of("127").state == Owing.LEFT
    want_all(target, {100: DONE, 127: DONE}, clock)
    work(clock)
    assert site.completed() == set(range(100, 128))

    before = len(site.requests)
    want_all(target, dict.fromkeys(range(100, 128), DONE), clock, Step.KEEP)
    work(clock)
    assert len(site.requests) == before


@one_database
def test_a_revoked_token_pauses_everything_and_a_new_one_ends_it(
    target: CompletionTarget, site: Site, clock: Clock
) -> None:
    site.tokens.clear()
    want_all(target, {100: DONE, 101: DONE}, clock)
    work(clock)
    receiver = Receiver.objects.get()
    assert (receiver.trouble, receiver.paused_until > clock.now) == ("bad-token", True)
    asked = len(site.requests)
    work(clock)
    assert len(site.requests) == asked
    site.tokens.add(TOKEN)
    work(clock, ticks=8, step_ms=2 * MINUTE_MS)
    assert site.completed() == {100, 101}
    assert set(Owed.objects.values_list("state", flat=True)) == {Owing.SENT}
    assert Receiver.objects.get().trouble == ""


@one_database
def test_an_answer_that_was_lost_has_its_effect_once(target: CompletionTarget, site: Site, clock: Clock) -> None:
    site.faults.append((OVERRIDE, "drop-after"))
    want_all(target, {100: DONE}, clock)
    work(clock)
    assert site.completed() == {100}
    assert row_of("100").is_unanswered
    work(clock, ticks=4, step_ms=2 * MINUTE_MS)
    assert (row_of("100").state, site.asked()[OVERRIDE]) == (Owing.SENT, 1)


@one_database
def test_a_person_decides_while_the_answer_is_lost(target: CompletionTarget, site: Site, clock: Clock) -> None:
    site.faults.append((OVERRIDE, "drop-after"))
    want_all(target, {100: DONE}, clock)
    work(clock)
    site.by_hand(100, 0, by=TEACHER)
    work(clock, ticks=4, step_ms=2 * MINUTE_MS)
    assert (row_of("100").state, site.completed()) == (Owing.LEFT, set())


@one_database
def test_the_token_is_in_no_row_of_what_was_tried(target: CompletionTarget, site: Site, clock: Clock) -> None:
    error: Any = bad_token()
    error.body["message"] = f"Invalid token {TOKEN}"
    site.faults.append((OVERRIDE, error))
    want_all(target, {100: DONE}, clock)
    work(clock)
    for rows in (Owed.objects, Receiver.objects, CompletionTarget.objects, row_of("100").attempts):
        assert TOKEN not in repr(list(rows.values()))
    assert row_of("100").attempts.count() == 1
