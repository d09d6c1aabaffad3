"""Scope.SUMMED: what somebody did in all classes that count, added up and held against the conditions once.

Where it is doubtful which classes there are, or which count, each possibility is added up for itself: a share can both
gain and lose by a class. Of too many possibilities only the bounds of each block of meetings are added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rollcall.core.classes import ENDLESS
from rollcall.core.intervals import OPEN
from rollcall.core.judging import adding, held_against, joined, thousandths
from rollcall.core.policy import MINUTE_MS, OF_HOURS, Quantity
from rollcall.core.verdicts import CANNOT_TELL, NOT_MET, Measured, PersonVerdict, Verdict, agreed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.core.classes import Class
    from rollcall.core.held import Correction
    from rollcall.core.policy import Policy
    from rollcall.core.rows import Rows
    from rollcall.core.verdicts import ClassVerdict
    from rollcall.core.ways import Ways

Amounts: TypeAlias = "list[int]"
"""ms of the classes, then of each quantity that is added up, ms there first."""


class Sums(NamedTuple):
    """Of one person and some classes: in the worst case, with the longest classes, and in the best one."""

    worst: Amounts
    best: Amounts


class Summing:
    """Adds up classes; `policy` says what of them, and how much of it is needed."""

    def __init__(self, rows: Rows, ways: Ways, policy: Policy) -> None:
        """`ways` are those in which `policy` is the one to say."""
        self.rows, self.ways, self.policy = rows, ways, policy
        quantities = [one.quantity for one in adding(policy)]
        self.columns = [at for at, one in enumerate(quantities) if one is not Quantity.SHARE]
        self.added = [quantities[at] for at in self.columns]
        self.lengths = [(one.length[1], one.shortest) for one in rows.classes]

    def person(self, user: str, corrections: Sequence[Correction]) -> PersonVerdict:
        """One person's, with the corrections of single classes."""
        row = self.rows.row(user, corrections)
        computed = self._sums([one.measured for one in row], self.lengths, self.ways)
        sums = self._corrected_sums(row, self.ways) if corrections else computed
        verdict = self._verdict(sums)
        return PersonVerdict(
            user_id=user,
            computed=self._verdict(computed) if corrections else verdict,
            verdict=verdict,
            met=(0, 0),
            needed=0,
            share=_share(sums),
            measured=self._measured(sums),
            classes=self.rows.to_show(row),
            settles_at=self.rows.settles_at,
            without_history=self._without_history(row) if self.rows.has_history else verdict,
            is_any=self.policy.is_choice(),
        )

    def _without_history(self, row: Sequence[ClassVerdict]) -> Verdict:
        return self._verdict(self._corrected_sums(row, self.ways.without(self.rows.history(row))))

    # -- adding

    def _sums(
        self, found: Sequence[tuple[Measured, ...]], lengths: Sequence[tuple[int, int]], ways: Ways
    ) -> list[Sums]:
        """For each way to choose the classes."""
        more = [self._loosely(block, found, lengths) for block in ways.loose]
        if self.rows.cut:
            many = len(self.columns)
            more.append(Sums([OPEN, *[0] * many], [0, *[OPEN] * many]))
        chosen = [self._added(way, found, lengths) for way in ways.chosen]
        return [_plus(one, more) for one in chosen] if more else chosen

    def _added(
        self, way: Sequence[int], found: Sequence[tuple[Measured, ...]], lengths: Sequence[tuple[int, int]]
    ) -> Sums:
        chosen = [found[at] for at in way]
        worst, best = [sum([lengths[at][0] for at in way])], [sum([lengths[at][1] for at in way])]
        for column in self.columns:
            worst.append(sum([one[column][1] or 0 for one in chosen]))
            highs = [OPEN if (high := one[column][2]) is None else high for one in chosen]
            best.append(sum(highs))
        return Sums(worst, best)

    def _loosely(
        self,
        block: Sequence[tuple[Sequence[int], Sequence[int]]],
        found: Sequence[tuple[Measured, ...]],
        lengths: Sequence[tuple[int, int]],
    ) -> Sums:
        """Bounds of all that the ways of a block may add, each amount by itself."""
        sure = [self._added(one, found, lengths) for one, _ in block]
        maybe = [self._added(one, found, lengths) for _, one in block]
        lows, highs = zip(*(one.worst for one in sure), strict=True), zip(*(one.best for one in maybe), strict=True)
        longest, shortest = max(one.worst[0] for one in maybe), min(one.best[0] for one in sure)
        return Sums([longest, *map(min, list(lows)[1:])], [shortest, *map(max, list(highs)[1:])])

    def _corrected_sums(self, row: Sequence[ClassVerdict], ways: Ways) -> list[Sums]:
        pairs = zip(row, self.rows.classes, strict=True)
        corrected = [
            (one.measured, (of.length[1], of.shortest)) if one.correction is None else self._corrected(one, of)
            for one, of in pairs
        ]
        return self._sums([found for found, _ in corrected], [length for _, length in corrected], ways)

    def _corrected(self, one: ClassVerdict, of: Class) -> tuple[tuple[Measured, ...], tuple[int, int]]:
        """Of whom a teacher said that they were there: for as long as the class was. Or not: for nothing."""
        shortest, longest = of.shortest, max(of.length[1], of.shortest)
        if one.verdict is NOT_MET:
            return tuple(found._replace(low=0, high=0) for found in one.measured), (of.length[1], shortest)
        if one.verdict is CANNOT_TELL:
            return one.measured, (of.length[1], shortest)
        units = {Quantity.TIME: 1, Quantity.WHOLE_MINUTES: MINUTE_MS}
        return tuple(
            found._replace(low=shortest // units[found.quantity], high=longest // units[found.quantity])
            if found.quantity in units
            else found
            for found in one.measured
        ), (shortest, longest)

    # -- against the conditions

    def _verdict(self, ways: Sequence[Sums]) -> Verdict:
        return agreed([self._verdict_of(way) for way in ways])

    def _verdict_of(self, way: Sums) -> Verdict:
        """Of no class at all nobody has met anything. Each class has a length."""
        if not way.worst[0] and not way.best[0]:
            return NOT_MET
        return joined(self.policy.join, [one.verdict for one in self._measured([way])])

    def _measured(self, ways: Sequence[Sums]) -> tuple[Measured, ...]:
        return tuple([self._held(one.quantity, one.amount, ways) for one in self.policy.conditions])

    def _held(self, quantity: Quantity, needed: int, ways: Sequence[Sums]) -> Measured:
        if quantity in OF_HOURS:
            return Measured(quantity, None, None, 0, CANNOT_TELL)
        if quantity is Quantity.SHARE:
            low, high = _share(ways)
        else:
            at = self.added.index(quantity) + 1
            low, high = min([way.worst[at] for way in ways]), max([way.best[at] for way in ways])
        return Measured(quantity, low, high if high < ENDLESS else None, needed, held_against(low, high, needed))


def _share(ways: Sequence[Sums]) -> tuple[int, int]:
    lows = [thousandths(way.worst[1], way.worst[0]) for way in ways]
    highs = [thousandths(way.best[1], way.best[0]) for way in ways]
    return min(lows), max(highs)


def _plus(one: Sums, more: Sequence[Sums]) -> Sums:
    worsts, bests = zip(one, *more, strict=True)
    return Sums([sum(column) for column in zip(*worsts, strict=True)], [sum(c) for c in zip(*bests, strict=True)])
