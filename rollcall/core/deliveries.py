"""From a verdict to what each target should hold. Pure: nothing here knows how a target is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rollcall.core.activity import PersonVerdict
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


def goal_of(verdict: PersonVerdict, way: Way, scoring: Scoring) -> Goal | None:
    """What the target should hold; None where nothing certain can be said, so that it keeps what it holds."""
    raise NotImplementedError


def step(before: Goal, after: Goal | None, *, way: Way, policy: Policy, is_history: bool, now: int) -> Step:
    """What to do where a target was last meant to hold `before`; `now` is epoch ms."""
    raise NotImplementedError
