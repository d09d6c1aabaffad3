"""Scope.CLASSES: how many classes somebody has met, and whether these are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.core.judging import thousandths
from rollcall.core.verdicts import BY_BOUNDS, MET, NOT_MET, PersonVerdict, Verdict, agreed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.core.held import Correction
    from rollcall.core.policy import Policy
    from rollcall.core.rows import Rows
    from rollcall.core.verdicts import ClassVerdict
    from rollcall.core.ways import Ways


class Counting:
    """Counts classes, each judged under its own version; `policy` says how many are needed."""

    def __init__(self, rows: Rows, ways: Ways, policy: Policy) -> None:
        """`ways` are those in which `policy` is the one to say."""
        self.rows, self.ways, self.needed = rows, ways, policy.needed
        self.unknown = sum(len(rows.classes[at].held) for at in rows.cut)

    def person(self, user: str, corrections: Sequence[Correction]) -> PersonVerdict:
        """One person's, with the corrections of single classes."""
        row = self.rows.row(user, corrections)
        computed = [one.computed for one in row]
        verdicts = [one.verdict for one in row] if corrections else computed
        met = self._met(verdicts, self.ways)
        verdict = self._verdict(met)
        low, high = min([least for least, _ in met]), max([most for _, most in met])
        return PersonVerdict(
            user_id=user,
            computed=self._verdict(self._met(computed, self.ways)) if corrections else verdict,
            verdict=verdict,
            met=(low, high),
            needed=self.needed,
            share=(thousandths(low, self.needed), thousandths(high, self.needed)),
            measured=(),
            classes=self.rows.to_show(row),
            settles_at=None if self.rows.settles_at is None else self._settles_at(row, verdict),
            without_history=self._without_history(row, verdicts) if self.rows.has_history else verdict,
        )

    def _without_history(self, row: Sequence[ClassVerdict], verdicts: Sequence[Verdict]) -> Verdict:
        return self._verdict(self._met(verdicts, self.ways.without(self.rows.history(row))))

    def _met(self, verdicts: Sequence[Verdict], ways: Ways) -> list[tuple[int, int]]:
        """How many at least, and at most, for each way to choose the classes."""
        low, high = 0, self.unknown
        for block in ways.loose:
            low += min([[verdicts[at] for at in sure].count(MET) for sure, _ in block])
            high += max([len(maybe) - [verdicts[at] for at in maybe].count(NOT_MET) for _, maybe in block])
        found = [[verdicts[at] for at in way] for way in ways.chosen]
        return [(low + way.count(MET), high + len(way) - way.count(NOT_MET)) for way in found]

    def _verdict(self, met: Sequence[tuple[int, int]]) -> Verdict:
        return agreed([BY_BOUNDS[(low >= self.needed) + (high >= self.needed)] for low, high in met])

    def _settles_at(self, row: Sequence[ClassVerdict], verdict: Verdict) -> int | None:
        """Whoever has met enough need not wait for more; nor for what a teacher has decided."""
        if verdict is not MET or self.needed < 1 or len(self.ways.chosen) > 1:
            return self.rows.settles_at
        settling = sorted(
            0 if row[at].correction is not None else self.rows.classes[at].settles_at or 0
            for at in self.ways.chosen[0]
            if row[at].verdict is MET
        )
        return (settling[self.needed - 1] or None) if len(settling) >= self.needed else self.rows.settles_at
