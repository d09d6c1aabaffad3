"""Signing in: with a password, with a link, not at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.makers import operator

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture
def ada(django_user_model: Any) -> Any:
    return operator(django_user_model, "ada", password=PASSWORD)


def sign_in(client: Client, password: str = PASSWORD, name: str = "ada", **more: str) -> Any:
    return client.post("/login", {"username": name, "password": password, **more})


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/meetings",
        "/meetings/1",
        "/meetings/1/facts",
        "/people",
        "/people/" + "0" * 32,
        "/servers",
        "/meetings.csv",
        "/attendance.csv",
    ],
)
def test_a_page_sends_whoever_is_not_signed_in_to_the_form_and_back(client: Client, ada: Any, path: str) -> None:
    response = client.get(path + "?name=x", headers={"accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 302
    assert response["Location"].startswith("/login?next=")
    form = client.get(response["Location"])
    assert form.status_code == 200
    assert f'value="{path}?name=x"'.encode() in form.content
    assert sign_in(client, next=path + "?name=x")["Location"] == path + "?name=x"


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/meetings.json", "application/json", 401),
        ("/people.json", "*/*", 401),
        ("/attendances.csv", "*/*", 401),
        ("/meetings/1.pdf", "application/pdf", 401),
        ("/meetings/1/watch", "application/json", 403),
    ],
)
def test_a_program_is_told_that_it_is_not_signed_in(client: Client, path: str, accept: str, status: int) -> None:
    response = client.get(path, headers={"accept": accept})

    assert response.status_code == status
    assert ("WWW-Authenticate" in response) == (status == 401)
    assert response.json() == {
        "code": "signed-out",
        "message": "You are not signed in.",
        "hint": "Sign in and try again.",
    }


def test_a_password_opens_the_pages_until_signing_out(client: Client, ada: Any) -> None:
    assert sign_in(client)["Location"] == "/"
    assert client.get("/meetings").status_code == 200
    assert client.get("/login").status_code == 302
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/meetings").status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example.org/", "//evil.example.org", "javascript:alert(1)"])
def test_the_form_leads_to_no_other_site(client: Client, ada: Any, elsewhere: str) -> None:
    assert sign_in(client, next=elsewhere)["Location"] == "/"


def test_a_wrong_password_does_not_say_what_was_wrong(client: Client, ada: Any) -> None:
    wrong, nobody = sign_in(client, "wrong"), sign_in(client, name="nobody")

    assert wrong.status_code == nobody.status_code == 200
    assert b"do not go together" in wrong.content
    assert wrong.content.count(b"alert") == nobody.content.count(b"alert")


def test_after_ten_wrong_passwords_the_account_waits(client: Client, ada: Any) -> None:
    for _ in range(10):
        assert sign_in(client, "wrong").status_code == 200

    refused = sign_in(client)
    assert refused.status_code == 429
    assert b"Wait five minutes" in refused.content
    assert client.get("/meetings").status_code == 302
    # Nor does writing the name otherwise help, or trying others from there.
    assert sign_in(client, name="ADA").status_code == 429
    assert sign_in(client, name="emmy").status_code == 429
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), name="emmy").status_code == 200


def test_a_right_password_forgives_the_wrong_ones(client: Client, ada: Any) -> None:
    for _ in range(3):
        for _ in range(3):
            sign_in(client, "wrong")
        assert sign_in(client).status_code == 302
        client.post("/logout")


def test_behind_a_proxy_one_address_locks_out_no_other(ada: Any) -> None:
    assert ada.pk
    near = Client(headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
    for number in range(10):
        sign_in(near, "wrong", name=f"nobody-{number}")
    assert sign_in(near).status_code == 429
    assert sign_in(Client(headers={"X-Forwarded-For": "203.0.113.9, 203.0.113.10"})).status_code == 302


def test_a_form_of_another_site_signs_nobody_in(ada: Any) -> None:
    response = sign_in(Client(enforce_csrf_checks=True))

    assert response.status_code == 403
    assert b"The form was too old" in response.content


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_link_signs_in_once(client: Client, ada: Any) -> None:
    from rollcall.web.sign_in import make_link

    link = make_link(ada)

    assert client.get(link)["Location"] == "/"
    assert client.get("/meetings").status_code == 200
    again = Client().get(link)
    assert again.status_code == 403
    assert b"This link has been used or is too old." in again.content


def test_using_one_link_ends_the_others(client: Client, ada: Any) -> None:
    from rollcall.web.sign_in import make_link

    first, second = make_link(ada), make_link(ada)
    client.get(first)

    assert Client().get(second).status_code == 403


def test_a_link_grows_old(client: Client, ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.web import sign_in

    link = sign_in.make_link(ada)
    monkeypatch.setattr(sign_in, "LINK_SECONDS", -1)

    assert client.get(link).status_code == 403


def test_a_link_of_a_removed_or_closed_account_opens_nothing(client: Client, ada: Any) -> None:
    from rollcall.web.sign_in import make_link

    link = make_link(ada)
    ada.is_active = False
    ada.save()
    assert client.get(link).status_code == 403
    ada.delete()
    assert client.get(link).status_code == 403


def test_a_new_password_ends_a_link(client: Client, ada: Any) -> None:
    from rollcall.web.sign_in import make_link

    link = make_link(ada)
    ada.set_password("another long password")
    ada.save()

    assert client.get(link).status_code == 403


@pytest.mark.parametrize("token", ["x", "WzEsIngiXQ:1xUyLV:aaaa", "é", "%00", "a" * 10_000])
def test_a_made_up_link_opens_nothing(client: Client, ada: Any, token: str) -> None:
    assert client.get(f"/login/link/{token}").status_code == 403


def test_a_browser_that_looks_ahead_does_not_use_the_link_up(client: Client, ada: Any) -> None:
    from rollcall.web.sign_in import make_link

    link = make_link(ada)

    assert client.get(link, headers={"sec-purpose": "prefetch;prerender"}).status_code == 503
    assert client.get(link).status_code == 302


def test_of_two_who_use_a_link_at_once_one_gets_in(ada: Any) -> None:
    from rollcall.web.sign_in import _user_of, make_link

    token = make_link(ada).rpartition("/")[2]

    assert [_user_of(token), _user_of(token)] == [ada, None]


def test_the_first_page_is_the_overview(client: Client, ada: Any) -> None:
    client.force_login(ada)

    assert b"<h1>Overview</h1>" in client.get("/").content
