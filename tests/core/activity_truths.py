"""Small activities of which every possible truth can be told, and what a policy says of each: without any interval.

All times are multiples of half a minute, so that a meeting has few moments.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from rollcall.core.activity import EXACTLY_NONE, NOBODY_KNOWS, Count, Decided, Held, Hours, Presence, Verdict
from rollcall.core.intervals import merge
from rollcall.core.policy import OF_HOURS, Condition, Join, Policy, Quantity, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollcall.core.intervals import Spans

UNIT = 30_000
ME = "4"
MANY = 9
"""More of anything than a condition here asks for."""


class Truth(NamedTuple):
    """One meeting as it may have been: moments in units, `there` the units in which the person was there."""

    first_join: int
    last_leave: int
    ended: int
    attendees: int
    there: frozenset[int]
    chats: int


@dataclass(frozen=True)
class Maybe:
    """One meeting, as what is known of it: of each of its sides whatever may be true."""

    meeting: str
    began: int
    first_join: tuple[int, ...]
    last_leave: tuple[int, ...]
    ended: tuple[int, ...]
    attendees: tuple[int, ...]
    proved: frozenset[int]
    possible: frozenset[int]
    chats: tuple[int, ...]
    is_known: bool
    is_history: bool = False

    def truths(self) -> list[Truth]:
        """All of them."""
        unsure = sorted(self.possible - self.proved)
        there = [
            self.proved | set(some)
            for some in chain.from_iterable(combinations(unsure, many) for many in range(len(unsure) + 1))
        ]
        sides = (self.first_join, self.last_leave, self.ended, self.attendees, there, self.chats)
        return [Truth(*sides) for sides in product(*sides)]

    def held(self) -> Held:
        """As the fold is told it."""
        count = Count(self.chats[0], is_exact=len(self.chats) == 1)
        presence = Presence(spans(self.proved), spans(self.possible), {Quantity.CHATS: count})
        return Held(
            meeting=self.meeting,
            began_at=self.began * UNIT,
            first_join=(self.first_join[0] * UNIT, self.first_join[-1] * UNIT),
            last_leave=(self.last_leave[0] * UNIT, self.last_leave[-1] * UNIT),
            ended=(self.ended[0] * UNIT, self.ended[-1] * UNIT),
            attendees=(self.attendees[0], self.attendees[-1]),
            people={ME: presence} if self.is_known else {},
            unseen=() if self.is_known else spans(self.possible),
            unseen_counts=EXACTLY_NONE if self.is_known or count.is_exact else NOBODY_KNOWS,
            is_history=self.is_history,
        )


def spans(units: frozenset[int]) -> Spans:
    """As epoch ms."""
    return merge((unit * UNIT, (unit + 1) * UNIT) for unit in units)


# -- what is drawn -----------------------------------------------------------------------------------------------------


def _upwards(draw: st.DrawFn, least: int, *, unsure: bool, most: int = 3) -> tuple[int, ...]:
    return tuple(range(least, least + 1 + (draw(st.integers(1, most)) if unsure else 0)))


@st.composite
def meetings(draw: st.DrawFn, number: int, unsure: frozenset[str]) -> Maybe:
    """One; of the sides in `unsure` more than one thing may be true."""
    began, long = draw(st.integers(0, 4)) + 4 * number, draw(st.integers(2, 5))
    whole = range(began, began + long)
    is_known = draw(st.sampled_from([True, True, True, False]))
    proved = frozenset(draw(st.sets(st.sampled_from(whole)))) if is_known else frozenset()
    more = draw(st.sets(st.sampled_from(whole), max_size=2)) if "there" in unsure else set()
    least = draw(st.integers(0, 2)) if is_known else 0
    return Maybe(
        meeting=f"m{number}",
        began=began,
        first_join=_upwards(draw, began, unsure="first_join" in unsure, most=1),
        last_leave=_upwards(draw, began + long, unsure="last_leave" in unsure),
        ended=_upwards(draw, began + long, unsure="ended" in unsure, most=5),
        attendees=_upwards(draw, draw(st.integers(1, 3)), unsure="attendees" in unsure),
        proved=proved,
        possible=proved | more,
        chats=(least, least + 1, MANY) if "chats" in unsure else (least,),
        is_known=is_known,
        is_history=draw(st.booleans()),
    )


SIDES = ("first_join", "last_leave", "ended", "attendees", "there", "chats")


@st.composite
def activities(draw: st.DrawFn, *, unsure: int = 3) -> list[Maybe]:
    """A few meetings, of which some sides are not known."""
    count = draw(st.sampled_from([2, 3, 1]))
    sides = st.tuples(st.integers(0, count - 1), st.sampled_from(SIDES))
    chosen = draw(st.sets(sides, max_size=unsure))
    return [draw(meetings(number, frozenset(side for at, side in chosen if at == number))) for number in range(count)]


AMOUNTS = {
    Quantity.TIME: st.integers(1, 5).map(lambda units: units * UNIT),
    Quantity.SHARE: st.sampled_from([1, 250, 333, 500, 667, 800]),
    Quantity.WHOLE_MINUTES: st.integers(1, 3),
    Quantity.PRESENT_BY: st.integers(0, 2).map(lambda units: units * UNIT),
    Quantity.PRESENT_UNTIL: st.integers(0, 2).map(lambda units: units * UNIT),
    Quantity.CHATS: st.integers(1, 3),
}


@st.composite
def policies(draw: st.DrawFn, scope: Scope | None = None) -> Policy:
    """Any that a teacher can make."""
    scope = scope or draw(st.sampled_from(Scope))
    quantities = [one for one in AMOUNTS if scope is Scope.CLASSES or one not in OF_HOURS]
    chosen = draw(st.lists(st.sampled_from(quantities), min_size=1, max_size=2, unique=True))
    return Policy(
        conditions=tuple(Condition(one, draw(AMOUNTS[one])) for one in chosen),
        join=draw(st.sampled_from(Join)),
        scope=scope,
        needed=draw(st.sampled_from([1, 1, 2, 3])),
        apart_ms=draw(st.integers(0, 4)) * UNIT,
        shortest_ms=draw(st.sampled_from([0, 0, 3])) * UNIT,
        fewest=draw(st.sampled_from([0, 0, 2])),
    )


@st.composite
def decisions(draw: st.DrawFn, versions: Sequence[Policy]) -> Decided:
    """Sometimes with hours, and with a class that is off."""
    names = st.sampled_from(["none", "no one", "m9", "m8", "m7", "m6", "m5", "m2", "m1", "m0"])
    begin, long = draw(st.integers(0, 12)), draw(st.integers(2, 6))
    return Decided(
        versions=versions,
        hours=[Hours(draw(names), begin * UNIT, (begin + long) * UNIT)],
        switched_off=frozenset({draw(names)}),
    )


# -- what is so, in one truth ------------------------------------------------------------------------------------------


class Room(NamedTuple):
    """A meeting in one truth."""

    of: Maybe
    truth: Truth


def brute(activity: Sequence[Maybe], decided: Decided, *, without_history: bool = False) -> Verdict:
    """What every truth says, one by one."""
    answers = set()
    for truths in product(*(one.truths() for one in activity)):
        rooms = [Room(one, truth) for one, truth in zip(activity, truths, strict=True)]
        answers |= set(answers_in(rooms, decided, without_history=without_history))
    return Verdict.CANNOT_TELL if len(answers) > 1 else Verdict.MET if answers.pop() else Verdict.NOT_MET


def answers_in(rooms: Sequence[Room], decided: Decided, *, without_history: bool) -> Iterator[bool]:
    """Whether it is met; both if it hangs on what the truth does not tell.

    That is whether two meetings of a class had the same people, and who was on time where no hours were entered.
    """
    classes = in_classes(rooms, decided)
    for people in product(*(attendees(one) for one in classes)):
        counting = [one for one, many in zip(classes, people, strict=True) if counts(one, many, decided)]
        if without_history:
            counting = [one for one in counting if not all(room.of.is_history for room in one)]
        yield from (is_met(counting, decided, on_time=on_time) for on_time in (False, True))


def in_classes(rooms: Sequence[Room], decided: Decided) -> list[list[Room]]:
    """Less than so far apart is one class."""
    found: list[list[Room]] = []
    for room in sorted(rooms, key=lambda room: (room.of.began, room.of.meeting)):
        if found:
            policy = version_of(found[-1], decided)
            apart = 600_000 if policy is None else policy.apart_ms
            if (room.of.began - max(one.truth.ended for one in found[-1])) * UNIT < apart:
                found[-1].append(room)
                continue
        found.append([room])
    return found


def version_of(rooms: Sequence[Room], decided: Decided) -> Policy | None:
    """The last one published of those that had started."""
    started = [one for one in decided.versions if one.starts_at <= rooms[0].of.began * UNIT]
    return started[-1] if started else None


def attendees(rooms: Sequence[Room]) -> set[int]:
    """Nobody knows who was in several of them, but for the person."""
    known = sum(bool(room.of.proved) for room in rooms)
    least = max(min(known, 1), *(room.truth.attendees for room in rooms))
    most = sum(room.truth.attendees for room in rooms) - max(known - 1, 0)
    return {least, max(most, least)}


def hours_of(rooms: Sequence[Room], decided: Decided) -> tuple[int, int] | None:
    """The last that were entered."""
    meant = [one for one in decided.hours if one.meeting in {room.of.meeting for room in rooms}]
    return (meant[-1].begin // UNIT, meant[-1].end // UNIT) if meant else None


def length_of(rooms: Sequence[Room], decided: Decided) -> int:
    """In units."""
    hours = hours_of(rooms, decided)
    if hours is not None:
        return hours[1] - hours[0]
    return max(room.truth.last_leave for room in rooms) - min(room.truth.first_join for room in rooms)


def counts(rooms: Sequence[Room], people: int, decided: Decided) -> bool:
    """Whether the class counts."""
    policy = version_of(rooms, decided)
    if policy is None or any(room.of.meeting in decided.switched_off for room in rooms):
        return False
    return length_of(rooms, decided) * UNIT >= policy.shortest_ms and people >= policy.fewest


def there(room: Room, rooms: Sequence[Room], decided: Decided) -> set[int]:
    """In which units the person was there, within the hours if there are any."""
    hours = hours_of(rooms, decided)
    return {unit for unit in room.truth.there if hours is None or hours[0] <= unit < hours[1]}


def is_met(counting: Sequence[Sequence[Room]], decided: Decided, *, on_time: bool) -> bool:
    """With the classes that count. If none does, the first version says what that means."""
    policy = (version_of(counting[-1], decided) if counting else None) or decided.versions[0]
    if policy.scope is Scope.SUMMED:
        return holds(policy, [amounts(rooms, policy, decided, on_time=on_time) for rooms in counting])
    met = 0
    for rooms in counting:
        judging = version_of(rooms, decided)
        met += judging is not None and holds(judging, [amounts(rooms, judging, decided, on_time=on_time)])
    return met >= policy.needed


def amounts(rooms: Sequence[Room], policy: Policy, decided: Decided, *, on_time: bool) -> dict[str, int]:
    """Of one class: how much of everything, in units and minutes."""
    units = {unit for room in rooms for unit in there(room, rooms, decided)}
    found = {
        "time": len(units),
        "length": length_of(rooms, decided),
        "minutes": sum(len(there(room, rooms, decided)) * UNIT // 60_000 for room in rooms),
        "chats": sum(room.truth.chats for room in rooms),
        "by": on_time,
        "until": on_time,
    }
    if (hours := hours_of(rooms, decided)) is not None:
        graces = {condition.quantity: condition.amount // UNIT for condition in policy.conditions}
        by, until = hours[0] + graces.get(Quantity.PRESENT_BY, 0), hours[1] - graces.get(Quantity.PRESENT_UNTIL, 0)
        found |= {"by": bool(units) and min(units) <= by, "until": bool(units) and max(units) + 1 >= until}
    return found


def holds(policy: Policy, classes: Sequence[dict[str, int]]) -> bool:
    """Of all of these together."""
    keys = ("time", "length", "minutes", "chats", "by", "until")
    total = {key: sum(one[key] for one in classes) for key in keys}
    answers = [_holds(condition, total) for condition in policy.conditions]
    return all(answers) if policy.join is Join.ALL else any(answers)


def _holds(condition: Condition, total: dict[str, int]) -> bool:
    match condition.quantity:
        case Quantity.TIME:
            return total["time"] * UNIT >= condition.amount
        case Quantity.SHARE:
            return total["time"] > 0 and total["time"] * 1000 >= condition.amount * total["length"]
        case Quantity.WHOLE_MINUTES:
            return total["minutes"] >= condition.amount
        case Quantity.CHATS:
            return total["chats"] >= condition.amount
        case Quantity.PRESENT_BY:
            return bool(total["by"])
        case _:
            return bool(total["until"])
