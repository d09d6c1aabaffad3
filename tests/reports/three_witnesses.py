"""One simulated class as each witness tells it, put into the log with as many of them as a test wants."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from rollcall.bbb.belonging import belonging_told
from rollcall.bbb.documents import keep_callback, keep_recording
from rollcall.bbb.sightings import FactsOf, Person, Shown
from rollcall.core.events import MeetingListed
from rollcall.simulate.callback import Gem, callback_body, data_json
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.eras import ERAS
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.recording import recordings
from rollcall.simulate.recording_xml import to_xml
from rollcall.simulate.relay import relay
from rollcall.store.derived import Summary
from tests.derive.log import append_and_fold, arrivals_of
from tests.derive.wire import polls_of
from tests.makers import make_pool

if TYPE_CHECKING:
    from rollcall.feed.feed import Arrival
    from rollcall.simulate.truth import Truth

CAME_AT = 1_795_400_000_000
WITNESSES = ("webhooks", "polls", "callback", "recording")


def class_of(*, rooms: int = 0, people: int = 8, seed: int = 4, name: str = "Algebra", days: int = 0) -> Truth:
    """The truth of a class on a 3.0 server."""
    plan = Plan(people=people, minutes=30, rooms=rooms, name=name, starts_at=ERAS["3.0"].at + days * 86_400_000)
    return make_class(Random(seed), plan)


def told_by(truth: Truth, pool: Any) -> dict[str, list[Arrival]]:
    """What each witness tells, by the name the page has for it."""
    era = ERAS["3.0"]
    recorded = recordings(truth, era, Random(2))
    root = recorded[truth.root.internal_meeting_id]
    body = msgspec.json.encode(callback_body(root, Gem.V2_0_1))
    polls = [_listed(pool, event) for event in polls_of(truth) if isinstance(event, MeetingListed)]
    return {
        "webhooks": [
            _with_belonging(pool, one)
            for one in arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1), raw=True))
        ],
        "polls": polls,
        "callback": [keep_callback(body, pool.name, received_at=CAME_AT, pool=pool.pk).arrival],
        "data-json": [
            keep_callback(
                msgspec.json.encode(data_json(root, Gem.V2_0_1)),
                pool.name,
                received_at=CAME_AT,
                pool=pool.pk,
                meeting=truth.root.internal_meeting_id,
            ).arrival
        ],
        "recording": [
            keep_recording(BytesIO(to_xml(one)), pool.name, received_at=CAME_AT, pool=pool.pk).arrival
            for one in recorded.values()
        ],
        "part": [
            keep_recording(BytesIO(_first_half(to_xml(one))), pool.name, received_at=CAME_AT, pool=pool.pk).arrival
            for one in recorded.values()
        ],
    }


def _first_half(xml: bytes) -> bytes:
    """A file that breaks off."""
    return xml[: len(xml) // 2]


def _with_belonging(pool: Any, arrival: Arrival) -> Arrival:
    """As the webhook's edge does."""
    return replace(arrival, belongs_to=belonging_told(arrival.source, arrival.payload, pool.name))


def _listed(pool: Any, event: MeetingListed) -> Arrival:
    people = tuple(Person(one.external_user_id, one.name or "", one.role or "", one.count) for one in event.present)
    info = {"external_meeting_id": event.external_meeting_id, "name": event.name, "metadata": dict(event.metadata)}
    shown = Shown(people, msgspec.json.encode(info), event.parent)
    return FactsOf(pool.pk, pool.name).listed(event.meeting, shown, event.at, event.at)


def keep(truth: Truth, *witnesses: str, without: tuple[str, ...] = (), server: str = "bbb1") -> Summary:
    """Folded from these witnesses; `without` are kinds of webhooks that were lost."""
    told = told_by(truth, make_pool(server))
    arrivals = [one for name in witnesses for one in told[name] if name != "webhooks" or one.kind not in without]
    append_and_fold(arrivals)
    return Summary.objects.select_related("meeting").get(meeting__internal_meeting_id=truth.root.internal_meeting_id)
