"""The four regimes against the vectors of the reference, and what a refusal says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.checksum import (
    ALGORITHMS,
    Callback,
    Regime,
    SharedSecret,
    Signed,
    explain,
    shown,
    verify,
    version_2_text,
)

URL = "https://ra.example.org/h?t=9"
SECRET = b"s3cretKEY"
EVENT = (
    '[{"data":{"type":"event","id":"meeting-ended","attributes":{"meeting":{"internal-meeting-id":"i-1",'
    '"external-meeting-id":"é~*"}},"event":{"ts":1795309401250}}}]'
)
BODY = (
    b"domain=bbb.example.org&event=%5B%7B%22data%22%3A%7B%22type%22%3A%22event%22%2C%22id%22%3A%22meeting-ended%22%2C%2"
    b"2attributes%22%3A%7B%22meeting%22%3A%7B%22internal-meeting-id%22%3A%22i-1%22%2C%22external-meeting-id%22%3A%22%C3"
    b"%A9%7E*%22%7D%7D%2C%22event%22%3A%7B%22ts%22%3A1795309401250%7D%7D%7D%5D&timestamp=1795309401251"
)
B_SHA1 = "9f4eca70f32a95e842f9bb28d84316911e9f9b2f"
B_SHA256 = "df5286c8eceb8388bc6011d68245d376783e34dd66378097e0bb19f659145527"
C_SHA1 = "182fded738906fa07367516b717937c5810dda11"
D_SHA1 = "3cc6bbb9734e4f8be2960332b235b4aee58653ab"

CALLBACK = Callback(URL, server=1, pool=1, pool_name="bbb.example.org", secrets=(SharedSecret(1, SECRET),))


def checksum(text: bytes, *, url: str = URL, secret: bytes = SECRET, algorithm: str = "sha1") -> str:
    return hashlib.new(algorithm, url.encode() + text + secret).hexdigest()


@pytest.mark.parametrize(
    ("given_checksum", "regime"),
    [(B_SHA1, Regime.BODY), (B_SHA256, Regime.BODY), (C_SHA1, Regime.CONSTANT), (D_SHA1, Regime.FIELDS)],
)
def test_the_vectors_of_the_reference_verify(given_checksum: str, regime: Regime) -> None:
    verified = verify(Signed(BODY, given_checksum), [CALLBACK])
    assert verified is not None
    assert verified.regime is regime
    assert verified.callback is CALLBACK


def test_the_form_of_version_2_signs_the_same_text_whatever_its_order_and_its_blanks() -> None:
    fields = {
        "event": '[{"a":"b c\\n é \u2028 😀 \\" \x01"}]',
        "timestamp": "1795309401251",
        "domain": "bbb.example.org",
    }
    as_json = json.dumps(fields | {"timestamp": 1795309401251}, ensure_ascii=False, separators=(",", ":")).encode()
    for order in (list(fields), ["domain", "event", "timestamp"]):
        for quoted in (urlencode, lambda pairs: urlencode(pairs, quote_via=quote)):
            assert version_2_text(quoted([(name, fields[name]) for name in order]).encode()) == as_json


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("signed_text", [BODY, b"{}"])
def test_the_length_of_the_checksum_names_the_algorithm(algorithm: str, signed_text: bytes) -> None:
    given_checksum = checksum(signed_text, algorithm=algorithm)
    assert len(given_checksum) in ALGORITHMS
    assert verify(Signed(BODY, given_checksum), [CALLBACK]) is not None
    assert verify(Signed(BODY, given_checksum.upper()), [CALLBACK]) is not None


def test_version_2_knows_sha1_only() -> None:
    assert verify(Signed(BODY, checksum(version_2_text(BODY), algorithm="sha256")), [CALLBACK]) is None


@pytest.mark.parametrize("header", ["Bearer s3cretKEY", "bearer s3cretKEY", " Bearer  s3cretKEY "])
def test_the_bearer_token_is_the_secret(header: str) -> None:
    verified = verify(Signed(BODY, authorization=header), [CALLBACK])
    assert verified is not None
    assert verified.regime is Regime.BEARER


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer s3cretKE", "Basic s3cretKEY", "Bearer ſ3cretKEY"])
def test_another_header_is_refused(header: str) -> None:
    assert verify(Signed(BODY, authorization=header), [CALLBACK]) is None


def test_an_empty_secret_verifies_nothing() -> None:
    nobody = replace(CALLBACK, secrets=(SharedSecret(1, b""),))
    assert verify(Signed(BODY, authorization="Bearer "), [nobody]) is None
    assert verify(Signed(BODY, checksum(BODY, secret=b"")), [nobody]) is None


def test_each_of_several_secrets_verifies_and_is_named() -> None:
    callback = replace(CALLBACK, secrets=(SharedSecret(1, b"new"), SharedSecret(2, SECRET)))
    verified = verify(Signed(BODY, B_SHA1), [callback])
    assert verified is not None
    assert verified.secret.key == 2


def test_a_registered_blank_stays_a_blank() -> None:
    url = "https://ra.example.org/a b/h?t=ä"
    assert verify(Signed(BODY, checksum(BODY, url=url)), [replace(CALLBACK, url=url)]) is not None


def test_the_constant_checksum_can_be_forbidden() -> None:
    strict = replace(CALLBACK, allows_constant=False)
    assert verify(Signed(BODY, C_SHA1), [strict]) is None
    assert verify(Signed(BODY, B_SHA1), [strict]) is not None
    assert explain(Signed(BODY, C_SHA1), [strict]).sentence == (
        "constant checksum of bbb-webhooks 3.0–3.3, forbidden for this server"
    )


def test_the_constant_checksum_of_another_hook_of_the_server_does_not_verify() -> None:
    assert verify(Signed(BODY, checksum(b"{}", url=URL + "&raw=1")), [CALLBACK]) is None


@given(st.binary(max_size=200), st.text(max_size=130), st.text(max_size=40))
def test_nothing_but_a_signature_verifies(body: bytes, given_checksum: str, header: str) -> None:
    signed = Signed(body, given_checksum, header)
    assert verify(signed, [CALLBACK]) is None
    assert explain(signed, [CALLBACK]).sentence


# -- what came closest --------------------------------------------------------------------------------------------


def test_a_refusal_tells_of_an_older_secret() -> None:
    callback = replace(CALLBACK, secrets=(SharedSecret(1, b"new"), SharedSecret(2, SECRET, is_current=False)))
    for signed in (Signed(BODY, B_SHA1), Signed(BODY, C_SHA1), Signed(BODY, authorization="Bearer s3cretKEY")):
        assert verify(signed, [callback]) is None
        assert explain(signed, [callback]).sentence == "signature matches an older secret of bbb.example.org"


@pytest.mark.parametrize(
    "url",
    [
        "http://ra.example.org/h?t=9",
        "https://ra.example.org/h/?t=9",
        "https://ra.example.org/h",
        "https://ra.example.org:443/h?t=9",
        "http://ra.example.org:80/h?t=9",
        "http://10.0.0.7:8000/h?t=9",
        "http://10.0.0.7:8000/prefix/h?t=9",
    ],
)
def test_a_refusal_tells_the_address_that_was_signed(url: str) -> None:
    signed = Signed(BODY, checksum(BODY, url=url), hosts=("10.0.0.7:8000",), path="/prefix/h", query="t=9")
    assert explain(signed, [CALLBACK]).sentence == f"signed for {url}, registered as {URL}"


def test_a_refusal_tells_of_a_forgotten_port() -> None:
    callback = replace(CALLBACK, url="http://ra.example.org:8911/h")
    signed = Signed(BODY, checksum(BODY, url="http://ra.example.org/h"))
    assert (
        explain(signed, [callback]).sentence
        == "signed for http://ra.example.org/h, registered as http://ra.example.org:8911/h"
    )


def test_a_refusal_tells_of_another_hook_of_the_server() -> None:
    other = replace(CALLBACK, url="https://ra.example.org/older")
    signed = Signed(BODY, checksum(BODY, url=other.url))
    assert explain(signed, [CALLBACK], [other]).sentence == f"signed for {other.url}, registered as {URL}"


def test_a_refusal_tells_of_another_server() -> None:
    other = replace(CALLBACK, server=2, pool_name="second", url="https://x/y", secrets=(SharedSecret(9, b"other"),))
    for signed in (Signed(BODY, checksum(BODY, secret=b"other")), Signed(BODY, authorization="Bearer other")):
        refusal = explain(signed, [CALLBACK], [other])
        assert refusal.code == "other-server"
        assert refusal.sentence.endswith("the secret of second")


@pytest.mark.parametrize(
    ("signed", "code"),
    [
        (Signed(BODY), "unsigned"),
        (Signed(BODY, "abc"), "unknown-checksum"),
        (Signed(BODY, "0" * 40), "wrong-checksum"),
        (Signed(BODY, authorization="Basic abc"), "no-bearer"),
        (Signed(BODY, authorization="Bearer abc"), "wrong-secret"),
    ],
)
def test_every_other_refusal_has_a_name(signed: Signed, code: str) -> None:
    assert explain(signed, [CALLBACK]).code == code


def test_an_unknown_address_is_said_to_be_one() -> None:
    assert explain(Signed(BODY, B_SHA1), []).code == "unknown-address"


def test_explaining_a_huge_body_is_given_up_before_it_costs_much() -> None:
    assert explain(Signed(b"x" * 9_000_000, "0" * 40), [CALLBACK]).code == "wrong-checksum"


@given(st.sampled_from([Signed(BODY, "0" * 40), Signed(BODY, authorization="Bearer x"), Signed(BODY, B_SHA1)]))
def test_no_sentence_holds_a_secret(signed: Signed) -> None:
    callback = replace(CALLBACK, secrets=(SharedSecret(1, SECRET, is_current=False),))
    assert "s3cret" not in explain(signed, [callback], [callback]).sentence
    assert "s3cret" not in repr(callback)


def test_an_address_is_shown_without_userinfo_and_without_its_whole_token() -> None:
    assert (
        shown("https://me:pw@ra.example.org/hooks/AbCdEfGhIjKlMnOp?raw=1") == "https://ra.example.org/hooks/AbCd…?raw=1"
    )
    assert shown("http://127.0.0.1:8911/hooks/bbb?raw=1") == "http://127.0.0.1:8911/hooks/bbb?raw=1"
