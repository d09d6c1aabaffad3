"""Fold again what changed rules, or a person, ask to be folded again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from django.db import Error
from django.db.models import F

from rollcall.derive.meeting import refold
from rollcall.derive.pace import Pace
from rollcall.derive.rows import FOLD_VERSION
from rollcall.feed.faults import Fault, fault_of
from rollcall.store.derived import Summary
from rollcall.store.facts import Meeting
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

    from rollcall.derive.log import Log

RETRY_MS = 60_000
AT_ONCE = 50
FEW = 10

logger = structlog.get_logger(__name__)


def demand() -> int:
    """Make every meeting due again; return how many."""
    pks = list(Meeting.objects.filter(root__isnull=True).values_list("pk", flat=True))
    for start in range(0, len(pks), AT_ONCE):
        _demand(Meeting.objects.filter(pk__in=pks[start : start + AT_ONCE]))
    return len(pks)


def demand_sites(sites: Iterable[str]) -> int:
    """Make the meetings of these sites due again, because somebody else may own them now; return how many."""
    keys = [key_of(site) for site in sites]
    found = Summary.objects.filter(site_key__in=keys).order_by().values_list("meeting", flat=True)
    pks = list(found)
    for start in range(0, len(pks), AT_ONCE):
        _demand(Meeting.objects.filter(pk__in=pks[start : start + AT_ONCE], root__isnull=True))
    return len(pks)


def count_outdated(*, at_most: int) -> int:
    """How many meetings still stand as an earlier version of the rules folded them."""
    return Summary.objects.filter(fold_version__lt=FOLD_VERSION)[:at_most].count()


class Outdated:
    """The meetings that an earlier version of the rules folded, to be made due a few at a time, the newest first.

    All at once they would stand before every class that runs now: of half a million, for hours.
    """

    def __init__(self) -> None:
        found = Summary.objects.filter(fold_version__lt=FOLD_VERSION).order_by("started_at", "meeting")
        self._oldest_first = list(found.values_list("meeting", flat=True))

    def demand_some(self) -> bool:
        """Make the next ones due, unless another worker has folded them; False if none are left."""
        some, self._oldest_first = self._oldest_first[-FEW:], self._oldest_first[:-FEW]
        if some:
            _demand(Meeting.objects.filter(pk__in=some, root__isnull=True, summary__fold_version__lt=FOLD_VERSION))
        return bool(some)


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
