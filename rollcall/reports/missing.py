"""Who is missing in a meeting, and on what ground: one answer for the page, the paper, the sheet and the JSON.

Where the roster of the course is known it counts; without one, who was in its last meetings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rollcall.reports import words
from rollcall.reports.absentees import absentees_of, is_of_a_group, name_of, why
from rollcall.reports.rows import Column, Format, Kind, Section
from rollcall.store.searching import State
from rollcall.store.searching.usual import usually_here

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from rollcall.reports.absentees import Absentee, Absentees
    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
    from rollcall.store.searching import Inside
    from rollcall.store.searching.usual import Usual


USUAL: Final = "usual"


class Ground(StrEnum):
    """What it rests on that somebody is called missing, or that nobody can be."""

    NO_COURSE = "no-course"
    FIRST_MEETING = "first-meeting"
    LAST_MEETINGS = "last-meetings"
    ROSTER = "roster"
    GROUP_ROOM = "group-room"


@dataclass(frozen=True, slots=True)
class MissingPerson:
    """Somebody who was expected, and why, in few words (where that is not said of all) and in more.

    `standing` is "usual", or how it stands by the roster (Standing); `meetings` in how many of those compared they
    were, None by a roster; `key` is None for somebody who was in no meeting at all.
    """

    name: str
    external_user_id: str
    key: bytes | None
    meetings: int | None
    short: str
    why: str
    standing: str = USUAL


@dataclass(frozen=True, slots=True)
class Missing:
    """Those who are missing, by name; `told` says on what ground, `notes` why one of them may have been there.

    `compared` counts the meetings that tell who usually comes, None where no course is known or a roster tells;
    `read_at` is when that was last read.
    """

    ground: Ground
    compared: int | None
    people: Sequence[MissingPerson]
    told: str
    notes: Sequence[str] = ()
    read_at: int | None = None

    @property
    def title(self) -> str:
        """What it is headed."""
        return _("Enrolled, not seen") if self.read_at is not None else _("Usually here, not seen")


COLUMNS = (
    Column("name", gettext_lazy("Name"), Kind.NAME, lambda one: one.name),
    Column("external_user_id", gettext_lazy("User id"), Kind.ID, lambda one: one.external_user_id),
    Column("why", gettext_lazy("Why"), Kind.TEXT, lambda one: one.why, ~Format.JSON),
    Column("standing", gettext_lazy("Roster"), Kind.ID, lambda one: one.standing, Format.JSON),
    Column("meetings", gettext_lazy("Meetings"), Kind.COUNT, lambda one: one.meetings, Format.JSON),
)


def missing_of(meeting: MeetingRow, everybody: Sequence[AttendeeRow], zone: tzinfo, inside: Inside) -> Missing | None:
    """The missing of a meeting, `everybody` being all of its people; None while it runs, as they may still come.

    Whoever sees only some groups is told nothing by the roster, which does not say who is in which.
    """
    if meeting.is_running:
        return None
    found = absentees_of(meeting, everybody, inside)
    if found is None:
        return _usual(meeting, everybody, inside)
    if inside.bounds.groups is not None or is_of_a_group(meeting.summary):
        told = _("The roster does not tell who is in which group: who is missing is not known.")
        return Missing(Ground.GROUP_ROOM, None, [], told, read_at=found.read_at)
    return _by_roster(found, meeting, everybody, zone)


def _usual(meeting: MeetingRow, everybody: Sequence[AttendeeRow], inside: Inside) -> Missing:
    usual = usually_here(meeting.summary, inside.bounds)
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
        title=missing.title,
        columns=COLUMNS,
        rows_key="people",
        rows=missing.people,
        said=(missing.told,),
        noted=missing.notes,
        about={"ground": missing.ground, "compared": missing.compared, "read_at": missing.read_at},
    )


# --- by the roster ----------------------------------------------------------------------------------------------------


def _by_roster(found: Absentees, meeting: MeetingRow, everybody: Sequence[AttendeeRow], zone: tzinfo) -> Missing:
    people = [_absentee(one, zone) for one in found.people]
    notes = _doubts(meeting, everybody) if people else []
    if meeting.state is State.ENDED and people:
        notes.append(_("Late messages may still say that somebody was there."))
    if found.first_at > meeting.summary.started_at:
        first = {"time": words.day_and_clock(found.first_at, zone)}
        notes.append(_("The roster was read for the first time after this meeting had begun (%(time)s).") % first)
    return Missing(Ground.ROSTER, None, people, _told_by_roster(found, zone), notes, found.read_at)


def _absentee(one: Absentee, zone: tzinfo) -> MissingPerson:
    said = why(one, zone)
    return MissingPerson(name_of(one.who), one.who.user_id, one.who.key, None, said, said, one.standing)


def _told_by_roster(found: Absentees, zone: tzinfo) -> str:
    read = {"time": words.day_and_clock(found.read_at, zone), "count": len(found.people)}
    if not found.people:
        return _("Everybody on the roster, as it was read on %(time)s, was seen.") % read
    return (
        ngettext(
            "On the roster, as it was read on %(time)s, is %(count)d person who was not seen:",
            "On the roster, as it was read on %(time)s, are %(count)d people who were not seen:",
            len(found.people),
        )
        % read
    )


# --- by the last meetings ---------------------------------------------------------------------------------------------


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
