"""The address a BigBlueButton server sends a meeting's record to when the meeting is over: one for each pool."""

from __future__ import annotations

from rollcall import environment
from rollcall.core.errors import Misconfigured
from rollcall.store.connections import Pool, new_callback_token

PREFIX = "/callbacks/"


def callback_url(pool: Pool) -> str:
    """What stands in `meta_analytics-callback-url`; its last part is made when it is first asked for."""
    base = environment.URL.read().rstrip("/")
    if not base:
        raise Misconfigured(
            "ROLLCALL_URL is empty, so nobody can be told where to send records.",
            code="no-url",
            hint="Set it to the address under which BigBlueButton reaches Rollcall, such as https://rollcall.example.org.",
        )
    return base + PREFIX + callback_token(pool)


def callback_token(pool: Pool) -> str:
    """The unguessable last part of that address; of two who ask first, both get the same."""
    if pool.callback_token is None:
        Pool.objects.filter(pk=pool.pk, callback_token=None).update(callback_token=new_callback_token())
        pool.refresh_from_db(fields=["callback_token"])
    token: str = pool.callback_token
    return token
