"""Simulated deliveries put into the log, and everything derived from them as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.bbb.redact import redact
from rollcall.derive.log import Log
from rollcall.derive.rebuild import fold_due
from rollcall.feed.append import append
from rollcall.feed.feed import Arrival
from rollcall.store.derived import Attendance, Summary
from rollcall.store.keys import fact_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.simulate.sendings import Sending
    from rollcall.store.connections import Pool

FAR_AHEAD = 1 << 60


def arrivals_of(pool: Pool, sendings: Iterable[Sending]) -> list[Arrival]:
    """What the webhook would publish of these deliveries."""
    kept = [(sending, redact(element)) for sending in sendings for element in sending.elements]
    return [
        Arrival(
            pool=pool.pk,
            meeting=one.meeting,
            source=one.source,
            kind=one.kind,
            at=one.at,
            received_at=sending.arrives_at,
            digest=fact_digest(pool.name, one.payload, one.identity),
            payload=one.payload,
            identity=one.identity,
            parent=one.parent,
            is_end=one.is_end,
        )
        for sending, one in kept
        if one is not None
    ]


def append_and_fold(arrivals: Iterable[Arrival]) -> None:
    """Keep them, and fold until nothing is due at any time."""
    append(list(arrivals))
    fold_everything()


def fold_everything() -> None:
    log = Log()
    while list(fold_due(log, now=FAR_AHEAD)):
        pass


def derived() -> list[tuple[Any, ...]]:
    """Every derived value but the database's own numbers, in an order of its own."""
    hidden = {"id", "meeting_id", "summary_id"}
    summaries = [
        (summary["meeting__internal_meeting_id"], *_values(summary, hidden))
        for summary in Summary.objects.values(*_columns(Summary), "meeting__internal_meeting_id")
    ]
    rows = [
        (row["summary__meeting__internal_meeting_id"], *_values(row, hidden))
        for row in Attendance.objects.values(*_columns(Attendance), "summary__meeting__internal_meeting_id")
    ]
    return sorted(summaries, key=repr) + sorted(rows, key=repr)


def _columns(table: type[Summary | Attendance]) -> list[str]:
    return [field.attname for field in table._meta.concrete_fields]


def _values(row: dict[str, Any], hidden: set[str]) -> list[Any]:
    return [
        bytes(value) if isinstance(value, memoryview) else value
        for name, value in sorted(row.items())
        if name not in hidden
    ]
