"""fold_activity(): the classes of an activity, its roster and its policy become a verdict for each person.

Every rule here is a sum or a comparison of intervals. A verdict is MET when it would be so in the worst case that the
evidence allows, NOT_MET when it would not even be so in the best one, and else CANNOT_TELL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rollcall.core.policy import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.core.intervals import Spans
    from rollcall.core.policy import Policy


class Verdict(StrEnum):
    """Three values; also of a single condition, and of whether a class counts."""

    MET = "met"
    NOT_MET = "not-met"
    CANNOT_TELL = "cannot-tell"


# -- what goes in -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    """At least `seen`, exactly so many where `is_exact`."""

    seen: int = 0
    is_exact: bool = False


NOBODY_KNOWS: Final = Count()
EXACTLY_NONE: Final = Count(0, is_exact=True)


@dataclass(frozen=True, slots=True)
class Presence:
    """One person in one meeting with its breakout rooms: proved ⊆ possible, epoch ms; `possible` may end in OPEN."""

    proved: Spans
    possible: Spans
    counts: Mapping[Quantity, Count] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One meeting that took place. Each time is [earliest, latest] epoch ms; a latest of OPEN is still to come.

    `first_join` and `last_leave` are anybody's, guests included; `ended` is when it was over; `attendees` counts
    everybody [at least, at most]. `unseen` is when somebody of whom nothing was told may have been there,
    `unseen_counts` whether such a person may have done anything. `is_history`: it was over for days before anything was
    heard of it, or began before anybody asked for deliveries. `settles_at` is None once nothing can change any more.
    """

    meeting: str
    began_at: int
    first_join: tuple[int, int]
    last_leave: tuple[int, int]
    ended: tuple[int, int]
    attendees: tuple[int, int]
    people: Mapping[str, Presence]
    unseen: Spans = ()
    unseen_counts: Count = EXACTLY_NONE
    settles_at: int | None = None
    blind: tuple[tuple[int, int, str], ...] = ()
    is_history: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a class as a teacher entered them, epoch ms; the class is the one that `meeting` is part of."""

    meeting: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A teacher's word: of one class (`meeting` is part of it), or of the whole activity where `meeting` is blank."""

    seq: int
    user_id: str
    verdict: Verdict
    meeting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What people have decided of an activity, as it stands: undone decisions are not in it.

    `versions` in the order of their publishing. `switched_off` are meetings whose classes do not count. Of several
    corrections of one person and class, as of several hours of one class, the last holds.
    """

    versions: Sequence[Policy] = ()
    hours: Sequence[Hours] = ()
    switched_off: frozenset[str] = frozenset()
    corrections: Sequence[Correction] = ()


# -- what comes out -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """One condition as it was found: [low, high] in the unit of its quantity, high None where it is open.

    `needed` is what it was held against, in the same unit: of a SHARE `low` and `high` are thousandths rounded towards
    doubt (low down, high up). Of PRESENT_BY and PRESENT_UNTIL they are the latest and the earliest moment, epoch ms, at
    which the person was first, or last, there; None: perhaps not at all.
    """

    quantity: Quantity
    low: int | None
    high: int | None
    needed: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why something is not certain: a code, and from when to when (epoch ms) where it has a time."""

    code: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassVerdict:
    """One person and one class. `computed` is what the evidence gives, `verdict` with a correction laid over it.

    `counts`: whether the class counts at all. `version` is the index of the policy's version, None before the first.
    """

    meetings: tuple[str, ...]
    began_at: int
    counts: Verdict
    version: int | None
    computed: Verdict
    verdict: Verdict
    measured: tuple[Measured, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    correction: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonVerdict:
    """One person and the activity.

    `met` is [at least, at most] how many classes are met, of `needed` (Scope.CLASSES); `measured` stands for all
    classes together (Scope.SUMMED), and is empty otherwise. `share` is [low, high] thousandths: the part that was
    attended of all classes that count (Scope.SUMMED), or the part of what is needed that is met (Scope.CLASSES), low
    and high rounded towards doubt. `settles_at` is when the last of the classes it rests on settles, None: all have.
    `without_history` is the computed verdict without the classes that are history.
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
    without_history: Verdict = Verdict.NOT_MET


def fold_activity(held: Sequence[Held], roster: Sequence[str], decided: Decided) -> dict[str, PersonVerdict]:
    """Everybody's verdict, by user id: of the roster, and of whoever was in a meeting with an id of the LMS.

    The order of `held` and of `roster` changes nothing. Empty without a policy in force for any class.
    """
    raise NotImplementedError
