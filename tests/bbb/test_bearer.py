"""The token of a record: BigBlueButton's own verifies, nothing else does, and nothing breaks on what it may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.bearer import check_times, is_signed, read_token, signer_of
from rollcall.bbb.checksum import SharedSecret
from rollcall.bbb.stripped import explain_missing
from rollcall.core.errors import Refused
from tests.bbb.recorded import SECRET, token

# Made by BigBlueButton's way of making them, for the secret s3cretKEY.
THEIRS = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.eyJleHAiOjE3OTUzOTU4MDF9."
    "5Y2QbTWkQM0k0jnDrTfS5pS_1BftuvvPf-74zOgWwRbRy0IBle2erkAlyQ-H5pvdThBHvYXKQw2QoCnP-kJdwg"
)
EXPIRES = 1795395801


def test_a_token_of_bigbluebutton_is_understood() -> None:
    found = read_token(f"Bearer {THEIRS}".encode())
    assert is_signed(found, b"s3cretKEY")
    assert not is_signed(found, b"s3cretKEz")
    check_times(found, EXPIRES - 86_400)
    check_times(found, EXPIRES + 60)
    with pytest.raises(Refused, match="61 seconds ago"):
        check_times(found, EXPIRES + 61)


def test_of_several_secrets_the_first_that_signed_is_found() -> None:
    found = read_token(token().encode())
    secrets = [
        SharedSecret(number, text) for number, text in enumerate((b"", b"other", SECRET.encode(), SECRET.encode()))
    ]
    signer = signer_of(found, secrets)
    assert signer is not None
    assert signer.key == 2
    assert signer_of(found, secrets[:2]) is None


def test_a_blank_secret_signs_nothing() -> None:
    assert not is_signed(read_token(token(secret="").encode()), b"")


@given(st.integers(min_value=0, max_value=2**31), st.integers(min_value=0, max_value=5))
def test_a_token_with_one_other_character_is_none(place: int, by: int) -> None:
    whole = token({"exp": 4_000_000_000})
    # The last character holds bits that belong to no byte.
    place %= len(whole) - 1
    changed = whole[:place] + "ABCDEF"[by] + whole[place + 1 :]
    try:
        found = read_token(b"Bearer " + changed.encode())
    except Refused:
        return
    assert is_signed(found, SECRET.encode()) == (changed == whole)


@given(st.binary(max_size=60), st.lists(st.binary(max_size=20), max_size=4))
def test_whatever_stands_in_the_header_is_read_or_refused_with_words(text: bytes, parts: list[bytes]) -> None:
    for header in (text, b"Bearer " + text, b".".join(parts), b"Bearer " + b".".join(parts)):
        with pytest.raises(Refused) as refused:
            read_token(header)
        assert refused.value.code.startswith("token-")
        assert refused.value.hint


@given(st.lists(st.tuples(st.sampled_from([b"via", b"server", b"x-real-ip", b"forwarded", b"cf-ray"]), st.binary())))
def test_whatever_a_proxy_writes_is_never_repeated(headers: list[tuple[bytes, bytes]]) -> None:
    sentence, mend = explain_missing(headers)
    assert sentence.endswith(".")
    assert "CGIPassAuth On" in mend
    assert "\0" not in sentence
