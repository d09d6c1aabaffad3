"""In which ways the classes of an activity may be chosen that count: where that is certain there is but one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations, product
from math import prod
from typing import TYPE_CHECKING, Final

from rollcall.core.verdicts import CANNOT_TELL, MET, NOT_MET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rollcall.core.classes import Block, Class

MOST_WAYS: Final = 64
"""More are not looked at one by one."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Classes as places in a row. Each of `chosen` is a way; to each come the classes of the `loose` blocks.

    A loose block has too many ways. It is told as its groupings, each as the classes that count for certain and those
    that may.
    """

    chosen: tuple[tuple[int, ...], ...]
    loose: tuple[tuple[tuple[tuple[int, ...], tuple[int, ...]], ...], ...] = ()

    def without(self, left_out: frozenset[int]) -> Ways:
        """The same without some classes."""
        if not left_out:
            return self

        def rest(ats: Sequence[int]) -> tuple[int, ...]:
            return tuple(at for at in ats if at not in left_out)

        return Ways(
            tuple(dict.fromkeys(rest(way) for way in self.chosen)),
            tuple(tuple((rest(sure), rest(maybe)) for sure, maybe in block) for block in self.loose),
        )


def ways_of(blocks: Sequence[Block], places: Mapping[Class, int]) -> Ways:
    """Of blocks of which none is cut; `places` tells where each class stands in a row."""
    few = [block for block in blocks if _many(block) <= MOST_WAYS]
    loose = [block for block in blocks if _many(block) > MOST_WAYS]
    if prod(_many(block) for block in few) > MOST_WAYS:
        loose += [block for block in few if _many(block) > 1]
        few = [block for block in few if _many(block) == 1]
    chosen = product(*(list(_options(block, places)) for block in few))
    return Ways(
        tuple(tuple(chain.from_iterable(way)) for way in chosen), tuple(_loosely(block, places) for block in loose)
    )


def _many(block: Block) -> int:
    return sum(2 ** sum(one.counts is CANNOT_TELL for one in grouping) for grouping in block.groupings)


def _options(block: Block, places: Mapping[Class, int]) -> Iterator[tuple[int, ...]]:
    for grouping in block.groupings:
        sure = [places[one] for one in grouping if one.counts is MET]
        maybe = [places[one] for one in grouping if one.counts is CANNOT_TELL]
        for many in range(len(maybe) + 1):
            yield from ((*sure, *some) for some in combinations(maybe, many))


def _loosely(block: Block, places: Mapping[Class, int]) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    return tuple(
        (
            tuple(places[one] for one in grouping if one.counts is MET),
            tuple(places[one] for one in grouping if one.counts is not NOT_MET),
        )
        for grouping in block.groupings
    )
