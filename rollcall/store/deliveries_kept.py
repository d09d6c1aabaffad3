"""For how long it is kept what was owed to an LMS: attempts, what a teacher has seen to, people of long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef

from rollcall.store.completions import Completion
from rollcall.store.owed import RESTING, Owed, Reversal, Try
from rollcall.store.rosters import DAY_MS, LEFT_MS, REMOVED_MS

if TYPE_CHECKING:
    from django.db.models import QuerySet

TRIED_MS: Final = 100 * DAY_MS
"""Attempts are for who looks for a fault: nobody does so after a term."""
AT_ONCE: Final = 500


def forget(now: int) -> int:
    """What is past its time at `now` (epoch ms); how many rows went.

    What an LMS holds of somebody who is judged is kept, however old: else it would be sent again.
    """
    nobody = ~Exists(Completion.objects.filter(activity=OuterRef("target__activity"), user_key=OuterRef("user_key")))
    of_removed = Owed.objects.filter(target__receiver__platform__removed_at__lt=now - REMOVED_MS)
    of_nobody = Owed.objects.filter(nobody, state__in=RESTING, wanted_at__lt=now - LEFT_MS)
    return (
        _some(Try.objects.filter(at__lt=now - TRIED_MS))
        + _some(Reversal.objects.filter(handled_at__lt=now - LEFT_MS))
        + _some(of_removed)
        + _some(of_nobody)
    )


def _some(rows: QuerySet[Any]) -> int:
    """All of them, a few at a time: nobody waits for it."""
    gone = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        rows.model.objects.filter(pk__in=pks).delete()
        gone += len(pks)
    return gone
