"""When the webhooks of one pool may have been lost, and which meetings must be told so. Pure, on the server's clock.

A span is told piece by piece: what has been said once of a meeting is not said again, and a crash loses the last piece
at most. Which meetings ran in it may show only after its end, in the next answer of getMeetings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rollcall.bbb.sightings import FactsOf
from rollcall.feed.feed import Arrival

TOLD_EVERY_MS = 5 * 60_000

_CREATED_AT = re.compile(r"-(\d{13})$")


class Cause(StrEnum):
    """Why webhooks may have been lost, as facts and pages name it."""

    NOT_WATCHED = "not-watched"  # before the first round, or before the server was added
    DOWNTIME = "downtime"  # Rollcall itself
    NO_POLLS = "no-polls"  # getMeetings was not answered over three rounds
    HOOK_MISSING = "hook-missing"
    UNREACHABLE = "unreachable"  # Rollcall ran, but could not be reached for so long that hooks were given up
    HOOKS_SILENT = "hooks-silent"  # bbb-webhooks did not answer over three rounds
    NO_WEBHOOKS = "no-webhooks"  # there are none, or none are wanted


@dataclass(frozen=True, slots=True)
class Ran:
    """A meeting that ran: since when, if that is known, and when it was last known to be open."""

    created_at: int | None
    seen_at: int


@dataclass(slots=True)
class _Span:
    """From `at` (None: since ever) until `until` (None: it lasts); `told` holds how far each meeting knows of it."""

    cause: Cause
    at: int | None
    until: int | None = None
    told_at: int | None = None
    told: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Blindness:
    """The blind spans of one pool that last, or that have just ended."""

    facts: FactsOf
    _lasting: dict[Cause, _Span] = field(default_factory=dict)
    _ended: list[_Span] = field(default_factory=list)

    def begin(self, cause: Cause, at: int | None) -> None:
        """Blind since `at`; nothing changes if it was already."""
        self._lasting.setdefault(cause, _Span(cause, at))

    def end(self, cause: Cause, until: int) -> None:
        """Seeing again since `until`."""
        if span := self._lasting.pop(cause, None):
            span.until = until
            self._ended.append(span)

    def __contains__(self, cause: Cause) -> bool:
        return cause in self._lasting

    @property
    def since(self) -> int | None:
        """The earliest time that still matters; None if there is nothing to tell."""
        starts = [span.at or 0 for span in (*self._lasting.values(), *self._ended)]
        return min(starts, default=None)

    def is_due(self, now_at: int) -> bool:
        """Whether there is something to tell of the meetings that ran."""
        return bool(self._ended) or any(
            span.told_at is None or now_at - span.told_at >= TOLD_EVERY_MS for span in self._lasting.values()
        )

    def lasts(self) -> bool:
        """Whether anything is hidden just now."""
        return bool(self._lasting)

    def tell(self, ran: Mapping[str, Ran], now_at: int, received_at: int) -> list[Arrival]:
        """The next piece of each span, for each of the meetings that ran in it."""
        found: list[Arrival] = []
        for span in (*self._lasting.values(), *self._ended):
            for meeting in sorted(ran):
                found += self._tell(span, meeting, ran[meeting], now_at, received_at)
        return found

    def told(self, now_at: int) -> None:
        """Every meeting has been told; what lasts need not be told again for a while."""
        for span in self._lasting.values():
            span.told_at = now_at

    def forget_ended(self, listed_at: int) -> None:
        """After an answer of getMeetings that came later than its end, nobody new can have run in a span."""
        self._ended = [span for span in self._ended if span.until is not None and span.until > listed_at]

    def _tell(self, span: _Span, meeting: str, ran: Ran, now_at: int, received_at: int) -> list[Arrival]:
        until = span.until if span.until is not None else now_at
        told = span.told.get(meeting)
        if told is None:
            starts = [at for at in (span.at, ran.created_at or created_at_of(meeting)) if at is not None]
            told = max(starts, default=until)
        elif told > ran.seen_at:
            return []
        if told >= until:
            return []
        span.told[meeting] = until
        return [self.facts.blind(meeting, told, until, span.cause, received_at)]


def created_at_of(meeting: str) -> int | None:
    """The create time that BigBlueButton puts at the end of its internal meeting ids."""
    found = _CREATED_AT.search(meeting)
    return int(found[1]) if found else None
