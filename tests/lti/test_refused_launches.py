"""Launches that nobody may come in by, each with the code it is refused with; and those that differ and are right."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from rollcall.core.access import Role
from rollcall.lti import launch, login
from rollcall.lti.launch import receive
from rollcall.lti.messages import Message
from rollcall.lti.refusals import LaunchRefused
from rollcall.store.platforms import Context, Deployment, PendingLaunch, Platform
from tests.lti.standin import (
    ADMINISTRATORS,
    LAUNCH,
    MEMBERSHIP,
    NOW,
    REMOVED,
    TOOL,
    Asked,
    StandIn,
    ec_key,
    jwk,
    pem,
    rsa_key,
)

if TYPE_CHECKING:
    from rollcall.lti.claims import Launched

pytestmark = pytest.mark.django_db

SECONDS = NOW // 1000
OTHER = "https://evil.example"
SETTINGS: dict[str, Any] = {
    "accept_types": ["ltiResourceLink"],
    "accept_presentation_document_targets": ["frame", "iframe", "window"],
    "accept_multiple": True,
    "deep_link_return_url": "https://moodle.example/mod/lti/contentitem_return.php?course=2&id=1&sesskey=ZP0N4CgX2H",
}
DEEP = {"message_type": "LtiDeepLinkingRequest", "resource_link": REMOVED, "roles": [f"{MEMBERSHIP}#Instructor"]}
REVIEW = {"message_type": "LtiSubmissionReviewRequest", "roles": ["Instructor"], "for_user": {"user_id": "4"}}


def begun(stand_in: StandIn, now: int = NOW, **changes: Any) -> Asked:
    return stand_in.authenticate(login.begin(stand_in.initiation(**changes), now))


def form(asked: Asked, token: str) -> dict[str, list[str]]:
    return {"id_token": [token], "state": [asked.state]}


def launched(stand_in: StandIn, **changes: Any) -> Launched:
    asked = begun(stand_in)
    return receive(form(asked, stand_in.sign(stand_in.claims(asked.nonce, **changes))), NOW)


def code_of(given: Callable[[], object]) -> str:
    with pytest.raises(LaunchRefused) as refused:
        given()
    assert str(refused.value)
    assert refused.value.hint
    assert 400 <= refused.value.status < 404
    return refused.value.code


@pytest.fixture
def stand_in() -> StandIn:
    here = StandIn()
    here.register()
    return here


# -- claims --------------------------------------------------------------------------------------------------------

CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": OTHER}, "issuer"),
    "the issuer with a slash": ({"iss": "https://moodle.example/"}, "issuer"),
    "an issuer that ours begins with": ({"iss": "https://moodle.exampl"}, "issuer"),
    "no issuer": ({"iss": REMOVED}, "issuer"),
    "an issuer that is a list": ({"iss": ["https://moodle.example"]}, "issuer"),
    "another audience": ({"aud": "another tool"}, "audience"),
    "no audience": ({"aud": REMOVED}, "audience"),
    "an empty list of audiences": ({"aud": []}, "audience"),
    "a list of other audiences": ({"aud": ["one", "two"]}, "audience"),
    "an audience in capital letters": ({"aud": "L0OEKQE1P2YIM1A"}, "audience"),
    "a list of audiences that holds a number": ({"aud": ["l0oEkqE1p2yim1A", 1], "azp": "l0oEkqE1p2yim1A"}, "audience"),
    "two audiences without an authorized party": ({"aud": ["l0oEkqE1p2yim1A", "other"]}, "authorized-party"),
    "two audiences, the other one authorized": (
        {"aud": ["l0oEkqE1p2yim1A", "other"], "azp": "other"},
        "authorized-party",
    ),
    "another authorized party": ({"azp": "other"}, "authorized-party"),
    "an authorized party of null": ({"azp": None}, "authorized-party"),
    "expired": ({"iat": SECONDS - 300, "exp": SECONDS - 61}, "expired"),
    "no expiry": ({"exp": REMOVED}, "claim-malformed"),
    "an expiry that is a text": ({"exp": str(SECONDS + 60)}, "claim-malformed"),
    "an expiry that is true": ({"exp": True}, "claim-malformed"),
    "an expiry after all time": ({"exp": 1e300}, "claim-malformed"),
    "an expiry below zero": ({"exp": -5}, "claim-malformed"),
    "expiring before it was issued": ({"iat": SECONDS + 30, "exp": SECONDS + 20}, "expired"),
    "issued in the future": ({"iat": SECONDS + 120, "exp": SECONDS + 180}, "early"),
    "not issued": ({"iat": REMOVED}, "claim-malformed"),
    "issued hours ago, and valid for years": ({"iat": SECONDS - 7200, "exp": SECONDS + 99_999_999}, "expired"),
    "not valid before tomorrow": ({"nbf": SECONDS + 86_400}, "early"),
    "a begin that is a text": ({"nbf": "now"}, "claim-malformed"),
    "no nonce": ({"nonce": REMOVED}, "nonce"),
    "another nonce": ({"nonce": "x" * 43}, "nonce"),
    "a blank nonce": ({"nonce": ""}, "nonce"),
    "a nonce that is a list": ({"nonce": []}, "nonce"),
    "another deployment": ({"deployment_id": "2"}, "deployment"),
    "no deployment": ({"deployment_id": REMOVED}, "deployment"),
    "a deployment that is a number": ({"deployment_id": 1}, "deployment"),
    "another version": ({"version": "1.3.1"}, "version"),
    "LTI 1.1": ({"version": "LTI-1p0"}, "version"),
    "no version": ({"version": REMOVED}, "version"),
    "another message": ({"message_type": "LtiStartProctoring"}, "message-type"),
    "no message": ({"message_type": REMOVED}, "message-type"),
    "a message that is a list": ({"message_type": ["LtiResourceLinkRequest"]}, "message-type"),
    "another target": ({"target_link_uri": f"{LAUNCH}?activity=5"}, "target"),
    "a target that is not ours": ({"target_link_uri": OTHER}, "target"),
    "no target": ({"target_link_uri": REMOVED}, "target"),
    "nobody": ({"sub": REMOVED}, "subject"),
    "a blank subject": ({"sub": ""}, "subject"),
    "a subject that is a number": ({"sub": 4}, "subject"),
    "a subject of 256 letters": ({"sub": "x" * 256}, "subject"),
    "a subject that is not ASCII": ({"sub": "Ä"}, "subject"),
    "a subject with a NUL": ({"sub": "4\0"}, "subject"),
    "a subject that ends in a blank": ({"sub": "4 "}, "subject"),
    "no roles": ({"roles": REMOVED}, "claim-malformed"),
    "roles that are one text": ({"roles": "Instructor"}, "claim-malformed"),
    "roles that are objects": ({"roles": [{"Instructor": 1}]}, "claim-malformed"),
    "no link": ({"resource_link": REMOVED}, "claim-malformed"),
    "a link without an id": ({"resource_link": {"title": "Attendance"}}, "claim-malformed"),
    "a link that is a list": ({"resource_link": ["1"]}, "claim-malformed"),
    "no course": ({"context": REMOVED}, "no-course"),
    "a teacher without a course": ({"context": REMOVED, "roles": ["Instructor"]}, "no-course"),
    "a course without an id": ({"context": {"label": "BBB101"}}, "claim-malformed"),
    "a course that is a text": ({"context": "2"}, "claim-malformed"),
    "custom parameters that are a list": ({"custom": ["groups=1"]}, "claim-malformed"),
    "a presentation that is a text": ({"launch_presentation": "iframe"}, "claim-malformed"),
    "a choice by a learner": (DEEP | {"roles": ["Learner"], "deep_linking_settings": SETTINGS}, "not-a-teacher"),
    "a choice that goes nowhere": (DEEP, "claim-malformed"),
    "a choice that goes where no TLS is": (
        DEEP | {"deep_linking_settings": SETTINGS | {"deep_link_return_url": "http://moodle.example/"}},
        "claim-malformed",
    ),
    "a choice that goes into a script": (
        DEEP | {"deep_linking_settings": SETTINGS | {"deep_link_return_url": "javascript:alert(1)"}},
        "claim-malformed",
    ),
    "a choice of files": (
        DEEP | {"deep_linking_settings": SETTINGS | {"accept_types": ["file"]}},
        "nothing-to-choose",
    ),
    "a review by a learner": (REVIEW | {"roles": ["Learner"]}, "not-a-teacher"),
    "a review of nobody": (REVIEW | {"for_user": REMOVED}, "claim-malformed"),
}


@pytest.mark.parametrize("what", CLAIMS)
def test_a_token_with_a_wrong_claim_is_refused(stand_in: StandIn, what: str) -> None:
    changes, code = CLAIMS[what]
    assert code_of(lambda: launched(stand_in, **changes)) == code
    assert not Context.objects.exists()


# -- signatures ----------------------------------------------------------------------------------------------------


def _raw(header: Any, claims: Any, signature: str = "c2ln") -> str:
    texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in (header, claims)]
    return ".".join([*(urlsafe_b64encode(text).rstrip(b"=").decode() for text in texts), signature])


def _unsigned(_stand_in: StandIn, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", algorithm="none")


def _hmac_with_the_public_key(stand_in: StandIn, claims: dict[str, Any]) -> str:
    import hashlib
    import hmac

    unsigned = _raw({"alg": "HS256", "typ": "JWT", "kid": stand_in.kid}, claims, "").rstrip(".")
    mac = hmac.new(pem(rsa_key()).encode(), unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _tampered(stand_in: StandIn, claims: dict[str, Any]) -> str:
    head, _body, signature = stand_in.sign(claims).split(".")
    body = urlsafe_b64encode(json.dumps(claims | {"sub": "2"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def _twice(stand_in: StandIn, claims: dict[str, Any]) -> str:
    """Signed over a payload that names its subject twice."""
    text = json.dumps(claims).replace('"sub": "4"', '"sub": "2", "sub": "4"')
    return jwt.PyJWS().encode(text.encode(), rsa_key(), algorithm="RS256", headers={"kid": stand_in.kid})


def _of_text(text: bytes) -> Callable[[StandIn, dict[str, Any]], str]:
    return lambda stand_in, _claims: jwt.PyJWS().encode(
        text, rsa_key(), algorithm="RS256", headers={"kid": stand_in.kid}
    )


def _header_twice(stand_in: StandIn, claims: dict[str, Any]) -> str:
    return _raw(f'{{"alg":"RS256","alg":"RS256","kid":"{stand_in.kid}"}}'.encode(), claims)


TOKENS: dict[str, tuple[Callable[[StandIn, dict[str, Any]], str], str]] = {
    "without a signature": (_unsigned, "token-malformed"),
    "with the algorithm none and some signature": (lambda _s, claims: _raw({"alg": "none"}, claims), "algorithm"),
    "with None in capital letters": (lambda _s, claims: _raw({"alg": "NoNe"}, claims), "algorithm"),
    "with HMAC over the public key": (_hmac_with_the_public_key, "algorithm"),
    "with an algorithm that is a list": (lambda _s, claims: _raw({"alg": ["RS256"]}, claims), "algorithm"),
    "with no algorithm": (lambda s, claims: _raw({"kid": s.kid}, claims), "algorithm"),
    "of another key": (lambda s, claims: s.sign(claims, key=rsa_key("another")), "signature"),
    "of an unknown key id": (lambda s, claims: s.sign(claims, kid="unknown"), "key-unknown"),
    "of no key id": (lambda s, claims: s.sign(claims, kid=None), "key-unknown"),
    "of a key id that is a number": (lambda _s, claims: _raw({"alg": "RS256", "kid": 1}, claims), "token-malformed"),
    "of a key id of a thousand letters": (lambda s, claims: s.sign(claims, kid="x" * 1000), "token-malformed"),
    "of a key that stands in the header": (
        lambda s, claims: s.sign(claims, key=rsa_key("another"), jwk=jwk(rsa_key("another"), s.kid)),
        "signature",
    ),
    "of a key elsewhere (jku)": (
        lambda s, claims: s.sign(claims, key=rsa_key("another"), jku=f"{OTHER}/keys", kid="theirs"),
        "key-unknown",
    ),
    "of a certificate elsewhere (x5u)": (
        lambda s, claims: s.sign(claims, key=rsa_key("another"), x5u=f"{OTHER}/certificate"),
        "signature",
    ),
    "of a key id that is a path": (lambda s, claims: s.sign(claims, kid="../../keys"), "key-unknown"),
    "by an elliptic curve under the id of an RSA key": (
        lambda s, claims: s.sign(claims, key=ec_key(), algorithm="ES256"),
        "key-unknown",
    ),
    "by RS512 with a key that is for RS256": (lambda s, claims: s.sign(claims, algorithm="RS512"), "key-unknown"),
    "by PSS": (lambda s, claims: s.sign(claims, algorithm="PS256"), "algorithm"),
    "with an extension that must be understood": (
        lambda s, claims: _raw({"alg": "RS256", "kid": s.kid, "crit": ["exp"], "exp": 1}, claims),
        "token-malformed",
    ),
    "with a payload that is not encoded": (
        lambda s, claims: _raw({"alg": "RS256", "kid": s.kid, "b64": False}, claims),
        "token-malformed",
    ),
    "of another type": (lambda s, claims: s.sign(claims, typ="at+jwt"), "token-malformed"),
    "tampered with": (_tampered, "signature"),
    "with the signature cut off": (lambda s, claims: s.sign(claims).rpartition(".")[0] + ".", "token-malformed"),
    "with a signature of zeros": (lambda s, claims: s.sign(claims).rpartition(".")[0] + f".{'A' * 342}", "signature"),
    "with a claim twice": (_twice, "token-malformed"),
    "with a header member twice": (_header_twice, "token-malformed"),
    "with a list for claims": (_of_text(b"[]"), "token-malformed"),
    "with NaN": (_of_text(b'{"exp": NaN}'), "token-malformed"),
    "with broken JSON": (_of_text(b'{"exp": 1'), "token-malformed"),
    "with bytes that are no UTF-8": (_of_text(b'{"iss": "\xff"}'), "token-malformed"),
    "nested ten thousand times": (_of_text(b"[" * 10_000), "token-malformed"),
    "huge": (lambda s, claims: s.sign(claims | {"x": "x" * 70_000}), "token-too-big"),
    "huger than a form may be": (lambda s, claims: s.sign(claims | {"x": "x" * 200_000}), "form-too-big"),
    "no token": (lambda _s, _claims: "hello", "token-malformed"),
    "of five parts": (lambda s, claims: s.sign(claims) + ".a.b", "token-malformed"),
    "with blanks in it": (lambda s, claims: " " + s.sign(claims), "token-malformed"),
    "in other letters": (lambda _s, _claims: "ä.ö.ü", "token-malformed"),
    "blank": (lambda _s, _claims: "", "token-malformed"),
}


@pytest.mark.parametrize("what", TOKENS)
def test_a_token_that_cannot_be_believed_is_refused(stand_in: StandIn, what: str) -> None:
    make, code = TOKENS[what]
    asked = begun(stand_in)
    token = make(stand_in, stand_in.claims(asked.nonce))
    assert code_of(lambda: receive(form(asked, token), NOW)) == code


# -- state ---------------------------------------------------------------------------------------------------------


def test_a_launch_is_used_once(stand_in: StandIn) -> None:
    asked = begun(stand_in)
    sent = form(asked, stand_in.sign(stand_in.claims(asked.nonce)))
    receive(sent, NOW)
    assert code_of(lambda: receive(sent, NOW)) == "state-used"


def test_a_refused_token_uses_the_launch_up(stand_in: StandIn) -> None:
    asked = begun(stand_in)
    assert code_of(lambda: receive(form(asked, "hello"), NOW)) == "token-malformed"
    good = stand_in.sign(stand_in.claims(asked.nonce))
    assert code_of(lambda: receive(form(asked, good), NOW)) == "state-used"


def test_the_token_of_one_launch_does_not_come_with_the_state_of_another(stand_in: StandIn) -> None:
    first, second = begun(stand_in), begun(stand_in)
    token = stand_in.sign(stand_in.claims(first.nonce))
    assert code_of(lambda: receive(form(second, token), NOW)) == "nonce"


def test_a_launch_that_takes_too_long_is_refused(stand_in: StandIn) -> None:
    asked = begun(stand_in, NOW - login.LIFETIME_MS)
    token = stand_in.sign(stand_in.claims(asked.nonce))
    assert code_of(lambda: receive(form(asked, token), NOW)) == "state-expired"


def test_the_state_of_another_platform_takes_no_token_of_this_one(stand_in: StandIn) -> None:
    other = StandIn(issuer="https://other.example", client_id="theirs")
    other.register(keys=json.dumps({"keys": [jwk(rsa_key("another"), "theirs")]}))
    asked = begun(other)
    token = stand_in.sign(stand_in.claims(asked.nonce))
    assert code_of(lambda: receive(form(asked, token), NOW)) == "key-unknown"


def test_a_platform_that_signs_as_another_is_refused(stand_in: StandIn) -> None:
    other = StandIn(issuer="https://other.example", client_id="theirs")
    other.register()
    asked = begun(other)
    token = stand_in.sign(stand_in.claims(asked.nonce))
    assert code_of(lambda: receive(form(asked, token), NOW)) == "issuer"


def test_a_platform_that_was_removed_meanwhile_is_refused(stand_in: StandIn) -> None:
    asked = begun(stand_in)
    Platform.objects.update(removed_at=NOW)
    token = stand_in.sign(stand_in.claims(asked.nonce))
    assert code_of(lambda: receive(form(asked, token), NOW)) == "platform-unknown"


def test_the_deployment_is_the_one_that_was_begun(stand_in: StandIn) -> None:
    from rollcall.store.keys import key_of

    Deployment.objects.create(platform=Platform.objects.get(), deployment_id="2", key=key_of("2"), added_at=NOW)
    asked = begun(stand_in)
    token = stand_in.sign(stand_in.claims(asked.nonce, deployment_id="2"))
    assert code_of(lambda: receive(form(asked, token), NOW)) == "deployment"


FORMS: dict[str, tuple[Callable[[dict[str, list[str]]], dict[str, list[str]]], str]] = {
    "nothing": (lambda _form: {}, "form-malformed"),
    "no state": (lambda form: {"id_token": form["id_token"]}, "form-malformed"),
    "no token": (lambda form: {"state": form["state"]}, "form-malformed"),
    "two states": (lambda form: form | {"state": form["state"] * 2}, "form-malformed"),
    "two tokens": (lambda form: form | {"id_token": form["id_token"] * 2}, "form-malformed"),
    "a blank state": (lambda form: form | {"state": [""]}, "form-malformed"),
    "a state of a thousand letters": (lambda form: form | {"state": ["x" * 1000]}, "form-malformed"),
    "a state that nobody was given": (lambda form: form | {"state": ["x" * 43]}, "state-unknown"),
    "token and error": (lambda form: form | {"error": ["access_denied"]}, "form-malformed"),
    "an error instead": (lambda form: {"state": form["state"], "error": ["access_denied"]}, "platform-error"),
    "more fields than belong there": (lambda form: form | {"x": ["x" * 200_000]}, "form-too-big"),
}


@pytest.mark.parametrize("what", FORMS)
def test_a_form_that_is_no_launch_is_refused(stand_in: StandIn, what: str) -> None:
    change, code = FORMS[what]
    asked = begun(stand_in)
    sent = change(form(asked, stand_in.sign(stand_in.claims(asked.nonce))))
    assert code_of(lambda: receive(sent, NOW)) == code


# -- the login -----------------------------------------------------------------------------------------------------

LOGINS: dict[str, tuple[dict[str, Any], str]] = {
    "no issuer": ({"iss": REMOVED}, "login-malformed"),
    "a blank hint": ({"login_hint": ""}, "login-malformed"),
    "no hint": ({"login_hint": REMOVED}, "login-malformed"),
    "no target": ({"target_link_uri": REMOVED}, "login-malformed"),
    "two issuers": ({"iss": ("https://moodle.example", OTHER)}, "login-malformed"),
    "two client ids": ({"client_id": ("l0oEkqE1p2yim1A", "other")}, "login-malformed"),
    "another issuer": ({"iss": OTHER}, "platform-unknown"),
    "another client id": ({"client_id": "other"}, "platform-unknown"),
    "another deployment": ({"lti_deployment_id": "7"}, "deployment"),
    "a target elsewhere": ({"target_link_uri": OTHER}, "target-not-ours"),
    "a target that begins as we do": ({"target_link_uri": f"{TOOL}.evil.example/lti/launch"}, "target-not-ours"),
    "a target with somebody's name": (
        {"target_link_uri": "https://rollcall.example.org@evil.example/lti/launch"},
        "target-not-ours",
    ),
    "a target that is another page of ours": ({"target_link_uri": f"{TOOL}/logout"}, "target-not-ours"),
    "a target without TLS": ({"target_link_uri": "http://rollcall.example.org/lti/launch"}, "target-not-ours"),
    "more than belongs there": ({"lti_message_hint": "x" * 20_000}, "form-too-big"),
}


@pytest.mark.parametrize("what", LOGINS)
def test_a_login_that_is_none_is_refused(stand_in: StandIn, what: str) -> None:
    changes, code = LOGINS[what]
    assert code_of(lambda: login.begin(stand_in.initiation(**changes), NOW)) == code
    assert not PendingLaunch.objects.exists()


def test_of_two_registrations_of_one_issuer_the_client_id_says_which(stand_in: StandIn) -> None:
    StandIn(client_id="another").register()
    assert code_of(lambda: login.begin(stand_in.initiation(client_id=REMOVED), NOW)) == "client-missing"
    assert begun(stand_in).state


def test_the_table_has_what_was_promised() -> None:
    assert len(CLAIMS) + len(TOKENS) + len(FORMS) + len(LOGINS) >= 60


# -- what differs, and is right ------------------------------------------------------------------------------------

RIGHT: dict[str, dict[str, Any]] = {
    "as Moodle sends it": {},
    "an audience in a list": {"aud": ["l0oEkqE1p2yim1A"]},
    "an audience in a list, authorized": {"aud": ["l0oEkqE1p2yim1A"], "azp": "l0oEkqE1p2yim1A"},
    "two audiences, we the authorized one": {"aud": ["l0oEkqE1p2yim1A", "other"], "azp": "l0oEkqE1p2yim1A"},
    "an authorized party beside one audience": {"azp": "l0oEkqE1p2yim1A"},
    "expired within the leeway": {"iat": SECONDS - 119, "exp": SECONDS - 59},
    "issued within the leeway": {"iat": SECONDS + 59, "exp": SECONDS + 119},
    "times with fractions": {"iat": SECONDS - 0.5, "exp": SECONDS + 59.5},
    "valid since just now": {"nbf": SECONDS},
    "no roles at all": {"roles": []},
    "claims nobody knows": {"https://example.org/claim": {"a": [1]}, "zoneinfo": "Europe/Athens"},
    "no presentation, platform or parameters": {"launch_presentation": REMOVED, "custom": REMOVED},
    "a parameter of null": {"custom": {"rlid": None, "groups": "1"}},
    "a subject of 255 letters": {"sub": "x" * 255},
    "a subject with a blank inside": {"sub": "a b"},
    "a course without a title": {"context": {"id": "2"}},
    "an administrator without a course": {"roles": list(ADMINISTRATORS), "context": REMOVED},
}


@pytest.mark.parametrize("what", RIGHT)
def test_what_differs_and_is_right_is_taken(stand_in: StandIn, what: str) -> None:
    assert launched(stand_in, **RIGHT[what]).platform.issuer == stand_in.issuer


@pytest.mark.parametrize("gone", ["client_id", "lti_deployment_id", "lti_message_hint"])
def test_what_a_platform_need_not_send_may_be_missing(stand_in: StandIn, gone: str) -> None:
    changes: dict[str, Any] = {gone: REMOVED}
    asked = begun(stand_in, **changes)
    assert receive(form(asked, stand_in.sign(stand_in.claims(asked.nonce))), NOW).user_id == "4"


@pytest.mark.parametrize("target", [LAUNCH, f"{LAUNCH}?activity=5", TOOL, f"{TOOL}/"])
def test_targets_of_ours_are_taken(stand_in: StandIn, target: str) -> None:
    asked = begun(stand_in, target_link_uri=target)
    token = stand_in.sign(stand_in.claims(asked.nonce, target_link_uri=target))
    assert receive(form(asked, token), NOW).target == target


def test_the_hint_and_the_storage_go_back_as_they_came(stand_in: StandIn) -> None:
    hint = "ä &=%20+\n"
    asked = begun(stand_in, lti_message_hint=hint, lti_storage_target="_parent")
    assert (asked.hint, asked.storage_target) == (hint, "_parent")


def test_an_address_that_has_a_query_keeps_it(stand_in: StandIn) -> None:
    Platform.objects.update(authorization_url="https://moodle.example/auth?school=1")
    location = login.begin(stand_in.initiation(), NOW)
    assert location.startswith("https://moodle.example/auth?school=1&scope=openid&")


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_key_without_an_algorithm_signs_with_any_of_its_kind(algorithm: str) -> None:
    stand_in = StandIn()
    stand_in.register(keys=json.dumps({"keys": [jwk(rsa_key(), stand_in.kid)]}))
    asked = begun(stand_in)
    token = stand_in.sign(stand_in.claims(asked.nonce), algorithm=algorithm)
    assert receive(form(asked, token), NOW).user_id == "4"


def test_an_elliptic_curve_signs() -> None:
    stand_in = StandIn()
    stand_in.register(keys=json.dumps({"keys": [jwk(ec_key(), stand_in.kid, alg="ES256")]}))
    asked = begun(stand_in)
    token = stand_in.sign(stand_in.claims(asked.nonce), key=ec_key(), algorithm="ES256")
    assert receive(form(asked, token), NOW).user_id == "4"


@pytest.mark.parametrize("kid", ["any", None])
def test_a_platform_without_a_key_set_signs_with_its_one_key(kid: str | None) -> None:
    stand_in = StandIn()
    stand_in.register(keys="", keys_url="", public_key=pem(rsa_key()))
    asked = begun(stand_in)
    token = stand_in.sign(stand_in.claims(asked.nonce), kid=kid)
    assert receive(form(asked, token), NOW).user_id == "4"
    asked = begun(stand_in)
    wrong = stand_in.sign(stand_in.claims(asked.nonce), key=rsa_key("another"))
    assert code_of(lambda: receive(form(asked, wrong), NOW)) == "signature"


# -- who, and from where -------------------------------------------------------------------------------------------

ROLES: list[tuple[list[str], Role]] = [
    ([f"{MEMBERSHIP}#Learner"], Role.LEARNER),
    ([f"{MEMBERSHIP}#Instructor"], Role.INSTRUCTOR),
    ([f"{MEMBERSHIP}#Learner", f"{MEMBERSHIP}#Instructor"], Role.INSTRUCTOR),
    ([f"{MEMBERSHIP}/Instructor#TeachingAssistant"], Role.INSTRUCTOR),
    ([f"{MEMBERSHIP}#Administrator"], Role.INSTRUCTOR),
    (["Instructor"], Role.INSTRUCTOR),
    (["TeachingAssistant"], Role.INSTRUCTOR),
    (["Learner"], Role.LEARNER),
    (["Administrator"], Role.INSTRUCTOR),
    ([*ADMINISTRATORS, f"{MEMBERSHIP}#Instructor"], Role.ADMINISTRATOR),
    ([ADMINISTRATORS[0]], Role.ADMINISTRATOR),
    ([ADMINISTRATORS[1], "Learner"], Role.ADMINISTRATOR),
    ([f"{MEMBERSHIP}#ContentDeveloper"], Role.LEARNER),
    ([f"{MEMBERSHIP}#Mentor"], Role.LEARNER),
    ([f"{MEMBERSHIP}/Learner#Instructor"], Role.LEARNER),
    (["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"], Role.LEARNER),
    (["instructor", "ADMINISTRATOR", "urn:lti:sysrole:ims/lis/Administrator"], Role.LEARNER),
    ([f"https://evil.example/{MEMBERSHIP}#Instructor"], Role.LEARNER),
    ([], Role.LEARNER),
]


@pytest.mark.parametrize(("roles", "role"), ROLES)
def test_roles(stand_in: StandIn, roles: list[str], role: Role) -> None:
    assert launched(stand_in, roles=roles).role is role


def test_a_role_counts_for_its_launch_alone(stand_in: StandIn) -> None:
    assert launched(stand_in, roles=["Instructor"]).role is Role.INSTRUCTOR
    assert launched(stand_in, roles=["Learner"]).role is Role.LEARNER


@pytest.mark.parametrize(
    ("custom", "groups"),
    [
        ({"groups": "1,23"}, {"1", "23"}),
        ({"groups": ""}, set()),
        ({"groups": "$Moodle.Person.userGroupIds"}, None),
        ({}, None),
        ({"groups": "1,x"}, set()),
    ],
)
def test_groups(stand_in: StandIn, custom: dict[str, str], groups: set[str] | None) -> None:
    assert launched(stand_in, custom=custom).groups == groups


@pytest.mark.parametrize(
    ("locale", "language"), [("de", "de"), ("de_kids", "de"), ("en_US", "en"), ("el", "el"), ("tlh", ""), (5, "")]
)
def test_languages(stand_in: StandIn, locale: object, language: str) -> None:
    assert launched(stand_in, launch_presentation={"locale": locale}).language == language


def test_course_and_link_are_kept_and_what_is_not_told_again_stays(stand_in: StandIn) -> None:
    roster = {"context_memberships_url": "https://moodle.example/members", "service_versions": ["2.0"]}
    first = launched(stand_in, namesroleservice=roster, custom={"activity": "5f" * 16})
    assert first.context
    assert first.link
    assert (first.context.memberships_url, first.link.activity) == (roster["context_memberships_url"], "5f" * 16)
    again = launched(stand_in, context={"id": "2", "title": "Renamed"})
    assert again.context
    assert (again.context.pk, again.context.title, again.context.label, again.context.memberships_url) == (
        first.context.pk,
        "Renamed",
        "BBB101",
        roster["context_memberships_url"],
    )


@pytest.mark.parametrize("address", ["http://10.0.0.1/", "file:///etc/passwd", "https://a:b@moodle.example/", 5, "x"])
def test_an_address_that_is_not_to_be_asked_is_as_if_it_were_not_told(stand_in: StandIn, address: object) -> None:
    here = launched(
        stand_in,
        namesroleservice={"context_memberships_url": address},
        endpoint={"lineitems": address, "lineitem": address, "scope": ["a", 1]},
        launch_presentation={"return_url": address},
    )
    assert {here.memberships_url, here.line_items_url, here.line_item_url, here.return_url} == {""}
    assert here.grade_scopes == ("a",)


def test_a_deep_linking_request(stand_in: StandIn) -> None:
    here = launched(stand_in, **DEEP, deep_linking_settings=SETTINGS | {"data": "theirs"})
    assert here.message is Message.DEEP_LINK
    assert here.deep_link
    assert (here.deep_link.return_url, here.deep_link.data) == (SETTINGS["deep_link_return_url"], "theirs")
    assert (here.deep_link.accepts_several, here.deep_link.accepts_line_item, here.link) == (True, True, None)


def test_a_review(stand_in: StandIn) -> None:
    here = launched(stand_in, **REVIEW)
    assert (here.message, here.for_user, here.role) == (Message.REVIEW, "4", Role.INSTRUCTOR)


def test_who_may_not_enter_leaves_nothing(stand_in: StandIn) -> None:
    def nobody(_platform: Platform, language: str, role: Role) -> None:
        assert (language, role) == ("de", Role.LEARNER)
        raise LaunchRefused("no", code="no-licence", hint="-")

    asked = begun(stand_in)
    sent = form(asked, stand_in.sign(stand_in.claims(asked.nonce)))
    assert code_of(lambda: launch.receive(sent, NOW, may_enter=nobody)) == "no-licence"
    assert not Context.objects.exists()
