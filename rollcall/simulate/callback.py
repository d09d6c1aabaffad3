"""What the bbbevents gem makes of an events.xml, its wrong arithmetic and all; written apart from rollcall.bbb.

Its numbers are whole seconds of a clock that takes the first event for the creation of the meeting.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.simulate.recording import Recorded, RecordedEvent

REACTIONS = {"away", "neutral", "confused", "sad", "happy", "applause", "thumbsUp", "thumbsDown"}
Json = dict[str, Any]
Moment = tuple[int, str]  # second, internal user id


class Gem(Enum):
    """One version met in the field. 2.0.1 stands for the head of its repository and all that came after."""

    V1_2 = "1.2.0"
    V2_0 = "2.0.0"
    V2_0_1 = "2.0.1"


@dataclass(slots=True)
class _Attendee:
    """As the gem keeps one: by external id, whoever else shares it. All times are seconds."""

    id: str
    external: str
    name: str = ""
    is_moderator: bool = False
    joins: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    sessions: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)
    talking_since: int | None = None
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


def data_json(recorded: Recorded, gem: Gem = Gem.V2_0_1) -> Json:
    """The gem's unedited output, as it stands beside events.xml: data.json."""
    return _Reading(recorded, gem).result()


def callback_body(recorded: Recorded, gem: Gem = Gem.V2_0_1) -> Json:
    """What the script posts: every key in snake case, external user ids that are keys too."""
    data = data_json(recorded, gem)
    data["metadata"] = {
        name: value for name, value in data["metadata"].items() if name != "meeting_id" and not name.startswith("gl_")
    }
    del data["meeting_id"]
    for attendee in data["attendees"]:
        del attendee["id"]
    return {
        "version": "1.0",
        "meeting_id": recorded.external_meeting_id,
        "internal_meeting_id": recorded.meeting,
        "data": _snake_keys(data),
    }


def post_of(body: Json, secret: str, now: int) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """The request's body and headers, signed as the script does: HS512, good for a day from `now` (epoch seconds)."""
    headers = (
        ("Content-Type", "application/json"),
        ("Authorization", f"Bearer {token(secret, now)}"),
        ("User-Agent", "BigBlueButton Analytics Callback"),
    )
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), headers


def token(secret: str, now: int) -> str:
    """A JSON Web Token with an end and nothing else in it."""
    head = _base64(b'{"typ":"JWT","alg":"HS512"}') + b"." + _base64(f'{{"exp":{now + 86_400}}}'.encode())
    return (head + b"." + _base64(hmac.digest(secret.encode(), head, hashlib.sha512))).decode()


def snake(text: str) -> str:
    """As the script changes keys."""
    text = text.replace("::", "/")
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    text = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", text)
    return text.replace("-", "_").lower()


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _snake_keys(value: Any) -> Any:  # noqa: ANN401  # any JSON
    match value:
        case dict():
            return {snake(key): _snake_keys(inner) for key, inner in value.items()}
        case list():
            return [_snake_keys(inner) for inner in value]
    return value


class _Reading:
    """One pass over the events."""

    def __init__(self, recorded: Recorded, gem: Gem) -> None:
        self.recorded = recorded
        self.gem = gem
        self.created_at = int(recorded.meeting.rpartition("-")[2])
        self.first = next((event.timestamp for event in recorded.events if event.timestamp is not None), 0)
        self.start = self.finish = self.created_at // 1000
        self.attendees: dict[str, _Attendee] = {}
        self.external: dict[str, str] = {}
        self.polls: dict[str, Json] = {}
        self.files: list[str] = []
        for event in recorded.events:
            if event.timestamp is not None:
                self.finish = (event.timestamp - self.first + self.created_at) // 1000
                self._read(event)

    def result(self) -> Json:
        """Everything, in the gem's order."""
        for one in self.attendees.values():
            if len(one.joins) > len(one.leaves):
                one.leaves.append(self.finish)
        polls = [_poll(poll, self._time, self.gem) for poll in self.polls.values()]
        return {
            "metadata": {snake(name): value for name, value in self.recorded.metadata},
            "meeting_id": self.recorded.external_meeting_id,
            "duration": self.finish - self.start,
            "start": self._time(self.start),
            "finish": self._time(self.finish),
            "attendees": [self._attendee(one) for one in self.attendees.values()],
            "files": self.files,
            "polls": polls,
        }

    def _time(self, second: int) -> str:
        moment = datetime.fromtimestamp(second, UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S} +0000" if self.gem is Gem.V1_2 else f"{moment:%Y-%m-%dT%H:%M:%S}.000+00:00"

    def _attendee(self, one: _Attendee) -> Json:
        counts = ("chats", "talks", "raisehand", "emojis", "poll_votes", "talk_time")
        told: Json = {
            "id": one.id,
            "ext_user_id": one.external,
            "name": one.name,
            "moderator": one.is_moderator,
            "joins": [self._time(at) for at in one.joins],
            "leaves": [self._time(at) for at in one.leaves],
            "duration": self._duration(one),
            "recent_talking_time": "" if one.talking_since is None else self._time(one.talking_since),
            "engagement": {name: one.counts[name] for name in counts},
        }
        if self.gem is Gem.V1_2:
            return told
        sessions = [
            {
                "joins": [self._edge(at, who, one, "join") for at in joins],
                "lefts": [self._edge(at, who, one, "left") for at in lefts],
            }
            for who, (joins, lefts) in one.sessions.items()
        ]
        return told | {"sessions": sessions}

    def _edge(self, at: int, who: str, one: _Attendee, event: str) -> Json:
        about = {"timestamp": self._time(at), "userid": who, "ext_userid": one.external}
        return about | {"event": event, "remove": (event, at, who) in _dropped(one, self.finish)}

    def _duration(self, one: _Attendee) -> float:
        if self.gem is Gem.V1_2:
            return float(sum(left - join for join, left in zip(one.joins, one.leaves, strict=False)))
        return _duration(one, self.finish)

    def _who(self, participant: str | None) -> _Attendee | None:
        return self.attendees.get(self.external.get(participant or "", ""))

    def _read(self, event: RecordedEvent) -> None:
        """By the event's name alone: the module is not looked at."""
        told, at = dict(event.children), self.finish
        match event.name:
            case "ParticipantJoinEvent":
                self._join(told, at)
            case "ParticipantLeftEvent":
                self._leave(told.get("userId"), at)
            case "PublicChatEvent" if one := self._who(told.get("senderId")):
                one.counts["chats"] += 1
            case "ParticipantStatusChangeEvent" if one := self._who(told.get("userId")):
                self._status(one, told["status"], told["value"])
            case "ParticipantTalkingEvent" if one := self._who(told.get("participant")):
                _talk(one, at, talking=told["talking"] == "true")
            case "ParticipantMutedEvent" if one := self._who(told.get("participant")):
                if told["muted"] == "true":
                    _talk(one, at, talking=False)
            case "ConversionCompletedEvent":
                self.files.append(told["originalFilename"])
            case _:
                self._read_poll(event.name, told, at)

    def _join(self, told: dict[str, str], at: int) -> None:
        who, external = told["userId"], told["externalUserId"]
        self.external[who] = external
        one = self.attendees.setdefault(external, _Attendee(who, external))
        one.joins.append(at)
        one.name = told["name"]
        one.is_moderator |= told["role"] == "MODERATOR"
        one.sessions.setdefault(who, ([], []))[0].append(at)

    def _leave(self, who: str | None, at: int) -> None:
        if who is not None and (one := self._who(who)):
            one.leaves.append(at)
            one.sessions.setdefault(who, ([], []))[1].append(at)
            _talk(one, at, talking=False)

    def _status(self, one: _Attendee, status: str, value: str) -> None:
        if self.gem is Gem.V2_0_1 and status in {"raiseHand", "reactionEmoji"}:
            one.counts["raisehand"] += status == "raiseHand" and value == "true"
            one.counts["emojis"] += status == "reactionEmoji" and value != "none"
        else:
            one.counts["raisehand"] += value == "raiseHand"
            one.counts["emojis"] += value in REACTIONS

    def _read_poll(self, name: str, told: dict[str, str], at: int) -> None:
        poll = self.polls.get(told.get("pollId", ""))
        match name:
            case "PollStartedRecordEvent":
                options = [answer["key"] for answer in json.loads(told["answers"])]
                about = {"id": told["pollId"], "type": told.get("type"), "question": told.get("question", "")}
                self.polls[told["pollId"]] = about | {"published": False, "options": options, "start": at, "votes": {}}
            case "UserRespondedToPollRecordEvent" if one := self._who(told.get("userId")):
                one.counts["poll_votes"] += 1
                if poll:
                    _vote(poll, one.external, told)
            case "PollPublishedRecordEvent" if poll and self.gem is not Gem.V1_2:
                poll["published"] = True
            case "AddShapeEvent" if told.get("type") == "poll_result" and (poll := self.polls.get(told.get("id", ""))):
                poll["published"] = True
            case _:
                pass


def _vote(poll: Json, external: str, told: dict[str, str]) -> None:
    """The last option chosen stands; a typed answer becomes an option at its place, even one that is there already."""
    options, place = poll["options"], int(told["answerId"])
    if poll["type"] == "R-":
        options += [None] * (place - len(options))
        options.insert(place, told["answer"])
    poll["votes"][external] = options[place]


def _poll(poll: Json, time: Any, gem: Gem) -> Json:  # noqa: ANN401  # a function of seconds
    hidden = {"type", "question"} if gem is Gem.V1_2 else set()
    return {name: value for name, value in (poll | {"start": time(poll["start"])}).items() if name not in hidden}


def _talk(one: _Attendee, at: int, *, talking: bool) -> None:
    """A second beginning forgets the first; whole seconds are subtracted."""
    if talking:
        one.counts["talks"] += 1
        one.talking_since = at
    elif one.talking_since is not None:
        one.counts["talk_time"] += at - one.talking_since
        one.talking_since = None


def _edges(one: _Attendee, finish: int) -> list[tuple[int, int, str]]:
    """All joins (0) and leaves (1) in order of time; if leaves are missing, one is made up at the end, nobody's."""
    joins = [(at, 0, who) for who, (came, _) in one.sessions.items() for at in came]
    lefts = [(at, 1, who) for who, (_, went) in one.sessions.items() for at in went]
    filler = [(finish, 1, "")] if len(joins) > len(lefts) else []
    return sorted([*joins, *lefts, *filler], key=lambda edge: edge[0])


def _pairs(edges: Iterable[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """The n-th join of a connection with its n-th leave."""
    joins: defaultdict[str, list[int]] = defaultdict(list)
    lefts: defaultdict[str, list[int]] = defaultdict(list)
    for at, is_left, who in edges:
        (lefts if is_left else joins)[who].append(at)
    return [pair for who, came in joins.items() for pair in zip(came, lefts[who], strict=False)]


def _dropped(one: _Attendee, finish: int) -> set[tuple[str, int, str]]:
    """What lies strictly within some complete pair."""
    edges = _edges(one, finish)
    pairs = _pairs(edges)
    return {
        ("left" if is_left else "join", at, who)
        for at, is_left, who in edges
        if any(join < at < left for join, left in pairs)
    }


def _duration(one: _Attendee, finish: int) -> int:
    """A join opens; the last of the leaves before the next join closes."""
    dropped = _dropped(one, finish)
    total, opened, closed = 0, None, None
    for at, is_left, who in _edges(one, finish):
        if ("left" if is_left else "join", at, who) in dropped:
            continue
        if is_left:
            closed = at if opened is not None else None
        elif opened is not None and closed is not None:
            total, opened, closed = total + closed - opened, at, None
        elif opened is None:
            opened = at
    return total + closed - opened if opened is not None and closed is not None else total
