"""What a whole list comes to: told above its rows on paper and in a workbook, and in the last row below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rollcall.reports.filters import OF_ATTENDANCE, OF_PEOPLE
from rollcall.reports.rows import time_total
from rollcall.store import searching
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.reports.asking import Asked
    from rollcall.store.searching import Counted, Totals


def sums_of(lists: str, asked: Asked) -> tuple[list[tuple[str, str]], Mapping[str, Any]]:
    """How many there are, in lines of a heading, and the values of a last row by the keys of columns."""
    found = searching.totals(asked.wanted, lists)
    counts = {
        "courses": (_("Courses"), searching.count("courses", asked.wanted) if lists == "courses" else None),
        "meetings": (_("Meetings"), found.meetings),
        "attendances": (_("Attendances"), found.attendances),
        "people": (_("People"), searching.count("people", asked.wanted) if lists == "people" else found.people),
    }
    lines = [(label, told(count)) for label, count in counts.values() if count is not None]
    return lines, _last_row(lists, found, asked)


def told(count: Counted) -> str:
    """10,000+ where counting was stopped."""
    return formatting.number(count.number) + ("+" if count.is_more else "")


def _last_row(lists: str, found: Totals, asked: Asked) -> dict[str, Any]:
    of_rows = {*OF_PEOPLE, *OF_ATTENDANCE} & {*asked.words}
    if lists == "meetings":
        # A row says how many were in the meeting, also if only some of them were looked for.
        is_sum = not of_rows and not found.attendances.is_more
        return {"attendees": found.attendances.number} if is_sum else {}
    if found.proved_ms is None or not found.attendances.number:
        return {}
    if lists == "courses":
        return {
            "meetings": found.meetings.number,
            "attendances": found.attendances.number,
            "proved_ms": found.proved_ms,
        }
    return time_total(found.proved_ms, found.possible_ms)
