"""Who was enrolled and not seen: members of a roster held against who was there, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollcall.core.roster import Enrolment
from rollcall.reports import words
from rollcall.reports.addresses import meeting_page
from rollcall.reports.meeting_rows import meeting_row
from rollcall.reports.rows import Column, Format, Kind, Section
from rollcall.store.searching import State
from rollcall.store.searching.rosters import missed_by, roster_of
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import tzinfo

    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
    from rollcall.store.derived import Summary
    from rollcall.store.searching import Filter, Inside
    from rollcall.store.searching.rosters import Missed, OnRoster, Roster


class Standing(StrEnum):
    """Of somebody who was expected in a meeting and not seen there."""

    ABSENT = "absent"
    CANNOT_TELL = "cannot-tell"
    LEFT = "left"  # enrolled then, as far as is known, and not any more


@dataclass(frozen=True, slots=True)
class Absentee:
    """One of them. `was_enrolled` is whether that is certain of the time of the meeting."""

    who: OnRoster
    standing: Standing
    was_enrolled: bool


@dataclass(frozen=True, slots=True)
class Absentees:
    """Those of one meeting, whoever has left the course last. `read_at` is the last reading of the roster."""

    read_at: int
    first_at: int
    people: Sequence[Absentee]


@dataclass(frozen=True, slots=True)
class MissedMeeting:
    """A meeting, and how somebody stands to it who was not seen there."""

    meeting: MeetingRow
    absentee: Absentee


MISSED_COLUMNS = (
    Column(
        "meeting_name",
        gettext_lazy("Meeting"),
        Kind.NAME,
        lambda row: row.meeting.summary.name,
        link=lambda row: meeting_page(row.meeting),
    ),
    Column("started_at", gettext_lazy("Began"), Kind.TIME, lambda row: row.meeting.summary.started_at),
    Column(
        "meeting",
        gettext_lazy("Internal meeting id"),
        Kind.TEXT,
        lambda row: row.meeting.summary.meeting.internal_meeting_id,
        Format.JSON,
    ),
    Column("why", gettext_lazy("Why"), Kind.TEXT, lambda row: why(row.absentee, get_current_timezone()), ~Format.JSON),
    Column("standing", gettext_lazy("Roster"), Kind.ID, lambda row: row.absentee.standing, Format.JSON),
)


def absentees_of(meeting: MeetingRow, everybody: Sequence[AttendeeRow], inside: Inside) -> Absentees | None:
    """Who of the roster was not seen in a meeting, `everybody` being all of its people; None without a roster."""
    roster = roster_of(meeting.summary.course, inside=inside)
    if roster is None:
        return None
    here = {one.attendance.external_user_id for one in everybody if one.attendance.kind == "user"}
    doubtful = is_doubtful(meeting, has_others=any(one.attendance.kind != "user" for one in everybody))
    return Absentees(roster.read_at, roster.first_at, missing_from(roster, meeting.summary, here, is_doubtful=doubtful))


def is_doubtful(meeting: MeetingRow, *, has_others: bool) -> bool:
    """Whether somebody may have been there who was not seen; `has_others`: there were guests or telephone callers."""
    return has_others or bool(meeting.detail.blind) or meeting.state is not State.SETTLED


def missing_from(
    roster: Roster, summary: Summary, here: Collection[str], *, is_doubtful: bool = False
) -> list[Absentee]:
    """The learners of a roster who were not among those here; in doubt nobody is told to have been absent for sure."""
    found = []
    for one in roster.expected():
        enrolled = one.enrolment(summary)
        if one.user_id not in here and enrolled in {Enrolment.ENROLLED, Enrolment.PERHAPS}:
            is_certain = enrolled is Enrolment.ENROLLED
            found.append(Absentee(one, _standing(one, is_sure=is_certain and not is_doubtful), is_certain))
    return sorted(found, key=lambda one: one.standing is Standing.LEFT)


def missed_meetings(key: bytes, wanted: Filter) -> Section | None:
    """The meetings of their courses in which somebody was expected and not seen, as a part of their report."""
    rows = [_missed(one, wanted.as_of) for one in missed_by(key, wanted)]
    if not rows:
        return None
    return Section("missed", _("Enrolled, not seen"), MISSED_COLUMNS, "meetings", rows)


def _missed(one: Missed, as_of: int) -> MissedMeeting:
    meeting = meeting_row(one.summary, as_of=as_of)
    is_certain = one.who.enrolment(one.summary) is Enrolment.ENROLLED
    is_sure = is_certain and not is_doubtful(meeting, has_others=one.has_others)
    return MissedMeeting(meeting, Absentee(one.who, _standing(one.who, is_sure=is_sure), is_certain))


def _standing(one: OnRoster, *, is_sure: bool) -> Standing:
    if one.left_at is not None:
        return Standing.LEFT
    return Standing.ABSENT if is_sure else Standing.CANNOT_TELL


def is_of_a_group(summary: Summary) -> bool:
    """Whether it was the room of one group: rosters do not tell who is in which."""
    return bool(summary.group_id)


def name_of(one: OnRoster) -> str:
    """As somebody is called; without a name they are told apart by their number in the LMS."""
    return one.name or _("Participant %(id)s") % {"id": one.user_id}


def on_roster(one: OnRoster | None, zone: tzinfo) -> str:
    """How somebody stands in the course today."""
    if one is None:
        return _("not enrolled")
    if one.left_at is None:
        return _("enrolled") if one.is_learner else _("teaches")
    return _("left on %(day)s") % {"day": formatting.short_date(words.moment(one.left_at, zone).date())}


def why(one: Absentee, zone: tzinfo) -> str:
    """What is known of them, in words."""
    match one.standing:
        case Standing.ABSENT:
            return _("enrolled, never came")
        case Standing.LEFT:
            return left(one.who, zone)
        case _ if one.was_enrolled:
            return _("enrolled, not seen; it cannot be told whether they came")
        case _:
            return _("not seen; it is not known whether they were enrolled then")


def left(one: OnRoster, zone: tzinfo) -> str:
    """When somebody left the course: between two readings of its roster."""
    last = one.stays[-1]
    if last.until_at is None:
        return ""
    days = [
        formatting.short_date(words.moment(at, zone).date()) for at in (last.seen_at or last.from_at, last.until_at)
    ]
    if days[0] == days[1]:
        return _("not seen; left the course on %(day)s") % {"day": days[1]}
    return _("not seen; left the course between %(from)s and %(to)s") % {"from": days[0], "to": days[1]}
