"""Classes whose truth is known, and everything any witness said of them, as the log would hold it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Final

from rollcall.bbb.documents import keep_callback, keep_recording
from rollcall.bbb.payloads import decode
from rollcall.bbb.redact import NotUnderstood
from rollcall.core.events import (
    Anything,
    AudioJoined,
    AudioLeft,
    Source,
    UserJoined,
    UserLeft,
    WentBlind,
)
from rollcall.core.records import CUT_MS
from rollcall.simulate.callback import Gem, callback_body, data_json
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.damage import expire, lose_end, strip_utc, truncate
from rollcall.simulate.eras import ERAS, Era
from rollcall.simulate.faults import afflict, parse_fault
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.recording import CLOCKS_APART_MS, Recorded, recordings
from rollcall.simulate.recording_xml import to_xml
from rollcall.simulate.relay import relay
from rollcall.simulate.sendings import Sending, kind_of
from rollcall.simulate.truth import Stay, Truth
from tests.derive.wire import ROUND_MS, events_of, fact_bytes, polls_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.feed.feed import Arrival

LAG_MS: Final = 43
"""The simulated relay stamps a mapped event up to 40 ms late, and leaves that it makes up two more."""

SECOND_MS: Final = CUT_MS + CLOCKS_APART_MS
"""How late an edge may be against what a callback says: it cuts to the second, and is early by the first event."""

WITNESSES: Final = ("webhooks", "polls", "callback", "recording")
WITHOUT_UTC: Final = "2.0"
WEBHOOKS_SINCE: Final = (2, 2)
FAULTS: Final = ("repeat=0.3", "delay=0.3", "reorder=60000", "missing-created", "missing-leave=0.4", "leaves-twice")
LOSSES: Final = ("loss=0.05", "loss=0.3", "missing-leave=0.5", "restart")
HOOKS: Final = ((True, False), (False, True), (True, True))
DOCUMENTS: Final = frozenset({Source.CALLBACK, Source.RECORDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One class and what each witness told of it. Documents by internal meeting id, a whole and perhaps a damaged one.

    `slack_ms`: by so much the recording's own times may be wrong.
    """

    seed: int
    truth: Truth
    era: Era
    gem: Gem
    generation: str
    has_hooks: bool
    webhooks: tuple[Anything, ...]
    polls: tuple[Anything, ...]
    blind: tuple[Anything, ...]
    callbacks: Mapping[str, tuple[Anything, ...]]
    recordings: Mapping[str, tuple[Anything, ...]]
    damaged: Mapping[str, tuple[Anything, ...]]
    slack_ms: int

    def live(self) -> tuple[Anything, ...]:
        """All that was told while the class ran."""
        return (*self.webhooks, *self.polls, *self.blind)

    def no_hook(self) -> list[WentBlind]:
        """What Rollcall knows when the hook was missing from the start to the end."""
        return _blind(self.truth, 0, 1 << 50, "hook-missing")


def hear(seed: int) -> Heard:
    """The class of that seed, with damage of every kind to every witness."""
    rng = Random(seed)
    era = rng.choice([era for era in ERAS.values() if era.name != WITHOUT_UTC])
    truth = make_class(rng, plan_of(rng, era))
    generation = rng.choice([name for name, made in GENERATIONS.items() if made.is_bbb_2_6 is not era.has_own_hand])
    has_hooks = era.number >= WEBHOOKS_SINCE
    blind = _blindness(rng, truth) if has_hooks else _blind(truth, 0, 1 << 50, "no-webhooks")
    polls, unpolled = _polls(rng, truth, blind)
    files = recordings(truth, era, rng, cursor_share=rng.choice((0.0, 0.0, 0.0, 0.3)))
    gem = rng.choice(tuple(Gem))
    strips = rng.random() < 0.2
    return Heard(
        seed=seed,
        truth=truth,
        era=era,
        gem=gem,
        generation=generation,
        has_hooks=has_hooks,
        webhooks=tuple(_webhooks(rng, truth, generation, blind)) if has_hooks else (),
        polls=tuple(polls),
        blind=(*blind, *unpolled),
        callbacks={name: _callback(rng, file, gem) for name, file in files.items()},
        recordings={
            name: recorded_events(strip_utc(file, rng, 0.1) if strips else to_xml(file)) for name, file in files.items()
        },
        damaged={name: _damaged(rng, file, era) for name, file in files.items()},
        slack_ms=CLOCKS_APART_MS if strips or era.number < (2, 1) else 0,
    )


def plan_of(rng: Random, era: Era) -> Plan:
    """A class of that era in which everything happens more often than in reality; most are small."""
    if rng.random() < 0.02:
        return Plan(starts_at=era.at + rng.randrange(3_600_000), minutes=rng.choice((45, 90)), people=22, without_ids=1)
    return Plan(
        starts_at=era.at + rng.randrange(3_600_000),
        minutes=rng.choice((2, 5, 10, 20, 30)),
        people=rng.randint(1, 6),
        rooms=rng.choice((0, 0, 2)),
        guests=rng.randrange(2),
        dial_ins=rng.randrange(2),
        without_ids=rng.randrange(2),
        liveliness=rng.choice((1.0, 3.0, 8.0)),
        late=0.2,
        early=0.3,
        reconnects=0.4,
        two_tabs=0.25,
    )


# -- while it runs ------------------------------------------------------------------------------------------------


def _blindness(rng: Random, truth: Truth) -> list[WentBlind]:
    if rng.random() < 0.7:
        return []
    start = rng.randrange(truth.started_at - 60_000, truth.ended_at)
    return _blind(
        truth, start, start + rng.randrange(10_000, 600_000), rng.choice(("downtime", "hook-missing", "hooks-silent"))
    )


def _blind(truth: Truth, at: int, until: int, cause: str) -> list[WentBlind]:
    """Told of every meeting that ran in it."""
    found = []
    for meeting in truth.meetings:
        start, end = max(at, meeting.created_at), min(until, meeting.ended_at)
        if start < end:
            name = meeting.internal_meeting_id
            digest = fact_bytes(f"{name} {start} {end} {cause}".encode(), None)
            found.append(WentBlind(meeting=name, at=start, until=end, cause=cause, source=Source.OURS, digest=digest))
    return found


def _webhooks(rng: Random, truth: Truth, generation: str, blind: list[WentBlind]) -> list[Anything]:
    mapped, raw = rng.choice(HOOKS)
    told = relay(truth, GENERATIONS[generation], rng, mapped=mapped, raw=raw)
    faults = rng.sample(FAULTS, rng.randrange(3))
    if rng.random() < 0.5:
        faults.append(rng.choice(LOSSES))
    if faults[-1:] == ["restart"]:
        length = max(2, (truth.ended_at - truth.started_at) // 5)
        faults[-1] = f"restart={rng.randrange(truth.started_at, truth.ended_at)},{rng.randrange(1, length)}"
    heard = afflict(told, rng, map(parse_fault, faults))
    # A blind span begins with the last thing that was certainly heard, so it holds all that was lost in it.
    dark = [range(span.at, span.until) for span in blind if span.cause != "hooks-silent" or rng.random() < 0.5]
    heard = [one for one in heard if not any(one.happened_at in span for span in dark)]
    return events_of(keep_the_promise(truth, told, heard))


def keep_the_promise(truth: Truth, told: Iterable[Sending], heard: list[Sending]) -> list[Sending]:
    """Give back the joins without which a session would be outside the promise.

    That is one of which nothing at all was heard, and one whose join was lost together with the same person's leave
    before it.
    """
    events = events_of(heard)
    alive: defaultdict[str, list[int]] = defaultdict(list)
    joined, left = set(), set()
    for event in events:
        is_caller = event.participant.startswith("v_")
        if isinstance(event, UserJoined) or (isinstance(event, AudioJoined) and is_caller):
            joined.add((event.participant, event.at // 100))
        if (isinstance(event, UserLeft) and not event.is_invented) or (isinstance(event, AudioLeft) and is_caller):
            left.add((event.participant, event.at // 100))
        alive[event.participant].append(event.at)
    missing = []
    for stay, before in _with_the_one_before(truth):
        is_joined = _is_told(joined, stay.participant, stay.joined_at)
        is_heard = any(stay.joined_at <= at < stay.left_at for at in alive[stay.participant])
        lost_both = before is not None and not _is_told(left, before.participant, before.left_at)
        if not is_joined and (not is_heard or lost_both):
            missing.append(stay)
    if not missing:
        return heard
    joins = {(stay.participant, stay.joined_at) for stay in missing}
    return heard + [one for one in told for element in one.elements if _is_join_of(one, element, joins)]


def _with_the_one_before(truth: Truth) -> Iterator[tuple[Stay, Stay | None]]:
    """Every session, with the one that ended last before it: of the same person, perhaps by another connection."""
    for meeting in truth.meetings:
        for stay in meeting.stays:
            ended = [one for one in meeting.stays if one.person == stay.person and one.left_at <= stay.joined_at]
            yield stay, max(ended, key=lambda one: one.left_at, default=None)


def _is_told(told: set[tuple[str, int]], participant: str, at: int) -> bool:
    return any((participant, at // 100 + step) in told for step in (0, 1))


JOINS: Final = frozenset(
    {"user-joined", "UserJoinedMeetingEvtMsg", "user-audio-voice-enabled", "UserJoinedVoiceConfToClientEvtMsg"}
)


def _is_join_of(one: Sending, element: dict[str, object], joins: set[tuple[str, int]]) -> bool:
    who = json.dumps(element)
    return kind_of(element) in JOINS and any(
        at - 20_000 <= one.happened_at <= at and f'"{participant}"' in who for participant, at in joins
    )


def _polls(rng: Random, truth: Truth, blind: list[WentBlind]) -> tuple[list[Anything], list[WentBlind]]:
    """Some answers of getMeetings, or none of a stretch, are missing; in a downtime nobody asked.

    A gap of more than three rounds is told of, as the watcher does.
    """
    polls = polls_of(truth, phase_ms=rng.randrange(30_000))
    down = [range(span.at, span.until + 1) for span in blind if span.cause == "downtime"]
    lost = rng.choice((0.0, 0.0, 0.05, 0.3))
    gap = rng.randrange(truth.started_at, truth.ended_at)
    down.append(range(gap, gap + rng.choice((0, 0, 200_000))))
    is_lost = {at: rng.random() < lost or any(at in span for span in down) for at in sorted({e.at for e in polls})}
    asked = [truth.started_at, *(at for at, lost in is_lost.items() if not lost)]
    gaps = [pair for pair in pairwise([*asked, max(is_lost) + ROUND_MS]) if pair[1] - pair[0] > 3 * ROUND_MS]
    told = [span for start, end in gaps for span in _blind(truth, start, end, "no-polls")]
    return [event for event in polls if not is_lost[event.at]], told


# -- after it -----------------------------------------------------------------------------------------------------


def events_of_arrival(arrival: Arrival) -> tuple[Anything, ...]:
    """What the fold is given of a kept document."""
    return decode(arrival.source, arrival.digest, arrival.payload, arrival.identity)


def recorded_events(content: bytes) -> tuple[Anything, ...]:
    """One events.xml, through the log; nothing of what is no recording at all."""
    try:
        document = keep_recording(BytesIO(content), "bbb.example.org", received_at=1, pool=1)
    except NotUnderstood:
        return ()
    return events_of_arrival(document.arrival)


def reported_events(content: bytes, meeting: str) -> tuple[Anything, ...]:
    """One callback or data.json, through the log."""
    document = keep_callback(content, "bbb.example.org", received_at=1, pool=1, meeting=meeting)
    return events_of_arrival(document.arrival)


def _callback(rng: Random, file: Recorded, gem: Gem) -> tuple[Anything, ...]:
    body = callback_body(file, gem) if rng.random() < 0.8 else data_json(file, gem)
    return reported_events(json.dumps(body).encode(), file.meeting)


def _damaged(rng: Random, file: Recorded, era: Era) -> tuple[Anything, ...]:
    match rng.randrange(3):
        case 0:
            return recorded_events(truncate(file, rng))
        case 1:
            return recorded_events(expire(file, rng, rng.choice((0.0, 0.05, 0.5))))
    return recorded_events(lose_end(file, rng) if era.has_end else truncate(file, rng))
