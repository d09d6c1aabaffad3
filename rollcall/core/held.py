"""What verdicts are folded from: the meetings of an activity as they were held, and what people have decided of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.core.intervals import Spans
    from rollcall.core.policy import Policy, Quantity
    from rollcall.core.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Count:
    """At least `seen`, exactly so many where `is_exact`."""

    seen: int = 0
    is_exact: bool = False


NOBODY_KNOWS: Final = Count()
EXACTLY_NONE: Final = Count(0, is_exact=True)


@dataclass(frozen=True, slots=True)
class Presence:
    """One person in one meeting with its breakout rooms: proved ⊆ possible, epoch ms; `possible` may end in OPEN.

    Of a quantity that is not in `counts` nothing is known.
    """

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
    corrections of one person and class the last by `seq` holds, of several hours of one class the last of them.
    """

    versions: Sequence[Policy] = ()
    hours: Sequence[Hours] = ()
    switched_off: frozenset[str] = frozenset()
    corrections: Sequence[Correction] = ()
