"""Our hooks on a BigBlueButton server: registered, looked for, and replaced before anything is taken away.

bbb-webhooks forgets hooks: after twelve failed retries, after a restart, by half. So each of ours is global and
unfiltered, is looked for by its exact address in the list of all hooks, and is repaired make-before-break: a new
address first (another token; its row is stored before the server hears of it), then the old one is destroyed.
Deliveries signed for the old address are accepted for an hour more. Repeats fall on the digest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from rollcall.bbb import servers
from rollcall.bbb.answers import ListedHook
from rollcall.bbb.api import BigBlueButton, HookListing
from rollcall.bbb.servers import OurHook
from rollcall.core.errors import Misconfigured, RollcallError

T = TypeVar("T")

MOST_ADDRESSES_AN_HOUR = 6
_HOUR_MS = 60 * 60_000


class InThread(Protocol):
    """Runs a function of the store where it may wait for the database."""

    def __call__(self, work: Callable[..., T], *arguments: Any, **named: Any) -> Awaitable[T]:
        """Await what `work` returns."""
        ...


class HookNotKept(Misconfigured):
    """The server says yes, and the hook is not there, or not as asked for."""

    code = "hook-not-kept"


class HookMissing(Misconfigured):
    """A hook that is the operator's to register is not there."""

    code = "hook-missing"


class NoPublicUrl(Misconfigured):
    """Nobody has said under which address BigBlueButton reaches Rollcall."""

    code = "no-public-url"

    def __init__(self) -> None:
        super().__init__(
            "ROLLCALL_URL is not set, so BigBlueButton cannot be told where to send its webhooks.",
            hint="Set it to the address under which the BigBlueButton server reaches Rollcall, "
            "such as https://rollcall.example.org.",
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one server should hold."""

    server: int
    host: str
    wants_raw: bool
    base_url: str


@dataclass(frozen=True, slots=True)
class Found:
    """One look at the hooks. `were_in_place`: before anything was done; `trouble`: what could not be mended."""

    at: int
    asked_at: int
    were_in_place: bool
    are_in_place: bool
    trouble: RollcallError | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Our addresses beside what the server lists. `ours` by kind (raw or not), each the oldest first."""

    ours: dict[bool, tuple[OurHook, ...]]
    theirs: tuple[OurHook, ...]
    listed: dict[str, ListedHook]

    def is_right(self, row: OurHook) -> bool:
        """Registered, of the right kind, for all meetings and all events."""
        hook = self.listed.get(row.url)
        return hook is not None and hook.is_raw == row.is_raw and not hook.meeting and not hook.events

    def is_complete(self) -> bool:
        """Whether everything arrives: each kind of ours by one address at least, and each of the operator's."""
        return all(any(map(self.is_right, rows)) for rows in self.ours.values()) and self.operators_fault() is None

    def operators_fault(self) -> HookMissing | None:
        """What only the operator can mend."""
        for row in self.theirs:
            hook = self.listed.get(row.url)
            if hook is None:
                return HookMissing(
                    f"The hook {_without_token(row.url)} is not registered on the server.",
                    hint="Register it there again, or name it in permanentURLs of bbb-webhooks and restart that.",
                )
            if hook.meeting or hook.events:
                return HookMissing(
                    f"The hook {_without_token(row.url)} gets only a part of the events.",
                    hint="Register it without meetingID and eventID.",
                )
        return None


def stand(rows: Iterable[OurHook], hooks: Iterable[ListedHook], *, wants_raw: bool) -> Standing:
    """Put what should be beside what is. Where the operator registered hooks, none of that kind is ours to make."""
    current = [row for row in rows if row.verifies_until is None]
    ours = [row for row in current if row.is_ours]
    theirs = tuple(row for row in current if not row.is_ours)
    listed = {hook.url: hook for hook in hooks}
    kinds = {False, wants_raw} if ours or not theirs else set()
    kinds -= {listed[row.url].is_raw for row in theirs if row.url in listed}
    return Standing({kind: tuple(row for row in ours if row.is_raw == kind) for kind in sorted(kinds)}, theirs, listed)


async def look(bbb: BigBlueButton, wanted: Wanted, in_thread: InThread, *, renew_before: int = 0) -> Found:
    """Find our hooks and mend what is wrong with them; one whose address is older than `renew_before` is replaced."""
    listing = await bbb.hooks()
    await _leave_to_operator(await in_thread(servers.hooks_of, wanted.server), listing, in_thread)
    standing = await _stand(wanted, listing, in_thread)
    found = Found(listing.at, listing.asked_at, standing.is_complete(), standing.is_complete())
    try:
        for kind in standing.ours:
            if await _mend(bbb, wanted, standing, in_thread, is_raw=kind, renew_before=renew_before):
                listing = await bbb.hooks()
                standing = await _stand(wanted, listing, in_thread)
                found = replace(found, at=listing.at, asked_at=listing.asked_at, are_in_place=standing.is_complete())
        await _clear_away(bbb, wanted, listing, in_thread)
    except RollcallError as error:
        return replace(found, trouble=error)
    return replace(found, trouble=standing.operators_fault())


async def _stand(wanted: Wanted, listing: HookListing, in_thread: InThread) -> Standing:
    rows = await in_thread(servers.hooks_of, wanted.server)
    return stand(rows, listing.hooks, wants_raw=wanted.wants_raw)


async def _leave_to_operator(rows: Sequence[OurHook], listing: HookListing, in_thread: InThread) -> None:
    """An address that has become permanent is the operator's from now on."""
    permanent = {hook.url for hook in listing.hooks if hook.is_permanent}
    for row in rows:
        if row.is_ours and row.url in permanent:
            await in_thread(servers.leave_to_operator, row.pk)


async def _mend(
    bbb: BigBlueButton, wanted: Wanted, standing: Standing, in_thread: InThread, *, is_raw: bool, renew_before: int
) -> bool:
    """Make the newest address of this kind right, then give up those before it; True if the server was changed."""
    rows = standing.ours[is_raw]
    newest = rows[-1] if rows else None
    is_due = newest is None or newest.added_at < renew_before
    if newest is not None and not is_due and standing.is_right(newest):
        await _settle(newest, rows[:-1], standing.listed, in_thread)
        return False
    # One that was stored and never confirmed is tried again; what was there and is gone, or wrong, gets a new address.
    if newest is None or is_due or newest.remote_id or newest.url in standing.listed:
        newest = await _new_address(wanted, in_thread, is_raw=is_raw)
    await bbb.create_hook(newest.url, is_raw=is_raw)
    after = replace(standing, listed={hook.url: hook for hook in (await bbb.hooks()).hooks})
    if not after.is_right(newest):
        raise HookNotKept(
            f"bbb-webhooks on {wanted.host} accepts our hook but does not list it as asked for.",
            hint="Restart bbb-webhooks there (systemctl restart bbb-webhooks) and look at its log.",
        )
    await _settle(newest, [row for row in rows if row.pk != newest.pk], after.listed, in_thread)
    return True


async def _new_address(wanted: Wanted, in_thread: InThread, *, is_raw: bool) -> OurHook:
    if not wanted.base_url:
        raise NoPublicUrl
    recent = servers.now_ms() - _HOUR_MS
    rows = await in_thread(servers.hooks_of, wanted.server)
    if sum(row.is_raw == is_raw and row.added_at > recent for row in rows) >= MOST_ADDRESSES_AN_HOUR:
        raise HookNotKept(
            f"Our hook on {wanted.host} disappears again and again.",
            hint="bbb-webhooks gives a hook up when it cannot deliver: check that the server reaches ROLLCALL_URL.",
        )
    return await in_thread(servers.new_address, wanted.server, wanted.base_url, is_raw=is_raw)


async def _settle(
    newest: OurHook, before: Iterable[OurHook], listed: dict[str, ListedHook], in_thread: InThread
) -> None:
    remote_id = listed[newest.url].remote_id
    if newest.remote_id != remote_id:
        await in_thread(servers.confirm, newest.pk, remote_id)
    for row in before:
        await in_thread(servers.retire, row.pk)


async def _clear_away(bbb: BigBlueButton, wanted: Wanted, listing: HookListing, in_thread: InThread) -> None:
    """Destroy what of ours was replaced, never what is permanent or not ours; forget what nobody knows any more."""
    rows = await in_thread(servers.hooks_of, wanted.server)
    listed = {hook.url: hook for hook in listing.hooks}
    gone = []
    for row in rows:
        hook = listed.get(row.url)
        if not row.is_ours or row.verifies_until is None or (hook is not None and hook.is_permanent):
            continue
        if hook is not None:
            await bbb.destroy_hook(hook.remote_id)
        gone.append(row.pk)
    if gone:
        await in_thread(servers.forget, gone)


def _without_token(url: str) -> str:
    """Enough of an address to find it by; its end is what nobody else shall know."""
    place, _, token = url.partition("?")[0].rpartition("/")
    return f"{place}/{token[:4]}…"
