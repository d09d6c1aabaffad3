"""What may be kept of a webhook: an allow-list by path and kind. What it does not name never leaves this module.

A fact has two byte columns. `payload` keeps the source's own nesting, so that a better reading later can be made of
it; `identity` is what names a person, so that it can be erased alone. Both are canonical JSON: the same happening
gives the same bytes whichever hook, delivery, version of the relay or signature brought it.

Lengths are counted in characters. Free text (names, metadata) is cut and ends in `…`; an id is never cut, since two
ids must not become one: an overlong one keeps its beginning and the digest of the whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import msgspec

from rollcall.core.events import Source
from rollcall.core.people import MOODLE_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_ID = 16_384
LONGEST_NAME = 500
LONGEST_VALUE = 2_000
LONGEST_WORD = 64

KEPT_METADATA = (
    "bbb-origin",
    "bbb-origin-version",
    "bbb-origin-server-name",
    "bbb-context",
    "bbb-context-id",
    "bbb-context-name",
    "bbb-context-label",
    "bbb-recording-name",
)
CALLBACK = "analytics-callback-url"
READY_URLS = ("bbb-recording-ready-url", "bn-recording-ready-url")

CALLER = "v_"
PUBLIC_CHAT = "MAIN-PUBLIC-GROUP-CHAT"

# Epoch seconds are ten digits until 2286 and epoch milliseconds twelve since 1973.
FIRST_MILLISECONDS = 10**11
EARLIEST_AT = 10**12  # September 2001: anything older is a clock that was never set
LATEST_AT = 10**14

_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,9})?")
_BREAKOUT_USER = re.compile(r"(w_[a-z0-9]{6,40})-\d{1,4}")
_MOODLE_QUERY = re.compile(r"(?<![^&])(?:action=[a-z_]{1,40}|bigbluebuttonbn=[0-9]{1,12})(?![^&])")
_OUR_TOKEN = re.compile(r"/callbacks/[^/]+/?$")
# Whatever stands between the digits of a number, if it is not a letter.
_DIGITS = re.compile(r"\d(?:[\W_]*\d){4,}")


class NotUnderstood(ValueError):
    """A genuine element that cannot be read. The sentence says why and never quotes it."""


@dataclass(slots=True)
class Kept:
    """What one element leaves behind; `kind` in BigBlueButton's spelling, `at` in epoch ms."""

    source: Source
    kind: str
    meeting: str
    at: int
    payload: bytes
    identity: bytes | None = None
    parent: str | None = None
    is_end: bool = False


# -- what may stand in a place ------------------------------------------------------------------------------------


def epoch_ms(value: object) -> int | None:
    """Milliseconds from a number or its text, given in seconds or milliseconds; None when it is no sensible time."""
    if type(value) is not int:
        number = as_number(value)
        if number is None:
            return None
        value = number
    at = int(value if value >= FIRST_MILLISECONDS else value * 1000)
    return at if EARLIEST_AT <= at < LATEST_AT else None


def as_number(value: object) -> int | float | None:
    """A finite number, also where it came as text."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -(2**62) < value < 2**62 else None  # also false for NaN


def keep_id(value: object) -> str | None:
    """An identifier, whole: text, or a number as JavaScript would print it."""
    if type(value) is not str:
        if type(value) is not int:
            return None
        value = str(value) if abs(value) < 2**63 else ""
    if len(value) > LONGEST_ID:
        digest = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{value[:200]}…{digest}"
    return value or None


def _text(longest: int) -> Callable[[object], str | None]:
    def kept(value: object) -> str | None:
        if type(value) is not str or not value:
            return None
        return value if len(value) <= longest else value[: longest - 1] + "…"

    return kept


def keep_flag(value: object) -> bool | None:
    """A boolean, also as the text it becomes when the relay reloads it after a restart."""
    if type(value) is bool:
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def keep_whole(value: object) -> int | None:
    """A whole number, cut down from a broken one."""
    number = as_number(value)
    return None if number is None else int(number)


def keep_metadata(value: object) -> dict[str, str] | None:
    """What says where the meeting belongs. Metadata is free: others put e-mail addresses and tokens there."""
    if not isinstance(value, dict):
        return None
    kept = {key: _value(value[key]) for key in KEPT_METADATA if key in value}
    kept[CALLBACK] = _callback(_value(value.get(CALLBACK)))
    for key in READY_URLS:
        site, found, _ = _without_userinfo(_value(value.get(key))).partition(MOODLE_PATH)
        kept[key] = site + found if found else ""
    return {key: text for key, text in kept.items() if text} or None


def _callback(url: str) -> str:
    """Of Moodle's address the path and what names the activity, of one like our own all but the token, else the host.

    The path of any other may be as good as a password.
    """
    try:
        parts = urlsplit(_without_userinfo(url))
    except ValueError:
        return ""
    if not parts.netloc:
        return ""
    path, query = "", ""
    if MOODLE_PATH in parts.path:
        path, query = parts.path, "&".join(_MOODLE_QUERY.findall(parts.query))
    elif found := _OUR_TOKEN.search(parts.path):
        path = parts.path[: found.start()] + "/callbacks/…"
    return urlunsplit(parts._replace(path=path, query=query, fragment=""))


def _value(value: object) -> str:
    if isinstance(value, int):
        value = str(value).lower()
    return _cut_value(value) or ""


def _without_userinfo(url: str) -> str:
    if "@" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


_cut_value = _text(LONGEST_VALUE)
keep_name = _text(LONGEST_NAME)
keep_word = _text(LONGEST_WORD)

Rule: TypeAlias = "Callable[[object], object]"
Rules: TypeAlias = "tuple[tuple[str, Rule], ...]"


def _keep(given: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """The part of `given` that `rules` name; what a rule answers None to is left out."""
    kept = {}
    for key, rule in rules:
        if key in given and (value := rule(given[key])) is not None:
            kept[key] = value
    return kept


def _part(*rules: tuple[str, Rule]) -> Rule:
    """The same, one level deeper."""

    def kept(value: object) -> dict[str, Any] | None:
        return _keep(value, rules) or None if isinstance(value, dict) else None

    return kept


# -- mapped webhooks ----------------------------------------------------------------------------------------------

_MEETING: Rules = (("internal-meeting-id", keep_id), ("external-meeting-id", keep_id))
_CREATED: Rules = (
    *_MEETING,
    ("name", keep_name),
    ("is-breakout", keep_flag),
    ("parent-id", keep_id),
    ("duration", keep_whole),
    ("create-time", epoch_ms),
    ("record", keep_flag),
    ("metadata", keep_metadata),
)


_ONLY_MEETING: Rules = (("meeting", _part(*_MEETING)),)


def _about_user(*rules: tuple[str, Rule]) -> Rules:
    return (*_ONLY_MEETING, ("user", _part(("internal-user-id", keep_id), *rules)))


_ONLY_USER = _about_user()
_ONLY_POLL: Rules = (*_ONLY_MEETING, ("poll", _part(("id", keep_id))))

# The starter of a poll is not kept, nor the user of `poll-responded`, who is the presenter and not the voter; nor, of
# a chat message, anything of its sender but the internal id: the external one is the display name in bbb-webhooks 2.
MAPPED: dict[str, Rules] = {
    "meeting-created": (("meeting", _part(*_CREATED)),),
    "meeting-ended": _ONLY_MEETING,
    "meeting-recording-started": _ONLY_MEETING,
    "meeting-recording-stopped": _ONLY_MEETING,
    "meeting-recording-unhandled": _ONLY_MEETING,
    "meeting-screenshare-started": _ONLY_USER,
    "meeting-screenshare-stopped": _ONLY_USER,
    "user-joined": _about_user(("role", keep_word), ("guest", keep_flag)),
    "user-left": _about_user(("role", keep_word), ("guest", keep_flag)),
    "user-audio-voice-enabled": _about_user(
        ("listening-only", keep_flag), ("sharing-mic", keep_flag), ("muted", keep_flag)
    ),
    "user-audio-voice-disabled": _ONLY_USER,
    "user-audio-muted": _ONLY_USER,
    "user-audio-unmuted": _ONLY_USER,
    "user-audio-unhandled": _ONLY_USER,
    "user-cam-broadcast-start": _about_user(("stream", keep_id)),
    "user-cam-broadcast-end": _about_user(("stream", keep_id)),
    "user-presenter-assigned": _ONLY_USER,
    "user-presenter-unassigned": _ONLY_USER,
    "user-emoji-changed": _about_user(("emoji", keep_word)),
    "user-raise-hand-changed": _about_user(("raise-hand", keep_flag), ("raiseHand", keep_flag)),
    "chat-group-message-sent": (
        *_ONLY_MEETING,
        ("chat-id", keep_word),
        ("chat-message", _part(("id", keep_id), ("sender", _part(("internal-user-id", keep_id), ("time", epoch_ms))))),
    ),
    "poll-started": _ONLY_POLL,
    "poll-responded": _ONLY_POLL,
}

# Their user's external id is kept, apart. Of a shared screen the user is often a guess.
IDENTIFIED = frozenset(kind for kind in MAPPED if kind.startswith("user-"))
NAMED = frozenset({"user-joined", "user-left"})
OF_NO_INTEREST = frozenset(
    {"transcript-updated", "pad-content", "meeting-presentation-changed", "published", "unpublished", "deleted"}
)


def _redact_mapped(data: dict[str, Any]) -> Kept | None:
    kind = data.get("id")
    if type(kind) is not str or not kind:
        raise NotUnderstood("a mapped message without data.id")
    if kind in OF_NO_INTEREST or kind.startswith("rap-"):
        return None
    attributes = data.get("attributes")
    if type(attributes) is not dict:
        raise NotUnderstood("a mapped message without attributes")
    kept = _keep(attributes, MAPPED.get(kind, _ONLY_USER))
    if kind == "chat-group-message-sent" and kept.get("chat-id", PUBLIC_CHAT) != PUBLIC_CHAT:
        return None
    event = data.get("event")
    at = epoch_ms(event.get("ts")) if type(event) is dict else None
    payload: dict[str, Any] = {"data": {"id": keep_word(kind), "attributes": kept, "event": {"ts": at}}}
    identity = None
    if kind in IDENTIFIED and "user" in kept:
        identity = _set_person_apart(payload, kept["user"], attributes["user"], kind)
    meeting = kept.get("meeting", {})
    return _kept(
        Source.MAPPED, kind, meeting.get("internal-meeting-id"), at, payload, identity, meeting.get("parent-id")
    )


def _set_person_apart(payload: dict[str, Any], kept: dict[str, Any], user: dict[str, Any], kind: str) -> bytes | None:
    name = keep_name(user.get("name")) if kind in NAMED else None
    if name and kind == "user-left":
        # Only the relay's inventions are named; that must still be known when the name has been erased.
        kept["named"] = True
    return _identify(payload, kept.get("internal-user-id"), user.get("external-user-id"), name)


def _identify(payload: dict[str, Any], participant: str | None, external: object, name: str | None) -> bytes | None:
    """The identity column; a breakout user's external id is no identity but a pointer into the parent meeting."""
    external_user_id = keep_id(external)
    if pointer := breakout_pointer(external_user_id):
        payload["parent_participant"] = pointer
        external_user_id = None
    if participant is None:
        return None
    external_user_id, name = of_caller(participant, external_user_id, name)
    if external_user_id is None and name is None:
        return None
    return _encode({"external_user_id": external_user_id, "name": name})


def breakout_pointer(external_user_id: str | None) -> str | None:
    """The participant of the parent meeting whom a breakout user's external id names, `<w_…>-<room number>`."""
    found = _BREAKOUT_USER.fullmatch(external_user_id) if external_user_id else None
    return found[1] if found else None


def of_caller(participant: str | None, external_user_id: str | None, name: str | None) -> tuple[str | None, str | None]:
    """External id and name, of a caller without the number: the name is often it, and another id may be.

    BigBlueButton gives callers no other id than the internal one, and not every record says that.
    """
    if participant and participant.startswith(CALLER):
        external_user_id = external_user_id if external_user_id == participant else None
    elif not external_user_id or not external_user_id.startswith(CALLER):
        return external_user_id, name
    return external_user_id, mask_numbers(name) if name else None


def mask_numbers(name: str) -> str:
    """A caller's name without the number: of five or more digits at most the last two stay."""
    return _DIGITS.sub(_mask, name)


def _mask(number: re.Match[str]) -> str:
    digits_left = sum(map(str.isdigit, number[0]))
    shown = []
    for character in number[0]:
        shown.append("X" if character.isdigit() and digits_left > 2 else character)
        digits_left -= character.isdigit()
    return "".join(shown)


# -- raw webhooks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raw:
    """One of BigBlueButton's own messages: which kind it is, what is kept of its body, and where its people stand.

    For some messages the field `decided_by` of the body tells which of `kinds` it is.
    """

    kind: str
    body: Rules = ()
    external: str = ""
    name: str = ""
    has_sender: bool = True
    decided_by: str = ""
    kinds: Mapping[object, str] = field(default_factory=dict)


_USER_ID: Rules = (("userId", keep_id),)
_INT_ID: Rules = (("intId", keep_id),)
_POLL_IDS: Rules = (("pollId", keep_id), ("poll", _part(("id", keep_id))))
_PROPS = _part(
    ("meetingProp", _part(("intId", keep_id), ("extId", keep_id), ("name", keep_name), ("isBreakout", keep_flag))),
    ("breakoutProps", _part(("parentId", keep_id))),
    ("durationProps", _part(("duration", keep_whole), ("createdTime", epoch_ms))),
    ("recordProp", _part(("record", keep_flag), ("keepEvents", keep_flag))),
    ("metadataProp", _part(("metadata", keep_metadata))),
)

RAW: dict[str, Raw] = {
    "MeetingCreatedEvtMsg": Raw("meeting-created", (("props", _PROPS),), has_sender=False),
    "MeetingDestroyedEvtMsg": Raw("meeting-ended", (("meetingId", keep_id),), has_sender=False),
    "MeetingEndedEvtMsg": Raw("meeting-ended", (("meetingId", keep_id),), has_sender=False),
    "RecordingStatusChangedEvtMsg": Raw(
        "meeting-recording-unhandled",
        (("recording", keep_flag),),
        has_sender=False,
        decided_by="recording",
        kinds={True: "meeting-recording-started", False: "meeting-recording-stopped"},
    ),
    "ScreenshareRtmpBroadcastStartedEvtMsg": Raw("meeting-screenshare-started", _USER_ID),
    "ScreenshareRtmpBroadcastStoppedEvtMsg": Raw("meeting-screenshare-stopped", _USER_ID),
    "UserJoinedMeetingEvtMsg": Raw(
        "user-joined", (*_INT_ID, ("role", keep_word), ("guest", keep_flag)), external="extId", name="name"
    ),
    "UserLeftMeetingEvtMsg": Raw("user-left", (*_INT_ID, ("eject", keep_flag), ("reasonCode", keep_word))),
    "UserJoinedVoiceConfToClientEvtMsg": Raw(
        "user-audio-voice-enabled", (*_INT_ID, ("listenOnly", keep_flag), ("muted", keep_flag)), name="callerName"
    ),
    "UserLeftVoiceConfToClientEvtMsg": Raw("user-audio-voice-disabled", _INT_ID),
    "UserMutedVoiceEvtMsg": Raw(
        "user-audio-unhandled",
        (*_INT_ID, ("muted", keep_flag)),
        decided_by="muted",
        kinds={True: "user-audio-muted", False: "user-audio-unmuted"},
    ),
    "UserBroadcastCamStartedEvtMsg": Raw("user-cam-broadcast-start", (*_USER_ID, ("stream", keep_id))),
    "UserBroadcastCamStoppedEvtMsg": Raw("user-cam-broadcast-end", (*_USER_ID, ("stream", keep_id))),
    "PresenterAssignedEvtMsg": Raw("user-presenter-assigned", (("presenterId", keep_id),)),
    "PresenterUnassignedEvtMsg": Raw("user-presenter-unassigned", (("intId", keep_id),)),
    # Before BigBlueButton 2.7 a raised hand was an emoji.
    "UserEmojiChangedEvtMsg": Raw(
        "user-emoji-changed",
        (*_USER_ID, ("emoji", keep_word)),
        decided_by="emoji",
        kinds={"raiseHand": "user-raise-hand-changed"},
    ),
    "UserReactionEmojiChangedEvtMsg": Raw("user-emoji-changed", (*_USER_ID, ("reactionEmoji", keep_word))),
    "UserRaiseHandChangedEvtMsg": Raw("user-raise-hand-changed", (*_USER_ID, ("raiseHand", keep_flag))),
    "GroupChatMessageBroadcastEvtMsg": Raw(
        "chat-group-message-sent",
        (
            ("chatId", keep_word),
            ("msg", _part(("id", keep_id), ("timestamp", epoch_ms), ("sender", _part(("id", keep_id))))),
        ),
        has_sender=False,
    ),
    # The header of these two names the presenter; the voter stands in the body.
    "PollStartedEvtMsg": Raw("poll-started", (*_POLL_IDS, ("secretPoll", keep_flag)), has_sender=False),
    "UserRespondedToPollRespMsg": Raw("poll-responded", (*_USER_ID, *_POLL_IDS), has_sender=False),
}
RAW_OF_NO_INTEREST = frozenset(
    {
        "SetCurrentPresentationEvtMsg",
        "TranscriptUpdatedEvtMsg",
        "PadContentEvtMsg",
        "PublishedRecordingSysMsg",
        "UnpublishedRecordingSysMsg",
        "DeletedRecordingSysMsg",
    }
)

_ENVELOPE: Rules = (("name", keep_word), ("timestamp", epoch_ms), ("routing", _part(("meetingId", keep_id))))
_HEADER: Rules = (("meetingId", keep_id), ("userId", keep_id))
_HEADER_ALONE: Rules = (("meetingId", keep_id),)
_UNKNOWN_RAW = Raw("")


def _redact_raw(element: dict[str, Any]) -> Kept | None:
    envelope, core = _object(element, "envelope"), _object(element, "core")
    header, body = _object(core, "header"), _object(core, "body")
    name = envelope.get("name") or header.get("name")
    if type(name) is not str or not name:
        raise NotUnderstood("a raw message without a name")
    if name in RAW_OF_NO_INTEREST:
        return None
    known = RAW.get(name, _UNKNOWN_RAW)
    kept = _keep(body, known.body)
    if name == "GroupChatMessageBroadcastEvtMsg" and kept.get("chatId", PUBLIC_CHAT) != PUBLIC_CHAT:
        return None
    kept_envelope = {**_keep(envelope, _ENVELOPE), "name": keep_word(name)}
    kept_header = _keep(header, _HEADER if known.has_sender else _HEADER_ALONE)
    if "meetingId" in kept_header:
        kept_envelope.pop("routing", None)  # it says the same again
    payload: dict[str, Any] = {"envelope": kept_envelope, "core": {"header": kept_header, "body": kept}}
    return _kept(
        Source.RAW,
        raw_kind(name, kept),
        raw_meeting(payload),
        kept_envelope.get("timestamp"),
        payload,
        _identify_raw(payload, known, kept, body),
        kept.get("props", {}).get("breakoutProps", {}).get("parentId"),
    )


def _object(of: dict[str, Any], key: str) -> dict[str, Any]:
    part = of.get(key)
    return part if type(part) is dict else {}


def raw_meeting(payload: dict[str, Any]) -> str | None:
    """The internal meeting id of a raw message; the one that creates it says it only in its properties."""
    envelope, core = payload["envelope"], payload["core"]
    found: str | None = (
        core["header"].get("meetingId")
        or envelope.get("routing", {}).get("meetingId")
        or core["body"].get("meetingId")
        or core["body"].get("props", {}).get("meetingProp", {}).get("intId")
    )
    return found


def _identify_raw(payload: dict[str, Any], known: Raw, kept: dict[str, Any], body: dict[str, Any]) -> bytes | None:
    if not known.external and not known.name:
        return None
    participant = kept.get("intId")
    name = keep_name(body.get(known.name))
    if not known.external and not (participant or "").startswith("v_"):
        # Only a caller is known by nothing but the name of the telephone line.
        return None
    return _identify(payload, participant, body.get(known.external), name)


def raw_kind(name: str, body: dict[str, Any]) -> str:
    """The kind of a raw message; an unknown one goes by its own name."""
    known = RAW.get(name)
    return name if known is None else known.kinds.get(body.get(known.decided_by), known.kind)


# -- both ---------------------------------------------------------------------------------------------------------


def redact(element: object) -> Kept | None:
    """What is kept of one element, None when it is of no interest; NotUnderstood when it is, but cannot be read."""
    if type(element) is dict:
        data = element.get("data")
        if type(data) is dict:
            return _redact_mapped(data)
        if "envelope" in element or "core" in element:
            return _redact_raw(element)
        if "header" in element and "payload" in element:
            return None  # a step of the recording scripts, on a raw hook
    raise NotUnderstood("neither a mapped nor a raw message")


def parent_of(parent: str | None, meeting: str) -> str | None:
    """The parent meeting, where there is one: BigBlueButton writes `bbb-none` where there is none."""
    return None if parent in {None, "", "bbb-none", meeting} else parent


def _kept(  # noqa: PLR0913, PLR0917  # the two kinds of webhook meet here, each with all its parts
    source: Source,
    kind: str,
    meeting: str | None,
    at: int | None,
    payload: dict[str, Any],
    identity: bytes | None,
    parent: str | None,
) -> Kept:
    if not meeting:
        raise NotUnderstood("no internal meeting id")
    if at is None:
        raise NotUnderstood("no time, or one that cannot be right")
    is_end = kind == "meeting-ended"
    kind = keep_word(kind) or ""
    return Kept(source, kind, meeting, at, _encode(payload), identity, parent_of(parent, meeting), is_end)


_encode = msgspec.json.Encoder(order="deterministic").encode
