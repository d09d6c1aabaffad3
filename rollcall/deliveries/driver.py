"""What the sender of completions asks of each way to an LMS, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from rollcall.core.deliveries import Goal


class Result(StrEnum):
    """What a try has come to."""

    DONE = "done"  # the target holds the goal
    LEFT = "left"  # a person decided otherwise there: it is left as it is, and shown
    REFUSED = "refused"  # never for this person: not enrolled, no student, locked …
    LATER = "later"  # again later; nothing is wrong with anything else
    TARGET = "target"  # the activity, the course or the column is in trouble: all of this target waits
    RECEIVER = "receiver"  # the LMS, the token or the way to it is in trouble: everything by this way waits


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` says why (words for it are in rollcall.deliveries.completion_words); status and phrase as they came."""

    result: Result
    code: str = ""
    status: int | None = None
    phrase: str = ""
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One person's goal at one target. `held` is what the target was last seen to hold, None: never anything of ours.

    `stamp` and `is_unanswered` are those of an earlier try of which no answer was seen.
    """

    owed: int
    target: int
    user_id: str
    goal: Goal
    held: Goal | None
    revision: int
    comment: str = ""
    stamp: int | None = None
    is_unanswered: bool = False


class Begin(Protocol):
    """To be awaited right before anything is sent that may have an effect; False: the order is not ours any more."""

    def __call__(self, stamp: int | None = None) -> Awaitable[bool]:
        """Write down, durably, that it may arrive from now on, with what tells this attempt apart at the target."""


class Driver(Protocol):
    """One target, ready to be sent to; made once for some orders, used for them side by side."""

    async def deliver(self, order: Order, begin: Begin) -> Outcome:
        """Bring the target to the goal. Whatever it is called with again, the effect is there once."""
