"""A launch over the pages it really takes: from the LMS's form to a page of Rollcall."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from rollcall.store.audit import AuditEntry
from rollcall.store.keys import person_key
from rollcall.store.organisations import Licence
from rollcall.store.platforms import Context
from tests.lti.standin import ADMINISTRATORS, LAUNCH, MEMBERSHIP, REMOVED, StandIn
from tests.lti.test_refused_launches import DEEP, SETTINGS

pytestmark = pytest.mark.django_db


def begun(client: Client, stand_in: StandIn, method: str = "post") -> str:
    """Where the browser is sent for a token."""
    form = {name: values[0] for name, values in stand_in.initiation().items()}
    response = getattr(client, method)("/lti/login", form)
    assert response.status_code == 302
    return str(response["Location"])


def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_launch_ends_in_a_page(client: Client, method: str) -> None:
    stand_in = StandIn()
    stand_in.register(keys_fetched_at=now())
    asked = stand_in.authenticate(begun(client, stand_in, method))
    token = stand_in.sign(stand_in.claims(asked.nonce, now(), roles=[f"{MEMBERSHIP}#Instructor"]))
    response = client.post("/lti/launch", {"id_token": token, "state": asked.state})
    assert response.status_code == 303
    assert response["Location"].startswith("/in/")


def test_what_is_refused_is_said_in_a_page_with_its_code(client: Client) -> None:
    stand_in = StandIn()
    stand_in.register(keys_fetched_at=now())
    asked = stand_in.authenticate(begun(client, stand_in))
    token = stand_in.sign(stand_in.claims("another nonce", now()))
    response = client.post("/lti/launch", {"id_token": token, "state": asked.state}, HTTP_ACCEPT_LANGUAGE="en")
    assert response.status_code == 401
    assert b'<code dir="ltr">nonce</code>' in response.content
    assert token.encode() not in response.content


def test_the_key_set_may_be_cached_and_holds_no_private_key(client: Client) -> None:
    response = client.get("/lti/keys")
    assert response["Cache-Control"] == "public, max-age=3600"
    (key,) = response.json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}


def test_a_token_without_a_launch_that_was_begun_is_refused(client: Client) -> None:
    stand_in = StandIn()
    stand_in.register(keys_fetched_at=now())
    token = stand_in.sign(stand_in.claims("nonce", now()))
    response = client.post("/lti/launch", {"id_token": token, "state": "made up"})
    assert (response.status_code, b"state-unknown" in response.content) == (401, True)
    assert LAUNCH.encode() not in response.content


def landed(client: Client, stand_in: StandIn, **changes: Any) -> str:
    """The page a launch leads to, below what stands for the visit."""
    asked = stand_in.authenticate(begun(client, stand_in))
    token = stand_in.sign(stand_in.claims(asked.nonce, now(), **changes))
    response = client.post("/lti/launch", {"id_token": token, "state": asked.state})
    assert response.status_code == 303, response.content.decode()
    return "/" + response["Location"].split("/", 3)[3]


@pytest.mark.parametrize("role", ["Instructor", "Learner"])
def test_a_link_of_one_activity_leads_each_to_it(client: Client, role: str) -> None:
    stand_in = StandIn()
    stand_in.register(keys_fetched_at=now())
    place, _, query = landed(client, stand_in, roles=[role], custom={"activity": "5f" * 16}).partition("?")
    assert query == f"meeting={'5f' * 16}"
    assert place.startswith("/meetings" if role == "Instructor" else "/people/")
    assert landed(client, stand_in, roles=[role], custom={"activity": "../x"}).startswith(("/courses/", "/people/"))


def test_a_review_leads_to_the_person(client: Client) -> None:
    stand_in = StandIn()
    platform = stand_in.register(keys_fetched_at=now())
    place = landed(
        client, stand_in, message_type="LtiSubmissionReviewRequest", roles=["Instructor"], for_user={"user_id": "9"}
    )
    assert place == f"/people/{person_key(platform.site, '9', platform.organisation_id).hex()}"


def test_a_launch_is_in_the_audit_log(client: Client) -> None:
    stand_in = StandIn()
    platform = stand_in.register(keys_fetched_at=now())
    landed(client, stand_in)
    entry = AuditEntry.objects.get(action="launched")
    assert (entry.actor, entry.role, entry.platform) == ("4", "learner", platform.pk)


def test_without_a_licence_nobody_comes_in_and_hears_it_in_their_language(client: Client) -> None:
    stand_in = StandIn()
    stand_in.register(keys_fetched_at=now())
    Licence.objects.update(ends_at=now() - 1)
    asked = stand_in.authenticate(begun(client, stand_in))
    token = stand_in.sign(stand_in.claims(asked.nonce, now()))
    response = client.post("/lti/launch", {"id_token": token, "state": asked.state}, HTTP_ACCEPT_LANGUAGE="en")
    assert response.status_code == 403
    assert ('lang="de"' in response.content.decode(), response["Content-Language"]) == (True, "de")
    assert not Context.objects.exists()


def test_without_a_licence_an_administrator_reads_of_it_and_of_nothing_else(client: Client) -> None:
    stand_in = StandIn()
    stand_in.register(keys_fetched_at=now())
    Licence.objects.update(ends_at=now() - 1)
    asked = stand_in.authenticate(begun(client, stand_in))
    token = stand_in.sign(stand_in.claims(asked.nonce, now(), roles=list(ADMINISTRATORS), context=REMOVED))
    entered = client.post("/lti/launch", {"id_token": token, "state": asked.state})
    assert entered["Location"].endswith("/licence")
    prefix = entered["Location"].removesuffix("/licence")
    assert client.get(f"{prefix}/licence", HTTP_ACCEPT_LANGUAGE="en").status_code == 200
    for page in ("/", "/meetings", "/people", "/meetings.csv"):
        assert client.get(prefix + page).status_code == 403


def test_without_a_licence_an_administrator_chooses_nothing(client: Client) -> None:
    stand_in = StandIn()
    stand_in.register(keys_fetched_at=now())
    Licence.objects.update(ends_at=now() - 1)
    asked = stand_in.authenticate(begun(client, stand_in))
    chosen = DEEP | {"roles": list(ADMINISTRATORS), "deep_linking_settings": SETTINGS}
    token = stand_in.sign(stand_in.claims(asked.nonce, now(), **chosen))
    assert client.post("/lti/launch", {"id_token": token, "state": asked.state}).status_code == 403
