"""A row for each person in each meeting: who, when in, when out, how long, how actively. The search that goes deepest.

Pages show what is certain and what is possible, and open what was kept of each row; files may have millions of rows and
read only the columns they show.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rollcall.reports.addresses import opened, person_of_row, why_page
from rollcall.reports.asking import Takes
from rollcall.reports.details import proved_spans, summary_detail
from rollcall.reports.filters import OF_ATTENDANCE, OF_MEETINGS, OF_PEOPLE
from rollcall.reports.meeting_rows import attendee_row
from rollcall.reports.rows import Bounds, Column, Format, Kind, Shares, Table, on_screens, share_of, with_ids
from rollcall.reports.tables.attendees import CERTAIN_TIMES, COUNTED_COLUMNS, SORTED_AS, TIME_COLUMNS
from rollcall.reports.tables.report import Listing, Report
from rollcall.store import searching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rollcall.reports.asking import Asked
    from rollcall.reports.meeting_rows import AttendeeRow


def _of(row: str) -> Callable[[Any], Any]:
    return attrgetter(row)


class _Class(NamedTuple):
    """What the rows of one meeting have in common: its length, and what a count of nothing means."""

    length: Bounds | None
    none: int | None


@lru_cache(512)
def _class(kept: bytes) -> _Class:
    """Only a whole events.xml of the class and of each of its rooms tells that there was nothing to count."""
    detail = summary_detail(kept)
    records = [room.witnesses.recording for room in detail.meetings]
    is_told = bool(records) and all(record is not None and record.is_whole for record in records)
    return _Class(Bounds(*detail.length) if detail.length else None, 0 if is_told else None)


def _counted(key: str) -> Callable[[Any], int | None]:
    """What was seen; None where nothing was, and nobody told who could know that there was nothing."""
    seen = attrgetter(key)
    return lambda row: seen(row) or _class(row.meeting_detail).none


def _shares(row: Any) -> Shares | None:  # noqa: ANN401 - a row as the database gave it
    return share_of(Bounds(row.proved_ms, row.possible_ms), _class(row.meeting_detail).length)


def _in_by(row: Any) -> int | None:  # noqa: ANN401 - the same
    if row.detail is None:
        return row.first_in_at  # type: ignore[no-any-return]
    proved = proved_spans(row.detail)
    return proved[0][0] if proved else None


def _out_from(row: Any) -> int | None:  # noqa: ANN401 - the same
    if row.detail is None:
        return row.last_out_at  # type: ignore[no-any-return]
    proved = proved_spans(row.detail)
    return proved[-1][1] if proved else None


_TIMES = {
    "first_in_at": _of("first_in_at"),
    "in_by_at": _in_by,
    "out_from_at": _out_from,
    "last_out_at": _of("last_out_at"),
}

_SHOWN = (
    Column("name", _("Name"), Kind.NAME, _of("attendance.name"), Format.SCREEN, person_of_row, sort="name"),
    Column("external_user_id", _("User id"), Kind.ID, _of("attendance.external_user_id"), Format.PDF),
    Column("meeting_name", _("Meeting"), Kind.NAME, _of("meeting.summary.name"), Format.SCREEN, opened, sort="meeting"),
    Column("started_at", _("Date"), Kind.TIME, _of("attendance.started_at"), Format.SCREEN, sort="started"),
    Column(
        "shown_role",
        _("Role"),
        Kind.ROLE,
        lambda row: (row.attendance.role, row.attendance.kind),
        Format.SCREEN,
        sort="role",
    ),
    *(replace(column, sort=column.key) for column in TIME_COLUMNS if column.key in {"came", "went"}),
    Column(
        "time",
        pgettext_lazy("how long", "Time"),
        Kind.DURATIONS,
        lambda row: row.time,
        Format.SCREEN,
        why_page,
        sort="time",
    ),
    Column("share", _("Share"), Kind.SHARES, lambda row: row.share, Format.SCREEN, sort="share"),
    *(on_screens(column, sort=SORTED_AS[column.key]) for column in COUNTED_COLUMNS[:6]),
)

_KEPT = (
    Column("name", _("Name"), Kind.NAME, _of("name"), Format.FILE, sort="name"),
    Column("external_user_id", _("User id"), Kind.TEXT, _of("external_user_id"), Format.FILE),
    Column("meeting_name", _("Meeting"), Kind.NAME, _of("meeting_name"), Format.FILE),
    Column("course", _("Course"), Kind.TEXT, _of("course_label"), Format.FILE),
    Column("course_id", _("Course id"), Kind.TEXT, _of("course_id"), Format.FILE),
    Column("started_at", _("Date"), Kind.TIME, _of("started_at"), Format.FILE),
    Column("role", _("Role"), Kind.TEXT, _of("role"), Format.FILE),
    Column("kind", _("Kind"), Kind.TEXT, _of("kind"), Format.FILE),
    *(replace(column, of=_TIMES[column.key], shown=Format.FILE) for column in CERTAIN_TIMES),
    Column("proved_ms", _("Time at least"), Kind.DURATION, _of("proved_ms"), Format.FILE),
    Column("possible_ms", _("Time at most"), Kind.DURATION, _of("possible_ms"), Format.FILE),
    Column("share", _("Share"), Kind.SHARES, _shares, Format.FILE),
    Column("chats", _("Chats, at least"), Kind.COUNT, _counted("chats"), Format.FILE),
    Column("raise_hands", _("Hands, at least"), Kind.COUNT, _counted("raise_hands"), Format.FILE),
    Column("emojis", _("Reactions, at least"), Kind.COUNT, _counted("emojis"), Format.FILE),
    Column("poll_answers", _("Poll answers, at least"), Kind.COUNT, _counted("poll_answers"), Format.FILE),
    Column("cameras", _("Cameras, at least"), Kind.COUNT, _counted("cameras"), Format.FILE),
    Column("talk_ms", _("Talked, at least"), Kind.DURATION, _counted("talk_ms"), Format.FILE),
    Column("site", _("Site"), Kind.TEXT, _of("site"), Format.FILE),
    Column("server", _("Server"), Kind.TEXT, _of("server"), Format.FILE),
    Column("meeting", _("Internal meeting id"), Kind.TEXT, _of("internal_meeting_id"), Format.FILE),
)

COLUMNS = (*_SHOWN, *_KEPT)


def table(found: Iterable[Any]) -> Table:
    """These rows, in this order."""
    return Table("attendances/1", "attendances", COLUMNS, found)


def shown(found: Iterable[Any], *, as_of: int) -> list[AttendeeRow]:
    """The rows of a page."""
    return [attendee_row(one, as_of) for one in found]


def page_table(found: Iterable[Any], *, as_of: int) -> Table:
    """The rows of a page as a table."""
    on_page = shown(found, as_of=as_of)
    people = ((one.attendance.name, one.attendance.external_user_id) for one in on_page)
    return replace(table(on_page), columns=with_ids(_SHOWN, people))


def _make(asked: Asked, _subject: Sequence[str], form: Format) -> Table:
    if form in Format.FILE:
        return table(searching.each_attendance(asked.wanted, asked.sort))
    found = searching.every("attendances", asked.wanted, asked.sort)
    return table(attendee_row(one, asked.wanted.as_of) for one in found)


ATTENDANCES = Report(
    name="attendances",
    title=_("Attendance"),
    address="/attendances",
    takes=Takes((*OF_PEOPLE, *OF_MEETINGS, *OF_ATTENDANCE), searching.SORTS["attendances"]),
    make=_make,
    lists="attendances",
    page=Listing(
        table=lambda found, asked: page_table(found, as_of=asked.wanted.as_of),
        empty=_("Nobody like that was in such a meeting."),
        empty_yet=_("Nobody has been in a meeting yet."),
        facets=("course", "server", "role", "kind"),
        lines=lambda found, _asked: table(searching.line_of(one) for one in found),
    ),
)
