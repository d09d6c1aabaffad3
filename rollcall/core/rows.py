"""Every person's verdict in every class of an activity: one row for each, for the folds over all classes to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.core.judging import Judge
from rollcall.core.verdicts import CANNOT_TELL, NOT_MET, ClassVerdict, Doubt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.core.classes import Block, Class
    from rollcall.core.held import Correction
    from rollcall.core.policy import Policy

GROUPING: Final = Doubt("grouping")


class Rows:
    """The classes of some blocks, judged: each by its own policy, or for a sum all by the one that `sums` them."""

    def __init__(self, blocks: Sequence[Block], places: Mapping[Class, int], sums: Policy | None) -> None:
        """Whoever was in any of the classes is judged here, once for each. `places` has all of them, in order."""
        self.classes, self.places = tuple(places), places
        judges = [Judge(one, sums) for one in places]
        self.found = [(judge.verdicts(), judge.absent) for judge in judges]
        self.is_certain = all(block.is_certain for block in blocks)
        self.shown = [(places[one], self._rivals(block, one)) for block in blocks for one in block.groupings[0]]
        self.cut = {places[one] for block in blocks if block.is_cut for one in block.groupings[0]}
        self.has_history = any(one.is_history for one in places)
        settling = [one.settles_at for one in places if one.settles_at is not None and one.counts is not NOT_MET]
        self.settles_at = max(settling, default=None)

    def _rivals(self, block: Block, one: Class) -> list[int]:
        """The classes that may be instead of this one, and itself."""
        if len(block.groupings) == 1:
            return [self.places[one]]
        return [self.places[other] for other in block.all_classes() if set(other.meetings) & set(one.meetings)]

    def row(self, user: str, corrections: Sequence[Correction]) -> list[ClassVerdict]:
        """One person, in the order of `classes`, which has each class once that may be one."""
        row = [verdicts.get(user, absent) for verdicts, absent in self.found]
        for correction in corrections:
            for at, verdict in enumerate(row):
                if correction.meeting in verdict.meetings:
                    row[at] = verdict._replace(verdict=correction.verdict, correction=correction.seq)
        return row

    def to_show(self, row: Sequence[ClassVerdict]) -> tuple[ClassVerdict, ...]:
        """One grouping of a row; where it is doubtful whether that is the right one, only what is so in all is told."""
        if self.is_certain:
            return tuple(row)
        return tuple(self._shown(row, at, rivals) for at, rivals in self.shown)

    def _shown(self, row: Sequence[ClassVerdict], at: int, rivals: Sequence[int]) -> ClassVerdict:
        verdict = row[at]
        if len(rivals) == 1 and at not in self.cut:
            return verdict
        is_same = at not in self.cut and len({(row[rival].computed, row[rival].counts) for rival in rivals}) == 1
        computed = verdict.computed if is_same else CANNOT_TELL
        corrected = computed if verdict.correction is None else verdict.verdict
        return verdict._replace(computed=computed, verdict=corrected, doubts=(*verdict.doubts, GROUPING))

    def history(self, row: Sequence[ClassVerdict]) -> frozenset[int]:
        """The classes of a row that are history, and of which nobody has said anything since."""
        return frozenset(at for at, one in enumerate(self.classes) if one.is_history and row[at].correction is None)
