"""Bodies as three generations of the relay send them, and as nobody should."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.delivery import decode_field, read_elements, split_form
from rollcall.bbb.redact import NotUnderstood

ELEMENT = {"data": {"id": "user-joined", "attributes": {"user": {"name": "Zoë & Ö+r% n=1\u2028"}}}}
EVENT = json.dumps([ELEMENT], ensure_ascii=False)
FIELDS = {"domain": "bbb.example.org", "event": EVENT, "timestamp": "1795309401251"}


def form(order: str = "domain event timestamp", quoting: Any = quote_plus, event: str = EVENT) -> bytes:
    fields = FIELDS | {"event": event}
    return urlencode([(name, fields[name]) for name in order.split()], quote_via=quoting).encode()


@pytest.mark.parametrize(
    "body",
    [
        form(),
        form("event timestamp domain", quote),
        form("event"),
        form() + b"&event=%5B%5D&checksum=x&&=&empty=",
        form(event=json.dumps([ELEMENT])),
        form(event=json.dumps(ELEMENT)),
        form(event=" " + json.dumps([ELEMENT], indent=2)),
        EVENT.encode(),
        json.dumps(ELEMENT).encode(),
        b" \n" + EVENT.encode(),
        json.dumps(FIELDS).encode(),
        json.dumps(FIELDS | {"event": [ELEMENT]}).encode(),
        json.dumps(FIELDS | {"event": ELEMENT}).encode(),
    ],
)
def test_every_form_of_a_body_holds_the_same_element(body: bytes) -> None:
    assert read_elements(body) == [ELEMENT]


def test_several_events_come_in_their_order() -> None:
    assert read_elements(form(event=json.dumps([1, ELEMENT, None]))) == [1, ELEMENT, None]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"event",
        b"event=",
        b"events=%5B%5D",
        b"domain=x&timestamp=1",
        form(event="null"),
        form(event='"text"'),
        form(event="12"),
        form(event="[1,"),
        form(event="[] []"),
        form(event="[NaN]"),
        form(event="[-Infinity]"),
        form(event="[" * 100_000),
        form(event='{"a":' * 100_000),
        form(event="[" + "9" * 5_000 + "]"),
        form(event="[1e999999999999]" + "x"),
        b"[",
        b"{",
        b"\x00\xff",
        b"[\xff\xfe",
        json.dumps({"event": "not json"}).encode(),
    ],
)
def test_what_is_no_array_of_events_is_told_in_a_sentence_that_quotes_nothing(body: bytes) -> None:
    with pytest.raises(NotUnderstood) as told:
        read_elements(body)
    assert str(told.value)
    assert "99" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'["\ud83d"]', "\ufffdd83d"),
        (r'["a\u0000b"]', "a\ufffd0000b"),
        (r'["\\u0000"]', r"\u0000"),
        (r'["\ud83d\ude00"]', "😀"),
        ("[123456789012345678901234567890]", 123456789012345678901234567890),
        ('[{"a":1,"a":2}]', {"a": 2}),
        (r'[{"a\u0000":1}]', {"a\ufffd0000": 1}),
        ("[1e400]", float("inf")),
    ],
)
def test_odd_json_is_read_as_javascript_would(text: str, value: object) -> None:
    assert read_elements(form(event=text)) == [value]


def test_bytes_that_are_no_utf8_lose_no_more_than_themselves() -> None:
    assert read_elements(b"event=%5B%22a%ffb%22%5D") == ["a\ufffdb"]


@given(st.text(), st.sampled_from([quote, quote_plus]))
def test_a_field_is_decoded_whoever_encoded_it(text: str, quoting: Any) -> None:
    assert decode_field(quoting(text, safe="*~").encode()) == text.encode()


@given(st.text(alphabet="%2225ABCDEFabcdef3+& =é"))
def test_a_field_is_decoded_as_the_standard_library_does(text: str) -> None:
    assert decode_field(text.encode()) == unquote_to_bytes(text.replace("+", " "))


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_a_form_is_split_as_the_standard_library_does(pairs: list[tuple[str, str]]) -> None:
    body = urlencode(pairs).encode()
    fields = {unquote_plus(name.decode()): decode_field(value).decode() for name, value in split_form(body).items()}
    first = dict(reversed(parse_qsl(body.decode(), keep_blank_values=True)))
    assert fields == first


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for whole in (body, b"event=" + body, b"[" + body, b'event=[{"' + body):
        with contextlib.suppress(NotUnderstood):
            assert isinstance(read_elements(whole), list)
