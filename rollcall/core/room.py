"""The events of one meeting, gathered by connection: who said what of whom, in time order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from rollcall.core.events import (
    Anything,
    AudioJoined,
    AudioLeft,
    AudioMuted,
    AudioUnmuted,
    AwayChanged,
    ByParticipant,
    CameraEnded,
    CameraStarted,
    ChatSent,
    EmojiChanged,
    Event,
    MeetingCreated,
    MeetingEnded,
    MeetingListed,
    MeetingMissing,
    Noticed,
    PollAnswered,
    PollStarted,
    RaiseHandChanged,
    RecordingMarked,
    Source,
    TalkingEnded,
    TalkingStarted,
    UserJoined,
    UserLeft,
    WentBlind,
)
from rollcall.core.evidence import LIVE, POLL_SLACK_MS, Moment
from rollcall.core.intervals import OPEN
from rollcall.core.twins import TWIN_WINDOW_MS
from rollcall.core.witnesses import CALLBACK, RECORDING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rollcall.core.events import AttendeeReported, MeetingRecorded, MeetingReported, Reported

# How much each word for an external id counts: any one of a better witness's outweighs all of a weaker one's.
REPORT_WEIGHT: Final = 1_000_000_000_000
JOIN_WEIGHT: Final = 1_000_000
ACT_WEIGHT: Final = 1_000
LEAVE_WEIGHT: Final = 1

BBB_CLOCK: Final = frozenset({Source.RECORDING, Source.RAW})
"""Whoever tells BigBlueButton's own time; the relay stamps its own, a little later."""

MISSING_IS_OVER: Final = 2
"""So many answers of getMeetings in a row without a meeting are its end; one may be a slip."""

EARLIEST_CREATION_AT: Final = 1_000_000_000_000
"""A smaller ending of an internal meeting id is no time: thirteen digits since September 2001."""

LONGEST_MEETING_MS: Final = 24 * 3_600_000
"""How far back a stay may reach in a meeting of which nothing tells when it began."""


@dataclass(slots=True)
class Connection:
    """What is known of one participant. `moments` are for rollcall.core.evidence.

    `is_several`: a callback tells of all connections of a person as if they were one.
    """

    participant: str
    heard_at: int = OPEN
    is_guest: bool | None = None
    is_moderator: bool = False
    parent_participant: str | None = None
    externals: Counter[str] = field(default_factory=Counter)
    names: list[tuple[int, str]] = field(default_factory=list)
    moments: list[tuple[int, Moment]] = field(default_factory=list)
    acts: list[Anything] = field(default_factory=list)
    left_by_bbb_clock_at: int = -OPEN
    early_sign_at: int | None = None
    witness: str = LIVE
    reported: Reported | None = None
    is_several: bool = False

    def mark(self, event: Event, what: Moment = Moment.SIGN) -> None:
        """Alive or heard of, unless this is from before a leave that the slower clock of the relay put after it."""
        if event.source is Source.MAPPED and event.at <= self.left_by_bbb_clock_at + TWIN_WINDOW_MS:
            return
        if event.source in BBB_CLOCK and (not self.moments or self.moments[-1][1] is Moment.LEFT):
            self.early_sign_at = event.at
        self.moments.append((event.at, what))

    def join(self, event: Event) -> None:
        """In; and no later than an act that only the slower clock of the relay put before the join."""
        at = event.at
        if (
            event.source is Source.MAPPED
            and self.early_sign_at is not None
            and at <= self.early_sign_at + TWIN_WINDOW_MS
        ):
            at = self.early_sign_at
        self.moments.append((at, Moment.JOINED))
        self.left_by_bbb_clock_at = -OPEN
        self.early_sign_at = None

    def leave(self, event: Event) -> None:
        """Out."""
        self.moments.append((event.at, Moment.LEFT))
        self.early_sign_at = None
        if event.source in BBB_CLOCK:
            self.left_by_bbb_clock_at = event.at

    def end_talking(self, event: Anything) -> None:
        """Whoever is muted or gone talks no more; only an events.xml tells of talking."""
        if event.source is Source.RECORDING:
            self.acts.append(event)

    @property
    def external_user_id(self) -> str | None:
        """The id most surely meant: joins weigh most, a `user-left` least (B#13736), a tie goes to the lesser text."""
        return min(self.externals, key=lambda external: (-self.externals[external], external), default=None)

    def listed_as(self) -> str | None:
        """By what getMeetings names it: in a breakout room by the parent's connection, a dial-in caller not at all."""
        if self.participant.startswith("v_"):
            return None
        return self.parent_participant or self.external_user_id


@dataclass(slots=True)
class Room:
    """One meeting of a family, gathered. `ended_at` is the latest it can have lasted, OPEN while it runs.

    `ran_until` is the last moment at which it certainly ran: the end itself, unless only polls saw it end.
    `recording` and `callback` are the heads of the records that speak for it; `attendees` what the callback says of
    each external id, by one of its connections.
    """

    meeting: str
    ended_at: int = OPEN
    ran_until: int | None = None
    end_is_told: bool = False
    end_is_by_bbb_clock: bool = False
    end_reason: str | None = None
    created: MeetingCreated | None = None
    listed: list[MeetingListed] = field(default_factory=list)
    missing_at: int | None = None
    blind: list[tuple[int, int, str]] = field(default_factory=list)
    open_polls: set[str] = field(default_factory=set)
    secret_polls: set[str] = field(default_factory=set)
    answers: list[PollAnswered] = field(default_factory=list)
    connections: dict[str, Connection] = field(default_factory=dict)
    recording: MeetingRecorded | None = None
    callback: MeetingReported | None = None
    attendees: dict[str, AttendeeReported] = field(default_factory=dict)
    first_at: int = OPEN
    unknown_emojis: int = 0

    def connection(self, participant: str) -> Connection:
        """The connection of that internal id, made when first heard of."""
        found = self.connections.get(participant)
        if found is None:
            found = self.connections[participant] = Connection(participant)
        return found

    def information(self) -> MeetingCreated | MeetingListed | None:
        """Whoever told what the meeting is: its creation, else an answer of getMeetings."""
        return self.created or (self.listed[0] if self.listed else None)

    def started_at(self) -> int:
        """When it was created, no later than the first thing heard of it; an internal meeting id ends in that time."""
        information = self.information()
        created_at = information.created_at if information else None
        if created_at is None:
            suffix = self.meeting.rpartition("-")[2]
            created_at = int(suffix) if suffix.isascii() and suffix.isdigit() else OPEN
            if not EARLIEST_CREATION_AT <= created_at <= self.first_at:
                return self.first_at
        return min(created_at, self.first_at)

    def earliest_at(self) -> int:
        """Nobody can have been in before this, even where nothing tells when it began."""
        is_known = self.information() is not None or self.started_at() != self.first_at
        return self.started_at() if is_known else self.first_at - LONGEST_MEETING_MS

    def record(self) -> str | None:
        """The record that speaks for it: a whole recording, else a callback."""
        if self.recording is not None and self.recording.is_whole:
            return RECORDING
        return CALLBACK if self.callback is not None else None

    def guests(self) -> set[str]:
        """External ids that belong to guests, as far as anybody said: not every message does."""
        flags = [(one.external_user_id, one.is_guest) for one in self.connections.values()]
        return {external for external, flag in flags if external and flag} - {
            external for external, flag in flags if external and flag is False
        }

    def polls_seen(self) -> list[int]:
        """The times of the polls that found it running."""
        return [listing.at for listing in self.listed]


def gather(meeting: str, events: Sequence[Anything]) -> Room:
    """The room of these events, which are sorted and have no repeats and no twins."""
    room = Room(meeting)
    _find_end(room, events)
    for told in events:
        event = _before_the_end(room, told)
        handle = _HANDLERS.get(type(event))
        if handle is not None and event.at <= room.ended_at:
            handle(room, event)
        elif isinstance(event, UserLeft | WentBlind):
            _HANDLERS[type(event)](room, event)
    for answer in room.answers:
        _credit(room, answer)
    return room


def _before_the_end(room: Room, event: Anything) -> Anything:
    """An act that only the slower clock of the relay put after the end is one of the last moment."""
    is_late = room.ended_at < event.at <= room.ended_at + TWIN_WINDOW_MS
    if is_late and room.end_is_by_bbb_clock and event.source is Source.MAPPED and not isinstance(event, UserLeft):
        return replace(event, at=room.ended_at)
    return event


def _find_end(room: Room, events: Sequence[Anything]) -> None:
    """The end as told; else as invented leaves betray it; else the first of two polls in a row that missed it."""
    room.missing_at = min((event.at for event in events if isinstance(event, MeetingMissing)), default=None)
    ends = [event for event in events if isinstance(event, MeetingEnded)]
    invented = [event.at for event in events if isinstance(event, UserLeft) and event.is_invented]
    if ends:
        first = min(ends, key=lambda event: (event.source not in BBB_CLOCK, event.at))
        room.ended_at = room.ran_until = first.at
        room.end_is_told = True
        room.end_is_by_bbb_clock = first.source in BBB_CLOCK
        room.end_reason = first.reason
    elif invented:
        room.ended_at = room.ran_until = max(invented)
        room.end_is_told = True
    else:
        _find_end_by_polls(room, events)


def _find_end_by_polls(room: Room, events: Sequence[Anything]) -> None:
    alive_at = max((event.at for event in events if type(event) not in NO_SIGN_OF_RUNNING), default=0)
    missing = [event.at for event in events if isinstance(event, MeetingMissing) and event.at > alive_at]
    if len(missing) >= MISSING_IS_OVER:
        room.ended_at, room.ran_until = missing[0] + POLL_SLACK_MS, alive_at or None


def _created(room: Room, event: MeetingCreated) -> None:
    room.first_at = min(room.first_at, event.at)
    if room.created is None or (not room.created.metadata and event.metadata):
        room.created = event


def _listed(room: Room, event: MeetingListed) -> None:
    room.first_at = min(room.first_at, event.at)
    room.listed.append(event)


def _blind(room: Room, event: WentBlind) -> None:
    """Its end is a moment of the server's clock in whole seconds: it may have lasted one more."""
    room.blind.append((event.at, min(event.until + POLL_SLACK_MS, room.ended_at), event.cause))


def _heard(room: Room, event: ByParticipant, weight: int) -> Connection:
    room.first_at = min(room.first_at, event.at)
    connection = room.connection(event.participant)
    connection.heard_at = min(connection.heard_at, event.at)
    if event.external_user_id:
        connection.externals[event.external_user_id] += weight
    return connection


def _joined(room: Room, event: UserJoined) -> None:
    connection = _heard(room, event, JOIN_WEIGHT)
    if event.is_guest is not None:
        connection.is_guest = event.is_guest or connection.is_guest is True
    connection.is_moderator |= event.role == "MODERATOR"
    connection.parent_participant = connection.parent_participant or event.parent_participant
    if event.name:
        connection.names.append((event.at, event.name))
    connection.join(event)


def _left(room: Room, event: UserLeft) -> None:
    connection = _heard(room, event, LEAVE_WEIGHT)
    if event.is_guest is not None:
        connection.is_guest = event.is_guest or connection.is_guest is True
    connection.is_moderator |= event.role == "MODERATOR"
    connection.parent_participant = connection.parent_participant or event.parent_participant
    if event.is_invented or event.at >= room.ended_at:
        connection.moments.append((min(event.at, room.ended_at), Moment.MADE_UP))
        if event.name and not connection.names:
            connection.names.append((0, event.name))
    else:
        connection.end_talking(event)
        connection.leave(event)


def _sign(room: Room, event: ByParticipant) -> None:
    connection = _heard(room, event, ACT_WEIGHT)
    connection.mark(event)
    connection.acts.append(event)  # type: ignore[arg-type]  # every act is one of Anything


def _act(room: Room, event: ByParticipant) -> Connection:
    connection = _heard(room, event, ACT_WEIGHT)
    connection.acts.append(event)  # type: ignore[arg-type]  # as above
    return connection


def _acted(room: Room, event: ByParticipant) -> None:
    _act(room, event)


def _audio_joined(room: Room, event: AudioJoined) -> None:
    """For a dial-in caller the way in; else a sign of life if it is a microphone, which nobody opens by machine."""
    connection = _heard(room, event, ACT_WEIGHT)
    if event.participant.startswith("v_"):
        is_in = bool(connection.moments) and connection.moments[-1][1] != Moment.LEFT
        connection.moments.append((event.at, Moment.SIGN if is_in else Moment.JOINED))
        if event.name:
            connection.names.append((event.at, event.name))
    elif not event.is_listen_only:
        connection.mark(event)


def _audio_left(room: Room, event: AudioLeft) -> None:
    connection = _heard(room, event, ACT_WEIGHT)
    connection.end_talking(event)
    if event.participant.startswith("v_"):
        connection.moments.append((event.at, Moment.LEFT))


def _muted(room: Room, event: AudioMuted) -> None:
    connection = _heard(room, event, ACT_WEIGHT)
    connection.end_talking(event)
    connection.mark(event, Moment.HEARD)


def _unmuted(room: Room, event: AudioUnmuted) -> None:
    _heard(room, event, ACT_WEIGHT).mark(event)


def _emoji(room: Room, event: EmojiChanged) -> None:
    if event.emoji is None:
        room.unknown_emojis += 1
        _heard(room, event, ACT_WEIGHT).mark(event, Moment.HEARD)
    elif event.emoji == "none":
        _act(room, event).mark(event, Moment.HEARD)
    else:
        _sign(room, event)


def _hand(room: Room, event: RaiseHandChanged) -> None:
    if event.is_up:
        _sign(room, event)
    else:
        _act(room, event).mark(event, Moment.HEARD)


def _poll_started(room: Room, event: PollStarted) -> None:
    room.first_at = min(room.first_at, event.at)
    if event.is_secret:
        room.secret_polls.add(event.poll_id)
    elif event.source is Source.RAW or (event.source is Source.RECORDING and event.is_secret is False):
        # Before 2.5 a file does not say it, and names the voters that it may name itself.
        room.open_polls.add(event.poll_id)


def _answered(room: Room, event: PollAnswered) -> None:
    room.first_at = min(room.first_at, event.at)
    room.answers.append(event)


def _marked(room: Room, event: RecordingMarked) -> None:
    """Whoever pressed the button was there; a recording that starts by itself is marked by "system"."""
    room.first_at = min(room.first_at, event.at)
    if event.participant in room.connections:
        _heard(room, event, ACT_WEIGHT).mark(event)


def _credit(room: Room, answer: PollAnswered) -> None:
    """A vote, and so a sign of life, of whoever voted, but only in a poll that is known not to have been secret.

    An events.xml names no voters of secret polls.
    """
    is_open = answer.poll_id in room.open_polls or answer.source is Source.RECORDING
    if answer.voter and is_open and answer.poll_id not in room.secret_polls:
        connection = room.connection(answer.voter)
        connection.moments.append((answer.at, Moment.SIGN))
        connection.acts.append(answer)


NO_SIGN_OF_RUNNING: Final = frozenset({MeetingMissing, WentBlind, Noticed})

_HANDLERS: Final[dict[type, Callable[[Room, Any], None]]] = {
    MeetingCreated: _created,
    MeetingListed: _listed,
    WentBlind: _blind,
    UserJoined: _joined,
    UserLeft: _left,
    AudioJoined: _audio_joined,
    AudioLeft: _audio_left,
    AudioMuted: _muted,
    AudioUnmuted: _unmuted,
    CameraStarted: _sign,
    CameraEnded: _acted,
    EmojiChanged: _emoji,
    RaiseHandChanged: _hand,
    ChatSent: _sign,
    TalkingStarted: _sign,
    TalkingEnded: _acted,
    AwayChanged: _sign,
    RecordingMarked: _marked,
    PollStarted: _poll_started,
    PollAnswered: _answered,
}
