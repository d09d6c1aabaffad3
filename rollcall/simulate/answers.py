"""The XML with which BigBlueButton's API and the hooks API beside it answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import escape

from rollcall.simulate.truth import Does, Meeting, Stay, Truth
from rollcall.simulate.wire_mapped import DIAL_NUMBER, java_date


class ErrorShape(StrEnum):
    """How a refusal is written: both by servers in the field, the third by some template that nobody has seen."""

    MESSAGE_KEY = "message-key"
    ERRORS = "errors"
    ATTRIBUTES = "attributes"


@dataclass(frozen=True, slots=True)
class RegisteredHook:
    """One hook as the relay keeps it; `is_stored` is false once it was given up, until the next restart forgets it."""

    remote_id: str
    url: str
    is_raw: bool = False
    meeting: str = ""
    events: str = ""
    is_permanent: bool = False
    is_stored: bool = True


def success(*children: str) -> str:
    """SUCCESS and what follows it."""
    return f"<response>{_tag('returncode', 'SUCCESS')}{''.join(children)}</response>"


def failure(key: str, message: str, shape: ErrorShape = ErrorShape.MESSAGE_KEY) -> str:
    """FAILED, in one of its shapes."""
    match shape:
        case ErrorShape.ERRORS:
            told = f"<errors><error>{_tag('key', key)}{_tag('message', message)}</error></errors>"
        case ErrorShape.ATTRIBUTES:
            told = f'<errors><error key="{key}" message="{escape(message)}"/></errors>'
        case _:
            told = f"{_tag('messageKey', key)}{_tag('message', message)}"
    return f"<response>{_tag('returncode', 'FAILED')}{told}</response>"


def version() -> str:
    """Of the API itself: the only call without a checksum."""
    return success(_tag("version", "2.0"), _tag("apiVersion", "2.0"), _tag("bbbVersion", "3.0.15"))


def get_meetings(truths: Iterable[Truth], at: int, *, is_grouped: bool = False) -> str:
    """Everything that runs at that moment. `is_grouped` prints numbers as some server's language would: 1,234."""
    running = "".join(
        f"<meeting>{describe(truth, meeting, at, is_grouped=is_grouped)}</meeting>"
        for truth in truths
        for meeting in truth.meetings
        if meeting.runs(at)
    )
    if running:
        return success(f"<meetings>{running}</meetings>")
    none = _tag("messageKey", "noMeetings") + _tag("message", "no meetings were found on this server")
    return success("<meetings/>", none)


def get_meeting_info(truths: Iterable[Truth], external: str, at: int, shape: ErrorShape) -> str:
    """One running meeting by its external id."""
    for truth in truths:
        for meeting in truth.meetings:
            if meeting.runs(at) and external in {meeting.external_meeting_id, meeting.internal_meeting_id}:
                return success(describe(truth, meeting, at))
    return failure("notFound", "We could not find a meeting with that meeting ID", shape)


def describe(truth: Truth, meeting: Meeting, at: int, *, is_grouped: bool = False) -> str:
    """What is told of one meeting, in the template's order."""
    present = [stay for stay in meeting.present(at) if not stay.person.is_dial_in]
    number = (lambda value: f"{value:,}") if is_grouped else str
    doing = _doing(meeting, at)
    fields = {
        "meetingName": meeting.name,
        "meetingID": meeting.external_meeting_id,
        "internalMeetingID": meeting.internal_meeting_id,
        "createTime": number(meeting.created_at),
        "createDate": java_date(meeting.created_at),
        "voiceBridge": meeting.voice_bridge,
        "dialNumber": DIAL_NUMBER,
        "attendeePW": "CANARY-viewer-pass",
        "moderatorPW": "CANARY-moderator-pass",
        "running": _truth(bool(present)),
        "duration": "0",
        "hasUserJoined": _truth(any(stay.joined_at <= at for stay in meeting.stays)),
        "recording": "true",
        "hasBeenForciblyEnded": "false",
        "startTime": number(meeting.created_at + 17),
        "endTime": "0",
        "participantCount": number(len(present)),
        "listenerCount": number(len(doing["listening"])),
        "voiceParticipantCount": number(len(doing["speaking"])),
        "videoCount": number(len(doing["filming"])),
        "maxUsers": "0",
        "moderatorCount": number(sum(stay.person.role == "MODERATOR" for stay in present)),
    }
    attendees = "".join(_attendee(stay, doing) for stay in present)
    return "".join(
        (
            *(_tag(name, value) for name, value in fields.items()),
            f"<attendees>{attendees}</attendees>",
            f"<metadata>{''.join(_cdata(key, value) for key, value in meeting.metadata)}</metadata>",
            *_family(truth, meeting, at),
        )
    )


def _family(truth: Truth, meeting: Meeting, at: int) -> Iterator[str]:
    yield _tag("isBreakout", _truth(meeting.parent is not None))
    if meeting.parent is not None:
        yield _tag("parentMeetingID", meeting.parent)
        yield _tag("sequence", str(meeting.sequence)) + _tag("freeJoin", "false")
    elif rooms := [room for room in truth.rooms if room.runs(at)]:
        yield f"<breakoutRooms>{''.join(_tag('breakout', room.internal_meeting_id) for room in rooms)}</breakoutRooms>"


def _attendee(stay: Stay, doing: dict[str, set[str]]) -> str:
    who = stay.participant
    fields = {
        "userID": stay.external_user_id,
        "fullName": stay.person.name,
        "role": stay.person.role,
        "isPresenter": _truth(who in doing["presenting"]),
        "isListeningOnly": _truth(who in doing["listening"]),
        "hasJoinedVoice": _truth(who in doing["speaking"]),
        "hasVideo": _truth(who in doing["filming"]),
        "clientType": "HTML5",
    }
    custom = f"<customdata>{_cdata('bbb_custom', 'CANARY-userdata')}</customdata>"
    return f"<attendee>{''.join(_tag(name, value) for name, value in fields.items())}{custom}</attendee>"


def _doing(meeting: Meeting, at: int) -> dict[str, set[str]]:
    """Who listens, speaks, films and presents at that moment."""
    found: dict[str, set[str]] = {"listening": set(), "speaking": set(), "filming": set(), "presenting": set()}
    for act in meeting.acts:
        if act.at > at:
            break
        match act.does:
            case Does.JOINS_AUDIO:
                found["listening" if act.is_listen_only else "speaking"].add(act.participant)
            case Does.LEAVES_AUDIO:
                found["listening"].discard(act.participant)
                found["speaking"].discard(act.participant)
            case Does.STARTS_CAMERA:
                found["filming"].add(act.participant)
            case Does.ENDS_CAMERA:
                found["filming"].discard(act.participant)
            case Does.BECOMES_PRESENTER:
                found["presenting"] = {act.participant}
            case _:
                pass
    return found


def hook_created(hook: RegisteredHook) -> str:
    """A new hook."""
    return success(
        _tag("hookID", hook.remote_id),
        _tag("permanentHook", _truth(hook.is_permanent)),
        _tag("rawData", _truth(hook.is_raw)),
    )


def hook_duplicated(hook: RegisteredHook) -> str:
    """The old hook, unchanged whatever was asked."""
    message = "There is already a hook for this callback URL."
    return success(_tag("hookID", hook.remote_id), _tag("messageKey", "duplicateWarning"), _tag("message", message))


def hook_list(hooks: Sequence[RegisteredHook]) -> str:
    """All of them."""
    return success(f"<hooks>{''.join(_hook(hook) for hook in hooks)}</hooks>")


def hook_removed() -> str:
    """A hook destroyed."""
    return success(_tag("removed", "true"))


def _hook(hook: RegisteredHook) -> str:
    scope = _cdata("meetingID", hook.meeting) if hook.meeting else ""
    events = _tag("eventID", hook.events) if hook.events else ""
    ends = _tag("permanentHook", _truth(hook.is_permanent)) + _tag("rawData", _truth(hook.is_raw))
    return f"<hook>{_tag('hookID', hook.remote_id)}{_cdata('callbackURL', hook.url)}{scope}{events}{ends}</hook>"


def _tag(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def _cdata(name: str, value: str) -> str:
    return f"<{name}><![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"


def _truth(value: bool) -> str:  # noqa: FBT001  # a yes or no, written out
    return "true" if value else "false"
