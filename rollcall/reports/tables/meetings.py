"""Meetings: the list of them, one with its people, and all with theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rollcall.reports import words
from rollcall.reports.addresses import meeting_page
from rollcall.reports.asking import Takes, now
from rollcall.reports.filters import OF_ATTENDANCE, OF_MEETINGS, OF_PEOPLE
from rollcall.reports.meeting_rows import meeting_group, meeting_row, time_totals
from rollcall.reports.missing import missing_of, section
from rollcall.reports.pictures import people_present
from rollcall.reports.rows import Column, Format, Heading, Kind, Table
from rollcall.reports.subjects import meeting_of
from rollcall.reports.tables.attendees import ATTENDEE_COLUMNS, plain
from rollcall.reports.tables.report import MEETING_NUMBER, Listing, Report
from rollcall.reports.witnesses import told_by
from rollcall.store import reading, searching
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.reports.asking import Asked
    from rollcall.reports.meeting_rows import MeetingRow
    from rollcall.reports.rows import Group

_FILTERS = (*OF_PEOPLE, *OF_MEETINGS)


def _ended_at(row: MeetingRow) -> tuple[int, int | None, int | None]:
    return (row.summary.started_at, row.summary.ended_proved_at, row.summary.ended_possible_at)


MEETING_COLUMNS = (
    Column("meeting_name", _("Meeting"), Kind.NAME, lambda row: row.summary.name, link=meeting_page, sort="name"),
    Column("state", _("State"), Kind.STATE, lambda row: (row.state, row.summary.present), ~Format.JSON),
    Column("started_at", _("Began"), Kind.TIME, lambda row: row.summary.started_at, sort="started"),
    Column("ended", _("Ended"), Kind.ENDED, _ended_at, Format.SCREEN),
    Column(
        "ended_proved_at", _("Ended at the earliest"), Kind.TIME, lambda row: row.summary.ended_proved_at, Format.FILE
    ),
    Column(
        "ended_possible_at", _("Ended at the latest"), Kind.TIME, lambda row: row.summary.ended_possible_at, Format.FILE
    ),
    Column("attendees", _("People"), Kind.COUNT, lambda row: row.summary.attendees, sort="people"),
    Column("present", _("Now in"), Kind.COUNT, lambda row: row.summary.present, ~Format.PAGE),
    Column("server", _("Server"), Kind.HOST, lambda row: row.summary.pool_name, sort="server"),
    Column("site", _("Site"), Kind.HOST, lambda row: row.summary.site, Format.FILE),
    Column("course", _("Course"), Kind.TEXT, lambda row: row.summary.context_label, Format.FILE),
    Column("course_id", _("Course id"), Kind.TEXT, lambda row: row.summary.context_id, Format.FILE),
    Column("external_meeting_id", _("Meeting id"), Kind.TEXT, lambda row: row.summary.external_meeting_id, Format.FILE),
    Column(
        "meeting",
        _("Internal meeting id"),
        Kind.TEXT,
        lambda row: row.summary.meeting.internal_meeting_id,
        ~Format.PAGE,
    ),
    Column("settles_at", _("Settles at"), Kind.TIME, lambda row: row.summary.settles_at, Format.FILE),
    Column("record", _("Record"), Kind.RECORD, lambda row: row.summary.record, Format.FILE),
    Column("unwitnessed_ms", _("Not witnessed"), Kind.DURATION, lambda row: row.summary.unwitnessed_ms, Format.FILE),
    Column(
        "witnessed_once_ms", _("One witness"), Kind.DURATION, lambda row: row.summary.witnessed_once_ms, Format.FILE
    ),
    Column(
        "witnessed_twice_ms",
        _("Several witnesses"),
        Kind.DURATION,
        lambda row: row.summary.witnessed_twice_ms,
        Format.FILE,
    ),
)


MEETING_DETAIL_COLUMNS = (
    Column("length", _("Length"), Kind.JSON, lambda row: row.length and list(row.length[:2]), Format.JSON),
    Column("rooms", _("Rooms"), Kind.JSON, lambda row: plain(row.detail.meetings), Format.JSON),
    Column("blind", _("Blind"), Kind.JSON, lambda row: plain(row.detail.blind), Format.JSON),
    Column("notes", _("Notes"), Kind.JSON, lambda row: plain(row.detail.notes), Format.JSON),
    Column("disagreements", _("Disagreements"), Kind.JSON, lambda row: plain(row.detail.disagreements), Format.JSON),
    Column("changes", _("Changes"), Kind.JSON, lambda row: plain(row.detail.changes), Format.JSON),
)


def meetings_table(rows: Iterable[MeetingRow]) -> Table:
    """These meetings, in this order."""
    return Table("meetings/1", "meetings", MEETING_COLUMNS, rows)


def attendance_table(groups: Iterable[Group]) -> Table:
    """These meetings with their people, in this order."""
    columns = (*MEETING_COLUMNS, *MEETING_DETAIL_COLUMNS)
    return Table("attendance/1", "meetings", columns, groups, inner_key="people", inner=ATTENDEE_COLUMNS)


def _meetings(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    found = searching.every("meetings", asked.wanted, asked.sort)
    return meetings_table(meeting_row(summary, as_of=asked.wanted.as_of) for summary in found)


def _attendance(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return attendance_table(
        meeting_group(summary, people, as_of=asked.wanted.as_of, name=asked.wanted.name)
        for summary, people in reading.each_meeting_with_attendance(asked.wanted)
    )


def _meeting(asked: Asked, subject: Sequence[str], form: Format) -> Table:
    summary = meeting_of(int(subject[0]), asked.inside)
    group = meeting_group(summary, reading.attendees(summary), as_of=now())
    heading = _heading(group.subject, len(group.rows), asked)
    missing = missing_of(group.subject, group.rows, asked.zone, asked.inside)
    table = replace(
        attendance_table([group]),
        heading=heading,
        totals=time_totals(group.rows),
        sections=[section(missing)] if missing else [],
    )
    if form is not Format.PDF or not group.rows:
        return table
    return replace(table, pictures=[people_present(group.rows, group.subject, asked.zone).picture])


def _heading(meeting: MeetingRow, people: int, asked: Asked) -> Heading:
    summary = meeting.summary
    lines = [
        (str(_("Course")), summary.context_label),
        (str(_("Began")), words.day_and_clock(summary.started_at, asked.zone)),
        (
            str(_("Ended")),
            words.ended(summary.started_at, summary.ended_proved_at, summary.ended_possible_at, zone=asked.zone),
        ),
        (str(_("Length")), words.bounds(meeting.length) if meeting.length else ""),
        (str(_("People")), formatting.number(people)),
        (str(_("Server")), summary.pool_name),
        (str(_("Told by")), told_by(meeting, asked.zone)),
    ]
    title = summary.name.strip() or str(_("(no name)"))
    return Heading(title, asked.wanted.as_of, [line for line in lines if line[1]])


MEETINGS = Report(
    name="meetings",
    title=_("Meetings"),
    address="/meetings",
    takes=Takes((*_FILTERS, *OF_ATTENDANCE), searching.SORTS["meetings"]),
    make=_meetings,
    lists="meetings",
    page=Listing(
        table=lambda found, asked: meetings_table(meeting_row(one, as_of=asked.wanted.as_of) for one in found),
        empty=_("No meeting is like that."),
        empty_yet=_("No meeting has been heard of yet."),
        facets=("course", "server", "state"),
    ),
)
ATTENDANCE = Report(
    name="attendance", title=_("Attendance by meeting"), address="/attendance", takes=Takes(_FILTERS), make=_attendance
)
MEETING = Report(
    name="meeting",
    title=_("Attendance"),
    address="/meetings/{}",
    takes=Takes(),
    make=_meeting,
    about=(MEETING_NUMBER,),
)
