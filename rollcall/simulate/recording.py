"""BigBlueButton's recorder, which is not there: everything it would have written down of a meeting.

What must never be stored begins with CANARY.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rollcall.simulate.happenings import Happening, What, happenings
from rollcall.simulate.truth import PUBLISHED, Act, Does, Ending, Meeting, Stay, Truth
from rollcall.simulate.wire_mapped import EMOJI_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from rollcall.simulate.eras import Era

Children = dict[str, str]
Line = tuple[str, str, Children]  # module, name of the event, what it tells

# At the end of the oldest files stands one that has no time of its own.
LAST_CAMERA: Line = ("WEBCAM", "StopWebcamShareEvent", {"stream": "medium-of-somebody-recorded", "duration": "7"})
POD = "DEFAULT_PRESENTATION_POD"
ZONES = (("Z", 0), ("-04", -4), ("+02", 2))
FIRST_EVENT_MS = (1, 116)  # after the creation
CLOCKS_APART_MS = 2
CURSOR_BYTES, EVENT_BYTES = 590, 340
REASONS = {
    Ending.LAST_LEFT: ("ENDED_WHEN_LAST_USER_LEFT",),
    Ending.BY_MODERATOR: ("ENDED_AFTER_USER_LOGGED_OUT", "ENDED_FROM_API"),
    Ending.TIME_OVER: ("ENDED_AFTER_EXCEEDING_DURATION", "ENDED_DUE_TO_NO_MODERATOR"),
}
ROOM_REASONS = ("BREAKOUT_ENDED_EXCEEDING_DURATION", "BREAKOUT_ENDED_BY_MOD")


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event as it stands in the file: `timestamp` is ms since some boot. All blank: its content had expired."""

    timestamp: int | None
    module: str
    name: str
    children: tuple[tuple[str, str], ...]

    def child(self, name: str) -> str | None:
        """What the event tells under that name."""
        return next((value for key, value in self.children if key == name), None)


BLANK = RecordedEvent(None, "", "", ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One events.xml before it is written. `breakout` are the attributes of that element, `rooms` internal ids."""

    meeting: str
    external_meeting_id: str
    name: str
    version: str
    metadata: tuple[tuple[str, str], ...]
    breakout: tuple[tuple[str, str], ...] | None
    rooms: tuple[str, ...]
    events: tuple[RecordedEvent, ...]

    @property
    def is_breakout(self) -> bool:
        """Whether it is one of a room."""
        return bool(self.breakout)


def recordings(
    truth: Truth, era: Era, rng: Random, *, cursor_share: float = 0.0, has_frame: bool = True
) -> dict[str, Recorded]:
    """The files of a class and its rooms by internal meeting id.

    `cursor_share` of the bytes are moves of the whiteboard's cursor: in real files 0.7. Without `has_frame` the first
    event is what the first person did, as in the oldest files.
    """
    return {
        meeting.internal_meeting_id: record(
            truth, meeting, era, rng, cursor_share=cursor_share, has_frame=has_frame or era.has_utc
        )
        for meeting in truth.meetings
    }


def record(
    truth: Truth, meeting: Meeting, era: Era, rng: Random, *, cursor_share: float = 0.0, has_frame: bool = True
) -> Recorded:
    """The file of one meeting."""
    recorder = _Recorder(truth, meeting, era, rng)
    lines = sorted(recorder.lines(has_frame=has_frame), key=lambda line: line[:2])
    lines += _cursor_moves(rng, lines, cursor_share)
    boot = meeting.created_at - rng.randrange(10**6, 10**10)
    zone = rng.choice(ZONES)
    events = [_event(rng, era, at, at - boot, line, zone) for at, _, line in lines]
    names = {"isBreakout": str(meeting.parent is not None).lower()}
    names |= {"meetingId": meeting.external_meeting_id, "meetingName": meeting.name}
    return Recorded(
        meeting=meeting.internal_meeting_id,
        external_meeting_id=meeting.external_meeting_id,
        name=meeting.name,
        version=era.version,
        metadata=tuple(sorted((dict(meeting.metadata) | names).items())),
        breakout=_breakout(meeting, era),
        rooms=() if meeting.parent else tuple(room.internal_meeting_id for room in truth.rooms),
        events=tuple(sorted(events, key=lambda event: event.timestamp or 0)),
    )


def lose_utc(event: RecordedEvent) -> RecordedEvent:
    """The event without its time in epoch ms, as a rare one is."""
    return replace(event, children=tuple(child for child in event.children if child[0] != "timestampUTC"))


def _breakout(meeting: Meeting, era: Era) -> tuple[tuple[str, str], ...] | None:
    if era.number < (2, 2):
        return None
    if meeting.parent is None:
        return ()
    return (
        ("meetingId", meeting.internal_meeting_id),
        ("sequence", str(meeting.sequence)),
        ("freeJoin", "false"),
        ("parentMeetingId", meeting.parent),
    )


def _event(rng: Random, era: Era, at: int, ticks: int, line: Line, zone: tuple[str, int]) -> RecordedEvent:
    """Its children in no order; the two clocks apart by no more than they are in reality."""
    module, name, told = line
    children = list(told.items())
    if era.has_utc and line is not LAST_CAMERA:
        children += [("timestampUTC", str(at)), ("date", _date(at, zone))]
        ticks += rng.randint(0, CLOCKS_APART_MS)
    rng.shuffle(children)
    return RecordedEvent(ticks, module, name, tuple(children))


def _date(at: int, zone: tuple[str, int]) -> str:
    local = datetime.fromtimestamp(at // 1000, UTC) + timedelta(hours=zone[1])
    return f"{local:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}{zone[0]}"


def _cursor_moves(rng: Random, lines: list[tuple[int, int, Line]], share: float) -> list[tuple[int, int, Line]]:
    count = int(len(lines) * EVENT_BYTES * share / (1 - share) / CURSOR_BYTES)
    who = next((told["userId"] for _, _, (_, name, told) in lines if name == "ParticipantJoinEvent"), "")
    if not who or not count:
        return []
    times = (rng.randrange(lines[0][0], lines[-1][0]) for _ in range(count))
    return [(at, 0, ("WHITEBOARD", "WhiteboardCursorMoveEvent", _cursor(rng, who))) for at in times]


def _cursor(rng: Random, who: str) -> Children:
    return {
        "pageNumber": "0",
        "userId": who,
        "xOffset": str(rng.random() * 1600),
        "yOffset": str(rng.random() * 900),
        "presentation": "d2d9a672040fbde2a47a10bf6c37b6a4b5ae187f-1552664944032",
        "whiteboardId": "d2d9a672040fbde2a47a10bf6c37b6a4b5ae187f-1552664944032/1",
    }


@dataclass
class _Recorder:
    """One meeting's, with what it must remember: who is whom, which polls were asked, how many answered."""

    truth: Truth
    meeting: Meeting
    era: Era
    rng: Random
    names: dict[str, str] = field(default_factory=dict)
    polls: dict[str, Act] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    typed: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.acts: dict[Does, Callable[[Act], Iterator[Line]]] = {
            Does.CHATS: self._chats,
            Does.RAISES_HAND: self._hand,
            Does.LOWERS_HAND: self._hand,
            Does.REACTS: self._reacts,
            Does.CLEARS_REACTION: self._reacts,
            Does.GOES_AWAY: self._away,
            Does.COMES_BACK: self._away,
            Does.JOINS_AUDIO: self._joins_audio,
            Does.LEAVES_AUDIO: self._leaves_audio,
            Does.MUTES: self._mutes,
            Does.UNMUTES: self._mutes,
            Does.STARTS_TALKING: self._talks,
            Does.STOPS_TALKING: self._talks,
            Does.STARTS_CAMERA: self._camera,
            Does.ENDS_CAMERA: self._camera,
            Does.STARTS_POLL: self._starts_poll,
            Does.ANSWERS_POLL: self._answers_poll,
            Does.CLOSES_POLL: self._closes_poll,
            Does.BECOMES_PRESENTER: self._becomes_presenter,
            Does.STARTS_SCREENSHARE: self._screenshare,
            Does.ENDS_SCREENSHARE: self._screenshare,
            Does.STARTS_RECORDING: self._records,
            Does.STOPS_RECORDING: self._records,
            Does.CHANGES_PRESENTATION: self._changes_presentation,
            Does.WRITES_PAD: self._writes_pad,
        }

    def lines(self, *, has_frame: bool) -> Iterator[tuple[int, int, Line]]:
        """Every event with its time and, within a millisecond, its place."""
        told = [one for one in happenings(self.truth) if one.meeting is self.meeting]
        for number, one in enumerate(told, 1):
            yield from ((one.at, number, line) for line in self._lines_of(one))
        yield from ((at, number, _stutter(self.meeting, who)) for at, number, who in self._stutters(told))
        if has_frame:
            first = self.meeting.created_at + self.rng.randint(*FIRST_EVENT_MS)
            first = min([first, *(one.at for one in told if one.what is not What.CREATED)])
            yield first, 0, self._opens()
            at = min(first + self.rng.randrange(11_000), self.meeting.ended_at)
            yield at, 0, self._converts("default.pdf")

    def _lines_of(self, one: Happening) -> Iterator[Line]:
        match one.what:
            case What.JOINED if one.stay:
                yield from self._joins(one.stay)
            case What.LEFT if one.stay and one.stay.person.is_dial_in:
                yield "VOICE", "ParticipantLeftEvent", self._voice(one.stay.participant)
            case What.LEFT if one.stay:
                yield "PARTICIPANT", "ParticipantLeftEvent", {"userId": one.stay.participant}
            case What.DID if one.act and one.act.does in self.acts:
                yield from self.acts[one.act.does](one.act)
            case What.ENDED:
                yield self._ends()
            case _:
                pass

    def _stutters(self, told: list[Happening]) -> Iterator[tuple[int, int, str]]:
        """Now and then the recorder is told a second time that somebody talks, in the middle of it."""
        talking: dict[str, int] = {}
        for one in told:
            if one.act and one.act.does is Does.STARTS_TALKING:
                talking[one.act.participant] = one.at
            elif one.act and one.act.does is Does.STOPS_TALKING and one.act.participant in talking:
                since = talking.pop(one.act.participant)
                if one.at - since > 2 and self.rng.random() < 0.1:
                    at = self.rng.randrange(since + 1, one.at)
                    yield at, bisect_left([each.at for each in told], at), one.act.participant
            elif one.act and one.act.does in {Does.MUTES, Does.LEAVES_AUDIO}:
                talking.pop(one.act.participant, None)

    def _opens(self) -> Line:
        if self.era.has_tldraw:
            return "CONFIG", "MeetingConfigurationEvent", {"webcamsOnlyForModerator": "false"}
        return "PRESENTATION", "CreatePresentationPodEvent", {"currentPresenter": "", "podId": POD}

    def _converts(self, filename: str) -> Line:
        told = {"originalFilename": filename, "presentationName": f"slides-{self.meeting.voice_bridge}", "podId": POD}
        return "PRESENTATION", "ConversionCompletedEvent", told

    def _ends(self) -> Line:
        """What comes last: from 2.4 the end itself, before it what the end tears down."""
        if self.era.has_end:
            reasons = ROOM_REASONS if self.meeting.parent else REASONS[self.meeting.ending]
            if not self.meeting.stays:
                reasons = ("ENDED_WHEN_NOT_JOINED",)
            return "PARTICIPANT", "EndAndKickAllEvent", {"reason": self.rng.choice(reasons)}
        if self.era.number < (2, 1):
            return (
                "WEBCAM",
                "StopWebcamShareEvent",
                {"stream": "medium-of-somebody-recorded", "duration": "7", "bye": ""},
            )
        told = {"filename": "/var/freeswitch/meetings/of-this.opus", "bridge": self.meeting.voice_bridge}
        return "VOICE", "StopRecordingEvent", told | {"recordingTimestamp": "1"}

    def _joins(self, stay: Stay) -> Iterator[Line]:
        who, person = stay.participant, stay.person
        self.names[who] = person.name
        if person.is_dial_in:
            told = self._voice(who) | {"callername": person.name, "callernumber": "CANARY-caller-number"}
            yield "VOICE", "ParticipantJoinedEvent", told | {"talking": "false", "muted": "false"}
            return
        told = {"userId": who, "externalUserId": stay.external_user_id, "role": person.role, "name": person.name}
        yield (
            "PARTICIPANT",
            "ParticipantJoinEvent",
            told | ({"userdata": '{"bbb_custom":"CANARY-userdata"}'} if self.era.has_own_hand else {}),
        )

    def _voice(self, who: str) -> Children:
        return {"participant": who, "bridge": self.meeting.voice_bridge}

    def _joins_audio(self, act: Act) -> Iterator[Line]:
        """Who only listens is called by the bare name."""
        name = self.names.get(act.participant, "")
        number = name if act.is_listen_only else f"{act.participant}_1-bbbID-{name}"
        told = self._voice(act.participant) | {"callername": name, "callernumber": number}
        yield "VOICE", "ParticipantJoinedEvent", told | {"talking": "false", "muted": str(act.is_listen_only).lower()}

    def _leaves_audio(self, act: Act) -> Iterator[Line]:
        yield "VOICE", "ParticipantLeftEvent", self._voice(act.participant)

    def _mutes(self, act: Act) -> Iterator[Line]:
        told = self._voice(act.participant) | {"muted": str(act.does is Does.MUTES).lower()}
        yield "VOICE", "ParticipantMutedEvent", told

    def _talks(self, act: Act) -> Iterator[Line]:
        told = self._voice(act.participant) | {"talking": str(act.does is Does.STARTS_TALKING).lower()}
        yield "VOICE", "ParticipantTalkingEvent", told

    def _chats(self, act: Act) -> Iterator[Line]:
        told = {"senderId": act.participant, "message": "CANARY-chat ~*&+ Γεια <b>σας</b>!"}
        if self.era.number < (2, 3):
            told |= {"sender": self.names.get(act.participant, ""), "color": "0"}
        else:
            told |= {"senderRole": "VIEWER", "chatEmphasizedText": "true", "replyToMessageId": ""}
        yield "CHAT", "PublicChatEvent", told

    def _status(self, who: str, status: str, value: str) -> Iterator[Line]:
        yield "PARTICIPANT", "ParticipantStatusChangeEvent", {"userId": who, "status": status, "value": value}

    def _hand(self, act: Act) -> Iterator[Line]:
        up = act.does is Does.RAISES_HAND
        if self.era.has_own_hand:
            return self._status(act.participant, "raiseHand", str(up).lower())
        return self._status(act.participant, "emojiStatus", "raiseHand" if up else "none")

    def _reacts(self, act: Act) -> Iterator[Line]:
        emoji = act.text or "none"
        if self.era.has_own_hand:
            return self._status(act.participant, "reactionEmoji", emoji)
        return self._status(act.participant, "emojiStatus", EMOJI_NAMES.get(emoji, emoji))

    def _away(self, act: Act) -> Iterator[Line]:
        away = act.does is Does.GOES_AWAY
        if self.era.has_own_hand:
            return self._status(act.participant, "away", str(away).lower())
        return self._status(act.participant, "emojiStatus", "away" if away else "none")

    def _camera(self, act: Act) -> Iterator[Line]:
        """The stream's name; on the oldest servers the recorded file of it, under another one, is told too."""
        on = act.does is Does.STARTS_CAMERA
        yield from self._status(act.participant, "hasStream", f"{str(on).lower()},stream={act.key}")
        if self.era.number < (2, 1):
            file = {"stream": f"{act.key}-recorded-{self.meeting.created_at}"} | ({} if on else {"duration": "60"})
            yield "WEBCAM", "StartWebcamShareEvent" if on else "StopWebcamShareEvent", file
        else:
            name = "StartWebRTCShareEvent" if on else "StopWebRTCShareEvent"
            yield "bbb-webrtc-sfu", name, {"filename": f"/var/kurento/recordings/{act.key}.webm"}

    def _becomes_presenter(self, act: Act) -> Iterator[Line]:
        told = {"userid": act.participant, "name": self.names.get(act.participant, ""), "assignedBy": act.participant}
        yield "PARTICIPANT", "AssignPresenterEvent", told

    def _screenshare(self, act: Act) -> Iterator[Line]:
        on = act.does is Does.STARTS_SCREENSHARE
        if self.era.number < (2, 3):
            yield "Deskshare", "DeskshareStartedEvent" if on else "DeskshareStoppedEvent", {"file": "/var/screen.flv"}
        else:
            name = "StartWebRTCDesktopShareEvent" if on else "StopWebRTCDesktopShareEvent"
            yield "bbb-webrtc-sfu", name, {"filename": "/var/lib/bbb-webrtc-recorder/screen.webm"}

    def _records(self, act: Act) -> Iterator[Line]:
        told = {"userId": act.participant, "status": str(act.does is Does.STARTS_RECORDING).lower()}
        yield "PARTICIPANT", "RecordStatusEvent", told

    def _changes_presentation(self, act: Act) -> Iterator[Line]:
        yield self._converts(f"{act.key}.pdf")

    def _writes_pad(self, _act: Act) -> Iterator[Line]:
        if self.era.has_full_polls:
            yield "PAD", "PadCreatedEvent", {"padId": "g.CANARY-pad$notes"}

    def options(self, poll: str) -> tuple[str, ...]:
        """As they are shown; a server that cannot do free text shows one."""
        asked = self.polls[poll].options or (() if self.era.has_full_polls else ("anything",))
        return tuple(f"CANARY-option {option}" for option in asked)

    def _starts_poll(self, act: Act) -> Iterator[Line]:
        self.polls[act.key] = act
        told = {"pollId": act.key, "answers": _answers(self.options(act.key))}
        if self.era.has_full_polls:
            told |= {"question": "CANARY-question 2+2=?", "type": act.text, "secretPoll": str(act.is_secret).lower()}
        yield "POLL", "PollStartedRecordEvent", told

    def _answers_poll(self, act: Act) -> Iterator[Line]:
        """One event for each chosen option; in a secret poll without who chose it."""
        self.answers[act.key] = self.answers.get(act.key, 0) + 1
        options = self.options(act.key)
        for choice in self._typed(act) if act.text and self.era.has_full_polls else act.choices:
            told = {"pollId": act.key, "userId": "" if act.is_secret else act.participant, "answerId": str(choice)}
            text = act.text or options[choice] if self.era.has_full_polls else ""
            yield "POLL", "UserRespondedToPollRecordEvent", told | ({"answer": text} if text else {})

    def _typed(self, act: Act) -> tuple[int]:
        """An answer that nobody has typed before becomes the next option."""
        known = self.typed.setdefault(act.key, [])
        if act.text not in known:
            known.append(act.text)
        return (known.index(act.text),)

    def _closes_poll(self, act: Act) -> Iterator[Line]:
        if act.text == PUBLISHED:
            yield from self._publishes_poll(act)
        yield "POLL", "PollStoppedRecordEvent", {"pollId": act.key}

    def _publishes_poll(self, act: Act) -> Iterator[Line]:
        count = str(self.answers.get(act.key, 0))
        if self.era.has_full_polls:
            told = {"pollId": act.key, "question": "CANARY-question 2+2=?", "answers": _answers(self.options(act.key))}
            yield "POLL", "PollPublishedRecordEvent", told | {"numRespondents": count, "numResponders": count}
        if self.era.has_tldraw:
            shape = {"userId": act.participant, "shapeId": act.key, "shapeData": f'{{"id":"{act.key}"}}'}
            yield "WHITEBOARD", "AddTldrawShapeEvent", shape
        else:
            shape = {"type": "poll_result", "id": act.key, "shapeId": act.key, "status": "DRAW_END"}
            yield "WHITEBOARD", "AddShapeEvent", shape | {"userId": act.participant, "num_responders": count}


def _answers(options: tuple[str, ...]) -> str:
    answers = [{"id": number, "key": option} for number, option in enumerate(options)]
    return json.dumps(answers, ensure_ascii=False, separators=(",", ":"))


def _stutter(meeting: Meeting, who: str) -> Line:
    return "VOICE", "ParticipantTalkingEvent", {"participant": who, "bridge": meeting.voice_bridge, "talking": "true"}
