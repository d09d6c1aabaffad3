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
    HOOKS_SILENT = "hooks-silent"  # bbb-webhooks did not answer over three rounds
    NO_WEBHOOKS = "no-webhooks"  # there are none, or none are wanted


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

    def tell(self, running: Mapping[str, int | None], now_at: int, received_at: int) -> list[Arrival]:
        """The next piece of each span for each meeting that ran in it; `running` maps to the time of creation."""
        found: list[Arrival] = []
        for span in (*self._lasting.values(), *self._ended):
            span.told_at = now_at
            for meeting, created_at in sorted(running.items()):
                found += self._tell(span, meeting, created_at, now_at, received_at)
        return found

    def tell_last(self, gone: Mapping[str, int | None], now_at: int, received_at: int) -> list[Arrival]:
        """The last piece of what lasts, for meetings that have just ended."""
        found: list[Arrival] = []
        for span in self._lasting.values():
            for meeting, created_at in sorted(gone.items()):
                found += self._tell(span, meeting, created_at, now_at, received_at)
                span.told.pop(meeting, None)
        return found

    def forget_ended(self) -> None:
        """After an answer of getMeetings that came later than their ends, nobody new can have run in them."""
        self._ended.clear()

    def _tell(self, span: _Span, meeting: str, created_at: int | None, now_at: int, received_at: int) -> list[Arrival]:
        created_at = created_at if created_at is not None else created_at_of(meeting)
        until = span.until if span.until is not None else now_at
        told = span.told.get(meeting)
        if told is None:
            starts = [at for at in (span.at, created_at) if at is not None]
            if not starts:
                return []
            told = max(starts)
        if told >= until:
            return []
        span.told[meeting] = until
        return [self.facts.blind(meeting, told, until, span.cause, received_at)]


def created_at_of(meeting: str) -> int | None:
    """The create time that BigBlueButton puts at the end of its internal meeting ids."""
    found = _CREATED_AT.search(meeting)
    return int(found[1]) if found else None
