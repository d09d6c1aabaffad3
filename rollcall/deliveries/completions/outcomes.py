"""What follows for a row from what a try has come to: rules, no database and no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rollcall.deliveries.completions.wanting import is_held_there
from rollcall.deliveries.driver import Outcome, Result
from rollcall.deliveries.goals import text_of
from rollcall.deliveries.outcome import GIVEN_UP_AFTER_MS, pause_ms
from rollcall.store.owed import Owed, Owing

if TYPE_CHECKING:
    from rollcall.deliveries.driver import Order

GAVE_UP: Final = "gave-up"
TRIES_BEFORE_GIVING_UP: Final = 8
"""Of what has waited with all others while the LMS was down, one more failure says nothing."""

DOUBTED: Final = frozenset({"locked"})
"""Refusals that an LMS in trouble gives just so: Moodle says 500 of what is locked as of a database that is busy."""
TRIES_BEFORE_BELIEVING: Final = 3

CODE_CHARACTERS: Final = 32
LONGEST_PHRASE: Final = 200

FINAL: Final = {Result.DONE: Owing.SENT, Result.LEFT: Owing.LEFT, Result.REFUSED: Owing.REFUSED}
"""After these nothing is under way any more, whatever earlier tries have come to."""

_NOTHING_DONE: Final = frozenset(range(400, 500)) - {408, 409}
"""Answers after which the request has surely had no effect."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One try of one row, over. `begun`: something was sent; `answered_at`: when the receiver last took something."""

    order: Order
    outcome: Outcome
    begun: bool
    answered_at: int | None
    now: int
    chance: float


def follow(row: Owed, tried: Tried) -> dict[str, Any]:
    """The columns to write; the row gets them too, and is as it stood when the try was over."""
    tried = _doubted(row, tried)
    changed = _learned(row, tried)
    _set(row, changed)
    if row.revision != tried.order.revision:
        changed |= resumed(row, tried.now)
    elif (state := FINAL.get(tried.outcome.result)) is not None:
        changed |= {"state": state, "reason": tried.outcome.code[:CODE_CHARACTERS], "due_at": None}
    else:
        changed |= _again(row, tried)
    _set(row, changed)
    return changed


def _doubted(row: Owed, tried: Tried) -> Tried:
    """The same, to be tried again, where what is said is believed only if it is said again."""
    outcome = tried.outcome
    is_said_again = row.reason == outcome.code and row.tries >= TRIES_BEFORE_BELIEVING
    if outcome.result is not Result.REFUSED or outcome.code not in DOUBTED or is_said_again:
        return tried
    return replace(tried, outcome=replace(outcome, result=Result.LATER))


def _learned(row: Owed, tried: Tried) -> dict[str, Any]:
    """What is known of the target by now, whatever is wanted of it."""
    outcome = tried.outcome
    changed: dict[str, Any] = {"worker": "", "is_unanswered": _may_have_arrived(row, tried)}
    if outcome.status is not None or outcome.result in FINAL:
        phrase = outcome.phrase[:LONGEST_PHRASE]
        changed |= {"status": outcome.status, "phrase": phrase, "answered_at": tried.now}
    else:
        changed |= {"status": None, "phrase": ""}
    if outcome.result is Result.DONE:
        order = tried.order
        changed |= {"sent": text_of(order.goal), "sent_revision": order.revision, "sent_at": tried.now}
    return changed


def _may_have_arrived(row: Owed, tried: Tried) -> bool:
    if tried.outcome.result in FINAL:
        return False
    if tried.begun and tried.outcome.status in _NOTHING_DONE:
        return tried.order.is_unanswered
    return row.is_unanswered


def resumed(row: Owed, now: int) -> dict[str, Any]:
    """Something else is wanted by now than what was sent: it goes on with that."""
    if is_held_there(row):
        return {"state": Owing.SENT, "reason": "", "due_at": None, "tries": 0}
    return {"state": Owing.DUE, "reason": "", "due_at": max(row.due_at or now, now), "tries": 0}


def _again(row: Owed, tried: Tried) -> dict[str, Any]:
    code = tried.outcome.code[:CODE_CHARACTERS]
    if _is_hopeless(row, tried):
        return {"state": Owing.HELD, "reason": GAVE_UP, "due_at": None}
    wait = max(pause_ms(row.tries, tried.chance), tried.outcome.retry_after_ms or 0)
    return {"state": Owing.DUE, "reason": code, "due_at": tried.now + wait}


def _is_hopeless(row: Owed, tried: Tried) -> bool:
    """After two weeks, unless it is the LMS that has been down all that time: what waits for it goes on waiting."""
    long_ago = tried.now - GIVEN_UP_AFTER_MS
    if row.wanted_at >= long_ago or row.tries < TRIES_BEFORE_GIVING_UP:
        return False
    has_taken_others = tried.answered_at is not None and tried.answered_at >= long_ago
    return tried.outcome.result is Result.LATER or has_taken_others


def _set(row: Owed, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(row, name, value)
