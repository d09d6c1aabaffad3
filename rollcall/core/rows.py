"""Every person's verdict in every class of an activity: one row for each, for the folds over all classes to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.core.judging import Judge
from rollcall.core.verdicts import CANNOT_TELL, MET, NOT_MET, ClassVerdict, Doubt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.core.classes import Block, Class
    from rollcall.core.held import Correction
    from rollcall.core.policy import Policy

GROUPING: Final = Doubt("grouping")


class Rows:
    """The classes of some blocks, judged. `policy` is one for all of them, None: each is judged by its own."""

    def __init__(self, blocks: Sequence[Block], policy: Policy | None) -> None:
        """Everybody who was in any of the classes is judged here, once for each class."""
        self.classes: tuple[Class, ...] = tuple(one for block in blocks for one in block.all_classes())
        self.judges = [Judge(one, judging) for one in self.classes if (judging := policy or one.policy)]
        self.found = [(judge.verdicts(), judge.absent) for judge in self.judges]
        self.at = {one: at for at, one in enumerate(self.classes)}
        self.is_certain = all(block.is_certain for block in blocks)
        self.shown = [(self.at[one], self._rivals(block, one)) for block in blocks for one in block.groupings[0]]
        self.cut = {self.at[one] for block in blocks if block.is_cut for one in block.groupings[0]}

    def _rivals(self, block: Block, one: Class) -> list[int]:
        """The classes that may be instead of this one."""
        return [self.at[other] for other in block.all_classes() if set(other.meetings) & set(one.meetings)]

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

    def settled_at(self, of: Sequence[int]) -> int | None:
        """When the last of these classes settles; None: all have."""
        return max((at for one in of if (at := self.classes[one].settles_at) is not None), default=None)

    def history(self, row: Sequence[ClassVerdict]) -> frozenset[int]:
        """The classes of a row that are history, and of which nobody has said anything since."""
        return frozenset(at for at, one in enumerate(self.classes) if one.is_history and row[at].correction is None)

    def may_count(self) -> list[int]:
        """The classes that count, or may."""
        return [at for at, one in enumerate(self.classes) if one.counts is not NOT_MET]

    def surely_counts(self, at: int) -> bool:
        """Whether a class counts for certain."""
        return self.classes[at].counts is MET
