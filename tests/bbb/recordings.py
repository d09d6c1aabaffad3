"""events.xml of our own: `recording(joined(0, "ada"), left(60_000, "ada"))`; times are ms since the creation."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

CREATED_AT = 1_795_309_400_000
MEETING = f"9b2e4c1d5f60718293a4b5c6d7e8f90123456789-{CREATED_AT}"
BOOTED = 30_500_000  # what the recorder's own clock shows at the creation

# (ms since creation, module, name, children)
Event = tuple[int, str, str, Mapping[str, str]]


def recording(
    *events: Event,
    meeting: str = MEETING,
    version: str = "2.6.1",
    has_utc: bool = True,
    ended_at: int | None = None,
    metadata: Mapping[str, str] | None = None,
    head: str = "",
) -> bytes:
    """The whole file. With `ended_at` the last event is the end of the meeting."""
    every = events if ended_at is None else (*events, ended(ended_at))
    about = {"isBreakout": "false", "meetingId": "algebra-1", "meetingName": "Algebra", **(metadata or {})}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<recording meeting_id={quoteattr(meeting)} bbb_version={quoteattr(version)}>",
        head or f'  <meeting id={quoteattr(meeting)} externalId="algebra-1" name="Algebra" breakout="false"/>',
        "  <metadata " + " ".join(f"{key}={quoteattr(value)}" for key, value in about.items()) + "/>",
        *(event_xml(event, created_at=int(meeting[-13:]), has_utc=has_utc) for event in every),
        "</recording>",
    ]
    return "\n".join(lines).encode()


def event_xml(event: Event, *, created_at: int = CREATED_AT, has_utc: bool = True) -> str:
    """One event as it stands in the file."""
    at, module, name, children = event
    utc = {"timestampUTC": str(created_at + at)} if has_utc else {}
    inner = "".join(f"\n    <{tag}>{escape(text)}</{tag}>" for tag, text in {**children, **utc}.items())
    return f'  <event timestamp="{BOOTED + at}" module="{module}" eventname="{name}">{inner}\n  </event>'


def participant(who: str) -> str:
    """The internal id of one connection: `ada`, or `ada.2` for her second."""
    return f"w_{who.replace('.', ''):0<12}"


def joined(at: int, who: str, *, external: str | None = None, role: str = "VIEWER", name: str = "") -> Event:
    """Without an external id there is none: BigBlueButton repeats the internal one."""
    person = who.partition(".")[0]
    children = {
        "userId": participant(who),
        "externalUserId": participant(who) if external is None else external,
        "role": role,
        "name": name or person.capitalize(),
    }
    return at, "PARTICIPANT", "ParticipantJoinEvent", children


def left(at: int, who: str) -> Event:
    """The end of presence."""
    return at, "PARTICIPANT", "ParticipantLeftEvent", {"userId": participant(who)}


def ended(at: int, reason: str = "ENDED_AFTER_USER_LOGGED_OUT") -> Event:
    """The end of the meeting."""
    return at, "PARTICIPANT", "EndAndKickAllEvent", {"reason": reason}


def status(at: int, who: str, kind: str, value: str) -> Event:
    """Hands, reactions, away, role, camera."""
    return (
        at,
        "PARTICIPANT",
        "ParticipantStatusChangeEvent",
        {"userId": participant(who), "status": kind, "value": value},
    )


def presenter(at: int, who: str) -> Event:
    """With the one child that is written in small letters."""
    return (
        at,
        "PARTICIPANT",
        "AssignPresenterEvent",
        {"userid": participant(who), "name": who.capitalize(), "assignedBy": "x"},
    )


def recorded(at: int, who: str, is_on: str) -> Event:
    """A recording mark."""
    return at, "PARTICIPANT", "RecordStatusEvent", {"userId": participant(who), "status": is_on}


def voice(at: int, who: str, name: str = "ParticipantJoinedEvent", **children: str) -> Event:
    """An event of the audio conference."""
    return at, "VOICE", name, {"participant": participant(who), "bridge": "71347", **children}


def talking(at: int, who: str, is_talking: str = "true") -> Event:
    """The begin or the end of a spurt."""
    return voice(at, who, "ParticipantTalkingEvent", talking=is_talking)


def chatted(at: int, who: str, text: str = "hello") -> Event:
    """A public message."""
    return at, "CHAT", "PublicChatEvent", {"senderId": participant(who), "message": text, "sender": who}


def poll_started(at: int, poll: str, answers: str, **children: str) -> Event:
    """`answers` are words with blanks between."""
    listed = ",".join(f'{{"id":{index},"key":"{key}"}}' for index, key in enumerate(answers.split()))
    return at, "POLL", "PollStartedRecordEvent", {"pollId": poll, "answers": f"[{listed}]", **children}


def poll_answered(at: int, poll: str, who: str, choice: int, **children: str) -> Event:
    """One chosen option; nobody's if `who` is empty, as in secret polls."""
    voter = participant(who) if who else ""
    return (
        at,
        "POLL",
        "UserRespondedToPollRecordEvent",
        {"pollId": poll, "userId": voter, "answerId": str(choice), **children},
    )


def cursor(at: int, who: str = "ada") -> Event:
    """What most of a file consists of."""
    return (
        at,
        "WHITEBOARD",
        "WhiteboardCursorMoveEvent",
        {"userId": participant(who), "xOffset": "1.5", "pageNumber": "0"},
    )


def other(at: int, module: str, name: str, **children: str) -> Event:
    """Any other."""
    return at, module, name, children
