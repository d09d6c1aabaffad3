"""What the page of a meeting shows: made once for the page, and again for everybody who watches it live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from rollcall.deliveries.told import state_of
from rollcall.reports import words
from rollcall.reports.completion import class_sentences
from rollcall.reports.meeting_rows import MeetingRow, meeting_group
from rollcall.reports.pictures import PATTERNS, time_axis
from rollcall.reports.rows import Bounds, Group, Kind, relabelled, with_ids, worth_showing
from rollcall.reports.tables.attendees import ATTENDEE_COLUMNS
from rollcall.reports.to_html import attendees_to_html
from rollcall.reports.views.frame import files
from rollcall.reports.witnesses import block
from rollcall.store import reading
from rollcall.store.reading import State
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from rollcall.reports.meeting_rows import AttendeeRow
    from rollcall.reports.rows import Column
    from rollcall.store.derived import Attendance, Summary

PAGE = 500
"""People on one page of a meeting; larger classes have several."""


def meeting_parts(
    summary: Summary, *, as_of: int, zone: tzinfo, after: str = "", opened: str = "", runs_it: bool = False
) -> dict[str, Any] | None:
    """The page's contents by name; None if there is nobody of the key `after` to go on from.

    With a key `opened` and no other place it is the page on which that person stands, with their row open. Only to
    whom `runs_it` other meetings of the server are told of.
    """
    people = reading.attendees(summary)
    group = meeting_group(summary, people, as_of=as_of)
    begin = _place(people, after) if after or not opened else _page_with(people, opened)
    if begin is None:
        return None
    shown = group.rows[begin : begin + PAGE]
    is_more = begin + PAGE < len(people)
    verdicts = {} if group.subject.is_running else _verdicts(summary, shown, zone)
    columns, caption = _columns(group, zone), _("Who was there")
    return {
        "summary": summary,
        "meeting": group.subject,
        "everybody": group.rows,
        "patterns": mark_safe(PATTERNS),  # noqa: S308 - a constant
        "facts_line": _about(group.subject, zone),
        "present": words.people(summary.present),
        "attended": words.people(summary.attendees),
        "length": "" if group.subject.is_running else words.bounds(group.subject.length or Bounds(0, 0)),
        "state": words.state_name(group.subject.state),
        "settles": _settles(group.subject, zone),
        "doubts": _doubts(group.subject, zone),
        "witnesses": block(group.subject, people, zone=zone, runs_it=runs_it),
        "relay": None if group.subject.is_running else state_of(summary.meeting_id, as_of=as_of),
        "count": len(shown),
        "table": attendees_to_html(shown, columns, zone, caption=caption, opened=opened, verdicts=verdicts),
        "after": after,
        "files": files(f"/meetings/{summary.meeting_id}", ""),
        "more": f"?after={bytes(shown[-1].attendance.attendee_key).hex()}" if is_more else "",
    }


def _place(people: list[Attendance], after: str) -> int | None:
    """The index behind the person of that key; 0 without one."""
    if not after:
        return 0
    for index, one in enumerate(people, 1):
        if bytes(one.attendee_key).hex() == after:
            return index
    return None


def _page_with(people: list[Attendance], key: str) -> int:
    """Where the page begins that shows the person of that key; the first one without such a person."""
    found = (index for index, one in enumerate(people) if bytes(one.attendee_key).hex() == key)
    return next(found, 0) // PAGE * PAGE


def _verdicts(summary: Summary, shown: Sequence[AttendeeRow], zone: tzinfo) -> dict[str, str]:
    """Of those on the page alone: each one's detail holds all classes of the activity."""
    people = (one.attendance.external_user_id for one in shown)
    return class_sentences(summary, zone, [user for user in people if user])


def _columns(group: Group, zone: tzinfo) -> list[Column]:
    people = ((one.attendance.name, one.attendance.external_user_id) for one in group.rows)
    kept = worth_showing(with_ids(ATTENDEE_COLUMNS, people), group.rows)
    return [_with_hours(column, group.subject, zone) if column.kind is Kind.BAR else column for column in kept]


def _with_hours(column: Column, meeting: MeetingRow, zone: tzinfo) -> Column:
    """The heading of the bars says where they begin and end, and shows the hours between."""
    begin, end = (words.clock(at, zone)[:5] for at in (meeting.summary.started_at, meeting.until))
    return replace(relabelled(column, f"{begin}–{end}"), head=time_axis(meeting, zone))


def _about(meeting: MeetingRow, zone: tzinfo) -> str:
    """When it was, and how long: one line."""
    summary = meeting.summary
    begin = formatting.full_date_and_time(words.moment(summary.started_at, zone))
    if meeting.is_running:
        return _("%(begin)s, running") % {"begin": begin}
    ended = words.times_of_day(summary.ended_proved_at, summary.ended_possible_at, zone)
    return _("%(begin)s – %(end)s") % {"begin": begin, "end": ended}


def _settles(meeting: MeetingRow, zone: tzinfo) -> str:
    """Until when late messages may still change something."""
    if meeting.state is not State.ENDED:
        return ""
    return _("settled from %(time)s on") % {"time": words.clock(meeting.summary.settles_at, zone)}


def _doubts(meeting: MeetingRow, zone: tzinfo) -> list[str]:
    """What makes the numbers less than certain."""
    blind = [words.blind(start, end, cause, zone) for start, end, cause in meeting.detail.blind]
    return blind + words.notes(meeting.detail.notes)
