"""What goes wrong is said in a sentence, to people and to programs, and gives nothing away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from rollcall import urls
from rollcall.core.errors import Misconfigured, Refused, Unavailable
from rollcall.lti import visits
from rollcall.lti.entering import COOKIE
from tests.makers import operator

pytestmark = pytest.mark.django_db

RAISED: dict[str, Exception] = {
    "refused": Refused("That will not do.", code="will-not-do", hint="Do this instead."),
    "unavailable": Unavailable("Not now.", hint="Later."),
    "misconfigured": Misconfigured("Something is set wrongly.", hint="Set it rightly."),
    "database": OperationalError("could not connect to server at 10.0.0.7 as rollcall"),
    "fault": RuntimeError("Ada Lovelace has id 7"),
}


def fail(request: HttpRequest, what: str) -> HttpResponse:
    raise RAISED[what]


handler500 = urls.handler500


@pytest.fixture
def visitor(django_user_model: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(
        urls, "urlpatterns", [*urls.urlpatterns, path("fail/<str:what>", fail), path("fail/<str:what>.json", fail)]
    )
    from django.urls import clear_url_caches

    clear_url_caches()
    client = Client(raise_request_exception=False)
    client.force_login(operator(django_user_model, "teacher"))
    yield client
    clear_url_caches()


@pytest.mark.parametrize(
    ("what", "status", "sentence"),
    [
        ("refused", 400, "That will not do."),
        ("unavailable", 503, "Not now."),
        ("misconfigured", 500, "Something is set wrongly."),
        ("database", 503, "The database does not answer just now."),
        ("fault", 500, "Rollcall met a fault of its own."),
    ],
)
def test_an_error_is_a_sentence_and_what_to_do(visitor: Client, what: str, status: int, sentence: str) -> None:
    response = visitor.get(f"/fail/{what}")

    assert response.status_code == status
    assert sentence.encode() in response.content
    assert b"<main" in response.content
    told = visitor.get(f"/fail/{what}", headers={"accept": "application/json"})
    assert told.status_code == status
    assert set(told.json()) == {"code", "message", "hint"}
    assert told.json()["message"] == sentence
    assert told.json()["hint"]
    for secret in (b"Ada", b"10.0.0.7", b"Traceback", b"RuntimeError"):
        assert secret not in response.content
        assert secret not in told.content


def test_the_page_of_an_error_needs_no_database(visitor: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # the session, its row with the account, and the user, before the error
        assert visitor.get("/fail/database").status_code == 503


@pytest.mark.parametrize(
    "address",
    [
        "/meetings",
        "/",
        "/login",
        f"/in/{visits.name_of('x')}/meetings",
        "/in/1.2.x/meetings",
        "/lti/login?iss=a&login_hint=b&target_link_uri=c",
    ],
)
def test_where_no_database_answers_there_is_still_a_page(visitor: Client, address: str) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("could not connect to server at 10.0.0.7 as rollcall")

    visitor.cookies[COOKIE] = "x"
    with connection.execute_wrapper(gone):
        response = visitor.get(address)
    assert response.status_code == 503
    assert b"The database does not answer just now." in response.content
    assert b"10.0.0.7" not in response.content


def test_an_address_that_is_none_says_so(visitor: Client) -> None:
    assert b"There is no such page." in visitor.get("/nope").content
    assert visitor.get("/nope.json").json()["code"] == "not-found"
    assert Client().get("/nope").status_code == 404


def test_a_host_that_is_not_ours_is_refused(visitor: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["rollcall.example.org"]

    response = visitor.get("/meetings", headers={"host": "evil.example.org"})
    assert response.status_code == 400
    assert b"The request could not be understood." in response.content


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_pages_are_only_read(visitor: Client, method: str) -> None:
    assert getattr(visitor, method)("/meetings").status_code == 405


def test_an_address_of_a_form_that_is_opened_again_has_a_page(client: Client, django_user_model: Any) -> None:
    client.force_login(operator(django_user_model, "ada"))

    response = client.get("/logout")

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "load it again" in response.content.decode()
