"""Whether the cache keeps what it is given: sessions are in it, where there is one."""

from __future__ import annotations

import secrets

from django.core.cache.backends.redis import RedisCache

from rollcall import environment
from rollcall.core.errors import Misconfigured
from rollcall.doctor.findings import Finding, fault

ABOUT = "cache"
KEPT_SECONDS = 60
ANSWER_SECONDS = 5


def check() -> list[Finding]:
    """Put something in and take it out; nothing to say where the cache is this process's own memory."""
    url = environment.CACHE_URL.read()
    if not url:
        return []
    limits = {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": ANSWER_SECONDS}
    key, value = f"doctor:{secrets.token_hex(8)}", secrets.token_hex(8)
    try:
        cache = RedisCache(url, {"KEY_PREFIX": "rollcall", "OPTIONS": limits})
        cache.set(key, value, KEPT_SECONDS)
        is_kept = cache.get(key) == value
        cache.delete(key)
    except Exception as error:  # noqa: BLE001 - the driver has its own tree of errors, and is not always installed
        # Not its text: that may hold the address, and with it the password.
        return [_broken(f"The cache cannot be used: {type(error).__name__}.")]
    if not is_kept:
        return [_broken("The cache forgets at once what it is given.")]
    return [Finding(ABOUT, "Redis keeps what it is given.")]


def _broken(sentence: str) -> Finding:
    hint = (
        "Does Redis run where ROLLCALL_CACHE_URL says, with that password and room left? Until then nobody can log in."
    )
    return fault(ABOUT, Misconfigured(sentence, hint=hint))
