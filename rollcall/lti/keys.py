"""Rollcall's own key pairs: with one it signs, all that are not retired stand in its key set.

A new pair is published at once and signs from later on, when platforms have asked for the set again; the one before it
stays in the set for as long as anything that it signed may be verified. So the key changes and nobody notices.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.db import transaction

from rollcall.store.keys import key_of
from rollcall.store.platforms import ToolKey
from rollcall.store.sealing import seal, unseal

ALGORITHM: Final = "RS256"
BITS: Final = 2048
CACHED_SECONDS: Final = 3600
"""For how long a platform may take the set for what it was."""

SIGNS_AFTER_MS: Final = 2 * CACHED_SECONDS * 1000
RETIRED_AFTER_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The pair that signs now."""

    kid: str
    private_key: RSAPrivateKey

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims."""
        return jwt.encode(claims, self.private_key, algorithm=ALGORITHM, headers={"kid": self.kid})


def signing_key(now: int | None = None) -> SigningKey:
    """The newest pair that is due; the very first is made here. `now` is epoch ms."""
    now = _now(now)
    row = _signing(now) or _first(now)
    private = load_pem_private_key(unseal(row.sealed).encode(), password=None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("a pair of another kind")
    return SigningKey(row.kid, private)


def key_set(now: int | None = None) -> dict[str, list[dict[str, str]]]:
    """What is published: all pairs that sign, will sign, or have signed what may still be verified."""
    now = _now(now)
    if _signing(now) is None:
        _first(now)
    rows = ToolKey.objects.order_by("pk")
    return {"keys": [json.loads(row.public) for row in rows if row.retired_at is None or row.retired_at > now]}


def rotate(now: int | None = None, *, at_once: bool = False) -> ToolKey:
    """A new pair, in the set from now and signing two hours later; the others retire a day after that.

    `at_once`: it signs now and the others are gone, because one of them is known to somebody else.
    """
    now = _now(now)
    at_once = at_once or _signing(now) is None
    signs_from = now if at_once else now + SIGNS_AFTER_MS
    retires = now if at_once else signs_from + RETIRED_AFTER_MS
    with transaction.atomic():
        ToolKey.objects.filter(retired_at=None).update(retired_at=retires)
        if at_once:
            ToolKey.objects.filter(retired_at__gt=now).update(retired_at=now)
        ToolKey.objects.filter(retired_at__lt=now - RETIRED_AFTER_MS).delete()
        return _make(now, signs_from)


def _now(now: int | None) -> int:
    return time.time_ns() // 1_000_000 if now is None else now


def _signing(now: int) -> ToolKey | None:
    """Of two that were made by two processes at once the older signs: both are published, either will do."""
    due = ToolKey.objects.filter(signs_from__lte=now).order_by("-signs_from", "pk")
    return next((row for row in due if row.retired_at is None or row.retired_at > now), None)


def _first(now: int) -> ToolKey:
    return _make(now, now)


def _make(now: int, signs_from: int) -> ToolKey:
    private = generate_private_key(public_exponent=65537, key_size=BITS)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    members = {name: public[name] for name in ("kty", "n", "e")}
    kid = key_of(members["n"]).hex()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return ToolKey.objects.create(
        kid=kid,
        sealed=seal(pem),
        public=json.dumps(members | {"kid": kid, "alg": ALGORITHM, "use": "sig"}),
        made_at=now,
        signs_from=signs_from,
    )
