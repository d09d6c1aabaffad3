"""What a meeting says to a policy: the truth lies within it, it is the same after it was kept, and it is small."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.core.activity import EXACTLY_NONE, NOBODY_KNOWS, Count, Held, Presence
from rollcall.core.events import ChatSent, MeetingEnded, Source, UserJoined, UserLeft, WentBlind
from rollcall.core.intervals import OPEN, merge, subtract
from rollcall.core.meeting import SETTLING_MS, fold_meeting
from rollcall.core.policy import COUNTED
from rollcall.derive.held import HISTORY_MS, clamp, held_from, pack, unpack
from tests.core.classes import MEETING, START, TrueClass, digested, frame, polls, told, true_classes
from tests.core.recorded import recording
from tests.core.test_truth import keep_the_promise, lossy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from rollcall.core.events import Anything


def held_of(events: Sequence[Anything]) -> Held:
    """As it comes back from where it is kept."""
    made = held_from(fold_meeting(events))
    kept = unpack(pack(made, made.began_at), "7")
    assert kept == replace(made, meeting="7", unseen_counts=NOBODY_KNOWS if made.unseen else EXACTLY_NONE)
    return kept


def assert_truth_inside(true: TrueClass, held: Held) -> None:
    truth = true.truth()
    for user, spans in truth.items():
        known = held.people.get(user)
        if known is None:
            assert not subtract(spans, held.unseen), (user, "was there, and nobody could have been")
        else:
            assert not subtract(known.proved, spans)
            assert not subtract(spans, known.possible)
    everybody = [span for spans in truth.values() for span in spans]
    first, last = min(start for start, _ in everybody), max(end for _, end in everybody)
    assert held.first_join[0] <= first <= held.first_join[1]
    assert held.last_leave[0] <= last <= held.last_leave[1]
    assert held.ended[0] <= true.end_at <= held.ended[1]
    assert held.attendees[0] <= len(truth) <= held.attendees[1]


@given(true_classes(), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.4]), st.booleans())
@settings(max_examples=60)
def test_the_truth_lies_inside(true: TrueClass, random: Random, loss: float, end_is_told: bool) -> None:
    kept = keep_the_promise(true, lossy(true, random, loss=loss)) + polls(true)
    assert_truth_inside(true, held_of(kept + frame(true.end_at)[: 2 if end_is_told else 1]))


@given(true_classes(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_whom_a_blind_spell_swallowed_may_have_been_there(true: TrueClass, random: Random) -> None:
    start = random.randint(START, true.end_at - 2)
    until = random.randint(start + 1, true.end_at)
    kept = [event for stay in true.stays for event in told(stay) if not start <= event.at < until]
    seen = [poll for poll in polls(true) if not start - 1_000 <= poll.at < until]
    blind = digested(WentBlind(meeting=MEETING, at=start, until=until, cause="downtime", source=Source.OURS))
    assert_truth_inside(true, held_of([*kept, *seen, blind, *frame(true.end_at)]))


@given(true_classes(), st.integers(0, 10 * 60_000))
@settings(max_examples=60)
def test_while_it_runs_whatever_comes_is_possible(true: TrueClass, after_ms: int) -> None:
    now = START + after_ms
    events = [*(event for stay in true.stays for event in told(stay)), *polls(true), *frame(true.end_at)]
    so_far = [event for event in events if event.at <= now and not isinstance(event, MeetingEnded)]
    if now < true.end_at and so_far:
        held = held_of(so_far)
        assert_truth_inside(true, held)
        assert held.settles_at == OPEN


@given(true_classes())
@settings(max_examples=30)
def test_under_a_whole_record_nobody_was_there_unseen(true: TrueClass) -> None:
    blind = digested(WentBlind(meeting=MEETING, at=START, until=true.end_at, cause="downtime", source=Source.OURS))
    held = held_of([*recording(true), blind])
    assert (held.unseen, held.unseen_counts, held.settles_at) == ((), EXACTLY_NONE, None)
    assert_truth_inside(true, held)
    assert {count.is_exact for one in held.people.values() for count in one.counts.values()} <= {True}
    assert all(one.counts.keys() == COUNTED for one in held.people.values())


def test_a_connection_of_which_no_join_was_told_may_be_one_more_of_somebody_else() -> None:
    ada = UserJoined(meeting=MEETING, at=START, participant="w_ada", external_user_id="7", name="Ada", role="VIEWER")
    chats = [digested(ChatSent(meeting=MEETING, at=START + at, participant="w_new")) for at in (9_000, 12_000)]
    end = frame(START + 60_000)
    assert held_of([digested(ada), *chats, *end]).attendees == (1, 2)
    assert held_of([*chats, *end]).attendees == (1, 1)
    joined = replace(ada, participant="w_new", external_user_id="w_new", at=START + 8_000)
    assert held_of([digested(ada), digested(joined), *chats, *end]).attendees == (2, 2)


def test_a_connection_that_never_told_its_user_may_be_anybody() -> None:
    ada = UserJoined(meeting=MEETING, at=START, participant="w_ada", external_user_id="7", name="Ada", role="VIEWER")
    gone = digested(UserLeft(meeting=MEETING, at=START + 10_000, participant="w_ada"))
    chats = [digested(ChatSent(meeting=MEETING, at=START + at, participant="w_new")) for at in (20_000, 40_000)]
    end = frame(START + 60_000)
    heard = held_of([digested(ada), gone, *chats, *end])
    assert not subtract(((START + 20_000, START + 40_000),), heard.unseen), "somebody never seen may have been it"
    assert not subtract(((START + 20_000, START + 40_000),), heard.people["7"].possible), "or who had left"
    assert heard.people["7"].proved == ((START, START + 10_000),)
    assert heard.unseen_counts == NOBODY_KNOWS
    assert not any(count.is_exact for count in heard.people["7"].counts.values())
    known = replace(ada, participant="w_new", external_user_id="9", name="Ben", at=START + 15_000)
    named = held_of([digested(ada), gone, digested(known), *chats, *end])
    assert (named.unseen, named.people["7"].possible) == ((), ((START, START + 10_000),))


ADA = Presence(((10, 20),), ((10, OPEN),), {})


def held(**more: object) -> Held:
    plain: dict[str, object] = {
        "meeting": "",
        "began_at": 10,
        "first_join": (10, 10),
        "last_leave": (20, OPEN),
        "ended": (20, OPEN),
        "attendees": (1, OPEN),
        "people": {"7": ADA},
        "unseen": ((20, OPEN),),
        "settles_at": OPEN,
        "blind": ((30, OPEN, "downtime"), (5, 6, "no-polls")),
    }
    return Held(**(plain | more))  # type: ignore[arg-type]  # each value has its type


def test_the_begin_of_the_next_meeting_ends_the_one_before() -> None:
    cut = clamp(held(), 25)
    assert (cut.ended, cut.last_leave, cut.unseen) == ((20, 25), (20, 25), ((20, 25),))
    assert cut.people["7"] == Presence(((10, 20),), ((10, 25),), {})
    assert cut.blind == ((5, 6, "no-polls"),)
    assert cut.settles_at == 25 + SETTLING_MS
    assert clamp(held(), 15) == clamp(held(), 20), "what is proved stands, whatever another clock says"
    assert clamp(cut, 30) == cut


def test_what_was_heard_of_days_later_or_began_before_it_was_asked_for_is_history() -> None:
    over = held(ended=(20, 20), last_leave=(20, 20), unseen=(), settles_at=None, people={})
    assert not unpack(pack(over, 20 + HISTORY_MS), "1").is_history
    assert unpack(pack(over, 21 + HISTORY_MS), "1").is_history
    assert not unpack(pack(over, 20), "1", from_at=10).is_history
    assert unpack(pack(over, 20), "1", from_at=11).is_history


def test_half_a_record_of_long_ago_is_history_too() -> None:
    assert unpack(pack(held(), 21 + HISTORY_MS), "1").is_history, "it has no end, and is silent for days"
    assert not unpack(pack(held(), 20 + HISTORY_MS), "1").is_history, "it runs still"
    assert not unpack(pack(held(last_leave=(30, OPEN)), 21 + HISTORY_MS), "1").is_history


def test_people_who_did_the_same_share_it() -> None:
    quiet = dict.fromkeys(COUNTED, Count(0, is_exact=True))
    one = Presence(((10, 20),), ((10, 20),), quiet)
    alone = len(pack(held(people={"1000": one}), 0))
    many = held(people={str(user): one for user in range(1000, 1500)})
    assert (len(pack(many, 0)) - alone) / 499 < 25
    found = unpack(pack(many, 0), "1")
    assert found.people == {user: replace(one, counts=quiet) for user in many.people}
    assert merge(found.people["1000"].proved) == ((10, 20),)
