"""One class against the conditions of a policy: what of a person was measured in it, and which verdict that gives.

A Judge is made once for a class and a policy; what is the same for everybody is worked out then, since the rest is done
for each person of each class.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from rollcall.core.classes import ENDLESS
from rollcall.core.held import NOBODY_KNOWS, Count, Presence
from rollcall.core.intervals import intersect, merge, subtract, total
from rollcall.core.policy import COUNTED, MINUTE_MS, OF_HOURS, WHOLE, Condition, Join, Quantity
from rollcall.core.verdicts import (
    BY_BOUNDS,
    CANNOT_TELL,
    MET,
    NOT_MET,
    ClassVerdict,
    Doubt,
    Measured,
    Verdict,
    all_of,
    any_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rollcall.core.classes import Class
    from rollcall.core.held import Held
    from rollcall.core.intervals import Spans
    from rollcall.core.policy import Policy

MOST_DOUBTS: Final = 6
"""With times, for one person and class; a sentence has no room for more."""


new: Final = tuple.__new__
"""Makes a named tuple in a third of the time that its own class takes."""

Measure: TypeAlias = "Callable[[int, int, Presence, Sequence[Presence]], Measured]"
"""One condition, of one person in one class: from ms there [low, high], all of their presence, and that of each
meeting where there are several."""


def known(amount: int) -> int | None:
    """None for what has no end yet."""
    return None if amount >= ENDLESS else amount


def held_against(low: int, high: int, needed: int) -> Verdict:
    """Of a quantity in [low, high]."""
    return MET if low >= needed else CANNOT_TELL if high >= needed else NOT_MET


def thousandths(part: int, whole: int) -> int:
    """Cut down; a share of nothing is none, and nobody was there for more than all."""
    return min(part * WHOLE // max(whole, 1), WHOLE)


def adding(policy: Policy) -> list[Condition]:
    """What is measured of each class for a sum: time first, then what else is asked, with nothing needed."""
    asked = (condition.quantity for condition in policy.conditions if condition.quantity not in OF_HOURS)
    return [Condition(quantity, 0) for quantity in dict.fromkeys((Quantity.TIME, *asked))]


# -- measures, one for each kind of quantity ---------------------------------------------------------------------------


def _of_time(condition: Condition, _one: Class) -> Measure:
    quantity, needed = condition.quantity, condition.amount

    def measure(low: int, high: int, _whole: Presence, _parts: Sequence[Presence]) -> Measured:
        verdict = MET if low >= needed else CANNOT_TELL if high >= needed else NOT_MET
        return new(Measured, (quantity, low, high if high < ENDLESS else None, needed, verdict))

    return measure


def _of_share(condition: Condition, one: Class) -> Measure:
    """Against the longest for the worst case, and for the best one against the shortest with which the class counts."""
    quantity, needed = condition.quantity, condition.amount
    longest, shortest = max(one.length[1], 1), one.shortest

    def measure(low: int, high: int, _whole: Presence, _parts: Sequence[Presence]) -> Measured:
        least = low * WHOLE // longest if low < longest else WHOLE
        most = high * WHOLE // shortest if high < shortest else WHOLE
        verdict = MET if least >= needed else CANNOT_TELL if most >= needed else NOT_MET
        return new(Measured, (quantity, least, most, needed, verdict))

    return measure


def _of_minutes(condition: Condition, _one: Class) -> Measure:
    """Whole minutes of each meeting, added up."""
    quantity, needed = condition.quantity, condition.amount

    def measure(low: int, high: int, _whole: Presence, parts: Sequence[Presence]) -> Measured:
        least, most = low // MINUTE_MS, high // MINUTE_MS
        if parts:
            least = sum(total(part.proved) // MINUTE_MS for part in parts)
            most = sum(total(part.possible) // MINUTE_MS for part in parts)
        verdict = held_against(least, most, needed)
        return new(Measured, (quantity, least, most if high < ENDLESS else None, needed, verdict))

    return measure


def _of_count(condition: Condition, _one: Class) -> Measure:
    quantity, needed = condition.quantity, condition.amount

    def measure(_low: int, _high: int, whole: Presence, _parts: Sequence[Presence]) -> Measured:
        count = whole.counts.get(quantity, NOBODY_KNOWS)
        low = count.seen
        if count.is_exact:
            return new(Measured, (quantity, low, low, needed, MET if low >= needed else NOT_MET))
        return new(Measured, (quantity, low, None, needed, MET if low >= needed else CANNOT_TELL))

    return measure


def _of_hours(condition: Condition, one: Class) -> Measure:
    """The first, or last, moment within the hours; without hours nobody can tell."""
    hours, quantity = one.hours, condition.quantity
    if hours is None:
        unknown = Measured(quantity, None, None, 0, CANNOT_TELL)
        return lambda _low, _high, _whole, _parts: unknown
    is_begin = quantity is Quantity.PRESENT_BY
    limit = hours.begin + condition.amount if is_begin else hours.end - condition.amount

    def moment(spans: Spans) -> int | None:
        return (spans[0][0] if is_begin else spans[-1][1]) if spans else None

    def is_in_time(at: int | None) -> bool:
        return at is not None and (at <= limit if is_begin else at >= limit)

    def measure(_low: int, _high: int, whole: Presence, _parts: Sequence[Presence]) -> Measured:
        low, high = moment(whole.proved), moment(whole.possible)
        return Measured(quantity, low, high, limit, BY_BOUNDS[is_in_time(low) + is_in_time(high)])

    return measure


MEASURES: Final[Mapping[Quantity, Callable[[Condition, Class], Measure]]] = {
    Quantity.TIME: _of_time,
    Quantity.SHARE: _of_share,
    Quantity.WHOLE_MINUTES: _of_minutes,
    Quantity.PRESENT_BY: _of_hours,
    Quantity.PRESENT_UNTIL: _of_hours,
    **dict.fromkeys(COUNTED, _of_count),
}


def joined(join: Join, verdicts: Sequence[Verdict]) -> Verdict:
    """Of conditions that all grow with presence, so that the worst case of one is that of all."""
    return all_of(verdicts) if join is Join.ALL else any_of(verdicts)


# -- one class ---------------------------------------------------------------------------------------------------------


class Judge:
    """Judges everybody of one class by its policy, or says for one that sums what it adds, and who was there.

    What it measures for a sum begins with the time.
    """

    def __init__(self, one: Class, sums: Policy | None = None) -> None:
        """`one` has a policy, by which it is judged unless there is one that `sums`."""
        self.one = one
        self.is_summed = sums is not None
        policy = sums or one.policy_in_force
        self.join = policy.join
        self.is_any = policy.is_choice() and not self.is_summed
        conditions = adding(policy) if self.is_summed else policy.conditions
        self.measures = tuple(MEASURES[condition.quantity](condition, one) for condition in conditions)
        self.blind = tuple(sorted({span for held in one.held for span in held.blind}))
        self.unseen = tuple(self._unseen(held) for held in one.held)
        self.absent = self._judged([("", *self._together(self.unseen))])[""]

    def _unseen(self, held: Held) -> Presence:
        return Presence((), self.one.clipped(held.unseen), dict.fromkeys(COUNTED, held.unseen_counts))

    def verdicts(self) -> dict[str, ClassVerdict]:
        """Of whoever was in one of its meetings; all others have the one that is `absent`."""
        held = self.one.held
        if len(held) == 1 and self.one.hours is None:
            return self._judged((user, presence, ()) for user, presence in held[0].people.items())
        users = dict.fromkeys(user for one in held for user in one.people)
        return self._judged((user, *self._together(self._parts(user))) for user in users)

    def _parts(self, user: str) -> Sequence[Presence]:
        clipped = self.one.clipped
        return [
            Presence(clipped(presence.proved), clipped(presence.possible), presence.counts)
            if (presence := held.people.get(user)) is not None
            else unseen
            for held, unseen in zip(self.one.held, self.unseen, strict=True)
        ]

    def _together(self, parts: Sequence[Presence]) -> tuple[Presence, Sequence[Presence]]:
        """Time in two rooms at once is time once; what was done in each is added."""
        if len(parts) == 1:
            return parts[0], ()
        return (
            Presence(
                merge(span for part in parts for span in part.proved),
                merge(span for part in parts for span in part.possible),
                {quantity: _sum_of(quantity, parts) for quantity in COUNTED},
            ),
            parts,
        )

    def _judged(self, seen: Iterable[tuple[str, Presence, Sequence[Presence]]]) -> dict[str, ClassVerdict]:
        """Everybody in one go: here the fold of an activity spends its time."""
        one, measures, is_summed, why = self.one, self.measures, self.is_summed, self.one.why
        meetings, began_at, counts, version = one.meetings, one.began_at, one.counts, one.judged_by
        is_any, (deciding, undecided) = self.is_any, (NOT_MET, MET) if self.join is Join.ALL else (MET, NOT_MET)
        judged = {}
        for user, whole, parts in seen:
            proved, possible = whole.proved, whole.possible
            low = total(proved)
            high = low if possible == proved else total(possible)
            measured = tuple([measure(low, high, whole, parts) for measure in measures])
            if is_summed:
                verdict = BY_BOUNDS[(low > 0) + (high > 0)]
            else:
                verdict = undecided
                for found in measured:  # as joined() does, without a list for each
                    if found[-1] is deciding:
                        verdict = deciding
                        break
                    if found[-1] is CANNOT_TELL:
                        verdict = CANNOT_TELL
            doubts = why
            if verdict is not MET and (verdict is CANNOT_TELL or low != high or len(possible) > 1):
                doubts = why + self.doubts(whole, measured, verdict)
            values = (meetings, began_at, counts, version, verdict, verdict, measured, doubts, None, is_any)
            judged[user] = new(ClassVerdict, values)
        return judged

    def doubts(self, whole: Presence, measured: Sequence[Measured], verdict: Verdict) -> tuple[Doubt, ...]:
        """Why somebody has not met the conditions, or may not have."""
        found = [Doubt("away", end, start) for (_, end), (start, _) in pairwise(whole.possible)]
        if whole.possible != whole.proved:
            found += self._uncertain(whole)
            found.sort(key=lambda doubt: (doubt.start or 0, doubt.code))
        del found[MOST_DOUBTS:]
        if verdict is not CANNOT_TELL:
            return tuple(found)
        unsure = [one for one in measured if one.verdict is CANNOT_TELL]
        if any(one.quantity is Quantity.SHARE for one in unsure) and self.one.length[0] != self.one.length[1]:
            found.append(Doubt("length"))
        if any(one.quantity in COUNTED for one in unsure):
            found.append(Doubt("counts"))
        if self.one.hours is None and any(one.quantity in OF_HOURS for one in unsure):
            found.append(Doubt("no-hours"))
        return tuple(found)

    def _uncertain(self, whole: Presence) -> list[Doubt]:
        """Where somebody may have been, with the cause of the blindness if there was one."""
        left = subtract(whole.possible, whole.proved)
        found: list[Doubt] = []
        for start, end, cause in self.blind:
            found += [Doubt(cause, a, known(b)) for a, b in intersect(left, ((start, end),))]
            left = subtract(left, ((start, end),))
        return found + [
            self._open(whole, start) if end >= ENDLESS else Doubt("uncertain", start, end) for start, end in left
        ]

    def _open(self, whole: Presence, start: int) -> Doubt:
        """While a class runs anybody may come: only of whoever was there last it can be said that they may still be."""
        is_running = (self.one.settles_at or 0) >= ENDLESS
        was_there = any(end == start for _, end in whole.proved)
        return Doubt("open", start) if was_there or not is_running else Doubt("to-come")


def _sum_of(quantity: Quantity, parts: Sequence[Presence]) -> Count:
    counts = [part.counts.get(quantity, NOBODY_KNOWS) for part in parts]
    return Count(sum(count.seen for count in counts), all(count.is_exact for count in counts))
