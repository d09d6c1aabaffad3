"""What counts as attended: conditions, how they are joined, and which version of them judges which class.

A policy belongs to an activity. It is data, and says nothing of people; rollcall.core.activity judges them by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE_MS: Final = 60_000
WHOLE: Final = 1000
"""All of a class, in the thousandths that shares are told in."""


class Quantity(StrEnum):
    """What of a person is measured. Each grows with presence or activity, none shrinks."""

    TIME = "time"  # ms there
    SHARE = "share"  # thousandths of the length of the class
    WHOLE_MINUTES = "whole-minutes"  # as Moodle counts: minutes of each meeting, cut down before they are added
    PRESENT_BY = "present-by"  # there so many ms after the hours begin, or before
    PRESENT_UNTIL = "present-until"  # there so many ms before the hours end, or later
    CHATS = "chats"
    TALKS = "talks"
    RAISED_HANDS = "raised-hands"
    REACTIONS = "reactions"
    POLL_ANSWERS = "poll-answers"
    TALK_TIME = "talk-time"  # ms

    __hash__ = str.__hash__  # counts are looked up by it some ten thousand times for one activity


COUNTED: Final = frozenset(
    {
        Quantity.CHATS,
        Quantity.TALKS,
        Quantity.RAISED_HANDS,
        Quantity.REACTIONS,
        Quantity.POLL_ANSWERS,
        Quantity.TALK_TIME,
    }
)
OF_HOURS: Final = frozenset({Quantity.PRESENT_BY, Quantity.PRESENT_UNTIL})
"""Conditions that stand only where the hours of the class were entered, and for one class alone."""


class Join(StrEnum):
    """How many of the conditions must hold."""

    ALL = "all"
    ANY = "any"


class Scope(StrEnum):
    """Of what the conditions are asked."""

    CLASSES = "classes"  # of each class by itself: so many must meet them
    SUMMED = "summed"  # of all classes of the activity together


class OnChange(StrEnum):
    """What to do when a late witness changes a verdict that was certain and has been delivered."""

    CORRECT = "correct"  # deliver the new one
    TELL = "tell"  # deliver it, and tell the teacher
    FLAG = "flag"  # leave what was delivered until a teacher decides


@dataclass(frozen=True, slots=True)
class Condition:
    """At least `amount` of a quantity, in its own unit; of PRESENT_BY and PRESENT_UNTIL it is the grace, in ms."""

    quantity: Quantity
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version. Times are epoch ms, durations ms.

    With Scope.CLASSES `needed` classes must meet the conditions, of `planned` ones if that is known (it is shown, and
    bounds `needed`; it judges nobody). Meetings less than `apart_ms` apart are one class; a class counts if it ran for
    `shortest_ms` with `fewest` people. After `lowers_until` nothing delivered is lowered (None: always). `waits`: a
    verdict is delivered only when its classes are settled.
    """

    conditions: tuple[Condition, ...]
    join: Join = Join.ALL
    scope: Scope = Scope.CLASSES
    needed: int = 1
    planned: int | None = None
    starts_at: int = 0
    apart_ms: int = 10 * MINUTE_MS
    shortest_ms: int = 5 * MINUTE_MS
    fewest: int = 2
    on_change: OnChange = OnChange.CORRECT
    lowers_until: int | None = None
    waits: bool = False

    def is_choice(self) -> bool:
        """Whether one of several conditions is enough."""
        return self.join is Join.ANY and len(self.conditions) > 1


def in_force(versions: Sequence[Policy], began_at: int) -> int | None:
    """Which of the versions, in the order of their publishing, judges a class that began then; None: none yet.

    It is the one published last among those that had started: a later one that starts earlier replaces them.
    """
    return next((at for at in range(len(versions) - 1, -1, -1) if versions[at].starts_at <= began_at), None)
