"""Weeks of classes put into the log at once, for `rollcall demo`: what webhooks and polls would have brought."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from random import Random

from rollcall.bbb.answers import ListedAttendee, ListedMeeting
from rollcall.bbb.documents import keep_callback, keep_recording
from rollcall.bbb.redact import NotUnderstood, redact
from rollcall.bbb.sightings import FactsOf, Sightings
from rollcall.feed.feed import Arrival
from rollcall.simulate.archive import EVENTS, FILES, Archive
from rollcall.simulate.classes import MINUTE, make_class
from rollcall.simulate.faults import afflict
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.school import Held, School, past_classes
from rollcall.simulate.truth import Meeting, Truth
from rollcall.store.connections import Pool
from rollcall.store.keys import fact_digest

POLL_MS = 60_000  # half as often as in reality: half the work of making it up


@dataclass(frozen=True, slots=True)
class Past:
    """The classes of a school before a moment, as facts of one pool."""

    school: School
    pool: Pool
    before: int
    weeks: int

    def classes(self, rng: Random) -> Iterator[list[Arrival]]:
        """One list of arrivals for each class, the oldest class first."""
        for held in past_classes(rng, self.school, before=self.before, weeks=self.weeks):
            truth = make_class(rng, held.plan)
            sendings = afflict(relay(truth, GENERATIONS["3.5.0"], rng), rng, held.faults)
            told = (self._arrival(element, one.arrives_at) for one in sendings for element in one.elements)
            arrivals = [arrival for arrival in told if arrival is not None]
            arrivals += self._sightings(truth, rng) if held.has_polls else ()
            arrivals += self._records(truth, held, rng)
            # The ends last: they are what asks for a fold, and one is enough.
            yield sorted(arrivals, key=lambda arrival: arrival.is_end)

    def _records(self, truth: Truth, held: Held, rng: Random) -> Iterator[Arrival]:
        """What the server's scripts sent when the class was over, and then whoever copied a file."""
        if not held.records:
            return
        for left in Archive(formats=held.records, damages=(held.damage,)).files(truth, rng):
            received_at = truth.ended_at + rng.randrange(MINUTE, 20 * MINUTE)
            if left.name == FILES[EVENTS]:
                with suppress(NotUnderstood):  # cut so early that it is none
                    content = BytesIO(left.content)
                    yield keep_recording(content, self.pool.name, received_at=received_at, pool=self.pool.pk).arrival
            else:
                yield keep_callback(left.content, self.pool.name, received_at=received_at, pool=self.pool.pk).arrival

    def _arrival(self, element: object, received_at: int) -> Arrival | None:
        kept = redact(element)
        if kept is None:
            return None
        return Arrival(
            pool=self.pool.pk,
            meeting=kept.meeting,
            source=kept.source,
            kind=kept.kind,
            at=kept.at,
            received_at=received_at,
            digest=fact_digest(self.pool.name, kept.payload, kept.identity),
            payload=kept.payload,
            identity=kept.identity,
            parent=kept.parent,
            is_end=kept.is_end,
        )

    def _sightings(self, truth: Truth, rng: Random) -> Iterator[Arrival]:
        """What asking every minute would have shown, from before the class to its second absence."""
        watch = Sightings(FactsOf(self.pool.pk, self.pool.name))
        first = truth.started_at - rng.randrange(POLL_MS)
        for at in range(first, truth.ended_at + 3 * POLL_MS, POLL_MS):
            listed = [_listed(meeting, at) for meeting in truth.meetings if meeting.runs(at)]
            yield from watch.observe(listed, (), at // 1000 * 1000, at)


def _listed(meeting: Meeting, at: int) -> ListedMeeting:
    there = (stay for stay in meeting.present(at) if not stay.person.is_dial_in)
    return ListedMeeting(
        internal_meeting_id=meeting.internal_meeting_id,
        external_meeting_id=meeting.external_meeting_id,
        name=meeting.name,
        created_at=meeting.created_at,
        is_breakout=meeting.parent is not None,
        parent=meeting.parent,
        metadata=meeting.metadata,
        attendees=tuple(ListedAttendee(one.external_user_id, one.person.name, one.person.role) for one in there),
    )
