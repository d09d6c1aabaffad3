"""A task done: files read, their documents kept and folded, and noted as read. One process does one task at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from rollcall.feed.feed import Arrival
from rollcall.importing import journal, keeping
from rollcall.importing.journal import Entry
from rollcall.importing.layers import Source
from rollcall.importing.outcomes import Outcome, Results, State
from rollcall.importing.reading import Item, Read, Reader, sentence_of
from rollcall.store.keys import meeting_key

UNFOLDED = "It is kept, but its meeting cannot be folded yet; a worker (rollcall serve) tries again."
REFUSED = "Capture is switched off for its meeting: it is not kept."

FAULTY = "Rollcall itself failed on it ({}), which is a fault to be reported."

# So much waits at most before it is written.
WAITING_BYTES = 4_000_000
WAITING_READS = 200

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to. A dry run keeps nothing; `reads_again` what was read before."""

    pool: int
    pool_name: str
    is_dry: bool = False
    reads_again: bool = False


@dataclass(slots=True)
class _Account:
    """What became of one item so far."""

    item: Item
    documents: int = 0
    damage: str = ""
    is_good: bool = True

    def note(self, outcome: Outcome) -> None:
        """One more of its documents, or of what lies beside them."""
        self.documents += outcome.state is not State.IGNORED
        self.damage = self.damage or outcome.damage
        self.is_good &= outcome.state in {State.NEW, State.KNOWN, State.IGNORED}

    def is_over(self) -> bool:
        """Whether nothing more can come of it. A member that breaks off may be whole once its archive is."""
        may_be_mended = bool(self.item.member) and self.damage == "truncated"
        return self.is_good and bool(self.documents and self.item.key) and not may_be_mended

    def entry(self) -> Entry:
        """For the journal."""
        return Entry(self.item.key, self.item.size, self.item.modified_at, self.documents, self.damage)


@dataclass(slots=True)
class Work:
    """One task under way."""

    target: Target
    note: Callable[[int], None]
    outcomes: list[Outcome] = field(default_factory=list)
    archives: list[int] = field(default_factory=list)
    meetings: set[int] = field(default_factory=set)
    people: set[bytes] = field(default_factory=set)
    _waiting: list[tuple[_Account, Read]] = field(default_factory=list)
    _over: list[_Account] = field(default_factory=list)
    _size: int = 0

    def do(self, items: Sequence[Item], streamed: Source | None = None) -> Results:
        """Everything in it, and what became of it."""
        reader = Reader(self.target.pool, self.target.pool_name, self.note)
        for number, item in self._unread(items):
            account = _Account(item)
            for read in _readings(reader, item, streamed):
                if read.state is State.ARCHIVE:
                    self.archives.append(number)
                else:
                    self._take(account, read)
            if number not in self.archives:
                self._over.append(account)
        self._flush()
        return Results(tuple(self.outcomes), tuple(self.archives), frozenset(self.meetings), frozenset(self.people))

    def _unread(self, items: Sequence[Item]) -> Iterator[tuple[int, Item]]:
        """What the journal does not know as it is now; of the rest, what became of it then."""
        keys = [item.key for item in items if item.key]
        known = {} if self.target.reads_again else journal.read_before(self.target.pool, keys)
        for number, item in enumerate(items):
            entry = known.get(item.key)
            if entry is not None and (entry.size, entry.modified_at) == (item.size, item.modified_at):
                self.outcomes.append(_outcome_before(item, entry))
                self.note(item.size if item.content is None and not item.member else 0)
            else:
                yield number, item

    def _take(self, account: _Account, read: Read) -> None:
        self._waiting.append((account, read))
        self._size += len(read.document.arrival.payload) if read.document else 0
        if self._size >= WAITING_BYTES or len(self._waiting) >= WAITING_READS:
            self._flush()

    def _flush(self) -> None:
        """Everything that waits is kept, folded and noted."""
        arrivals = [read.document.arrival for _, read in self._waiting if read.document is not None]
        fate = self._fate(arrivals) if self.target.is_dry else self._keep(arrivals)
        for account, read in self._waiting:
            outcome = _outcome(read, fate)
            account.note(outcome)
            self.outcomes.append(outcome)
        if not self.target.is_dry:
            # What could not be read is tried again the next time.
            over = [account for account in self._over if account.is_over()]
            journal.note_read(self.target.pool, [account.entry() for account in over])
        self._waiting, self._over, self._size = [], [], 0

    def _fate(self, arrivals: Sequence[Arrival]) -> dict[int, State]:
        """What would become of them."""
        held = keeping.held(self.target.pool, arrivals)
        return _told_apart(arrivals, lambda arrival: State.KNOWN if arrival.digest in held else State.NEW)

    def _keep(self, arrivals: Sequence[Arrival]) -> dict[int, State]:
        """Everything durable and folded; what became of each arrival."""
        if not arrivals:
            return {}
        keeping.keep(arrivals)
        held = keeping.held(self.target.pool, arrivals)
        meetings, failed = keeping.fold(self.target.pool, arrivals)
        self.meetings |= meetings
        self.people |= keeping.people_in(meetings)

        def state_of(arrival: Arrival) -> State:
            if arrival.digest not in held:
                return State.REFUSED
            if meeting_key(arrival.meeting) in failed:
                return State.UNFOLDED
            # Another process may have read the same record from another place: only one of us was first.
            return State.NEW if held[arrival.digest] == arrival.received_at else State.KNOWN

        return _told_apart(arrivals, state_of)


def _told_apart(arrivals: Sequence[Arrival], state_of: Callable[[Arrival], State]) -> dict[int, State]:
    """The state of each arrival, by its Python id; of two equal ones the second was known."""
    states: dict[int, State] = {}
    seen: set[bytes] = set()
    for arrival in arrivals:
        state = state_of(arrival)
        states[id(arrival)] = State.KNOWN if state is State.NEW and arrival.digest in seen else state
        seen.add(arrival.digest)
    return states


def _readings(reader: Reader, item: Item, streamed: Source | None) -> Iterator[Read]:
    """What is in one item; a fault of ours in reading it stops nothing but it."""
    try:
        yield from reader.read(item, streamed)
    except Exception as error:
        logger.exception("A file cannot be read by a fault of Rollcall")
        yield Read(item.name, State.UNREADABLE, sentence=FAULTY.format(type(error).__name__))


def _outcome(read: Read, fate: Mapping[int, State]) -> Outcome:
    """What became of one read."""
    if read.document is None:
        return Outcome(read.name, read.state, read.damage, read.sentence)
    meeting, state = read.document.arrival.meeting, fate[id(read.document.arrival)]
    match state:
        case State.REFUSED:
            return Outcome(read.name, state, "", REFUSED, meeting)
        case State.UNFOLDED:
            return Outcome(read.name, state, read.damage, UNFOLDED, meeting)
        case _:
            return Outcome(read.name, state, read.damage, read.sentence, meeting)


def _outcome_before(item: Item, entry: Entry) -> Outcome:
    return Outcome(item.name, State.KNOWN, entry.damage, sentence_of(entry.damage), documents=entry.documents)
