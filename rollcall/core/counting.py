"""Scope.CLASSES: how many classes somebody has met, and whether these are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from rollcall.core.judging import thousandths
from rollcall.core.rows import Rows
from rollcall.core.verdicts import BY_BOUNDS, MET, NOT_MET, PersonVerdict, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rollcall.core.classes import Block, Class
    from rollcall.core.held import Correction
    from rollcall.core.policy import Policy
    from rollcall.core.verdicts import ClassVerdict

_Grouping: TypeAlias = "tuple[list[int], list[int]]"
"""Which classes of it count for certain, and which may."""


class Counting:
    """Counts classes, each judged under its own version; `policy` says how many are needed."""

    def __init__(self, blocks: Sequence[Block], policy: Policy) -> None:
        """All blocks with but one grouping are counted as one."""
        self.rows = Rows(blocks, None)
        self.needed = policy.needed
        certain = [one for block in blocks if block.is_certain for one in block.groupings[0]]
        self.blocks = [[self._grouping(certain)]]
        self.blocks += [
            [self._grouping(grouping) for grouping in block.groupings]
            for block in blocks
            if not block.is_certain and not block.is_cut
        ]
        self.unknown = sum(len(one.held) for block in blocks if block.is_cut for one in block.groupings[0])
        self.has_history = any(one.is_history for one in self.rows.classes)
        self.may_count = self.rows.may_count()
        self.settles_at = self.rows.settled_at(self.may_count)

    def _grouping(self, classes: Sequence[Class]) -> _Grouping:
        ats = [self.rows.at[one] for one in classes]
        may_count = [at for at in ats if self.rows.classes[at].counts is not NOT_MET]
        return [at for at in may_count if self.rows.surely_counts(at)], may_count

    def person(self, user: str, corrections: Sequence[Correction]) -> PersonVerdict:
        """One person's, with the corrections of single classes."""
        row = self.rows.row(user, corrections)
        computed = [one.computed for one in row]
        verdicts = [one.verdict for one in row] if corrections else computed
        met = self._met(verdicts)
        verdict = self._verdict(met)
        return PersonVerdict(
            user_id=user,
            computed=self._verdict(self._met(computed)) if corrections else verdict,
            verdict=verdict,
            met=met,
            needed=self.needed,
            share=(thousandths(met[0], self.needed), thousandths(met[1], self.needed)),
            measured=(),
            classes=self.rows.to_show(row),
            settles_at=None if self.settles_at is None else self._settles_at(row, verdict),
            without_history=self._verdict(self._met(verdicts, self.rows.history(row))) if self.has_history else verdict,
        )

    def _met(self, verdicts: Sequence[Verdict], without: Collection[int] = ()) -> tuple[int, int]:
        """At least, and at most."""
        low, high = 0, self.unknown
        for groupings in self.blocks:
            found = [_met(grouping, verdicts, without) for grouping in groupings]
            low += min(least for least, _ in found)
            high += max(most for _, most in found)
        return low, high

    def _verdict(self, met: tuple[int, int]) -> Verdict:
        return BY_BOUNDS[(met[0] >= self.needed) + (met[1] >= self.needed)]

    def _settles_at(self, row: Sequence[ClassVerdict], verdict: Verdict) -> int | None:
        """Whoever has met enough need not wait for more; nor for what a teacher has decided."""
        if verdict is not MET or len(self.blocks) > 1:
            return self.settles_at
        settling = sorted(
            0 if row[at].correction is not None else self.rows.classes[at].settles_at or 0
            for at in self.blocks[0][0][0]
            if row[at].verdict is MET
        )
        return settling[self.needed - 1] or None if self.needed > 0 else None


def _met(grouping: _Grouping, verdicts: Sequence[Verdict], without: Collection[int]) -> tuple[int, int]:
    sure, maybe = grouping
    if without:
        sure, maybe = [at for at in sure if at not in without], [at for at in maybe if at not in without]
    return [verdicts[at] for at in sure].count(MET), len(maybe) - [verdicts[at] for at in maybe].count(NOT_MET)
