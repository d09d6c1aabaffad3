"""Secrets at rest, sealed with keys made from SECRET_KEY: a copy of the database alone opens none of them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from enum import StrEnum
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from rollcall.core.errors import Misconfigured


class Purpose(StrEnum):
    """Each has a key of its own, so that what was sealed for one is not opened as another."""

    SECRETS = "rollcall: shared secrets of BigBlueButton servers, 1"
    MOODLE_TOKENS = "rollcall: tokens of Moodle's web services, 1"


_AGAIN = {
    Purpose.SECRETS: "or add each server's secret again: rollcall server secret add.",
    Purpose.MOODLE_TOKENS: "or give each Moodle's token again: rollcall platform moodle set.",
}


class WrongKey(Misconfigured):
    """What is stored was sealed under another SECRET_KEY."""

    code = "wrong-secret-key"


@lru_cache(maxsize=8)
def _box(secret_key: str, purpose: Purpose) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(key))


def seal(secret: str, purpose: Purpose = Purpose.SECRETS) -> bytes:
    """The bytes to store; sealing the same secret twice gives different ones."""
    return _box(settings.SECRET_KEY, purpose).encrypt(secret.encode())


def unseal(sealed: bytes | memoryview, purpose: Purpose = Purpose.SECRETS) -> str:
    """What was sealed for this; WrongKey if SECRET_KEY is no longer the one it was sealed with."""
    try:
        return _box(settings.SECRET_KEY, purpose).decrypt(bytes(sealed)).decode()
    except InvalidToken as error:
        raise WrongKey(
            "A stored secret cannot be opened with this ROLLCALL_SECRET_KEY.",
            hint="Restore the secret key the database was made with (by default the file secret-key in ROLLCALL_DATA), "
            + _AGAIN[purpose],
        ) from error
