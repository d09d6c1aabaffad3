"""Equality keys: sixteen bytes of BLAKE2b over the exact text, which no collation can merge or trim."""

from __future__ import annotations

from hashlib import blake2b

from rollcall.store.fields import DIGEST_BYTES


def exact_bytes(text: str) -> bytes:
    r"""Every string as bytes of its own: lone surrogates stay apart, and NUL becomes C0 80 so that 0 may separate."""
    return text.encode("utf-8", "surrogatepass").replace(b"\x00", b"\xc0\x80")


def _digest(*parts: bytes) -> bytes:
    return blake2b(b"\x00".join(parts), digest_size=DIGEST_BYTES).digest()


def meeting_key(internal_meeting_id: str) -> bytes:
    """`Meeting.key`: unique within one pool."""
    return _digest(exact_bytes(internal_meeting_id))


def fact_digest(pool_name: str, payload: bytes, identity: bytes | None) -> bytes:
    """`Fact.digest`, over the kept bytes (canonical JSON, in which no byte is 0)."""
    return _digest(exact_bytes(pool_name), payload, identity or b"")


def person_key(site: str, external_user_id: str, organisation: int = 0) -> bytes:
    """`Person.key` of a user of one LMS, as the organisation knows them whose meetings they were in; 0 is none."""
    return _digest(*_within(organisation), exact_bytes(site), exact_bytes(external_user_id))


def course_key(site: str, context_id: str, organisation: int = 0) -> bytes:
    """`Course.key`, in the same way."""
    return _digest(*_within(organisation), exact_bytes(site), exact_bytes(context_id))


def guests_key(site: str, name_key: str, organisation: int = 0) -> bytes:
    """`Person.key` of all guests and callers of one folded name."""
    return _digest(*_within(organisation), exact_bytes(site), b"", exact_bytes(name_key))


def _within(organisation: int) -> tuple[bytes, ...]:
    """No two organisations share an entry, so that neither sees a total or a name that is the other's.

    It stands first and ends in two zeros, as no site does: a key of two texts is never one of three.
    """
    return (b"%d" % organisation, b"") if organisation else ()


def key_of(*texts: str) -> bytes:
    """The key of any other text, or of several read as one name."""
    return _digest(*map(exact_bytes, texts))
