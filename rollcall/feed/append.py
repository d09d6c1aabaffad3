"""The one transaction everything ends in: arrivals become facts, each once, and the counters of their meetings rise."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from django.db import Error, connection, transaction
from django.db.backends.utils import CursorWrapper

from rollcall.core.errors import Unavailable
from rollcall.feed.faults import Fault, fault_of
from rollcall.feed.feed import Arrival, Unreadable
from rollcall.feed.meetings import Claim, FamilyMoved, HeldMeetings, Row, hold, hold_named, read
from rollcall.feed.refusal import leave_out_refused, refuse_families, refuse_meeting
from rollcall.store.connections import Pool
from rollcall.store.facts import SetAside
from rollcall.store.fields import DIGEST_BYTES, storable
from rollcall.store.keys import key_of

logger = logging.getLogger(__name__)

# A transaction takes at most this much, so that SQLite's one writer is free again within 50 ms.
GROUP_ARRIVALS = 200
GROUP_BYTES = 1_000_000
# What names a parent may move a family: it counts as so many.
CLAIM_ARRIVALS = 10

# What fits one packet of a MariaDB as it is installed (16 MiB), even if every byte has to be escaped.
LONGEST_BYTES = 7 * 1024 * 1024

# What a person waits for is folded at once: no later than the same happening has come by its other hook.
WATCHED_PAUSE_MS = 50
UNWATCHED_PAUSE_MS = 5_000

# How long a transaction is tried again while the database is down or others are in the way.
PATIENCE_SECONDS = 3.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.25
_BIGINT = range(-(2**63), 2**63)

_HELD = """
    WITH wanted(meeting_id, digest) AS (VALUES {})
    SELECT store_fact.meeting_id, store_fact.digest FROM wanted
    JOIN store_fact ON store_fact.meeting_id = wanted.meeting_id AND store_fact.digest = wanted.digest
"""
_ONE_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_INSERT = "INSERT INTO store_fact (meeting_id, seq, digest, source, kind, at, received_at, payload, identity) VALUES "
_COUNTERS = ("last_seq", "appended", "due_at", "is_over")
_COUNT = "UPDATE store_meeting SET last_seq = %s, appended = %s, due_at = %s, is_over = %s WHERE id = %s"

Item = Arrival | Unreadable
Values = tuple[int | str | bytes | None, ...]


class Unstorable(Exception):
    """An arrival that one of the databases would refuse; the argument says for its what."""


def append(arrivals: Sequence[Item], *, patience: float = PATIENCE_SECONDS, fold_within_ms: int | None = None) -> None:
    """Return once everything is durable, what was held already included; raise Unavailable if something may not be.

    Whoever folds what it appends says `fold_within_ms`: for so long no worker does it too.
    """
    for group in groups_of(arrivals):
        _append_group(group, patience, fold_within_ms)


def adopt(child: int, parent: int) -> None:
    """Put the meeting with primary key `child` into the family of `parent`, unless it was told of another parent."""
    if child != parent:
        _persist(lambda: _adopt(child, parent))


def refuse(root: int) -> None:
    """Take out all that is kept of the family of this meeting (primary key), and keep nothing more of it."""
    _persist(lambda: _refuse(root))


def size_of(item: Item) -> int:
    """How many bytes an arrival keeps, roughly."""
    return len(item.payload) + len(item.identity or b"") if isinstance(item, Arrival) else 0


def groups_of(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Parts that fit one transaction."""
    group: list[Item] = []
    work = size = 0
    for item in items:
        if group and (work >= GROUP_ARRIVALS or size + size_of(item) > GROUP_BYTES):
            yield group
            group, work, size = [], 0, 0
        group.append(item)
        work += CLAIM_ARRIVALS if isinstance(item, Arrival) and item.parent else 1
        size += size_of(item)
    if group:
        yield group


def _append_group(group: Sequence[Item], patience: float, fold_within_ms: int | None) -> None:
    """Keep all of it, or if something in it can never be kept, halve it until that one stands alone."""
    try:
        _persist(lambda: _write(group, fold_within_ms), patience)
    except (Error, Unstorable) as error:
        if len(group) == 1:
            _set_aside(group[0], error)
            return
        middle = len(group) // 2
        _append_group(group[:middle], patience, fold_within_ms)
        _append_group(group[middle:], patience, fold_within_ms)


def _persist(work: Callable[[], None], patience: float = PATIENCE_SECONDS) -> None:
    """Commit `work`, again and again while others are in the way; raise its error if the data themselves are wrong."""
    give_up = time.monotonic() + patience
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            with transaction.atomic(durable=True):
                return work()
        except FamilyMoved as moved:
            error: Exception = moved
        except Error as raised:
            error, fault = raised, fault_of(raised)
            if fault is Fault.DATA:
                raise
            if fault is not Fault.AGAIN:
                connection.close()
        if time.monotonic() + pause > give_up:
            raise _unavailable(error) from error
        time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - so that two that collided do not meet again
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _unavailable(error: Exception) -> Unavailable:
    hint = "See that the database runs, can be reached and has room; whoever sent this sends it again by itself."
    return Unavailable(f"The database does not take facts: {type(error).__name__}.", code="database-down", hint=hint)


def _write(group: Sequence[Item], fold_within_ms: int | None) -> None:
    arrivals = [item for item in group if isinstance(item, Arrival)]
    for arrival in arrivals:
        _check(arrival)
    if unreadable := [item for item in group if isinstance(item, Unreadable)]:
        _keep_aside(unreadable)
    if arrivals:
        held = hold_named(arrivals)
        _insert(held, _not_yet_held(held, leave_out_refused(held, arrivals)), fold_within_ms)


def _check(arrival: Arrival) -> None:
    """What one of the databases would refuse is refused for all of them, before it can spoil a transaction."""
    if len(arrival.digest) != DIGEST_BYTES:
        raise Unstorable("digest")
    if arrival.at not in _BIGINT or arrival.received_at not in _BIGINT:
        raise Unstorable("time")
    if size_of(arrival) > LONGEST_BYTES:
        raise Unstorable("length")


def _not_yet_held(held: HeldMeetings, arrivals: Iterable[Arrival]) -> list[tuple[Row, Arrival]]:
    """The first of each digest in each meeting, in the order of arrival, that is not in the log."""
    wanted: dict[tuple[int, bytes], tuple[Row, Arrival]] = {}
    for arrival in arrivals:
        meeting = held.named(arrival)
        wanted.setdefault((meeting.pk, arrival.digest), (meeting, arrival))
    if not wanted:
        return []
    with connection.cursor() as cursor:
        places = ", ".join(["(%s, %s)"] * len(wanted))
        cursor.execute(_HELD.format(places), [value for pair in wanted for value in pair])
        for meeting_id, digest in cursor.fetchall():
            del wanted[meeting_id, bytes(digest)]
    return list(wanted.values())


def _insert(held: HeldMeetings, fresh: Sequence[tuple[Row, Arrival]], fold_within_ms: int | None = None) -> None:
    now = time.time_ns() // 1_000_000
    touched = {pk: held.rows[pk] for pk in held.moved}
    for root in touched.values():
        _ask_for_fold(root, now, fold_within_ms)
    rows: list[Values] = []
    for meeting, arrival in fresh:
        meeting.last_seq += 1
        meeting.is_over |= arrival.is_end
        root = held.root_of(meeting)
        _ask_for_fold(root, now, 0 if arrival.is_end and fold_within_ms is None else fold_within_ms)
        touched |= {meeting.pk: meeting, root.pk: root}
        rows.append(_values(meeting, arrival))
    with connection.cursor() as cursor:
        if rows:
            _insert_facts(cursor, rows)
        if touched:
            _save_counters(cursor, [touched[pk] for pk in sorted(touched)])


def _insert_facts(cursor: CursorWrapper, rows: Sequence[Values]) -> None:
    if connection.vendor == "postgresql":  # its driver would send row by row
        cursor.execute(_INSERT + ", ".join([_ONE_ROW] * len(rows)), [value for row in rows for value in row])
    else:
        cursor.executemany(_INSERT + _ONE_ROW, rows)


def _save_counters(cursor: CursorWrapper, rows: Sequence[Row]) -> None:
    if connection.vendor == "sqlite":
        cursor.executemany(_COUNT, [(*(getattr(row, name) for name in _COUNTERS), row.pk) for row in rows])
        return
    # One statement for all of them: a round to the server for each would be most of the time.
    cases = " ".join(["WHEN %s THEN %s"] * len(rows))
    changes = ", ".join(f"{name} = CASE id {cases} END" for name in _COUNTERS)
    ids = ", ".join(str(row.pk) for row in rows)
    values = [value for name in _COUNTERS for row in rows for value in (row.pk, getattr(row, name))]
    cursor.execute(f"UPDATE store_meeting SET {changes} WHERE id IN ({ids})", values)  # noqa: S608 - names and numbers of our own


def _ask_for_fold(root: Row, now: int, within_ms: int | None) -> None:
    if within_ms is None:
        within_ms = WATCHED_PAUSE_MS if root.watched_until > now else UNWATCHED_PAUSE_MS
    due_at = now + within_ms
    root.due_at = due_at if root.due_at is None else min(root.due_at, due_at)
    root.appended += 1


def _values(meeting: Row, arrival: Arrival) -> Values:
    return (
        meeting.pk,
        meeting.last_seq,
        arrival.digest,
        storable(arrival.source)[:16],
        storable(arrival.kind)[:64],
        arrival.at,
        arrival.received_at,
        arrival.payload,
        arrival.identity,
    )


def _adopt(child: int, parent: int) -> None:
    held = hold(read((child, parent)), {Claim(child, parent, is_told=False)})
    refuse_families(held)
    _insert(held, ())


def _refuse(root: int) -> None:
    held = hold(read((root,)), ())
    refuse_meeting(held, root)
    _insert(held, ())


def _set_aside(item: Item, error: Exception) -> None:
    """The guilty one: its measure is kept for a person to look into, never its content."""
    logger.warning(
        "One arrival could not be stored and was set aside (%s, %d bytes)", type(error).__name__, size_of(item)
    )
    if isinstance(item, Arrival):
        item = Unreadable(item.pool, item.received_at, size_of(item), item.digest, "append", type(error).__name__)
    aside = item
    try:
        _persist(lambda: _keep_aside([aside]))
    except Error as again:
        raise _unavailable(again) from again


def _keep_aside(items: Sequence[Unreadable]) -> None:
    pools = set(Pool.objects.filter(pk__in={item.pool for item in items}).values_list("pk", flat=True))
    rows = {(row.pool_id, row.digest): row for row in (_aside(item, pools) for item in items)}
    digests = {digest for _, digest in rows}
    for pool, digest in SetAside.objects.filter(digest__in=digests).values_list("pool_id", "digest"):
        rows.pop((pool, bytes(digest)), None)
    SetAside.objects.bulk_create(rows.values())


def _aside(item: Unreadable, pools: set[int]) -> SetAside:
    return SetAside(
        pool_id=item.pool if item.pool in pools else None,
        received_at=item.received_at if item.received_at in _BIGINT else 0,
        length=item.length,
        digest=item.digest if len(item.digest) == DIGEST_BYTES else key_of(item.digest.hex()),
        regime=storable(item.regime)[:32],
        error=storable(item.error)[:200],
    )
