"""The checksum of bbb-webhooks 2 covers the fields of a form: nothing else may be read of such a body."""

from __future__ import annotations

import hashlib

import pytest

from rollcall.bbb.checksum import Callback, SharedSecret, Signed, verify, version_2_text
from rollcall.bbb.delivery import read_elements

URL = "https://rollcall.example.org/hooks/t"
SECRET = b"s3cret"
EVENT = b"%5B%7B%22data%22%3A%7B%22id%22%3A%22meeting-ended%22%7D%7D%5D"
GENUINE = b"event=" + EVENT + b"&timestamp=1795309401251&domain=bbb.example.org"


def checksum() -> str:
    return hashlib.sha1(URL.encode() + version_2_text(GENUINE) + SECRET).hexdigest()  # noqa: S324 - the format is theirs


def callback() -> Callback:
    return Callback(url=URL, pool=1, pool_name="bbb", server=1, secrets=(SharedSecret(key=1, value=SECRET),))


def test_the_form_itself_verifies() -> None:
    assert verify(Signed(GENUINE, checksum()), [callback()]) is not None


@pytest.mark.parametrize("start", [b'[{"data":{"id":"user-joined"},"x":"&', b'  {"data":{},"x":"&'])
def test_json_around_the_signed_fields_does_not(start: bytes) -> None:
    forged = start + GENUINE + b'&"}]' if start.startswith(b"[") else start + GENUINE + b'&"}'
    assert read_elements(forged), "it would be read as JSON"
    assert verify(Signed(forged, checksum()), [callback()]) is None
