"""What BigBlueButton's own gem makes of a recording, faults included: for comparison, never for a report.

Written from a description of its numbers, to stand beside ours in `rollcall events --like-gem` and `rollcall explain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollcall.bbb.callback_body import as_time, read_options, snake_case
from rollcall.bbb.recording import (
    CHATTED,
    CONVERTED,
    JOINED,
    LEFT,
    POLL_ANSWERED,
    POLL_PUBLISHED,
    POLL_STARTED,
    SHAPE_ADDED,
    STATUS_CHANGED,
    VOICE_MUTED,
    VOICE_TALKING,
    Recording,
)

REACTIONS = frozenset(("away", "neutral", "confused", "sad", "happy", "applause", "thumbsUp", "thumbsDown"))

# Seconds of the joins and of the leaves of each internal user id, both in the order of the file.
Sessions = Mapping[str, tuple[Sequence[int], Sequence[int]]]


class Edge:
    """A join or a leave, and whether it was dropped because it lies inside another session."""

    __slots__ = ("at", "is_dropped", "is_join")

    def __init__(self, at: int, *, is_join: bool) -> None:
        self.at = at
        self.is_join = is_join
        self.is_dropped = False


def seconds_present(sessions: Sessions, finish: int) -> int:
    """The gem's `duration` of one external user id: right for most, too long after one lost leave or repeated join."""
    edges = [_edges(joins, lefts) for joins, lefts in sessions.values()]
    return _seconds(edges, finish)


def _edges(joins: Sequence[int], lefts: Sequence[int]) -> tuple[list[Edge], list[Edge]]:
    return [Edge(at, is_join=True) for at in joins], [Edge(at, is_join=False) for at in lefts]


def _seconds(sessions: Sequence[tuple[list[Edge], list[Edge]]], finish: int) -> int:
    every = [edge for joins, lefts in sessions for edge in (*joins, *lefts)]
    if sum(edge.is_join for edge in every) * 2 > len(every):
        every.append(Edge(finish, is_join=False))  # one, however many are missing
    every.sort(key=lambda edge: edge.at)
    pairs = [(join.at, left.at) for joins, lefts in sessions for join, left in zip(joins, lefts, strict=False)]
    _drop_inside(every, sorted(pairs))
    return _walk([edge for edge in every if not edge.is_dropped])


def _drop_inside(edges: Sequence[Edge], pairs: Sequence[tuple[int, int]]) -> None:
    """Both in order of time: drop what lies strictly inside any pair."""
    begun, latest = 0, 0
    for edge in edges:
        while begun < len(pairs) and pairs[begun][0] < edge.at:
            latest = max(latest, pairs[begun][1])
            begun += 1
        edge.is_dropped = edge.at < latest


def _walk(edges: Sequence[Edge]) -> int:
    """From a join to the last of the leaves that follow; joins in between change nothing."""
    total = 0
    opened: int | None = None
    for edge, following in zip(edges, (*edges[1:], None), strict=False):
        if opened is None and edge.is_join:
            opened = edge.at
        if opened is None or (following is not None and (edge.is_join or not following.is_join)):
            continue
        total += edge.at - opened
        opened = None
    return total


def like_gem(recording: Recording) -> dict[str, Any]:
    """What the gem writes beside events.xml as `data.json`; reads the recording to its end."""
    gem = Gem(recording)
    for _at, timestamp, event, children in recording.events():
        taker = gem.takers.get(event)
        if taker is not None:
            taker(gem.second(timestamp), children)
    return gem.as_json()


def _time(second: int) -> str:
    return as_time(second * 1000)


def _leading_number(text: str | None) -> int:
    """Ruby's to_i, of what is never negative."""
    digits = ""
    for character in (text or "").strip():
        if not ("0" <= character <= "9"):
            break
        digits += character
    return int(digits or 0)


class Attendee:
    """One external user id."""

    def __init__(self, participant: str, external_user_id: str | None) -> None:
        self.participant = participant
        self.external_user_id = external_user_id
        self.name: str | None = None
        self.is_moderator = False
        self.joins: list[int] = []
        self.leaves: list[int] = []
        self.talking_since = 0
        self.engagement = dict.fromkeys(("chats", "talks", "raisehand", "emojis", "poll_votes", "talk_time"), 0)
        self.sessions: dict[str, tuple[list[Edge], list[Edge]]] = {}

    def stop_talking(self, second: int) -> None:
        """Whole seconds of each spurt."""
        if self.talking_since:
            self.engagement["talk_time"] += second - self.talking_since
        self.talking_since = 0

    def as_json(self, finish: int) -> dict[str, Any]:
        """As the gem lists attendees."""
        duration = _seconds(list(self.sessions.values()), finish)
        filled = [*self.leaves, finish] if len(self.joins) > len(self.leaves) else self.leaves
        return {
            "id": self.participant,
            "ext_user_id": self.external_user_id,
            "name": self.name,
            "moderator": self.is_moderator,
            "joins": list(map(_time, self.joins)),
            "leaves": list(map(_time, filled)),
            "duration": duration,
            "recent_talking_time": _time(self.talking_since) if self.talking_since else "",
            "engagement": self.engagement,
            "sessions": [self._session(participant) for participant in self.sessions],
        }

    def _session(self, participant: str) -> dict[str, Any]:
        def item(edge: Edge) -> dict[str, Any]:
            return {
                "timestamp": _time(edge.at),
                "userid": participant,
                "ext_userid": self.external_user_id,
                "event": "join" if edge.is_join else "left",
                "remove": edge.is_dropped,
            }

        joins, lefts = self.sessions[participant]
        return {"joins": list(map(item, joins)), "lefts": list(map(item, lefts))}


class Gem:
    """What has happened so far, as the gem sees it: people by external id, times in whole seconds since creation."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._attendees: dict[str | None, Attendee] = {}
        self._external: dict[str, str | None] = {}
        self._polls: dict[str | None, dict[str, Any]] = {}
        self._files: list[str | None] = []
        self.takers = {
            JOINED: self._joined,
            LEFT: self._left,
            STATUS_CHANGED: self._status_changed,
            VOICE_TALKING: self._talking,
            VOICE_MUTED: self._muted,
            CHATTED: self._chatted,
            POLL_STARTED: self._poll_started,
            POLL_ANSWERED: self._poll_answered,
            POLL_PUBLISHED: self._poll_published,
            SHAPE_ADDED: self._shape_added,
            CONVERTED: self._converted,
        }

    def second(self, timestamp: int) -> int:
        """The first event is taken for the creation."""
        return (timestamp - (self._recording.first_timestamp or 0) + self._created_at()) // 1000

    def as_json(self) -> dict[str, Any]:
        """The whole, once everything is taken."""
        recording = self._recording
        start = self._created_at() // 1000
        finish = start if recording.last_timestamp is None else self.second(recording.last_timestamp)
        return {
            "metadata": {snake_case(key): value for key, value in recording.metadata.items()},
            "meeting_id": recording.metadata.get("meetingId"),
            "duration": finish - start,
            "start": _time(start),
            "finish": _time(finish),
            "attendees": [attendee.as_json(finish) for attendee in self._attendees.values()],
            "files": self._files,
            "polls": list(self._polls.values()),
        }

    def _created_at(self) -> int:
        return _leading_number(self._recording.meeting.rpartition("-")[2])

    def _known(self, participant: str | None) -> Attendee | None:
        return self._attendees.get(self._external[participant]) if participant in self._external else None

    def _joined(self, second: int, children: Mapping[str, str]) -> None:
        participant, external = children.get("userId", ""), children.get("externalUserId") or None
        self._external.setdefault(participant, external)
        attendee = self._attendees.setdefault(external, Attendee(participant, external))
        attendee.joins.append(second)
        attendee.name = children.get("name") or None
        attendee.is_moderator |= children.get("role") == "MODERATOR"
        attendee.sessions.setdefault(participant, ([], []))[0].append(Edge(second, is_join=True))

    def _left(self, second: int, children: Mapping[str, str]) -> None:
        participant = children.get("userId", "")
        attendee = self._known(participant)
        if attendee is None:
            return
        attendee.leaves.append(second)
        attendee.sessions.setdefault(participant, ([], []))[1].append(Edge(second, is_join=False))
        attendee.stop_talking(second)

    def _status_changed(self, _second: int, children: Mapping[str, str]) -> None:
        attendee = self._known(children.get("userId"))
        status, value = children.get("status"), children.get("value")
        if attendee is None:
            return
        is_reaction = status == "reactionEmoji" and value != "none"
        if (status == "raiseHand" and value == "true") or (value == "raiseHand" and not is_reaction):
            attendee.engagement["raisehand"] += 1
        elif is_reaction or value in REACTIONS:
            attendee.engagement["emojis"] += 1

    def _talking(self, second: int, children: Mapping[str, str]) -> None:
        attendee = self._known(children.get("participant"))
        if attendee is None:
            return
        if children.get("talking") == "true":
            attendee.engagement["talks"] += 1
            attendee.talking_since = second
        else:
            attendee.stop_talking(second)

    def _muted(self, second: int, children: Mapping[str, str]) -> None:
        attendee = self._known(children.get("participant"))
        if attendee is not None and children.get("muted") == "true":
            attendee.stop_talking(second)

    def _chatted(self, _second: int, children: Mapping[str, str]) -> None:
        attendee = self._known(children.get("senderId"))
        if attendee is not None:
            attendee.engagement["chats"] += 1

    def _poll_started(self, second: int, children: Mapping[str, str]) -> None:
        self._polls[children.get("pollId")] = {
            "id": children.get("pollId"),
            "type": children.get("type") or None,
            "question": children.get("question", ""),
            "published": False,
            "options": list(read_options(children.get("answers")).values()),
            "start": _time(second),
            "votes": {},
        }

    def _poll_answered(self, _second: int, children: Mapping[str, str]) -> None:
        attendee = self._known(children.get("userId"))
        if attendee is None:
            return
        attendee.engagement["poll_votes"] += 1
        poll = self._polls.get(children.get("pollId"))
        if poll is not None:
            options = poll["options"]
            choice = _leading_number(children.get("answerId"))
            if poll["type"] == "R-":
                options.extend([None] * (choice - len(options)))
                options.insert(choice, children.get("answer"))
            chosen = options[choice] if choice < len(options) else None
            poll["votes"][self._external[children["userId"]]] = chosen

    def _poll_published(self, _second: int, children: Mapping[str, str]) -> None:
        self._publish(children.get("pollId"))

    def _shape_added(self, _second: int, children: Mapping[str, str]) -> None:
        self._publish(children.get("id"))

    def _publish(self, poll: str | None) -> None:
        if poll in self._polls:
            self._polls[poll]["published"] = True

    def _converted(self, _second: int, children: Mapping[str, str]) -> None:
        self._files.append(children.get("originalFilename"))
