"""Activities of a few simulated meetings, with everything that was heard of each, and random decisions about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.bbb.answers import ListedAttendee, ListedMeeting
from rollcall.bbb.documents import keep_callback, keep_recording
from rollcall.bbb.redact import NotUnderstood
from rollcall.bbb.sightings import FactsOf, Sightings
from rollcall.core.held import Correction, Decided, Hours
from rollcall.core.policy import MINUTE_MS, OF_HOURS, Condition, Join, Policy, Quantity, Scope
from rollcall.core.verdicts import Verdict
from rollcall.simulate.callback import Gem, callback_body
from rollcall.simulate.classes import Plan, make_cast, make_class
from rollcall.simulate.damage import truncate
from rollcall.simulate.eras import ERAS, Era
from rollcall.simulate.faults import afflict, parse_fault
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.recording import CLOCKS_APART_MS, recordings
from rollcall.simulate.recording_xml import to_xml
from rollcall.simulate.relay import relay
from tests.derive.log import arrivals_of
from tests.derive.wire import ROUND_MS
from tests.whole.every_truth import Known, Side
from tests.whole.witnesses import FAULTS, HOOKS, LAG_MS, LOSSES, SECOND_MS, WEBHOOKS_SINCE, keep_the_promise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from random import Random

    from rollcall.feed.feed import Arrival
    from rollcall.simulate.sendings import Sending
    from rollcall.simulate.truth import Meeting, Span, Truth
    from rollcall.store.connections import Pool

ORIGIN: Final = "moodle.example.org"
COURSE: Final = 42
DAY: Final = 24 * 60
GAPS: Final = (-8, -3, 1, 2, 4, 6, 8, 9, 10, 11, 13, 20, DAY, 7 * DAY)
"""Minutes from the end of one meeting to the next; less than none is another group's room."""


class Told(NamedTuple):
    """What was told of one meeting: while it ran, by the callback, by a damaged file, and by a whole one."""

    live: list[Arrival]
    callback: list[Arrival]
    damaged: list[Arrival]
    whole: list[Arrival]


# -- the meetings -----------------------------------------------------------------------------------------------------


def make_meetings(rng: Random, instance: int) -> tuple[Era, list[Truth]]:
    """Those of one activity in the order in which they begin; of one room there is but one at a time."""
    era = rng.choice([era for era in ERAS.values() if era.number >= WEBHOOKS_SINCE])
    cast = make_cast(rng, rng.randint(2, 4))
    begins = era.at + rng.randrange(3_600_000)
    found: list[Truth] = []
    for number in range(rng.choice((1, 2, 2, 2, 3, 4))):
        if found:
            gap = rng.choice(GAPS) * MINUTE_MS
            begins = max(found[-1].started_at + 10_000, max(one.ended_at for one in found) + gap)
        plan = Plan(
            starts_at=begins,
            minutes=rng.choice((2, 4, 5, 6, 10, 12)),
            cast=cast,
            origin=ORIGIN,
            course=COURSE,
            instance=instance,
            group=number,
            rooms=rng.choice((0, 0, 0, 0, 2)),
            guests=rng.choice((0, 0, 1)),
            dial_ins=rng.choice((0, 0, 1)),
            without_ids=rng.choice((0, 0, 0, 1)),
            liveliness=rng.choice((1.0, 3.0)),
            late=0.2,
            early=0.3,
            reconnects=0.3,
            two_tabs=0.2,
            absent=rng.choice((0.0, 0.3, 0.9)),
        )
        found.append(make_class(rng, plan))
    return era, found


def told_of(rng: Random, truth: Truth, era: Era, pool: Pool) -> Told:
    """What the log is given of it, by each witness; some see less than everything."""
    facts = FactsOf(pool.pk, pool.name)
    files = recordings(truth, era, rng)
    gem = rng.choice(tuple(Gem))
    later = truth.ended_at + 10 * MINUTE_MS
    bodies = [json.dumps(callback_body(file, gem)).encode() for file in files.values()]
    return Told(
        live=list(_live(rng, truth, era, pool, facts)),
        callback=[keep_callback(body, pool.name, received_at=later, pool=pool.pk).arrival for body in bodies],
        damaged=[*_recorded((truncate(file, rng) for file in files.values()), later, pool)],
        whole=[*_recorded((to_xml(file) for file in files.values()), later, pool)],
    )


def _recorded(files: Iterable[bytes], at: int, pool: Pool) -> Iterator[Arrival]:
    for content in files:
        try:
            yield keep_recording(BytesIO(content), pool.name, received_at=at, pool=pool.pk).arrival
        except NotUnderstood:  # cut so early that it is none
            continue


def _live(rng: Random, truth: Truth, era: Era, pool: Pool, facts: FactsOf) -> Iterator[Arrival]:
    dark = _darkness(rng, truth)
    causes = {span: rng.choice(("downtime", "hook-missing", "hooks-silent")) for span in dark}
    for span, cause in causes.items():
        yield from _blind(truth, facts, span, cause)
    yield from arrivals_of(pool, _webhooks(rng, truth, era, dark))
    if rng.random() < 0.8:
        yield from _polls(rng, truth, facts, [span for span, cause in causes.items() if cause == "downtime"])


def _darkness(rng: Random, truth: Truth) -> list[Span]:
    if rng.random() < 0.7:
        return []
    start = rng.randrange(truth.started_at - MINUTE_MS, truth.ended_at)
    return [(start, start + rng.randrange(10_000, 400_000))]


def _blind(truth: Truth, facts: FactsOf, span: Span, cause: str) -> Iterator[Arrival]:
    for meeting in truth.meetings:
        start, end = max(span[0], meeting.created_at), min(span[1], meeting.ended_at)
        if start < end:
            yield facts.blind(meeting.internal_meeting_id, start, end, cause, end)


def _webhooks(rng: Random, truth: Truth, era: Era, dark: list[Span]) -> list[Sending]:
    mapped, raw = rng.choice(HOOKS)
    names = [name for name, made in GENERATIONS.items() if made.is_bbb_2_6 is not era.has_own_hand]
    told = relay(truth, GENERATIONS[rng.choice(names)], rng, mapped=mapped, raw=raw)
    faults = rng.sample(FAULTS, rng.randrange(3))
    if rng.random() < 0.5:
        faults.append(rng.choice(LOSSES[:-1]))
    heard = afflict(told, rng, map(parse_fault, faults))
    heard = [one for one in heard if not any(start <= one.happened_at < end for start, end in dark)]
    return keep_the_promise(truth, told, heard)


def _polls(rng: Random, truth: Truth, facts: FactsOf, down: list[Span]) -> Iterator[Arrival]:
    """Some answers are missing; a gap of more than three rounds is told of, as the watcher does."""
    watch, lost = Sightings(facts), rng.choice((0.0, 0.0, 0.1, 0.5))
    asked = [truth.started_at]
    first = truth.started_at + rng.randrange(ROUND_MS)
    last = truth.ended_at + 3 * ROUND_MS
    for at in range(first, last, ROUND_MS):
        if rng.random() < lost or any(start <= at <= end for start, end in down):
            continue
        asked.append(at)
        listed = [_listed(meeting, at) for meeting in truth.meetings if meeting.runs(at)]
        yield from watch.observe(listed, (), at // 1000 * 1000, at)
    for gap in pairwise([*asked, last]):
        if gap[1] - gap[0] > 3 * ROUND_MS:
            yield from _blind(truth, facts, gap, "no-polls")


def _listed(meeting: Meeting, at: int) -> ListedMeeting:
    there = [stay for stay in meeting.present(at) if not stay.person.is_dial_in]
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


# -- what was really so -----------------------------------------------------------------------------------------------


def truly(truth: Truth, name: str, slack_ms: int = SECOND_MS) -> Known:
    """A meeting as it was. Witnesses may be wrong by `slack_ms` at each edge of a span, and so is this.

    Whoever has no id of the LMS is counted, and is nobody who could be known again in another meeting.
    """
    stays = [stay for meeting in truth.meetings for stay in meeting.stays]
    first, last = min(stay.joined_at for stay in stays), max(stay.left_at for stay in stays)
    return Known(
        name=name,
        began_at=truth.started_at,
        first_join=(first - slack_ms, first + slack_ms),
        last_leave=(last - slack_ms, last + slack_ms),
        ended=(truth.root.ended_at - slack_ms, truth.root.ended_at + slack_ms),
        attendees=(len(truth.people), len(truth.people)),
        people={user: _sides(truth, user, slack_ms) for user in truth.people if user.isdigit()},
        others=(Side((), {}), Side((), {})),
    )


def _sides(truth: Truth, user: str, slack_ms: int) -> tuple[Side, Side]:
    counts, durations = truth.counts(user), truth.durations(user)
    found: dict[Quantity, float] = {
        Quantity.CHATS: counts.chats,
        Quantity.TALKS: durations.talks,
        Quantity.RAISED_HANDS: counts.raise_hands,
        Quantity.REACTIONS: counts.emojis,
        Quantity.POLL_ANSWERS: counts.poll_answers,
    }
    edges = 2 * CLOCKS_APART_MS * (10 + durations.talks + counts.chats) + 4 * LAG_MS if slack_ms else 0
    spans = truth.spans(user)
    shrunk = [(start + slack_ms, end - slack_ms) for start, end in spans if end - start > 2 * slack_ms]
    return (
        Side(shrunk, found | {Quantity.TALK_TIME: durations.talk_ms - edges}),
        Side(
            [(start - slack_ms, end + slack_ms) for start, end in spans],
            found | {Quantity.TALK_TIME: durations.talk_ms + edges},
        ),
    )


# -- decisions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deciding:
    """Makes decisions up about these meetings: their names, begins and ends, in order, and these people."""

    rng: Random
    meetings: Sequence[tuple[str, int, int]]
    people: Sequence[str]

    def decided(self) -> Decided:
        """Some versions; now and then hours, a class that is off, and corrections."""
        rng = self.rng
        versions = tuple(self.policy(number) for number in range(rng.choice((1, 1, 1, 2, 3))))
        names = [name for name, _, _ in self.meetings]
        return Decided(
            versions=versions,
            hours=tuple(self.hours() for _ in range(rng.choice((0, 0, 1, 2)))),
            switched_off=frozenset({rng.choice(names)}) if rng.random() < 0.15 else frozenset(),
            corrections=tuple(self.corrections(versions)),
        )

    def policy(self, number: int) -> Policy:
        """The first one is mostly in force from the start."""
        rng, scope = self.rng, self.rng.choice(tuple(Scope))
        begins = [begin + rng.choice((-2, 2)) * SECOND_MS for _, begin, _ in self.meetings]
        starts = begins if number else [0, 0, begins[0]]
        conditions = [self.condition(scope) for _ in range(rng.choice((1, 1, 2, 3)))]
        return Policy(
            conditions=tuple(conditions),
            join=rng.choice(tuple(Join)),
            scope=scope,
            needed=rng.choice((1, 1, 2, 3)),
            starts_at=rng.choice(starts),
            apart_ms=rng.choice((10, 10, 5, 2, 0)) * MINUTE_MS,
            shortest_ms=rng.choice((5, 5, 0, 3)) * MINUTE_MS,
            fewest=rng.choice((2, 2, 0, 1, 3, 4)),
        )

    def condition(self, scope: Scope) -> Condition:
        """Of any quantity; time most often."""
        rng = self.rng
        often = (Quantity.TIME, Quantity.SHARE, Quantity.WHOLE_MINUTES)
        any_of = [one for one in Quantity if scope is Scope.CLASSES or one not in OF_HOURS]
        quantity = rng.choice(often) if rng.random() < 0.5 else rng.choice(any_of)
        amounts = {
            Quantity.TIME: rng.randrange(1, 15 * 60) * 1_000,
            Quantity.SHARE: rng.choice((1, 250, 500, 667, 750, 800, 900, 1000)),
            Quantity.WHOLE_MINUTES: rng.randrange(1, 12),
            Quantity.PRESENT_BY: rng.randrange(5 * 60) * 1_000,
            Quantity.PRESENT_UNTIL: rng.randrange(5 * 60) * 1_000,
            Quantity.TALK_TIME: rng.randrange(1, 120) * 1_000,
        }
        return Condition(quantity, amounts.get(quantity, rng.randrange(1, 4)))

    def hours(self) -> Hours:
        """About when the meeting was."""
        rng = self.rng
        name, begin, end = rng.choice(self.meetings)
        begin += rng.randrange(-300, 180) * 1_000
        return Hours(name, begin, max(begin + MINUTE_MS, end + rng.randrange(-180, 300) * 1_000))

    def corrections(self, versions: Sequence[Policy]) -> Iterator[Correction]:
        """Of single classes only where all that is asked is time: no sum has a place for the others."""
        rng, plain = self.rng, {Quantity.TIME, Quantity.SHARE}
        is_summed = any(one.scope is Scope.SUMMED for one in versions)
        is_plain = all(condition.quantity in plain for one in versions for condition in one.conditions)
        names = ["", *(name for name, _, _ in self.meetings)] if is_plain or not is_summed else [""]
        for seq in range(rng.choice((0, 0, 0, 1, 2))):
            verdict = rng.choice((Verdict.MET, Verdict.NOT_MET))
            yield Correction(seq + 1, rng.choice(self.people), verdict, rng.choice(names))
