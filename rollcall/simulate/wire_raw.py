"""Raw webhooks: BigBlueButton's own messages, passwords and addresses and all, on its own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.simulate.happenings import Happening, What, happenings
from rollcall.simulate.truth import PUBLISHED, Act, Does, Meeting, Person, Stay, Truth
from rollcall.simulate.wire_mapped import DIAL_NUMBER, EMOJI_NAMES, PUBLIC_CHAT, java_date, recording_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.simulate.generations import Generation
    from rollcall.simulate.sendings import Element

Said = tuple[str, str, dict[str, Any]]  # the message's name, the user in its header, its body

BROADCAST = "BROADCAST_TO_MEETING"
NOBODY = "not-used"
MESSAGES = {
    Does.STARTS_CAMERA: "UserBroadcastCamStartedEvtMsg",
    Does.ENDS_CAMERA: "UserBroadcastCamStoppedEvtMsg",
    Does.STARTS_SCREENSHARE: "ScreenshareRtmpBroadcastStartedEvtMsg",
    Does.ENDS_SCREENSHARE: "ScreenshareRtmpBroadcastStoppedEvtMsg",
}


class Speaker:
    """BigBlueButton on its Redis channel; it knows who is presenter, to whom poll answers are addressed."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.presenter: dict[str, str] = {}
        self.people: dict[str, Person] = {}
        self.acts: dict[Does, Callable[[Meeting, Act], Said]] = {
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
            Does.STARTS_TALKING: self._talks,
            Does.STOPS_TALKING: self._talks,
            Does.CLOSES_POLL: self._closes_poll,
            Does.CHANGES_PRESENTATION: self._changes_presentation,
            Does.IS_TRANSCRIBED: self._is_transcribed,
            Does.WRITES_PAD: self._writes_pad,
        }

    def say(self, happening: Happening) -> Element:
        """The message that stands behind one happening."""
        meeting = happening.meeting
        if happening.stay:
            self.people[happening.stay.participant] = happening.stay.person
        match happening.what:
            case What.CREATED:
                return self._created(meeting)
            case What.ARCHIVED if happening.act:
                return _archive_step(meeting, happening.act)
            case What.ENDED:
                said: Said = "MeetingDestroyedEvtMsg", NOBODY, {"meetingId": meeting.internal_meeting_id}
            case What.JOINED if happening.stay:
                said = self._joined(meeting, happening.stay)
            case What.LEFT if happening.stay:
                said = self._left(meeting, happening.stay)
            case _ if happening.act:
                said = self.acts[happening.act.does](meeting, happening.act)
            case _:
                raise ValueError(f"nothing is said of {happening}")
        return _message(meeting, happening.at, said)

    def _created(self, meeting: Meeting) -> Element:
        name = "MeetingCreatedEvtMsg"
        envelope = {"name": name, "routing": {"sender": "bbb-apps-akka"}, "timestamp": meeting.created_at}
        return {"envelope": envelope, "core": {"header": {"name": name}, "body": {"props": self._props(meeting)}}}

    def _props(self, meeting: Meeting) -> dict[str, Any]:
        bridges = () if self.generation.is_bbb_2_6 else ("audioBridge", "cameraBridge", "screenShareBridge")
        return {
            "meetingProp": {
                "name": meeting.name,
                "extId": meeting.external_meeting_id,
                "intId": meeting.internal_meeting_id,
                "isBreakout": meeting.parent is not None,
                **dict.fromkeys(bridges, "livekit"),
            },
            "breakoutProps": {"parentId": meeting.parent or "bbb-none", "sequence": meeting.sequence},
            "durationProps": {
                "duration": 0,
                "createdTime": meeting.created_at,
                "createdDate": java_date(meeting.created_at),
            },
            "password": {
                "moderatorPass": "CANARY-moderator-pass",
                "viewerPass": "CANARY-viewer-pass",
                "learningDashboardAccessToken": "CANARY-dashboard-token",
            },
            "recordProp": {
                "record": True,
                "autoStartRecording": False,
                "allowStartStopRecording": True,
                "keepEvents": True,
            },
            "voiceProp": {
                "telVoice": meeting.voice_bridge,
                "voiceConf": meeting.voice_bridge,
                "dialNumber": DIAL_NUMBER,
                "muteOnStart": False,
            },
            "usersProp": {"maxUsers": 0},
            "metadataProp": {"metadata": dict(meeting.metadata)},
            "lockSettingsProps": {},
            "systemProps": {"html5InstanceId": 1},
            "groups": [],
        }

    def _joined(self, meeting: Meeting, stay: Stay) -> Said:
        person, who = stay.person, stay.participant
        if person.is_dial_in:
            return self._in_audio(meeting, who, is_listen_only=False)
        state = {} if self.generation.is_bbb_2_6 else {"reactionEmoji": "none", "raiseHand": False, "away": False}
        secret = {
            "ipAddress": "CANARY-connection",
            "userAgent": "CANARY-connection",
            "referer": "CANARY-connection",
            "sessionToken": "CANARY-session-token",
        }
        body = {
            "intId": who,
            "extId": stay.external_user_id,
            "name": person.name,
            "role": person.role,
            "guest": person.is_guest,
            "authed": True,
            "guestStatus": "ALLOW",
            "emoji": "none",
            **state,
            "pin": False,
            "presenter": False,
            "locked": True,
            "avatar": "CANARY-avatar" if self.generation.is_bbb_2_6 else "",
            "color": "#7b1fa2",
            "clientType": "HTML5",
            **(secret if self.generation.is_3_5 else {}),
            "userMetadata": {"bbb_custom": "CANARY-userdata"},
        }
        return "UserJoinedMeetingEvtMsg", who, body

    def _left(self, meeting: Meeting, stay: Stay) -> Said:
        if stay.person.is_dial_in:
            return self._out_of_audio(meeting, stay.participant)
        return "UserLeftMeetingEvtMsg", stay.participant, {"intId": stay.participant, "reason": "DisconnectedEvent"}

    def _in_audio(self, meeting: Meeting, who: str, *, is_listen_only: bool) -> Said:
        person = self.people.get(who)
        body = {
            "voiceConf": meeting.voice_bridge,
            "intId": who,
            "voiceUserId": who[-3:],
            "callerName": person.name if person else "",
            "callerNum": "CANARY-caller-number",
            "muted": False,
            "talking": False,
            "listenOnly": is_listen_only,
        }
        return "UserJoinedVoiceConfToClientEvtMsg", who, body

    def _out_of_audio(self, meeting: Meeting, who: str) -> Said:
        body = {"voiceConf": meeting.voice_bridge, "intId": who, "voiceUserId": who[-3:]}
        return "UserLeftVoiceConfToClientEvtMsg", who, body

    def _joins_audio(self, meeting: Meeting, act: Act) -> Said:
        return self._in_audio(meeting, act.participant, is_listen_only=act.is_listen_only)

    def _leaves_audio(self, meeting: Meeting, act: Act) -> Said:
        return self._out_of_audio(meeting, act.participant)

    def _mutes(self, meeting: Meeting, act: Act) -> Said:
        who, muted = act.participant, act.does is Does.MUTES
        body = {"voiceConf": meeting.voice_bridge, "intId": who, "voiceUserId": who, "muted": muted}
        return "UserMutedVoiceEvtMsg", who, body

    def _camera(self, _meeting: Meeting, act: Act) -> Said:
        return MESSAGES[act.does], act.participant, {"userId": act.participant, "stream": act.key}

    def _chats(self, _meeting: Meeting, act: Act) -> Said:
        person = self.people[act.participant]
        message = {
            "id": act.key,
            **({"fromTimezoneOffset": -120} if self.generation.is_bbb_2_6 else {}),
            "timestamp": act.at,
            "correlationId": f"CANARY-{act.key}",
            "sender": {"id": act.participant, "name": person.name, "role": person.role},
            "message": "CANARY-chat ~*&+ Γεια <b>σας</b>!",
        }
        return "GroupChatMessageBroadcastEvtMsg", act.participant, {"chatId": PUBLIC_CHAT, "msg": message}

    def _hand(self, _meeting: Meeting, act: Act) -> Said:
        up = act.does is Does.RAISES_HAND
        if self.generation.is_bbb_2_6:
            return self._emoji_of_2_6(act.participant, "raiseHand" if up else "none")
        return "UserRaiseHandChangedEvtMsg", act.participant, {"userId": act.participant, "raiseHand": up}

    def _reacts(self, _meeting: Meeting, act: Act) -> Said:
        emoji = act.text or "none"
        if self.generation.is_bbb_2_6:
            return self._emoji_of_2_6(act.participant, EMOJI_NAMES.get(emoji, emoji))
        return "UserReactionEmojiChangedEvtMsg", act.participant, {"userId": act.participant, "reactionEmoji": emoji}

    def _emoji_of_2_6(self, who: str, emoji: str) -> Said:
        return "UserEmojiChangedEvtMsg", who, {"userId": who, "emoji": emoji}

    def _becomes_presenter(self, meeting: Meeting, act: Act) -> Said:
        self.presenter[meeting.internal_meeting_id] = act.participant
        name = self.people[act.participant].name
        body = {"presenterId": act.participant, "presenterName": name, "assignedBy": act.participant}
        return "PresenterAssignedEvtMsg", act.participant, body

    def _screenshare(self, meeting: Meeting, act: Act) -> Said:
        body: dict[str, Any] = {
            "voiceConf": meeting.voice_bridge,
            "screenshareConf": meeting.voice_bridge,
            "stream": "screen",
            "vidWidth": 0,
            "vidHeight": 0,
            "timestamp": "",
        }
        if act.does is Does.STARTS_SCREENSHARE:
            body["hasAudio"] = False
        if self.generation.is_3_5:
            return MESSAGES[act.does], act.participant, body | {"userId": act.participant}
        return MESSAGES[act.does], NOBODY, body

    def _starts_poll(self, _meeting: Meeting, act: Act) -> Said:
        answers = [{"id": n, "key": f"CANARY-option {text}"} for n, text in enumerate(act.options)]
        body = {
            "userId": act.participant,
            "pollId": act.key,
            "pollType": act.text,
            "secretPoll": act.is_secret,
            "question": "CANARY-question 2+2=?",
            "poll": {"id": act.key, "isMultipleResponse": act.text == "CUSTOM", "answers": answers},
        }
        return "PollStartedEvtMsg", act.participant, body

    def _answers_poll(self, meeting: Meeting, act: Act) -> Said:
        presenter = self.presenter.get(meeting.internal_meeting_id, NOBODY)
        body = {"pollId": act.key, "userId": act.participant, "answerIds": list(act.choices)}
        return "UserRespondedToPollRespMsg", presenter, body

    def _records(self, _meeting: Meeting, act: Act) -> Said:
        body = {"recording": act.does is Does.STARTS_RECORDING, "setBy": act.participant}
        return "RecordingStatusChangedEvtMsg", act.participant, body

    def _away(self, _meeting: Meeting, act: Act) -> Said:
        is_away = act.does is Does.GOES_AWAY
        if self.generation.is_bbb_2_6:
            return self._emoji_of_2_6(act.participant, "away" if is_away else "none")
        return "UserAwayChangedEvtMsg", act.participant, {"userId": act.participant, "away": is_away}

    def _talks(self, meeting: Meeting, act: Act) -> Said:
        talking = act.does is Does.STARTS_TALKING
        body = {"voiceConf": meeting.voice_bridge, "intId": act.participant, "voiceUserId": "1", "talking": talking}
        return "UserTalkingVoiceEvtMsg", act.participant, body

    def _closes_poll(self, _meeting: Meeting, act: Act) -> Said:
        name = "PollShowResultEvtMsg" if act.text == PUBLISHED else "PollStoppedEvtMsg"
        return name, act.participant, {"userId": act.participant, "pollId": act.key}

    def _changes_presentation(self, _meeting: Meeting, act: Act) -> Said:
        return "SetCurrentPresentationEvtMsg", NOBODY, {"podId": "DEFAULT", "presentationId": act.key}

    def _is_transcribed(self, _meeting: Meeting, act: Act) -> Said:
        body = {"transcriptId": act.key, "transcript": "CANARY-transcript", "locale": "el-GR", "result": False}
        return "TranscriptUpdatedEvtMsg", act.participant, body

    def _writes_pad(self, _meeting: Meeting, act: Act) -> Said:
        body = {"padId": act.key, "externalId": "notes", "rev": "7", "start": 0, "end": 9, "text": "CANARY-pad"}
        return "PadContentEvtMsg", NOBODY, body


def messages(truth: Truth, generation: Generation) -> list[tuple[int, Element]]:
    """All that BigBlueButton publishes of a class, with its time: what a real relay may be fed from Redis."""
    speaker = Speaker(generation)
    return [(happening.at, speaker.say(happening)) for happening in happenings(truth)]


def _message(meeting: Meeting, at: int, said: Said) -> Element:
    name, who, body = said
    header = {"name": name, "meetingId": meeting.internal_meeting_id, "userId": who}
    kind = "DIRECT" if name == "UserRespondedToPollRespMsg" else BROADCAST
    routing = {"msgType": kind, "meetingId": meeting.internal_meeting_id, "userId": who}
    envelope = {"name": name, "routing": routing, "timestamp": at}
    return {"envelope": envelope, "core": {"header": header, "body": body}}


def _archive_step(meeting: Meeting, act: Act) -> Element:
    """What the recording scripts publish: another shape, its time in seconds."""
    payload: dict[str, Any] = {
        "meeting_id": meeting.internal_meeting_id,
        "record_id": meeting.internal_meeting_id,
        "external_meeting_id": meeting.external_meeting_id,
    }
    if act.key.endswith("-ended"):
        payload |= {"success": True, "step_time": 4_200}
    if act.key.startswith("publish"):
        payload["workflow"] = "presentation"
    if act.key == "archive-ended":
        payload |= {"recorded": True, "duration": meeting.ended_at - meeting.created_at}
    if act.key == "publish-ended":
        payload |= recording_of(meeting)
    header = {"name": act.key.replace("-", "_"), "current_time": act.at // 1000, "version": "0.0.1"}
    return {"header": header, "payload": payload}
