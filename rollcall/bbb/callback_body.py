"""The analytics callback's body as BigBlueButton should have sent it, counted rightly, from one pass over events.xml.

The fields are those of the gem from 2.0 on; docs/events-xml.md says where the numbers differ and why. Memory grows with
people, stays and polls, never with chats, talking or drawing. Like bbb/recording.py it is also part of the single file
for BigBlueButton hosts: standard library only, nothing newer than Python 3.5 but annotations and f-strings.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from rollcall.bbb.recording import (
    CHATTED,
    CONVERTED,
    ENDED,
    JOINED,
    LEFT,
    POLL_ANSWERED,
    POLL_PUBLISHED,
    POLL_STARTED,
    SHAPE_ADDED,
    STATUS_CHANGED,
    VOICE_LEFT,
    VOICE_MUTED,
    VOICE_TALKING,
    created_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rollcall.bbb.recording import Recording

    Children = dict[str, str]

BODY_VERSION = "1.0"
MODERATOR = "MODERATOR"
FREE_TEXT = "R-"
DIAL_IN = "v_"
HAND_UP = "raiseHand"
# `away` is absence, no reaction.
REACTIONS = frozenset(("neutral", "confused", "sad", "happy", "applause", "thumbsUp", "thumbsDown"))

# A user id of Moodle; one attendee with any other makes its receiver refuse the whole body.
LMS_USER_ID = re.compile(r"[1-9][0-9]{0,18}")
LARGEST_LMS_USER = 2**63 - 1  # what its database's column and a PHP integer hold
WORD_EDGE = re.compile(r"(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z0-9])(?=[A-Z])")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - 3.5 has no datetime.UTC


def body_of(recording: Recording, *, for_lms: bool = False) -> dict[str, Any]:
    """The whole body; reads the recording to its end."""
    fold = Fold(recording)
    for at, _timestamp, event, children in recording.events():
        fold.take(at, event, children)
    body = fold.body()
    return only_lms_users(body) if for_lms else body


def only_lms_users(body: dict[str, Any]) -> dict[str, Any]:
    """The same without guests and others whose external id no LMS gave out, in attendees and votes."""
    data = dict(body["data"])
    data["attendees"] = [one for one in data["attendees"] if is_lms_user(one.get("ext_user_id"))]
    data["polls"] = [
        dict(poll, votes={voter: vote for voter, vote in poll["votes"].items() if is_lms_user(voter)})
        for poll in data["polls"]
    ]
    return dict(body, data=data)


def is_lms_user(external_user_id: object) -> bool:
    """Whether this is a plain positive number, as the ids of an LMS are and those of guests are not."""
    if not isinstance(external_user_id, str) or LMS_USER_ID.fullmatch(external_user_id) is None:
        return False
    return int(external_user_id) <= LARGEST_LMS_USER


def as_time(at: int) -> str:
    """`2026-11-22T01:03:31.250+00:00`."""
    moment = EPOCH + timedelta(milliseconds=at)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{at % 1000:03d}+00:00"


def in_seconds(duration_ms: int) -> int:
    """Rounded once, at the very end."""
    return (duration_ms + 500) // 1000


def snake_case(key: str) -> str:
    """What BigBlueButton's script makes of a name: `isBreakout` is `is_breakout`, `bbb-context` `bbb_context`."""
    return WORD_EDGE.sub("_", key.replace("::", "/")).replace("-", "_").lower()


def kept_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """As the callback carries it: without the meeting's id and Greenlight's own."""
    named = [(snake_case(key), value) for key, value in sorted(metadata.items())]
    return {key: value for key, value in named if key != "meeting_id" and not key.startswith("gl_")}


def merged_ms(spans: Iterable[tuple[int, int]]) -> int:
    """The length of the union."""
    total = 0
    covered: int | None = None
    for start, end in sorted(spans):
        begins = start if covered is None else max(start, covered)
        total += max(0, end - begins)
        covered = end if covered is None else max(end, covered)
    return total


def read_options(answers: str | None) -> OrderedDict[str, str]:
    """The texts of a poll's choices by their ids, from the JSON in its start."""
    try:
        listed = json.loads(answers or "[]")
    except (ValueError, RecursionError):
        return OrderedDict()
    if not isinstance(listed, list):
        return OrderedDict()
    return OrderedDict((str(one.get("id")), str(one.get("key", ""))) for one in listed if isinstance(one, dict))


class Connection:
    """One internal user id: between its first join and the end of the meeting it may come and go."""

    def __init__(self, participant: str) -> None:
        self.participant = participant
        self.joined_at: int | None = None
        self.stays: list[tuple[int, int, bool]] = []  # from, to, and whether it left by itself
        self.is_talking = False
        self.hands: set[str] = set()  # the ways in which one is up

    def leave(self, at: int, *, by_itself: bool) -> None:
        """Close the stay, if one is open."""
        if self.joined_at is not None:
            self.stays.append((self.joined_at, max(at, self.joined_at), by_itself))
        self.joined_at = None

    def as_session(self, external_user_id: str) -> dict[str, Any]:
        """As the callback lists sessions; `remove` is the gem's own bookkeeping."""

        def item(event: str, at: int) -> dict[str, Any]:
            return {
                "timestamp": as_time(at),
                "userid": self.participant,
                "ext_userid": external_user_id,
                "event": event,
                "remove": False,
            }

        return {
            "joins": [item("join", joined_at) for joined_at, _, _ in self.stays],
            "lefts": [item("left", left_at) for _, left_at, by_itself in self.stays if by_itself],
        }


class Attendee:
    """One external user id and all its connections."""

    def __init__(self, external_user_id: str) -> None:
        self.external_user_id = external_user_id
        self.name = ""
        self.is_moderator = False
        self.connections: list[Connection] = []
        self.chats = 0
        self.talks = 0
        self.raised_hands = 0
        self.emojis = 0
        self.answered: set[str] = set()
        self.talking_ms = 0
        self._talking = 0  # connections that talk now: one voice in two tabs is one
        self._talking_since = 0

    def talk(self, connection: Connection, at: int) -> None:
        """From now on this connection talks."""
        if connection.is_talking:
            return
        connection.is_talking = True
        self.talks += 1
        if not self._talking:
            self._talking_since = at
        self._talking += 1

    def fall_silent(self, connection: Connection, at: int) -> None:
        """From now on it does not."""
        if not connection.is_talking:
            return
        connection.is_talking = False
        self._talking -= 1
        if not self._talking:
            self.talking_ms += max(0, at - self._talking_since)

    def move_hand(self, connection: Connection, way: str, *, is_up: bool) -> None:
        """Only going up counts, and once where a server tells it in its old and in its new way."""
        if is_up and not connection.hands:
            self.raised_hands += 1
        if is_up:
            connection.hands.add(way)
        else:
            connection.hands.discard(way)

    def leave(self, connection: Connection, at: int, *, by_itself: bool) -> None:
        """By itself, or because the meeting is over."""
        connection.leave(at, by_itself=by_itself)
        connection.hands.clear()
        self.fall_silent(connection, at)

    def as_body(self) -> dict[str, Any]:
        """As the callback lists attendees."""
        spans = [(joined_at, left_at) for one in self.connections for joined_at, left_at, _ in one.stays]
        return {
            "ext_user_id": self.external_user_id,
            "name": self.name,
            "moderator": self.is_moderator,
            "joins": [as_time(at) for at in sorted(joined_at for joined_at, _ in spans)],
            "leaves": [as_time(at) for at in sorted(left_at for _, left_at in spans)],
            "duration": in_seconds(merged_ms(spans)),
            "recent_talking_time": "",  # no spurt stays open: the end of the meeting closes it
            "engagement": {
                "chats": self.chats,
                "talks": self.talks,
                "raisehand": self.raised_hands,
                "emojis": self.emojis,
                "poll_votes": len(self.answered),
                "talk_time": in_seconds(self.talking_ms),
            },
            "sessions": [one.as_session(self.external_user_id) for one in self.connections],
        }


class Poll:
    """One poll and who chose what."""

    def __init__(self, at: int, children: Children) -> None:
        self.started_at = at
        self.poll = children["pollId"]
        self.kind = children.get("type")
        self.question = children.get("question", "")
        self.is_secret = children.get("secretPoll") == "true"
        self.is_published = False
        self.options = read_options(children.get("answers"))
        self.votes: OrderedDict[str, list[str]] = OrderedDict()

    def vote(self, external_user_id: str, children: Children) -> None:
        """Each chosen option comes alone; a free text becomes an option, once."""
        choice = children.get("answerId", "")
        text = children.get("answer", "")
        if self.kind == FREE_TEXT:
            self.options[text] = text
        else:
            text = self.options.get(choice, text)
        chosen = self.votes.setdefault(external_user_id, [])
        if text not in chosen:
            chosen.append(text)

    def as_body(self) -> dict[str, Any]:
        """As the callback lists polls."""
        return {
            "id": self.poll,
            "type": self.kind,
            "question": self.question,
            "published": self.is_published,
            "options": list(self.options.values()),
            "start": as_time(self.started_at),
            "votes": OrderedDict((voter, ", ".join(chosen)) for voter, chosen in self.votes.items()),
        }


class Fold:
    """What has happened so far in one recording, a happening at a time."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._attendees: OrderedDict[str, Attendee] = OrderedDict()
        self._connections: dict[str, tuple[Attendee, Connection]] = {}
        self._polls: OrderedDict[str, Poll] = OrderedDict()
        self._files: list[str] = []
        self._ended_at: int | None = None
        self._takers = {
            JOINED: self._joined,
            LEFT: self._left,
            STATUS_CHANGED: self._status_changed,
            ENDED: self._ended,
            VOICE_LEFT: self._voice_left,
            VOICE_TALKING: self._talking,
            VOICE_MUTED: self._muted,
            CHATTED: self._chatted,
            POLL_STARTED: self._poll_started,
            POLL_ANSWERED: self._poll_answered,
            POLL_PUBLISHED: self._poll_published,
            SHAPE_ADDED: self._shape_added,
            CONVERTED: self._converted,
        }

    def take(self, at: int, event: str, children: Children) -> None:
        """One happening, in the file's order; what comes after the end belongs to no class."""
        taker = self._takers.get(event)
        if taker is not None and (self._ended_at is None or at <= self._ended_at):
            taker(at, children)

    def body(self) -> dict[str, Any]:
        """Everything, once the recording is read to its end; whoever is still there stays until then."""
        recording = self._recording
        created = created_at(recording.meeting)
        start_at = next((at for at in (created, recording.first_at) if at is not None), 0)
        finish_at = next((at for at in (self._ended_at, recording.last_at) if at is not None), start_at)
        self._close_all(finish_at)
        return {
            "version": BODY_VERSION,
            "meeting_id": recording.external_meeting_id,
            "internal_meeting_id": recording.meeting,
            "data": {
                "metadata": kept_metadata(recording.metadata),
                "duration": in_seconds(max(0, finish_at - start_at)),
                "start": as_time(start_at),
                "finish": as_time(finish_at),
                "attendees": [attendee.as_body() for attendee in self._attendees.values()],
                "files": self._files,
                "polls": [poll.as_body() for poll in self._polls.values()],
            },
        }

    def _close_all(self, at: int) -> None:
        for attendee, connection in self._connections.values():
            attendee.leave(connection, at, by_itself=False)

    # Presence

    def _joined(self, at: int, children: Children) -> None:
        participant = children.get("userId", "")
        if not participant or participant.startswith(DIAL_IN):
            return  # a caller has no external id, and a telephone number for a name
        attendee, connection = self._connections.get(participant) or self._meet(participant, children)
        attendee.name = children.get("name", "")
        attendee.is_moderator = attendee.is_moderator or children.get("role") == MODERATOR
        if connection.joined_at is None:
            connection.joined_at = at

    def _meet(self, participant: str, children: Children) -> tuple[Attendee, Connection]:
        external_user_id = children.get("externalUserId") or participant
        attendee = self._attendees.get(external_user_id)
        if attendee is None:
            attendee = self._attendees[external_user_id] = Attendee(external_user_id)
        connection = Connection(participant)
        attendee.connections.append(connection)
        self._connections[participant] = (attendee, connection)
        return attendee, connection

    def _left(self, at: int, children: Children) -> None:
        found = self._connections.get(children.get("userId", ""))
        if found is not None:
            found[0].leave(found[1], at, by_itself=True)

    def _ended(self, at: int, _children: Children) -> None:
        if self._ended_at is None:
            self._ended_at = at
            self._close_all(at)

    # Engagement

    def _status_changed(self, _at: int, children: Children) -> None:
        found = self._connections.get(children.get("userId", ""))
        if found is None:
            return
        attendee, connection = found
        status, value = children.get("status", ""), children.get("value", "")
        if status == HAND_UP:
            attendee.move_hand(connection, status, is_up=value == "true")
        elif status == "emojiStatus":
            attendee.move_hand(connection, status, is_up=value == HAND_UP)
            attendee.emojis += value in REACTIONS
        elif status == "reactionEmoji":
            attendee.emojis += value not in ("", "none")
        elif status == "role":
            attendee.is_moderator = attendee.is_moderator or value == MODERATOR

    def _talking(self, at: int, children: Children) -> None:
        found = self._connections.get(children.get("participant", ""))
        if found is None:
            return
        if children.get("talking") == "true":
            found[0].talk(found[1], at)
        else:
            found[0].fall_silent(found[1], at)

    def _muted(self, at: int, children: Children) -> None:
        if children.get("muted") == "true":
            self._voice_left(at, children)

    def _voice_left(self, at: int, children: Children) -> None:
        found = self._connections.get(children.get("participant", ""))
        if found is not None:
            found[0].fall_silent(found[1], at)

    def _chatted(self, _at: int, children: Children) -> None:
        found = self._connections.get(children.get("senderId", ""))
        if found is not None:
            found[0].chats += 1

    # Polls and files

    def _poll_started(self, at: int, children: Children) -> None:
        poll = children.get("pollId", "")
        if poll and poll not in self._polls:
            self._polls[poll] = Poll(at, children)

    def _poll_answered(self, _at: int, children: Children) -> None:
        found = self._connections.get(children.get("userId", ""))
        name = children.get("pollId", "")
        poll = self._polls.get(name)
        if found is None or (poll is not None and poll.is_secret):
            return
        found[0].answered.add(name)
        if poll is not None:
            poll.vote(found[0].external_user_id, children)

    def _poll_published(self, _at: int, children: Children) -> None:
        self._publish(children.get("pollId", ""))

    def _shape_added(self, _at: int, children: Children) -> None:
        """Before 2.5 only the drawing of the result says that a poll was published."""
        self._publish(children.get("id", ""))

    def _publish(self, name: str) -> None:
        poll = self._polls.get(name)
        if poll is not None:
            poll.is_published = True

    def _converted(self, _at: int, children: Children) -> None:
        if "originalFilename" in children:
            self._files.append(children["originalFilename"])
