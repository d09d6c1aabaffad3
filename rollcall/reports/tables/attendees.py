"""The columns of somebody in a meeting, which several reports have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rollcall.reports.rows import Column, Format, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.reports.meeting_rows import AttendeeRow


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON is
    """What a fold kept, as JSON has it."""
    return msgspec.to_builtins(value)


def _engaged(key: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row.detail.engagement, key)


COUNTED_COLUMNS = (
    Column("chats", _("Chats"), Kind.COUNTED, _engaged("chats"), ~Format.JSON),
    Column("raise_hands", _("Hands"), Kind.COUNTED, _engaged("raise_hands"), ~Format.JSON),
    Column("emojis", _("Reactions"), Kind.COUNTED, _engaged("emojis"), ~Format.JSON),
    Column("poll_answers", _("Poll answers"), Kind.COUNTED, _engaged("poll_answers"), ~Format.JSON),
    Column("cameras", _("Cameras"), Kind.COUNTED, _engaged("cameras"), ~Format.JSON),
    Column("talk_ms", _("Talked"), Kind.COUNTED_TIME, _engaged("talk_ms"), ~Format.JSON),
    Column("talks", _("Times talked"), Kind.COUNTED, _engaged("talks"), Format.SHEET),
    Column("away_ms", _("Away"), Kind.COUNTED_TIME, _engaged("away_ms"), Format.SHEET),
    Column("camera_ms", _("Camera on"), Kind.COUNTED_TIME, _engaged("camera_ms"), Format.SHEET),
)


def _itself(row: AttendeeRow) -> AttendeeRow:
    return row


def _first_proved(row: AttendeeRow) -> int | None:
    return row.detail.proved[0][0] if row.detail.proved else None


def _last_proved(row: AttendeeRow) -> int | None:
    return row.detail.proved[-1][1] if row.detail.proved else None


CERTAIN_TIMES = (
    Column("first_in_at", _("In at the earliest"), Kind.TIME, lambda row: row.attendance.first_in_at, Format.FILE),
    Column("in_by_at", _("In, certainly by"), Kind.TIME, _first_proved, Format.FILE),
    Column("out_from_at", _("Out, certainly not before"), Kind.TIME, _last_proved, Format.FILE),
    Column("last_out_at", _("Out at the latest"), Kind.TIME, lambda row: row.attendance.last_out_at, Format.FILE),
)
"""When somebody came and went: the ends of what is possible, and what is certain."""

TIME_COLUMNS = (
    Column("came", _("In"), Kind.CAME, _itself, Format.SCREEN),
    Column("went", _("Out"), Kind.WENT, _itself, Format.SCREEN),
    *CERTAIN_TIMES,
    Column("time", pgettext_lazy("how long", "Time"), Kind.DURATIONS, lambda row: row.time, Format.SCREEN),
    Column("proved_ms", _("Time at least"), Kind.DURATION, lambda row: row.attendance.proved_ms, Format.FILE),
    Column("possible_ms", _("Time at most"), Kind.DURATION, lambda row: row.attendance.possible_ms, Format.FILE),
    Column("share", _("Share"), Kind.SHARES, lambda row: row.share),
)


ATTENDEE_COLUMNS = (
    Column("name", _("Name"), Kind.NAME, lambda row: row.attendance.name),
    Column("shown_role", _("Role"), Kind.ROLE, lambda row: (row.attendance.role, row.attendance.kind), Format.SCREEN),
    Column("role", _("Role"), Kind.TEXT, lambda row: row.attendance.role, Format.FILE),
    Column("kind", _("Kind"), Kind.TEXT, lambda row: row.attendance.kind, Format.FILE),
    Column(
        "external_user_id", _("User id"), Kind.ID, lambda row: row.attendance.external_user_id, Format.FILE | Format.PDF
    ),
    *TIME_COLUMNS,
    *COUNTED_COLUMNS,
    Column("when", _("When"), Kind.BAR, _itself, Format.PAGE),
    Column("is_present", _("Now in"), Kind.JSON, lambda row: row.attendance.is_present, Format.JSON),
    Column("proved", _("Proved"), Kind.JSON, lambda row: plain(row.detail.proved), Format.JSON),
    Column("possible", _("Possible"), Kind.JSON, lambda row: plain(row.detail.possible), Format.JSON),
    Column("sessions", _("Sessions"), Kind.JSON, lambda row: plain(row.detail.sessions), Format.JSON),
    Column("engagement", _("Engagement"), Kind.JSON, lambda row: plain(row.detail.engagement), Format.JSON),
    Column("witnesses", _("Witnesses"), Kind.JSON, lambda row: plain(row.detail.witnesses), Format.JSON),
)


SORTED_AS = {
    "chats": "chats",
    "raise_hands": "hands",
    "emojis": "reactions",
    "poll_answers": "polls",
    "cameras": "cameras",
    "talk_ms": "talk",
}
"""What an address calls the order by each of the columns that are counted."""
