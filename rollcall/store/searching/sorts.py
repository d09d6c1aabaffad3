"""The orders a list can be asked for, by the names that stand in an address; "-" before one turns it round."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.store.searching.places import Order

MORE_THAN = "too-many-to-sort"


@dataclass(frozen=True, slots=True)
class Sorts:
    """The orders of one list. Those in `walked` have an index, the others are for what can be sorted at once.

    `kinds` are the types of the columns, where they are not all whole numbers.
    """

    default: str
    orders: Mapping[str, Order]
    walked: frozenset[str]
    kinds: Mapping[str, tuple[type, ...]] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """As an address writes them, the default first."""
        both = [f"{sign}{name}" for name in self.orders for sign in ("", "-")]
        return (self.default, *(name for name in both if name != self.default))

    def named(self, sort: str) -> tuple[str, Order]:
        """The bare name and the order of what an address asks for; blank is the default."""
        sort = sort or self.default
        name = sort.removeprefix("-")
        if name not in self.orders:
            raise Refused(
                _("This list cannot be sorted by that."),
                code="unknown-sort",
                hint=_("Choose the heading of one of its columns."),
            )
        order = self.orders[name]
        return name, order.reversed() if sort.startswith("-") else order

    def kinds_of(self, name: str) -> tuple[type, ...]:
        """The types of the values of a place."""
        return self.kinds.get(name) or (int,) * len(self.orders[name].columns)


def too_many() -> Refused:
    """For an order that would take all of a huge set to find its first row."""
    return Refused(
        _("So much was found that it cannot be sorted by this column."),
        code=MORE_THAN,
        hint=_("Narrow the dates, or choose a course or a person; or sort by another column, such as the date."),
    )
