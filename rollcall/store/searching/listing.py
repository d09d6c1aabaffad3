"""A page of any list: the order that an address names, and the places that the list takes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.store.searching.scope import scope_of
from rollcall.store.searching.walking import page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.store.searching.places import Order, Place
    from rollcall.store.searching.scope import Scope
    from rollcall.store.searching.sorts import Sorts
    from rollcall.store.searching.walking import Taken
    from rollcall.store.searching.wanted import Filter, Page


def places_page(  # noqa: PLR0913 - what a page of an address is made of
    sorts: Sorts,
    taken: Callable[[Scope, str, Order, Place | None, int], Taken],
    wanted: Filter | Scope,
    *,
    sort: str,
    after: str,
    before: str,
    limit: int,
) -> Page[Place]:
    """The places of one page; `taken` gives the first so many after one, in an order with this name."""
    name, order = sorts.named(sort)
    scope = scope_of(wanted)

    def take(order: Order, start: Place | None, limit: int) -> Taken:
        return taken(scope, name, order, start, limit)

    return page_of(take, order, sorts.kinds_of(name), after=after, before=before, limit=limit)
