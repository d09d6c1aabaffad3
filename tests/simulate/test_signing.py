"""The published vectors: made once with the real relays."""

from __future__ import annotations

import pytest

from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.sendings import Sending
from rollcall.simulate.signing import Signer, call_checksum

SECRET = "s3cretKEY"
URL = "https://ra.example.org/h?t=9"
SENT_AT = 1795309401251
ELEMENT = {
    "data": {
        "type": "event",
        "id": "meeting-ended",
        "attributes": {"meeting": {"internal-meeting-id": "i-1", "external-meeting-id": "é~*"}},
        "event": {"ts": 1795309401250},
    }
}
SENDING = Sending(happened_at=0, sent_at=SENT_AT, arrives_at=0, is_raw=False, elements=(ELEMENT,))
BODY_B = (
    "domain=bbb.example.org&event=%5B%7B%22data%22%3A%7B%22type%22%3A%22event%22%2C%22id%22%3A%22meeting-ended%22%2C"
    "%22attributes%22%3A%7B%22meeting%22%3A%7B%22internal-meeting-id%22%3A%22i-1%22%2C%22external-meeting-id%22%3A%22"
    "%C3%A9%7E*%22%7D%7D%2C%22event%22%3A%7B%22ts%22%3A1795309401250%7D%7D%7D%5D&timestamp=1795309401251"
)


@pytest.mark.parametrize(
    ("regime", "algorithm", "generation", "expected"),
    [
        ("B", "sha1", "3.5.0", "9f4eca70f32a95e842f9bb28d84316911e9f9b2f"),
        ("B", "sha256", "3.5.0", "df5286c8eceb8388bc6011d68245d376783e34dd66378097e0bb19f659145527"),
        ("C", "sha1", "3.3.1", "182fded738906fa07367516b717937c5810dda11"),
        ("D", "sha1", "2.6.1", "3cc6bbb9734e4f8be2960332b235b4aee58653ab"),
    ],
)
def test_a_delivery_is_signed_as_the_real_relay_signs_it(
    regime: str, algorithm: str, generation: str, expected: str
) -> None:
    signed = Signer(secret=SECRET, regime=regime, algorithm=algorithm).sign(SENDING, URL, GENERATIONS[generation])
    assert signed.path == f"/h?t=9&checksum={expected}"


def test_a_new_relay_encodes_its_form_as_javascript_does() -> None:
    signed = Signer(secret=SECRET).sign(SENDING, URL, GENERATIONS["3.5.0"])
    assert signed.body == BODY_B.encode()


def test_an_old_relay_puts_the_event_first_and_percent_encodes_blanks() -> None:
    element = {"data": ELEMENT["data"] | {"id": "a b~*'é"}}
    sending = Sending(happened_at=0, sent_at=7, arrives_at=0, is_raw=False, elements=(element,))
    signed = Signer(secret=SECRET, regime="D").sign(sending, URL, GENERATIONS["2.6.1"])
    assert signed.body.startswith(b"event=%5B%7B")
    assert b"a%20b~%2A%27%C3%A9" in signed.body
    assert signed.body.endswith(b"&timestamp=7&domain=bbb.example.org")
    assert dict(signed.headers) == {"Content-Type": "application/x-www-form-urlencoded"}


def test_by_bearer_the_secret_travels_and_the_url_stays_as_it_is() -> None:
    signed = Signer(secret=SECRET, regime="A").sign(SENDING, URL, GENERATIONS["3.5.0"])
    assert signed.path == "/h?t=9"
    assert dict(signed.headers)["Authorization"] == f"Bearer {SECRET}"


def test_a_blank_in_a_registered_url_is_signed_as_a_blank_and_sent_as_percent_20() -> None:
    signer = Signer(secret=SECRET)
    signed = signer.sign(SENDING, "http://127.0.0.1/a b", GENERATIONS["3.5.0"])
    assert signed.path.startswith("/a%20b?checksum=")
    assert signed.path.endswith(signer.checksum("http://127.0.0.1/a b", BODY_B.encode(), "", SENT_AT))


@pytest.mark.parametrize(
    ("call", "query", "algorithm", "expected"),
    [
        (
            "hooks/create",
            "callbackURL=https%3A%2F%2Fra.example.org%2Fh%3Ft%3D9&eventID=user-joined%2Cuser-left",
            "sha1",
            "c92fd0e658ebbe17eb79d2cb0efe81371bdf4c97",
        ),
        (
            "hooks/create",
            "callbackURL=https%3A%2F%2Fra.example.org%2Fh%3Ft%3D9&eventID=user-joined%2Cuser-left",
            "sha256",
            "37d5de12b093d1ec5c521fb8fbc7aaeeec5e3bd705b97db8ce435273e18a0f53",
        ),
        ("hooks/list", "", "sha1", "fbdbe84a385d2d94049b49c432f3de6bd4e55025"),
        ("getMeetings", "", "sha1", "e678f02d55dcd788f2f26071014b833908391632"),
    ],
)
def test_an_api_call_is_signed_as_bigbluebutton_expects(call: str, query: str, algorithm: str, expected: str) -> None:
    assert call_checksum(call, query, SECRET, algorithm) == expected
