"""Who may send records, read from the store for each one: they are few, and a new secret counts at once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from django.db import Error, close_old_connections, connections

from rollcall.bbb.checksum import SharedSecret
from rollcall.bbb.registered import RETIRED_MS
from rollcall.core.errors import Misconfigured, Unavailable
from rollcall.feed.feed import Arrival
from rollcall.store.connections import Pool, Secret, Server
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import meeting_key
from rollcall.store.sealing import unseal

_T = TypeVar("_T")

# Of so many servers the secrets are tried, to say whose it is that signed.
OTHERS_TRIED = 200


@dataclass(frozen=True, slots=True)
class Sender:
    """The server behind an address, and all its secrets; one that is not `is_current` only helps to explain."""

    pool: int
    pool_name: str
    server: int
    secrets: tuple[SharedSecret, ...] = ()
    is_captured: bool = True


class Fate(Enum):
    """What became of a record that the feed has taken."""

    HELD = auto()
    NOT_WANTED = auto()
    SET_ASIDE = auto()


class Senders:
    """The store, asked from one thread beside the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "rollcall-senders")

    async def at(self, token: str) -> Sender | None:
        """The server whose records come to the address that ends in this token."""
        return await self._ask(lambda: next(iter(_senders(callback_token=token)), None))

    async def others(self, sender: Sender) -> Sequence[Sender]:
        """The other servers: to explain a refusal."""
        return await self._ask(lambda: _senders(but=sender.pool))

    async def meeting_of(self, sender: Sender, external_meeting_id: str, start: int) -> str:
        """The one meeting of this external id that began in this second, blank if there is not exactly one known."""
        # Every millisecond of it is tried: that an id begins so is not indexed, what it is wholly is.
        began = hashlib.sha1(external_meeting_id.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        second = range(start - start % 1000, start - start % 1000 + 1000)
        known = Meeting.objects.filter(pool=sender.pool, key__in=[meeting_key(f"{began}-{at}") for at in second])
        found = await self._ask(lambda: list(known.values_list("internal_meeting_id", flat=True)[:2]))
        return found[0] if len(found) == 1 else ""

    async def fate_of(self, arrival: Arrival) -> Fate:
        """Whether it is held; if not, whether because capture is off for its meeting."""
        return await self._ask(lambda: _fate_of(arrival))

    async def note(self, sender: Sender, secret: SharedSecret, now_ms: int) -> None:
        """Remember that this server's records arrive, and which secret signs them; it can be done without."""
        with contextlib.suppress(Unavailable):
            await self._ask(lambda: _write_note(sender, secret, now_ms))

    async def close(self) -> None:
        """Let the thread and its connection go."""
        await asyncio.get_running_loop().run_in_executor(self._thread, connections.close_all)
        self._thread.shutdown()

    async def _ask(self, question: Callable[[], _T]) -> _T:
        def asked() -> _T:
            close_old_connections()
            return question()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, asked)
        except Error as error:
            raise Unavailable(
                "The database cannot be asked who sends this.",
                code="not-stored",
                hint="See that it runs and can be reached; then let it be sent again.",
            ) from error


def _fate_of(arrival: Arrival) -> Fate:
    meeting = Meeting.objects.filter(pool=arrival.pool, key=meeting_key(arrival.meeting)).first()
    if meeting is not None and Fact.objects.filter(meeting=meeting, digest=arrival.digest).exists():
        return Fate.HELD
    return Fate.NOT_WANTED if meeting is not None and meeting.is_refused else Fate.SET_ASIDE


def _senders(*, callback_token: str = "", but: int = 0) -> list[Sender]:
    pools = Pool.objects.exclude(pk=but).filter(server__removed_at=None, server__isnull=False)
    if callback_token:
        pools = pools.filter(callback_token=callback_token)
    now_ms = time.time_ns() // 1_000_000
    found = pools.select_related("server").prefetch_related("server__secrets").order_by("pk")[:OTHERS_TRIED]
    return [
        Sender(pool.pk, pool.name, pool.server.pk, _secrets(pool.server, now_ms), pool.is_captured) for pool in found
    ]


def _secrets(server: Server, now_ms: int) -> tuple[SharedSecret, ...]:
    """The youngest first; one that cannot be opened signs nothing (`rollcall doctor` says so)."""
    opened = []
    for row in sorted(server.secrets.all(), key=lambda row: (-row.added_at, -row.pk)):
        with contextlib.suppress(Misconfigured):
            is_current = row.retired_at is None or row.retired_at > now_ms - RETIRED_MS
            opened.append(SharedSecret(row.pk, unseal(row.encrypted).encode(), is_current))
    return tuple(opened)


def _write_note(sender: Sender, secret: SharedSecret, now_ms: int) -> None:
    Server.objects.filter(pk=sender.server).update(reported_at=now_ms)
    Secret.objects.filter(pk=secret.key).update(matched_at=now_ms)
