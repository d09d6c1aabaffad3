"""Verdicts with their reasons, as codes and numbers: what the fold of an activity gives, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.core.policy import Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence


class Verdict(StrEnum):
    """Three values; also of a single condition, and of whether a class counts."""

    MET = "met"
    NOT_MET = "not-met"
    CANNOT_TELL = "cannot-tell"


MET: Final = Verdict.MET
NOT_MET: Final = Verdict.NOT_MET
CANNOT_TELL: Final = Verdict.CANNOT_TELL

BY_BOUNDS: Final = (NOT_MET, CANNOT_TELL, MET)
"""Indexed by: true in the worst case, plus true in the best one."""


# Looking through a short list is quicker than hashing members of an enumeration.


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """MET if each is, NOT_MET as soon as one is not."""
    return NOT_MET if NOT_MET in verdicts else CANNOT_TELL if CANNOT_TELL in verdicts else MET


def any_of(verdicts: Sequence[Verdict]) -> Verdict:
    """MET as soon as one is, NOT_MET if none can be."""
    return MET if MET in verdicts else CANNOT_TELL if CANNOT_TELL in verdicts else NOT_MET


def agreed(verdicts: Sequence[Verdict]) -> Verdict:
    """What all say, and there is one at least; of several possible truths only that is certain."""
    return verdicts[0] if verdicts.count(verdicts[0]) == len(verdicts) else CANNOT_TELL


class Measured(NamedTuple):
    """One condition as it was found: [low, high] in the unit of its quantity, high None where it is open.

    `needed` is what it was held against, in the same unit. Of a SHARE `low` and `high` are whole thousandths, cut down:
    the true share, cut down, lies between. Of PRESENT_BY and PRESENT_UNTIL they are the moments, epoch ms, at which the
    person was first, or last, there, by what is proved and by what is possible; None: perhaps, or surely, not at all.
    """

    quantity: Quantity
    low: int | None
    high: int | None
    needed: int
    verdict: Verdict


class Doubt(NamedTuple):
    """Why something is not certain or not met: a code, and from when to when (epoch ms) where it has a time.

    With times, `end` None while it goes on: the cause of a blind span (as in Held.blind), "uncertain" (may have been
    there, and nothing told of it), "open" (may still be there), "away" (was not there, but before and after). Without:
    "to-come" (the class runs, and anybody may come),
    "counts" (a count is only a least one), "no-hours" (none were entered), "length" (that of the class is not exactly
    known), "grouping" (the class may be part of another), and why a class does not count, or may not: "switched-off",
    "short", "few", "may-be-short", "may-be-few".
    """

    code: str
    start: int | None = None
    end: int | None = None


class ClassVerdict(NamedTuple):
    """One person and one class. `computed` is what the evidence gives, `verdict` with a correction laid over it.

    `counts`: whether the class counts at all. `version` is the index of the policy's version that judges it.
    `correction` is the seq of one. `is_any`: of several things `measured` one is enough. With Scope.SUMMED
    a class is not judged by itself: `measured` says what it adds, first its TIME, with 0 as `needed`, and MET stands
    for whoever certainly was there.
    """

    meetings: tuple[str, ...]
    began_at: int
    counts: Verdict
    version: int
    computed: Verdict
    verdict: Verdict
    measured: tuple[Measured, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    correction: int | None = None
    is_any: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonVerdict:
    """One person and the activity.

    `met` is [at least, at most] how many classes are met, of `needed` (Scope.CLASSES). `measured` stands for all
    classes together (Scope.SUMMED; then `needed` is 0), `is_any` as of a class; it is empty otherwise. `share` is
    [low, high] in whole thousandths, cut down: the part that was attended of all classes that count (Scope.SUMMED), or
    the part of what is needed that is met (Scope.CLASSES). `settles_at` is when the last of the classes it rests on
    settles, None: all have. `without_history` is the verdict without the classes that are history, save those that were
    corrected.
    """

    user_id: str
    computed: Verdict
    verdict: Verdict
    met: tuple[int, int]
    needed: int
    share: tuple[int, int]
    measured: tuple[Measured, ...]
    classes: tuple[ClassVerdict, ...]
    correction: int | None = None
    settles_at: int | None = None
    without_history: Verdict = NOT_MET
    is_any: bool = False
