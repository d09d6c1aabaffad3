"""From a whole record, by the fold, to Moodle: nothing between is made up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from io import BytesIO
from xml.sax.saxutils import quoteattr

import pytest

from rollcall.bbb.documents import keep_callback, keep_recording
from rollcall.derive.rebuild import demand
from rollcall.feed.feed import Arrival
from rollcall.store.connections import Pool
from rollcall.store.outbox import Delivery, State
from tests.bbb.recorded import CREATED, MEETING, SMALL_CLASS, callback, events_xml
from tests.deliveries.world import HOUR_MS, MINUTE_MS, SECRET, Clock, Worker, connect
from tests.derive.log import append_and_fold, fold_everything
from tests.makers import make_pool
from tests.moodle import Activity, Moodle, moodle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock() -> Clock:
    return Clock(CREATED + HOUR_MS)


@pytest.fixture
def site(clock: Clock) -> Iterator[Moodle]:
    """The Moodle of the small class: its external id names seed, course and instance."""
    with moodle(SECRET, {12: Activity("5d2f0c1a", course=7)}) as running:
        running.clock = lambda: clock.now / 1000
        yield running


@pytest.fixture
def pool() -> Pool:
    found: Pool = make_pool()
    connect(found, SECRET)
    return found


def recording(site: Moodle, pool: Pool) -> Arrival:
    content = events_xml(*SMALL_CLASS, metadata=f"analytics-callback-url={quoteattr(site.url(12))}")
    return keep_recording(BytesIO(content), pool.name, received_at=CREATED, pool=pool.pk).arrival


def report(site: Moodle, pool: Pool) -> Arrival:
    body = callback()
    body["data"]["metadata"]["analytics_callback_url"] = site.url(12)
    return keep_callback(json.dumps(body).encode(), pool.name, received_at=CREATED, pool=pool.pk).arrival


def work(clock: Clock, ticks: int = 3) -> None:
    asyncio.run(Worker(clock).work(ticks, MINUTE_MS))


@pytest.mark.parametrize("document", [recording, report])
def test_the_address_is_found_in_every_kind_of_record(site: Moodle, pool: Pool, clock: Clock, document: object) -> None:
    append_and_fold([document(site, pool)])  # type: ignore[operator]
    work(clock)
    assert Delivery.objects.get().state == State.SENT
    assert dict(site.credited(12)) == {4711: 1}, "JohnDoe-9 and the caller are nobody to Moodle"
    (request,) = site.deliveries()
    body = json.loads(request.body)
    assert body["internal_meeting_id"] == MEETING
    # A callback tells whole seconds: one of them may not have been attended.
    assert body["data"]["attendees"][0]["duration"] == (1764 if document is recording else 1763)
    assert body["data"]["attendees"][0]["moderator"] is True


def test_a_second_record_and_a_rebuild_send_nothing(site: Moodle, pool: Pool, clock: Clock) -> None:
    append_and_fold([report(site, pool)])
    work(clock)
    append_and_fold([recording(site, pool)])
    demand()
    fold_everything()
    work(clock)
    assert len(site.deliveries()) == 1
    assert Delivery.objects.get().state == State.SENT


def test_a_damaged_recording_is_not_a_whole_record(site: Moodle, pool: Pool, clock: Clock) -> None:
    content = events_xml(*SMALL_CLASS[:-1], metadata=f"analytics-callback-url={quoteattr(site.url(12))}")
    damaged = keep_recording(BytesIO(content[: len(content) // 2]), pool.name, received_at=CREATED, pool=pool.pk)
    append_and_fold([damaged.arrival])
    work(clock)
    assert site.requests == []
    append_and_fold([report(site, pool)])
    work(clock)
    assert Delivery.objects.get().state == State.SENT
