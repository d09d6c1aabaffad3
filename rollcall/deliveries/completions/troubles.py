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
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import QuerySet

    from rollcall.deliveries.completions.writing import Ending

FAILURES_OF_AN_OUTAGE: Final = 3
"""After fewer it may have been one row's own fault, which must not be tried again with every one that succeeds."""

WELL: Final[dict[str, Any]] = {"failures": 0, "paused_until": 0, "trouble": "", "trouble_phrase": ""}


ANSWERED_EACH_MS: Final = 1000
"""So often it is written down that a receiver takes things; every time would be once for each row."""


def locked_receivers(endings: Sequence[Ending]) -> dict[int, Receiver]:
    """Those of which these tries say anything, by key."""
    wanted = {one.claimed.receiver for one in endings}
    return Receiver.objects.select_for_update().order_by("pk").in_bulk(wanted) if wanted else {}


def note_all(endings: Sequence[Ending], receivers: Mapping[int, Receiver]) -> None:
    """What these tries say of their receivers and targets, in the order in which they ended."""
    for pk, receiver in receivers.items():
        said = [one for one in endings if one.claimed.receiver == pk and one.outcome.result is not Result.LATER]
        targets = CompletionTarget.objects.filter(receiver=receiver)
        _note(receiver, said, Result.RECEIVER, Owed.objects.filter(target__in=targets))
    by_target: defaultdict[int, list[Ending]] = defaultdict(list)
    for one in endings:
        if one.outcome.result is Result.TARGET or (one.claimed.is_probe and one.outcome.result in FINAL):
            by_target[one.claimed.order.target].append(one)
    if by_target:
        for target in CompletionTarget.objects.select_for_update().filter(pk__in=by_target).order_by("pk"):
            _note(target, by_target[target.pk], Result.TARGET, Owed.objects.filter(target=target))


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
            changed |= _answered(paused, one.now)
    if changed:
        type(paused).objects.filter(pk=paused.pk).update(**changed)


def _answered(receiver: Receiver, now: int) -> dict[str, Any]:
    is_known = receiver.answered_at is not None and now - receiver.answered_at < ANSWERED_EACH_MS
    return {} if is_known else {"answered_at": now}


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
