"""What happened in a meeting: one frozen type per kind, named in the past tense.

Kinds keep BigBlueButton's spelling. Times are integer milliseconds since the Unix epoch on the clock
of the source. A *participant* is BigBlueButton's internal user id: one connection, new on every use
of a join link.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeAlias


class Source(StrEnum):
    """Who told us, the best witness of a live class first."""

    RAW = "raw"  # a raw webhook: BigBlueButton's own clock
    MAPPED = "mapped"  # a mapped webhook: the relay's clock
    POLL = "poll"  # an answer of getMeetings: the server's HTTP Date, whole seconds
    OURS = "ours"  # Rollcall itself: when it was blind


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has. `digest` tells two facts apart and orders simultaneous ones."""

    kind: ClassVar[str] = ""
    participant: ClassVar[str] = ""

    meeting: str
    at: int
    source: Source = Source.MAPPED
    digest: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByParticipant(Event):
    """Something one connection did or underwent. The external id is what this message itself said of it."""

    participant: str  # type: ignore[misc]  # an instance's own, where the class has a blank
    external_user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingCreated(Event):
    """`parent` is the parent's internal meeting id, `created_at` BigBlueButton's create time."""

    kind = "meeting-created"

    external_meeting_id: str | None = None
    name: str | None = None
    is_breakout: bool = False
    parent: str | None = None
    created_at: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingEnded(Event):
    """The meeting was destroyed; everybody still in it was put out."""

    kind = "meeting-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserJoined(ByParticipant):
    """`parent_participant` is set in a breakout room: the same person's connection in the parent meeting."""

    kind = "user-joined"

    name: str | None = None
    role: str | None = None
    is_guest: bool | None = None
    parent_participant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLeft(ByParticipant):
    """`is_invented`: the relay made it up when the meeting ended; it witnesses the end, not a leave."""

    kind = "user-left"

    is_invented: bool = False
    name: str | None = None
    role: str | None = None
    is_guest: bool | None = None
    parent_participant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioJoined(ByParticipant):
    """Joined the audio; `name` is a dial-in caller's, its digits masked."""

    kind = "user-audio-voice-enabled"

    is_listen_only: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioLeft(ByParticipant):
    """Left the audio: for a dial-in caller, the class."""

    kind = "user-audio-voice-disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioMuted(ByParticipant):
    """The microphone was closed, by its owner or by a moderator."""

    kind = "user-audio-muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioUnmuted(ByParticipant):
    """The microphone was opened."""

    kind = "user-audio-unmuted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStarted(ByParticipant):
    """A camera went on; a participant may have several streams."""

    kind = "user-cam-broadcast-start"

    stream: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEnded(ByParticipant):
    """A camera went off."""

    kind = "user-cam-broadcast-end"

    stream: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmojiChanged(ByParticipant):
    """`emoji` is a name (before 2.7) or a character, "none" when cleared, None where the relay left it out."""

    kind = "user-emoji-changed"

    emoji: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseHandChanged(ByParticipant):
    """A hand went up or down."""

    kind = "user-raise-hand-changed"

    is_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSent(ByParticipant):
    """A public message; `message_id` is blank before bbb-webhooks 3."""

    kind = "chat-group-message-sent"

    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollStarted(Event):
    """`is_secret` is None where only a mapped webhook told of it."""

    kind = "poll-started"

    poll_id: str = ""
    is_secret: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollAnswered(Event):
    """`voter` is known from raw webhooks only: the mapped ones name the presenter instead."""

    kind = "poll-responded"

    poll_id: str = ""
    voter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed(Event):
    """Anything else that was sent: its kind, time and meeting are kept, and nothing follows from it."""

    noticed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One external id in an answer of getMeetings, with as many entries as it had."""

    external_user_id: str
    count: int = 1
    name: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingListed(Event):
    """getMeetings named this meeting as running, with these people in it (dial-in callers never are)."""

    kind = "meeting-listed"

    present: tuple[Listed, ...] = ()
    external_meeting_id: str | None = None
    name: str | None = None
    is_breakout: bool = False
    parent: str | None = None
    created_at: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingMissing(Event):
    """getMeetings answered and did not name this meeting. Twice in a row is an end."""

    kind = "meeting-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class WentBlind(Event):
    """From `at` until `until` the webhooks of this meeting may have been lost; `cause` is a code."""

    kind = "went-blind"

    until: int
    cause: str = ""


Anything: TypeAlias = (
    MeetingCreated
    | MeetingEnded
    | UserJoined
    | UserLeft
    | AudioJoined
    | AudioLeft
    | AudioMuted
    | AudioUnmuted
    | CameraStarted
    | CameraEnded
    | EmojiChanged
    | RaiseHandChanged
    | ChatSent
    | PollStarted
    | PollAnswered
    | Noticed
    | MeetingListed
    | MeetingMissing
    | WentBlind
)
