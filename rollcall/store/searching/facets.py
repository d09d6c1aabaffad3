"""How the rows of a filter part by server, course, role, kind, state or weekday: what narrowing it would leave.

A facet leaves out its own condition, so that its other values are offered too. Of a large set the newest rows are
counted, and each number says that there are more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import F

from rollcall.store.derived import Attendance, Course, Summary
from rollcall.store.searching import attendances, meetings
from rollcall.store.searching.clock import DAY_MS, offset_at
from rollcall.store.searching.counting import COUNTING
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.wanted import Counted, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rollcall.store.searching.wanted import Filter

FACETS: Final = ("course", "server", "role", "kind", "state", "weekday")
_OWN: Final[Mapping[str, dict[str, Any]]] = {
    "course": {"course": ""},
    "server": {"server": ""},
    "role": {"role": ""},
    "kind": {"kind": ""},
    "state": {"state": None},
    "weekday": {"weekdays": frozenset()},
}
_OF_ATTENDANCE: Final = frozenset({"role", "kind"})
_BY_MEETING: Final = frozenset({"meetings", "courses"})
_UNIT: Final[Mapping[str, Callable[[Mapping[str, Any]], int | None]]] = {
    "meetings": lambda row: row["summary_id"],
    "attendances": lambda row: row["pk"],
    "people": lambda row: row["person_id"] if row["is_user"] else None,
    "courses": lambda row: row["course_id"],
}
"""What a list has a row for; None is in no row of it."""

_LOOKED_AT = 2_000
"""Rows of a large set that are told apart."""

SHOWN = 20


class _Look(NamedTuple):
    """Attendances or meetings, and whether there are more of them."""

    rows: list[dict[str, Any]]
    is_more: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One value of it, as a Filter takes it, what it is called, and how many of the list have it."""

    value: str
    label: str
    count: Counted


def facets_of(wanted: Filter, *names: str, of: str = "attendances") -> dict[str, list[Facet]]:
    """Each facet's values, the most frequent first, with how many of a list have it: its rows are counted."""
    looks: dict[tuple[Filter, bool], _Look] = {}
    found: dict[str, list[Facet]] = {}
    for name in names or FACETS:
        without = replace(wanted, **_OWN[name])
        by_meeting = of in _BY_MEETING and name not in _OF_ATTENDANCE
        if (without, by_meeting) not in looks:
            looks[without, by_meeting] = _meetings_of(without) if by_meeting else _rows_of(without)
        found[name] = _facets(name, looks[without, by_meeting], wanted, _UNIT[of])
    return found


def _meetings_of(wanted: Filter) -> _Look:
    """Meetings, also those in which nobody was."""
    scope = Scope(wanted, COUNTING)
    rows = meetings.few_summaries(scope)
    is_more = False
    if rows is None:
        name, order = meetings.SORTS.named("")
        taken = meetings.taken(scope, name, order, None, _LOOKED_AT + 1)
        rows = Summary.objects.filter(pk__in=[place[-1] for place in taken.places[:_LOOKED_AT]])
        is_more = taken.end is not None or len(taken.places) > _LOOKED_AT
    found: Any = rows.order_by().values("started_at", "course_id", summary_id=F("pk"))
    return _Look(list(found), is_more)


def _rows_of(wanted: Filter) -> _Look:
    scope = Scope(wanted, COUNTING)
    columns = ("pk", "role", "kind", "summary_id", "started_at", "person_id")
    more = {"is_user": F("person__is_user"), "course_id": F("summary__course_id")}
    if (few := scope.few_rows) is not None:
        return _Look(list(few.order_by().values(*columns, **more)), is_more=False)
    name, order = attendances.SORTS.named("")
    taken = attendances.taken(scope, name, order, None, _LOOKED_AT + 1)
    ids = {place[1] for place in taken.places}
    keys = {place[1:] for place in taken.places[:_LOOKED_AT]}
    rows = Attendance.objects.filter(scope.of_rows, scope.of_people(), summary__in=ids)
    found = rows.values(*columns, "sort_key", **more)
    is_more = taken.end is not None or len(taken.places) > _LOOKED_AT
    return _Look([row for row in found if (row["summary_id"], bytes(row["sort_key"])) in keys], is_more)


def _facets(name: str, look: _Look, wanted: Filter, unit: Callable[[Mapping[str, Any]], int | None]) -> list[Facet]:
    valued = zip(_values(name, look.rows, wanted), map(unit, look.rows), strict=True)
    values = Counter(value for value, one in set(valued) if one is not None)
    labels = _labels(name, values)
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], str(pair[0])))
    shown = ordered if name == "weekday" else ordered[:SHOWN]
    return [Facet(*labels[value], Counted(number, look.is_more)) for value, number in shown if value in labels]


def _values(name: str, rows: list[dict[str, Any]], wanted: Filter) -> Iterable[Any]:
    if name in {"role", "kind"}:
        return (row[name] for row in rows)
    if name == "weekday":
        return (_weekday(row["started_at"], wanted) for row in rows)
    if name == "course":
        return (row["course_id"] for row in rows)
    held = _held({row["summary_id"] for row in rows})
    if name == "state":
        return (state_of(held[row["summary_id"]], as_of=wanted.as_of).value for row in rows)
    return (held[row["summary_id"]].pool_name for row in rows)


def _weekday(at: int, wanted: Filter) -> int:
    return (at + offset_at(wanted.zone, at) + 3 * DAY_MS) // DAY_MS % 7


def _held(ids: set[int]) -> dict[int, Summary]:
    rows = Summary.objects.only("pool_name", "ended_possible_at", "settles_at")
    found: dict[int, Summary] = {}
    for some in (sorted(ids)[start : start + 500] for start in range(0, len(ids), 500)):
        found |= rows.in_bulk(some)
    return found


def _labels(name: str, values: Iterable[Any]) -> dict[Any, tuple[str, str]]:
    if name != "course":
        return {value: (str(value), str(value)) for value in values if value != ""}
    entries = Course.objects.in_bulk([value for value in values if value is not None])
    return {pk: (bytes(one.key).hex(), one.label or one.context_id) for pk, one in entries.items()}
