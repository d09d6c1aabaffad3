"""What a policy says of one person, by trying whatever may be true: the rules once more, apart from rollcall.core.

Each truth is judged by plain numbers. Ends of meetings, lengths of classes and numbers of people are tried at both ends
of what is known of them and on both sides of each threshold between; of the person only the least and the most, since
no condition is ever lost by more of anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from rollcall.core.held import Count
from rollcall.core.policy import OF_HOURS, Join, Policy, Quantity, Scope
from rollcall.core.verdicts import Verdict
from rollcall.simulate.truth import merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rollcall.core.held import Decided, Held, Hours
    from rollcall.core.policy import Condition

Range: TypeAlias = tuple[int, int]
Values: TypeAlias = dict[Quantity, float]

MINUTE_MS: Final = 60_000
COUNTS: Final = (
    Quantity.CHATS,
    Quantity.TALKS,
    Quantity.RAISED_HANDS,
    Quantity.REACTIONS,
    Quantity.POLL_ANSWERS,
    Quantity.TALK_TIME,
)
WITHOUT_POLICY: Final = Policy(conditions=())
TOO_MANY: Final = 50_000


class TooMany(Exception):
    """More truths than anybody waits for."""


class Side(NamedTuple):
    """One person in one meeting, as it may have been: when they were there, and what they did."""

    spans: Sequence[Range]
    counts: Mapping[Quantity, float]


@dataclass(frozen=True, kw_only=True)
class Known:
    """One meeting: [at least, at most] of each, epoch ms; of each person the least and the most."""

    name: str
    began_at: int
    first_join: Range
    last_leave: Range
    ended: Range
    attendees: Range
    people: Mapping[str, tuple[Side, Side]]
    others: tuple[Side, Side]

    def side(self, user: str, which: int) -> Side:
        """The least (0) or the most (1) of this person."""
        return self.people.get(user, self.others)[which]


def known_of(held: Held) -> Known:
    """The same of what the meeting's fold says."""
    everything = {quantity: Count() for quantity in COUNTS}
    unseen = dict.fromkeys(COUNTS, held.unseen_counts)
    return Known(
        name=held.meeting,
        began_at=held.began_at,
        first_join=held.first_join,
        last_leave=held.last_leave,
        ended=held.ended,
        attendees=held.attendees,
        people={
            user: (
                Side(one.proved, {quantity: count.seen for quantity, count in one.counts.items()}),
                Side(
                    one.possible,
                    {quantity: _most(count) for quantity, count in (everything | dict(one.counts)).items()},
                ),
            )
            for user, one in held.people.items()
        },
        others=(Side((), {}), Side(held.unseen, {quantity: _most(count) for quantity, count in unseen.items()})),
    )


def _most(count: Count) -> float:
    return count.seen if count.is_exact else inf


# -- one class of one truth -------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """A class that counts, of one truth: whether it met its own version's conditions, and what it adds to a sum."""

    version: int
    is_met: bool
    length: int
    values: tuple[tuple[Quantity, float], ...]


@dataclass(frozen=True)
class Class:
    """Meetings that are one class in some truth, judged for one person."""

    meetings: tuple[Known, ...]
    decided: Decided
    user: str

    @cached_property
    def names(self) -> set[str]:
        return {meeting.name for meeting in self.meetings}

    @cached_property
    def version(self) -> int | None:
        at = version_at(self.decided, self.meetings[0].began_at)
        return at if at is not None and self.decided.versions[at].conditions else None

    @cached_property
    def hours(self) -> Hours | None:
        mine = [one for one in self.decided.hours if one.meeting in self.names]
        return mine[-1] if mine else None

    @cached_property
    def correction(self) -> Verdict | None:
        mine = [one for one in self.decided.corrections if one.meeting in self.names and one.user_id == self.user]
        return max(mine, key=lambda one: one.seq).verdict if mine else None

    def options(self, which: int) -> set[Told | None]:
        """What it may be in one truth or another; None: it does not count."""
        if self.version is None or self.names & self.decided.switched_off:
            return {None}
        policy = self.decided.versions[self.version]
        values = self._values(which)
        found: set[Told | None] = set()
        for attendees in _around(self._attendees(), policy.fewest):
            for span in self._lengths():
                # While somebody was there it was longer than nothing.
                for length in {max(one, int(values[Quantity.TIME] > 0)) for one in _around(span, policy.shortest_ms)}:
                    counts = length >= policy.shortest_ms and attendees >= policy.fewest
                    found.add(self._told(policy, values, length, which) if counts else None)
        return found

    def _told(self, policy: Policy, values: Values, length: int, which: int) -> Told:
        assert self.version is not None
        if self.correction is not None:
            there = length if self.correction is Verdict.MET else 0
            values = values | {Quantity.TIME: there}
            return Told(self.version, self.correction is Verdict.MET, length, tuple(sorted(values.items())))
        return Told(self.version, holds(policy, values, length, which), length, tuple(sorted(values.items())))

    def _attendees(self) -> Range:
        """Distinct people: at least the most of one meeting; at most everybody of each, who is known to be one once."""
        sure = [user for meeting in self.meetings for user, sides in meeting.people.items() if sides[0].spans]
        most = sum(meeting.attendees[1] for meeting in self.meetings) - (len(sure) - len(set(sure)))
        return max(len(set(sure)), *(meeting.attendees[0] for meeting in self.meetings)), most

    def _lengths(self) -> Iterator[Range]:
        """Of the entered hours; else first join to last leave, where somebody came at all."""
        if self.hours is not None:
            length = self.hours.end - self.hours.begin
            yield length, length
            return
        sure = [one for one in self.meetings if one.attendees[0]]
        unsure = [one for one in self.meetings if not one.attendees[0] and one.attendees[1]]
        for chosen in product((True, False), repeat=len(unsure)):
            some = sure + [one for one, is_in in zip(unsure, chosen, strict=True) if is_in]
            if not some:
                yield 0, 0
                continue
            joined = [min(one.first_join[side] for one in some) for side in (0, 1)]
            left = [max(one.last_leave[side] for one in some) for side in (0, 1)]
            yield max(0, left[0] - joined[1]), max(0, left[1] - joined[0])

    def _values(self, which: int) -> Values:
        sides = [meeting.side(self.user, which) for meeting in self.meetings]
        spans = [self._clipped(side.spans) for side in sides]
        found: Values = {quantity: sum(side.counts.get(quantity, 0) for side in sides) for quantity in COUNTS}
        there = merge(span for some in spans for span in some)
        found[Quantity.TIME] = _total(there)
        found[Quantity.WHOLE_MINUTES] = sum(_total(merge(some)) // MINUTE_MS for some in spans)
        if self.hours is not None:
            # How late they came and how early they went: the fewer, the better.
            found[Quantity.PRESENT_BY] = there[0][0] - self.hours.begin if there else inf
            found[Quantity.PRESENT_UNTIL] = self.hours.end - there[-1][1] if there else inf
        return found

    def _clipped(self, spans: Sequence[Range]) -> list[Range]:
        if self.hours is None:
            return list(spans)
        return [(max(a, self.hours.begin), min(b, self.hours.end)) for a, b in spans]


def _total(spans: Iterable[Range]) -> int:
    return sum(b - a for a, b in spans)


def _around(span: Range, threshold: int) -> set[int]:
    """Both ends, and both sides of the threshold if it lies between."""
    low, high = span
    return {low, high} | {at for at in (threshold - 1, threshold) if low <= at <= high}


# -- conditions -------------------------------------------------------------------------------------------------------


def holds(policy: Policy, values: Mapping[Quantity, float], length: int, which: int) -> bool:
    """Whether the conditions hold of these numbers. Of what nobody knows: not in the worst truth, in the best one."""
    held = [_holds(condition, values, length, which) for condition in policy.conditions]
    return any(held) if policy.join is Join.ANY else all(held)


def _holds(condition: Condition, values: Mapping[Quantity, float], length: int, which: int) -> bool:
    quantity, amount = condition.quantity, condition.amount
    if quantity in OF_HOURS:
        return values[quantity] <= amount if quantity in values else bool(which)
    if quantity is Quantity.SHARE:
        return length > 0 and values[Quantity.TIME] * 1000 >= amount * length  # of nothing there is no share
    return values[quantity] >= amount


# -- one truth of the whole activity ----------------------------------------------------------------------------------


def version_at(decided: Decided, at: int) -> int | None:
    """The last published of those that had started."""
    started = [number for number, version in enumerate(decided.versions) if version.starts_at <= at]
    return started[-1] if started else None


def is_met(decided: Decided, counted: Sequence[Told], which: int) -> bool:
    """Of the classes that count, in their order."""
    if not counted:
        return False
    policy = decided.versions[counted[-1].version]
    if policy.scope is Scope.CLASSES:
        return sum(one.is_met for one in counted) >= policy.needed
    values: Values = {}
    for one in counted:
        for quantity, value in one.values:
            if quantity not in OF_HOURS:
                values[quantity] = values.get(quantity, 0) + value
    return holds(policy, values, sum(one.length for one in counted), which)


def groupings(meetings: Sequence[Known], decided: Decided) -> set[tuple[tuple[int, ...], ...]]:
    """Every way in which the meetings may have been classes, by their places in the order of beginning."""
    edges = [one.began_at - policy.apart_ms for one in meetings for policy in (*decided.versions, WITHOUT_POLICY)]
    ends = [
        sorted({one.ended[0], *(edge + 1 for edge in edges if one.ended[0] <= edge < one.ended[1])}) for one in meetings
    ]
    found = set()
    for number, some in enumerate(product(*ends)):
        if number > TOO_MANY:
            raise TooMany
        found.add(_grouped(meetings, some, decided))
    return found


def _grouped(meetings: Sequence[Known], ends: Sequence[int], decided: Decided) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = []
    for at, meeting in enumerate(meetings):
        if groups:
            first = version_at(decided, meetings[groups[-1][0]].began_at)
            policy = WITHOUT_POLICY if first is None else decided.versions[first]
            if meeting.began_at - max(ends[one] for one in groups[-1]) < policy.apart_ms:
                groups[-1].append(at)
                continue
        groups.append([at])
    return tuple(map(tuple, groups))


def outcomes(meetings: Sequence[Known], decided: Decided, user: str, which: int) -> Iterator[bool]:
    """Whether the person met it, of one truth after the other."""
    for groups in groupings(meetings, decided):
        classes = [Class(tuple(meetings[at] for at in group), decided, user) for group in groups]
        for number, told in enumerate(product(*(one.options(which) for one in classes))):
            if number > TOO_MANY:
                raise TooMany
            yield is_met(decided, [one for one in told if one is not None], which)


def judge(meetings: Iterable[Known], decided: Decided, user: str) -> Verdict:
    """MET or NOT_MET where every truth says so."""
    words = [one for one in decided.corrections if one.user_id == user and not one.meeting]
    if words:
        return max(words, key=lambda one: one.seq).verdict
    in_order = sorted(meetings, key=lambda one: (one.began_at, one.name))
    if all(outcomes(in_order, decided, user, 0)):
        return Verdict.MET
    return Verdict.CANNOT_TELL if any(outcomes(in_order, decided, user, 1)) else Verdict.NOT_MET
