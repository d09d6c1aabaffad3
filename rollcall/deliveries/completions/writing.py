"""What becomes of claimed rows, written down many at a time: that they may arrive, and what came of them.

Rows are locked in the order of their keys, then receivers, then targets.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from rollcall.deliveries.completions.allowed import held_back
from rollcall.deliveries.completions.outcomes import CODE_CHARACTERS, LONGEST_PHRASE, Tried, follow, resumed
from rollcall.deliveries.completions.queue import LEASE_MS, Claimed
from rollcall.deliveries.completions.troubles import locked_receivers, note_all
from rollcall.store.each import update_each
from rollcall.store.owed import Owed, Owing, Try

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.deliveries.driver import Outcome
    from rollcall.store.owed import Receiver

AGAIN: Final = "tried-on"
"""Of a request after which its driver went on to another: whatever it was answered, that was not the end."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """It may arrive from now on. `earlier` is the request before it in the same try."""

    claimed: Claimed
    stamp: int | None
    earlier: int | None
    now: int


@dataclass(frozen=True, slots=True)
class Ending:
    """What one try has come to; `request` is its last one, None: nothing was sent that could have had an effect."""

    claimed: Claimed
    outcome: Outcome
    request: int | None
    took_ms: int
    now: int


@dataclass(frozen=True, slots=True)
class Return:
    """It was not tried after all."""

    claimed: Claimed
    now: int


Change = Beginning | Ending | Return


def write(changes: Sequence[Change]) -> list[int | bool | None]:
    """All of these in one transaction. Of a Beginning the key of its Try, of others whether the row still was ours."""
    ended = [one for one in changes if isinstance(one, Ending)]
    with transaction.atomic():
        rows = _locked(changes)
        receivers = locked_receivers(ended)
        beginning = [one for one in changes if isinstance(one, Beginning) and _is_to_be_sent(one, rows)]
        held = held_back([rows[one.claimed.order.owed] for one in beginning])
        tries = _begin([one for one in beginning if one.claimed.order.owed not in held])
        ours = [(one, rows[one.claimed.order.owed]) for one in changes if _is_ours(one, rows)]
        columns = ((row.pk, held.get(row.pk), _columns(one, row, receivers)) for one, row in ours)
        update_each(Owed, [(pk, {"worker": "", **back} if back else told) for pk, back, told in columns])
        update_each(Try, [(one.request, _told(one)) for one in ended if one.request is not None])
        note_all(ended, receivers)
    mine = {id(one) for one, _ in ours}
    return [tries.get(id(one)) if isinstance(one, Beginning) else id(one) in mine for one in changes]


def _locked(changes: Sequence[Change]) -> dict[int, Owed]:
    """The rows that are in somebody's hands."""
    pks = sorted({change.claimed.order.owed for change in changes})
    rows = Owed.objects.select_for_update().filter(pk__in=pks, state=Owing.SENDING).order_by("pk").defer("reasons")
    return {row.pk: row for row in rows}


def _is_ours(one: Change, rows: Mapping[int, Owed]) -> bool:
    """Whether its row is still in the hands that write this: who outlived a lease may write beside the next one."""
    row, claimed = rows.get(one.claimed.order.owed), one.claimed
    return row is not None and row.worker == claimed.worker and row.tries == claimed.tries


def _is_still_wanted(one: Change, row: Owed) -> bool:
    return row.revision == one.claimed.order.revision


def _is_to_be_sent(one: Beginning, rows: Mapping[int, Owed]) -> bool:
    return _is_ours(one, rows) and _is_still_wanted(one, rows[one.claimed.order.owed])


def _begin(beginnings: Sequence[Beginning]) -> dict[int, int]:
    """A Try for each, and its key."""
    if earlier := [one.earlier for one in beginnings if one.earlier is not None]:
        Try.objects.filter(pk__in=earlier).update(fault=AGAIN)
    tries = [Try(owed_id=one.claimed.order.owed, revision=one.claimed.order.revision, at=one.now) for one in beginnings]
    return {id(one): made.pk for one, made in zip(beginnings, Try.objects.bulk_create(tries), strict=True)}


def _columns(one: Change, row: Owed, receivers: Mapping[int, Receiver]) -> dict[str, Any]:
    """What is to stand in the row."""
    match one:
        case Ending():
            return follow(row, _tried(one, receivers))
        case _ if not _is_still_wanted(one, row):
            return {"worker": "", **resumed(row, one.now)}
        case Beginning():
            stamp = row.stamp if one.stamp is None else one.stamp
            return {"is_unanswered": True, "leased_until": one.now + LEASE_MS, "stamp": stamp}
        case Return():
            return {"state": Owing.DUE, "worker": "", "tries": row.tries - 1}


def _tried(ending: Ending, receivers: Mapping[int, Receiver]) -> Tried:
    receiver = receivers.get(ending.claimed.receiver)
    return Tried(
        order=ending.claimed.order,
        outcome=ending.outcome,
        begun=ending.request is not None,
        answered_at=receiver.answered_at if receiver else None,
        now=ending.now,
        chance=random.random(),  # noqa: S311 - only spread
    )


def _told(ending: Ending) -> dict[str, Any]:
    outcome = ending.outcome
    fault = outcome.code or ("" if outcome.status is not None else outcome.result)
    return {
        "status": outcome.status,
        "phrase": outcome.phrase[:LONGEST_PHRASE],
        "took_ms": ending.took_ms,
        "fault": fault[:CODE_CHARACTERS],
    }
