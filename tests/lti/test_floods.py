"""Anybody may begin a launch: what that may cost, and what is forgotten of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from rollcall.derive import invitations
from rollcall.lti import login
from rollcall.lti.refusals import LaunchRefused
from rollcall.store import retention
from rollcall.store.platforms import Invitation, PendingLaunch
from rollcall.web.lti import launching
from tests.lti.standin import LAUNCH, NOW, StandIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def stand_in() -> StandIn:
    here = StandIn()
    here.register()
    return here


def begin(stand_in: StandIn, now: int = NOW, **changes: Any) -> str:
    """The code it is refused with; blank where it is begun."""
    try:
        login.begin(stand_in.initiation(**changes), now)
    except LaunchRefused as error:
        return error.code
    return ""


def test_a_target_is_as_long_as_a_target_may_be(stand_in: StandIn) -> None:
    longest = f"{LAUNCH}?".ljust(2000, "x")
    assert begin(stand_in, target_link_uri=longest) == ""
    assert begin(stand_in, target_link_uri=f"{longest}x") == "form-too-big"
    assert PendingLaunch.objects.count() == 1


def test_of_many_launches_the_newest_wait(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST_LAUNCHES", 2)
    other = StandIn(client_id="another")
    other.register()
    begin(other)
    for later in range(4):
        assert begin(stand_in, NOW + later) == ""
    retention.forget_launches(NOW + 5)
    assert list(PendingLaunch.objects.order_by("pk").values_list("platform__client_id", "expires_at")) == [
        ("another", NOW + login.LIFETIME_MS),
        (stand_in.client_id, NOW + login.LIFETIME_MS + 2),
        (stand_in.client_id, NOW + login.LIFETIME_MS + 3),
    ]


def test_one_address_begins_so_many_in_a_minute(
    client: Client, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(launching, "MOST_IN_A_MINUTE", 2)
    monkeypatch.setattr(launching, "_now", lambda: NOW)
    form = {name: values[0] for name, values in stand_in.initiation().items()}

    def status(address: str) -> int:
        return client.post("/lti/login", form, HTTP_X_FORWARDED_FOR=address).status_code

    assert [status("93.184.215.14") for _ in range(3)] == [302, 302, 429]
    assert status("93.184.215.15") == 302
    of_one_subscriber = [f"2606:2800:21f:cb07:{host}::1" for host in ("a", "b", "c")]
    assert [status(address) for address in of_one_subscriber] == [302, 302, 429]
    assert [status("10.0.0.7") for _ in range(3)] == [302, 302, 302], "perhaps a proxy, before which everybody stands"
    assert [status(odd) for odd in ("", "x", "1.2.3")] == [302, 302, 302]
    cache.clear()


def test_what_was_used_is_forgotten_soon_and_what_is_too_late_a_little_later(stand_in: StandIn) -> None:
    begin(stand_in)
    PendingLaunch.objects.update(used_at=NOW)
    begin(stand_in, NOW + 1)
    retention.forget_launches(NOW + retention.MINUTE_MS)
    assert PendingLaunch.objects.count() == 2
    retention.forget_launches(NOW + retention.MINUTE_MS + 1)
    assert PendingLaunch.objects.get().used_at is None
    retention.forget_launches(NOW + login.LIFETIME_MS + retention.LAUNCH_KEPT_MS + 2)
    assert not PendingLaunch.objects.exists()


def test_a_login_forgets_nothing_itself(stand_in: StandIn) -> None:
    begin(stand_in)
    begin(stand_in, NOW + 10 * retention.DAY_MS)
    assert PendingLaunch.objects.count() == 2


def test_old_invitations_are_forgotten(stand_in: StandIn) -> None:
    from rollcall.store.platforms import Platform

    invitations.invite(Platform.objects.get().organisation, [], now=NOW)
    over = NOW + invitations.LIFETIME_MS + retention.INVITATION_KEPT_MS
    retention.forget(over)
    assert Invitation.objects.exists()
    retention.forget(over + 1)
    assert not Invitation.objects.exists()
