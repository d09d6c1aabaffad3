"""Every check there is, in the order in which their faults explain one another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx

from rollcall.bbb import registration, servers
from rollcall.bbb.api import BigBlueButton, http_client
from rollcall.core.errors import RollcallError
from rollcall.doctor import (
    cache,
    completions,
    database,
    fonts,
    hooks,
    organisations,
    platforms,
    public_url,
    records,
    relay,
    rosters,
)
from rollcall.doctor import servers as server_check
from rollcall.doctor.findings import Finding, fault
from rollcall.store.connections import Server

AT_ONCE = 32


async def examine() -> list[Finding]:
    """The database, the cache, the fonts, our address, each server, then what is owed to the LMSs."""
    found = await registration.in_thread(database.check)
    found += await registration.in_thread(cache.check)
    found += await registration.in_thread(fonts.check)
    found += await public_url.check()
    found += await examine_servers(await registration.in_thread(live_servers))
    found += await registration.in_thread(relay.check)
    found += await registration.in_thread(completions.check)
    found += await registration.in_thread(organisations.check, servers.now_ms())
    found += await registration.in_thread(platforms.check_all, servers.now_ms())
    return found + await registration.in_thread(rosters.check)


async def examine_servers(chosen: Sequence[Server]) -> list[Finding]:
    """Each server and its hooks, several at a time."""
    at_once = asyncio.Semaphore(AT_ONCE)
    async with http_client() as http:

        async def one(server: Server) -> list[Finding]:
            async with at_once:
                return await _examine(server, http)

        return [finding for found in await asyncio.gather(*map(one, chosen)) for finding in found]


async def _examine(server: Server, http: httpx.AsyncClient) -> list[Finding]:
    try:
        bbb = BigBlueButton(http, server.api_url, servers.usable_secrets(server))
    except RollcallError as error:
        return [fault(server.pool.name, error)]
    rows = await registration.in_thread(servers.hooks_of, server.pk)
    answering, hooked = await asyncio.gather(server_check.check(server, bbb), hooks.check(server, rows, bbb))
    recorded = await registration.in_thread(records.check, server, servers.now_ms())
    # A server that cannot be reached at all need not be told twice.
    return list(dict.fromkeys((*answering, *hooked, *recorded)))


def live_servers() -> list[Server]:
    """All that have not been removed, by name."""
    rows = Server.objects.filter(removed_at=None).select_related("pool").prefetch_related("secrets")
    return sorted(rows, key=lambda server: server.pool.name)
