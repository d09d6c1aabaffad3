"""Fold again what changed rules, or a person, ask to be folded again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from django.db import Error
from django.db.models import F, Q

from rollcall.derive.meeting import refold
from rollcall.derive.pace import Pace
from rollcall.derive.rows import FOLD_VERSION
from rollcall.feed.faults import Fault, fault_of
from rollcall.store.facts import Meeting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.derive.log import Log

RETRY_MS = 60_000
AT_ONCE = 50

logger = structlog.get_logger(__name__)


def demand(*, only_outdated: bool = False) -> int:
    """Make every meeting due again, or those folded by an earlier version of the rules; return how many."""
    roots = Meeting.objects.filter(root__isnull=True)
    if only_outdated:
        roots = roots.filter(Q(summary__fold_version__lt=FOLD_VERSION))
    pks = list(roots.values_list("pk", flat=True))
    now = time.time_ns() // 1_000_000
    for start in range(0, len(pks), AT_ONCE):
        Meeting.objects.filter(pk__in=pks[start : start + AT_ONCE]).update(appended=F("appended") + 1, due_at=now)
    return len(pks)


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
