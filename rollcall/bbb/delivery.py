"""The body of a delivery: which fields the form has, and which elements its `event`.

bbb-webhooks sends a form, in an order and with blanks that depend on its version; a JSON body is understood too. Only
what cannot be read at all is refused here: the elements are looked at one by one in rollcall.bbb.redact.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from rollcall.bbb.redact import NotUnderstood

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")

TOO_DEEP = "the JSON is nested too deeply"

# Nearly every escape of an `event` field is one of these; %25 comes last, or it would make new ones.
_FREQUENT = (
    (b"%22", b'"'),
    (b"%3A", b":"),
    (b"%2C", b","),
    (b"%7B", b"{"),
    (b"%7D", b"}"),
    (b"%5B", b"["),
    (b"%5D", b"]"),
    (b"%20", b" "),
)


def split_form(body: bytes) -> dict[bytes, bytes]:
    """The fields of a form, undecoded; of a repeated one the first."""
    fields: dict[bytes, bytes] = {}
    for part in body.split(b"&"):
        name, equals, value = part.partition(b"=")
        if equals:
            fields.setdefault(name, value)
    return fields


def decode_field(value: bytes) -> bytes:
    """Percent escapes undone and `+` read as a blank; bytes, since nobody promised UTF-8."""
    value = value.replace(b"+", b" ")
    if b"%" not in value:
        return value
    for escape, character in _FREQUENT:
        value = value.replace(escape, character)
    return unquote_to_bytes(value) if b"%" in value else value


def is_json(body: bytes) -> bool:
    """Whether the body is read as JSON and not as a form."""
    return body.lstrip()[:1] in {b"[", b"{"}


def read_elements(body: bytes) -> list[Any]:
    """The elements of a delivery, from a form's `event` or from a body that is JSON itself."""
    if is_json(body):
        return _elements(read_json(body))
    event = split_form(body).get(b"event")
    if event is None:
        raise NotUnderstood("a form without the field event")
    return _elements(read_json(decode_field(event)))


def _elements(found: object) -> list[Any]:
    """An array, a bare object, or an object that wraps either in `event` as the form does."""
    if isinstance(found, dict) and "event" in found and "data" not in found:
        found = found["event"]
        found = read_json(found.encode()) if isinstance(found, str) else found
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return [found]
    raise NotUnderstood("the event is neither an array nor an object")


def read_json(text: bytes) -> object:
    """What JSON says, read strictly first and then as JavaScript would; NotUnderstood if it is none."""
    try:
        found: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_lenient_json(text)
    except RecursionError:
        raise NotUnderstood(TOO_DEEP) from None
    # Only this escape can have brought a NUL, which not every database takes.
    return _without_odd_characters(found) if b"\\u0000" in text else found


def _read_lenient_json(text: bytes) -> object:
    """As JavaScript reads it: half a surrogate pair is what a name cut in the middle of an emoji ends in."""
    try:
        found = json.loads(text.decode("utf-8-sig", "replace"), parse_constant=_refuse_constant)
        return _without_odd_characters(found)
    except NotUnderstood:
        raise
    except RecursionError:
        raise NotUnderstood(TOO_DEEP) from None
    except ValueError:
        raise NotUnderstood("the JSON is malformed") from None


def _refuse_constant(_name: str) -> None:
    raise NotUnderstood("the JSON holds NaN or Infinity")


def _without_odd_characters(value: object) -> object:
    """NUL and lone surrogates spelled out, so that ids that differ only there stay different."""
    match value:
        case str():
            return _NOT_TEXT.sub(lambda odd: f"\ufffd{ord(odd[0]):04x}", value)
        case list():
            return [_without_odd_characters(one) for one in value]
        case dict():
            return {_without_odd_characters(key): _without_odd_characters(one) for key, one in value.items()}
    return value
