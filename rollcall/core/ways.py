"""In which ways the classes of an activity may be chosen that count: where that is certain there is but one."""

from __future__ import annotations

from collections import defaultdict
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


def ways_by_version(blocks: Sequence[Block], places: Mapping[Class, int]) -> dict[int, Ways]:
    """By the version that says of what the conditions are asked: it is that of the latest class that counts.

    Where none counts it is that of the last class. If there are too many ways to look at, each version that may be the
    one comes with all of them.
    """
    ways = ways_of(blocks, places)
    if ways.loose or any(block.is_cut for block in blocks):
        return dict.fromkeys(_candidates(blocks), ways)
    classes, last = list(places), blocks[-1].groupings[0][-1]
    found: defaultdict[int, list[tuple[int, ...]]] = defaultdict(list)
    for way in ways.chosen:
        latest = max((classes[at].began_at, at) for at in way)[1] if way else places[last]
        found[classes[latest].judged_by].append(way)
    return {version: Ways(tuple(found[version])) for version in sorted(found, reverse=True)}


def _candidates(blocks: Sequence[Block]) -> list[int]:
    """Beyond a class that may count any earlier one may be the latest that does."""
    found: dict[int, None] = {}
    for block in reversed(blocks):
        is_certain = not block.is_cut
        for grouping in block.groupings:
            for one in reversed(grouping):
                found |= {one.judged_by: None} if one.counts is not NOT_MET else {}
                if one.counts is MET:
                    break
            else:
                is_certain = False
        if is_certain:
            return list(found)
    return list(found | {blocks[-1].groupings[0][-1].judged_by: None})


def ways_of(blocks: Sequence[Block], places: Mapping[Class, int], *, most: int = MOST_WAYS) -> Ways:
    """All of them; `places` tells where each class stands in a row. Blocks that are cut are left out."""
    counted = [(block, _many(block)) for block in blocks if not block.is_cut]
    if prod(many for _, many in counted if many <= most) > most:
        most = 1
    few = [block for block, many in counted if many <= most]
    chosen = product(*(list(_options(block, places)) for block in few))
    return Ways(
        tuple(tuple(chain.from_iterable(way)) for way in chosen),
        tuple(_loosely(block, places) for block, many in counted if many > most),
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
