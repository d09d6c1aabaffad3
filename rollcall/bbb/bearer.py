"""The token in the header Authorization of a record: a JWT by HS512, signed with the server's shared secret.

Nothing else is accepted, whatever a token says of itself. It proves who sends, and nothing about the body.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.bbb.checksum import SharedSecret

ALGORITHM: Final = "HS512"
LEEWAY_S: Final = 60
LONGEST: Final = 8192

_PART: Final = re.compile(rb"[A-Za-z0-9_-]{1,8192}")
_LEAST_TIME, _GREATEST_TIME = 0, 10**12
_decode = msgspec.json.Decoder().decode

BY_HAND: Final = (
    "Send `Authorization: Bearer <token>`: a JWT signed by HS512 with the shared secret, with a claim `exp`."
)
CAUSES: Final = (
    "Either the secret was changed there and not here (rollcall server secret add NAME); "
    "or it stands in /etc/bigbluebutton/bbb-web.properties and the script that sends reads only the packaged "
    "bigbluebutton.properties, which still has the old one; or a balancer such as Scalelite signs with a secret of its "
    "own: add that one, too (rollcall server secret add NAME)."
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is well formed; nothing is verified yet."""

    signed: bytes
    signature: bytes
    claims: Mapping[str, Any]


def read_token(authorization: bytes) -> Token:
    """The token of a header: its second word, as Moodle takes it, or its only one. Refused tells what is wrong."""
    words = authorization.split()
    if not words or len(authorization) > LONGEST:
        raise _malformed("it is empty" if not words else f"it is longer than {LONGEST} bytes")
    parts = words[1 if len(words) > 1 else 0].split(b".")
    if len(parts) != 3:
        raise _malformed("a token has three parts with dots between them")
    if not all(map(_PART.fullmatch, parts[:2])):
        raise _malformed("it is not base64url")
    header, claims = map(_as_object, parts[:2])
    _check_header(header)
    return Token(b".".join(parts[:2]), _bytes_of(parts[2]), claims)


def _check_header(header: Mapping[str, Any]) -> None:
    algorithm = header.get("alg")
    if algorithm != ALGORITHM:
        said = algorithm if isinstance(algorithm, str) and re.fullmatch(r"[A-Za-z0-9]{1,16}", algorithm) else "unknown"
        raise Refused(
            f"The token is signed by {said}; only {ALGORITHM} counts.",
            code="token-algorithm",
            hint=BY_HAND,
        )
    if "crit" in header:
        raise _malformed("it demands something that is not known here")


def _as_object(part: bytes) -> Mapping[str, Any]:
    try:
        found = _decode(_bytes_of(part))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _malformed("its parts are no JSON") from None
    if not isinstance(found, dict):
        raise _malformed("its parts are no JSON objects")
    return found


def _bytes_of(part: bytes) -> bytes:
    try:
        return urlsafe_b64decode(part + b"=" * (-len(part) % 4)) if _PART.fullmatch(part) else b""
    except ValueError:
        raise _malformed("it is not base64url") from None


def _malformed(why: str) -> Refused:
    return Refused(
        f"The token in the header Authorization cannot be read: {why}.", code="token-malformed", hint=BY_HAND
    )


def signer_of(token: Token, secrets: Iterable[SharedSecret]) -> SharedSecret | None:
    """The secret that signed it. Every one is tried, so that the time it takes tells nothing."""
    found = None
    for secret in secrets:
        if is_signed(token, secret.value) and found is None:
            found = secret
    return found


def is_signed(token: Token, secret: bytes) -> bool:
    """Whether this secret signed it; a blank one signs nothing."""
    wanted = hmac.new(secret, token.signed, hashlib.sha512).digest()
    return hmac.compare_digest(wanted, token.signature) and bool(secret)


def check_times(token: Token, now_s: int) -> None:
    """Refused unless it is good now, by this machine's clock and up to a minute."""
    expires_at = _time(token, "exp")
    if expires_at is None:
        raise Refused("The token has no claim `exp`.", code="token-no-expiry", status=403, hint=BY_HAND)
    if now_s > expires_at + LEEWAY_S:
        raise Refused(
            f"The token ran out {_ago(now_s - expires_at)} ago, by this machine's clock.",
            code="token-expired",
            status=403,
            hint="BigBlueButton's tokens are good for 24 hours. If the record was sent just now, one of the two clocks "
            "is wrong: compare `date -u` on both machines and let both keep time by NTP (timedatectl).",
        )
    for claim in ("nbf", "iat"):
        since = _time(token, claim)
        if since is not None and since > now_s + LEEWAY_S:
            raise Refused(
                f"The token begins to be good in {_ago(since - now_s)}, by this machine's clock.",
                code="token-too-early",
                status=403,
                hint="The sender's clock is ahead of this machine's: let both keep time by NTP (timedatectl).",
            )


def _time(token: Token, claim: str) -> int | None:
    value = token.claims.get(claim)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _LEAST_TIME <= value < _GREATEST_TIME:
        raise _malformed(f"its claim `{claim}` is no time")
    return int(value)


def _ago(seconds: int) -> str:
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
