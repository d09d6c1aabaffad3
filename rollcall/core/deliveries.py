"""From a verdict to what each target should hold. Pure: nothing here knows how a target is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from rollcall.core.policy import WHOLE, OnChange
from rollcall.core.verdicts import Verdict

if TYPE_CHECKING:
    from rollcall.core.policy import Policy


class Way(StrEnum):
    """How a target is spoken to."""

    AGS = "ags"  # a score in a column of the gradebook (LTI Assignment and Grade Services)
    MOODLE = "moodle"  # Moodle's web services: completion of the BigBlueButton activity is overridden
    CALLBACK = "callback"  # Moodle's own receiver of meeting events, told only of those who have met our rule


TAKES_BACK: Final = frozenset({Way.AGS, Way.MOODLE})


class Scoring(StrEnum):
    """What a score says."""

    PASS = "pass"  # the whole maximum for whoever has met, no grade for others  # noqa: S105 - a word
    PERCENT = "percent"  # the share, for everybody of whom it is certain


@dataclass(frozen=True, slots=True)
class Goal:
    """What a target should hold for one person: completed or not, and of a score how many thousandths.

    `thousandths` None: no grade. NOTHING is what every target holds before anything is sent.
    """

    is_done: bool = False
    thousandths: int | None = None


NOTHING: Final = Goal()


class Step(StrEnum):
    """What follows from a goal that differs from what was wanted before."""

    KEEP = "keep"  # there is nothing new
    DELIVER = "deliver"
    TELL = "tell"  # deliver, and tell the teacher
    FLAG = "flag"  # a teacher decides
    HISTORY = "history"  # it rests on what was over long before: only if somebody asks
    STAYS = "stays"  # it is lower, and the target takes nothing back or the date for lowering is over


ON_CHANGE: Final = {OnChange.CORRECT: Step.DELIVER, OnChange.TELL: Step.TELL, OnChange.FLAG: Step.FLAG}


class Judged(Protocol):
    """What of a verdict decides what a target should hold, see PersonVerdict."""

    @property
    def verdict(self) -> Verdict:
        """With corrections laid over it."""

    @property
    def share(self) -> tuple[int, int]:
        """Thousandths, [low, high]."""


def goal_of(verdict: Judged, way: Way, scoring: Scoring) -> Goal | None:
    """What the target should hold; None where nothing certain can be said, so that it keeps what it holds."""
    if way is Way.AGS and scoring is Scoring.PERCENT:
        low, high = verdict.share
        return Goal(thousandths=low) if low == high else None
    if verdict.verdict is Verdict.CANNOT_TELL:
        return None
    if verdict.verdict is Verdict.NOT_MET:
        return NOTHING
    return Goal(is_done=True, thousandths=WHOLE if way is Way.AGS else None)


def step(before: Goal, after: Goal | None, *, way: Way, policy: Policy, is_history: bool, now: int) -> Step:
    """What to do where a target was last meant to hold `before`; `now` is epoch ms."""
    if after is None or after == before:
        return Step.KEEP
    if not is_lower(before, after):
        return Step.HISTORY if is_history and before == NOTHING else Step.DELIVER
    is_over = policy.lowers_until is not None and now >= policy.lowers_until
    return Step.STAYS if is_over or way not in TAKES_BACK else ON_CHANGE[policy.on_change]


def is_lower(before: Goal, after: Goal) -> bool:
    """Whether somebody would lose something: being done, or thousandths of a score."""
    return (after.is_done, after.thousandths or 0) < (before.is_done, before.thousandths or 0)
