"""What is wanted of a target: written by the fold of an activity, with everything about a row that follows from it.

Nothing else changes `wanted`. While a row is in a worker's hands only what is wanted changes, and not its state: the
worker sees by the revision that something else is wanted by now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rollcall.core.deliveries import NOTHING, Goal, Step
from rollcall.deliveries.completions.allowed import HELD_BY_VERDICT
from rollcall.deliveries.goals import goal_from, text_of
from rollcall.store.keys import key_of
from rollcall.store.owed import Owed, Owing, Reversal

if TYPE_CHECKING:
    from collections.abc import Sequence

HISTORY: Final = "history"
"""The reason of what is held because its classes were over long before."""

_OF_A_TEACHER: Final = (Step.FLAG, Step.STAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one person's verdict comes to at one target.

    `step` is what core.deliveries.step() says of it against `meant()` of the row. `reasons` as Owed.reasons.
    `not_before` (epoch ms) where the policy waits until the classes are settled.
    """

    user_id: str
    goal: Goal
    step: Step
    reasons: bytes
    not_before: int | None = None


def meant(row: Owed | None) -> Goal:
    """What the target was last meant to hold: of what has not left here, and is not about to, what it holds without."""
    if row is None:
        return NOTHING
    return goal_from(row.sent if _has_not_left(row) else row.wanted)


def _has_not_left(row: Owed) -> bool:
    return not row.is_unanswered and row.state != Owing.SENDING


def want(target: int, wishes: Sequence[Wish], now: int) -> int:
    """Have these goals stand as wanted, inside the caller's transaction; how many rows that has changed.

    A person not named keeps what is wanted for them. The same wishes again change nothing.
    """
    by_key = {user_key_of(wish.user_id): wish for wish in wishes}
    rows = Owed.objects.select_for_update().filter(target=target, user_key__in=list(by_key))
    known = {bytes(row.user_key): row for row in rows.order_by("pk").defer("reasons")}
    new = [_new(target, key, by_key[key], now) for key in by_key if key not in known and _is_first(by_key[key])]
    Owed.objects.bulk_create(new)
    return len(new) + sum(_change(row, by_key[key], now) for key, row in known.items())


def user_key_of(user_id: str) -> bytes:
    """The key of Owed for this id of the LMS."""
    return key_of(user_id)


def _is_first(wish: Wish) -> bool:
    return wish.goal != NOTHING and wish.step in {Step.DELIVER, Step.TELL, Step.HISTORY}


def _new(target: int, key: bytes, wish: Wish, now: int) -> Owed:
    row = Owed(
        target_id=target,
        user_key=key,
        external_user_id=wish.user_id,
        wanted=text_of(wish.goal),
        reasons=wish.reasons,
        wanted_at=now,
        state=Owing.DUE,
    )
    _set(row, _on_its_way(row, wish, now))
    return row


# -- a row that is there ------------------------------------------------------------------------------------------


def _change(row: Owed, wish: Wish, now: int) -> bool:
    if wish.step in _OF_A_TEACHER:
        return _propose(row, wish, now)
    is_same = row.wanted == text_of(wish.goal)
    changed = _waits_differently(row, wish, now) if is_same else _newly_wanted(row, wish, now)
    if row.proposed:
        changed["proposed"] = ""
        close(row, now)
    _set(row, changed)
    if changed:
        row.save(update_fields=list(changed))
    return bool(changed)


def _propose(row: Owed, wish: Wish, now: int) -> bool:
    """A teacher sees it, or decides; once they have, the same again is no news.

    It is of what the target holds: what was to be sent beyond that, and has not left, is not true any more.
    """
    text, changed = text_of(wish.goal), dict[str, Any]()
    if goal_from(row.wanted) != meant(row):
        changed = {"wanted": text_of(meant(row)), "revision": row.revision + 1, "wanted_at": now}
        _set(row, changed)
        changed |= _on_its_way(row, wish, now)
    if row.proposed != text:
        close(row, now)
        _tell(row, text, wish, now)
        changed["proposed"] = text
    _set(row, changed)
    if changed:
        row.save(update_fields=list(changed))
    return bool(changed)


def _newly_wanted(row: Owed, wish: Wish, now: int) -> dict[str, Any]:
    text = text_of(wish.goal)
    if wish.step is Step.TELL:
        _tell(row, text, wish, now)
    row.wanted = text
    changed = {"wanted": text, "reasons": wish.reasons, "revision": row.revision + 1, "wanted_at": now}
    return changed | _on_its_way(row, wish, now)


def _waits_differently(row: Owed, wish: Wish, now: int) -> dict[str, Any]:
    """The same is wanted; but why it was held is over, or its classes settle at another time."""
    if row.state == Owing.WAITING or _is_held_no_longer(row, wish):
        found = _on_its_way(row, wish, now)
        return {name: value for name, value in found.items() if getattr(row, name) != value}
    return {}


def _is_held_no_longer(row: Owed, wish: Wish) -> bool:
    if row.state != Owing.HELD:
        return False
    if row.reason == HISTORY:
        return wish.step in {Step.DELIVER, Step.TELL}
    return row.reason in HELD_BY_VERDICT


def _on_its_way(row: Owed, wish: Wish, now: int) -> dict[str, Any]:
    """State and time of a row whose `wanted` is what is wished for."""
    due_at = now if wish.not_before is None else max(wish.not_before, now)
    if row.state == Owing.SENDING:
        return {"due_at": due_at}
    if is_held_there(row):
        return {"state": Owing.SENT, "reason": "", "due_at": None, "tries": 0}
    if wish.step is Step.HISTORY:
        return {"state": Owing.HELD, "reason": HISTORY, "due_at": None, "tries": 0}
    state = Owing.WAITING if due_at > now else Owing.DUE
    return {"state": state, "reason": "", "due_at": due_at, "tries": 0}


def is_held_there(row: Owed) -> bool:
    """Whether the target surely holds what is wanted: so nothing need be sent."""
    is_known = not row.is_unanswered and (row.state != Owing.LEFT or not row.sent)
    return is_known and goal_from(row.wanted) == goal_from(row.sent)


def _set(row: Owed, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(row, name, value)


# -- what a teacher is told ---------------------------------------------------------------------------------------


def _tell(row: Owed, after: str, wish: Wish, now: int) -> None:
    Reversal.objects.create(owed=row, before=row.wanted, after=after, step=wish.step, reasons=wish.reasons, at=now)


def close(row: Owed, now: int, by: str = "") -> None:
    """What was to be decided of this row is decided: by this person, or by itself, as things are again."""
    Reversal.objects.filter(owed=row, handled_at=None, step__in=_OF_A_TEACHER).update(handled_at=now, handled_by=by)
