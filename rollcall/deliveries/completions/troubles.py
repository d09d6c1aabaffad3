"""Receivers and targets in trouble: left alone for longer each time, and taken up at once when they answer again."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from rollcall.deliveries.completions.outcomes import CODE_CHARACTERS, FINAL, LONGEST_PHRASE
from rollcall.deliveries.driver import Result
from rollcall.deliveries.outcome import pause_ms
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from rollcall.deliveries.completions.queue import Ending

FAILURES_OF_AN_OUTAGE: Final = 3
"""After fewer it may have been one row's own fault, which must not be tried again with every one that succeeds."""

WELL: Final[dict[str, Any]] = {"failures": 0, "paused_until": 0, "trouble": "", "trouble_phrase": ""}


def note_all(endings: Sequence[Ending]) -> None:
    """What these tries say of their targets and receivers, in the order in which they ended."""
    by_target: defaultdict[int, list[Ending]] = defaultdict(list)
    by_receiver: defaultdict[int, list[Ending]] = defaultdict(list)
    for one in endings:
        if one.outcome.result in FINAL or one.outcome.result is Result.TARGET:
            by_target[one.claimed.order.target].append(one)
            by_receiver[one.claimed.receiver].append(one)
        elif one.outcome.result is Result.RECEIVER:
            by_receiver[one.claimed.receiver].append(one)
    for target in CompletionTarget.objects.select_for_update().filter(pk__in=by_target).order_by("pk"):
        _note(target, by_target[target.pk], Result.TARGET, Owed.objects.filter(target=target))
    for receiver in Receiver.objects.select_for_update().filter(pk__in=by_receiver).order_by("pk"):
        targets = CompletionTarget.objects.filter(receiver=receiver)
        _note(receiver, by_receiver[receiver.pk], Result.RECEIVER, Owed.objects.filter(target__in=targets))


def _note(
    paused: Receiver | CompletionTarget, endings: Iterable[Ending], trouble: Result, rows: QuerySet[Owed]
) -> None:
    changed: dict[str, Any] = {}
    for one in endings:
        failures = changed.get("failures", paused.failures)
        if one.outcome.result is not trouble:
            if failures:
                changed |= WELL
                _take_up(rows, failures, one.now)
        # Those that were under way with the one that met it say the same once more.
        elif changed.get("paused_until", paused.paused_until) <= one.now:
            changed |= _in_trouble(one, failures + 1)
        if isinstance(paused, Receiver) and one.outcome.result is Result.DONE:
            changed["answered_at"] = one.now
    if changed:
        type(paused).objects.filter(pk=paused.pk).update(**changed)


def _in_trouble(one: Ending, failures: int) -> dict[str, Any]:
    wait = max(pause_ms(failures, random.random()), one.outcome.retry_after_ms or 0)  # noqa: S311 - only spread
    return {
        "failures": failures,
        "paused_until": one.now + wait,
        "trouble": (one.outcome.code or one.outcome.result)[:CODE_CHARACTERS],
        "trouble_phrase": one.outcome.phrase[:LONGEST_PHRASE],
        "trouble_at": one.now,
    }


def _take_up(rows: QuerySet[Owed], failures: int, now: int) -> None:
    """What was put off while it was in trouble is due, now that it is not."""
    if failures >= FAILURES_OF_AN_OUTAGE:
        rows.filter(state=Owing.DUE, due_at__gt=now).update(due_at=now)
