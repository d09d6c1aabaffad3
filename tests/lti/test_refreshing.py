"""The worker's loop over rosters: what is due is read once, and an LMS in trouble is left alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from rollcall.lti import refreshing
from rollcall.lti.refreshing import AT_ONCE, DAY_MS, TAKEN_MS, Refresher, pause_ms, take
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.in_hand import at_work
from rollcall.store.platforms import Context, Platform
from tests.lti.asked_platform import MINUTE_MS, TRUSTED, Clock, make_context
from tests.lti.service_standin import Site, instructor, learner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(refreshing, "_spread", lambda span: span)
    site.members = [learner("4"), instructor("3")]
    return site


def work(clock: Clock, ticks: int = 1) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(verify=False, trust_env=False) as http, at_work("test") as hands:  # noqa: S501 - all here is plain
            worker = Refresher(hands, Tokens(http, hands.in_thread, clock, TRUSTED), clock)
            for _ in range(ticks):
                await worker.tick()
                await hands.finish()

    asyncio.run(run())


def again(context: Context) -> Context:
    return Context.objects.select_related("platform").get(pk=context.pk)


def test_a_roster_that_is_due_is_read_and_due_again_in_a_day(site: Site, clock: Clock) -> None:
    context = make_context(site)
    work(clock, ticks=3)
    row = again(context)
    assert (row.roster_at, row.roster_due_at, row.roster_trouble) == (clock.now, clock.now + DAY_MS, "")
    assert sorted(row.members.values_list("user_id", flat=True)) == ["3", "4"]
    assert len(site.asked("/memberships")) == 1
    assert row.platform.token_at == clock.now


def test_of_a_course_nobody_launched_from_nothing_is_asked(site: Site, clock: Clock) -> None:
    make_context(site, roster_due_at=None)
    make_context(site, "3", memberships_url="")
    removed = make_context(site, "4")
    Platform.objects.filter(pk=removed.platform_id).update(removed_at=1)
    work(clock)
    assert site.requests == []


def test_a_course_that_is_over_is_not_read_for_ever(site: Site, clock: Clock) -> None:
    context = make_context(site, launched_at=clock.now - 61 * DAY_MS)
    work(clock)
    assert again(context).roster_due_at is None


def test_many_workers_take_each_roster_once_and_few_of_one_lms(site: Site, clock: Clock) -> None:
    for number in range(5):
        make_context(site, str(number))
    taken = [take(clock.now, Counter()) for _ in range(4)]
    assert [len(one) for one in taken] == [AT_ONCE, AT_ONCE, 1, 0]
    assert len({one.context for found in taken for one in found}) == 5
    assert take(clock.now + TAKEN_MS, Counter({taken[0][0].client.platform: AT_ONCE})) == []
    assert len(take(clock.now + TAKEN_MS, Counter())) == AT_ONCE


@pytest.mark.parametrize(("fault", "code"), [(503, "busy"), (500, "failed"), ("drop", "broken-connection")])
def test_an_lms_in_trouble_is_left_alone_ever_longer(site: Site, clock: Clock, fault: Any, code: str) -> None:
    contexts = [make_context(site, str(number)) for number in range(3)]
    site.faults = [("/memberships", fault)] * 20
    pauses = []
    for _ in range(3):
        work(clock, ticks=2)
        platform = again(contexts[0]).platform
        assert platform.services_paused_until is not None
        pauses.append((platform.services_paused_until - clock.now) // MINUTE_MS)
        assert take(clock.now + MINUTE_MS // 2, Counter()) == []
        clock.now = platform.services_paused_until
    assert pauses == [1, 2, 4]
    assert again(contexts[0]).roster_trouble.startswith(code)
    site.faults = []
    work(clock, ticks=3)
    row = again(contexts[0])
    assert (row.roster_trouble, row.roster_failures, row.platform.services_failures) == ("", 0, 0)
    assert row.platform.services_paused_until is None


def test_a_course_in_trouble_waits_alone(site: Site, clock: Clock) -> None:
    one = make_context(site, "1", now=clock.now - 1)
    other = make_context(site, "2", memberships_url=f"{site.memberships_url}?other=1")
    site.faults = [("/memberships", 404)]
    work(clock)
    rows = sorted((again(one), again(other)), key=lambda row: row.roster_failures)
    assert [row.roster_failures for row in rows] == [0, 1]
    assert rows[1].roster_trouble.startswith("gone 404")
    assert rows[1].roster_due_at == clock.now + 10 * MINUTE_MS
    assert rows[0].platform.services_paused_until is None


def _say(content: bytes) -> Any:
    return lambda *_: (200, content, "text/html", {})


def test_a_reading_that_fails_takes_nobody_off(site: Site, clock: Clock) -> None:
    context = make_context(site)
    work(clock)
    faults: tuple[Any, ...] = (500, 404, "drop", _say(b'{"members":[]}'), _say(b"{"))
    for fault in faults:
        site.faults = [("/memberships", fault)]
        clock.now += 2 * DAY_MS
        work(clock)
        assert again(context).roster_trouble
        assert again(context).members.filter(until_at=None).count() == 2


def test_without_a_token_nothing_more_is_asked(site: Site, clock: Clock) -> None:
    context = make_context(site)
    site.can_fetch_keys = False
    work(clock)
    row = again(context)
    assert row.platform.token_trouble.startswith("keys-unreachable 404")
    assert row.roster_trouble.startswith("keys-unreachable")
    assert site.asked("/memberships") == []


def test_after_the_grace_of_a_licence_no_roster_is_read(site: Site, clock: Clock) -> None:
    from rollcall.store.organisations import Licence

    context = make_context(site)
    Licence.objects.create(organisation=context.platform.organisation, starts_at=0, ends_at=1, grace_ms=1, added_at=0)
    work(clock)
    assert site.requests == []
    assert again(context).roster_due_at == clock.now + DAY_MS


def test_pauses_grow_to_their_limit() -> None:
    for failures in range(1, 60):
        assert 0 < pause_ms(failures, MINUTE_MS, 60 * MINUTE_MS) <= 66 * MINUTE_MS


def test_what_is_in_hand_when_it_ends_is_left_and_taken_again(site: Site, clock: Clock) -> None:
    context = make_context(site)

    async def run() -> None:
        async with at_work("test") as hands:
            worker = Refresher(hands, _Slow(), clock)  # type: ignore[arg-type]  # only what is called
            await worker.tick()
            await hands.finish(0)

    asyncio.run(run())
    assert again(context).roster_due_at == clock.now + TAKEN_MS
    assert again(context).roster_at is None


class _Slow:
    async def call(self, *_: Any) -> Any:
        await asyncio.sleep(3600)
