"""Scope.SUMMED: what somebody did in all classes that count, added up and held against the conditions once.

Where it is doubtful which classes there are, or which count, each possibility is added up for itself: a share can both
gain and lose by a class. Of too many possibilities only the bounds of each block of meetings are added.
"""

from __future__ import annotations

from itertools import chain, combinations, product
from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.core.intervals import OPEN
from rollcall.core.judging import count_in, held_against, joined, known, minutes, span_total, thousandths
from rollcall.core.policy import COUNTED, MINUTE_MS, OF_HOURS, Quantity
from rollcall.core.rows import Rows
from rollcall.core.verdicts import CANNOT_TELL, MET, NOT_MET, Measured, PersonVerdict, Verdict, agreed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rollcall.core.classes import Block, Class
    from rollcall.core.held import Correction, Presence
    from rollcall.core.policy import Policy
    from rollcall.core.verdicts import ClassVerdict

MOST_WAYS: Final = 64
"""More possibilities are not added up one by one."""


class Bounds(NamedTuple):
    """Something added up, in the worst case and in the best one: ms there, ms of the classes, each counted quantity."""

    worst: tuple[int, ...]
    best: tuple[int, ...]


class Summing:
    """Adds up classes; `policy` says what of them, and how much of it is needed."""

    def __init__(self, blocks: Sequence[Block], policy: Policy) -> None:
        """What is certain of the classes is chosen once for everybody."""
        self.rows = Rows(blocks, policy)
        self.policy = policy
        self.counted = [
            one.quantity
            for one in policy.conditions
            if one.quantity in COUNTED or one.quantity is Quantity.WHOLE_MINUTES
        ]
        self.bounds = [self._of_class(at) for at in range(len(self.rows.classes))]
        self.certain, self.loose = self._ways(blocks)
        self.unknown = any(block.is_cut for block in blocks)
        self.has_history = any(one.is_history for one in self.rows.classes)
        self.settles_at = self.rows.settled_at(self.rows.may_count())

    # -- what each class adds

    def _of_class(self, at: int) -> tuple[dict[str, Bounds], Bounds]:
        """Everybody who was there, and those who were not."""
        judge = self.rows.judges[at]
        absent = self._of_person(judge.one, *judge.put_together(judge.absent_parts))
        return {user: self._of_person(judge.one, *seen) for user, seen in self.rows.everybody[at].items()}, absent

    def _of_person(self, one: Class, whole: Presence, parts: Sequence[Presence]) -> Bounds:
        low = span_total(whole.proved)
        high = low if whole.possible == whole.proved else span_total(whole.possible)
        if not self.counted:
            return Bounds((low, one.length[1]), (high, one.shortest))
        found = [
            minutes(parts) if quantity is Quantity.WHOLE_MINUTES else count_in(whole, quantity)
            for quantity in self.counted
        ]
        return Bounds(
            (low, one.length[1], *(least for least, _ in found)), (high, one.shortest, *(most for _, most in found))
        )

    def _corrected(self, bounds: Bounds, one: Class, verdict: Verdict) -> Bounds:
        """Of whom a teacher said that they were there: for as long as the class was. Or not: for nothing."""
        if verdict is MET:
            low, high = one.shortest, max(one.length[1], one.shortest)
            counts = zip(self.counted, bounds.worst[2:], bounds.best[2:], strict=True)
            found = [
                (low // MINUTE_MS, high // MINUTE_MS) if quantity is Quantity.WHOLE_MINUTES else (least, most)
                for quantity, least, most in counts
            ]
            return Bounds((low, low, *(least for least, _ in found)), (high, high, *(most for _, most in found)))
        if verdict is NOT_MET:
            nothing = (0,) * len(self.counted)
            return Bounds((0, one.length[1], *nothing), (0, one.shortest, *nothing))
        return bounds

    # -- which classes

    def _ways(self, blocks: Sequence[Block]) -> tuple[list[list[int]], list[list[list[int]]]]:
        """Each way to choose the classes; and blocks of which there are too many, as groupings."""
        looked_at = [block for block in blocks if not block.is_cut]
        options = [list(self._options(block)) for block in looked_at if self._count_ways(block) <= MOST_WAYS]
        loose = [block for block in looked_at if self._count_ways(block) > MOST_WAYS]
        if prod(len(option) for option in options) > MOST_WAYS:
            loose += [block for block in looked_at if 1 < self._count_ways(block) <= MOST_WAYS]
            options = [option for option in options if len(option) == 1]
        ways = [list(chain.from_iterable(way)) for way in product(*options)]
        return ways, [[[self.rows.at[one] for one in grouping] for grouping in block.groupings] for block in loose]

    def _count_ways(self, block: Block) -> int:
        return sum(2 ** sum(one.counts is CANNOT_TELL for one in grouping) for grouping in block.groupings)

    def _options(self, block: Block) -> Iterator[list[int]]:
        for grouping in block.groupings:
            sure = [self.rows.at[one] for one in grouping if one.counts is MET]
            maybe = [self.rows.at[one] for one in grouping if one.counts is CANNOT_TELL]
            for many in range(len(maybe) + 1):
                yield from ([*sure, *chosen] for chosen in combinations(maybe, many))

    # -- one person

    def person(self, user: str, corrections: Sequence[Correction]) -> PersonVerdict:
        """One person's, with the corrections of single classes."""
        row = self.rows.row(user, corrections)
        computed = [of.get(user, absent) for of, absent in self.bounds]
        bounds = (
            [
                mine if one.correction is None else self._corrected(mine, of, one.verdict)
                for mine, one, of in zip(computed, row, self.rows.classes, strict=True)
            ]
            if corrections
            else computed
        )
        ways = self._sums(bounds)
        verdict = self._verdict(ways)
        return PersonVerdict(
            user_id=user,
            computed=self._verdict(self._sums(computed)) if corrections else verdict,
            verdict=verdict,
            met=(0, 0),
            needed=0,
            share=(
                min(thousandths(way.worst[0], way.worst[1]) for way in ways),
                max(thousandths(way.best[0], way.best[1]) for way in ways),
            ),
            measured=self._measured(ways),
            classes=self.rows.to_show(row),
            settles_at=self.settles_at,
            without_history=self._without_history(row, bounds) if self.has_history else verdict,
        )

    def _without_history(self, row: Sequence[ClassVerdict], bounds: Sequence[Bounds]) -> Verdict:
        return self._verdict(self._sums(bounds, self.rows.history(row)))

    def _sums(self, bounds: Sequence[Bounds], without: Collection[int] = ()) -> list[Bounds]:
        """For each way to choose the classes."""
        nothing = (0,) * (2 + len(self.counted))
        loose = [self._loosely(groupings, bounds, without) for groupings in self.loose]
        if self.unknown:
            endless = (OPEN,) * len(self.counted)
            loose.append(Bounds((0, OPEN, *nothing[2:]), (OPEN, 0, *endless)))
        return [_added([bounds[at] for at in way if at not in without] + loose, nothing) for way in self.certain]

    def _loosely(
        self, groupings: Sequence[Sequence[int]], bounds: Sequence[Bounds], without: Collection[int]
    ) -> Bounds:
        """Bounds of all that a block may add, each quantity by itself."""
        nothing = (0,) * (2 + len(self.counted))
        found = []
        for grouping in groupings:
            maybe = [at for at in grouping if at not in without and self.rows.classes[at].counts is not NOT_MET]
            sure = _added([bounds[at] for at in maybe if self.rows.surely_counts(at)], nothing)
            most = _added([bounds[at] for at in maybe], nothing)
            worst = (sure.worst[0], most.worst[1], *sure.worst[2:])
            found.append(Bounds(worst, (most.best[0], sure.best[1], *most.best[2:])))
        lows = [min(column) for column in zip(*(one.worst for one in found), strict=True)]
        highs = [max(column) for column in zip(*(one.best for one in found), strict=True)]
        longest, shortest = max(one.worst[1] for one in found), min(one.best[1] for one in found)
        return Bounds((lows[0], longest, *lows[2:]), (highs[0], shortest, *highs[2:]))

    # -- against the conditions

    def _verdict(self, ways: Sequence[Bounds]) -> Verdict:
        return agreed(joined(self.policy.join, [one.verdict for one in self._measured([way])]) for way in ways)

    def _measured(self, ways: Sequence[Bounds]) -> tuple[Measured, ...]:
        found, at = [], 1
        for condition in self.policy.conditions:
            quantity, needed = condition.quantity, condition.amount
            if quantity in OF_HOURS:
                found.append(Measured(quantity, None, None, 0, CANNOT_TELL))
                continue
            if quantity is Quantity.SHARE:
                low = min(thousandths(way.worst[0], way.worst[1]) for way in ways)
                high = max(thousandths(way.best[0], way.best[1]) for way in ways)
            else:
                at += quantity is not Quantity.TIME
                column = 0 if quantity is Quantity.TIME else at
                low, high = min(way.worst[column] for way in ways), max(way.best[column] for way in ways)
            found.append(Measured(quantity, low, known(high), needed, held_against(low, high, needed)))
        return tuple(found)


def _added(bounds: Sequence[Bounds], nothing: tuple[int, ...]) -> Bounds:
    if not bounds:
        return Bounds(nothing, nothing)
    worsts, bests = zip(*bounds, strict=True)
    return Bounds(tuple(map(sum, zip(*worsts, strict=True))), tuple(map(sum, zip(*bests, strict=True))))
