"""A meeting, and somebody in it, as the rows that tables, pages and pictures are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rollcall.reports.details import attendance_detail, summary_detail
from rollcall.reports.rows import Bounds, Group, Shares, share_of, time_total
from rollcall.store.names import matches, search_terms
from rollcall.store.searching import State, state_of
from rollcall.store.searching.rosters import roster_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.reports.details import AttendanceDetail, Room, SummaryDetail
    from rollcall.store.derived import Attendance, Summary


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """A meeting with its detail; `length` is first join to last leave of anybody, None where nobody has said."""

    summary: Summary
    detail: SummaryDetail
    as_of: int
    length: Bounds | None
    rooms: Mapping[str, Room] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Running, ended or settled."""
        return state_of(self.summary, as_of=self.as_of)

    @property
    def is_running(self) -> bool:
        """Whether its end is still to come."""
        return self.summary.ended_possible_at is None

    @property
    def until(self) -> int:
        """Where a picture of it ends, in epoch ms."""
        ended_at = self.summary.ended_possible_at
        return max(self.as_of if ended_at is None else ended_at, self.summary.started_at + 1)


@dataclass(frozen=True, slots=True)
class AttendeeRow:
    """One person in one meeting."""

    attendance: Attendance
    detail: AttendanceDetail
    meeting: MeetingRow

    @property
    def time(self) -> Bounds:
        """How long they were there."""
        possible = self.attendance.possible_ms
        so_far = None if possible is not None else self._possible_until(self.meeting.as_of)
        return Bounds(self.attendance.proved_ms, possible, so_far)

    @property
    def share(self) -> Shares | None:
        """Which part of the class that was; None while it runs or when it has no length."""
        return share_of(self.time, self.meeting.length)

    def _possible_until(self, as_of: int) -> int:
        spans = ((start, as_of if end is None else min(end, as_of)) for start, end in self.detail.possible)
        return sum(max(0, end - start) for start, end in spans)


def meeting_row(summary: Summary, *, as_of: int, people: Sequence[AttendanceDetail] | None = None) -> MeetingRow:
    """A meeting as a row; `people`, if they are known, are all of its people."""
    detail = summary_detail(summary.detail)
    length = Bounds(*detail.length) if detail.length else length_of(people) if people is not None else None
    return MeetingRow(summary, detail, as_of, length, {room.meeting: room for room in detail.meetings})


def attendee_row(one: Attendance, as_of: int) -> AttendeeRow:
    """One row of a list, of a meeting whose other people are not read."""
    return AttendeeRow(one, attendance_detail(one.detail), meeting_row(one.summary, as_of=as_of))


def length_of(people: Sequence[AttendanceDetail]) -> Bounds:
    """From the first join to the last leave of anybody: at least what is proved, at most what is possible."""
    proved = [span for person in people for span in person.proved]
    possible = [span for person in people for span in person.possible]
    shortest = max((end for _, end in proved), default=0) - min((start for start, _ in proved), default=0)
    ends = [end for _, end in possible]
    if any(end is None for end in ends):
        return Bounds(shortest, None)
    longest = max((end for end in ends if end is not None), default=0) - min(
        (start for start, _ in possible), default=0
    )
    return Bounds(shortest, max(shortest, longest))


def meeting_group(summary: Summary, people: Sequence[Attendance], *, as_of: int, name: str = "") -> Group:
    """A meeting and all its people; with a name, the rows of only those who have it."""
    _call_by_the_roster(summary, people)
    details = [attendance_detail(person.detail) for person in people]
    row = meeting_row(summary, as_of=as_of, people=details)
    terms = search_terms(name)
    rows = (AttendeeRow(person, detail, row) for person, detail in zip(people, details, strict=True))
    return Group(row, [one for one in rows if not name or matches(terms, one.attendance.name_key)])


def _call_by_the_roster(summary: Summary, people: Sequence[Attendance]) -> None:
    """Users whom BigBlueButton named by no name are shown by that of the roster, else by their number in the LMS."""
    nameless = [one for one in people if one.kind == "user" and one.external_user_id and not one.name.strip()]
    roster = roster_of(summary.course) if nameless else None
    for one in nameless:
        entry = roster.by_user.get(one.external_user_id) if roster else None
        one.name = (entry and entry.name) or _("Participant %(id)s") % {"id": one.external_user_id}


def mean_share(rows: Iterable[AttendeeRow]) -> Shares | None:
    """The mean of the shares of the classes that have one, between its two ends; None where none has."""
    known = [row.share for row in rows]
    shares = [share for share in known if share is not None]
    if not shares:
        return None
    return Shares(*(sum(ends) / len(shares) for ends in zip(*shares, strict=True)))


def time_totals(rows: Sequence[AttendeeRow]) -> dict[str, Any]:
    """What the times of these rows come to, as they are shown and as files have them; blank where there is no row."""
    if not rows:
        return {}
    possible = [row.attendance.possible_ms for row in rows]
    known = [ms for ms in possible if ms is not None]
    return time_total(sum(row.attendance.proved_ms for row in rows), sum(known) if len(known) == len(rows) else None)
