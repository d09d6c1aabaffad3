"""Whether what is to be sent is still so, asked at the last moment: under the lock, right before it may arrive.

Between the fold that wanted it and a request lie minutes, or days of an LMS that is down. Whatever has happened to a
row meanwhile, nothing leaves that its person's verdict does not say now, and nothing to where it was switched off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import Scoring, Way, goal_of
from rollcall.deliveries.goals import goal_from
from rollcall.store.completions import Completion
from rollcall.store.owed import CompletionTarget, Owing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.store.owed import Owed

CHANGED: Final = "changed"
NOT_CERTAIN: Final = "not-certain"
NOT_JUDGED: Final = "not-judged"
NO_RULE: Final = "no-rule"
NOT_ENROLLED: Final = "not-enrolled"
TEACHER: Final = "teacher"

HELD_BY_VERDICT: Final = (CHANGED, NO_RULE, NOT_CERTAIN, NOT_ENROLLED, NOT_JUDGED, TEACHER)
"""Reasons that are over by themselves once the same is wished for this person again; no person overrules them."""

_TOLD: Final = ("activity_id", "user_key", "verdict", "share_low", "share_high", "is_teacher", "is_on_roster")


class _Told(NamedTuple):
    """A verdict as it stands, as far as goals go by it."""

    verdict: Verdict
    share: tuple[int, int]


def held_back(rows: Sequence[Owed]) -> dict[int, dict[str, Any]]:
    """By primary key those that may not be sent now, with the columns that say so."""
    targets = CompletionTarget.objects.select_related("receiver__platform").in_bulk({row.target_id for row in rows})
    told = _told([(targets[row.target_id].activity_id, bytes(row.user_key)) for row in rows])
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        target = targets[row.target_id]
        if _is_off(target):
            found[row.pk] = {"state": Owing.DUE, "tries": row.tries - 1}
        elif reason := _reason(row, target, told.get((target.activity_id, bytes(row.user_key)))):
            found[row.pk] = {"state": Owing.HELD, "reason": reason, "due_at": None}
    return found


def _is_off(target: CompletionTarget) -> bool:
    receiver = target.receiver
    return not target.is_on or receiver.is_stopped or receiver.platform.removed_at is not None


def _told(of: Sequence[tuple[int, bytes]]) -> Mapping[tuple[int, bytes], Completion]:
    activities, people = {activity for activity, _ in of}, {user for _, user in of}
    rows = Completion.objects.filter(activity__in=activities, user_key__in=people).only(*_TOLD)
    return {(row.activity_id, bytes(row.user_key)): row for row in rows}


def _reason(row: Owed, target: CompletionTarget, told: Completion | None) -> str:
    if told is None:
        return NOT_JUDGED
    if told.is_teacher:
        return TEACHER
    if told.is_on_roster is False:
        return NOT_ENROLLED
    verdict = _Told(Verdict(told.verdict), (told.share_low, told.share_high))
    goal = goal_of(verdict, Way(target.receiver.way), Scoring(target.scoring))
    if goal is None:
        return NOT_CERTAIN
    return "" if goal == goal_from(row.wanted) else CHANGED
