"""The outbox of completions as its sender finds it: what is due is claimed, many at a time.

A row in a worker's hands is SENDING under its name and the number of its try; whatever that worker writes about it
later (see `writing`) is written only while both still stand there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from django.db.models import F, Q
from django.utils.timezone import get_default_timezone
from django.utils.translation import override

from rollcall.core.deliveries import Way
from rollcall.deliveries.completion_words import sentence
from rollcall.deliveries.driver import Order
from rollcall.deliveries.goals import goal_from
from rollcall.store.licensing import not_captured
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet


LEASE_MS: Final = 5 * 60_000
AHEAD_PER_RECEIVER: Final = 96
"""So many are taken, of which a few are sent at a time, so that taking is no part of the wait for an answer."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row in this worker's hands; `tries` is the number of this try, and tells it from every other.

    `is_probe`: its target was in trouble last time.
    """

    order: Order
    receiver: int
    worker: str
    tries: int
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What was claimed of one target."""

    target: CompletionTarget
    claimed: tuple[Claimed, ...]


# -- taking -------------------------------------------------------------------------------------------------------


def reclaim(worker: str, now: int) -> int:
    """Give back what a worker had in hand that is gone: one whose lease has run out, or an earlier one of this name."""
    return _give_back(Owed.objects.filter(Q(leased_until__lt=now) | Q(worker=worker), state=Owing.SENDING), now)


def look(now: int) -> None:
    """The same while running, where what this worker has in hand it has in hand; and what has waited long enough."""
    # Asked first: a write that changes nothing still has to wait for the other writers.
    stale = Owed.objects.filter(state=Owing.SENDING, leased_until__lt=now)
    if stale.exists():
        _give_back(stale, now)
    waited = Owed.objects.filter(state=Owing.WAITING, due_at__lte=now)
    if waited.exists():
        waited.update(state=Owing.DUE)


def _give_back(rows: QuerySet[Owed], now: int) -> int:
    return rows.update(state=Owing.DUE, due_at=now, worker="")


def claim(worker: str, now: int, busy: Mapping[tuple[int, int], int]) -> list[Batch]:
    """What is to be sent now, taken so that nobody else sends it; `busy` counts what is in hand by (receiver, target).

    Of a receiver or a target that met trouble last time one is taken, to see whether that is over.
    """
    if not Owed.objects.filter(state=Owing.DUE, due_at__lte=now).exists():
        return []
    in_hand: Counter[int] = Counter()
    for (of, _), count in busy.items():
        in_hand[of] += count
    chosen: list[int] = []
    for receiver in _open_receivers(now):
        room = (1 if receiver.failures else AHEAD_PER_RECEIVER) - in_hand[receiver.pk]
        chosen += _due(receiver, now, room, {target for (_, target), count in busy.items() if count})
    return _take(worker, chosen, now)


def _open_receivers(now: int) -> list[Receiver]:
    """Those that may be sent to: not stopped by anybody, not paused by trouble, within a licence or its grace."""
    found = Receiver.objects.filter(is_stopped=False, paused_until__lte=now, platform__removed_at=None)
    receivers = list(found.select_related("platform").order_by("pk"))
    over = not_captured({one.platform.organisation_id for one in receivers}, now)
    return [one for one in receivers if one.platform.organisation_id not in over]


def _due(receiver: Receiver, now: int, room: int, busy: set[int]) -> list[int]:
    """Those that have been due longest; one alone of each target that was in trouble."""
    if room <= 0:
        return []
    probed = CompletionTarget.objects.filter(
        receiver=receiver,
        is_on=True,
        paused_until__lte=now,
        failures__gt=0,
        owed__state=Owing.DUE,
        owed__due_at__lte=now,
    )
    targets = probed.exclude(pk__in=busy).order_by("paused_until", "pk").values_list("pk", flat=True).distinct()
    found: list[int] = []
    for target in targets[:room]:
        found += _first(Owed.objects.filter(target=target), now, 1)
    well = Owed.objects.filter(target__receiver=receiver, target__is_on=True, target__failures=0)
    return found + _first(well.filter(target__paused_until__lte=now), now, room - len(found))


def _first(rows: QuerySet[Owed], now: int, room: int) -> list[int]:
    due = rows.filter(state=Owing.DUE, due_at__lte=now).order_by("due_at", "pk")
    return list(due.values_list("pk", flat=True)[:room])


def _take(worker: str, chosen: Iterable[int], now: int) -> list[Batch]:
    wanted = sorted(chosen)
    mine = {"state": Owing.SENDING, "worker": worker, "leased_until": now + LEASE_MS, "tries": F("tries") + 1}
    Owed.objects.filter(pk__in=wanted, state=Owing.DUE, due_at__lte=now).update(**mine)
    taken = Owed.objects.filter(pk__in=wanted, state=Owing.SENDING, worker=worker).order_by("due_at", "pk")
    by_target: dict[int, list[Owed]] = {}
    for row in taken:
        by_target.setdefault(row.target_id, []).append(row)
    targets = CompletionTarget.objects.select_related("activity", "receiver__platform", "line_item__context").in_bulk(
        by_target
    )
    return [Batch(targets[pk], tuple(_claimed(row, targets[pk]) for row in rows)) for pk, rows in by_target.items()]


def _claimed(row: Owed, target: CompletionTarget) -> Claimed:
    order = Order(
        owed=row.pk,
        target=target.pk,
        user_id=row.external_user_id,
        goal=goal_from(row.wanted),
        held=goal_from(row.sent) if row.sent else None,
        revision=row.revision,
        stamp=row.stamp,
        is_unanswered=row.is_unanswered,
        comment=_comment(row, target) if target.receiver.way == Way.AGS else "",
    )
    return Claimed(order, target.receiver_id, row.worker, row.tries, is_probe=target.failures > 0)


def _comment(row: Owed, target: CompletionTarget) -> str:
    """The reason, as everybody reads it; by the clock of this instance, as nobody knows where it will be read."""
    with override(target.language):
        try:
            return sentence(bytes(row.reasons), get_default_timezone())
        except msgspec.MsgspecError:
            logger.exception("The reasons of a verdict cannot be read; its score goes without them", owed=row.pk)
            return ""
