"""For how long rosters are kept: who has left, and the courses of an LMS that was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.store.platforms import Member, Platform, Teacher

if TYPE_CHECKING:
    from django.db.models import QuerySet

DAY_MS: Final = 24 * 60 * 60 * 1000
LEFT_MS: Final = 400 * DAY_MS
"""Who left a course is forgotten after a year and a month: until then they may be asked about in its last term."""
REMOVED_MS: Final = 30 * DAY_MS
"""What was removed by mistake can be taken back until then."""
AT_ONCE: Final = 1000


def forget(now: int) -> int:
    """Stays that ended long ago, and all rosters of LMSs that were removed a month ago; how many went."""
    removed = list(Platform.objects.filter(removed_at__lt=now - REMOVED_MS).values_list("pk", flat=True))
    gone = _some(Member.objects.filter(until_at__lt=now - LEFT_MS))
    gone += _some(Member.objects.filter(context__platform__in=removed))
    Teacher.objects.filter(context__platform__in=removed).delete()
    Teacher.objects.filter(came_at__lt=now - LEFT_MS).delete()
    return gone


def _some(rows: QuerySet[Member]) -> int:
    """All of them, a few at a time: nobody waits for it."""
    gone = 0
    while ids := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        Member.objects.filter(pk__in=ids).delete()
        gone += len(ids)
    return gone
