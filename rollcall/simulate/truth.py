"""What really happened in a simulated class: the measure every report is held against.

Times are epoch ms on BigBlueButton's own clock. A person's key is the external user id; callers and people whose LMS
sent no id have none of their own, so there the participant stands for it, as it does on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Span = tuple[int, int]

PUBLISHED = "published"


class Ending(StrEnum):
    """How a meeting ended. Only in the first are there leaves to announce."""

    LAST_LEFT = "last-left"
    BY_MODERATOR = "by-moderator"
    TIME_OVER = "time-over"


class Does(StrEnum):
    """What somebody does in a meeting, or what the meeting itself does."""

    CHATS = "chats"
    RAISES_HAND = "raises-hand"
    LOWERS_HAND = "lowers-hand"
    REACTS = "reacts"
    CLEARS_REACTION = "clears-reaction"
    JOINS_AUDIO = "joins-audio"
    LEAVES_AUDIO = "leaves-audio"
    MUTES = "mutes"
    UNMUTES = "unmutes"
    STARTS_CAMERA = "starts-camera"
    ENDS_CAMERA = "ends-camera"
    STARTS_POLL = "starts-poll"
    ANSWERS_POLL = "answers-poll"
    CLOSES_POLL = "closes-poll"
    STARTS_TALKING = "starts-talking"
    STOPS_TALKING = "stops-talking"
    GOES_AWAY = "goes-away"
    COMES_BACK = "comes-back"
    BECOMES_PRESENTER = "becomes-presenter"
    STARTS_SCREENSHARE = "starts-screenshare"
    ENDS_SCREENSHARE = "ends-screenshare"
    STARTS_RECORDING = "starts-recording"
    STOPS_RECORDING = "stops-recording"
    CHANGES_PRESENTATION = "changes-presentation"
    IS_TRANSCRIBED = "is-transcribed"
    WRITES_PAD = "writes-pad"
    IS_ARCHIVED = "is-archived"


@dataclass(frozen=True, slots=True)
class Person:
    """`key` is the external user id as the LMS sends it."""

    key: str
    name: str
    role: str = "VIEWER"
    is_guest: bool = False
    is_dial_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One session of one participant: [joined_at, left_at). `is_announced`: BigBlueButton told of the leave."""

    person: Person
    participant: str
    external_user_id: str
    joined_at: int
    left_at: int
    is_announced: bool

    def holds(self, at: int) -> bool:
        """Whether this participant is in the meeting at that moment."""
        return self.joined_at <= at < self.left_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing done. `key` is the stream, message or poll id; `options` are a poll's answers, `choices` those taken.

    `text` is the reaction, the kind of a poll (`A-3`, `TF`, `R-` …), the answer somebody typed to an `R-`, or PUBLISHED
    where a poll was closed by publishing it.
    """

    at: int
    does: Does
    participant: str = ""
    key: str = ""
    text: str = ""
    options: tuple[str, ...] = ()
    choices: tuple[int, ...] = ()
    is_secret: bool = False
    is_listen_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """One run. `parent` is set in a breakout room, `sequence` is then its number, from 1."""

    internal_meeting_id: str
    external_meeting_id: str
    name: str
    metadata: tuple[tuple[str, str], ...]
    created_at: int
    ended_at: int
    ending: Ending
    stays: tuple[Stay, ...]
    acts: tuple[Act, ...]
    voice_bridge: str
    parent: str | None = None
    sequence: int = 0

    def runs(self, at: int) -> bool:
        """Whether the server knows this meeting at that moment."""
        return self.created_at <= at < self.ended_at

    def acts_of(self, stay: Stay) -> Iterator[Act]:
        """What was done in one session, in order of time; what its end ends by itself comes after and is not of it."""
        return (act for act in self.acts_by_participant.get(stay.participant, ()) if stay.holds(act.at))

    @cached_property
    def acts_by_participant(self) -> dict[str, list[Act]]:
        """What each did, in order of time."""
        found: dict[str, list[Act]] = {}
        for act in self.acts:
            found.setdefault(act.participant, []).append(act)
        return found

    def present(self, at: int) -> list[Stay]:
        """The stays open at that moment, in order of joining."""
        return [stay for stay in self.stays if stay.holds(at)] if self.runs(at) else []


@dataclass(frozen=True, slots=True)
class Counts:
    """What one person truly did. Answers to secret polls stand apart: nobody may count them."""

    chats: int = 0
    raise_hands: int = 0
    emojis: int = 0
    poll_answers: int = 0
    secret_poll_answers: int = 0
    cameras: int = 0


COUNTED = {
    Does.CHATS: "chats",
    Does.RAISES_HAND: "raise_hands",
    Does.REACTS: "emojis",
    Does.ANSWERS_POLL: "poll_answers",
    Does.STARTS_CAMERA: "cameras",
}


@dataclass(frozen=True, slots=True)
class Durations:
    """For how long one person truly talked, filmed and was away, in ms, and in how many spurts they talked."""

    talks: int = 0
    talk_ms: int = 0
    camera_ms: int = 0
    away_ms: int = 0


OPENS = {Does.STARTS_TALKING: "talk", Does.STARTS_CAMERA: "camera", Does.GOES_AWAY: "away"}
CLOSES = {
    Does.STOPS_TALKING: "talk",
    Does.MUTES: "talk",
    Does.LEAVES_AUDIO: "talk",
    Does.ENDS_CAMERA: "camera",
    Does.COMES_BACK: "away",
}


@dataclass(frozen=True)
class Truth:
    """One class: a meeting and its breakout rooms."""

    root: Meeting
    rooms: tuple[Meeting, ...] = ()

    @property
    def meetings(self) -> tuple[Meeting, ...]:
        """The root first."""
        return (self.root, *self.rooms)

    @cached_property
    def people(self) -> dict[str, Person]:
        """Everybody who was ever in, by key."""
        return {stay.person.key: stay.person for stay in self._stays()}

    @property
    def started_at(self) -> int:
        """When the class was created."""
        return self.root.created_at

    @property
    def ended_at(self) -> int:
        """When the last of its meetings was destroyed."""
        return max(meeting.ended_at for meeting in self.meetings)

    def spans(self, key: str) -> list[Span]:
        """When this person was in the class, by whatever tab or room: disjoint, in order."""
        return merge((stay.joined_at, stay.left_at) for stay in self._stays() if stay.person.key == key)

    def present_ms(self, key: str) -> int:
        """How long this person was in the class."""
        return sum(end - start for start, end in self.spans(key))

    def counts(self, key: str) -> Counts:
        """What this person did, over all their participants."""
        mine = {stay.participant for stay in self._stays() if stay.person.key == key}
        found: dict[str, int] = {}
        acts = (meeting.acts_by_participant.get(one, ()) for meeting in self.meetings for one in mine)
        for act in chain.from_iterable(acts):
            if name := COUNTED.get(act.does):
                name = f"secret_{name}" if act.is_secret else name
                found[name] = found.get(name, 0) + 1
        return Counts(**found)

    def durations(self, key: str) -> Durations:
        """How long this person talked, filmed and was away, over all their participants."""
        talk, camera, away = (self.doing(key, what) for what in ("talk", "camera", "away"))
        return Durations(
            talks=len(talk),
            talk_ms=sum(end - start for start, end in talk),
            camera_ms=sum(end - start for start, end in merge(camera)),
            away_ms=sum(end - start for start, end in away),
        )

    def doing(self, key: str, what: str) -> list[Span]:
        """When this person did it (`talk`, `camera`, `away`): ended by themselves, or by going."""
        return sorted(self._doings.get((key, what), ()))

    @cached_property
    def _doings(self) -> dict[tuple[str, str], list[Span]]:
        """What everybody did, by key and what: the checks of one class ask for each again and again."""
        found: dict[tuple[str, str], list[Span]] = {}
        for meeting in self.meetings:
            for stay in meeting.stays:
                for what in ("talk", "camera", "away"):
                    found.setdefault((stay.person.key, what), []).extend(_doing(meeting, stay, what))
        return found

    def _stays(self) -> Iterator[Stay]:
        return chain.from_iterable(meeting.stays for meeting in self.meetings)


def _doing(meeting: Meeting, stay: Stay, what: str) -> Iterator[Span]:
    """Each stream, or else the one thing, from its start to its end, of one session."""
    since: dict[str, int] = {}
    for act in meeting.acts_of(stay):
        stream = act.key if what == "camera" else ""
        if OPENS.get(act.does) == what:
            since.setdefault(stream, act.at)
        elif CLOSES.get(act.does) == what and stream in since:
            yield since.pop(stream), act.at
    yield from ((start, stay.left_at) for start in since.values())


def merge(spans: Iterable[Span]) -> list[Span]:
    """The union, as disjoint spans in order. Written apart from core.intervals, which it helps to test."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged
