"""Whether webhooks can arrive from each server, and do."""

from __future__ import annotations

from rollcall.bbb import faults, hooks, servers
from rollcall.bbb.api import BigBlueButton
from rollcall.bbb.hooks import Standing
from rollcall.bbb.servers import OurHook
from rollcall.core.errors import Misconfigured, RollcallError
from rollcall.doctor.findings import Finding, fault, minutes_ago, warning
from rollcall.store.connections import Server

MINUTE_MS = 60_000
QUIET_MS = 15 * MINUTE_MS


async def check(server: Server, rows: list[OurHook], bbb: BigBlueButton) -> list[Finding]:
    """Ask bbb-webhooks whether it is up and which hooks it holds."""
    about = server.pool.name
    if not server.has_hooks:
        return [
            warning(
                about,
                "It was added with --no-hooks: only polls tell who is in, so much less can be proved.",
                "Remove it and add it without --no-hooks, if it has bbb-webhooks by now.",
            )
        ]
    try:
        await _ping(bbb)
        listing = await bbb.hooks()
    except RollcallError as error:
        return [fault(about, error)]
    standing = hooks.stand(rows, listing.hooks, wants_raw=server.wants_raw)
    return [*_in_place(about, standing), *_leftover(about, rows, standing), *_arriving(server)]


async def _ping(bbb: BigBlueButton) -> None:
    try:
        await bbb.ping()
    except faults.NoHooksApi:
        await bbb.hooks()  # older ones know no ping


def _in_place(about: str, standing: Standing) -> list[Finding]:
    found = []
    for is_raw, ours in standing.ours.items():
        kind = "raw" if is_raw else "mapped"
        if any(map(standing.is_right, ours)):
            found.append(Finding(about, f"Our {kind} hook is in place."))
            continue
        wrong = [standing.listed[row.url] for row in ours if row.url in standing.listed]
        how = "gets only a part of the events" if wrong else "is not registered there"
        found.append(
            fault(
                about,
                Misconfigured(
                    f"Our {kind} hook {how}.",
                    hint="A running worker repairs this by itself within minutes (rollcall serve).",
                ),
            )
        )
    if (missing := standing.operators_fault()) is not None:
        found.append(fault(about, missing))
    elif standing.theirs:
        found.append(Finding(about, "The hooks you registered are in place."))
    return found


def _leftover(about: str, rows: list[OurHook], standing: Standing) -> list[Finding]:
    old = [row for row in rows if row.is_ours and row.verifies_until is not None and row.url in standing.listed]
    if not old:
        return []
    return [warning(about, "A hook that was replaced is still registered.", "A running worker takes it away.")]


def _arriving(server: Server) -> list[Finding]:
    about, now = server.pool.name, servers.now_ms()
    if server.arrived_at is not None:
        past_ms = now - server.arrived_at
        return [
            Finding(about, f"The last webhook came {minutes_ago(past_ms) if past_ms >= MINUTE_MS else 'just now'}.")
        ]
    if now - server.added_at < QUIET_MS:
        return [Finding(about, "No webhook has come yet.")]
    return [
        warning(
            about,
            "No webhook has ever come.",
            "Hold a short meeting; if nothing comes, check that the server reaches ROLLCALL_URL: curl it from there.",
        )
    ]
