"""events.xml: the rows that are kept of it, and what they tell.

A row is [ms since the row before, code, participant's place in the list of them, more]. The codes stay for ever. Rows
keep the recorder's own words (a status and its value), so that a better reading of them needs no file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from rollcall.bbb import recording as told
from rollcall.bbb.packed import Packing, encode, unpack
from rollcall.bbb.redact import (
    NotUnderstood,
    breakout_pointer,
    keep_id,
    keep_metadata,
    keep_name,
    keep_word,
    mask_numbers,
    of_caller,
)
from rollcall.core.events import (
    AudioJoined,
    AudioLeft,
    AudioMuted,
    AudioUnmuted,
    AwayChanged,
    CameraEnded,
    CameraStarted,
    ChatSent,
    EmojiChanged,
    MeetingEnded,
    MeetingRecorded,
    PollAnswered,
    PollStarted,
    RaiseHandChanged,
    RecordingMarked,
    Source,
    TalkingEnded,
    TalkingStarted,
    UserJoined,
    UserLeft,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.bbb.recording import Recording
    from rollcall.core.events import Anything

INDEX_BYTES: Final = 4
ROWS_AT_ONCE: Final = 4_096

JOINED, LEFT = 0, 1
AUDIO_JOINED, AUDIO_LEFT, MUTED, UNMUTED = 2, 3, 4, 5
TALKING_STARTED, TALKING_ENDED = 6, 7
EMOJI_STATUS, RAISE_HAND, REACTION, AWAY = 8, 9, 10, 11
CAMERA_STARTED, CAMERA_ENDED, OLD_CAMERA_STARTED, OLD_CAMERA_ENDED = 12, 13, 14, 15
CHATTED = 16
POLL_STARTED, POLL_ANSWERED = 17, 18
RECORDING_MARKED, ENDED = 19, 20

NOBODY: Final = -1
CALLER: Final = "v_"

_IN_STREAM: Final = re.compile(r"(?<![0-9a-z])[wv]_[0-9a-z]+")
_ROLES: Final = {"MODERATOR": 1, "VIEWER": 0}
_ROLE_NAMES: Final = ("VIEWER", "MODERATOR")


# -- keeping ------------------------------------------------------------------------------------------------------


class Rows:
    """What one pass over a recording leaves behind. `people`: internal id to external id and name."""

    def __init__(self) -> None:
        self.people: dict[str, list[str | None]] = {}
        self.count = 0
        self._places: dict[str, int] = {}
        self._parents: dict[str, str] = {}
        self._secret_polls: set[str] = set()
        self._packing = Packing()
        self._waiting: list[list[Any]] = []
        self._at = 0

    def read(self, recording: Recording) -> None:
        """Take all there is."""
        rules = _RULES
        self._packing.write(b'{"rows":[')
        for at, _, name, children in recording.events():
            if (rule := rules.get(name)) is not None and (row := rule(self, children)) is not None:
                row[0], self._at = at - self._at, at
                self._waiting.append(row)
                if len(self._waiting) >= ROWS_AT_ONCE:
                    self._write()
        self._write()

    def close(self, head: dict[str, Any]) -> tuple[bytes, bytes]:
        """What is stored, and the digest of what it says."""
        rest = {"participants": list(self._places), "parents": self._parents, "head": head}
        self._packing.write(b"]," + encode(rest)[1:])
        return self._packing.close()

    def _write(self) -> None:
        if self._waiting:
            self._packing.write((b"," if self.count else b"") + encode(self._waiting)[1:-1])
            self.count += len(self._waiting)
            self._waiting.clear()

    def place(self, participant: str | None) -> int:
        """Where this one stands in the list of participants."""
        kept = keep_id(participant)
        return NOBODY if kept is None else self._places.setdefault(kept, len(self._places))

    # One rule for each event; a row begins with a blank for the time.

    def joined(self, children: dict[str, str]) -> list[Any] | None:
        """An external id `w_…-3` is a place in the parent meeting, and nobody's identity."""
        if (participant := keep_id(children.get("userId"))) is None:
            return None
        external = keep_id(children.get("externalUserId"))
        if pointer := breakout_pointer(external):
            self._parents[participant], external = pointer, None
        external, name = of_caller(participant, external, keep_name(children.get("name")))
        person = self.people.setdefault(participant, [None, None])
        person[0] = person[0] or external
        person[1] = name or person[1]
        role = children.get("role")
        return [0, JOINED, self.place(participant), _ROLES.get(role or "", keep_word(role))]

    def audio_joined(self, children: dict[str, str]) -> list[Any] | None:
        """A microphone's name has `-bbbID-` in it, a listener's has not; a caller's is a telephone's."""
        if (participant := keep_id(children.get("participant"))) is None:
            return None
        caller = children.get("callernumber") or children.get("callername") or ""
        is_caller = participant.startswith(CALLER)
        if is_caller and (name := keep_name(children.get("callername"))):
            self.people.setdefault(participant, [None, None])[1] = mask_numbers(name)
        is_listening = bool(caller) and "-bbbID-" not in caller and not is_caller
        return [0, AUDIO_JOINED, self.place(participant), int(is_listening)]

    def status_changed(self, children: dict[str, str]) -> list[Any] | None:
        """Hands, emojis, absence and cameras."""
        place, value = self.place(children.get("userId")), children.get("value") or ""
        match children.get("status"):
            case "emojiStatus":
                return [0, EMOJI_STATUS, place, keep_word(value) or ""]
            case "raiseHand":
                return [0, RAISE_HAND, place, int(value == "true")]
            case "reactionEmoji":
                return [0, REACTION, place, keep_word(value) or ""]
            case "away":
                return [0, AWAY, place, int(value == "true")]
            case "hasStream":
                is_on, _, stream = value.partition(",stream=")
                return [0, CAMERA_STARTED if is_on == "true" else CAMERA_ENDED, place, keep_id(stream) or ""]
        return None

    def poll_started(self, children: dict[str, str]) -> list[Any] | None:
        """Neither what was asked nor what could be answered."""
        poll, said = keep_id(children.get("pollId")) or "", children.get("secretPoll")
        is_secret = None if said is None else said == "true"
        if is_secret:
            self._secret_polls.add(poll)
        return [0, POLL_STARTED, NOBODY, poll, is_secret]

    def poll_answered(self, children: dict[str, str]) -> list[Any] | None:
        """That somebody did; and who, unless it was to be secret."""
        poll = keep_id(children.get("pollId")) or ""
        voter = NOBODY if poll in self._secret_polls else self.place(children.get("userId"))
        return [0, POLL_ANSWERED, voter, poll]

    def old_camera(self, code: int, children: dict[str, str]) -> list[Any] | None:
        """Its owner stands in the name of the stream."""
        stream = keep_id(children.get("stream")) or ""
        found = _IN_STREAM.search(stream)
        return [0, code, self.place(found[0]), stream] if found else None


def _by(child: str, code: int) -> Callable[[Rows, dict[str, str]], list[Any] | None]:
    """A row that says no more than who it was."""

    def row(rows: Rows, children: dict[str, str]) -> list[Any] | None:
        place = rows.place(children.get(child))
        return None if place == NOBODY else [0, code, place]

    return row


def _either(child: str, on: int, off: int) -> Callable[[Rows, dict[str, str]], list[Any] | None]:
    """A row of one code or the other."""

    def row(rows: Rows, children: dict[str, str]) -> list[Any] | None:
        place = rows.place(children.get("participant"))
        return None if place == NOBODY else [0, on if children.get(child) == "true" else off, place]

    return row


_RULES: dict[str, Callable[[Rows, dict[str, str]], list[Any] | None]] = {
    told.JOINED: Rows.joined,
    told.LEFT: _by("userId", LEFT),
    told.STATUS_CHANGED: Rows.status_changed,
    told.RECORDING_MARKED: lambda rows, children: [
        0,
        RECORDING_MARKED,
        rows.place(children.get("userId")),
        int(children.get("status") == "true"),
    ],
    told.ENDED: lambda _, children: [0, ENDED, NOBODY, keep_word(children.get("reason"))],
    told.VOICE_JOINED: Rows.audio_joined,
    told.VOICE_LEFT: _by("participant", AUDIO_LEFT),
    told.VOICE_TALKING: _either("talking", TALKING_STARTED, TALKING_ENDED),
    told.VOICE_MUTED: _either("muted", MUTED, UNMUTED),
    told.CHATTED: _by("senderId", CHATTED),
    told.POLL_STARTED: Rows.poll_started,
    told.POLL_ANSWERED: Rows.poll_answered,
    "WEBCAM/StartWebcamShareEvent": lambda rows, children: rows.old_camera(OLD_CAMERA_STARTED, children),
    "WEBCAM/StopWebcamShareEvent": lambda rows, children: rows.old_camera(OLD_CAMERA_ENDED, children),
}


def head_of(recording: Recording, rows: Rows) -> dict[str, Any]:
    """What is kept of the recording as a whole, once it has been read to its end."""
    meeting = keep_id(recording.meeting)
    if meeting is None:
        raise NotUnderstood(f"it is no recording of a meeting: {recording.damage or 'it names none'}")
    created_at = told.created_at(meeting)
    first_at = recording.first_at if recording.first_at is not None else created_at
    if first_at is None:
        raise NotUnderstood(f"no event in it has a time: {recording.damage or 'there is none'}")
    head = {
        "meeting": meeting,
        "external_meeting_id": keep_id(recording.external_meeting_id),
        "name": keep_name(recording.name),
        "is_breakout": recording.is_breakout or None,
        "parent": keep_id(recording.parent),
        "rooms": sorted(filter(None, map(keep_id, recording.rooms))) or None,
        "metadata": keep_metadata(recording.metadata),
        "version": keep_word(recording.version),
        "created_at": created_at,
        "first_at": first_at,
        "last_at": max(first_at, recording.last_at or first_at),
        "is_whole": recording.is_whole() or None,
        "damage": recording.damage or None,
        "blank_events": recording.blank_events or None,
        "odd_events": recording.odd_events or None,
        "end_reason": keep_word(recording.end_reason),
        "rows": rows.count,
    }
    return {key: value for key, value in head.items() if value is not None}


# -- decoding -----------------------------------------------------------------------------------------------------


def decode_recording(payload: bytes, identity: bytes | None, digest: bytes) -> tuple[Anything, ...]:
    """The head, and what happened, in the file's order."""
    kept = unpack(payload)
    reading = _Reading(kept, unpack(identity) if identity else {}, digest)
    meanings = _MEANINGS
    for row in kept["rows"]:
        reading.at += row[0]
        meanings[row[1]](reading, row[2], row)
    return tuple(reading.events)


def _head(head: dict[str, Any], digest: bytes) -> MeetingRecorded:
    return MeetingRecorded(
        meeting=head["meeting"],
        at=head["first_at"],
        source=Source.RECORDING,
        digest=digest,
        last_at=head["last_at"],
        is_whole=head.get("is_whole", False),
        damage=head.get("damage", ""),
        blank_events=head.get("blank_events", 0),
        events=head["rows"],
        end_reason=head.get("end_reason"),
        version=head.get("version"),
        external_meeting_id=head.get("external_meeting_id"),
        name=head.get("name"),
        is_breakout=head.get("is_breakout", False),
        parent=head.get("parent"),
        rooms=tuple(head.get("rooms", ())),
        created_at=head.get("created_at"),
        metadata=tuple(sorted(head.get("metadata", {}).items())),
    )


class _Reading:
    """The rows of one recording, being read in order: what a status means may depend on the one before."""

    def __init__(self, kept: dict[str, Any], people: dict[str, list[str | None]], digest: bytes) -> None:
        head = kept["head"]
        self.at = 0
        self.events: list[Anything] = [_head(head, digest + bytes(INDEX_BYTES))]
        self._meeting: str = head["meeting"]
        self._digest = digest
        self._people = people
        self._parents: dict[str, str] = kept["parents"]
        self._names: list[str] = kept["participants"]
        self._joined: set[int] = set()
        self._raised: set[int] = set()
        self._away: set[int] = set()
        self._filming: set[tuple[int, str]] = set()
        # Where both tell of a camera, the old events only repeat it, under a longer name.
        self._have_streams = {row[2] for row in kept["rows"] if row[1] == CAMERA_STARTED}

    def add(self, kind: type[Anything], **more: Any) -> None:
        """One more event."""
        digest = self._digest + len(self.events).to_bytes(INDEX_BYTES, "big")
        self.events.append(kind(meeting=self._meeting, at=self.at, source=Source.RECORDING, digest=digest, **more))

    def act(self, kind: type[Anything], place: int, **more: Any) -> None:
        """One more event by somebody; what nobody did is none."""
        if place != NOBODY:
            self.add(kind, participant=self._names[place], **more)

    def joined(self, place: int, row: list[Any]) -> None:
        """Only this event says who somebody is."""
        self._joined.add(place)
        self._begin_anew(place)  # the leave before may be lost
        participant, role = self._names[place], row[3]
        external_user_id, name = self._people.get(participant, (None, None))
        self.act(
            UserJoined,
            place,
            external_user_id=external_user_id,
            name=name,
            role=_ROLE_NAMES[role] if isinstance(role, int) else role,
            parent_participant=self._parents.get(participant),
        )

    def left(self, place: int, _row: list[Any]) -> None:
        """Whoever comes back under the same id has no camera on."""
        self._begin_anew(place)
        self._filming = {one for one in self._filming if one[0] != place}
        self.act(UserLeft, place)

    def _begin_anew(self, place: int) -> None:
        """Nobody comes in with a hand up, or away."""
        self._raised.discard(place)
        self._away.discard(place)

    def audio_joined(self, place: int, row: list[Any]) -> None:
        """A caller is known by nothing but this."""
        name = self._people.get(self._names[place], (None, None))[1]
        is_caller = self._names[place].startswith(CALLER)
        self.act(AudioJoined, place, is_listen_only=bool(row[3]), name=name if is_caller else None)

    def emoji_status(self, place: int, row: list[Any]) -> None:
        """Before 2.7 hand and absence were emojis: each other one lowers the hand and ends the absence."""
        value = row[3]
        if value != "raiseHand":
            self.act(EmojiChanged, place, emoji=value)
        self._hand(place, is_up=value == "raiseHand")
        self._absence(place, is_away=value == "away")

    def _hand(self, place: int, *, is_up: bool) -> None:
        if is_up != (place in self._raised):
            self._raised ^= {place}
            self.act(RaiseHandChanged, place, is_up=is_up)

    def _absence(self, place: int, *, is_away: bool) -> None:
        if is_away != (place in self._away):
            self._away ^= {place}
            self.act(AwayChanged, place, is_away=is_away)

    def hand(self, place: int, row: list[Any]) -> None:
        """From 2.7."""
        self._hand(place, is_up=bool(row[3]))

    def away(self, place: int, row: list[Any]) -> None:
        """From 2.7."""
        self._absence(place, is_away=bool(row[3]))

    def camera(self, place: int, row: list[Any]) -> None:
        """Each stream goes on and off once."""
        stream, is_on = row[3], row[1] in {CAMERA_STARTED, OLD_CAMERA_STARTED}
        if is_on != ((place, stream) in self._filming):
            self._filming ^= {(place, stream)}
            self.act(CameraStarted if is_on else CameraEnded, place, stream=stream)

    def old_camera(self, place: int, row: list[Any]) -> None:
        """BigBlueButton 2.0 and 2.1: the only sign of a camera's end, if the meeting ends before its owner leaves."""
        is_end = row[1] == OLD_CAMERA_ENDED and (place, row[3]) in self._filming
        if is_end or place not in self._have_streams:
            self.camera(place, row)

    def chatted(self, place: int, _row: list[Any]) -> None:
        """The system writes, too."""
        if place in self._joined or self._names[place].startswith("w_"):
            self.act(ChatSent, place)

    def poll_answered(self, place: int, row: list[Any]) -> None:
        """By nobody, if it was to be secret."""
        self.add(PollAnswered, poll_id=row[3], voter=None if place == NOBODY else self._names[place])

    def recording_marked(self, place: int, row: list[Any]) -> None:
        """Also where it was not said who did it."""
        participant = "" if place == NOBODY else self._names[place]
        self.add(RecordingMarked, participant=participant, is_on=bool(row[3]))


def _act(kind: type[Anything]) -> Callable[[_Reading, int, list[Any]], None]:
    return lambda reading, place, _: reading.act(kind, place)


_MEANINGS: dict[int, Callable[[_Reading, int, list[Any]], None]] = {
    JOINED: _Reading.joined,
    LEFT: _Reading.left,
    AUDIO_JOINED: _Reading.audio_joined,
    AUDIO_LEFT: _act(AudioLeft),
    MUTED: _act(AudioMuted),
    UNMUTED: _act(AudioUnmuted),
    TALKING_STARTED: _act(TalkingStarted),
    TALKING_ENDED: _act(TalkingEnded),
    EMOJI_STATUS: _Reading.emoji_status,
    RAISE_HAND: _Reading.hand,
    REACTION: lambda reading, place, row: reading.act(EmojiChanged, place, emoji=row[3]),
    AWAY: _Reading.away,
    CAMERA_STARTED: _Reading.camera,
    CAMERA_ENDED: _Reading.camera,
    OLD_CAMERA_STARTED: _Reading.old_camera,
    OLD_CAMERA_ENDED: _Reading.old_camera,
    CHATTED: _Reading.chatted,
    POLL_STARTED: lambda reading, _, row: reading.add(PollStarted, poll_id=row[3], is_secret=row[4]),
    POLL_ANSWERED: _Reading.poll_answered,
    RECORDING_MARKED: _Reading.recording_marked,
    ENDED: lambda reading, _, row: reading.add(MeetingEnded, reason=row[3]),
}
