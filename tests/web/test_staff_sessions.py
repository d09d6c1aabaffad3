"""Where an account is signed in: seen, ended from elsewhere, and over after a time."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from rollcall.store.accounts import StaffSession
from rollcall.store.staff_sessions import end_sessions, sessions_of
from rollcall.web import staff_sessions
from rollcall.web.sign_in import make_link
from tests.makers import operator

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
HOUR = 3_600_000


@pytest.fixture
def ada(django_user_model: Any) -> Any:
    return operator(django_user_model, "ada", password=PASSWORD)


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def is_in(client: Client) -> bool:
    return client.get("/meetings").status_code == 200


def test_each_way_of_signing_in_is_a_session_of_its_own(ada: Any) -> None:
    by_password, by_link = Client(), Client()
    by_password.post("/login", {"username": "ada", "password": PASSWORD})
    ada.refresh_from_db()
    by_link.get(make_link(ada))

    assert is_in(by_password)
    assert is_in(by_link)
    assert len(sessions_of(ada)) == 2


def test_a_row_holds_nothing_of_the_browser_and_not_the_key_that_opens_it(ada: Any) -> None:
    client = browser(ada)
    row = StaffSession.objects.values().get()

    assert set(row) == {"id", "user_id", "key", "made_at", "seen_at"}
    assert row["key"] is not None
    assert str(client.session.session_key).encode() not in bytes(row["key"])


def test_a_session_without_its_row_is_out_at_once_and_stays_out(ada: Any) -> None:
    one, other = browser(ada), browser(ada)
    assert is_in(one)
    StaffSession.objects.order_by("pk")[:1].get().delete()

    assert not is_in(one)
    assert not is_in(one)
    assert is_in(other)


def test_signing_out_ends_the_row(ada: Any) -> None:
    client = browser(ada)
    client.post("/logout")

    assert not sessions_of(ada)


def test_signing_in_as_somebody_else_ends_the_session_of_the_first(ada: Any, django_user_model: Any) -> None:
    emmy = operator(django_user_model, "emmy")
    client = browser(ada)
    client.get(make_link(emmy))

    assert not sessions_of(ada)
    assert len(sessions_of(emmy)) == 1
    assert is_in(client)


def test_all_but_one_are_ended(ada: Any) -> None:
    here, there, elsewhere = browser(ada), browser(ada), browser(ada)
    kept = StaffSession.objects.order_by("pk")[0]

    assert end_sessions(ada, but=kept) == 2
    assert [is_in(one) for one in (here, there, elsewhere)] == [True, False, False]


@pytest.mark.parametrize(("hours", "lasts"), [(11, True), (13, False)])
def test_whoever_did_nothing_for_half_a_day_is_signed_out(
    ada: Any, monkeypatch: pytest.MonkeyPatch, hours: int, lasts: bool
) -> None:
    client = browser(ada)
    later = staff_sessions.now_ms() + hours * HOUR
    monkeypatch.setattr(staff_sessions, "now_ms", lambda: later)

    assert is_in(client) is lasts
    assert StaffSession.objects.exists() is lasts


def test_after_two_weeks_it_is_over_however_much_it_was_used(ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, now = browser(ada), staff_sessions.now_ms()
    for hours in range(10, 14 * 24, 10):
        monkeypatch.setattr(staff_sessions, "now_ms", lambda at=now + hours * HOUR: at)
        assert is_in(client)
    monkeypatch.setattr(staff_sessions, "now_ms", lambda: now + 14 * 24 * HOUR)
    assert not is_in(client)


def test_it_is_known_to_the_minute_when_it_was_last_used(ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(ada)
    later = staff_sessions.now_ms() + HOUR
    monkeypatch.setattr(staff_sessions, "now_ms", lambda: later)
    is_in(client)

    assert StaffSession.objects.get().seen_at == later // 60_000 * 60_000
