"""The meetings a transaction writes to: found or made, put into their families, and locked in one order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from rollcall.feed.families import find_roots, is_better_parent
from rollcall.feed.feed import Arrival
from rollcall.store.facts import Meeting
from rollcall.store.keys import meeting_key

Name = tuple[int, bytes]
"""The pool and the key of an internal meeting id."""

# Plain SQL where every arrival passes: the same query made by the ORM takes longer than the commit.
_SELECT = (
    "SELECT m.id, m.pool_id, m.key, m.parent_id, m.is_parent_told, m.root_id, "
    "m.last_seq, m.appended, m.folded, m.due_at, m.watched_until, m.is_over, m.is_refused FROM store_meeting m "
)
_WANTED = "WITH wanted(pool_id, wanted_key) AS (VALUES {}) "
_FIND = _WANTED + _SELECT + "JOIN wanted ON m.pool_id = wanted.pool_id AND m.key = wanted.wanted_key"
_LOCK = _SELECT + "WHERE m.id IN ({}) ORDER BY m.id {}"


class FamilyMoved(Exception):
    """Between reading and locking somebody else moved a family: begin again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """That one meeting is a breakout of another; told by BigBlueButton, or found by who was in it."""

    child: int
    parent: int
    is_told: bool


@dataclass(slots=True)
class Row:
    """What is held of a Meeting (store.facts) while its facts are written."""

    pk: int
    pool_id: int
    key: bytes
    parent_id: int | None
    is_parent_told: bool
    root_id: int | None
    last_seq: int
    appended: int
    folded: int
    due_at: int | None
    watched_until: int
    is_over: bool
    is_refused: bool = False

    def __post_init__(self) -> None:
        # PostgreSQL's driver gives a memoryview, MariaDB and SQLite whole numbers for booleans.
        self.key, self.is_parent_told = bytes(self.key), bool(self.is_parent_told)
        self.is_over, self.is_refused = bool(self.is_over), bool(self.is_refused)


@dataclass(slots=True)
class HeldMeetings:
    """Locked rows by primary key. `moved` are the roots that gained or lost a meeting."""

    rows: dict[int, Row]
    by_name: dict[Name, int] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)

    def named(self, arrival: Arrival) -> Row:
        """The meeting an arrival belongs to."""
        return self.rows[self.by_name[name_of(arrival.pool, arrival.meeting)]]

    def root_of(self, row: Row) -> Row:
        """The meeting whose counters count."""
        return self.rows[row.root_id] if row.root_id else row


def name_of(pool: int, internal_meeting_id: str) -> Name:
    """What a meeting is found by."""
    return pool, meeting_key(internal_meeting_id)


def hold_named(arrivals: Collection[Arrival]) -> HeldMeetings:
    """Every meeting these arrivals belong to, its family as they tell it, and the roots; inside a transaction."""
    texts = {name_of(a.pool, a.meeting): a.meeting for a in arrivals}
    texts |= {name_of(a.pool, a.parent): a.parent for a in arrivals if a.parent}
    known = _find_or_make(texts)
    by_name = {(row.pool_id, row.key): row.pk for row in known}
    claims = {
        Claim(by_name[name_of(a.pool, a.meeting)], by_name[name_of(a.pool, a.parent)], is_told=True)
        for a in arrivals
        if a.parent and a.parent != a.meeting
    }
    held = hold(known, claims)
    held.by_name = by_name
    return held


def hold(known: Iterable[Row], claims: Collection[Claim]) -> HeldMeetings:
    """Lock the rows, and whatever else the claims may move, in the order of their ids; then move it."""
    rows = {row.pk: row for row in known}
    rows = _locked(rows, _concerned(rows, claims))
    if not _concerned(rows, claims) <= rows.keys():
        raise FamilyMoved
    held = HeldMeetings(rows)
    if families := _families(rows, claims):
        _move(held, claims, families)
    return held


def read(pks: Iterable[int]) -> list[Row]:
    """Rows by primary key, not locked yet."""
    return _select(_LOCK.format(", ".join(map(str, pks)), ""), ())


def _find_or_make(texts: dict[Name, str]) -> list[Row]:
    found = _find(texts)
    if missing := sorted(texts.keys() - {(row.pool_id, row.key) for row in found}):
        # Whoever makes the same row first makes this one fail: the transaction is then repeated, and finds it.
        new = [Meeting(pool_id=pool, key=key, internal_meeting_id=texts[pool, key]) for pool, key in missing]
        Meeting.objects.bulk_create(new)
        found += _find(missing)
    return found


def _find(names: Collection[Name]) -> list[Row]:
    places = ", ".join(["(%s, %s)"] * len(names))
    return _select(_FIND.format(places), [value for name in names for value in name])


def _select(sql: str, values: Sequence[int | bytes]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Row(*columns) for columns in cursor.fetchall()]


def _concerned(rows: dict[int, Row], claims: Iterable[Claim]) -> set[int]:
    """The ids to lock: the meetings, their roots, and all of every family that a claim may change."""
    ids = {row.root_id or row.pk for row in rows.values()} | rows.keys()
    if families := _families(rows, claims):
        ids |= set(Meeting.objects.filter(root_id__in=families).values_list("pk", flat=True))
    return ids


def _families(rows: dict[int, Row], claims: Iterable[Claim]) -> set[int]:
    """The roots on both sides of every claim that is not what is known already."""
    ends = {end for claim in claims if _is_news(rows[claim.child], claim) for end in (claim.child, claim.parent)}
    return {rows[end].root_id or end for end in ends}


def _is_news(child: Row, claim: Claim) -> bool:
    if child.is_parent_told != claim.is_told:
        return claim.is_told or child.parent_id is None
    return child.parent_id != claim.parent


def _locked(rows: dict[int, Row], ids: set[int]) -> dict[int, Row]:
    """Fresh rows; on SQLite the whole transaction is one lock, so that what was read is fresh already."""
    features = connection.features
    wanted = ids if features.has_select_for_update else ids - rows.keys()
    if not wanted:
        return rows
    # Only numbers, no keys: references to these rows (foreign keys) may be made meanwhile.
    lock = connection.ops.for_update_sql(no_key=features.has_select_for_no_key_update)
    sql = _LOCK.format(", ".join(map(str, sorted(wanted))), lock if features.has_select_for_update else "")
    return rows | {row.pk: row for row in _select(sql, ())}


def _move(held: HeldMeetings, claims: Iterable[Claim], families: set[int]) -> None:
    """Give children the best of their parents, and every meeting of the families concerned its root."""
    members = [row for row in held.rows.values() if (row.root_id or row.pk) in families]
    before = {row.pk: (row.parent_id, row.is_parent_told, row.root_id) for row in members}
    for claim in claims:
        _weigh(held.rows, claim)
    roots = find_roots({row.pk: row.parent_id for row in members}, {row.pk: row.key for row in members})
    for row in members:
        if row.root_id != (root_id := None if roots[row.pk] == row.pk else roots[row.pk]):
            held.moved |= {row.root_id or row.pk, roots[row.pk]}
            row.root_id = root_id
    for row in members:
        if before[row.pk] != (row.parent_id, row.is_parent_told, row.root_id):
            _hand_over(held, row)
    held.moved = {pk for pk in held.moved if held.rows[pk].root_id is None}


def _weigh(rows: dict[int, Row], claim: Claim) -> None:
    child, parent = rows[claim.child], rows[claim.parent]
    if not _is_news(child, claim):
        return
    known = rows[child.parent_id].key if child.parent_id else None
    if is_better_parent(known, parent.key, known_was_told=child.is_parent_told, new_is_told=claim.is_told):
        child.parent_id, child.is_parent_told = claim.parent, claim.is_told


def _hand_over(held: HeldMeetings, row: Row) -> None:
    """Save a row's place; if it is no root any more, what was due of it is due of its root."""
    root = held.root_of(row)
    if root is not row:
        if row.due_at is not None:
            root.due_at = row.due_at if root.due_at is None else min(root.due_at, row.due_at)
            row.due_at = None
        row.folded = row.appended  # a fold of it that is still running loses its compare-and-set
    Meeting.objects.filter(pk=row.pk).update(
        parent=row.parent_id,
        is_parent_told=row.is_parent_told,
        root=row.root_id,
        folded=row.folded,
        due_at=row.due_at,
    )
