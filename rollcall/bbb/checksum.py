"""Who signed a delivery: the four ways in which versions of bbb-webhooks have proved that they know the secret.

A checksum is made over the callback URL as it was registered, never over the address the request came in by.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from hmac import compare_digest
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from rollcall.bbb.delivery import decode_field, is_json, split_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ALGORITHMS = {40: hashlib.sha1, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}
SHA1_CHARACTERS = 40

# What explaining one refusal may cost: about twenty milliseconds of hashing.
EXPLAINING_BYTES = 16 * 1024 * 1024


class Regime(StrEnum):
    """How a delivery was signed, and by which versions."""

    BEARER = "bearer"  # any version with auth2_0, the default of the Debian package
    BODY = "checksum-3.4"  # 3.4.0 and later: over the body
    CONSTANT = "checksum-3.0"  # 3.0.0 to 3.3.1: the same for every delivery, so whoever saw one can forge the next
    FIELDS = "checksum-2"  # 2.x: over the three fields as JSON


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A secret of a server; one that is not `is_current` only helps to explain a refusal."""

    key: int
    value: bytes = field(repr=False)
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback URL as it was registered, with all that may sign for it. `verifies_until` is in epoch ms.

    What comes to one that is not `is_captured` is acknowledged and not kept.
    """

    url: str
    server: int
    pool: int
    pool_name: str
    secrets: tuple[SharedSecret, ...]
    allows_constant: bool = True
    verifies_until: int | None = None
    is_captured: bool = True


@dataclass(frozen=True, slots=True)
class Signed:
    """What a delivery brought to prove itself, and the address it came in by (only to explain a refusal)."""

    body: bytes
    checksum: str = ""
    authorization: str = ""
    hosts: tuple[str, ...] = ()
    path: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """The callback and the secret that verified, and how."""

    callback: Callback
    secret: SharedSecret
    regime: Regime


def verify(signed: Signed, callbacks: Iterable[Callback]) -> Verified | None:
    """The first callback whose server signed this."""
    attempt = _Attempt(signed)
    for callback in callbacks:
        for secret in callback.secrets:
            if not secret.is_current:
                continue
            regime = attempt.regime(callback.url, secret.value)
            if regime is not None and (regime is not Regime.CONSTANT or callback.allows_constant):
                return Verified(callback, secret, regime)
    return None


class _Attempt:
    """One delivery being tried against URLs and secrets."""

    __slots__ = ("_body", "_checksum", "_fields", "_new_hash", "_token", "spent")

    def __init__(self, signed: Signed) -> None:
        self._body = signed.body
        self._checksum = signed.checksum.lower().encode("utf-8", "replace")
        self._new_hash = ALGORITHMS.get(len(signed.checksum))
        self._token = bearer_token(signed.authorization)
        self._fields: bytes | None = None
        self.spent = 0

    def regime(self, url: str, secret: bytes) -> Regime | None:
        """How this URL and secret account for the signature, if they do."""
        if self._token and compare_digest(self._token, secret):
            return Regime.BEARER
        if self._new_hash is None or not secret:
            return None
        signed_url = url.encode("utf-8", "surrogatepass")
        if self._matches(signed_url, self._body, secret):
            return Regime.BODY
        if self._matches(signed_url, b"{}", secret):
            return Regime.CONSTANT
        # These sign the fields of a form: a body that would be read as JSON is not what they signed.
        is_form = len(self._checksum) == SHA1_CHARACTERS and not is_json(self._body)
        if is_form and self._matches(signed_url, self._as_version_2(), secret):
            return Regime.FIELDS
        return None

    def _matches(self, url: bytes, text: bytes, secret: bytes) -> bool:
        self.spent += len(text)
        digest = self._new_hash(url + text + secret).hexdigest() if self._new_hash else ""
        return compare_digest(digest.encode(), self._checksum)

    def _as_version_2(self) -> bytes:
        if self._fields is None:
            self._fields = version_2_text(self._body)
        return self._fields


def bearer_token(authorization: str) -> bytes:
    """The token of an Authorization header; empty when it is of another kind."""
    kind, _, token = authorization.strip().partition(" ")
    return token.strip().encode("utf-8", "surrogateescape") if kind.lower() == "bearer" else b""


def version_2_text(body: bytes) -> bytes:
    """The three fields as bbb-webhooks 2 signs them, which is not as it sends them."""
    fields = {name: decode_field(value).decode("utf-8", "replace") for name, value in split_form(body).items()}
    event, domain = (json.dumps(fields.get(name, ""), ensure_ascii=False) for name in (b"event", b"domain"))
    return f'{{"event":{event},"timestamp":{fields.get(b"timestamp", "")},"domain":{domain}}}'.encode()


# -- why a delivery was refused -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came closest, in a sentence without any secret."""

    code: str
    sentence: str


def explain(signed: Signed, callbacks: Sequence[Callback], others: Sequence[Callback] = ()) -> Refusal:
    """Why none of `callbacks` verified; `others` are those of every other address and server."""
    if not callbacks:
        return Refusal("unknown-address", "no hook is registered under this address")
    if not signed.checksum and not signed.authorization:
        sentence = "neither a checksum nor the header Authorization came: stripped by a web server in front?"
        return Refusal("unsigned", sentence)
    if signed.authorization and not signed.checksum:
        return _explain_bearer(signed, callbacks, others)
    if len(signed.checksum) not in ALGORITHMS:
        known = ", ".join(map(str, ALGORITHMS))
        sentence = f"the checksum has {len(signed.checksum)} characters; known are {known}"
        return Refusal("unknown-checksum", sentence)
    return _explain_checksum(signed, callbacks, others)


def _explain_bearer(signed: Signed, callbacks: Sequence[Callback], others: Sequence[Callback]) -> Refusal:
    token = bearer_token(signed.authorization)
    if not token:
        return Refusal("no-bearer", "the header Authorization is not of the kind Bearer")
    for callback, secret in _secrets(callbacks):
        if compare_digest(token, secret.value):
            return _older_secret(callback)
    for callback, secret in _secrets(others):
        if compare_digest(token, secret.value):
            return Refusal("other-server", f"the bearer token is the secret of {callback.pool_name}")
    return Refusal("wrong-secret", f"the bearer token is no secret of {callbacks[0].pool_name}; {COMPARE}")


COMPARE = "compare its secret with `bbb-conf --secret`"


def _explain_checksum(signed: Signed, callbacks: Sequence[Callback], others: Sequence[Callback]) -> Refusal:
    attempt = _Attempt(signed)
    for callback, secret in _secrets(callbacks):
        match attempt.regime(callback.url, secret.value):
            case None:
                continue
            case Regime.CONSTANT if secret.is_current and not callback.allows_constant:
                sentence = "constant checksum of bbb-webhooks 3.0–3.3, forbidden for this server"
                return Refusal("constant-checksum", sentence)
        return _older_secret(callback)
    return (
        _other_address(attempt, signed, callbacks, others)
        or _other_server(attempt, callbacks, others)
        or Refusal(
            "wrong-checksum", f"the checksum matches no secret of {callbacks[0].pool_name} and no address; {COMPARE}"
        )
    )


def _older_secret(callback: Callback) -> Refusal:
    return Refusal("older-secret", f"signature matches an older secret of {callback.pool_name}")


def _other_address(
    attempt: _Attempt, signed: Signed, callbacks: Sequence[Callback], others: Sequence[Callback]
) -> Refusal | None:
    """The address the sender was given, guessed from the registered one, the request and our other ones."""
    for callback in callbacks:
        ours = (other.url for other in others if other.server == callback.server)
        for url in (*ours, *_variants(callback.url, signed)):
            for secret in callback.secrets:
                if attempt.spent > EXPLAINING_BYTES:
                    return None
                if attempt.regime(url, secret.value) is not None:
                    sentence = f"signed for {shown(url)}, registered as {shown(callback.url)}"
                    return Refusal("other-address", sentence)
    return None


def _other_server(attempt: _Attempt, callbacks: Sequence[Callback], others: Sequence[Callback]) -> Refusal | None:
    for other, secret in _secrets(others):
        for callback in callbacks:
            if attempt.spent > EXPLAINING_BYTES:
                return None
            if attempt.regime(callback.url, secret.value) is not None:
                return Refusal("other-server", f"signature matches the secret of {other.pool_name}")
    return None


def _secrets(callbacks: Iterable[Callback]) -> Iterator[tuple[Callback, SharedSecret]]:
    return ((callback, secret) for callback in callbacks for secret in callback.secrets)


def _variants(url: str, signed: Signed) -> Iterator[str]:
    """The registered URL as somebody may have written it otherwise: the likeliest first."""
    try:
        parts = urlsplit(url)
        hosts = dict.fromkeys((parts.netloc, *_hosts(parts), *signed.hosts))
    except ValueError:
        return
    other_scheme = "http" if parts.scheme == "https" else "https"
    other_slash = parts.path[:-1] if parts.path.endswith("/") else parts.path + "/"
    paths = dict.fromkeys((parts.path, other_slash, signed.path or parts.path))
    queries = dict.fromkeys((parts.query, "", signed.query))
    for host, path, query, scheme in product(hosts, paths, queries, (parts.scheme, other_scheme)):
        yield urlunsplit((scheme, host, path, query, ""))
    yield unquote(url)
    yield quote(url, safe=":/?#[]@!$&'()*+,;=%~")


def _hosts(parts: SplitResult) -> tuple[str, ...]:
    host = parts.netloc.rpartition("@")[2]
    bare = host if parts.port is None else host.rpartition(":")[0]
    return (host, bare, f"{bare}:443", f"{bare}:80")


def shown(url: str) -> str:
    """A callback URL for a log: without userinfo, and of a long token only the beginning."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    path = re.sub(r"[\w-]{12,}(?=/?$)", lambda token: token[0][:4] + "…", parts.path)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, parts.query, ""))
