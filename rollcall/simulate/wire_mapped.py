"""Mapped webhooks as bbb-webhooks 2.6.1, 3.3.1 and 3.5.0 write them, with their gaps.

What must never be stored begins with CANARY. A value JavaScript leaves undefined is absent, never null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rollcall.simulate.happenings import Happening, What
from rollcall.simulate.truth import Act, Does, Meeting, Stay

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.simulate.generations import Generation
    from rollcall.simulate.sendings import Element

User = dict[str, Any]
Told = tuple[str, dict[str, Any]]

PUBLIC_CHAT = "MAIN-PUBLIC-GROUP-CHAT"
EMOJI_NAMES = {"👍": "thumbsUp", "👏": "applause", "😀": "happy", "😕": "confused", "😢": "sad"}
DIAL_NUMBER = "CANARY-613-555-1234"


class Mapper:
    """The relay's memory and its mapping. One for each relay: it knows people only from their join to their leave."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.users: dict[str, User] = {}  # as they were mapped at their join, with what the relay noted since
        self.meeting_of: dict[str, str] = {}
        self.presenter: dict[str, str] = {}
        self.acts: dict[Does, Callable[[Meeting, Act], list[Told]]] = {
            Does.CHATS: self._chats,
            Does.RAISES_HAND: self._hand,
            Does.LOWERS_HAND: self._hand,
            Does.REACTS: self._reacts,
            Does.CLEARS_REACTION: self._reacts,
            Does.JOINS_AUDIO: self._joins_audio,
            Does.LEAVES_AUDIO: self._leaves_audio,
            Does.MUTES: self._mutes,
            Does.UNMUTES: self._mutes,
            Does.STARTS_CAMERA: self._camera,
            Does.ENDS_CAMERA: self._camera,
            Does.STARTS_POLL: self._starts_poll,
            Does.ANSWERS_POLL: self._answers_poll,
            Does.BECOMES_PRESENTER: self._becomes_presenter,
            Does.STARTS_SCREENSHARE: self._screenshare,
            Does.ENDS_SCREENSHARE: self._screenshare,
            Does.STARTS_RECORDING: self._records,
            Does.STOPS_RECORDING: self._records,
            Does.GOES_AWAY: self._away,
            Does.COMES_BACK: self._away,
            Does.STARTS_TALKING: _nothing,
            Does.STOPS_TALKING: _nothing,
            Does.CLOSES_POLL: _nothing,
            Does.CHANGES_PRESENTATION: self._changes_presentation,
            Does.IS_TRANSCRIBED: self._is_transcribed,
            Does.WRITES_PAD: self._writes_pad,
            Does.IS_ARCHIVED: self._is_archived,
        }

    def tell(self, happening: Happening, ts: int) -> list[Element]:
        """The elements that follow from one happening; the invented leaves come from `invent_leaves`."""
        return [_element(kind, attributes, ts) for kind, attributes in self._told(happening)]

    def invent_leaves(self, meeting: Meeting, ts: int) -> list[Element]:
        """At a meeting's end: one leave for everybody still known, with the whole user as remembered."""
        there = [who for who, where in self.meeting_of.items() if where == meeting.internal_meeting_id]
        found = [] if self.generation.is_2x else [self.users[who] for who in there]
        for who in there:
            self._forget(who)
        return [_element("user-left", {"meeting": _ids(meeting), "user": user}, ts) for user in found]

    def _told(self, happening: Happening) -> list[Told]:
        meeting = happening.meeting
        match happening.what:
            case What.CREATED:
                return [("meeting-created", {"meeting": self._created(meeting)})]
            case What.JOINED if happening.stay:
                return self._joined(meeting, happening.stay)
            case What.LEFT if happening.stay:
                return self._left(meeting, happening.stay)
            case What.ENDED:
                return [("meeting-ended", {"meeting": _ids(meeting)})]
        return self.acts[happening.act.does](meeting, happening.act) if happening.act else []

    def _created(self, meeting: Meeting) -> dict[str, Any]:
        new = self.generation
        fields = {
            **_ids(meeting),
            "name": meeting.name,
            "is-breakout": meeting.parent is not None,
            **({} if new.is_2x else {"parent-id": meeting.parent or "bbb-none"}),
            "duration": 0,
            "create-time": meeting.created_at,
            "create-date": java_date(meeting.created_at),
            "moderator-pass": "CANARY-moderator-pass",
            "viewer-pass": "CANARY-viewer-pass",
            "record": True,
            "voice-conf": meeting.voice_bridge,
            "dial-number": DIAL_NUMBER,
            "max-users": 0,
            "metadata": dict(meeting.metadata),
        }
        bridges = ("audioBridge", "cameraBridge", "screenShareBridge") if new.relay >= (3, 4, 0) else ()
        return fields | dict.fromkeys(bridges, "livekit")

    def _joined(self, meeting: Meeting, stay: Stay) -> list[Told]:
        if stay.person.is_dial_in:
            return self._voice_enabled(meeting, stay.participant, is_listen_only=False)
        user = self._user(stay)
        self.users[stay.participant] = user
        self.meeting_of[stay.participant] = meeting.internal_meeting_id
        return [("user-joined", {"meeting": _ids(meeting), "user": dict(user)})]

    def _user(self, stay: Stay) -> User:
        user: User = {
            "internal-user-id": stay.participant,
            "external-user-id": stay.external_user_id,
            "name": stay.person.name,
            "role": stay.person.role,
            "presenter": False,
        }
        if self.generation.is_3_5:
            user |= dict.fromkeys(("ip-address", "user-agent", "referer"), "CANARY-connection")
            user["session-token"] = "CANARY-session-token"
        if not self.generation.is_2x:
            user |= {"userdata": {"bbb_custom": "CANARY-userdata"}, "guest": stay.person.is_guest}
        return user

    def _left(self, meeting: Meeting, stay: Stay) -> list[Told]:
        if stay.person.is_dial_in:
            return self._voice_disabled(meeting, stay.participant)
        guest = {} if self.generation.is_2x else {"guest": stay.person.is_guest}
        told: Told = ("user-left", self._about(meeting, stay.participant, **guest))
        self._forget(stay.participant)
        return [told]

    def _forget(self, participant: str) -> None:
        self.users.pop(participant, None)
        self.meeting_of.pop(participant, None)

    def _about(self, meeting: Meeting, participant: str, **more: object) -> dict[str, Any]:
        """The ids of a user; who has left or never joined has a blank external id."""
        external = self.users.get(participant, {}).get("external-user-id", "")
        user = {"internal-user-id": participant, "external-user-id": external, **more}
        return {"meeting": _ids(meeting), "user": user}

    def _voice_enabled(self, meeting: Meeting, participant: str, *, is_listen_only: bool) -> list[Told]:
        audio = {"listening-only": is_listen_only, "sharing-mic": not is_listen_only}
        muted = {} if self.generation.is_2x else {"muted": False}
        return [("user-audio-voice-enabled", self._about(meeting, participant, **audio, **muted))]

    def _voice_disabled(self, meeting: Meeting, participant: str) -> list[Told]:
        audio = {"listening-only": False, "sharing-mic": False}
        muted = {} if self.generation.is_2x else {"muted": True}
        return [("user-audio-voice-disabled", self._about(meeting, participant, **audio, **muted))]

    def _joins_audio(self, meeting: Meeting, act: Act) -> list[Told]:
        return self._voice_enabled(meeting, act.participant, is_listen_only=act.is_listen_only)

    def _leaves_audio(self, meeting: Meeting, act: Act) -> list[Told]:
        return self._voice_disabled(meeting, act.participant)

    def _mutes(self, meeting: Meeting, act: Act) -> list[Told]:
        muted = act.does is Does.MUTES
        kind = "user-audio-muted" if muted else "user-audio-unmuted"
        return [] if self.generation.is_2x else [(kind, self._about(meeting, act.participant, muted=muted))]

    def _camera(self, meeting: Meeting, act: Act) -> list[Told]:
        kind = "user-cam-broadcast-start" if act.does is Does.STARTS_CAMERA else "user-cam-broadcast-end"
        return [(kind, self._about(meeting, act.participant, stream=act.key))]

    def _chats(self, meeting: Meeting, act: Act) -> list[Told]:
        name = self.users.get(act.participant, {}).get("name", "")
        external = self.users.get(act.participant, {}).get("external-user-id")
        message: dict[str, Any] = {} if self.generation.is_2x else {"id": act.key}
        sender: dict[str, Any] = {"internal-user-id": act.participant}
        if self.generation.is_2x:  # it fills the external id with the name
            sender |= {"external-user-id": name, "timezone-offset": -120}
        elif self.generation.relay >= (3, 4, 0):
            sender |= ({} if external is None else {"external-user-id": external}) | {"name": name}
        else:
            sender["name"] = name
        message |= {"message": "CANARY-chat ~*&+ Γεια <b>σας</b>!", "sender": sender | {"time": act.at}}
        attributes = {"meeting": _ids(meeting), "chat-message": message, "chat-id": PUBLIC_CHAT}
        return [("chat-group-message-sent", attributes)]

    def _hand(self, meeting: Meeting, act: Act) -> list[Told]:
        up = act.does is Does.RAISES_HAND
        if self.generation.is_bbb_2_6:
            return self._emoji_of_2_6(meeting, act.participant, "raiseHand" if up else "none")
        return [("user-raise-hand-changed", self._about(meeting, act.participant, **{"raise-hand": up}))]

    def _reacts(self, meeting: Meeting, act: Act) -> list[Told]:
        emoji = act.text or "none"
        if self.generation.is_bbb_2_6:
            return self._emoji_of_2_6(meeting, act.participant, EMOJI_NAMES.get(emoji, emoji))
        return [("user-emoji-changed", self._about(meeting, act.participant, emoji=emoji))]

    def _emoji_of_2_6(self, meeting: Meeting, participant: str, emoji: str) -> list[Told]:
        """There a raised hand is an emoji; a new relay tells it a second time as a hand, an old one drops the value."""
        if self.generation.is_2x:
            return [("user-emoji-changed", self._about(meeting, participant))]
        told: list[Told] = [("user-emoji-changed", self._about(meeting, participant, emoji=emoji))]
        user = self.users.get(participant, {})
        if emoji == "raiseHand" or user.get("raiseHand"):
            user["raiseHand"] = emoji == "raiseHand"
            told.append(("user-raise-hand-changed", self._about(meeting, participant, raiseHand=user["raiseHand"])))
        return told

    def _becomes_presenter(self, meeting: Meeting, act: Act) -> list[Told]:
        self.presenter[meeting.internal_meeting_id] = act.participant
        if user := self.users.get(act.participant):
            user["presenter"] = True
        return [("user-presenter-assigned", self._about(meeting, act.participant))]

    def _screenshare(self, meeting: Meeting, act: Act) -> list[Told]:
        started = act.does is Does.STARTS_SCREENSHARE
        kind = "meeting-screenshare-started" if started else "meeting-screenshare-stopped"
        if self.generation.is_2x:
            return [(kind, {"meeting": _ids(meeting)})]
        if user := self.users.get(act.participant):
            user["screenshare"] = started
        return [(kind, self._about(meeting, act.participant))]

    def _starts_poll(self, meeting: Meeting, act: Act) -> list[Told]:
        answers = [{"id": n, "key": f"CANARY-option {text}"} for n, text in enumerate(act.options)]
        poll = {"id": act.key, "question": "CANARY-question 2+2=?", "answers": answers}
        return self._poll("poll-started", meeting, act.participant, poll)

    def _answers_poll(self, meeting: Meeting, act: Act) -> list[Told]:
        """It names the presenter, to whom BigBlueButton sends the answer; without one there is no event."""
        presenter = self.presenter.get(meeting.internal_meeting_id)
        if presenter is None or presenter not in self.users:
            return []
        return self._poll("poll-responded", meeting, presenter, {"id": act.key, "answerIds": list(act.choices)})

    def _poll(self, kind: str, meeting: Meeting, participant: str, poll: dict[str, Any]) -> list[Told]:
        about = self._about(meeting, participant) | {"poll": poll}
        return [] if self.generation.is_2x else [(kind, about)]

    def _away(self, meeting: Meeting, act: Act) -> list[Told]:
        """An emoji before BigBlueButton 2.7; since then no relay tells of it."""
        if not self.generation.is_bbb_2_6:
            return []
        return self._emoji_of_2_6(meeting, act.participant, "away" if act.does is Does.GOES_AWAY else "none")

    def _records(self, meeting: Meeting, act: Act) -> list[Told]:
        step = "started" if act.does is Does.STARTS_RECORDING else "stopped"
        return [(f"meeting-recording-{step}", {"meeting": _ids(meeting)})]

    def _changes_presentation(self, meeting: Meeting, act: Act) -> list[Told]:
        return [("meeting-presentation-changed", {"meeting": _ids(meeting) | {"presentation-id": act.key}})]

    def _is_transcribed(self, meeting: Meeting, act: Act) -> list[Told]:
        said = {"id": act.key, "transcript": "CANARY-transcript", "locale": "el-GR", "final": False}
        if not self.generation.is_3_5:
            return []
        return [("transcript-updated", self._about(meeting, act.participant) | {"transcript": said})]

    def _writes_pad(self, meeting: Meeting, act: Act) -> list[Told]:
        pad = {"id": act.key, "external-pad-id": "notes", "rev": "7", "start": 0, "end": 9, "text": "CANARY-pad"}
        return [("pad-content", {"meeting": _ids(meeting), "pad": pad})]

    def _is_archived(self, meeting: Meeting, act: Act) -> list[Told]:
        """A script's step: `_element` leaves its time in seconds."""
        step = {"record-id": meeting.internal_meeting_id, "success": True, "step-time": 4_200}
        if act.key.endswith("-started"):
            del step["success"], step["step-time"]
        if act.key == "archive-ended" and not self.generation.is_2x:
            step |= {"recorded": True, "duration": meeting.ended_at - meeting.created_at}
        if act.key.startswith("publish"):
            step["workflow"] = "presentation"
        is_2x = self.generation.is_2x
        recording = {"recording": _recording(meeting, is_2x=is_2x)} if act.key == "publish-ended" else {}
        return [(f"rap-{act.key}", {"meeting": _ids(meeting)} | step | recording)]


def _nothing(_meeting: Meeting, _act: Act) -> list[Told]:
    """The relay does not map it."""
    return []


def java_date(at: int) -> str:
    """A Java `Date` as text, in the server's zone: for show, nobody should parse it."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")


def _ids(meeting: Meeting) -> dict[str, Any]:
    return {"internal-meeting-id": meeting.internal_meeting_id, "external-meeting-id": meeting.external_meeting_id}


def _element(kind: str, attributes: dict[str, Any], ts: int) -> Element:
    when = ts // 1000 if kind.startswith("rap-") else ts
    return {"data": {"type": "event", "id": kind, "attributes": attributes, "event": {"ts": when}}}


def recording_of(meeting: Meeting) -> dict[str, Any]:
    """What the scripts know of a recording: its metadata are as the archive has them."""
    names = {
        "meetingId": meeting.external_meeting_id,
        "meetingName": meeting.name,
        "isBreakout": str(meeting.parent is not None).lower(),
    }
    return {
        "start_time": meeting.created_at,
        "end_time": meeting.ended_at,
        "raw_size": 7_654_321,
        "metadata": names | dict(meeting.metadata),
        "playback": {"format": "presentation", "link": "CANARY-link", "duration": 1, "size": 1_234_567},
        "download": {},
    }


def _recording(meeting: Meeting, *, is_2x: bool) -> dict[str, Any]:
    """The old relay looks for the times under names the scripts do not use."""
    found = recording_of(meeting)
    times = {"start-time": found["start_time"], "end-time": found["end_time"]}
    return {
        "name": found["metadata"]["meetingName"],
        "is-breakout": found["metadata"]["isBreakout"],
        **({} if is_2x else times),
        "size": found["playback"]["size"],
        **({} if is_2x else {"raw-size": found["raw_size"]}),
        **{name: found[name] for name in ("metadata", "playback", "download")},
    }
