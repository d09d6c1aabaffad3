"""Whether each BigBlueButton server answers, accepts the secret, and has the right time."""

from __future__ import annotations

from math import ceil

from rollcall.bbb import servers
from rollcall.bbb.api import BigBlueButton
from rollcall.bbb.watch import ROUNDS_UNTIL_BLIND, Pace
from rollcall.core.errors import RollcallError
from rollcall.doctor.findings import Finding, fault, minutes_ago, warning
from rollcall.store.connections import Server

# HTTP's Date has whole seconds, and the way there and back takes its time.
CLOCK_OFF_MS = 5_000
# A worker finds a new server at its next round and asks it in the one after.
FIRST_ROUNDS = 2


async def check(server: Server, bbb: BigBlueButton) -> list[Finding]:
    """Ask who is in."""
    about = server.pool.name
    try:
        listing = await bbb.meetings()
    except RollcallError as error:
        return [fault(about, error)]
    count = len(listing.meetings)
    running = "one meeting runs" if count == 1 else f"{count} meetings run"
    found = [Finding(about, f"{bbb.host} answers; {running} there.")]
    if abs(off_ms := listing.at - listing.asked_at) > CLOCK_OFF_MS:
        found.append(
            warning(
                about,
                f"Its clock is {abs(off_ms) / 1000:.0f} s {'ahead of' if off_ms > 0 else 'behind'} this machine's.",
                "Let both keep time by NTP (timedatectl): times of classes are the server's.",
            )
        )
    return found + _watched(server)


def _watched(server: Server) -> list[Finding]:
    about, now, last = server.pool.name, servers.now_ms(), server.polled_at
    late_ms = ROUNDS_UNTIL_BLIND * Pace.from_environment().poll_ms
    if not (server.is_polled and server.pool.is_captured) or (last is not None and now - last <= late_ms):
        return []
    if last is None and (left_ms := server.added_at + FIRST_ROUNDS * Pace.from_environment().poll_ms - now) > 0:
        return [Finding(about, f"A running worker will ask it within {ceil(left_ms / 1000)} s.")]
    how = "has not been polled yet" if last is None else f"was polled {minutes_ago(now - last)}"
    return [warning(about, f"It {how}.", "Is a worker running (rollcall serve, or rollcall worker)?")]
