"""Named queries about one meeting: its people, its log, how far it has been folded. Lists are found by searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from django.db.models import Q

from rollcall.store import searching
from rollcall.store.derived import Attendance, Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.searching.wanted import LARGEST, Filter, State, state_of
from rollcall.store.servers_read import (
    Coverage,
    RecordHistory,
    coverage,
    record_history,
    server_names,
    server_of,
    servers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LARGEST",
    "RECORDS",
    "Coverage",
    "FactCursor",
    "Filter",
    "Progress",
    "RecordHistory",
    "State",
    "attendee",
    "attendees",
    "coverage",
    "documents",
    "each_meeting_with_attendance",
    "facts",
    "facts_of_kind",
    "first_of_kind",
    "is_refused",
    "meeting",
    "newest_meetings",
    "progress",
    "record_history",
    "server_names",
    "server_of",
    "servers",
    "state_of",
]

_BATCH = 200


def newest_meetings(wanted: Filter, *, limit: int) -> list[Summary]:
    """The first page of the list of meetings."""
    return searching.page("meetings", wanted, limit=limit).rows


def each_meeting_with_attendance(wanted: Filter) -> Iterator[tuple[Summary, list[Attendance]]]:
    """All meetings of a filter with everybody who was in them: what a meeting was like follows from all of them."""
    batch: list[Summary] = []
    for summary in searching.each_meeting(wanted):
        batch.append(summary)
        if len(batch) == _BATCH:
            yield from _with_attendance(batch)
            batch = []
    yield from _with_attendance(batch)


def _with_attendance(batch: list[Summary]) -> Iterator[tuple[Summary, list[Attendance]]]:
    people: dict[int, list[Attendance]] = {summary.pk: [] for summary in batch}
    for attendance in Attendance.objects.filter(summary__in=batch).select_related("person").order_by("sort_key"):
        people[attendance.summary_id].append(attendance)
    for summary in batch:
        yield summary, people[summary.pk]


def meeting(pk: int) -> Summary | None:
    """The summary of a meeting, or of the family it is a room of."""
    if pk > LARGEST:
        return None
    found = Summary.objects.select_related("meeting", "course")
    # Two questions, each with an index: a database that is asked for both at once looks at all meetings.
    return found.filter(meeting=pk).first() or found.filter(meeting__breakouts=pk).first()


def attendees(summary: Summary, *, limit: int | None = None, after: bytes | None = None) -> list[Attendance]:
    """The people of one meeting in the report's own order."""
    found = summary.attendance.select_related("person").order_by("sort_key")
    if after is not None:
        found = found.filter(sort_key__gt=after)
    return list(found[:limit] if limit is not None else found)


class FactCursor(NamedTuple):
    """The place of a fact in the log of a family, which is by time."""

    at: int
    meeting: int
    seq: int

    @classmethod
    def of(cls, fact: Fact) -> Self:
        """Where it stands."""
        return cls(fact.at, fact.meeting_id, fact.seq)


def facts(summary: Summary, *, limit: int, after: FactCursor | None = None) -> list[Fact]:
    """The log of a family by time, from just after a fact on."""
    rooms = Q(meeting=summary.meeting_id) | Q(meeting__root=summary.meeting_id)
    found = Fact.objects.filter(rooms).select_related("meeting").order_by("at", "meeting_id", "seq")
    if after is not None:
        is_later = Q(at=after.at, meeting_id=after.meeting, seq__gt=after.seq)
        is_later |= Q(at=after.at, meeting_id__gt=after.meeting) | Q(at__gt=after.at)
        found = found.filter(is_later)
    return list(found[:limit])


def facts_of_kind(summary: Summary, kind: str) -> list[Fact]:
    """All facts of one kind in the log of a family, in no particular order."""
    rooms = Q(meeting=summary.meeting_id) | Q(meeting__root=summary.meeting_id)
    return list(Fact.objects.filter(rooms, kind=kind))


def first_of_kind(summary: Summary, kind: str) -> list[Fact]:
    """One fact of the class itself, the first of its kind that came, if there is any."""
    return list(Fact.objects.filter(meeting=summary.meeting_id, kind=kind).order_by("seq")[:1])


RECORDS = ("events-xml", "analytics-callback", "data-json")
"""The kinds of facts that are a whole document each."""


def documents(summary: Summary) -> list[Fact]:
    """The records of a family as they came, without their content, in the order in which they did."""
    rooms = Q(meeting=summary.meeting_id) | Q(meeting__root=summary.meeting_id)
    found = Fact.objects.filter(rooms, kind__in=RECORDS).select_related("meeting").defer("payload", "identity")
    return sorted(found, key=lambda fact: (fact.received_at, fact.meeting_id, fact.seq))


def is_refused(pk: int) -> bool:
    """Whether a meeting was heard of and is not kept, because capture is switched off for it."""
    return pk <= LARGEST and Meeting.objects.filter(pk=pk, is_refused=True).exists()


def attendee(summary: Summary, key: bytes) -> Attendance | None:
    """One person of one meeting."""
    return summary.attendance.filter(attendee_key=key).select_related("person").first()


class Progress(NamedTuple):
    """How far a meeting's log has been folded; when it changes there is something new to show."""

    appended: int
    folded: int
    root: int | None


def progress(pk: int) -> Progress | None:
    """The counters of a meeting, None if there is no such meeting."""
    row = Meeting.objects.filter(pk=pk).values_list("appended", "folded", "root_id").first()
    return None if row is None else Progress(*row)
