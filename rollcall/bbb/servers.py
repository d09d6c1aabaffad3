"""The servers to watch, as the store holds them: who watches which, what was last seen of them, what runs there.

Synchronous; the watching itself calls it from one thread of its own.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from rollcall.core.events import Source
from rollcall.store.connections import Hook, Server
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import meeting_key
from rollcall.store.sealing import WrongKey, unseal

OLD_ADDRESS_VERIFIES_MS = 60 * 60_000
# How long after its last sign of life a meeting that no poll has named counts as running.
QUIET_CLASS_MS = 12 * 60 * 60_000
_FACTS_READ = 2_000
_MOST_FACTS_READ = 500_000
# Facts of several processes do not stand in exact order of their arrival.
_DISORDER_MS = 60_000
_STATUSES_WRITTEN = 100


@dataclass(frozen=True, slots=True)
class Watched:
    """One server as it stood when it was read; another value means that its watch begins anew."""

    pk: int
    pool: int
    name: str
    api_url: str
    secrets: tuple[str, ...] = field(repr=False)
    wants_raw: bool
    has_hooks: bool
    is_polled: bool
    added_at: int


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What an earlier watch left behind, on our own clock; `was_in_trouble` when it ended."""

    polled_at: int | None = None
    hooks_seen_at: int | None = None
    was_in_trouble: bool = False


@dataclass(frozen=True, slots=True)
class OurHook:
    """A row of Hook: an address as it was registered, and whether it is ours to replace."""

    pk: int
    url: str
    is_raw: bool
    is_ours: bool
    remote_id: str
    added_at: int
    verifies_until: int | None


Status = Mapping[str, int | str | None]
"""Columns of Server to write: polled_at, hooks_seen_at, trouble."""


def now_ms() -> int:
    """Our own clock."""
    return time.time_ns() // 1_000_000


def claim(watcher: str, lease_ms: int) -> list[Watched]:
    """The servers this worker watches until the lease ends: those nobody else does, by compare-and-set.

    Writes only when there is something to take or the lease is half over.
    """
    now = now_ms()
    mine, free = Q(watcher=watcher), Q(watched_until__lt=now)
    kept = Server.objects.filter(removed_at=None, pool__is_captured=True)
    if kept.filter((mine & Q(watched_until__lt=now + lease_ms // 2)) | free).exists():
        kept.filter(mine | free).update(watcher=watcher, watched_until=now + lease_ms)
    rows = kept.filter(mine).select_related("pool").prefetch_related("secrets").order_by("pk")
    return [_watched(row) for row in rows]


def usable_secrets(server: Server) -> tuple[str, ...]:
    """The secrets to sign with, the newest first; WrongKey if one cannot be opened."""
    usable = [secret for secret in server.secrets.all() if secret.retired_at is None]
    usable.sort(key=lambda secret: (-secret.added_at, -secret.pk))
    return tuple(unseal(secret.encrypted) for secret in usable)


def _watched(row: Server) -> Watched:
    try:
        usable = usable_secrets(row)
    except WrongKey:
        usable = ()  # the watch of this one server will say so; the others go on
    return Watched(
        pk=row.pk,
        pool=row.pool_id,
        name=row.pool.name,
        api_url=row.api_url,
        secrets=usable,
        wants_raw=row.wants_raw,
        has_hooks=row.has_hooks,
        is_polled=row.is_polled,
        added_at=row.added_at,
    )


def release(watcher: str) -> None:
    """Let others watch at once what this worker watched."""
    Server.objects.filter(watcher=watcher).update(watcher="", watched_until=0)


def last_seen(server: int) -> LastSeen:
    """Where an earlier watch ended."""
    row = Server.objects.get(pk=server)
    return LastSeen(row.polled_at, row.hooks_seen_at, bool(row.trouble))


def arrived_at(server: int) -> int | None:
    """When its last genuine webhook came, to the minute."""
    found: int | None = Server.objects.values_list("arrived_at", flat=True).get(pk=server)
    return found


def write_statuses(watcher: str, statuses: Mapping[int, Status]) -> None:
    """What has changed of each server, in few transactions; nothing of servers that others watch by now."""
    rows = list(statuses.items())
    for first in range(0, len(rows), _STATUSES_WRITTEN):
        with transaction.atomic():
            for pk, status in rows[first : first + _STATUSES_WRITTEN]:
                Server.objects.filter(pk=pk, watcher=watcher).update(**status)


# -- meetings -----------------------------------------------------------------------------------------------------


def open_meetings(pool: int) -> set[str]:
    """The meetings of a pool whose end is not in the log."""
    return set(Meeting.objects.filter(pool=pool, is_over=False).values_list("internal_meeting_id", flat=True))


def touched_since(pool: int, at: int) -> set[str]:
    """The meetings of a pool of which a fact came in since `at` (our clock): the log is read from its end."""
    found: set[int] = set()
    before: int | None = None
    for _ in range(_MOST_FACTS_READ // _FACTS_READ):
        facts = Fact.objects.all() if before is None else Fact.objects.filter(pk__lt=before)
        rows = list(facts.order_by("-pk").values_list("pk", "meeting_id", "received_at")[:_FACTS_READ])
        found.update(meeting for _, meeting, received_at in rows if received_at >= at)
        if len(rows) < _FACTS_READ or rows[-1][2] < at - _DISORDER_MS:
            break
        before = rows[-1][0]
    return _names(pool, found)


def _names(pool: int, meetings: Collection[int]) -> set[str]:
    found: set[str] = set()
    ids = sorted(meetings)
    for first in range(0, len(ids), 500):
        rows = Meeting.objects.filter(pool=pool, pk__in=ids[first : first + 500])
        found.update(rows.values_list("internal_meeting_id", flat=True))
    return found


def with_life_since(pool: int, meetings: Iterable[str], at: int) -> set[str]:
    """Those of the meetings that gave a sign of their own at or after `at`: our own notes are none."""
    return {meeting for meeting in meetings if _last_life(pool, meeting) >= at}


def _last_life(pool: int, meeting: str) -> int:
    facts = Fact.objects.filter(meeting__pool=pool, meeting__key=meeting_key(meeting)).exclude(source=Source.OURS)
    return max(facts.order_by("-seq").values_list("at", flat=True)[:20], default=0)


# -- hooks --------------------------------------------------------------------------------------------------------


def hooks_of(server: int) -> list[OurHook]:
    """Every address this server knows of us, the oldest first."""
    return [_our_hook(row) for row in Hook.objects.filter(server=server).order_by("added_at", "pk")]


def _our_hook(row: Hook) -> OurHook:
    return OurHook(
        pk=row.pk,
        url=row.registered_url,
        is_raw=row.is_raw,
        is_ours=row.is_ours,
        remote_id=row.remote_id,
        added_at=row.added_at,
        verifies_until=row.verifies_until,
    )


def new_address(server: int, base_url: str, *, is_raw: bool) -> OurHook:
    """A new generation of our address, known here before the server is told of it, so that no delivery is refused."""
    token = secrets.token_urlsafe(32)
    row = Hook.objects.create(
        server_id=server, registered_url=f"{base_url}/hooks/{token}", token=token, is_raw=is_raw, added_at=now_ms()
    )
    return OurHook(
        row.pk, row.registered_url, is_raw, is_ours=True, remote_id="", added_at=row.added_at, verifies_until=None
    )


def confirm(hook: int, remote_id: str) -> None:
    """The server has told of the hook itself."""
    Hook.objects.filter(pk=hook).update(remote_id=remote_id, verified_at=now_ms())


def leave_to_operator(hook: int) -> None:
    """The address stands in the server's own configuration now."""
    Hook.objects.filter(pk=hook).update(is_ours=False)


def retire(hook: int) -> None:
    """What was signed for the old address is still accepted for a while."""
    Hook.objects.filter(pk=hook, verifies_until=None).update(verifies_until=now_ms() + OLD_ADDRESS_VERIFIES_MS)


def forget(hooks: Collection[int]) -> None:
    """Addresses that neither we accept nor the server knows any more."""
    Hook.objects.filter(pk__in=list(hooks), is_ours=True, verifies_until__lt=now_ms()).delete()
