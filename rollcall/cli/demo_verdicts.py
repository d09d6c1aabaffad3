"""What teachers of the demo's courses have asked of their classes, and where one of them knew better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.core.activity import Hours, Verdict
from rollcall.core.policy import MINUTE_MS, Condition, Policy, Quantity, Scope
from rollcall.feed.deciding import By, Switch, Word, activity_for, decide
from rollcall.store.decisions import Activity
from rollcall.store.derived import Attendance, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.feed.deciding import What

POLICIES: Final = {
    "LOG": Policy(conditions=(Condition(Quantity.SHARE, 800),), needed=8),
    "ALG1": Policy(conditions=(Condition(Quantity.TIME, 6 * 60 * MINUTE_MS),), scope=Scope.SUMMED),
    "AK2": Policy(conditions=(Condition(Quantity.TIME, 45 * MINUTE_MS), Condition(Quantity.CHATS, 1)), needed=3),
}
"""By what the course is called. The first one's teacher has decided more than that."""


def decide_all(author: str, organisation: int, now: int) -> None:
    """Nothing where anything was decided already; the worker judges everybody by it in a moment."""
    if Activity.objects.exists():
        return
    for label, policy in POLICIES.items():
        classes = list(
            Summary.objects.filter(organisation=organisation, course__label__endswith=f"({label})").order_by(
                "-started_at", "-id"
            )
        )
        if not classes:
            continue
        activity = activity_for(organisation, bytes(classes[0].activity_key), now=now)
        _decide(activity, policy, By(author, "operator"), now)
        for what, reason in _further(classes) if label == next(iter(POLICIES)) else ():
            _decide(activity, what, By(author, "operator", reason), now)


def _decide(activity: Activity, what: What, by: By, now: int) -> None:
    decide(activity, what, by, now=now)


def _further(classes: Sequence[Summary]) -> list[tuple[What, str]]:
    """Of the newest class its hours, of an older one that it does not count, and a word about somebody."""
    found: list[tuple[What, str]] = []
    newest, *older = classes
    hour = newest.started_at - newest.started_at % (5 * MINUTE_MS)
    found.append((Hours(str(newest.meeting_id), hour, hour + 60 * MINUTE_MS), ""))
    if older:
        found.append((Switch(str(older[-1].meeting_id), is_on=False), ""))
        least = Attendance.objects.filter(summary=older[0], kind="user", role="VIEWER").order_by("share", "id").first()
        if least is not None:
            word = Word(least.external_user_id, Verdict.MET, str(older[0].meeting_id))
            found.append((word, "The line broke down for half of the class, and they followed by telephone."))
    return found
