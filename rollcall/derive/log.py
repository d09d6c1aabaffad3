"""The log of a family as events: read once, then only what has come since."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from rollcall.bbb.payloads import decode
from rollcall.store.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.core.events import Anything

CACHED_MEETINGS: Final = 200
"""So many running meetings stay decoded in a worker; the others are read again when they are due."""

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Decoded:
    """The events of one meeting up to and with fact `seq`."""

    seq: int = 0
    events: list[Anything] = field(default_factory=list)


class Log:
    """Reads and decodes facts; keeps those of running meetings at hand. Not for several threads at once."""

    def __init__(self) -> None:
        self._decoded: OrderedDict[int, Decoded] = OrderedDict()

    def events(self, meetings: Iterable[int]) -> list[Anything]:
        """Everything the log has of these meetings (primary keys)."""
        return [event for meeting in meetings for event in self._read_on(meeting).events]

    def forget(self, meetings: Iterable[int]) -> None:
        """These are over, or their facts were overwritten."""
        for meeting in meetings:
            self._decoded.pop(meeting, None)

    def _read_on(self, meeting: int) -> Decoded:
        decoded = self._decoded.setdefault(meeting, Decoded())
        self._decoded.move_to_end(meeting)
        while len(self._decoded) > CACHED_MEETINGS:
            self._decoded.popitem(last=False)
        facts = Fact.objects.filter(meeting_id=meeting, seq__gt=decoded.seq).order_by("seq")
        for fact in facts.only("seq", "source", "digest", "payload", "identity").iterator(2_000):
            decoded.events += _decode(fact)
            decoded.seq = fact.seq
        return decoded


def _decode(fact: Fact) -> tuple[Anything, ...]:
    """One fact; one that cannot be read (damaged, or written by a later version) must not hold up the meeting."""
    identity = None if fact.identity is None else bytes(fact.identity)
    try:
        return decode(fact.source, bytes(fact.digest), bytes(fact.payload), identity)
    except Exception:
        logger.exception("A fact cannot be read and is left out", fact=fact.pk, seq=fact.seq)
        return ()
