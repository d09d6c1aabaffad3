"""Meetings: the list of them, one with its people, and all with theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rollcall.reports import formatting, rows, words
from rollcall.reports.asking import Takes, now
from rollcall.reports.filters import OF_ATTENDANCE, OF_MEETINGS, OF_PEOPLE
from rollcall.reports.pictures import people_present
from rollcall.reports.rows import Format, Heading
from rollcall.reports.subjects import meeting_of
from rollcall.reports.tables.report import Report
from rollcall.store import reading, searching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.reports.asking import Asked
    from rollcall.reports.rows import Table

_FILTERS = (*OF_PEOPLE, *OF_MEETINGS)


def _meetings(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    found = searching.every("meetings", asked.wanted, asked.sort)
    return rows.meetings_table(rows.meeting_row(summary, as_of=asked.wanted.as_of) for summary in found)


def _attendance(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return rows.attendance_table(
        rows.meeting_group(summary, people, as_of=asked.wanted.as_of, name=asked.wanted.name)
        for summary, people in reading.each_meeting_with_attendance(asked.wanted)
    )


def _meeting(asked: Asked, subject: Sequence[str], form: Format) -> Table:
    summary = meeting_of(int(subject[0]))
    group = rows.meeting_group(summary, reading.attendees(summary), as_of=now())
    heading = _heading(group.subject, len(group.rows), asked)
    table = replace(rows.attendance_table([group]), heading=heading, totals=rows.time_totals(group.rows))
    if form is not Format.PDF or not group.rows:
        return table
    return replace(table, pictures=[people_present(group.rows, group.subject, asked.zone).picture])


def _heading(meeting: rows.MeetingRow, people: int, asked: Asked) -> Heading:
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
)
ATTENDANCE = Report(
    name="attendance", title=_("Attendance by meeting"), address="/attendance", takes=Takes(_FILTERS), make=_attendance
)
MEETING = Report(name="meeting", title=_("Attendance"), address="/meetings/{}", takes=Takes(), make=_meeting)
