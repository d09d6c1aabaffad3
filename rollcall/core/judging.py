"""One class against the conditions of a policy: what of a person was measured in it, and which verdict that gives.

A Judge is made once for a class and a policy; what is the same for everybody is worked out then, since the rest is done
for each person of each class.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from rollcall.core.classes import ENDLESS
from rollcall.core.held import NOBODY_KNOWS, Count, Presence
from rollcall.core.intervals import intersect, merge, subtract, total
from rollcall.core.policy import COUNTED, MINUTE_MS, WHOLE, Join, Quantity, Scope
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
    from collections.abc import Callable, Mapping, Sequence

    from rollcall.core.classes import Class
    from rollcall.core.intervals import Spans
    from rollcall.core.policy import Condition, Policy

MOST_DOUBTS: Final = 6
"""With times, for one person and class; a sentence has no room for more."""


Measure: TypeAlias = "Callable[[int, int, Presence, Sequence[Presence]], Measured]"
"""One condition, of one person in one class: from ms there [low, high], all of their presence, and each meeting's."""


def span_total(spans: Spans) -> int:
    """As rollcall.core.intervals.total, quick for the one span that most people have."""
    if len(spans) == 1:
        ((start, end),) = spans
        return end - start
    return total(spans)


def known(amount: int) -> int | None:
    """None for what has no end yet."""
    return None if amount >= ENDLESS else amount


def held_against(low: int, high: int, needed: int) -> Verdict:
    """Of a quantity in [low, high]."""
    return MET if low >= needed else CANNOT_TELL if high >= needed else NOT_MET


def thousandths(part: int, whole: int) -> int:
    """Cut down; a share of nothing is none, and nobody was there for more than all."""
    return min(part * WHOLE // max(whole, 1), WHOLE)


def count_in(presence: Presence, quantity: Quantity) -> tuple[int, int]:
    """At least, and at most."""
    count = presence.counts.get(quantity, NOBODY_KNOWS)
    return count.seen, count.seen if count.is_exact else ENDLESS


def minutes(parts: Sequence[Presence]) -> tuple[int, int]:
    """Whole minutes of each meeting, added up, [at least, at most]; at least ENDLESS while they grow."""
    most = [span_total(part.possible) for part in parts]
    high = ENDLESS if max(most, default=0) >= ENDLESS else sum(ms // MINUTE_MS for ms in most)
    return sum(span_total(part.proved) // MINUTE_MS for part in parts), high


# -- measures, one for each kind of quantity ---------------------------------------------------------------------------


def _of_time(condition: Condition, _one: Class) -> Measure:
    quantity, needed = condition.quantity, condition.amount

    def measure(low: int, high: int, _whole: Presence, _parts: Sequence[Presence]) -> Measured:
        return Measured(quantity, low, high if high < ENDLESS else None, needed, held_against(low, high, needed))

    return measure


def _of_share(condition: Condition, one: Class) -> Measure:
    """Against the longest for the worst case, and for the best one against the shortest with which the class counts."""
    quantity, needed = condition.quantity, condition.amount
    longest, shortest = max(one.length[1], 1), one.shortest

    def measure(low: int, high: int, _whole: Presence, _parts: Sequence[Presence]) -> Measured:
        least, most = min(low * WHOLE // longest, WHOLE), min(high * WHOLE // shortest, WHOLE)
        return Measured(quantity, least, most, needed, held_against(least, most, needed))

    return measure


def _of_minutes(condition: Condition, _one: Class) -> Measure:
    def measure(_low: int, _high: int, _whole: Presence, parts: Sequence[Presence]) -> Measured:
        low, high = minutes(parts)
        verdict = held_against(low, high, condition.amount)
        return Measured(condition.quantity, low, known(high), condition.amount, verdict)

    return measure


def _of_count(condition: Condition, _one: Class) -> Measure:
    quantity, needed = condition.quantity, condition.amount

    def measure(_low: int, _high: int, whole: Presence, _parts: Sequence[Presence]) -> Measured:
        low, high = count_in(whole, quantity)
        return Measured(quantity, low, known(high), needed, held_against(low, high, needed))

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
    """Judges everybody of one class by a policy. Of a summed one it says what the class adds, and who was there."""

    def __init__(self, one: Class, policy: Policy) -> None:
        """`one` is judged by some version; `policy` is that one, or the one that sums."""
        self.one = one
        self.join = policy.join
        self.is_summed = policy.scope is Scope.SUMMED
        conditions = [replace(one, amount=0) for one in policy.conditions] if self.is_summed else policy.conditions
        self.measures = tuple(MEASURES[condition.quantity](condition, one) for condition in conditions)
        self.meetings = one.meetings
        self.blind = tuple(sorted({span for held in one.held for span in held.blind}))
        self.is_plain = one.hours is None and len(one.held) == 1
        self.absent_parts = tuple(self._absent(held.unseen, held.unseen_counts) for held in one.held)
        self.absent = self.verdict_of(*self.put_together(self.absent_parts))

    def _absent(self, unseen: Spans, counts: Count) -> Presence:
        return Presence((), self.one.clipped(unseen), dict.fromkeys(COUNTED, counts))

    def everybody(self) -> dict[str, tuple[Presence, Sequence[Presence]]]:
        """Whoever was in one of its meetings: in all of them together, and one by one."""
        if self.is_plain:
            return {user: (presence, (presence,)) for user, presence in self.one.held[0].people.items()}
        users = dict.fromkeys(user for held in self.one.held for user in held.people)
        return {user: self.put_together(self._parts(user)) for user in users}

    def _parts(self, user: str) -> Sequence[Presence]:
        clipped = self.one.clipped
        return [
            Presence(clipped(presence.proved), clipped(presence.possible), presence.counts)
            if (presence := held.people.get(user)) is not None
            else absent
            for held, absent in zip(self.one.held, self.absent_parts, strict=True)
        ]

    def put_together(self, parts: Sequence[Presence]) -> tuple[Presence, Sequence[Presence]]:
        """Time in two rooms at once is time once; what was done in each is added."""
        if len(parts) == 1:
            return parts[0], parts
        return (
            Presence(
                merge(span for part in parts for span in part.proved),
                merge(span for part in parts for span in part.possible),
                {quantity: _sum_of(quantity, parts) for quantity in COUNTED},
            ),
            parts,
        )

    def verdict_of(self, whole: Presence, parts: Sequence[Presence]) -> ClassVerdict:
        """One person's."""
        low = span_total(whole.proved)
        high = low if whole.possible == whole.proved else span_total(whole.possible)
        measured = tuple([measure(low, high, whole, parts) for measure in self.measures])
        one = self.one
        if self.is_summed:
            verdict = BY_BOUNDS[(low > 0) + (high > 0)]
        elif len(measured) == 1:
            verdict = measured[0].verdict
        else:
            verdict = joined(self.join, [found.verdict for found in measured])
        doubts = one.why if verdict is MET else one.why + self.doubts(whole, measured, verdict)
        return ClassVerdict(
            self.meetings, one.began_at, one.counts, one.version or 0, verdict, verdict, measured, doubts
        )

    def doubts(self, whole: Presence, measured: Sequence[Measured], verdict: Verdict) -> tuple[Doubt, ...]:
        """Why somebody has not met the conditions, or may not have."""
        timed = [*self._uncertain(whole), *_gaps(whole.possible)]
        found = sorted(timed, key=lambda doubt: (doubt.start or 0, doubt.code))[:MOST_DOUBTS]
        unsure = {one.quantity for one in measured if one.verdict is CANNOT_TELL}
        if verdict is CANNOT_TELL and Quantity.SHARE in unsure and self.one.length[0] != self.one.length[1]:
            found.append(Doubt("length"))
        if not unsure.isdisjoint(COUNTED):
            found.append(Doubt("counts"))
        if any(one.low is one.high is None for one in measured) and self.one.hours is None:
            found.append(Doubt("no-hours"))
        return tuple(found)

    def _uncertain(self, whole: Presence) -> list[Doubt]:
        """Where somebody may have been, with the cause of the blindness if there was one."""
        if whole.possible == whole.proved:
            return []
        left = subtract(whole.possible, whole.proved)
        found = []
        for start, end, cause in self.blind:
            found += [Doubt(cause, a, b) for a, b in intersect(left, ((start, end),))]
            left = subtract(left, ((start, end),))
        return found + [
            Doubt("open", start) if end >= ENDLESS else Doubt("uncertain", start, end) for start, end in left
        ]


def _gaps(spans: Spans) -> list[Doubt]:
    return [Doubt("away", end, start) for (_, end), (start, _) in pairwise(spans)]


def _sum_of(quantity: Quantity, parts: Sequence[Presence]) -> Count:
    counts = [part.counts.get(quantity, NOBODY_KNOWS) for part in parts]
    return Count(sum(count.seen for count in counts), all(count.is_exact for count in counts))
