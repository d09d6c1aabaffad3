"""What a server leaves behind of a class that is over: files in folders, and what it posts to a callback URL."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.simulate.callback import Gem, callback_body, data_json, post_of, token
from rollcall.simulate.damage import Damage, undamaged
from rollcall.simulate.eras import ERAS, Era
from rollcall.simulate.recording import Recorded, recordings

if TYPE_CHECKING:
    from rollcall.simulate.truth import Truth

EVENTS, CALLBACK, DATA = "events", "callback", "data"
FILES = {EVENTS: "events.xml", CALLBACK: "callback.json", DATA: "data.json"}


class Left(NamedTuple):
    """One file: of which meeting (internal id), called what, with which content."""

    meeting: str
    name: str
    content: bytes


class Post(NamedTuple):
    """One request to the callback URL."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One server's habits: which records it leaves, in which words; each events.xml suffers one of the damages."""

    era: Era = ERAS["3.0"]
    gem: Gem = Gem.V2_0_1
    formats: tuple[str, ...] = tuple(FILES)
    damages: tuple[Damage, ...] = (undamaged,)
    cursor_share: float = 0.0

    def files(self, truth: Truth, rng: Random) -> Iterator[Left]:
        """Of the class and each of its rooms, as they lie in the folders named after the meetings."""
        for meeting, recorded in recordings(truth, self.era, rng, cursor_share=self.cursor_share).items():
            for form in self.formats:
                yield Left(meeting, FILES[form], self._content(form, recorded, rng))

    def posts(self, truth: Truth, rng: Random, secret: str, now: int) -> Iterator[Post]:
        """The same sent, signed at `now` (epoch seconds): a room's first, for it was over first."""
        for left in reversed(list(self.files(truth, rng))):
            if left.name == FILES[EVENTS]:
                kind = (("Content-Type", "application/gzip"), ("Authorization", f"Bearer {token(secret, now)}"))
                yield Post(gzip.compress(left.content, mtime=0), kind)
            elif left.name == FILES[CALLBACK]:
                yield Post(*post_of(json.loads(left.content), secret, now))

    def _content(self, form: str, recorded: Recorded, rng: Random) -> bytes:
        if form == EVENTS:
            return rng.choice(self.damages)(recorded, rng)
        body = callback_body(recorded, self.gem) if form == CALLBACK else data_json(recorded, self.gem)
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def describe(truth: Truth) -> dict[str, Any]:
    """What really happened, for whoever wants to compare."""
    return {
        "meeting": truth.root.internal_meeting_id,
        "rooms": [room.internal_meeting_id for room in truth.rooms],
        "started_at": truth.started_at,
        "ended_at": truth.ended_at,
        "people": [_describe(truth, key) for key in sorted(truth.people)],
    }


def _describe(truth: Truth, key: str) -> dict[str, Any]:
    counts, durations, person = truth.counts(key), truth.durations(key), truth.people[key]
    return {
        "id": key,
        "name": person.name,
        "role": person.role,
        "is_guest": person.is_guest,
        "is_dial_in": person.is_dial_in,
        "present": truth.spans(key),
        "present_ms": truth.present_ms(key),
        **{name: getattr(counts, name) for name in ("chats", "raise_hands", "emojis", "poll_answers", "cameras")},
        **{name: getattr(durations, name) for name in ("talks", "talk_ms", "camera_ms", "away_ms")},
    }
