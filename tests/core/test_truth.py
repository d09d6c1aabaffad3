"""The truth lies within [proved, possible], whatever was lost, repeated or late."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.core.events import ChatSent, RaiseHandChanged, Source, WentBlind
from rollcall.core.evidence import POLL_SLACK_MS
from rollcall.core.intervals import clip, merge, subtract, total
from rollcall.core.meeting import fold_meeting
from rollcall.core.twins import TWIN_WINDOW_MS
from tests.core.classes import MEETING, ROUND_MS, START, as_raw, digested, frame, polls, told, true_classes

if TYPE_CHECKING:
    from random import Random

    from rollcall.core.engagement import Engagement
    from rollcall.core.events import Anything
    from rollcall.core.meeting import FoldedMeeting
    from tests.core.classes import TrueClass, TrueStay


LAG_MS = 40


def lossy(true: TrueClass, random: Random, *, loss: float) -> list[Anything]:
    """What a lossy hook tells. A stay of which nothing at all is told or seen is outside the promise."""
    kept: list[Anything] = []
    for stay in true.stays:
        events = [event for event in told(stay) if random.random() >= loss]
        is_seen = any(not isinstance(event, RaiseHandChanged) or event.is_up for event in events)
        kept += events if is_seen else [*events, told(stay)[0]]
    return kept


def keep_the_promise(true: TrueClass, kept: list[Anything]) -> list[Anything]:
    """Give back a lost join where the leave before it is lost too: both lost together are outside the promise."""
    held = {event.digest for event in kept}
    for one in true.stays:
        for other in true.stays:
            if (
                one.participant == other.participant
                and one.leave_at < other.join_at
                and told(one)[-1].digest not in held
            ):
                kept += told(other)[:1]
    return kept


def assert_truth_inside(true: TrueClass, folded: FoldedMeeting) -> None:
    truth = true.truth()
    people = {attendance.external_user_id: attendance for attendance in folded.attendances}
    assert set(people) == set(truth)
    for external, spans in truth.items():
        assert not subtract(people[external].proved, spans), (external, "proved more than the truth")
        assert not subtract(spans, people[external].possible), (external, "the truth is not possible")


@given(true_classes(), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.1, 0.4]), st.booleans())
@settings(max_examples=200)
def test_truth_lies_inside(true: TrueClass, random: Random, loss: float, end_is_told: bool) -> None:
    kept = keep_the_promise(true, lossy(true, random, loss=loss)) + polls(true)
    kept += frame(true.end_at)[: 2 if end_is_told else 1]
    random.shuffle(kept)
    assert_truth_inside(true, fold_meeting(kept))


@given(true_classes(tabs=1), st.randoms(use_true_random=False), st.sampled_from([0.1, 0.4]))
def test_an_open_end_is_at_most_two_poll_rounds_wide(true: TrueClass, random: Random, loss: float) -> None:
    kept = keep_the_promise(true, lossy(true, random, loss=loss)) + polls(true) + frame(true.end_at)
    for attendance in fold_meeting(kept).attendances:
        for session in attendance.sessions:
            ends = 1 if session.proved else 2  # both ends are open round a single sighting
            for start, end in subtract((session.possible,), session.proved):
                assert end - start <= ends * (2 * ROUND_MS + POLL_SLACK_MS)


@given(true_classes(tabs=3), st.randoms(use_true_random=False), st.sampled_from([0.1, 0.4]))
def test_several_tabs_leave_no_more_open_than_their_ends(true: TrueClass, random: Random, loss: float) -> None:
    events = keep_the_promise(true, lossy(true, random, loss=loss))
    for attendance in fold_meeting(events + polls(true) + frame(true.end_at)).attendances:
        stays = [stay for stay in true.stays if stay.external == attendance.external_user_id]
        wide = total(subtract(attendance.possible, attendance.proved))
        assert wide <= (2 * ROUND_MS + POLL_SLACK_MS) * 2 * len(stays)


@given(true_classes())
def test_where_every_leave_was_real_the_interval_has_no_width(true: TrueClass) -> None:
    events = [event for stay in true.stays if not stay.is_to_the_end for event in told(stay)]
    people = {stay.external: stay.is_to_the_end for stay in true.stays}
    for attendance in fold_meeting(events + frame(true.end_at)).attendances:
        if not people[attendance.external_user_id]:
            assert attendance.proved == attendance.possible


@given(true_classes(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_and_repeats_change_nothing(true: TrueClass, random: Random, times: int) -> None:
    facts = [event for stay in true.stays for event in told(stay)] + polls(true) + frame(true.end_at)
    shuffled = random.sample(facts * times, k=len(facts) * times)
    assert fold_meeting(shuffled) == fold_meeting(facts)


@given(true_classes(), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.3]))
def test_nobody_attends_longer_than_the_meeting(true: TrueClass, random: Random, loss: float) -> None:
    kept = lossy(true, random, loss=loss) + polls(true) + frame(true.end_at)
    for attendance in fold_meeting(kept).attendances:
        assert clip(attendance.possible, START, true.end_at) == attendance.possible
        assert not subtract(attendance.proved, attendance.possible)
        assert merge(attendance.proved) == attendance.proved


@given(true_classes(), st.randoms(use_true_random=False))
def test_what_a_blind_spell_swallowed_is_unknown_and_not_zero(true: TrueClass, random: Random) -> None:
    start = random.randint(START, true.end_at - 2)
    until = random.randint(start + 1, true.end_at)
    kept = [event for stay in true.stays for event in told(stay) if not start <= event.at < until]
    seen = [poll for poll in polls(true) if not start - 1_000 <= poll.at < until]
    blind = digested(WentBlind(meeting=MEETING, at=start, until=until, cause="downtime", source=Source.OURS))
    folded = fold_meeting([*kept, *seen, blind, *frame(true.end_at)])
    people = {attendance.external_user_id: attendance for attendance in folded.attendances}
    for external, attendance in people.items():
        truth = true.truth()[external]
        assert not subtract(attendance.proved, truth)
        assert not subtract(truth, attendance.possible)
        assert not clip(attendance.proved, start, until)


@given(true_classes(), st.randoms(use_true_random=False), st.sampled_from([0.1, 0.5]))
def test_raw_mapped_and_both_with_one_sided_loss_count_the_same(true: TrueClass, random: Random, loss: float) -> None:
    true = thinned(true)
    mapped = [event for stay in true.stays for event in told(stay)] + frame(true.end_at)
    raw = as_raw(mapped)
    by_halves: list[Anything] = []
    for one, other in zip(mapped, raw, strict=True):
        kept = [event for event in (one, other) if random.random() >= loss]
        by_halves += kept or [random.choice((one, other))]
    wanted = counts(fold_meeting(mapped))
    assert counts(fold_meeting(raw)) == wanted
    assert counts(fold_meeting(mapped + raw)) == wanted
    assert counts(fold_meeting(by_halves)) == wanted


def thinned(true: TrueClass) -> TrueClass:
    """Without what looks alike within ten seconds: one told raw only and one mapped only pass for one by definition.

    And without stays and gaps shorter than the relay's lag, which may put their two ends in the wrong order.
    """
    stays: list[TrueStay] = []
    last: dict[tuple[str, ...], int] = {}
    left_at: dict[str, int] = {}

    def is_apart(at: int, *what: str) -> bool:
        before, last[what] = last.get(what, 0), at
        return at - before > TWIN_WINDOW_MS + 1_000

    for stay in sorted(true.stays, key=lambda stay: stay.join_at):
        is_long = stay.leave_at - stay.join_at > LAG_MS and stay.join_at - left_at.get(stay.participant, 0) > LAG_MS
        left_at[stay.participant] = stay.leave_at
        if is_long and is_apart(stay.join_at, stay.participant) and is_apart(stay.leave_at, stay.participant, "left"):
            acts = [
                act for act in stay.acts if is_apart(act.at, stay.participant, act.kind) or act.kind == ChatSent.kind
            ]
            stays.append(replace(stay, acts=tuple(acts)))
    return replace(true, stays=tuple(stays))


def counts(folded: FoldedMeeting) -> dict[str, tuple[Engagement, int]]:
    """What people did, and how many sessions each had."""
    return {a.external_user_id: (a.engagement, len(a.sessions)) for a in folded.attendances}
