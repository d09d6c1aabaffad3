"""What happened in a meeting: one frozen type per kind, named in the past tense.

Kinds keep BigBlueButton's spelling. Times are integer milliseconds since the Unix epoch on the clock
of the source. A *participant* is BigBlueButton's internal user id: one connection, new on every use
of a join link.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import ClassVar, Final, TypeAlias

ORDER: Final = attrgetter("at", "kind", "participant", "digest")
"""The order of events, whatever order they came in."""


class Source(StrEnum):
    """Who told us, the best witness first. A document tells many events, whose digests begin with its own."""

    RECORDING = "recording"  # events.xml: BigBlueButton's own clock
    CALLBACK = "callback"  # the analytics callback or data.json: whole seconds
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
    """The meeting was destroyed; everybody still in it was put out. `reason` is BigBlueButton's word for why."""

    kind = "meeting-ended"

    reason: str | None = None


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
class TalkingStarted(ByParticipant):
    """A talk spurt began. Only events.xml tells of talking."""

    kind = "talking-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkingEnded(ByParticipant):
    """A talk spurt ended."""

    kind = "talking-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayChanged(ByParticipant):
    """The person said to be away from the keyboard, or back."""

    kind = "user-away-changed"

    is_away: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMarked(ByParticipant):
    """Somebody pressed the recording button. `participant` may be blank."""

    kind = "recording-marked"

    is_on: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingRecorded(Event):
    """The head of one events.xml: `at` is its first event, `last_at` its last.

    `is_whole`: it leaves nothing out, see rollcall.bbb.recording. `damage` is a code, blank for an undamaged file;
    `blank_events` those whose content had expired before they were written down. `events` counts what was kept;
    `rooms` are the internal ids of its breakout rooms.
    """

    kind = "meeting-recorded"

    last_at: int
    is_whole: bool = False
    damage: str = ""
    blank_events: int = 0
    events: int = 0
    end_reason: str | None = None
    version: str | None = None
    rooms: tuple[str, ...] = ()
    external_meeting_id: str | None = None
    name: str | None = None
    is_breakout: bool = False
    parent: str | None = None
    created_at: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingReported(Event):
    """The head of one analytics callback or data.json (`form`); `at` is its start, `finish_at` its last event.

    Times are truncated to whole seconds, so each happened at or up to a second after what is told. `generation` names
    the gem that made it: "1.2", "2.0" or "2.0.1". `events` counts joins and leaves.
    """

    kind = "meeting-reported"

    finish_at: int
    form: str = "callback"
    generation: str = ""
    events: int = 0
    external_meeting_id: str | None = None
    name: str | None = None
    is_breakout: bool = False
    parent: str | None = None
    created_at: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reported:
    """Joins and leaves of one connection as a callback tells them, each in its own order.

    `participant` is blank where the callback names none (before gem 2.0): then they are of all of a person's
    connections.
    """

    participant: str
    joins: tuple[int, ...] = ()
    leaves: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendeeReported(ByParticipant):
    """What a callback says of one external id; `participant` is the first connection it names, else "callback-<slot>".

    `duration_ms` is the gem's own and never counts. `poll_answers` counts polls with an answer, None where that cannot
    be told; `poll_votes` is the gem's count of options. `is_talking` at the end: a spurt is missing in `talk_ms`.
    """

    kind = "attendee-reported"

    sessions: tuple[Reported, ...] = ()
    duration_ms: int = 0
    name: str | None = None
    role: str | None = None
    parent_participant: str | None = None
    chats: int = 0
    talks: int = 0
    raise_hands: int = 0
    emojis: int = 0
    poll_votes: int = 0
    poll_answers: int | None = None
    talk_ms: int = 0
    is_talking: bool = False


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
    | TalkingStarted
    | TalkingEnded
    | AwayChanged
    | RecordingMarked
    | MeetingRecorded
    | MeetingReported
    | AttendeeReported
    | Noticed
    | MeetingListed
    | MeetingMissing
    | WentBlind
)
