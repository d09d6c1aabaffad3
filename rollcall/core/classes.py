"""Which meetings of an activity are one class, which policy judges it, and whether it counts.

Meetings less than a policy's `apart_ms` apart are one class. Where it is not exactly known when a meeting was over,
it may be open whether the next one is still of its class: then each grouping that some truth allows is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from rollcall.core.intervals import OPEN
from rollcall.core.policy import MINUTE_MS, in_force
from rollcall.core.verdicts import BY_BOUNDS, NOT_MET, Doubt, Verdict, all_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollcall.core.held import Decided, Held, Hours
    from rollcall.core.intervals import Spans
    from rollcall.core.policy import Policy

APART_MS: Final = 10 * MINUTE_MS
"""How far apart meetings are different classes before there is a policy."""

MOST_GROUPINGS: Final = 64
"""More of one block of meetings are not looked at: nothing is certain of it then."""

MOST_MEETINGS: Final = 500
"""So many in one block are looked at where it is open how they are grouped; of more nothing is certain."""

ENDLESS: Final = OPEN // 2
"""A duration at least so long has no end yet: sums of open spans are larger than this, and all others smaller."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Class:
    """One class: its meetings in time order, and what holds for everybody in it.

    `version` is the index of the policy that judges it, None before there is one. `length` is [shortest, longest] ms,
    the latter at least ENDLESS while it grows; `shortest` is the shortest length with which the class can count.
    `why` has the reasons for which it does not count, or may not. `settles_at` as in Held.
    """

    held: tuple[Held, ...]
    began_at: int
    version: int | None
    policy: Policy | None
    hours: Hours | None
    length: tuple[int, int]
    attendees: tuple[int, int]
    counts: Verdict
    why: tuple[Doubt, ...]
    settles_at: int | None
    is_history: bool

    @property
    def meetings(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(held.meeting for held in self.held)

    @property
    def judged_by(self) -> int:
        """The version, of a class that has one."""
        if self.version is None:
            raise ValueError("no policy judges this class")
        return self.version

    @property
    def policy_in_force(self) -> Policy:
        """The policy, of a class that has one."""
        if self.policy is None:
            raise ValueError("no policy judges this class")
        return self.policy

    @property
    def shortest(self) -> int:
        """The least length that it has if it counts, 1 ms at least: a share of nothing is none."""
        return max(self.length[0], self.policy.shortest_ms if self.policy else 0, 1)

    def clipped(self, spans: Spans) -> Spans:
        """What of somebody's spans lies within the hours, if there are any."""
        hours = self.hours
        if hours is None:
            return spans
        begin, end = hours.begin, hours.end
        return tuple((max(a, begin), min(b, end)) for a, b in spans if max(a, begin) < min(b, end))


@dataclass(frozen=True, slots=True)
class Block:
    """Meetings that have nothing to do with those before and after them: each way to group them into classes.

    The first grouping is the one to show: it parts what may be apart. `is_certain` is False where there are others, or
    so many that they were not looked at (`is_cut`).
    """

    groupings: tuple[tuple[Class, ...], ...]
    is_cut: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether there is but one way."""
        return len(self.groupings) == 1 and not self.is_cut

    def all_classes(self) -> list[Class]:
        """Each once, whichever groupings it is in."""
        return list(dict.fromkeys(one for grouping in self.groupings for one in grouping))

    def judged(self) -> Block:
        """Without the classes that no policy judges."""
        groupings = (tuple(one for one in grouping if one.policy is not None) for grouping in self.groupings)
        return Block(tuple(dict.fromkeys(groupings)), self.is_cut)


def classes_of(held: Sequence[Held], decided: Decided) -> tuple[Class, ...]:
    """The classes in time order, as they are shown; also those before the first policy."""
    return tuple(one for block in blocks_of(held, decided) for one in block.groupings[0])


def blocks_of(held: Sequence[Held], decided: Decided) -> list[Block]:
    """All meetings, each once and whatever their order, in blocks in time order."""
    ordered = sorted({one.meeting: one for one in held}.values(), key=lambda one: (one.began_at, one.meeting))
    farthest = max((version.apart_ms for version in decided.versions), default=APART_MS)
    farthest = max(farthest, APART_MS)
    blocks: list[list[Held]] = []
    over_at = 0
    for one in ordered:
        if not blocks or one.began_at - over_at >= farthest:
            blocks.append([])
        blocks[-1].append(one)
        over_at = max(over_at, one.ended[1])
    return [_block(block, decided) for block in blocks]


def _block(held: Sequence[Held], decided: Decided) -> Block:
    made: dict[tuple[int, int], Class] = {}

    def class_of(first: int, end: int) -> Class:
        if (first, end) not in made:
            made[first, end] = _class(tuple(held[first:end]), decided)
        return made[first, end]

    def classes(begins: Sequence[int]) -> tuple[Class, ...]:
        return tuple(class_of(*pair) for pair in zip(begins, (*begins[1:], len(held)), strict=True))

    begins, is_certain = _parted(held, decided.versions)
    if is_certain or len(held) > MOST_MEETINGS:
        return Block((classes(begins),), is_cut=not is_certain)
    found: list[tuple[Class, ...]] = []
    for grouping in _groupings(held, decided.versions):
        if len(found) == MOST_GROUPINGS:
            return Block((found[0],), is_cut=True)
        found.append(classes(grouping))
    return Block(tuple(found))


def _parted(held: Sequence[Held], versions: Sequence[Policy]) -> tuple[list[int], bool]:
    """Where classes begin if all are parted that may be apart; and whether that is the only way."""
    begins, is_certain = [0], True
    soonest, latest = held[0].ended
    for at, one in enumerate(held[1:], 1):
        moment = one.began_at - _apart_ms(versions, held[begins[-1]].began_at)
        if soonest <= moment:
            is_certain = is_certain and latest <= moment
            begins.append(at)
        soonest, latest = max(soonest, one.ended[0]), max(latest, one.ended[1])
    return begins, is_certain


@dataclass(frozen=True, slots=True)
class _Path:
    """A grouping as far as it is chosen: where classes begin, by when each meeting was over at the latest for that.

    `late`: (how many, when): one of the first so many meetings was over after that moment.
    """

    begins: tuple[int, ...]
    over_by: tuple[int, ...]
    late: tuple[tuple[int, int], ...] = ()

    def is_possible(self) -> bool:
        return all(any(at > moment for at in self.over_by[:many]) for many, moment in self.late)


def _groupings(held: Sequence[Held], versions: Sequence[Policy]) -> Iterator[tuple[int, ...]]:
    """Every grouping that some truth allows, as the indices at which classes begin: those apart before those joined."""
    soonest = list(accumulate((one.ended[0] for one in held), max))
    latest = list(accumulate((one.ended[1] for one in held), max))
    stack = [_Path((0,), (held[0].ended[1],))]
    while stack:
        path = stack.pop()
        at = len(path.over_by)
        if at == len(held):
            yield path.begins
            continue
        moment = held[at].began_at - _apart_ms(versions, held[path.begins[-1]].began_at)
        mine = held[at].ended[1]
        is_apart_for_sure, may_be_apart = latest[at - 1] <= moment, soonest[at - 1] <= moment
        if not is_apart_for_sure:
            late = (*path.late, (at, moment)) if may_be_apart else path.late
            joined = _Path(path.begins, (*path.over_by, mine), late)
            stack += [joined] * joined.is_possible()
        if may_be_apart:
            over_by = (*(min(over, moment) for over in path.over_by), mine)
            parted = _Path((*path.begins, at), over_by, path.late)
            stack += [parted] * parted.is_possible()


def _apart_ms(versions: Sequence[Policy], began_at: int) -> int:
    version = in_force(versions, began_at)
    return APART_MS if version is None else versions[version].apart_ms


def _class(held: tuple[Held, ...], decided: Decided) -> Class:
    began_at = held[0].began_at
    version = in_force(decided.versions, began_at)
    policy = None if version is None else decided.versions[version]
    if policy is not None and not policy.conditions:  # by which a rule was taken back
        version = policy = None
    meetings = {one.meeting for one in held}
    hours = next((one for one in reversed(decided.hours) if one.meeting in meetings), None)
    length, attendees = _length(held, hours), _attendees(held)
    is_off = not meetings.isdisjoint(decided.switched_off)
    counts, why = _counts(policy, length, attendees, is_off=is_off)
    settling = [one.settles_at for one in held if one.settles_at is not None]
    return Class(
        held=held,
        began_at=began_at,
        version=version,
        policy=policy,
        hours=hours,
        length=length,
        attendees=attendees,
        counts=counts,
        why=why,
        settles_at=max(settling, default=None),
        is_history=all(one.is_history for one in held),
    )


def _length(held: Sequence[Held], hours: Hours | None) -> tuple[int, int]:
    """First join to last leave of anybody, or the hours that were entered.

    A meeting to which nobody came is no part of it, and one to which perhaps nobody came makes it no longer for sure.
    """
    if hours is not None:
        length = max(hours.end - hours.begin, 0)
        return length, length
    perhaps = [one for one in held if one.attendees[1]]
    surely = [one for one in perhaps if one.attendees[0]]
    if not perhaps:
        return 0, 0
    earliest, last = min(one.first_join[0] for one in perhaps), max(one.last_leave[1] for one in perhaps)
    longest = max(last - earliest, 0)
    if not surely:
        return 0, longest
    latest, soonest = min(one.first_join[1] for one in surely), max(one.last_leave[0] for one in surely)
    return max(soonest - latest, 0), longest


def _attendees(held: Sequence[Held]) -> tuple[int, int]:
    """Who was in two meetings of the class is one person, where that is known of them."""
    if len(held) == 1:
        return held[0].attendees
    surely = [{user for user, presence in one.people.items() if presence.proved} for one in held]
    known = set().union(*surely)
    most = sum(one.attendees[1] for one in held)
    twice = sum(map(len, surely)) - len(known)
    return max(len(known), *(one.attendees[0] for one in held)), most - twice


def _counts(
    policy: Policy | None, length: tuple[int, int], attendees: tuple[int, int], *, is_off: bool
) -> tuple[Verdict, tuple[Doubt, ...]]:
    if policy is None:
        return NOT_MET, (Doubt("before-policy"),)
    if is_off:
        return NOT_MET, (Doubt("switched-off"),)
    found = {
        "short": BY_BOUNDS[(length[0] >= policy.shortest_ms) + (length[1] >= policy.shortest_ms)],
        "few": BY_BOUNDS[(attendees[0] >= policy.fewest) + (attendees[1] >= policy.fewest)],
    }
    refusals = [Doubt(code) for code, verdict in found.items() if verdict is NOT_MET]
    perhaps = [Doubt(f"may-be-{code}") for code, verdict in found.items() if verdict is Verdict.CANNOT_TELL]
    return all_of(list(found.values())), tuple(refusals or perhaps)
