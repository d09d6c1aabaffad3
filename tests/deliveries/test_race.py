"""Recorded callbacks go to Rollcall and on to Moodle, while BigBlueButton's own script sends them to Moodle itself."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from random import Random
from typing import Any

import httpx
import pytest

from rollcall.bbb.callback_body import is_lms_user
from rollcall.bbb.documents import keep_callback
from rollcall.deliveries import by_hand
from rollcall.deliveries.by_callback import is_sendable_id, token
from rollcall.store.connections import Pool
from rollcall.store.derived import Summary
from rollcall.store.outbox import Delivery, State
from tests.deliveries.test_stand_in import RULES, SECRET, exchanges
from tests.deliveries.world import MINUTE_MS, Clock, Worker, connect
from tests.derive.log import append_and_fold
from tests.makers import at, make_pool
from tests.moodle import Activity, Moodle, moodle

CAPTURED_AT = "http://127.0.0.1:8085"
ENDED = at("10:15", "2026-11-22")


def recorded() -> list[dict[str, Any]]:
    """One body for each meeting of the captures, its first; those without any LMS user are left out."""
    found: dict[str, dict[str, Any]] = {}
    for exchange in exchanges("callback", "edge-cases", "correction-by-derived-id"):
        body = exchange["request"]["body"]
        if isinstance(body, dict) and is_sendable_id(body.get("internal_meeting_id", "")) and lms_users(body):
            found.setdefault(body["internal_meeting_id"], body)
    return [body for body in found.values() if "metadata" in body["data"]]


def lms_users(body: dict[str, Any]) -> set[int]:
    attendees = (body.get("data") or {}).get("attendees") or []
    return {int(one["ext_user_id"]) for one in attendees if is_lms_user(str(one.get("ext_user_id")))}


def instance_of(body: dict[str, Any]) -> int:
    return int(body["data"]["metadata"]["analytics_callback_url"].rpartition("=")[2])


@pytest.fixture
def site() -> Any:
    bodies = recorded()
    seeds = {instance_of(body): body["meeting_id"].partition("-")[0] for body in bodies}
    with moodle(SECRET, {number: Activity(seed, rules=RULES[number]) for number, seed in seeds.items()}) as running:
        running.clock = lambda: (ENDED + MINUTE_MS) / 1000
        yield running


def here(body: dict[str, Any], site: Moodle) -> bytes:
    """The body as this site would have been sent it."""
    return json.dumps(body).replace(CAPTURED_AT, site.base).encode()


async def stock_script(site: Moodle, bodies: list[dict[str, Any]], rng: Random) -> None:
    """Everything once, guests and all; whatever comes back, it does not try again."""
    async with httpx.AsyncClient(trust_env=False) as http:
        for body in bodies:
            await asyncio.sleep(rng.uniform(0, 0.12))
            headers = {"Authorization": f"Bearer {token(SECRET, ENDED)}", "Content-Type": "application/json"}
            await http.post(site.url(instance_of(body)), content=here(body, site), headers=headers)


def credited(site: Moodle, internal: str) -> Counter[int]:
    """How often each user was credited for this meeting, under its own id or one that extends it."""
    return Counter(row.user for row in site.rows if row.log == "Summary" and row.meta["recordid"].startswith(internal))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who_is_first", ["we", "the stock script", "a race 1", "a race 2", "a race 3"])
def test_every_lms_user_is_credited_exactly_once(site: Moodle, who_is_first: str) -> None:
    rng, clock, pool = Random(who_is_first), Clock(ENDED + MINUTE_MS), make_pool()
    bodies = recorded()
    connect(pool, SECRET)
    documents = [keep_callback(here(body, site), pool.name, received_at=ENDED, pool=pool.pk) for body in bodies]
    append_and_fold([document.arrival for document in documents])
    rng.shuffle(bodies)

    async def both() -> None:
        theirs = stock_script(site, bodies, rng)
        ours = Worker(clock).work(ticks=40)
        if who_is_first == "we":
            await ours
            await theirs
        elif who_is_first == "the stock script":
            await theirs
            await ours
        else:
            await asyncio.gather(theirs, ours)

    asyncio.run(both())
    states = Counter(row.state for row in Delivery.objects.all())
    assert set(states) <= {State.SENT, State.FOREIGN}
    assert sum(states.values()) == len(bodies)
    if who_is_first == "we":
        assert states[State.SENT] == len(bodies)
    else:
        repair_what_the_stock_script_broke(site, bodies, clock)
    for body in bodies:
        counts = credited(site, body["internal_meeting_id"])
        assert set(counts) - {0} == lms_users(body), body["internal_meeting_id"]
        if len(body["data"]["attendees"]) == len({one["ext_user_id"] for one in body["data"]["attendees"]}):
            assert {counts[user] for user in lms_users(body)} == {1}, body["internal_meeting_id"]


def repair_what_the_stock_script_broke(site: Moodle, bodies: list[dict[str, Any]], clock: Clock) -> None:
    """A person sees what is foreign, looks into Moodle who is missing, and sends these."""
    repaired = 0
    for body in bodies:
        internal = body["internal_meeting_id"]
        missing = lms_users(body) - set(credited(site, internal))
        row = Delivery.objects.get(meeting__internal_meeting_id=internal)
        assert not missing or row.state == State.FOREIGN, "nothing is missing where ours was first"
        if missing:
            summary = Summary.objects.select_related("meeting__pool").get(meeting=row.meeting_id)
            by_hand.repair(summary, [str(user) for user in missing], clock.now)
            repaired += 1
    asyncio.run(Worker(clock).work(ticks=20))
    assert Delivery.objects.filter(revision=1, state=State.SENT).count() == repaired


@pytest.mark.django_db(transaction=True)
def test_with_the_stock_script_diverted_nothing_is_left_to_a_person(site: Moodle) -> None:
    clock, pool, bodies = Clock(ENDED + MINUTE_MS), make_pool(), recorded()
    connect(pool, SECRET)
    Pool.objects.filter(pk=pool.pk).update(relays=True)
    for body in bodies:
        append_and_fold([keep_callback(here(body, site), pool.name, received_at=ENDED, pool=pool.pk).arrival])
    site.faults = ["503", "close-after", "close-before", "502-after", "500"]
    asyncio.run(Worker(clock).work(ticks=60, step_ms=5 * MINUTE_MS))
    assert {row.state for row in Delivery.objects.all()} <= {State.SENT, State.ALREADY}
    for body in bodies:
        assert dict(credited(site, body["internal_meeting_id"])) == dict.fromkeys(lms_users(body), 1)
