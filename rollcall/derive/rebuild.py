"""Fold again what changed rules, or a person, ask to be folded again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from django.db import Error, transaction
from django.db.models import F

from rollcall.derive.meeting import refold
from rollcall.derive.pace import Pace
from rollcall.derive.rows import ACTIVITY_VERSION, FOLD_VERSION
from rollcall.feed.demanding import demand as demand_activities
from rollcall.feed.faults import Fault, fault_of
from rollcall.store.decisions import Activity
from rollcall.store.derived import UNCLAIMED, Summary
from rollcall.store.exports import withdraw
from rollcall.store.facts import Meeting
from rollcall.store.keys import key_of
from rollcall.store.organisations import Rehoming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

    from rollcall.derive.log import Log

RETRY_MS = 60_000
AT_ONCE = 50
FEW = 10
MARKED_AT_ONCE = 500
OWNED_ANEW = -1
"""The version of a Summary that was folded for another owner."""

NONE_SECONDS = 1.0
"""How long nobody looks again, where nothing was outdated."""

logger = structlog.get_logger(__name__)


def demand() -> int:
    """Make every meeting due again; return how many."""
    pks = list(Meeting.objects.filter(root__isnull=True).values_list("pk", flat=True))
    for start in range(0, len(pks), AT_ONCE):
        _demand(Meeting.objects.filter(pk__in=pks[start : start + AT_ONCE]))
    return len(pks)


def demand_sites(sites: Iterable[str]) -> int:
    """Have the meetings of these sites folded again, because somebody else may own them now; return how many.

    Those that run at once. Of the others it is kept that they have to be, in the same transaction as what changed, and
    a worker marks them some at a time (Outdated): of a large site that takes seconds in which nobody else could write.
    Files that were made for whoever owned them are withdrawn.
    """
    keys = {key_of(site) for site in sites}
    found = Summary.objects.filter(site_key__in=keys).order_by()
    Rehoming.objects.bulk_create(Rehoming(site_key=key) for key in sorted(keys))
    _demand(Meeting.objects.filter(summary__in=found.filter(ended_possible_at=None), root__isnull=True))
    withdraw(set(found.values_list("organisation", flat=True).distinct()) - {UNCLAIMED})
    return found.count()


def mark_rehomed() -> bool:
    """Mark the next meetings that may be somebody else's; False if there are none."""
    wish = Rehoming.objects.order_by("pk").first()
    if wish is None:
        return False
    some = Summary.objects.filter(site_key=bytes(wish.site_key), pk__gt=wish.done).order_by("pk")
    pks = list(some.values_list("pk", flat=True)[:MARKED_AT_ONCE])
    with transaction.atomic():
        Summary.objects.filter(pk__in=pks).update(fold_version=OWNED_ANEW)
        if pks:
            Rehoming.objects.filter(pk=wish.pk).update(done=pks[-1])
        else:
            wish.delete()
    return True


def count_outdated(*, at_most: int) -> int:
    """How many meetings still stand as an earlier version of the rules folded them."""
    return Summary.objects.filter(fold_version__gt=OWNED_ANEW, fold_version__lt=FOLD_VERSION)[:at_most].count()


def demand_misjudged() -> bool:
    """Make the next activities due that older rules have judged; False if there are none."""
    misjudged = Activity.objects.filter(fold_version__lt=ACTIVITY_VERSION, due_at=None).order_by("pk")
    return bool(demand_activities(misjudged.values_list("pk", flat=True)[:FEW]))


class Outdated:
    """The meetings that older rules, or for an earlier owner, were folded: made due a few at a time, the newest first.

    All at once they would stand before every class that runs now: of half a million, for hours. Then the activities
    that older rules have judged.
    """

    def __init__(self) -> None:
        self._none_until = 0.0

    def demand_some(self) -> bool:
        """Make the next ones due; False if none are left. What has failed waits for its own time."""
        if time.monotonic() < self._none_until:
            return False
        if mark_rehomed():
            return True
        for version in range(OWNED_ANEW, FOLD_VERSION):
            waiting = Summary.objects.filter(fold_version=version, meeting__due_at=None, meeting__root=None)
            newest = waiting.order_by("-started_at", "-meeting").values_list("meeting", flat=True)
            if pks := list(newest[:FEW]):
                _demand(Meeting.objects.filter(pk__in=pks, summary__fold_version__lt=FOLD_VERSION))
                return True
        if demand_misjudged():
            return True
        self._none_until = time.monotonic() + NONE_SECONDS
        return False


def demand_meetings(pks: Iterable[int]) -> None:
    """Have these folded again that are not due already."""
    _demand(Meeting.objects.filter(pk__in=list(pks), due_at=None, root__isnull=True))


def _demand(meetings: QuerySet[Meeting]) -> None:
    pks = list(meetings.values_list("pk", flat=True))
    Meeting.objects.filter(pk__in=pks).update(appended=F("appended") + 1, due_at=time.time_ns() // 1_000_000)


def fold_due(log: Log, *, now: int | None = None, pace: Pace | None = None) -> Iterator[int]:
    """Refold what is due by `now` (epoch ms), the longest due first; yield each root's primary key when it is done.

    A meeting that cannot be folded is tried again after a minute and holds up no other.
    """
    by = time.time_ns() // 1_000_000 if now is None else now
    pace = pace or Pace()
    due = Meeting.objects.filter(root__isnull=True, due_at__lte=by).exclude(pk__in=pace.resting())
    for root in list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE]):
        began = time.monotonic()
        try:
            refold(root, log)
        except Exception as error:
            # Where only another transaction was in the way it stays due.
            if not isinstance(error, Error) or fault_of(error) is not Fault.AGAIN:
                logger.exception("A meeting cannot be folded; it is tried again in a minute", meeting=root)
                _put_off(root, log)
        pace.rest(root, time.monotonic() - began)
        yield root


def _put_off(root: int, log: Log) -> None:
    log.forget([root])
    Meeting.objects.filter(pk=root).update(due_at=time.time_ns() // 1_000_000 + RETRY_MS)
