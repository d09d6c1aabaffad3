from __future__ import annotations

from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from rollcall.store.keys import exact_bytes, fact_digest, key_of, meeting_key, person_key

any_text = st.text(st.characters(exclude_categories=()), max_size=8)


@given(any_text, any_text)
def test_texts_that_differ_have_bytes_that_differ(one: str, other: str) -> None:
    assert (exact_bytes(one) == exact_bytes(other)) == (one == other)


@given(st.lists(any_text, min_size=1, max_size=3), st.lists(any_text, min_size=1, max_size=3))
def test_names_of_several_parts_that_differ_have_keys_that_differ(one: list[str], other: list[str]) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)


def test_keys_are_what_the_design_says() -> None:
    assert person_key("https://lms", "7") == blake2b(b"https://lms\x007", digest_size=16).digest()
    assert fact_digest("p", b"{}", b"[]") == blake2b(b"p\x00{}\x00[]", digest_size=16).digest()
    assert fact_digest("p", b"{}", None) == blake2b(b"p\x00{}\x00", digest_size=16).digest()
    assert meeting_key("ä") == blake2b("ä".encode(), digest_size=16).digest()


def test_the_same_user_id_at_two_sites_is_two_people() -> None:
    assert person_key("https://one", "7") != person_key("https://two", "7")
    assert person_key("https://one/", "17") != person_key("https://one/1", "7")
