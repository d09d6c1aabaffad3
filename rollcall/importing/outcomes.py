"""What became of each file, in words that pass between processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rollcall.importing.finding import shown


class State(StrEnum):
    """How one document ended up."""

    NEW = "new"
    KNOWN = "known"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    UNFOLDED = "unfolded"
    IGNORED = "ignored"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file or member. `damage` is a code if only a part of it could be kept; `sentence` says what is wrong.

    Both `name` and `sentence` may hold what a stranger wrote, and are for a terminal, a file and JSON: they become so.
    """

    name: str
    state: State
    damage: str = ""
    sentence: str = ""
    meeting: str = ""
    documents: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", shown(self.name))
        object.__setattr__(self, "sentence", shown(self.sentence))

    @property
    def is_trouble(self) -> bool:
        """Whether a person should look at it."""
        return bool(self.damage) or self.state in {State.UNREADABLE, State.REFUSED, State.UNFOLDED}


@dataclass(frozen=True, slots=True)
class Results:
    """Of one task. `meetings` are the primary keys of the roots that were folded, `people` keys of everybody in them.

    `archives` are the files (by their place in the task) that turned out to be archives.
    """

    outcomes: tuple[Outcome, ...] = ()
    archives: tuple[int, ...] = ()
    meetings: frozenset[int] = frozenset()
    people: frozenset[bytes] = frozenset()

    def plus(self, other: Results) -> Results:
        """Both."""
        return Results(
            self.outcomes + other.outcomes,
            self.archives + other.archives,
            self.meetings | other.meetings,
            self.people | other.people,
        )


@dataclass(slots=True)
class Tally:
    """All results so far, added up; of what is wrong the first few, since there may be millions."""

    counts: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    problems: list[Outcome] = field(default_factory=list)
    left_off: int = 0
    meetings: set[int] = field(default_factory=set)
    people: set[bytes] = field(default_factory=set)

    MOST_PROBLEMS = 10_000

    def add(self, results: Results) -> None:
        """One task more."""
        for outcome in results.outcomes:
            self.note(outcome)
        self.meetings |= results.meetings
        self.people |= results.people

    def note(self, outcome: Outcome) -> None:
        """One file more."""
        self.counts[outcome.state] = self.counts.get(outcome.state, 0) + outcome.documents
        self.damaged += bool(outcome.damage)
        if not outcome.is_trouble:
            return
        if len(self.problems) < self.MOST_PROBLEMS:
            self.problems.append(outcome)
        else:
            self.left_off += 1

    def of(self, state: State) -> int:
        """How many documents ended so."""
        return self.counts.get(state, 0)

    @property
    def documents(self) -> int:
        """How many were looked into, those that are none of ours left out."""
        return sum(number for state, number in self.counts.items() if state != State.IGNORED)

    @property
    def trouble(self) -> int:
        """How many could not be kept, or not whole."""
        return len(self.problems) + self.left_off
