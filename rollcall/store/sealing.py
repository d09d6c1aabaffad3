"""Shared secrets at rest, sealed with a key made from SECRET_KEY: a copy of the database alone signs nothing."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from rollcall.core.errors import Misconfigured

PURPOSE = b"rollcall: shared secrets of BigBlueButton servers, 1"


class WrongKey(Misconfigured):
    """What is stored was sealed under another SECRET_KEY."""

    code = "wrong-secret-key"


@lru_cache(maxsize=4)
def _box(secret_key: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(key))


def seal(secret: str) -> bytes:
    """The bytes to store; sealing the same secret twice gives different ones."""
    return _box(settings.SECRET_KEY).encrypt(secret.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """What was sealed; WrongKey if SECRET_KEY is no longer the one it was sealed with."""
    try:
        return _box(settings.SECRET_KEY).decrypt(bytes(sealed)).decode()
    except InvalidToken as error:
        raise WrongKey(
            "A stored secret cannot be opened with this ROLLCALL_SECRET_KEY.",
            hint="Restore the secret key the database was made with (by default the file secret-key in ROLLCALL_DATA), "
            "or add each server's secret again: rollcall server secret add.",
        ) from error
