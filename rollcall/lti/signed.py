"""A token of a platform: taken apart strictly, and believed only with a signature by one of the platform's keys."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from rollcall.lti.refusals import refused

LARGEST: Final = 65_536
LONGEST_KID: Final = 255
SMALLEST_RSA_BITS: Final = 2048

PublicKey = RSAPublicKey | EllipticCurvePublicKey

KINDS: Final = MappingProxyType(
    {
        "RS256": ("RSA", ""),
        "RS384": ("RSA", ""),
        "RS512": ("RSA", ""),
        "ES256": ("EC", "secp256r1"),
        "ES384": ("EC", "secp384r1"),
        "ES512": ("EC", "secp521r1"),
    }
)
"""The algorithms that are allowed, with the kind of key and the curve each one takes. `none` and HMAC are not among
them: with those, whoever knows the public key could sign."""

_PART: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Header:
    """What is read of a token's header; where it says a key could be had (jku, x5u, jwk) is not."""

    algorithm: str
    key_id: str


def verified(token: str, keys_for: Callable[[Header], Sequence[PublicKey]]) -> dict[str, Any]:
    """What a token claims, once one of these keys has signed it; LaunchRefused otherwise."""
    if len(token) > LARGEST:
        raise refused("token-too-big")
    parts = token.split(".")
    if len(parts) != 3 or not all(map(_PART.fullmatch, parts)):
        raise refused("token-malformed")
    header = _header(_object(_decoded(parts[0])))
    payload = _signed_by_one(token, header.algorithm, keys_for(header))
    return _object(payload)


def fits(key: object, algorithm: str) -> bool:
    """Whether a key is of the kind that an algorithm takes, and strong enough."""
    kind, curve = KINDS[algorithm]
    if isinstance(key, RSAPublicKey):
        return kind == "RSA" and key.key_size >= SMALLEST_RSA_BITS
    return isinstance(key, EllipticCurvePublicKey) and kind == "EC" and key.curve.name == curve


def _header(read: dict[str, Any]) -> Header:
    algorithm, key_id, kind = read.get("alg"), read.get("kid", ""), read.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise refused("algorithm")
    # An extension that must be understood is not; `b64` alone would change what is signed.
    if "crit" in read or "b64" in read or not isinstance(kind, str) or kind.casefold() != "jwt":
        raise refused("token-malformed")
    if not isinstance(key_id, str) or len(key_id) > LONGEST_KID:
        raise refused("token-malformed")
    return Header(algorithm, key_id)


def _signed_by_one(token: str, algorithm: str, keys: Sequence[PublicKey]) -> bytes:
    for key in keys:
        try:
            payload: bytes = jwt.PyJWS().decode(token, key=key, algorithms=[algorithm])
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError:
            raise refused("token-malformed") from None
        return payload
    raise refused("signature")


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (NotBase64, ValueError):
        raise refused("token-malformed") from None


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object no name of which stands twice: which of the two counts, another reader might see otherwise."""
    try:
        read = json.loads(text.decode(), object_pairs_hook=_each_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise refused("token-malformed") from None
    if not isinstance(read, dict):
        raise refused("token-malformed")
    return read


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
