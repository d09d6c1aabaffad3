"""Of one activity Moodle's receiver is told either what BigBlueButton would have told it, or who has met our own rule.

Both together would be wrong for good: there all minutes are added up, and none can be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q

from rollcall.core.deliveries import Way
from rollcall.store.decisions import Activity
from rollcall.store.outbox import Delivery, State
from rollcall.store.owed import CompletionTarget, Owed, Owing

if TYPE_CHECKING:
    from django.db.models import QuerySet

BY_RULE: Final = "by-rule"
"""The reason of a record that is held back, because our rule is told instead of it."""

_ARRIVED: Final = (State.SENDING, State.SENT, State.ALREADY, State.FOREIGN, State.REFUSED)


def follows_rule(organisation: int, activity_key: bytes) -> bool:
    """Whether Moodle is told, or may have been told, who has met our rule: then no record is relayed unasked."""
    may_be_told = ~Q(sent="") | Q(is_unanswered=True)
    rows = Owed.objects.filter(may_be_told, target__in=_targets(organisation, activity_key))
    return is_told(organisation, activity_key) or rows.exists()


def is_told(organisation: int, activity_key: bytes) -> bool:
    """Whether Moodle is told now who has met our rule; also while what was switched off has a request under way."""
    targets = _targets(organisation, activity_key)
    return targets.filter(is_on=True).exists() or Owed.objects.filter(target__in=targets, state=Owing.SENDING).exists()


def _targets(organisation: int, activity_key: bytes) -> QuerySet[CompletionTarget]:
    return CompletionTarget.objects.filter(
        activity__organisation=organisation, activity__key=activity_key, receiver__way=Way.CALLBACK
    )


def was_relayed(activity: Activity) -> bool:
    """Whether Moodle's receiver holds a record of one of its meetings, or may do so."""
    return _records(activity).filter(Q(state__in=_ARRIVED) | Q(is_unanswered=True)).exists()


def hold_back(activity: Activity) -> int:
    """Hold the records of its meetings that have not left yet; how many."""
    waiting = _records(activity).filter(state__in=(State.WAITING, State.DUE))
    return waiting.update(state=State.HELD, reason=BY_RULE, due_at=None)


def _records(activity: Activity) -> QuerySet[Delivery]:
    of_activity = {"organisation": activity.organisation, "activity_key": bytes(activity.key)}
    return Delivery.objects.filter(**{f"meeting__summary__{name}": value for name, value in of_activity.items()})


def lock(organisation: int, activity_key: bytes) -> None:
    """Wait for whoever changes this activity's targets, inside a transaction: what is read after it stays so."""
    list(
        Activity.objects.select_for_update()
        .filter(organisation=organisation, key=activity_key)
        .values_list("pk", flat=True)
    )
