"""Where the pages of meetings and people are, for the links of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow


def meeting_page(row: MeetingRow) -> str:
    """The address of a meeting's page."""
    return f"/meetings/{row.summary.meeting_id}"


def person_page(key: bytes | None) -> str:
    """The address of a person's page, blank for somebody without an identity."""
    return f"/people/{bytes(key).hex()}" if key else ""


def opened(row: AttendeeRow) -> str:
    """The meeting's page, with this person's row open."""
    key = bytes(row.attendance.attendee_key).hex()
    return f"{meeting_page(row.meeting)}?open={key}#p-{key}"


def why_page(row: AttendeeRow) -> str:
    """Why somebody's time is what it is, and what was heard of them."""
    return f"{meeting_page(row.meeting)}/facts/{bytes(row.attendance.attendee_key).hex()}"


def person_of_row(row: AttendeeRow) -> str:
    """The page of the person of a row."""
    return person_page(row.attendance.person_key)
