"""What was heard, fact by fact: the last answer to "why"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rollcall.bbb.payloads import decode
from rollcall.core import events
from rollcall.core.events import (
    AttendeeReported,
    MeetingListed,
    MeetingRecorded,
    MeetingReported,
    PollAnswered,
    PollStarted,
    Source,
)
from rollcall.core.people import parent_participant
from rollcall.reports import words
from rollcall.reports.asking import bad_place
from rollcall.reports.details import attendance_detail, summary_detail
from rollcall.store import reading, searching
from rollcall.store.reading import FactCursor
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

    from django.utils.functional import _StrPromise

    from rollcall.core.events import Anything, Listed
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.facts import Fact

logger = structlog.get_logger(__name__)

MOST = 20_000
"""Facts of one family that are looked through for those of one person; more has no class of a day."""

_WHAT: dict[str, _StrPromise] = {
    events.MeetingCreated.kind: gettext_lazy("the meeting was created"),
    events.MeetingEnded.kind: gettext_lazy("the meeting ended"),
    events.UserJoined.kind: gettext_lazy("joined"),
    events.UserLeft.kind: gettext_lazy("left"),
    events.AudioJoined.kind: gettext_lazy("joined the audio"),
    events.AudioLeft.kind: gettext_lazy("left the audio"),
    events.AudioMuted.kind: gettext_lazy("microphone off"),
    events.AudioUnmuted.kind: gettext_lazy("microphone on"),
    events.CameraStarted.kind: gettext_lazy("camera on"),
    events.CameraEnded.kind: gettext_lazy("camera off"),
    events.EmojiChanged.kind: gettext_lazy("reaction"),
    events.RaiseHandChanged.kind: gettext_lazy("hand"),
    events.ChatSent.kind: gettext_lazy("chat message"),
    events.PollStarted.kind: gettext_lazy("a poll began"),
    events.PollAnswered.kind: gettext_lazy("a poll was answered"),
    events.MeetingListed.kind: gettext_lazy("listed by the server"),
    events.MeetingMissing.kind: gettext_lazy("the server did not list the meeting"),
    events.WentBlind.kind: gettext_lazy("messages may be missing"),
    events.TalkingStarted.kind: gettext_lazy("began to talk"),
    events.TalkingEnded.kind: gettext_lazy("stopped talking"),
    events.RecordingMarked.kind: gettext_lazy("pressed the recording button"),
}

_NOTICED: dict[str, _StrPromise] = {
    "meeting-recording-started": gettext_lazy("the recording began"),
    "meeting-recording-stopped": gettext_lazy("the recording stopped"),
    "meeting-recording-unhandled": gettext_lazy("something about the recording"),
    "meeting-screenshare-started": gettext_lazy("a screen was shared"),
    "meeting-screenshare-stopped": gettext_lazy("a screen was no longer shared"),
    "user-audio-unhandled": gettext_lazy("something about the audio"),
    "user-presenter-assigned": gettext_lazy("became presenter"),
    "user-presenter-unassigned": gettext_lazy("was no longer presenter"),
}
"""What is kept, shown, and counted for nothing."""

_HEADS = (events.MeetingRecorded, events.MeetingReported)
"""Each document begins with one."""

_OF_EVERYBODY = (events.MeetingCreated, events.MeetingEnded, events.MeetingMissing, events.WentBlind, *_HEADS)

MOST_INSIDE = 500
"""Events of one document that are shown of one person."""


@dataclass(frozen=True, slots=True)
class ShownFact:
    """One line: when it happened and first reached us, as epoch ms and in the reader's zone; what, and from whom.

    `room` is blank for what is of the class itself.
    """

    at: int
    received_at: int
    clock: str
    received_clock: str
    what: str
    participant: str
    source: str
    told_by: str
    kind: str
    payload: str
    inside: tuple[str, ...] = ()
    room: str = ""


def page_of_facts(summary: Summary, *, after: str, limit: int) -> searching.Page[Fact]:
    """So many facts from a place in the log on, which is written as addresses have it; Refused if it is none."""
    found = reading.facts(summary, limit=limit + 1, after=_cursor(after))
    shown = found[:limit]
    following = "-".join(map(str, FactCursor.of(shown[-1]))) if len(found) > limit else ""
    return searching.Page(shown, after=following)


def _cursor(text: str) -> FactCursor | None:
    if not text:
        return None
    try:
        numbers = [int(part) for part in text.rsplit("-", 2)]
    except ValueError:
        raise bad_place() from None
    if len(numbers) != 3 or any(abs(number) > reading.LARGEST for number in numbers):
        raise bad_place()
    return FactCursor(*numbers)


def facts_of_meeting(summary: Summary, facts: Iterable[Fact], zone: tzinfo) -> list[ShownFact]:
    """Every fact a line; who voted in a secret poll is left out of its own."""
    polls, rooms = _open_polls(summary), _rooms(summary)
    shown = []
    for fact in facts:
        told = _events_of(fact)
        line = _shown(fact, told, zone, rooms)
        shown.append(line if all(_may_be_shown(event, polls) for event in told) else replace(line, payload=""))
    return shown


def facts_of_attendee(
    summary: Summary, attendance: Attendance, zone: tzinfo, *, is_alone: bool = False
) -> list[ShownFact]:
    """The facts one person's attendance rests on: those of their connections, the lists, and the meeting's own.

    Who `is_alone`, seeing that one person only, is not told either how many others a list or a document tells of.
    """
    rooms = _rooms(summary)
    found = [_shown(fact, told, zone, rooms, names) for fact, told, names in told_of_attendee(summary, attendance)]
    return list(map(_without_others, found)) if is_alone else found


def _without_others(line: ShownFact) -> ShownFact:
    if line.kind in reading.RECORDS:
        return replace(line, what=line.told_by)
    return replace(line, payload="") if line.kind == MeetingListed.kind else line


def _rooms(summary: Summary) -> dict[str, str]:
    """The breakout rooms of the class: each one's name by its internal meeting id."""
    return {room.meeting: room.name or room.meeting for room in summary_detail(summary.detail).meetings[1:]}


def told_of_attendee(summary: Summary, attendance: Attendance) -> Iterator[tuple[Fact, list[Anything], set[str]]]:
    """Each fact that speaks of one person, with what in it does; and the ids the person goes by.

    What holds for everybody, such as the end of a meeting, is of the class itself and of rooms the person was in.
    """
    sessions = attendance_detail(attendance.detail).sessions
    participants = {session.participant for session in sessions if session.participant}
    names = {*participants, attendance.external_user_id} - {""}
    entered = {summary.meeting.internal_meeting_id, *(session.meeting for session in sessions)}
    polls = _open_polls(summary)
    for fact in reading.facts(summary, limit=MOST):
        if fact.meeting.internal_meeting_id not in entered:
            continue
        told = [event for event in _events_of(fact) if _speaks_of(event, participants, names)]
        if fact.kind in reading.RECORDS:
            told = [event for event in told if _may_be_shown(event, polls)]
        if told and all(_may_be_shown(event, polls) for event in told):
            yield fact, told, names


def _events_of(fact: Fact) -> tuple[Anything, ...]:
    """What it tells; nothing if it cannot be read, as in the fold."""
    identity = None if fact.identity is None else bytes(fact.identity)
    try:
        return decode(fact.source, bytes(fact.digest), bytes(fact.payload), identity)
    except Exception:
        logger.exception("A fact cannot be read", fact=fact.pk)
        return ()


def _open_polls(summary: Summary) -> set[tuple[str, str, Source]]:
    """(meeting, poll) of those known not to be secret, with whose answers may be shown, as rollcall.core knows it."""
    kinds = (PollStarted.kind, "events-xml")
    told = [event for kind in kinds for fact in reading.facts_of_kind(summary, kind) for event in _events_of(fact)]
    started = [event for event in told if isinstance(event, PollStarted)]
    secret = {(event.meeting, event.poll_id) for event in started if event.is_secret}
    return {
        (event.meeting, event.poll_id, source)
        for event in started
        if (event.meeting, event.poll_id) not in secret
        for source in _opened_by(event)
    }


def _opened_by(started: PollStarted) -> tuple[Source, ...]:
    """Old files do not say whether a poll is secret, and tell no voters of those that are."""
    if started.source is Source.RAW or (started.source is Source.RECORDING and started.is_secret is False):
        return (Source.RAW, Source.RECORDING)
    return (Source.RECORDING,) if started.source is Source.RECORDING else ()


def _may_be_shown(event: Anything, open_polls: set[tuple[str, str, Source]]) -> bool:
    if not isinstance(event, PollAnswered) or event.voter is None:
        return True
    return (event.meeting, event.poll_id, event.source) in open_polls


def _speaks_of(event: Anything, participants: set[str], names: set[str]) -> bool:
    match event:
        case MeetingListed():
            return bool(names)
        case PollAnswered():
            return event.voter in participants
        case AttendeeReported():
            theirs = {event.participant, *(session.participant for session in event.sessions)}
            return bool(theirs & participants) or event.external_user_id in names
        case _:
            return isinstance(event, _OF_EVERYBODY) or event.participant in participants


def _shown(
    fact: Fact, told: Iterable[Anything], zone: tzinfo, rooms: Mapping[str, str], names: set[str] | None = None
) -> ShownFact:
    told = tuple(told)
    is_document = fact.kind in reading.RECORDS
    heads = [event for event in told if isinstance(event, _HEADS)] if is_document else told
    return ShownFact(
        at=fact.at,
        received_at=fact.received_at,
        clock=words.stamp(fact.at, zone),
        received_clock=words.stamp(fact.received_at, zone),
        what=formatting.listed((in_words(event, names) for event in heads), have_commas=True) or fact.kind,
        participant=", ".join(dict.fromkeys(event.participant for event in heads if event.participant)),
        source=fact.source,
        told_by=words.source(fact.source),
        kind=fact.kind,
        payload="" if is_document else bytes(fact.payload).decode(errors="replace"),
        inside=() if names is None or not is_document else tuple(_inside(told, zone, names)),
        room=rooms.get(fact.meeting.internal_meeting_id, ""),
    )


def _inside(told: Iterable[Anything], zone: tzinfo, names: set[str]) -> Iterator[str]:
    """What a document holds of one person, a line each."""
    count = 0
    for event in told:
        if isinstance(event, _HEADS):
            continue
        count += 1
        if count > MOST_INSIDE:
            yield "…"
            return
        if isinstance(event, AttendeeReported):
            yield from _reported(event, zone)
        else:
            yield f"{words.clock(event.at, zone)} {in_words(event, names)}"


def _reported(event: AttendeeReported, zone: tzinfo) -> Iterator[str]:
    """What a callback says of one person."""
    for session in event.sessions:
        for name, times in ((_("joined"), session.joins), (_("left"), session.leaves)):
            if times:
                yield f"{name} {', '.join(words.clock(at, zone) for at in times)} {session.participant}".rstrip()
    yield _("its own duration: %(time)s") % {"time": words.duration(event.duration_ms)}


def in_words(event: Anything, names: set[str] | None) -> str:  # noqa: PLR0911 - one for each that needs more than its word
    """What happened; of lists, whether they name somebody of these ids."""
    match event:
        case events.UserLeft(is_invented=True):
            return _("put out as the meeting ended")
        case events.RaiseHandChanged():
            return _("hand up") if event.is_up else _("hand down")
        case MeetingListed():
            return _listing(event, names)
        case MeetingRecorded() | MeetingReported():
            return _document(event)
        case events.AwayChanged():
            return _("away") if event.is_away else _("back again")
        case events.WentBlind():
            return f"{_WHAT[event.kind]}: {words.cause(event.cause)}"
        case events.Noticed():
            return str(_NOTICED.get(event.noticed) or _WHAT.get(event.noticed) or event.noticed)
        case _:
            return str(_WHAT.get(event.kind, event.kind))


def _document(event: MeetingRecorded | MeetingReported) -> str:
    """events.xml, 1,234 events, whole."""
    if isinstance(event, MeetingReported):
        form = "data.json" if event.form == "data-json" else _("the analytics callback")
        return _("%(form)s, %(count)s joins and leaves") % {"form": form, "count": formatting.number(event.events)}
    whole = _("whole") if event.is_whole else words.damage(event.damage) if event.damage else _("not whole")
    return _("events.xml, %(count)s events, %(whole)s") % {"count": formatting.number(event.events), "whole": whole}


def _listing(event: MeetingListed, names: set[str] | None) -> str:
    """How often the list named one person; without one, how many it named."""
    entries = times_listed(event, names)
    if names is None:
        return _("the server listed %(people)s") % {"people": words.people(entries)}
    if not entries:
        return _("the server did not list them")
    if entries == 1:
        return _("the server listed them")
    told = ngettext("the server listed them %(count)d time", "the server listed them %(count)d times", entries)
    return told % {"count": entries}


def times_listed(event: MeetingListed, names: set[str] | None) -> int:
    """How many entries of a list are of somebody who goes by these ids; without any ids, of anybody."""
    return sum(one.count for one in event.present if names is None or _listed_as(one) in names)


def _listed_as(one: Listed) -> str:
    """Breakout rooms list everybody by their connection of the class."""
    return parent_participant(one.external_user_id) or one.external_user_id
