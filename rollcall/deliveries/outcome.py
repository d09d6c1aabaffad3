"""What follows from one attempt: pure rules, no database and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollcall.deliveries.by_callback import NOT_STORED, Meaning, meaning_of
from rollcall.deliveries.post import Answer, Silence
from rollcall.store.outbox import State

SECOND_MS: Final = 1000
SHORTEST_PAUSE_MS: Final = 60 * SECOND_MS
LONGEST_PAUSE_MS: Final = 6 * 60 * 60 * SECOND_MS
GIVEN_UP_AFTER_MS: Final = 14 * 24 * 60 * 60 * SECOND_MS
"""After so long a row is held for a person; until then a receiver that is down loses nothing."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of a delivery before the attempt."""

    is_unanswered: bool = False
    was_refused: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to write down. `trouble`, a code, is the target's own: everything for it waits.

    `is_well`: the receiver itself has answered properly, so that whatever trouble it had is over.
    """

    state: State
    reason: str = ""
    is_unanswered: bool = False
    was_refused: bool = False
    trouble: str = ""
    is_well: bool = False


def pause_ms(failures: int, chance: float) -> int:
    """How long to wait after so many failures in a row; `chance` in [0, 1) spreads what would come at one moment."""
    pause: int = min(SHORTEST_PAUSE_MS * 2 ** min(max(failures - 1, 0), 20), LONGEST_PAUSE_MS)
    return int(pause * (0.8 + 0.4 * chance))


def said_by(answer: Answer) -> Meaning:
    """What an answer of Moodle's receiver, or of whatever stands in front of it, means."""
    return meaning_of(answer.status, answer.phrase, has_page=answer.has_page)


def outcome_of(answer: Answer | Silence, before: Before, probed: Meaning | None = None) -> Outcome:
    """What an attempt has come to; `probed` is what the harmless probe was answered, where that had to be asked."""
    if isinstance(answer, Silence):
        return _again(before, answer.fault, is_stored=not answer.is_safe)
    meaning = said_by(answer)
    if meaning is Meaning.ALREADY:
        return _already(before)
    if meaning is Meaning.UNCLEAR:
        return _unclear(before, probed)
    if meaning in _FINAL:
        state, was_refused = _FINAL[meaning]
        return Outcome(state, "" if state is State.SENT else meaning, was_refused=was_refused, is_well=True)
    return _again(before, meaning, is_stored=meaning not in NOT_STORED)


_FINAL: Final = {
    Meaning.ACCEPTED: (State.SENT, False),
    Meaning.GONE: (State.GONE, False),
    Meaning.BROKEN_OFF: (State.REFUSED, True),
    Meaning.WRONG_ADDRESS: (State.REFUSED, False),
    Meaning.TOO_BIG: (State.REFUSED, False),
}
"""The state, and whether the receiver may hold a part."""


def _again(before: Before, trouble: str, *, is_stored: bool) -> Outcome:
    """Later; `is_stored`: this attempt may have arrived."""
    return Outcome(State.DUE, trouble, before.is_unanswered or is_stored, before.was_refused, trouble=trouble)


def _already(before: Before) -> Outcome:
    if before.was_refused:
        return Outcome(State.REFUSED, Meaning.BROKEN_OFF, was_refused=True, is_well=True)
    return Outcome(State.ALREADY if before.is_unanswered else State.FOREIGN, is_well=True)


def _unclear(before: Before, probed: Meaning | None) -> Outcome:
    """A 400 without a phrase, or a 404: if the probe finds address and token right, the body was what failed."""
    if probed is Meaning.GONE:
        return Outcome(State.REFUSED, Meaning.BROKEN_OFF, was_refused=True, is_well=True)
    is_explained = probed is Meaning.UNCLEAR or probed in NOT_STORED
    return _again(before, probed or Meaning.UNCLEAR, is_stored=not is_explained)
