"""Whose meetings old records are: the pool they are read into."""

from __future__ import annotations

from difflib import get_close_matches

from rollcall.core.errors import Refused
from rollcall.store.connections import Pool

LONGEST_NAME = 100


def pool_named(name: str, *, may_create: bool, is_dry: bool) -> Pool:
    """The pool of a server, also of one that was removed, or one made for history alone. A dry run makes none."""
    pools = {pool.name: pool for pool in Pool.objects.select_related("server").order_by("name")}
    if not name:
        return _only(pools)
    if found := pools.get(name) or _with_address(pools, name):
        return found
    if not may_create:
        raise _unknown(name, list(pools))
    if not name.isprintable() or len(name) > LONGEST_NAME or name != name.strip():
        hint = f"Give up to {LONGEST_NAME} printable characters."
        raise Refused("The name cannot be used.", code="bad-name", hint=hint)
    return Pool(pk=0, name=name) if is_dry else Pool.objects.create(name=name)


def _only(pools: dict[str, Pool]) -> Pool:
    if len(pools) == 1:
        return next(iter(pools.values()))
    hint = f"Name it with --server; there are: {', '.join(pools)}." if pools else _HOW_TO_CREATE
    raise Refused("Of which server are these records?", code="no-server-named", hint=hint)


def _with_address(pools: dict[str, Pool], address: str) -> Pool | None:
    wanted = address.rstrip("/").removesuffix("/api").rstrip("/")
    for pool in pools.values():
        server = getattr(pool, "server", None)
        if server is not None and server.api_url.rstrip("/").removesuffix("/api") == wanted:
            return pool
    return None


_HOW_TO_CREATE = "For a server that is no more: --server NAME --create. For one that runs: rollcall server add, first."


def _unknown(name: str, names: list[str]) -> Refused:
    near = get_close_matches(name, names, n=1)
    there = f"Did you mean {near[0]}? " if near else f"There are: {', '.join(names)}. " if names else ""
    return Refused(f"There is no server called {name}.", code="no-such-server", hint=there + _HOW_TO_CREATE)
