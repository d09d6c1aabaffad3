"""From one answer of getMeetings to the next: what is worth a fact. Pure; its memory is lost with the process.

Of the answers that say the same, the first two and the last are kept, and one every five minutes between, so that
whoever reads the facts knows of every change both polls it fell between, and sees an absence from two in a row.
Beginning again without memory only adds facts; it claims nothing that no answer said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from rollcall.bbb.answers import ListedMeeting
from rollcall.bbb.belonging import belonging_listed
from rollcall.bbb.redact import breakout_pointer, keep_id, keep_metadata, keep_name
from rollcall.core.events import MeetingListed, MeetingMissing, Source, WentBlind
from rollcall.feed.feed import Arrival
from rollcall.store.keys import fact_digest

REPEATED_EVERY_MS = 5 * 60_000
ABSENCES_THAT_END = 2

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class FactsOf:
    """Makes facts of one pool out of what we saw ourselves."""

    pool: int
    name: str

    def listed(self, meeting: str, shown: Shown, at: int, received_at: int) -> Arrival:
        """An answer of getMeetings named the meeting, with these people in it."""
        payload = {
            "kind": MeetingListed.kind,
            "at": at,
            "meeting": meeting,
            "present": [
                [slot, one.count, one.pointer] if one.pointer else [slot, one.count]
                for slot, one in enumerate(shown.people)
            ],
            "info": msgspec.Raw(shown.info),
        }
        who = {
            str(slot): [None if one.pointer else one.external_user_id, one.name, one.role]
            for slot, one in enumerate(shown.people)
        }
        arrival = self._arrival(payload, Source.POLL, received_at, identity=who or None, parent=shown.parent)
        return replace(arrival, belongs_to=belonging_listed(shown.info, self.name))

    def missing(self, meeting: str, at: int, received_at: int, *, is_end: bool) -> Arrival:
        """An answer of getMeetings did not name it."""
        payload = {"kind": MeetingMissing.kind, "at": at, "meeting": meeting}
        return self._arrival(payload, Source.POLL, received_at, is_end=is_end)

    def blind(self, meeting: str, at: int, until: int, cause: str, received_at: int) -> Arrival:
        """Webhooks of this meeting may have been lost."""
        payload = {"kind": WentBlind.kind, "at": at, "until": until, "cause": cause, "meeting": meeting}
        return self._arrival(payload, Source.OURS, received_at)

    def _arrival(
        self,
        payload: dict[str, Any],
        source: Source,
        received_at: int,
        *,
        identity: dict[str, list[str | None]] | None = None,
        parent: str | None = None,
        is_end: bool = False,
    ) -> Arrival:
        kept, who = _encode(payload), _encode(identity) if identity else None
        return Arrival(
            pool=self.pool,
            meeting=payload["meeting"],
            source=source,
            kind=payload["kind"],
            at=payload["at"],
            received_at=received_at,
            digest=fact_digest(self.name, kept, who),
            payload=kept,
            identity=who,
            parent=parent,
            is_end=is_end,
        )


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """One external id as one answer had it; `count` is its connections."""

    external_user_id: str
    name: str
    role: str
    count: int

    @property
    def pointer(self) -> str | None:
        """In a breakout room the external id names a participant of the parent meeting, and no person."""
        return breakout_pointer(self.external_user_id)


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything one answer says of one meeting that is kept: equal when nothing has changed."""

    people: tuple[Person, ...]
    info: bytes
    parent: str | None


def shown(meeting: ListedMeeting) -> Shown:
    """What is kept of a listed meeting: by the allow-list, in an order of its own."""
    people = Counter((one.external_user_id, one.name, one.role) for one in meeting.attendees)
    info = {
        "external_meeting_id": keep_id(meeting.external_meeting_id),
        "name": keep_name(meeting.name),
        "is_breakout": meeting.is_breakout,
        "parent": keep_id(meeting.parent),
        "created_at": meeting.created_at,
        "metadata": keep_metadata(dict(meeting.metadata)) or {},
    }
    return Shown(
        tuple(
            sorted(
                Person(keep_id(external) or "", keep_name(name) or "", role[:16], count)
                for (external, name, role), count in people.items()
            )
        ),
        _encode(info),
        keep_id(meeting.parent),
    )


@dataclass(slots=True)
class _Watched:
    """What the last answer showed, when it came, and when the last fact said so.

    `is_news`: when it was listed last, the log did not hold it as running; it was new, or had come back.
    """

    shown: Shown
    seen_at: int
    told_at: int
    is_news: bool
    is_confirmed: bool = False


@dataclass(slots=True)
class Sightings:
    """The memory of one pool between its polls."""

    facts: FactsOf
    round_ms: int = 30_000
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _absences: dict[str, int] = field(default_factory=dict)

    def observe(
        self, listed: Iterable[ListedMeeting], known_open: Collection[str], at: int, received_at: int
    ) -> list[Arrival]:
        """The facts of one successful answer. `known_open` was read before the server was asked."""
        found: list[Arrival] = []
        present = {keep_id(meeting.internal_meeting_id) or "": shown(meeting) for meeting in listed}
        for meeting, now_shown in present.items():
            self._absences.pop(meeting, None)
            found += self._see(meeting, now_shown, at, received_at)
            self._watched[meeting].is_news = meeting not in known_open
        gone = sorted((self._watched.keys() | self._absences.keys() | set(known_open)) - present.keys())
        for meeting in gone:
            found += self._miss(meeting, at, received_at, is_known_open=meeting in known_open)
        self._forget(known_open)
        return found

    def _see(self, meeting: str, now_shown: Shown, at: int, received_at: int) -> list[Arrival]:
        before = self._watched.get(meeting)
        if before is None or before.shown != now_shown:
            last = [] if before is None else self._tell_last(meeting, before, received_at)
            self._watched[meeting] = _Watched(now_shown, at, at, is_news=True)
            return [*last, self.facts.listed(meeting, now_shown, at, received_at)]
        before.seen_at = at
        if before.is_confirmed and at - before.told_at + self.round_ms <= REPEATED_EVERY_MS:
            return []
        before.is_confirmed, before.told_at = True, at
        return [self.facts.listed(meeting, now_shown, at, received_at)]

    def _tell_last(self, meeting: str, before: _Watched, received_at: int) -> list[Arrival]:
        """The last answer that still showed what has changed now, unless a fact has said so already."""
        if before.told_at == before.seen_at:
            return []
        before.told_at = before.seen_at
        return [self.facts.listed(meeting, before.shown, before.seen_at, received_at)]

    def _miss(self, meeting: str, at: int, received_at: int, *, is_known_open: bool) -> list[Arrival]:
        before = self._watched.pop(meeting, None)
        last = [] if before is None else self._tell_last(meeting, before, received_at)
        if not is_known_open and meeting not in self._absences and not (before and before.is_news):
            return last  # a webhook has told of its end
        count = self._absences[meeting] = self._absences.get(meeting, 0) + 1
        if count > ABSENCES_THAT_END:
            return last
        return [*last, self.facts.missing(meeting, at, received_at, is_end=count == ABSENCES_THAT_END)]

    def _forget(self, known_open: Collection[str]) -> None:
        """Whoever was missed twice is over, and needs no memory once the log knows it too."""
        done = [
            meeting
            for meeting, count in self._absences.items()
            if count >= ABSENCES_THAT_END and meeting not in known_open
        ]
        for meeting in done:
            del self._absences[meeting]
