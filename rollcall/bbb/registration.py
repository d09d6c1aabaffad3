"""Servers come and go: added with a check that names what is wrong, removed with our hooks and without a fact."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from django.db import connections, transaction

from rollcall.bbb import hooks, servers
from rollcall.bbb.api import BigBlueButton, http_client, normalised
from rollcall.core.errors import Refused, RollcallError
from rollcall.store.connections import Hook, Pool, Secret, Server
from rollcall.store.sealing import WrongKey, seal

T = TypeVar("T")

LONGEST_NAME = 100
LONGEST_TOKEN = 64
LONGEST_SECRET = 1000
# Nobody else watches a server while it is being added.
LEASE_MS = 120_000
RECENT_MS = 60 * 60_000


@dataclass(frozen=True, slots=True)
class Addition:
    """What the operator asked for. `hook_urls` are registered already, byte for byte."""

    url: str
    secret: str
    name: str = ""
    wants_raw: bool = False
    allows_constant_checksum: bool = True
    hook_urls: tuple[str, ...] = ()
    has_hooks: bool = True
    is_checked: bool = True
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What came of it; `trouble` is what the worker will go on trying."""

    name: str
    api_url: str
    running: int | None
    addresses: int
    trouble: RollcallError | None


@dataclass(frozen=True, slots=True)
class Removed:
    """How many of our hooks were destroyed, and why not all were."""

    name: str
    destroyed: int
    trouble: RollcallError | None


async def in_thread(work: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Ask the store beside the event loop."""

    def working() -> T:
        try:
            return work(*arguments, **named)
        finally:
            connections.close_all()

    return await asyncio.to_thread(working)


@asynccontextmanager
async def client(api_url: str, keys: Sequence[str]) -> AsyncIterator[BigBlueButton]:
    """One server to ask a few things of."""
    async with http_client() as http:
        yield BigBlueButton(http, api_url, keys)


# -- adding -------------------------------------------------------------------------------------------------------


async def add(wanted: Addition) -> Added:
    """Check, store, register: in this order, so that a server that was refused leaves nothing behind."""
    api_url = normalised(wanted.url)
    name = wanted.name.strip() or _name_of(api_url)
    _refuse_nonsense(wanted, name)
    await in_thread(_refuse_known, api_url, name, wanted.hook_urls)
    if wanted.has_hooks and not wanted.hook_urls and not wanted.base_url:
        raise hooks.NoPublicUrl
    running = None
    async with client(api_url, [wanted.secret]) as bbb:
        if wanted.is_checked:
            running = len((await bbb.meetings()).meetings)
            if wanted.has_hooks:
                await bbb.hooks()
        watcher = secrets.token_hex(16)
        server = await in_thread(_store, wanted, api_url, name, watcher)
        try:
            trouble = await _register(bbb, server, wanted) if wanted.has_hooks and wanted.is_checked else None
        finally:
            await in_thread(servers.release, watcher)
    addresses = await in_thread(Hook.objects.filter(server=server, verifies_until=None).count)
    return Added(name, api_url, running, addresses, trouble)


async def _register(bbb: BigBlueButton, server: int, wanted: Addition) -> RollcallError | None:
    target = hooks.Wanted(server, bbb.host, wanted.wants_raw, wanted.base_url)
    try:
        found = await hooks.look(bbb, target, in_thread)
    except RollcallError as error:
        return error
    if found.are_in_place:
        await in_thread(Server.objects.filter(pk=server).update, hooks_seen_at=found.asked_at)
    return found.trouble


def _name_of(api_url: str) -> str:
    return urlsplit(api_url).netloc[:LONGEST_NAME]


def _refuse_nonsense(wanted: Addition, name: str) -> None:
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise Refused(
            "The name cannot be used.", code="bad-name", hint=f"Give up to {LONGEST_NAME} printable characters."
        )
    check_secret(wanted.secret)
    if wanted.hook_urls and (wanted.wants_raw or not wanted.has_hooks):
        raise Refused(
            "--hook-url names hooks that are registered already; it goes with neither --raw nor --no-hooks.",
            code="misused",
            hint="Leave --raw out: whether a hook is raw shows in what it delivers.",
        )
    if wanted.wants_raw and not wanted.has_hooks:
        raise Refused("--raw asks for a hook and --no-hooks for none.", code="misused", hint="Give one of them.")
    for url in wanted.hook_urls:
        token_of(url)


def check_secret(secret: str) -> None:
    """A shared secret is one printable line."""
    if not secret or len(secret) > LONGEST_SECRET or not secret.isprintable():
        raise Refused(
            "The shared secret is empty or cannot be one.",
            code="bad-secret",
            hint="Give the secret as `bbb-conf --secret` prints it.",
        )


def token_of(url: str) -> str:
    """The last part of an address, by which a delivery finds its hook."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    token = unquote(parts.path.rstrip("/").rpartition("/")[2])
    if parts.scheme not in {"http", "https"} or not parts.hostname or not 0 < len(token) <= LONGEST_TOKEN:
        raise Refused(
            "An address given with --hook-url cannot be a hook of Rollcall.",
            code="bad-hook-url",
            hint="It is the whole address as registered, such as https://rollcall.example.org/hooks/TOKEN, "
            f"and ends in a token of at most {LONGEST_TOKEN} characters.",
        )
    return token


def _refuse_known(api_url: str, name: str, hook_urls: Sequence[str]) -> None:
    live = Server.objects.filter(removed_at=None).select_related("pool")
    if known := live.filter(api_url=api_url).first():
        raise Refused(
            f"This server was added already, as {known.pool.name}.",
            code="already-added",
            hint=f"See how it is: rollcall server check {known.pool.name}. "
            f"A new secret: rollcall server secret add {known.pool.name}.",
        )
    if known := live.filter(pool__name=name).first():
        raise Refused(
            f"Another server is called {name} ({known.api_url}).",
            code="name-taken",
            hint="Give this one another name: --name.",
        )
    if hook := Hook.objects.filter(registered_url__in=list(hook_urls), server__removed_at=None).first():
        raise Refused(
            f"A hook with this address belongs to {hook.server.pool.name} already.",
            code="hook-taken",
            hint="Each server needs an address of its own.",
        )


@transaction.atomic
def _store(wanted: Addition, api_url: str, name: str, watcher: str) -> int:
    """The rows. A pool that was removed comes back with its facts."""
    now = servers.now_ms()
    pool, _ = Pool.objects.get_or_create(name=name)
    server, _ = Server.objects.update_or_create(
        pool=pool,
        defaults={
            "api_url": api_url,
            "wants_raw": wanted.wants_raw,
            "allows_constant_checksum": wanted.allows_constant_checksum,
            "has_hooks": wanted.has_hooks,
            "is_polled": True,
            "added_at": now,
            "removed_at": None,
            "polled_at": None,
            "hooks_seen_at": None,
            "arrived_at": None,
            "trouble": "",
            "watcher": watcher,
            "watched_until": now + LEASE_MS,
        },
    )
    Secret.objects.create(server=server, encrypted=seal(wanted.secret), added_at=now)
    for url in dict.fromkeys(wanted.hook_urls):
        Hook.objects.create(server=server, registered_url=url, token=token_of(url), is_ours=False, added_at=now)
    return server.pk


# -- finding ------------------------------------------------------------------------------------------------------


def find(name: str) -> Server:
    """The server of this name or address."""
    live = Server.objects.filter(removed_at=None).select_related("pool").prefetch_related("secrets")
    if found := live.filter(pool__name=name).first():
        return found
    try:
        if found := live.filter(api_url=normalised(name)).first():
            return found
    except Refused:
        pass
    names = sorted(live.values_list("pool__name", flat=True))
    raise Refused(
        f"There is no server called {name}.",
        code="no-such-server",
        hint=f"There are: {', '.join(names)}." if names else "Add it first: rollcall server add.",
    )


# -- removing -----------------------------------------------------------------------------------------------------


async def remove(name: str) -> Removed:
    """Destroy our hooks, forget the secrets, keep the facts. A server that is gone already is no obstacle."""
    server = await in_thread(find, name)
    rows = await in_thread(servers.hooks_of, server.pk)
    await in_thread(_mark_removed, server.pk)
    destroyed, trouble = 0, None
    if ours := {row.url for row in rows if row.is_ours}:
        try:
            async with client(server.api_url, servers.usable_secrets(server)) as bbb:
                for hook in (await bbb.hooks()).hooks:
                    if hook.url in ours and not hook.is_permanent:
                        await bbb.destroy_hook(hook.remote_id)
                        destroyed += 1
        except RollcallError as error:
            trouble = error
    await in_thread(_forget, server.pk)
    return Removed(server.pool.name, destroyed, trouble)


def _mark_removed(server: int) -> None:
    """From now on nobody watches it, and what it delivers is refused."""
    Server.objects.filter(pk=server).update(removed_at=servers.now_ms(), watcher="", watched_until=0, trouble="")


def _forget(server: int) -> None:
    with transaction.atomic():
        Secret.objects.filter(server=server).delete()
        Hook.objects.filter(server=server).delete()


# -- secrets ------------------------------------------------------------------------------------------------------


async def add_secret(name: str, secret: str, *, is_checked: bool) -> tuple[str, RollcallError | None]:
    """A second secret beside the first; also why the server does not take it, which it need not yet."""
    check_secret(secret)
    server = await in_thread(find, name)
    if secret in await in_thread(_known_secrets, server):
        raise Refused(f"{server.pool.name} has this secret already.", code="already-added", hint="Nothing is to do.")
    await in_thread(Secret.objects.create, server_id=server.pk, encrypted=seal(secret), added_at=servers.now_ms())
    trouble = None
    if is_checked:
        try:
            async with client(server.api_url, [secret]) as bbb:
                await bbb.meetings()
        except RollcallError as error:
            trouble = error
    return str(server.pool.name), trouble


def _known_secrets(server: Server) -> tuple[str, ...]:
    try:
        return servers.usable_secrets(server)
    except WrongKey:
        return ()


async def retire_secrets(name: str, *, is_checked: bool) -> tuple[str, int]:
    """All but the newest secret; deliveries signed with them are accepted for an hour more."""
    server = await in_thread(find, name)
    kept, *older = await in_thread(_current, server.pk)
    if not older:
        raise Refused(
            f"{server.pool.name} has one secret only.",
            code="only-secret",
            hint="Add the new one first: rollcall server secret add.",
        )
    if is_checked:
        now = servers.now_ms()
        signing = [one for one in older if one.matched_at is not None and one.matched_at > now - RECENT_MS]
        if signing and not (
            kept.matched_at is not None and kept.matched_at >= max(one.matched_at or 0 for one in signing)
        ):
            raise Refused(
                f"Webhooks of {server.pool.name} were signed with an older secret within the last hour.",
                code="still-in-use",
                hint="Set the new secret in the configuration of bbb-webhooks too, restart it, and try again; "
                "or --no-check.",
            )
        async with client(server.api_url, servers.usable_secrets(server)[:1]) as bbb:
            await bbb.meetings()
    await in_thread(Secret.objects.filter(pk__in=[one.pk for one in older]).update, retired_at=servers.now_ms())
    return str(server.pool.name), len(older)


def _current(server: int) -> list[Secret]:
    return list(Secret.objects.filter(server=server, retired_at=None).order_by("-added_at", "-pk"))
