"""The directories by which attendance is found: people and courses, with totals over all their meetings.

Totals are counted anew from the rows of whoever a fold touched, never added to: whatever the order of the folds, the
last count leaves the truth.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, Sum

from rollcall.derive.rows import order_of, sort_key
from rollcall.feed.faults import Fault, fault_of
from rollcall.store.derived import SEARCHED, Attendance, Course, Person, Recount, Summary
from rollcall.store.fields import storable
from rollcall.store.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from django.db.models import Model

AT_ONCE = 500
"""Keys in one statement: SQLite takes some 32,000 values, older ones 999."""

FEW = 25
"""People in one transaction: of 100 classes each it lasts some 10 ms."""

_Table: TypeAlias = Any
"""Person or Course: Django's stubs know no model that is one of two."""

_TRIES = 5
_SUMS = {
    "meetings": Count("pk"),
    "proved_ms": Sum("proved_ms"),
    "possible_ms": Sum("possible_ms"),
    "open": Count("pk", filter=Q(possible_ms__isnull=True)),
    **{name: Sum(name) for name in SEARCHED},
}
"""What somebody's attendances come to, by the column of Person that keeps it."""

_COUNTED = ("name", "sort_key", "names_key", *_SUMS, "share", "first_at", "last_at")


# --- entries ----------------------------------------------------------------------------------------------------------


def enter_people(entries: Iterable[Mapping[str, Any]]) -> dict[bytes, int]:
    """The primary keys of these people, by key; who is new is entered. Call it outside of the fold's transaction.

    Two folds that meet the same new person would otherwise wait for each other with half of their work done.
    """
    by_key = {entry["key"]: entry for entry in entries}
    new = {"sort_key": b"\0"}
    return _enter(Person, {key: new | dict(entry) for key, entry in by_key.items()})


def enter_course(entry: Mapping[str, Any] | None) -> int | None:
    """The primary key of a course, None for none."""
    return _enter(Course, {entry["key"]: dict(entry)})[entry["key"]] if entry else None


def _enter(table: _Table, entries: Mapping[bytes, dict[str, Any]]) -> dict[bytes, int]:
    known = _known(table, entries)
    for attempt in range(_TRIES):
        missing = sorted(entries.keys() - known.keys())
        if not missing:
            break
        try:
            with transaction.atomic():
                table.objects.bulk_create((table(**entries[key]) for key in missing), batch_size=AT_ONCE)
        except Error as error:
            if fault_of(error) is not Fault.AGAIN or attempt == _TRIES - 1:
                raise
        known |= _known(table, missing)
    return known


def _known(table: _Table, keys: Iterable[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for some in _portions(sorted(keys)):
        rows = table.objects.filter(key__in=some).values_list("key", "pk")
        found |= {bytes(key): pk for key, pk in rows}
    return found


def _portions(keys: list[Any], size: int = AT_ONCE) -> Iterable[list[Any]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


# --- totals -----------------------------------------------------------------------------------------------------------


def note_changed(people: Collection[int | None]) -> None:
    """In the fold's transaction: the totals of these are no longer those of their rows."""
    Recount.objects.bulk_create(Recount(person_id=pk) for pk in sorted(pk for pk in people if pk is not None))


def recount(people: Collection[int | None] | None = None) -> int:
    """Count again whoever a fold has noted, of these people or (None) of all; return how many were.

    It goes by some people at a time, each in a short transaction: somebody with years of classes has many rows, and
    whoever writes facts waits meanwhile. What is not reached stays noted.
    """
    noted = Recount.objects.all()
    if people is not None:
        noted = noted.filter(person__in=[pk for pk in people if pk is not None])
    by_person: dict[int, list[int]] = defaultdict(list)
    for pk, person in noted.order_by("person", "pk").values_list("pk", "person"):
        by_person[person].append(pk)
    counted = 0
    for some in _portions(list(by_person), FEW):
        if _count_again({person: by_person[person] for person in some}):
            counted += len(some)
    return counted


def _count_again(noted: Mapping[int, list[int]]) -> bool:
    """Whether these people were counted; False where another transaction was in the way."""
    try:
        with transaction.atomic():
            count_people(noted)
            # Only what was noted before the count: a fold that came meanwhile has noted its own.
            Recount.objects.filter(pk__in=[pk for pks in noted.values() for pk in pks]).delete()
    except IntegrityError:
        return False  # a fold has just brought somebody back who had no row left
    except Error as error:
        if fault_of(error) is not Fault.AGAIN:
            raise
        return False
    return True


def count_people(pks: Collection[int]) -> None:
    """Write the totals of these people that are no longer what they were, within a transaction.

    Whoever has no row left goes, guests too: of what is not kept no name may stay.
    """
    Person.objects.filter(~Exists(Attendance.objects.filter(person=OuterRef("pk"))), pk__in=pks).delete()
    rows = Person.objects.filter(is_user=True, pk__in=pks).order_by("pk")
    rows = rows.select_for_update(no_key=connection.features.has_select_for_no_key_update)
    held = {row["id"]: row for row in rows.values("id", "key", *_COUNTED)}
    totals: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for total in _by_name(list(held)):
        totals[total["person_id"]].append(total)
    counted = ((pk, _total(bytes(row["key"]), totals.get(pk, []))) for pk, row in held.items())
    changed = [(pk, total) for pk, total in counted if any(held[pk][name] != value for name, value in total.items())]
    _write(Person, _COUNTED, changed)


def _by_name(pks: list[int]) -> Iterable[dict[str, Any]]:
    rows: Any = Attendance.objects.filter(person__in=pks).order_by().values("person_id", "name", "name_key")
    sums = {f"sum_{column}": total for column, total in _SUMS.items()}  # no name of an attendance's own columns
    found: Iterable[dict[str, Any]] = rows.annotate(
        shares=Sum("share"), shared=Count("share"), first=Min("started_at"), last=Max("started_at"), **sums
    )
    return found


def _total(key: bytes, by_name: list[dict[str, Any]]) -> dict[str, Any]:
    """One person's totals out of those under each name they had; the latest name counts, and a missing one never."""
    latest = max(by_name, key=lambda row: (bool(row["name"]), row["last"], row["name"]), default=None)
    name, name_key = (latest["name"], latest["name_key"]) if latest else ("", "")
    shares, shared = (sum(int(row[column] or 0) for row in by_name) for column in ("shares", "shared"))
    return {
        "name": name,
        "sort_key": sort_key(name_key, key),
        "names_key": "\n".join(sorted({row["name_key"] for row in by_name} - {""})),
        **{column: sum(int(row[f"sum_{column}"] or 0) for row in by_name) for column in _SUMS},
        "share": shares // shared if shared else None,
        "first_at": min((row["first"] for row in by_name), default=None),
        "last_at": max((row["last"] for row in by_name), default=None),
    }


def lock_courses(pks: Iterable[int | None]) -> dict[int, Course]:
    """These courses in one order, locked until the transaction ends."""
    rows = Course.objects.select_for_update(no_key=connection.features.has_select_for_no_key_update).order_by("pk")
    return {course.pk: course for course in rows.filter(pk__in=[pk for pk in pks if pk is not None])}


def recount_courses(pks: Iterable[int | None]) -> None:
    """Bring what is said of these courses up to their meetings."""
    for pk, course in lock_courses(pks).items():
        rows = Summary.objects.filter(course=pk).order_by().values("context_label")
        labels = list(
            rows.annotate(count=Count("pk"), last=Max("started_at")).values_list("context_label", "count", "last")
        )
        if not labels:
            course.delete()
            continue
        latest = max(labels, key=lambda row: (bool(row[0]), row[2], row[0]))
        Course.objects.filter(pk=pk).update(
            label=latest[0],
            sort_key=order_of(fold_name(latest[0] or course.context_id)),
            labels_key="\n".join(sorted({fold_name(row[0]) for row in labels} - {""})),
            meetings=sum(row[1] for row in labels),
            last_at=max(row[2] for row in labels),
        )


def _write(table: type[Model], columns: tuple[str, ...], rows: list[tuple[int, dict[str, Any]]]) -> None:
    """One prepared statement for all: Django's bulk_update would build a CASE of each column and row."""
    quote = connection.ops.quote_name
    settings = ", ".join(f"{quote(name)} = %s" for name in columns)
    statement = f"UPDATE {quote(table._meta.db_table)} SET {settings} WHERE id = %s"  # noqa: S608, SLF001 - our own names
    values: list[list[Any]] = [[*(_plain(total[name]) for name in columns), pk] for pk, total in rows]
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(statement, values)


def _plain(value: object) -> object:
    return storable(value) if isinstance(value, str) else value
