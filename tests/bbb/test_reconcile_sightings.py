"""What polls leave in the log, held against the truth of simulated classes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.bbb import answers
from rollcall.bbb.answers import ListedAttendee, ListedMeeting
from rollcall.bbb.payloads import decode
from rollcall.bbb.redact import breakout_pointer
from rollcall.bbb.sightings import FactsOf, Sightings
from rollcall.core.events import Anything, MeetingListed, MeetingMissing
from rollcall.feed.feed import Arrival
from rollcall.simulate.classes import make_class
from rollcall.simulate.play import Polled, poll_answers
from rollcall.simulate.truth import Truth

FACTS = FactsOf(1, "pool")
ROUND_MS = 30_000
ADA, BOB = ListedAttendee("11", "Ada", "VIEWER"), ListedAttendee("12", "Bob", "MODERATOR")


def algebra(*attendees: ListedAttendee, name: str = "Algebra") -> ListedMeeting:
    return ListedMeeting("m-1", "algebra-1", name, 1_000, attendees=attendees)


class Poller:
    """Asks every 30 s and believes in the log it writes."""

    def __init__(self) -> None:
        self.sightings = Sightings(FACTS)
        self.at = 0
        self.log: list[Arrival] = []
        self.known: set[str] = set()
        self.over: set[str] = set()

    def hears(self, *meetings: ListedMeeting) -> list[tuple[str, int]]:
        self.at += ROUND_MS
        found = self.sightings.observe(meetings, self.known - self.over, self.at, self.at)
        self.log += found
        self.known |= {one.meeting for one in found}
        self.over |= {one.meeting for one in found if one.is_end}
        return [(one.kind, one.at // ROUND_MS) for one in found]

    def fails(self) -> None:
        self.at += ROUND_MS

    def forgets(self) -> None:
        self.sightings = Sightings(FACTS)


def event(arrival: Arrival) -> Anything:
    [found] = decode(arrival.source, arrival.digest, arrival.payload, arrival.identity)
    return found


def test_a_quiet_class_is_told_twice_and_then_every_five_minutes() -> None:
    poller = Poller()
    told = [poller.hears(algebra(ADA)) for _ in range(30)]
    assert [n for n, found in enumerate(told, 1) if found] == [1, 2, 12, 22]


def test_a_slow_pace_never_leaves_more_than_five_minutes_between_two_facts() -> None:
    sightings = Sightings(FACTS, round_ms=120_000)
    told = [bool(sightings.observe([algebra(ADA)], set(), at, at)) for at in range(0, 1_200_000, 120_000)]
    assert told == [True, True, False, True, False, True, False, True, False, True]


def test_a_change_is_told_with_the_poll_before_it_and_the_one_after() -> None:
    poller = Poller()
    for _ in range(5):
        poller.hears(algebra(ADA))
    assert poller.hears(algebra(ADA, BOB)) == [("meeting-listed", 5), ("meeting-listed", 6)]
    assert poller.hears(algebra(ADA, BOB)) == [("meeting-listed", 7)]
    assert poller.hears(algebra(ADA, BOB)) == []


def test_a_second_tab_is_a_change_and_another_order_is_none() -> None:
    poller = Poller()
    poller.hears(algebra(ADA, BOB))
    poller.hears(algebra(BOB, ADA))
    assert poller.hears(algebra(ADA, BOB)) == []
    assert len(poller.hears(algebra(ADA, ADA, BOB))) == 2


def test_a_meeting_that_is_gone_is_told_twice_and_then_over() -> None:
    poller = Poller()
    for _ in range(4):
        poller.hears(algebra(ADA))
    assert poller.hears() == [("meeting-listed", 4), ("meeting-missing", 5)]
    assert poller.hears() == [("meeting-missing", 6)]
    assert poller.hears() == []
    assert [one.at // ROUND_MS for one in poller.log if one.is_end] == [6]


def test_one_absence_alone_is_taken_back() -> None:
    poller = Poller()
    poller.hears(algebra(ADA))
    poller.hears()
    poller.hears(algebra(ADA))
    assert poller.hears() == [("meeting-missing", 4)]
    assert not poller.log[-1].is_end


def test_a_meeting_that_webhooks_have_ended_is_not_missed_but_its_last_sighting_is_told() -> None:
    poller = Poller()
    for _ in range(5):
        poller.hears(algebra(ADA))
    poller.over.add("m-1")
    assert poller.hears() == [("meeting-listed", 5)]
    assert poller.hears() == []


def test_a_meeting_that_comes_back_after_it_was_over_ends_again() -> None:
    poller = Poller()
    poller.hears(algebra(ADA))
    poller.hears()
    poller.hears()
    assert poller.over == {"m-1"}
    assert poller.hears(algebra(ADA)) == [("meeting-listed", 4)]
    assert [poller.hears(), poller.hears(), poller.hears()] == [[("meeting-missing", 5)], [("meeting-missing", 6)], []]


def test_a_meeting_known_from_webhooks_alone_is_missed_too() -> None:
    poller = Poller()
    poller.known = {"m-9"}
    assert poller.hears() == [("meeting-missing", 1)]
    assert poller.hears() == [("meeting-missing", 2)]
    assert poller.hears() == []


def test_a_failed_poll_tells_nothing_and_breaks_no_count() -> None:
    poller = Poller()
    poller.hears(algebra(ADA))
    poller.hears()
    poller.fails()
    assert poller.hears() == [("meeting-missing", 4)]
    assert poller.log[-1].is_end


def test_after_a_restart_what_is_seen_is_told_anew_and_nothing_is_missed_that_is_there() -> None:
    poller = Poller()
    for _ in range(3):
        poller.hears(algebra(ADA))
    poller.forgets()
    assert poller.hears(algebra(ADA)) == [("meeting-listed", 4)]
    assert poller.hears(algebra(ADA)) == [("meeting-listed", 5)]
    assert poller.hears(algebra(ADA)) == []


def test_a_person_stands_in_identity_and_only_there() -> None:
    poller = Poller()
    poller.hears(algebra(ADA, ADA, BOB))
    [fact] = poller.log
    assert msgspec.json.decode(fact.payload) == {
        "kind": "meeting-listed",
        "at": ROUND_MS,
        "meeting": "m-1",
        "present": [[0, 2], [1, 1]],
        "info": {
            "external_meeting_id": "algebra-1",
            "name": "Algebra",
            "is_breakout": False,
            "parent": None,
            "created_at": 1_000,
            "metadata": {},
        },
    }
    assert msgspec.json.decode(fact.identity or b"") == {"0": ["11", "Ada", "VIEWER"], "1": ["12", "Bob", "MODERATOR"]}
    assert fact.source == "poll"


def test_of_metadata_only_what_is_on_the_list_is_kept() -> None:
    poller = Poller()
    secret = (("bbb-context-id", "42"), ("bn-recording-status", '{"email": "CANARY"}'), ("endcallbackurl", "CANARY"))
    poller.hears(ListedMeeting("m-1", metadata=secret))
    assert msgspec.json.decode(poller.log[0].payload)["info"]["metadata"] == {"bbb-context-id": "42"}
    assert b"CANARY" not in poller.log[0].payload


def test_the_parent_of_a_room_is_told_to_the_log() -> None:
    poller = Poller()
    poller.hears(ListedMeeting("c-1", is_breakout=True, parent="p-1"))
    assert poller.log[0].parent == "p-1"
    assert msgspec.json.decode(poller.log[0].payload)["info"]["parent"] == "p-1"


def test_in_a_room_a_person_is_a_participant_of_the_parent_meeting_and_no_identity() -> None:
    poller = Poller()
    poller.hears(ListedMeeting("c-1", attendees=(ListedAttendee("w_abcdefghijkl-3", "Ada", "VIEWER"),)))
    [fact] = poller.log
    assert msgspec.json.decode(fact.payload)["present"] == [[0, 1, "w_abcdefghijkl"]]
    assert msgspec.json.decode(fact.identity or b"") == {"0": [None, "Ada", "VIEWER"]}


def test_the_same_answer_makes_the_same_fact() -> None:
    one, other = Poller(), Poller()
    one.hears(algebra(ADA, BOB))
    other.hears(algebra(BOB, ADA))
    assert one.log[0].digest == other.log[0].digest


# -- properties ---------------------------------------------------------------------------------------------------


def play(truth: Truth, lost: set[int], forgotten: set[int]) -> tuple[list[Polled], list[Anything]]:
    """The polls that succeeded, and every fact they left; `lost` polls fail, before the `forgotten` we start anew."""
    poller = Poller()
    heard = []
    for number, polled in enumerate(poll_answers(truth)):
        if number in lost:
            continue
        if number in forgotten:
            poller.forgets()
        heard.append(polled)
        listed = answers.meetings(answers.parse(polled.body))
        poller.at = polled.date_at - ROUND_MS
        poller.hears(*listed)
    return heard, [event(one) for one in poller.log]


def present_in(truth: Truth, meeting: str, at: int) -> Counter[str]:
    [found] = [one for one in truth.meetings if one.internal_meeting_id == meeting]
    there = [stay.external_user_id for stay in found.present(at) if not stay.person.is_dial_in]
    return Counter(breakout_pointer(external) or external for external in there)


def told_by(facts: list[Anything], meeting: str, at: int) -> Counter[str] | None:
    """What a reader of the facts knows was listed at `at`: the fact of that time, or equal ones on both sides of it."""
    told = sorted(
        (one.at, Counter({who.external_user_id: who.count for who in one.present}))
        for one in facts
        if isinstance(one, MeetingListed) and one.meeting == meeting
    )
    before = [who for when, who in told if when <= at]
    after = [who for when, who in told if when >= at]
    return before[-1] if before and after and before[-1] == after[0] else None


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32), lost=st.sets(st.integers(0, 200)), forgotten=st.sets(st.integers(0, 200), max_size=3)
)
def test_every_fact_is_true_whatever_fails_or_is_forgotten(seed: int, lost: set[int], forgotten: set[int]) -> None:
    truth = make_class(Random(seed))
    heard, facts = play(truth, lost, forgotten)
    asked_at = {polled.date_at: polled.asked_at for polled in heard}
    for fact in facts:
        if isinstance(fact, MeetingListed):
            told = Counter({who.external_user_id: who.count for who in fact.present})
            assert told == present_in(truth, fact.meeting, asked_at[fact.at])
        else:
            assert isinstance(fact, MeetingMissing)
            [missed] = [one for one in truth.meetings if one.internal_meeting_id == fact.meeting]
            assert not missed.runs(asked_at[fact.at])


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), lost=st.sets(st.integers(0, 200)))
def test_the_facts_say_who_was_in_at_every_successful_poll(seed: int, lost: set[int]) -> None:
    truth = make_class(Random(seed))
    heard, facts = play(truth, lost, set())
    for polled in heard:
        for meeting in truth.meetings:
            if meeting.runs(polled.asked_at):
                told_then = told_by(facts, meeting.internal_meeting_id, polled.date_at)
                assert told_then == present_in(truth, meeting.internal_meeting_id, polled.asked_at)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_facts_are_few(seed: int) -> None:
    truth = make_class(Random(seed))
    heard, facts = play(truth, set(), set())
    for meeting in truth.meetings:
        running = [polled for polled in heard if meeting.runs(polled.asked_at)]
        lists = [present_in(truth, meeting.internal_meeting_id, polled.asked_at) for polled in running]
        changes = 1 + sum(one != other for one, other in pairwise(lists))
        made = [one for one in facts if isinstance(one, MeetingListed) and one.meeting == meeting.internal_meeting_id]
        if running:
            assert len(made) <= 3 * changes + len(running) // 10 + 1
