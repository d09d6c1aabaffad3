"""What the tests of the service clients share: a platform's row, a clock, tokens without a database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from rollcall.lti import tokens
from rollcall.lti.keys import SigningKey
from rollcall.lti.tokens import Client, Tokens
from tests.makers import at

if TYPE_CHECKING:
    from rollcall.store.platforms import Context
    from tests.lti.service_standin import Site

T = TypeVar("T")
TRUSTED = frozenset({"127.0.0.1"})
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass
class Clock:
    """Epoch ms that move only when told."""

    now: int = at("12:00")

    def __call__(self) -> int:
        return self.now


@cache
def key_pair() -> SigningKey:
    """One for all tests: making one takes its time."""
    return SigningKey("kid-1", generate_private_key(public_exponent=65537, key_size=2048))


def client_of(site: Site) -> Client:
    return Client(1, site.client_id, site.token_url, site.token_url)


@dataclass
class Desk:
    """Stands for the thread of the store: what would be written is kept in `noted`."""

    noted: list[tuple[Any, ...]] = field(default_factory=list)

    async def __call__(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if work is tokens.note:
            self.noted.append(arguments)
            return None
        return work(*arguments)


def with_tokens(work: Callable[[Tokens], Awaitable[T]], clock: Clock, desk: Desk | None = None) -> T:
    """Run something that needs tokens, to its end."""

    async def run() -> T:
        # Without certificates, which take their time to read: all here is plain.
        async with httpx.AsyncClient(verify=False, trust_env=False, follow_redirects=False) as http:  # noqa: S501
            return await work(Tokens(http, desk or Desk(), clock, TRUSTED))

    return asyncio.run(run())


def make_context(site: Site, context_id: str = "2", *, now: int = at("12:00"), **more: Any) -> Context:
    """A course of a platform of this site, from which somebody has launched."""
    from rollcall.store.keys import key_of
    from rollcall.store.organisations import Organisation
    from rollcall.store.platforms import Context, Platform

    organisation, _ = Organisation.objects.get_or_create(name="School", defaults={"added_at": 0})
    platform, _ = Platform.objects.get_or_create(
        key=key_of(site.base, site.client_id),
        defaults={
            "organisation": organisation,
            "name": "Moodle",
            "issuer": site.base,
            "client_id": site.client_id,
            "site": site.base,
            "site_key": key_of(site.base),
            "host": "127.0.0.1",
            "authorization_url": f"{site.base}/mod/lti/auth.php",
            "token_url": site.token_url,
            "added_at": 0,
        },
    )
    told = {"memberships_url": site.memberships_url, "launched_at": now, "roster_due_at": now} | more
    return Context.objects.create(platform=platform, context_id=context_id, key=key_of(context_id), **told)


def run_with(work: Coroutine[Any, Any, T]) -> T:
    """The end of something that asks nobody outside."""
    return asyncio.run(work)
