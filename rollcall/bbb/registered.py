"""The callback URLs and secrets that verify, read from the store and held in memory for the hot path."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import structlog
from django.db import Error, close_old_connections, connections

from rollcall.bbb.checksum import Callback, SharedSecret, Verified
from rollcall.core.errors import Misconfigured, RollcallError, Unavailable
from rollcall.store.connections import Hook, Secret, Server
from rollcall.store.sealing import unseal

log = structlog.get_logger(__name__)

# What was read is trusted this long; longer where reading is slow, so that it takes a fiftieth of the time.
TRUSTED_SECONDS, LONGEST_TRUSTED_SECONDS = 1.0, 10.0
READING_SHARE = 50
# Refusals make us read again, so that what was registered a moment ago verifies; but not more often than this.
SHORTEST_PAUSE_SECONDS = 0.1

# A secret that was replaced still signs what was under way.
RETIRED_MS = 3_600_000
MINUTE_MS = 60_000


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything registered at one moment. By (token, query) stand all of the token, those of this query first."""

    by_token: Mapping[str, tuple[Callback, ...]] = field(default_factory=dict)
    by_address: Mapping[tuple[str, str], tuple[Callback, ...]] = field(default_factory=dict)


class Registered:
    """One snapshot, renewed behind the requests; all callers share one event loop."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()
        self._began = float("-inf")  # when the reading that made the snapshot began
        self._trusted = TRUSTED_SECONDS
        self._reading: asyncio.Task[None] | None = None
        # One thread, so one connection of its own.
        self._thread = ThreadPoolExecutor(1, "rollcall-registered")
        self._unsealed: dict[bytes, bytes | None] = {}
        self._arrived: dict[int, int] = {}
        self._matched: dict[int, int] = {}
        self._written: dict[tuple[type[Server | Secret], int], int] = {}

    def at(self, token: str, query: str, now_ms: int) -> Sequence[Callback]:
        """The callbacks registered with this token, those with this very query first."""
        if self._reading is None and time.monotonic() - self._began > self._trusted:
            self._start_reading()
        found = self._snapshot.by_address.get((token, query)) or self._snapshot.by_token.get(token, ())
        return [one for one in found if one.verifies_until is None or one.verifies_until > now_ms]

    def ever_at(self, token: str) -> Sequence[Callback]:
        """The same, with those whose time is over."""
        return self._snapshot.by_token.get(token, ())

    def known(self) -> Sequence[Callback]:
        """Every callback, also those whose time is over: to explain a refusal."""
        return [callback for callbacks in self._snapshot.by_token.values() for callback in callbacks]

    async def reread(self) -> None:
        """Return with a snapshot whose reading began after this call."""
        asked = time.monotonic()
        while self._began < asked:
            if self._reading is None:
                await asyncio.sleep(self._began + SHORTEST_PAUSE_SECONDS - time.monotonic())
            # Somebody may have begun while we slept.
            reading = self._reading or self._start_reading()
            await asyncio.shield(reading)

    def note(self, verified: Verified, now_ms: int) -> None:
        """Remember, to the minute, that this server's webhooks arrive and which secret signs them."""
        minute = now_ms - now_ms % MINUTE_MS
        self._arrived[verified.callback.server] = minute
        self._matched[verified.secret.key] = minute

    async def write_notes(self) -> None:
        """Store what was noted; what the database will not take now is noted again soon enough."""
        with contextlib.suppress(Error):
            await self._run(self._write_notes)

    async def close(self) -> None:
        """Store the last notes and let the thread and its connection go."""
        await self.write_notes()
        await self._run(connections.close_all)
        self._thread.shutdown()

    def _start_reading(self) -> asyncio.Task[None]:
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(self._end_reading)
        return self._reading

    def _end_reading(self, reading: asyncio.Task[None]) -> None:
        self._reading = None
        if not reading.cancelled() and (error := reading.exception()):
            log.warning("hooks could not be read", error=str(error))

    async def _read(self) -> None:
        began = time.monotonic()
        try:
            self._snapshot = await self._run(self._load)
        except (Error, RollcallError) as error:
            raise Unavailable("The registered hooks cannot be read.", hint=str(error)) from error
        finally:
            share = (time.monotonic() - began) * READING_SHARE
            self._began, self._trusted = began, min(max(TRUSTED_SECONDS, share), LONGEST_TRUSTED_SECONDS)

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    # -- in the thread --------------------------------------------------------------------------------------------

    def _load(self) -> Snapshot:
        close_old_connections()
        by_token: defaultdict[str, list[Callback]] = defaultdict(list)
        secrets = self._secrets(int(time.time() * 1000))
        hooks = Hook.objects.filter(server__removed_at=None).select_related("server__pool").order_by("pk")
        for hook in hooks:
            server = hook.server
            by_token[hook.token].append(
                Callback(
                    url=hook.registered_url,
                    server=server.pk,
                    pool=server.pool_id,
                    pool_name=server.pool.name,
                    secrets=tuple(secrets[server.pk]),
                    allows_constant=server.allows_constant_checksum,
                    verifies_until=hook.verifies_until,
                    is_captured=server.pool.is_captured,
                )
            )
        return snapshot_of(by_token)

    def _secrets(self, now_ms: int) -> Mapping[int, list[SharedSecret]]:
        """The secrets of each server, the youngest first; one that cannot be opened is left out, and named once."""
        found: defaultdict[int, list[SharedSecret]] = defaultdict(list)
        for secret in Secret.objects.order_by("-added_at", "-pk"):
            sealed = bytes(secret.encrypted)
            if sealed not in self._unsealed:
                self._unsealed[sealed] = _unseal(sealed, secret.server_id)
            value = self._unsealed[sealed]
            if value is None:
                continue
            is_current = secret.retired_at is None or secret.retired_at > now_ms - RETIRED_MS
            found[secret.server_id].append(SharedSecret(secret.pk, value, is_current))
        return found

    def _write_notes(self) -> None:
        close_old_connections()
        for model, column, notes in ((Server, "arrived_at", self._arrived), (Secret, "matched_at", self._matched)):
            for key, minute in list(notes.items()):
                if self._written.get((model, key)) != minute:
                    model._default_manager.filter(pk=key).update(**{column: minute})  # noqa: SLF001  # Django's own word for it
                    self._written[model, key] = minute


def _unseal(sealed: bytes, server: int) -> bytes | None:
    try:
        return unseal(sealed).encode()
    except Misconfigured as error:
        log.warning("a shared secret cannot be opened", server=server, error=str(error), hint=error.hint)
        return None


def snapshot_of(by_token: Mapping[str, Sequence[Callback]]) -> Snapshot:
    """The callbacks of each token, ready to be found."""
    by_address = {}
    for token, callbacks in by_token.items():
        for query in {_query(one.url) for one in callbacks}:
            ordered = sorted(callbacks, key=lambda one, query=query: _query(one.url) != query)  # type: ignore[misc]
            by_address[token, query] = tuple(ordered)
    return Snapshot({token: tuple(callbacks) for token, callbacks in by_token.items()}, by_address)


def _query(url: str) -> str:
    try:
        return urlsplit(url).query
    except ValueError:
        return ""
