"""Keys: those of platforms, fetched within limits, and our own pair, changed without anybody noticing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest

from rollcall.lti import keys, platform_keys
from rollcall.lti.refusals import LaunchRefused
from rollcall.lti.signed import Header
from rollcall.lti.trouble import Trouble, told
from rollcall.store.platforms import Platform, ToolKey
from tests.lti.standin import NOW, StandIn, ec_key, jwk, rsa_key

pytestmark = pytest.mark.django_db

CERTS = "/mod/lti/certs.php"
HEADER = Header("RS256", "new")


@pytest.fixture(autouse=True)
def _loopback_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    here = StandIn()
    with here.serving():
        here.register()
        publish(here, "new")
        yield here


def publish(stand_in: StandIn, *kids: str, **members: Any) -> None:
    body = json.dumps({"keys": [jwk(rsa_key(), kid, **members) for kid in kids]})
    # Moodle's own answers are not always labelled as what they are.
    stand_in.answers[CERTS] = (200, "text/html; charset=utf-8", body.encode())


def found(header: Header = HEADER, now: int = NOW + 60_000) -> int:
    return len(platform_keys.keys_for(Platform.objects.get(), header, now))


def code(given: Callable[[], object]) -> str:
    with pytest.raises(LaunchRefused) as refused:
        given()
    return refused.value.code


def test_an_unknown_key_is_asked_for_and_kept(stand_in: StandIn) -> None:
    assert found() == 1
    assert found() == 1
    assert len(stand_in.taken) == 1
    assert Platform.objects.get().keys_fetched_at == NOW + 60_000


def test_a_platform_is_not_asked_again_at_once(stand_in: StandIn) -> None:
    unknown = Header("RS256", "made up")
    for later in range(0, 30_000, 5_000):
        assert code(lambda later=later: found(unknown, NOW + 60_000 + later)) == "key-unknown"  # type: ignore[misc]
    assert len(stand_in.taken) == 1
    publish(stand_in, "made up")
    assert found(unknown, NOW + 90_000) == 1


def test_a_key_that_was_withdrawn_is_believed_for_a_day_at_most(stand_in: StandIn) -> None:
    known = Header("RS256", stand_in.kid)
    assert found(known, NOW + 1) == 1
    assert not stand_in.taken
    assert code(lambda: found(known, NOW + platform_keys.A_DAY_MS)) == "key-unknown"


def test_when_the_platform_is_down_the_keys_that_are_known_go_on(stand_in: StandIn) -> None:
    stand_in.answers.clear()
    assert found(Header("RS256", stand_in.kid), NOW + platform_keys.A_DAY_MS) == 1
    assert code(lambda: found(now=NOW + 2 * platform_keys.A_DAY_MS)) == "keys-unreachable"
    assert Platform.objects.get().keys_trouble == "no-keys 404"


BAD: dict[str, tuple[int, bytes]] = {
    "a page of 404": (404, b"<html>"),
    "a fault": (500, b"{}"),
    "a redirect": (302, b"http://127.0.0.1:1/keys"),
    "no JSON": (200, b"<html>"),
    "a list": (200, b"[]"),
    "no keys": (200, b'{"keys": []}'),
    "keys that are a text": (200, b'{"keys": "x"}'),
    "keys that are numbers": (200, b'{"keys": [1, 2]}'),
    "a symmetric key": (200, b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "new"}]}'),
    "a key for encryption": (200, json.dumps({"keys": [jwk(rsa_key(), "new", use="enc")]}).encode()),
    "more than can be read": (200, b'{"keys": [' + b" " * platform_keys.MOST_BYTES),
    "a kind that is a list": (200, b'{"keys": [{"kty": [], "kid": "new"}]}'),
    "a use that is a list": (200, json.dumps({"keys": [jwk(rsa_key(), "new") | {"use": ["enc"], "kty": {}}]}).encode()),
    "nested without end": (200, b'{"keys":' + b"[" * 50_000),
}


@pytest.mark.parametrize("what", BAD)
def test_a_set_that_is_none_is_trouble_and_no_key(stand_in: StandIn, what: str) -> None:
    status, body = BAD[what]
    stand_in.answers[CERTS] = (status, "application/json", body)
    assert code(found) == "keys-unreachable"
    assert Platform.objects.get().keys_trouble
    assert found(Header("RS256", stand_in.kid), NOW + 60_000) == 1


@pytest.mark.parametrize("what", BAD)
def test_the_trouble_is_kept_as_a_code_and_told_in_the_readers_words(stand_in: StandIn, what: str) -> None:
    status, body = BAD[what]
    stand_in.answers[CERTS] = (status, "application/json", body)
    code(found)
    kept = Platform.objects.get().keys_trouble
    assert kept.partition(" ")[0] in set(Trouble)
    assert told(kept)[0].startswith(("What the address", "The answer of the LMS"))


UNFIT: dict[str, dict[str, Any]] = {
    "for another algorithm": jwk(rsa_key(), "new", alg="RS512"),
    "of another kind": jwk(ec_key(), "new"),
    "not to verify with": jwk(rsa_key(), "new") | {"key_ops": ["encrypt"]},
    "with a number for what it may do": jwk(rsa_key(), "new") | {"key_ops": 5},
    "with numbers for what it may do": jwk(rsa_key(), "new") | {"key_ops": [5, None, []]},
    "with a text for what it may do": jwk(rsa_key(), "new") | {"key_ops": "verify"},
    "with a number for its modulus": jwk(rsa_key(), "new") | {"n": 5},
    "with a list for its exponent": jwk(rsa_key(), "new") | {"e": []},
    "without a modulus": {"kty": "RSA", "kid": "new", "e": "AQAB"},
    "with a modulus that is none": {"kty": "RSA", "kid": "new", "e": "AQAB", "n": "!"},
    "of 1024 bits": {"kty": "RSA", "kid": "new", "e": "AQAB", "n": jwt.utils.base64url_encode(b"\xc1" * 128).decode()},
}


@pytest.mark.parametrize("what", UNFIT)
def test_a_key_that_does_not_fit_is_not_used(stand_in: StandIn, what: str) -> None:
    stand_in.answers[CERTS] = (200, "application/json", json.dumps({"keys": [UNFIT[what]]}).encode())
    assert code(found) == "key-unknown"


def test_private_members_that_a_platform_publishes_by_mistake_are_not_kept(stand_in: StandIn) -> None:
    body = {"keys": [jwk(rsa_key(), "new", d="secret", p="secret")]}
    stand_in.answers[CERTS] = (200, "application/json", json.dumps(body).encode())
    assert found() == 1
    assert "secret" not in Platform.objects.get().keys


@contextmanager
def dripping() -> Iterator[str]:
    """A server that answers a byte now and then, and never ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                while not done.wait(0.02):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/keys"
        done.set()
        thread.join()


def test_a_platform_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform_keys, "FETCH_SECONDS", 0.15)
    with dripping() as url:
        StandIn().register(keys_url=url)
        assert code(found) == "keys-unreachable"
    assert Platform.objects.get().keys_trouble == "timeout"


def test_a_private_address_is_not_asked(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_LMS_HOSTS")
    Platform.objects.update(keys_url="https://127.0.0.1/keys")
    assert code(found) == "keys-unreachable"
    assert not stand_in.taken


# -- our own ---------------------------------------------------------------------------------------------------------


def kids(now: int) -> set[str]:
    return {key["kid"] for key in keys.key_set(now)["keys"]}


def test_the_first_pair_is_made_once_and_is_sealed() -> None:
    first = keys.signing_key(NOW)
    assert keys.signing_key(NOW + 1).kid == first.kid
    assert kids(NOW) == {first.kid}
    assert b"PRIVATE" not in bytes(ToolKey.objects.get().sealed)


def test_a_pair_is_published_before_it_signs_and_after_it_has_signed() -> None:
    first = keys.signing_key(NOW)
    made = keys.rotate(NOW)
    assert kids(NOW) == {first.kid, made.kid}
    assert keys.signing_key(NOW + keys.SIGNS_AFTER_MS - 1).kid == first.kid
    due = NOW + keys.SIGNS_AFTER_MS
    assert keys.signing_key(due).kid == made.kid
    assert kids(due + keys.RETIRED_AFTER_MS - 1) == {first.kid, made.kid}
    assert kids(due + keys.RETIRED_AFTER_MS) == {made.kid}


def test_a_pair_that_somebody_knows_is_gone_at_once() -> None:
    first = keys.signing_key(NOW)
    keys.rotate(NOW)
    made = keys.rotate(NOW + 1, at_once=True)
    assert keys.signing_key(NOW + 1).kid == made.kid
    assert kids(NOW + 1) == {made.kid}
    assert first.kid not in kids(NOW + 1)


def test_the_first_pair_need_not_wait() -> None:
    made = keys.rotate(NOW)
    assert keys.signing_key(NOW).kid == made.kid


def test_what_is_signed_is_verified_by_what_is_published() -> None:
    token = keys.signing_key(NOW).sign({"iss": "us"})
    (key,) = keys.key_set(NOW)["keys"]
    assert jwt.decode(token, jwt.PyJWK(key), algorithms=["RS256"]) == {"iss": "us"}
