"""What stands on the second sheet of a workbook: where its rows are from, and what each column means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollcall.reports import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from django.utils.functional import _StrPromise

    from rollcall.reports.rows import Column, Table
    from rollcall.reports.sheets import Field, Sheet

_MEETING_NAME = gettext_lazy("The name of the meeting.")
_BEGAN = gettext_lazy("When the meeting began.")
_USER_ID = gettext_lazy("The person's id in the LMS. People are told apart by it, never by their names.")

MEANINGS: dict[str, _StrPromise] = {
    # of a meeting
    "meetings.started_at": _BEGAN,
    "person.started_at": _BEGAN,
    "attendances.started_at": _BEGAN,
    "meeting_name": _MEETING_NAME,
    "state": gettext_lazy("Running, ended, or settled: nothing more is expected to change it."),
    "ended_proved_at": gettext_lazy("Somebody was certainly still in at this time."),
    "ended_possible_at": gettext_lazy("By this time the meeting was over; blank while it runs."),
    "attendees": gettext_lazy("How many people were in the meeting, each counted once."),
    "present": gettext_lazy("How many people were in when the file was made."),
    "server": gettext_lazy("The BigBlueButton server the meeting was on."),
    "site": gettext_lazy("The LMS the meeting belongs to."),
    "course": gettext_lazy("The name of the course."),
    "course_id": gettext_lazy("The id of the course in the LMS."),
    "external_meeting_id": gettext_lazy("The id by which the LMS knows the meeting; it may come again."),
    "meeting": gettext_lazy("BigBlueButton's own id of this meeting; no other has it."),
    "settles_at": gettext_lazy("When nothing more is expected to change the meeting."),
    "record": gettext_lazy("The best record that came after the meeting; blank where none did."),
    "unwitnessed_ms": gettext_lazy("For how much of the meeting nothing tells who was in."),
    "witnessed_once_ms": gettext_lazy("For how much of it one source tells who was in."),
    "witnessed_twice_ms": gettext_lazy("For how much of it several sources tell who was in."),
    # of somebody in a meeting
    "name": gettext_lazy("The person's name as BigBlueButton was told it."),
    "external_user_id": _USER_ID,
    "role": gettext_lazy("BigBlueButton's role: MODERATOR or VIEWER."),
    "kind": gettext_lazy("A user of the LMS, a guest, somebody who dialled in, or a connection without a user id."),
    "first_in_at": gettext_lazy("When the person came, at the earliest."),
    "in_by_at": gettext_lazy("By when the person was certainly in; blank where nothing proves it."),
    "out_from_at": gettext_lazy("When the person was certainly in for the last time; blank where nothing proves it."),
    "last_out_at": gettext_lazy("When the person went for the last time, at the latest; blank while that is open."),
    "proved_ms": gettext_lazy("For how long it is proved that the person was in."),
    "possible_ms": gettext_lazy("For how long the person can have been in; blank while that still grows."),
    "share": gettext_lazy("The part of the meeting, from the first to the last person in, that the person attended."),
    "chats": gettext_lazy("Public chat messages that were written."),
    "raise_hands": gettext_lazy("How often a hand was raised."),
    "emojis": gettext_lazy("How many reactions were given."),
    "poll_answers": gettext_lazy("How many polls were answered."),
    "cameras": gettext_lazy("How often a camera was switched on."),
    "talk_ms": gettext_lazy("How long the person talked; blank if no source tells it."),
    "talks": gettext_lazy("How often the person began to talk."),
    "away_ms": gettext_lazy("How long the person was marked as away; blank if no source tells it."),
    "camera_ms": gettext_lazy("How long a camera was on; blank if no source tells it."),
    # of somebody over several meetings
    "meetings": gettext_lazy("In how many meetings."),
    "first_at": gettext_lazy("When the first of these meetings began."),
    "last_at": gettext_lazy("When the last of these meetings began."),
    "people.share": gettext_lazy("The mean of the parts of these meetings that the person attended, at least."),
    # of a course
    "courses.course": gettext_lazy("The name of the course, or else its id."),
    "courses.meetings": gettext_lazy("How many meetings the course had."),
    "people": gettext_lazy("How many people were in one of its meetings."),
    "courses.proved_ms": gettext_lazy("The time of all these people, as far as it is proved."),
    # of days and weeks
    "day": gettext_lazy("The day, or the first day of the week."),
    "use.meetings": gettext_lazy("How many meetings began in that time."),
    "attendances": gettext_lazy("How many people those meetings had, each counted in each meeting."),
    "use.proved_ms": gettext_lazy("The time of all these people added up."),
    # of servers
    "servers.server": gettext_lazy("What the server is called."),
    "address": gettext_lazy("Where its API is asked."),
    "is_polled": gettext_lazy("Whether it is asked who is in."),
    "trouble": gettext_lazy("What was wrong when it was last asked; blank for nothing."),
    "polled_at": gettext_lazy("When it last answered who is in."),
    "hooks_seen_at": gettext_lazy("When its webhooks were last seen to be in place."),
    "arrived_at": gettext_lazy("When a webhook of it last came."),
    "reported_at": gettext_lazy("When a record of it last came."),
    "is_captured": gettext_lazy("Whether what it sends is kept."),
    "coverage.meetings": gettext_lazy("How many meetings it had."),
    "recorded": gettext_lazy("Of how many of them a record came afterwards."),
    "total_ms": gettext_lazy("How long these meetings were in all."),
    "two": gettext_lazy("The part of that time of which several sources tell who was in."),
    "one": gettext_lazy("The part of that time of which one source tells who was in."),
    "none": gettext_lazy("The part of that time of which nothing tells who was in."),
    # of the audit log
    "actor": gettext_lazy("Who did it: an account's name, a token's, or a user id in the LMS."),
    "audit.role": gettext_lazy("As what they came; blank for nobody who is known."),
    "platform": gettext_lazy("The LMS they came from; blank for none."),
    "action": gettext_lazy("What they did."),
    "about": gettext_lazy("What it was about, by the name it has now."),
    "person": gettext_lazy("Whose record it was about, if it was one person's and is still kept."),
    "audit.address": gettext_lazy("The address that was asked for, without the names that were searched for."),
    # of verdicts
    "activity": gettext_lazy("What the activity's latest meeting is called."),
    "verdict": gettext_lazy("Whether the person has met what the activity asks, with corrections."),
    "sentence": gettext_lazy("Why: how much there is, how much is missing, and what is not certain."),
    "completion.reached": gettext_lazy("The part of what is needed that is met, or of all classes that was attended."),
    "met_low": gettext_lazy("In how many classes it is met, at least."),
    "met_high": gettext_lazy("In how many classes it is met, at most."),
    "needed": gettext_lazy("How many classes are needed; 0 where all of them are judged together."),
    "computed": gettext_lazy("The verdict without corrections."),
    "completion.settles_at": gettext_lazy("When nothing more is expected to change it; blank if that is so already."),
    "deliveries": gettext_lazy("Where it is sent, and how far that is."),
    # of what was heard
    "at": gettext_lazy("When it happened."),
    "what": gettext_lazy("What happened, in words."),
    "facts.kind": gettext_lazy("What happened, as BigBlueButton calls it."),
    "room": gettext_lazy("The breakout room it happened in; blank for the class itself."),
    "participant": gettext_lazy("The connection it is told of; everybody has a new one each time they join."),
    "told_by": gettext_lazy("The source that told it."),
    "received_at": gettext_lazy("When Rollcall first received it."),
    "payload": gettext_lazy("What is kept of it, as it is kept."),
}
"""By the keys of columns; with the report's name in front where the same key means something else in it."""


def meaning_of(column: Column, report: str) -> str:
    """What the column means: its own sentence, else that of its key; blank if there is none."""
    key = column.key
    return str(column.about or MEANINGS.get(f"{report}.{key}") or MEANINGS.get(key, ""))


def told(table: Table, sheet: Sheet, zone: tzinfo, *, rows: int) -> list[tuple[str, str]]:
    """Line by line: what, and what is said of it."""
    return [
        *_of_report(table, zone, rows),
        ("", ""),
        (_("Column"), _("What it means")),
        *_of_columns(sheet.of_group, "meetings"),
        *_of_columns(sheet.of_row, table.name.partition("/")[0]),
        ("", ""),
        *((one.title, " ".join((*one.said, *one.noted))) for one in table.sections),
        *_of_cells(zone),
    ]


def _of_report(table: Table, zone: tzinfo, rows: int) -> Iterator[tuple[str, str]]:
    heading = table.heading
    if heading is not None:
        yield _("Report"), heading.title
        yield from heading.lines
        yield from heading.filters or [(_("Filters"), _("None: everything is in it."))]
        yield _("Made at"), f"{words.stamp(heading.made_at, zone)} ({zone})"
    yield _("Rows"), str(rows)
    yield _("Form"), table.name


def _of_columns(fields: Sequence[Field], report: str) -> Iterator[tuple[str, str]]:
    for field in fields:
        yield field.heading, meaning_of(field.column, report)


def _of_cells(zone: tzinfo) -> Iterator[tuple[str, str]]:
    yield _("Times"), _("In the time zone %(zone)s.") % {"zone": zone}
    yield _("Durations"), _("Hours, minutes and seconds; they can be added up.")
    yield _("Blank cells"), _("Not known, or there is nothing to know. Blank is not zero.")
    yield (
        _("At least, at most"),
        _("What is proved, and what is possible: the truth lies between. Where both are the same it is known."),
    )
