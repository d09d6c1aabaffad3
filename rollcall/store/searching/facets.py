"""How the rows of a filter part by server, course, role, kind, state or weekday: what narrowing it would leave.

A facet leaves out its own condition, so that its other values are offered too. Of a large set the newest rows are
counted, and each number says that there are more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rollcall.store.derived import Attendance, Course, Summary
from rollcall.store.searching import attendances
from rollcall.store.searching.clock import DAY_MS, offset_at
from rollcall.store.searching.counting import COUNTING
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.wanted import Counted, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
_LOOKED_AT = 2_000
"""Rows of a large set that are told apart."""

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Facet:
    """One value of it, as a Filter takes it, what it is called, and how many attendances have it."""

    value: str
    label: str
    count: Counted


def facets_of(wanted: Filter, *names: str) -> dict[str, list[Facet]]:
    """Each facet's values, the most frequent first."""
    looks: dict[Filter, tuple[list[dict[str, Any]], bool]] = {}
    found: dict[str, list[Facet]] = {}
    for name in names or FACETS:
        without = replace(wanted, **_OWN[name])
        if without not in looks:
            looks[without] = _rows_of(without)
        rows, is_more = looks[without]
        found[name] = _facets(name, rows, wanted, is_more=is_more)
    return found


def _rows_of(wanted: Filter) -> tuple[list[dict[str, Any]], bool]:
    scope = Scope(wanted, COUNTING)
    columns = ("role", "kind", "summary_id", "started_at")
    if (few := scope.few_rows) is not None:
        return list(few.values(*columns)), False
    name, order = attendances.SORTS.named("")
    taken = attendances.taken(scope, name, order, None, _LOOKED_AT + 1)
    ids = {place[1] for place in taken.places}
    keys = {place[1:] for place in taken.places[:_LOOKED_AT]}
    rows = Attendance.objects.filter(scope.of_rows, scope.of_people(), summary__in=ids).values(*columns, "sort_key")
    is_more = taken.end is not None or len(taken.places) > _LOOKED_AT
    return [row for row in rows if (row["summary_id"], bytes(row["sort_key"])) in keys], is_more


def _facets(name: str, rows: list[dict[str, Any]], wanted: Filter, *, is_more: bool) -> list[Facet]:
    values = Counter(_values(name, rows, wanted))
    labels = _labels(name, values)
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], str(pair[0])))
    shown = ordered if name == "weekday" else ordered[:_SHOWN]
    return [Facet(*labels[value], Counted(number, is_more)) for value, number in shown if value in labels]


def _values(name: str, rows: list[dict[str, Any]], wanted: Filter) -> Iterable[Any]:
    if name in {"role", "kind"}:
        return (row[name] for row in rows)
    if name == "weekday":
        return (_weekday(row["started_at"], wanted) for row in rows)
    meetings = _meetings({row["summary_id"] for row in rows})
    if name == "state":
        return (state_of(meetings[row["summary_id"]], as_of=wanted.as_of).value for row in rows)
    column = "pool_name" if name == "server" else "course_id"
    return (getattr(meetings[row["summary_id"]], column) for row in rows)


def _weekday(at: int, wanted: Filter) -> int:
    return (at + offset_at(wanted.zone, at) + 3 * DAY_MS) // DAY_MS % 7


def _meetings(ids: set[int]) -> dict[int, Summary]:
    rows = Summary.objects.only("pool_name", "course_id", "ended_possible_at", "settles_at")
    found: dict[int, Summary] = {}
    for some in (sorted(ids)[start : start + 500] for start in range(0, len(ids), 500)):
        found |= rows.in_bulk(some)
    return found


def _labels(name: str, values: Iterable[Any]) -> dict[Any, tuple[str, str]]:
    if name != "course":
        return {value: (str(value), str(value)) for value in values if value != ""}
    entries = Course.objects.in_bulk([value for value in values if value is not None])
    return {pk: (bytes(one.key).hex(), one.label or one.context_id) for pk, one in entries.items()}
