"""What is switched off is answered at the door, and not asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rollcall.bbb import servers
from rollcall.bbb.registered import Registered
from rollcall.store.connections import Hook, Pool
from tests.bbb.test_webhook import CALLBACK, Caller, element, form, signature
from tests.makers import make_pool

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_webhook_of_a_server_that_is_off_is_acknowledged_and_not_kept() -> None:
    caller = Caller(replace(CALLBACK, is_captured=False))
    body = form(element())
    assert asyncio.run(caller.post(body, signature(body))) == 200
    assert caller.feed.items == []
    assert "capture is switched off" in caller.text


def test_one_that_is_not_signed_is_still_refused() -> None:
    caller = Caller(replace(CALLBACK, is_captured=False))
    assert asyncio.run(caller.post(form(element()), "checksum=00")) == 403


def test_the_creation_says_where_its_meeting_belongs() -> None:
    caller = Caller()
    created = element("meeting-created")
    address = "https://moodle.example.org/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events&bigbluebuttonbn=7"
    created["data"]["attributes"]["meeting"]["metadata"] = {"analytics-callback-url": address}
    body = form(created, element())
    assert asyncio.run(caller.post(body, signature(body))) == 200
    first, second = caller.arrivals
    site = "https://moodle.example.org"
    assert first.belongs_to == (site, (site, "42", "7"))
    assert second.belongs_to is None


def test_a_server_that_is_off_is_not_watched() -> None:
    make_pool()
    assert len(servers.claim("worker", 60_000)) == 1
    Pool.objects.update(is_captured=False)
    assert servers.claim("worker", 60_000) == []


def test_the_door_learns_of_the_switch() -> None:
    pool = make_pool()
    pool.is_captured = False
    pool.save()
    Hook.objects.create(server=pool.server, registered_url=CALLBACK.url, token="t", added_at=0)
    ((callback,),) = Registered()._load().by_token.values()
    assert not callback.is_captured
