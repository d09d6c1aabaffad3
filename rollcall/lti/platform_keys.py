"""The keys by which a platform signs: fetched with limits, kept in its row, and again when it signs with a new one."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused, RollcallError
from rollcall.lti.refusals import refused
from rollcall.lti.signed import KINDS, Header, PublicKey, fits
from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.asking import Question, ask_now
from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

A_DAY_MS: Final = 24 * 3_600_000
"""After this the set is fetched again, so that a key that was withdrawn is not believed for ever."""

PAUSE_MS: Final = 30_000
"""A platform is not asked more often: a key id that nobody knows costs nothing to make up."""

MOST_BYTES: Final = 262_144
MOST_KEYS: Final = 100
MOST_OF_ONE_ID: Final = 4
FETCH_SECONDS: Final = 5.0

_PUBLIC: Final = frozenset({"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"})

_fetching: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

logger = structlog.get_logger(__name__)


def keys_for(platform: Platform, header: Header, now: int) -> list[PublicKey]:
    """The keys that may have signed under this header; LaunchRefused if there is none. `now` is epoch ms."""
    if platform.public_key:
        return _only(platform.public_key, header)
    if not header.key_id:
        raise refused("key-unknown")
    found = list(_matching(platform.keys, header))
    if found and _is_fresh(platform, now):
        return found
    with _fetching[platform.pk]:  # of a class that comes at once, one asks
        platform.refresh_from_db(fields=["keys", "keys_fetched_at", "keys_trouble"])
        if _may_ask(platform, now):
            fetch(platform, now)
    if found := list(_matching(platform.keys, header)):
        return found
    raise refused("keys-unreachable" if platform.keys_trouble else "key-unknown")


def fetch(platform: Platform, now: int) -> None:
    """Ask for the set and keep it; of a set that cannot be had the last one stays, and the trouble stands beside it."""
    try:
        platform.keys, platform.keys_trouble = _asked(platform.keys_url), ""
    except RollcallError as error:
        platform.keys_trouble = error.kept() if isinstance(error, ServiceTrouble) else error.code
        logger.warning("The keys of a platform cannot be fetched", platform=platform.pk, code=error.code)
    platform.keys_fetched_at = now
    platform.save(update_fields=["keys", "keys_trouble", "keys_fetched_at"])


def _is_fresh(platform: Platform, now: int) -> bool:
    at = platform.keys_fetched_at
    return at is not None and not platform.keys_trouble and now - at < A_DAY_MS


def _may_ask(platform: Platform, now: int) -> bool:
    at = platform.keys_fetched_at
    return bool(platform.keys_url) and (at is None or abs(now - at) >= PAUSE_MS)


def _asked(url: str) -> str:
    reply = ask_now(Question(url, headers={"Accept": "application/json"}, at_most=MOST_BYTES, seconds=FETCH_SECONDS))
    if not reply.is_success:
        raise ServiceTrouble(Trouble.NO_KEYS, str(reply.status))
    return kept(reply.content)


def kept(content: bytes) -> str:
    """What is kept of a key set: public members of keys that can sign."""
    try:
        listed = json.loads(content)["keys"]
        keys = [_public(one) for one in listed if isinstance(one, dict)][:MOST_KEYS]
    except (ValueError, TypeError, KeyError, RecursionError):
        keys = []
    keys = [one for one in keys if one.get("kty") in ("RSA", "EC") and one.get("use", "sig") == "sig"]
    if not keys:
        raise ServiceTrouble(Trouble.NO_KEYS)
    return json.dumps({"keys": keys})


def _public(key: dict[str, Any]) -> dict[str, Any]:
    """Its public members as far as they are texts, as RFC 7517 has them all but `key_ops`."""
    found: dict[str, Any] = {name: value for name, value in key.items() if name in _PUBLIC and isinstance(value, str)}
    if "key_ops" in key:
        listed = key["key_ops"] if isinstance(key["key_ops"], list) else []
        found["key_ops"] = [one for one in listed if isinstance(one, str)]
    return found


def _matching(keys: str, header: Header) -> Iterator[PublicKey]:
    listed = json.loads(keys)["keys"] if keys else []
    named = [one for one in listed if one.get("kid") == header.key_id]
    for one in named[:MOST_OF_ONE_ID]:
        if one.get("alg", header.algorithm) != header.algorithm or "verify" not in one.get("key_ops", ["verify"]):
            continue
        try:
            key = jwt.PyJWK(one, algorithm=header.algorithm).key
        except (jwt.PyJWTError, ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if fits(key, header.algorithm):
            yield key


def require_pem(pem: str) -> None:
    """That this text is a public key by which a platform may sign."""
    try:
        is_one = any(fits(load_pem_public_key(pem.encode()), algorithm) for algorithm in KINDS)
    except (ValueError, UnsupportedAlgorithm):
        is_one = False
    if not is_one:
        raise Refused(
            _("The public key cannot be used."),
            code="bad-key",
            hint=_("It is RSA of at least 2048 bits, or an elliptic curve, and begins with BEGIN PUBLIC KEY."),
        )


def _only(pem: str, header: Header) -> list[PublicKey]:
    """The one key of an LMS that has no address for its keys; by whatever id it goes."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise refused("key-unknown") from None
    if not fits(key, header.algorithm):
        raise refused("algorithm")
    return [key]  # type: ignore[list-item]  # as `fits` has seen
