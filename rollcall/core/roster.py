"""Who was enrolled in a course when: readings of its roster made into stays, and stays held against a meeting's time.

A reading tells who is on the roster at one moment. Between two readings nobody was asked, so a stay begins somewhere
between the last reading without somebody and the first with them, and ends in the same way. Times are epoch ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One person of a roster. `name` is blank unless the LMS shares it."""

    user_id: str
    name: str = ""
    is_instructor: bool = False
    is_learner: bool = False

    def __or__(self, other: Enrolled) -> Enrolled:
        """The same person listed twice, with all that either entry says."""
        return Enrolled(
            self.user_id,
            self.name or other.name,
            self.is_instructor or other.is_instructor,
            self.is_learner or other.is_learner,
        )


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody on the roster from the reading `from_at` on, until that of `until_at` no longer had them; None: still.

    `absent_at` is the last reading before, which had not had them; None: there was none. `seen_at` is the last that
    had them, None while they are on it.
    """

    who: Enrolled
    from_at: int
    until_at: int | None = None
    absent_at: int | None = None
    seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reading changes: stays that begin, stays that end, and those of whom the LMS now says something else."""

    begun: tuple[Stay, ...] = ()
    ended: tuple[Stay, ...] = ()
    altered: tuple[Stay, ...] = ()


def is_believable(standing: Iterable[Stay], roster: Mapping[str, Enrolled]) -> bool:
    """Whether a whole reading may be taken as it is.

    One that has nobody, of a course that had somebody, is far more often a fault of the LMS than a course that all have
    left; taking it would end everybody's stay. Nothing is lost by waiting: once the roster has anybody again, the stays
    that ended meanwhile end between the last reading that had them and that one.
    """
    return bool(roster) or not any(stay.until_at is None for stay in standing)


def compare(standing: Iterable[Stay], roster: Mapping[str, Enrolled], at: int, read_at: int | None) -> Changes:
    """What a whole reading at `at` changes; `read_at` is the whole reading before it, None if this is the first.

    `standing` are the stays of the course that have not ended. A reading that is older than the last changes nothing,
    and nothing of anybody of whom a later one, kept in part so far, has told something.
    """
    if read_at is not None and at <= read_at:
        return Changes()
    current, later = dict[str, Stay](), set[str]()
    for stay in standing:
        if max(stay.from_at, stay.until_at or 0) >= at:
            later.add(stay.who.user_id)
        elif stay.until_at is None:
            current[stay.who.user_id] = stay
    current = {user: stay for user, stay in current.items() if user not in later}
    begun = [
        Stay(who, at, absent_at=read_at) for user, who in roster.items() if user not in current and user not in later
    ]
    ended = [
        replace(stay, until_at=at, seen_at=max(stay.from_at, read_at or stay.from_at))
        for user, stay in current.items()
        if user not in roster
    ]
    altered = [
        replace(stay, who=roster[user]) for user, stay in current.items() if user in roster and roster[user] != stay.who
    ]
    return Changes(tuple(begun), tuple(ended), tuple(altered))


class Enrolment(StrEnum):
    """Whether somebody belonged to a course at a time."""

    ENROLLED = "enrolled"
    PERHAPS = "perhaps"  # they came or went between two readings, or the roster was not read yet
    LEFT = "left"  # they had been enrolled before
    NOT_ENROLLED = "not-enrolled"


def enrolment(stays: Iterable[Stay], start: int, end: int) -> Enrolment:
    """Whether the person of these stays was enrolled while a meeting lasted, from `start` to `end`.

    Certain is only what two readings enclose; a stay that has not ended reaches as far as need be.
    """
    found = Enrolment.NOT_ENROLLED
    for stay in stays:
        if stay.from_at <= start and (stay.until_at is None or (stay.seen_at or stay.from_at) >= end):
            return Enrolment.ENROLLED
        is_later = stay.absent_at is not None and stay.absent_at >= end
        is_earlier = stay.until_at is not None and stay.until_at <= start
        if not is_later and not is_earlier:
            found = Enrolment.PERHAPS
        elif is_earlier and found is Enrolment.NOT_ENROLLED:
            found = Enrolment.LEFT
    return found
