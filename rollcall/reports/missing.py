"""Who is missing in a meeting, and on what ground: one answer for the page, the paper, the sheet and the JSON.

Another ground (a roster: enrolled, and never came) is a Ground with its words here; nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rollcall.reports.rows import Column, Format, Kind, Section
from rollcall.store.searching.usual import usually_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
    from rollcall.store.searching.usual import Usual


class Ground(StrEnum):
    """What it rests on that somebody is called missing, or that nobody can be."""

    NO_COURSE = "no-course"
    FIRST_MEETING = "first-meeting"
    LAST_MEETINGS = "last-meetings"


@dataclass(frozen=True, slots=True)
class MissingPerson:
    """Somebody who was expected: in how many of the meetings that were compared they were, and the same in words."""

    name: str
    external_user_id: str
    key: bytes
    meetings: int
    short: str
    why: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Those who are missing, by name; `told` says on what ground, `notes` why one of them may have been there.

    `compared` counts the meetings that tell who usually comes, None where no course is known.
    """

    ground: Ground
    compared: int | None
    people: Sequence[MissingPerson]
    told: str
    notes: Sequence[str] = ()


COLUMNS = (
    Column("name", gettext_lazy("Name"), Kind.NAME, lambda one: one.name),
    Column("external_user_id", gettext_lazy("User id"), Kind.ID, lambda one: one.external_user_id),
    Column("why", gettext_lazy("Why"), Kind.TEXT, lambda one: one.why, ~Format.JSON),
    Column("meetings", gettext_lazy("Meetings"), Kind.COUNT, lambda one: one.meetings, Format.JSON),
)


def missing_of(meeting: MeetingRow, everybody: Sequence[AttendeeRow]) -> Missing | None:
    """The missing of a meeting, `everybody` being all of its people; None while it runs, as they may still come."""
    if meeting.is_running:
        return None
    usual = usually_here(meeting.summary)
    people = [
        MissingPerson(
            name=person.name,
            external_user_id=person.external_user_id,
            key=bytes(person.key),
            meetings=times,
            short=_("%(number)s of %(all)s") % {"number": times, "all": usual.compared},
            why=_("in %(number)s of the last %(all)s meetings") % {"number": times, "all": usual.compared},
        )
        for person, times in usual.people
    ]
    notes = _doubts(meeting, everybody) if people else []
    return Missing(_ground(usual), usual.compared, people, _told(usual), notes)


def section(missing: Missing) -> Section:
    """The same as a part of a file."""
    return Section(
        key="missing",
        title=_("Usually here, not seen"),
        columns=COLUMNS,
        rows_key="people",
        rows=missing.people,
        said=(missing.told,),
        noted=missing.notes,
        about={"ground": missing.ground, "compared": missing.compared},
    )


def _ground(usual: Usual) -> Ground:
    if usual.compared is None:
        return Ground.NO_COURSE
    return Ground.LAST_MEETINGS if usual.compared else Ground.FIRST_MEETING


def _told(usual: Usual) -> str:
    if usual.compared is None:
        return _("No LMS told which course this meeting belongs to, so it cannot be said who is missing.")
    if not usual.compared:
        return _("This is the first meeting of its course that was seen, so it cannot be said who is missing.")
    compared = {"count": usual.compared}
    if usual.people:
        return (
            ngettext(
                "No roster of this course is known. These people were in its last meeting "
                "and were not seen in this one:",
                "No roster of this course is known. These people were in more than half of its last %(count)d meetings "
                "and were not seen in this one:",
                usual.compared,
            )
            % compared
        )
    return (
        ngettext(
            "Everybody who was in the last meeting of this course was seen in this one. No roster of it is known, "
            "so nobody can say who should have been here.",
            "Everybody who was in more than half of the last %(count)d meetings of this course was seen in this one. "
            "No roster of it is known, so nobody can say who should have been here.",
            usual.compared,
        )
        % compared
    )


def _doubts(meeting: MeetingRow, everybody: Sequence[AttendeeRow]) -> list[str]:
    """Why one of them may have been there all the same."""
    notes = []
    if unknown := sum(one.attendance.kind != "user" for one in everybody):
        told = ngettext(
            "%(count)d guest or telephone caller was there, who may be one of them.",
            "%(count)d guests and telephone callers were there, who may be some of them.",
            unknown,
        )
        notes.append(told % {"count": unknown})
    if meeting.detail.blind:
        notes.append(_("Messages may be missing from a part of this meeting, and with them somebody's coming."))
    return notes
