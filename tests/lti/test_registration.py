"""Dynamic Registration: against a stand-in that answers as Moodle was seen to, its faults too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from rollcall.core.errors import RollcallError
from rollcall.derive import invitations, platforms, rebuild
from rollcall.derive.rows import FOLD_VERSION
from rollcall.lti import messages, registration
from rollcall.lti.refusals import LaunchRefused
from rollcall.lti.registration import Registration
from rollcall.store.audit import AuditEntry
from rollcall.store.derived import Summary
from rollcall.store.organisations import Licence, Organisation
from rollcall.store.platforms import Invitation, Platform
from tests import makers
from tests.lti.captured import captured
from tests.lti.standin import LAUNCH, NOW, TOOL, StandIn

pytestmark = pytest.mark.django_db

CONFIGURATION = "/mod/lti/openid-configuration.php"
REGISTRATION = "/mod/lti/openid-registration.php"
JSON = "application/json; charset=utf-8"


@pytest.fixture
def moodle(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A Moodle on loopback, which the operator allows."""
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    here = StandIn()
    with here.serving() as base:
        here.answers[CONFIGURATION] = (200, JSON, json.dumps(configuration(base)).encode())
        here.answers[REGISTRATION] = (200, JSON, json.dumps(answer()).encode())
        yield here


def configuration(base: str, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": base,
        "token_endpoint": f"{base}/mod/lti/token.php",
        "jwks_uri": f"{base}/mod/lti/certs.php",
        "authorization_endpoint": f"{base}/mod/lti/auth.php",
        "registration_endpoint": f"{base}{REGISTRATION}",
        "scopes_supported": [*messages.SCOPES, "openid"],
        messages.PLATFORM_CONFIGURATION: {
            "product_family_code": "moodle",
            "version": "4.5.6 (Build: 20250811)",
            "variables": ["Context.id", "Moodle.Person.userGroupIds"],
        },
    } | changes


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "client_id": "WunwbSNs1tor1LR",
        messages.TOOL_CONFIGURATION: {"version": "1.3.0", "deployment_id": "2", "target_link_uri": LAUNCH},
    } | changes


@pytest.fixture
def organisation() -> Organisation:
    made = Organisation.objects.create(name="Uni", added_at=NOW)
    Licence.objects.create(organisation=made, starts_at=0, added_at=NOW)
    return made


def invited(organisation: Organisation, *pools: Any) -> str:
    import time

    return invitations.invite(organisation, list(pools), now=time.time_ns() // 1_000_000).removeprefix(TOOL)


def query(moodle: StandIn, token: str = "eyJ.eyJ.sig") -> dict[str, str]:
    return {"openid_configuration": f"{moodle.base}{CONFIGURATION}", "registration_token": token}


def posted(moodle: StandIn) -> list[tuple[str, str, dict[str, str], bytes]]:
    return [one for one in moodle.taken if one[0] == "POST"]


def test_a_look_registers_nothing_and_the_button_does(
    client: Client, moodle: StandIn, organisation: Organisation
) -> None:
    pool = makers.make_pool()
    address = invited(organisation, pool)
    looked = client.get(address, query(moodle), HTTP_ACCEPT_LANGUAGE="en")
    assert looked.status_code == 200
    assert not posted(moodle)
    assert f"frame-ancestors {moodle.base}" in looked["Content-Security-Policy"]
    done = client.post(address, query(moodle), HTTP_ACCEPT_LANGUAGE="en")
    assert done.status_code == 200
    assert "Activate" in done.content.decode()
    assert f'data-lti-close="{moodle.base}"' in done.content.decode()
    platform = Platform.objects.get()
    assert (platform.issuer, platform.client_id, platform.site) == (moodle.base, "WunwbSNs1tor1LR", moodle.base)
    assert [one.deployment_id for one in platform.deployments.all()] == ["2"]
    assert list(platform.pools.all()) == [pool]
    assert (platform.product, platform.organisation) == ("moodle", organisation)
    assert AuditEntry.objects.filter(subject="platform", actor="registration").exists()


def test_what_is_asked_for_is_what_moodle_takes(client: Client, moodle: StandIn, organisation: Organisation) -> None:
    client.post(invited(organisation), query(moodle, "the.token"))
    ((_method, _path, headers, body),) = posted(moodle)
    assert headers["Authorization"] == "Bearer the.token"
    asked = json.loads(body)
    tool = asked[messages.TOOL_CONFIGURATION]
    assert asked["redirect_uris"] == [LAUNCH]
    assert asked["jwks_uri"] == f"{TOOL}/lti/keys"
    assert asked["token_endpoint_auth_method"] == "private_key_jwt"
    assert (tool["domain"], tool["target_link_uri"]) == ("rollcall.example.org", LAUNCH)
    assert tool["custom_parameters"] == {"groups": "$Moodle.Person.userGroupIds"}
    assert tool["claims"] == ["iss", "sub"]
    assert [one["type"] for one in tool["messages"]] == ["LtiResourceLinkRequest", "LtiDeepLinkingRequest"]


def test_names_are_asked_for_only_where_the_administrator_wants_them(
    client: Client, moodle: StandIn, organisation: Organisation
) -> None:
    client.post(invited(organisation), query(moodle) | {"names": "yes"})
    asked = json.loads(posted(moodle)[0][3])
    assert asked[messages.TOOL_CONFIGURATION]["claims"] == ["iss", "sub", "name", "given_name", "family_name"]


def test_an_invitation_is_used_once_and_by_success_alone(
    client: Client, moodle: StandIn, organisation: Organisation
) -> None:
    address = invited(organisation)
    moodle.answers[REGISTRATION] = (401, "text/html", b"token_already_used")
    assert code(client.post(address, query(moodle))) == (403, "registration-token-used")
    assert Invitation.objects.get().used_at is None
    moodle.answers[REGISTRATION] = (200, "text/html; charset=utf-8", json.dumps(answer()).encode())
    assert client.post(address, query(moodle)).status_code == 200
    assert code(client.post(address, query(moodle))) == (403, "invitation-used")
    assert Platform.objects.count() == 1


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.content.decode().partition('<code dir="ltr">')[2].partition("<")[0]


ANSWERS = {
    "no token": (401, "text/html", b"missing_registration_token", "registration-token"),
    "a token used": (401, "text/html", b"token_already_used", "registration-token-used"),
    "a page of 404": (404, "text/html", b"<!DOCTYPE html><html>Error | TM", "registration-token"),
    "the domain": (400, "text/html", b"domain_targetlinkuri_mismatch", "registration-domain"),
    "the form": (400, "text/html", b"missing required attribute response_types", "registration-refused"),
    "a fault": (500, "text/html", b"", "registration-refused"),
    "a redirect": (302, "text/html", b"http://127.0.0.1:1/", "registration-refused"),
    "no JSON": (200, "application/json", b"<html>", "registration-unreadable"),
    "a list": (200, "application/json", b"[]", "registration-unreadable"),
    "no client id": (200, "application/json", b"{}", "registration-unreadable"),
    "a client id of null": (200, "application/json", b'{"client_id": null}', "registration-unreadable"),
    "a client id with a line": (200, "application/json", b'{"client_id": "a\\nb"}', "registration-unreadable"),
    "too much": (200, "application/json", b" " * 300_000, "registration-unreachable"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_registers_nothing_is_told_in_a_sentence(moodle: StandIn, what: str) -> None:
    status, kind, body, expected = ANSWERS[what]
    moodle.answers[REGISTRATION] = (status, kind, body)
    known = registration.configuration_at(f"{moodle.base}{CONFIGURATION}")
    with pytest.raises(LaunchRefused) as refused:
        registration.register(known, "token", with_names=False)
    assert refused.value.code == expected


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Header: 1", "ä", "x" * 9000])
def test_a_registration_token_is_a_header_and_nothing_more(moodle: StandIn, token: str) -> None:
    known = registration.configuration_at(f"{moodle.base}{CONFIGURATION}")
    with pytest.raises(LaunchRefused) as refused:
        registration.register(known, token, with_names=False)
    assert refused.value.code == "registration-token"
    assert not posted(moodle)


ABOVE = "the host's"
"""For the issuer, where a file of somebody's own lies below it."""

CONFIGURATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"issuer": "https://other.example"}, "configuration-issuer"),
    "an issuer beside it": ({"issuer": "http://127.0.0.1:1/other"}, "configuration-issuer"),
    "an issuer beside it that is no Moodle": (
        {"issuer": "http://127.0.0.1:1/other", messages.PLATFORM_CONFIGURATION: {}},
        "",
    ),
    "an issuer above it": ({"issuer": ABOVE}, "configuration-issuer"),
    "an issuer above it that is no Moodle": ({"issuer": ABOVE, messages.PLATFORM_CONFIGURATION: None}, ""),
    "a Moodle in capitals above it": (
        {"issuer": ABOVE, messages.PLATFORM_CONFIGURATION: {"product_family_code": "Moodle"}},
        "configuration-issuer",
    ),
    "keys on another host that is trusted": ({"jwks_uri": "http://moodle.school.lan/keys"}, ""),
    "an issuer that is a number": ({"issuer": 5}, "configuration-issuer"),
    "no issuer": ({"issuer": None}, "configuration-issuer"),
    "keys elsewhere": ({"jwks_uri": "https://evil.example/keys"}, "configuration-endpoint"),
    "keys in a file": ({"jwks_uri": "file:///etc/passwd"}, "configuration-endpoint"),
    "keys in the network": ({"jwks_uri": "http://10.0.0.1/keys"}, "configuration-endpoint"),
    "a login with a script": ({"authorization_endpoint": "javascript:alert(1)"}, "configuration-endpoint"),
    "no token address": ({"token_endpoint": None}, "configuration-endpoint"),
    "no registration": ({"registration_endpoint": ""}, "configuration-endpoint"),
}


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_a_configuration_speaks_for_its_own_host(moodle: StandIn, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1, moodle.school.lan")
    changes, expected = CONFIGURATIONS[what]
    path = "/~alice/moodle" + CONFIGURATION if changes.get("issuer") == ABOVE else CONFIGURATION
    changes = {name: moodle.base if value == ABOVE else value for name, value in changes.items()}
    body = json.dumps(configuration(moodle.base) | changes).encode()
    moodle.answers[path] = (200, JSON, body)
    if not expected:  # the operator trusts 127.0.0.1, and with it what it says of itself
        assert registration.configuration_at(f"{moodle.base}{path}").issuer == changes.get("issuer", moodle.base)
        return
    with pytest.raises(LaunchRefused) as refused:
        registration.configuration_at(f"{moodle.base}{path}")
    assert refused.value.code == expected


@pytest.mark.parametrize(
    ("url", "issuer", "speaks"),
    [
        ("https://example.org/moodle/mod/lti/openid-configuration.php", "https://example.org/moodle", True),
        ("https://example.org/moodle2/mod/lti/openid-configuration.php", "https://example.org/moodle", False),
        ("https://example.org/mod/lti/openid-configuration.php", "https://example.org", True),
        ("https://example.org.evil.example/openid-configuration", "https://example.org", False),
        ("https://lms.example/.well-known/openid-configuration", "https://lms.example/", True),
        ("http://moodle.school.lan/configuration", "https://moodle.other.example", False),
        ("http://moodle.school.lan/configuration", "http://other.school.lan", True),
        ("https://moodle.other.example/configuration", "http://moodle.school.lan", False),
    ],
)
def test_moodle2_does_not_speak_for_moodle(
    monkeypatch: pytest.MonkeyPatch, url: str, issuer: str, *, speaks: bool
) -> None:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "moodle.school.lan, other.school.lan")
    assert registration._speaks_for(url, issuer) is speaks


@pytest.mark.parametrize(
    "endpoint",
    ["http://moodle.school.lan/keys", "http://127.0.0.1/keys"],
)
def test_an_lms_that_is_not_trusted_names_no_host_that_is(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1, moodle.school.lan")
    with pytest.raises(LaunchRefused) as refused:
        registration._endpoint({"jwks_uri": endpoint}, "jwks_uri", "https://lms.example")
    assert refused.value.code == "configuration-endpoint"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b"<html>", "configuration-unreachable"),
        (302, b"http://127.0.0.1:1/", "configuration-unreachable"),
        (200, b"<html>", "configuration-unreadable"),
        (200, b"[1]", "configuration-unreadable"),
        (200, b"x" * 300_000, "configuration-unreachable"),
    ],
)
def test_a_configuration_that_cannot_be_had(
    client: Client, moodle: StandIn, organisation: Organisation, status: int, body: bytes, expected: str
) -> None:
    moodle.answers[CONFIGURATION] = (status, JSON, body)
    assert code(client.get(invited(organisation), query(moodle)))[1] == expected


@pytest.mark.parametrize(
    "address",
    ["http://10.0.0.1/x", "https://127.0.0.2/x", "file:///etc/passwd", "gopher://moodle.example/", "https://", "x"],
)
def test_an_address_inside_the_network_is_not_asked(
    client: Client, moodle: StandIn, organisation: Organisation, address: str
) -> None:
    response = client.get(invited(organisation), query(moodle) | {"openid_configuration": address})
    assert code(response)[1] in {"configuration-address", "configuration-unreachable"}
    assert not moodle.taken


def test_without_an_invitation_nothing_is_asked(client: Client, moodle: StandIn, organisation: Organisation) -> None:
    assert code(client.get("/lti/register/made-up", query(moodle))) == (404, "invitation-unknown")
    address = invited(organisation)
    Invitation.objects.update(expires_at=1)
    assert code(client.post(address, query(moodle))) == (403, "invitation-expired")
    assert not moodle.taken


def test_a_person_who_opens_the_address_is_told_what_it_is_for(client: Client, organisation: Organisation) -> None:
    assert code(client.get(invited(organisation))) == (400, "configuration-missing")


def test_a_second_registration_of_the_same_tool_changes_the_first(
    client: Client, moodle: StandIn, organisation: Organisation
) -> None:
    client.post(invited(organisation), query(moodle))
    Platform.objects.update(keys="old", keys_fetched_at=NOW)
    tool = {"version": "1.3.0", "deployment_id": "3"}
    moodle.answers[REGISTRATION] = (200, JSON, json.dumps(answer(**{messages.TOOL_CONFIGURATION: tool})).encode())
    client.post(invited(organisation), query(moodle))
    platform = Platform.objects.get()
    assert (platform.keys, [one.deployment_id for one in platform.deployments.order_by("pk")]) == ("", ["2", "3"])


def test_the_site_of_another_organisation_is_refused_before_the_lms_registers_anything(
    client: Client, moodle: StandIn, organisation: Organisation
) -> None:
    client.post(invited(organisation), query(moodle))
    other = Organisation.objects.create(name="Other", added_at=NOW)
    Licence.objects.create(organisation=other, starts_at=0, added_at=NOW)
    moodle.taken.clear()
    assert code(client.post(invited(other), query(moodle))) == (403, "site-taken")
    assert not posted(moodle)


def test_a_full_licence_is_told_before_the_lms_registers_anything(
    client: Client, moodle: StandIn, organisation: Organisation
) -> None:
    address = invited(organisation)
    StandIn(issuer="https://first.example").register(organisation)
    Licence.objects.update(platforms=1)
    assert code(client.post(address, query(moodle))) == (403, "limit-reached")
    assert not posted(moodle)


# -- by hand ---------------------------------------------------------------------------------------------------------

BY_HAND = Registration(
    issuer="https://example.org/moodle",
    client_id="abc",
    authorization_url="https://example.org/moodle/mod/lti/auth.php",
    keys_url="https://example.org/moodle/mod/lti/certs.php",
    deployments=("1",),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"issuer": "http://example.org/moodle"}, "not-an-address"),
        ({"issuer": "moodle"}, "not-an-address"),
        ({"authorization_url": "https://"}, "not-an-address"),
        ({"keys_url": ""}, "no-keys"),
        ({"keys_url": "", "public_key": "hello"}, "bad-key"),
        ({"client_id": ""}, "claim-malformed"),
        ({"site": "ftp://example.org"}, "not-an-address"),
    ],
)
def test_what_cannot_be_registered_by_hand(organisation: Organisation, changes: dict[str, Any], expected: str) -> None:
    from dataclasses import replace

    with pytest.raises(RollcallError) as refused:
        platforms.add(organisation, replace(BY_HAND, **changes), [], now=NOW)
    assert refused.value.code == expected
    assert not Platform.objects.exists()


def test_meetings_of_the_site_are_looked_at_again(organisation: Organisation) -> None:
    pool = makers.make_pool()
    makers.make_meeting(name="Algebra", site="https://example.org/moodle")

    def looked_at_again() -> int:
        while rebuild.mark_rehomed():
            pass
        return Summary.objects.filter(fold_version=rebuild.OWNED_ANEW).update(fold_version=FOLD_VERSION)

    platform = platforms.add(organisation, BY_HAND, [pool], now=NOW)
    assert looked_at_again() == 1
    platforms.detach(platform, pool, now=NOW)
    assert looked_at_again() == 1


def test_a_platform_removed_and_attached_keeps_its_site_from_others(organisation: Organisation) -> None:
    from dataclasses import replace

    pool = makers.make_pool()
    platform = platforms.add(organisation, BY_HAND, [pool], now=NOW)
    platforms.remove(platform, now=NOW)
    other = Organisation.objects.create(name="Other", added_at=NOW)
    Licence.objects.create(organisation=other, starts_at=0, added_at=NOW)
    again = replace(BY_HAND, client_id="theirs")
    with pytest.raises(RollcallError):
        platforms.add(other, again, [], now=NOW)
    platforms.detach(platforms.find(str(platform.pk), with_removed=True), pool, now=NOW)
    assert platforms.add(other, again, [pool], now=NOW).organisation == other


# -- as it was seen --------------------------------------------------------------------------------------------------


def test_the_captured_configuration_is_read(moodle: StandIn) -> None:
    seen = next(
        one["response"]["body"]
        for one in captured("lti-dynamic-registration")["exchanges"]
        if one["note"] == "openid configuration (public)"
    )
    body = json.dumps(seen).replace("http://127.0.0.1:8085", moodle.base).encode()
    moodle.answers[CONFIGURATION] = (200, JSON, body)
    known = registration.configuration_at(f"{moodle.base}{CONFIGURATION}")
    assert known.authorization_url == f"{moodle.base}/mod/lti/auth.php"
    assert registration.scopes_for(known) == messages.SCOPES
    assert registration.custom_for(known)
    assert known.product == "moodle"


def test_each_captured_answer_to_a_registration_is_understood(moodle: StandIn) -> None:
    known = registration.configuration_at(f"{moodle.base}{CONFIGURATION}")
    outcomes = set()
    for one in captured("lti-dynamic-registration")["exchanges"]:
        request, response = one["request"], one["response"]
        if request["method"] != "POST" or REGISTRATION not in request["url"]:
            continue
        body = response["body"]
        text = body if isinstance(body, str) else json.dumps(body)
        moodle.answers[REGISTRATION] = (response["status"], response["headers"]["Content-Type"], text.encode())
        try:
            outcomes.add(registration.register(known, "token", with_names=False).client_id)
        except LaunchRefused as error:
            outcomes.add(error.code)
    assert {"registration-token", "registration-refused", "registration-domain", "registration-token-used"} < outcomes
    assert "WunwbSNs1tor1LR" in outcomes
