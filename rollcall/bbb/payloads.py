"""Kept bytes in, core events out. What is odd in them is told by the events' blanks, never by an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rollcall.bbb.callback_kept import decode_callback
from rollcall.bbb.recording_kept import decode_recording
from rollcall.bbb.redact import parent_of, raw_kind, raw_meeting
from rollcall.core.events import (
    Anything,
    AudioJoined,
    AudioLeft,
    AudioMuted,
    AudioUnmuted,
    CameraEnded,
    CameraStarted,
    ChatSent,
    EmojiChanged,
    Listed,
    MeetingCreated,
    MeetingEnded,
    MeetingListed,
    MeetingMissing,
    Noticed,
    PollAnswered,
    PollStarted,
    RaiseHandChanged,
    Source,
    UserJoined,
    UserLeft,
    WentBlind,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_read = msgspec.json.Decoder().decode
_NOBODY: dict[str, Any] = {}
_DOCUMENTS = {"recording": decode_recording, "callback": decode_callback}


def decode(source: str, digest: bytes, payload: bytes, identity: bytes | None) -> tuple[Anything, ...]:
    """The events one fact tells of; `identity` is None where there was none, or where it has been erased."""
    if source in _DOCUMENTS:
        return _DOCUMENTS[source](payload, identity, digest)
    told = _read(payload)
    who = _read(identity) if identity else _NOBODY
    if source == "mapped":
        return _decode_mapped(told, who, digest)
    if source == "raw":
        return _decode_raw(told, who, digest)
    return _OURS[told["kind"]](told, who, digest)


# -- mapped -------------------------------------------------------------------------------------------------------


def _decode_mapped(told: dict[str, Any], who: dict[str, Any], digest: bytes) -> tuple[Anything, ...]:
    data = told["data"]
    kind = data["id"]
    attributes = data["attributes"]
    common = {
        "meeting": attributes["meeting"]["internal-meeting-id"],
        "at": data["event"]["ts"],
        "source": Source.MAPPED,
        "digest": digest,
    }
    if (of_meeting := _MAPPED_OF_MEETING.get(kind)) is not None:
        return of_meeting(attributes, common)
    user = attributes.get("user", _NOBODY)
    participant = user.get("internal-user-id")
    if participant is None or (of_user := _MAPPED_OF_USER.get(kind)) is None:
        return (Noticed(noticed=kind, **common),)
    common["participant"] = participant
    common["external_user_id"] = who.get("external_user_id")
    event = of_user(user, who, told.get("parent_participant"), common)
    return () if event is None else (event,)


def _created(attributes: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    meeting = attributes["meeting"]
    return (
        MeetingCreated(
            external_meeting_id=meeting.get("external-meeting-id"),
            name=meeting.get("name"),
            is_breakout=meeting.get("is-breakout", False),
            parent=parent_of(meeting.get("parent-id"), common["meeting"]),
            created_at=meeting.get("create-time"),
            metadata=_pairs(meeting.get("metadata")),
            **common,
        ),
    )


def _ended(_attributes: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    return (MeetingEnded(**common),)


def _chat(attributes: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    message = attributes.get("chat-message", _NOBODY)
    return _chat_sent(message.get("sender", _NOBODY).get("internal-user-id"), message.get("id"), common)


def _chat_sent(participant: str | None, message_id: str | None, common: dict[str, Any]) -> tuple[Anything, ...]:
    if participant is None:
        return (Noticed(noticed=ChatSent.kind, **common),)
    return (ChatSent(participant=participant, message_id=message_id or "", **common),)


def _poll_started(attributes: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    return (PollStarted(poll_id=attributes.get("poll", _NOBODY).get("id", ""), **common),)


def _poll_answered(attributes: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    return (PollAnswered(poll_id=attributes.get("poll", _NOBODY).get("id", ""), **common),)


_MAPPED_OF_MEETING: dict[str, Callable[[dict[str, Any], dict[str, Any]], tuple[Anything, ...]]] = {
    "meeting-created": _created,
    "meeting-ended": _ended,
    "chat-group-message-sent": _chat,
    "poll-started": _poll_started,
    "poll-responded": _poll_answered,
}


def _joined(user: dict[str, Any], who: dict[str, Any], pointer: str | None, common: dict[str, Any]) -> UserJoined:
    return UserJoined(
        name=who.get("name"),
        role=user.get("role"),
        is_guest=user.get("guest"),
        parent_participant=pointer,
        **common,
    )


def _left(user: dict[str, Any], who: dict[str, Any], pointer: str | None, common: dict[str, Any]) -> UserLeft:
    return UserLeft(
        # A real leave carries ids and `guest` alone.
        is_invented="named" in user or "role" in user,
        name=who.get("name"),
        role=user.get("role"),
        is_guest=user.get("guest"),
        parent_participant=pointer,
        **common,
    )


def _audio_joined(user: dict[str, Any], who: dict[str, Any], _: str | None, common: dict[str, Any]) -> AudioJoined:
    return AudioJoined(is_listen_only=user.get("listening-only", False), name=who.get("name"), **common)


def _emoji(user: dict[str, Any], _who: dict[str, Any], _: str | None, common: dict[str, Any]) -> EmojiChanged | None:
    emoji = user.get("emoji")
    # The relay sends a raised hand of a server before 2.7 a second time, as such.
    return None if emoji == "raiseHand" else EmojiChanged(emoji=emoji, **common)


def _hand(user: dict[str, Any], _who: dict[str, Any], _: str | None, common: dict[str, Any]) -> RaiseHandChanged:
    return RaiseHandChanged(is_up=user.get("raise-hand", False) or user.get("raiseHand", False), **common)


_MAPPED_OF_USER: dict[str, Callable[[dict[str, Any], dict[str, Any], str | None, dict[str, Any]], Anything | None]] = {
    "user-joined": _joined,
    "user-left": _left,
    "user-audio-voice-enabled": _audio_joined,
    "user-audio-voice-disabled": lambda _user, _who, _, common: AudioLeft(**common),
    "user-audio-muted": lambda _user, _who, _, common: AudioMuted(**common),
    "user-audio-unmuted": lambda _user, _who, _, common: AudioUnmuted(**common),
    "user-cam-broadcast-start": lambda user, _who, _, common: CameraStarted(stream=user.get("stream", ""), **common),
    "user-cam-broadcast-end": lambda user, _who, _, common: CameraEnded(stream=user.get("stream", ""), **common),
    "user-emoji-changed": _emoji,
    "user-raise-hand-changed": _hand,
}


# -- raw ----------------------------------------------------------------------------------------------------------


def _decode_raw(told: dict[str, Any], who: dict[str, Any], digest: bytes) -> tuple[Anything, ...]:
    name = told["envelope"]["name"]
    header, body = told["core"]["header"], told["core"]["body"]
    common = {
        "meeting": header.get("meetingId") or raw_meeting(told),
        "at": told["envelope"]["timestamp"],
        "source": Source.RAW,
        "digest": digest,
    }
    if (of_meeting := _RAW_OF_MEETING.get(name)) is not None:
        return of_meeting(body, common)
    kind = raw_kind(name, body)
    participant = body.get("intId") or body.get("userId") or header.get("userId")
    if participant is None or (of_user := _RAW_OF_USER.get(kind)) is None:
        return (Noticed(noticed=kind, **common),)
    common["participant"] = participant
    common["external_user_id"] = who.get("external_user_id")
    event = of_user(body, who, told.get("parent_participant"), common)
    if kind == "user-emoji-changed" and "emoji" in body:
        # Before BigBlueButton 2.7 the hand was an emoji, and any other lowered it.
        return event, RaiseHandChanged(is_up=False, **common)
    return (event,)


def _raw_created(body: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    props = body.get("props", _NOBODY)
    meeting = props.get("meetingProp", _NOBODY)
    return (
        MeetingCreated(
            external_meeting_id=meeting.get("extId"),
            name=meeting.get("name"),
            is_breakout=meeting.get("isBreakout", False),
            parent=parent_of(props.get("breakoutProps", _NOBODY).get("parentId"), common["meeting"]),
            created_at=props.get("durationProps", _NOBODY).get("createdTime"),
            metadata=_pairs(props.get("metadataProp", _NOBODY).get("metadata")),
            **common,
        ),
    )


def _raw_chat(body: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    message = body.get("msg", _NOBODY)
    return _chat_sent(message.get("sender", _NOBODY).get("id"), message.get("id"), common)


def _raw_poll_id(body: dict[str, Any]) -> str:
    found: str = body.get("pollId") or body.get("poll", _NOBODY).get("id", "")
    return found


def _raw_poll_started(body: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    return (PollStarted(poll_id=_raw_poll_id(body), is_secret=body.get("secretPoll"), **common),)


def _raw_poll_answered(body: dict[str, Any], common: dict[str, Any]) -> tuple[Anything, ...]:
    return (PollAnswered(poll_id=_raw_poll_id(body), voter=body.get("userId"), **common),)


_RAW_OF_MEETING: dict[str, Callable[[dict[str, Any], dict[str, Any]], tuple[Anything, ...]]] = {
    "MeetingCreatedEvtMsg": _raw_created,
    "MeetingDestroyedEvtMsg": _ended,
    "MeetingEndedEvtMsg": _ended,
    "GroupChatMessageBroadcastEvtMsg": _raw_chat,
    "PollStartedEvtMsg": _raw_poll_started,
    "UserRespondedToPollRespMsg": _raw_poll_answered,
}


def _raw_left(_body: dict[str, Any], _who: dict[str, Any], pointer: str | None, common: dict[str, Any]) -> UserLeft:
    return UserLeft(parent_participant=pointer, **common)


def _raw_audio_joined(body: dict[str, Any], who: dict[str, Any], _: str | None, common: dict[str, Any]) -> AudioJoined:
    return AudioJoined(is_listen_only=body.get("listenOnly", False), name=who.get("name"), **common)


def _raw_emoji(body: dict[str, Any], _who: dict[str, Any], _: str | None, common: dict[str, Any]) -> EmojiChanged:
    return EmojiChanged(emoji=body.get("emoji") or body.get("reactionEmoji"), **common)


def _raw_hand(body: dict[str, Any], _who: dict[str, Any], _: str | None, common: dict[str, Any]) -> RaiseHandChanged:
    # Before BigBlueButton 2.7 the emoji was the hand.
    return RaiseHandChanged(is_up=body.get("raiseHand", "emoji" in body), **common)


_RAW_OF_USER: dict[str, Callable[[dict[str, Any], dict[str, Any], str | None, dict[str, Any]], Anything]] = {
    "user-joined": _joined,
    "user-left": _raw_left,
    "user-audio-voice-enabled": _raw_audio_joined,
    "user-audio-voice-disabled": lambda _body, _who, _, common: AudioLeft(**common),
    "user-audio-muted": lambda _body, _who, _, common: AudioMuted(**common),
    "user-audio-unmuted": lambda _body, _who, _, common: AudioUnmuted(**common),
    "user-cam-broadcast-start": lambda body, _who, _, common: CameraStarted(stream=body.get("stream", ""), **common),
    "user-cam-broadcast-end": lambda body, _who, _, common: CameraEnded(stream=body.get("stream", ""), **common),
    "user-emoji-changed": _raw_emoji,
    "user-raise-hand-changed": _raw_hand,
}


# -- our own ------------------------------------------------------------------------------------------------------


def _listed(told: dict[str, Any], who: dict[str, Any], digest: bytes) -> tuple[Anything, ...]:
    info = told.get("info", _NOBODY)
    present = []
    for slot, count, *pointer in told.get("present", ()):
        external_user_id, name, role = who.get(str(slot), (None, None, None))
        # In a breakout room the person is the participant of the parent meeting.
        external_user_id = pointer[0] if pointer else external_user_id
        if external_user_id is not None:  # else this one has been erased
            present.append(Listed(external_user_id=external_user_id, count=count, name=name, role=role))
    return (
        MeetingListed(
            meeting=told["meeting"],
            at=told["at"],
            source=Source.POLL,
            digest=digest,
            present=tuple(present),
            external_meeting_id=info.get("external_meeting_id"),
            name=info.get("name"),
            is_breakout=info.get("is_breakout", False),
            parent=parent_of(info.get("parent"), told["meeting"]),
            created_at=info.get("created_at"),
            metadata=_pairs(info.get("metadata")),
        ),
    )


def _missing(told: dict[str, Any], _who: dict[str, Any], digest: bytes) -> tuple[Anything, ...]:
    return (MeetingMissing(meeting=told["meeting"], at=told["at"], source=Source.POLL, digest=digest),)


def _blind(told: dict[str, Any], _who: dict[str, Any], digest: bytes) -> tuple[Anything, ...]:
    return (
        WentBlind(
            meeting=told["meeting"],
            at=told["at"],
            until=told["until"],
            cause=told.get("cause", ""),
            source=Source.OURS,
            digest=digest,
        ),
    )


_OURS: dict[str, Callable[[dict[str, Any], dict[str, Any], bytes], tuple[Anything, ...]]] = {
    "meeting-listed": _listed,
    "meeting-missing": _missing,
    "went-blind": _blind,
}


def _pairs(metadata: dict[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(metadata.items())) if metadata else ()
