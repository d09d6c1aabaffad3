"""What a report is asked for, and what it is answered with: the same words for every list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from rollcall.store.derived import Summary

LARGEST = 2**63 - 1
"""What a database holds in a column of whole numbers; an address may hold more."""

COUNTED_UP_TO = 10_000
"""Nobody reads further than that, so nobody counts further."""

_Row = TypeVar("_Row")


class State(StrEnum):
    """Running, or ended, or so long over that nothing more is expected."""

    RUNNING = "running"
    ENDED = "ended"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What somebody may see of an organisation, whatever they ask for; blank or None is no bound.

    `site` is all of one LMS, `course` one Course's key, `person` one entry of the directory. With `groups` (ids of the
    LMS) rooms of other groups are not seen, nor rooms of everybody in an activity that has rooms of groups.
    """

    site: str = ""
    course: bytes | None = None
    person: bytes | None = None
    groups: frozenset[str] | None = None


NO_BOUNDS: Final = Bounds()


class Inside(NamedTuple):
    """Of which organisation (None: all), and inside which bounds of it, somebody sees anything."""

    organisation: int | None = None
    bounds: Bounds = NO_BOUNDS

    def filter(self) -> Filter:
        """All of it."""
        return Filter(organisation=self.organisation, bounds=self.bounds)


EVERYTHING: Final = Inside()
"""What the command line sees: whoever has the database has everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a report is asked for; blank or None means any. Times are epoch ms, `until` is past the last one.

    Who: `name` is any the person ever had, `user` the external id, `person` the key of one entry of the directory.
    Which meetings: `meeting` is a name, one of its ids or its activity's key in hex, `course` words of a label, a
    context id, or a Course's key in hex, `server` a pool's name. `weekdays` (0 is Monday) and the minutes of the day
    `hour_from`, `hour_to` are of the local time in `zone` at which a meeting began; into the next day if the first is
    not before the second.
    Which attendance: `roster` is how its person stands on that of the course today. `min_ms` is of the proved time and
    `max_ms` of the possible one, so that both are certain; `min_share` and `max_share` are of the proved part of the
    class, in thousandths. Each count is at least what is asked for. Who did what (`actor`, `action`) is asked of the
    audit log alone, the `verdict` and how far its `delivery` is of completion alone. Inside which `organisation` (None:
    all) and `bounds` is not the reader's choice.
    """

    name: str = ""
    user: str = ""
    person: bytes | None = None
    meeting: str = ""
    course: str = ""
    server: str = ""
    site: str = ""
    state: State | None = None
    since: int | None = None
    until: int | None = None
    weekdays: frozenset[int] = frozenset()
    hour_from: int | None = None
    hour_to: int | None = None
    zone: tzinfo = field(default=UTC)
    role: str = ""
    kind: str = ""
    roster: str = ""
    min_ms: int | None = None
    max_ms: int | None = None
    min_share: int | None = None
    max_share: int | None = None
    chats: int = 0
    raise_hands: int = 0
    emojis: int = 0
    poll_answers: int = 0
    cameras: int = 0
    talk_ms: int = 0
    actor: str = ""
    action: str = ""
    verdict: str = ""
    delivery: str = ""
    organisation: int | None = None
    bounds: Bounds = NO_BOUNDS
    as_of: int = 0

    @property
    def inside(self) -> Inside:
        """Inside what it is asked."""
        return Inside(self.organisation, self.bounds)


class Counted(NamedTuple):
    """A number that was counted to its end, or of which it is only known that there are more."""

    number: int
    is_more: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """Some rows of a list. `before` and `after` are the places of the pages beside it, blank where there is none.

    A page that `is_cut` looked at its share of rows and found less than was asked for; `after` goes on from there.
    """

    rows: list[_Row]
    before: str = ""
    after: str = ""
    is_cut: bool = False


def state_of(summary: Summary, *, as_of: int) -> State:
    """Settled once nothing more is expected: the time for late witnesses has passed, or a whole one is in."""
    if summary.ended_possible_at is None:
        return State.RUNNING
    return State.SETTLED if summary.settles_at is None or summary.settles_at <= as_of else State.ENDED
