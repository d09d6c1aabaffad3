"""What records made after the class do to what the live witnesses told, and who is then said to disagree."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from time import thread_time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollcall.core.engagement import Count
from rollcall.core.events import (
    AttendeeReported,
    AudioJoined,
    AudioLeft,
    AudioMuted,
    AwayChanged,
    CameraStarted,
    ChatSent,
    Listed,
    MeetingEnded,
    MeetingListed,
    MeetingRecorded,
    MeetingReported,
    PollAnswered,
    PollStarted,
    RaiseHandChanged,
    RecordingMarked,
    Reported,
    Source,
    TalkingEnded,
    TalkingStarted,
    UserJoined,
    UserLeft,
    WentBlind,
)
from rollcall.core.intervals import subtract, total
from rollcall.core.meeting import SETTLING_MS, fold_meeting
from rollcall.core.records import CUT_MS
from tests.core.classes import (
    MEETING,
    START,
    TrueClass,
    TrueStay,
    as_raw,
    digested,
    frame,
    polls,
    told,
    true_classes,
)
from tests.core.recorded import callback, document, recording, written_down
from tests.core.test_truth import assert_truth_inside, keep_the_promise, lossy

if TYPE_CHECKING:
    from random import Random

    from rollcall.core.events import Anything
    from rollcall.core.meeting import FoldedMeeting

END = START + 600_000


def stay(participant: str, external: str, join_s: int, leave_s: int | None, *acts: Anything) -> TrueStay:
    """One stay, in seconds of the class; without a leave to its end."""
    leave_at = END if leave_s is None else START + leave_s * 1000
    return TrueStay(participant, external, START + join_s * 1000, leave_at, leave_s is None, acts)


def heard(true: TrueClass) -> list[Anything]:
    """Everything webhooks told."""
    return [event for one in true.stays for event in told(one)] + frame(true.end_at)


def person(folded: FoldedMeeting, external: str) -> Any:
    """The one attendance of that external id."""
    (found,) = [one for one in folded.attendances if external in {one.external_user_id, one.key.id}]
    return found


@given(
    true_classes(),
    st.randoms(use_true_random=False),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=100)
def test_a_whole_recording_is_the_truth_to_the_millisecond(
    true: TrueClass, random: Random, loss: float, polled: bool, reported: bool
) -> None:
    kept = lossy(true, random, loss=loss) if loss < 1 else []
    kept += polls(true) if polled else []
    kept += callback(true) if reported else []
    kept += recording(true)
    random.shuffle(kept)
    folded = fold_meeting(kept)
    truth = true.truth()
    assert {one.external_user_id: one.proved for one in folded.attendances} == truth
    assert {one.external_user_id: one.possible for one in folded.attendances} == truth
    assert folded.settles_at is None
    assert folded.record == "recording"


@given(true_classes(), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.3]))
@settings(max_examples=80)
def test_every_listed_disagreement_is_true(true: TrueClass, random: Random, loss: float) -> None:
    kept = lossy(true, random, loss=loss)
    folded = fold_meeting([*kept, *polls(true), *frame(true.end_at), *recording(true)])
    joins = [(event.external_user_id, event.at) for event in kept if isinstance(event, UserJoined)]
    leaves = [
        (event.external_user_id, event.at) for event in kept if isinstance(event, UserLeft) and not event.is_invented
    ]
    for disagreement in folded.disagreements:
        assert disagreement.code in {"join-missing", "leave-missing"}, disagreement
        held = joins if disagreement.code == "join-missing" else leaves
        for who, at in zip(disagreement.who, disagreement.at, strict=True):
            # Of several in ten seconds one is missing, whichever it was.
            near = [one for one in held if one[0] == who.id and abs(one[1] - at) <= 10_000]
            true_ones = [
                one
                for one in true.stays
                if one.external == who.id
                and abs((one.join_at if disagreement.code == "join-missing" else one.leave_at) - at) <= 10_000
            ]
            assert len(near) < len(true_ones) + sum(
                abs(one.leave_at - at) <= 10_000 for one in true.stays if one.is_to_the_end
            )


@given(true_classes(), st.randoms(use_true_random=False), st.integers(1, 116), st.booleans(), st.booleans())
@settings(max_examples=100)
def test_a_callback_alone_is_within_a_second_of_each_edge(
    true: TrueClass, random: Random, first_event_ms: int, has_sessions: bool, polled: bool
) -> None:
    kept = callback(true, first_event_ms=first_event_ms, has_sessions=has_sessions)
    # Without connections a leave and the next join may both be unknown, which no poll need tell: outside the promise.
    kept += polls(true) if polled and has_sessions else []
    random.shuffle(kept)
    folded = fold_meeting(kept)
    assert_truth_inside(true, folded)
    if has_sessions:
        for attendance in folded.attendances:
            edges = 2 * sum(one.external == attendance.external_user_id for one in true.stays)
            assert total(attendance.possible) - total(attendance.proved) <= edges * CUT_MS


@given(true_classes(), st.randoms(use_true_random=False), st.sampled_from([0.1, 0.4]), st.booleans())
@settings(max_examples=100)
def test_truth_lies_inside_with_lossy_webhooks_and_a_callback(
    true: TrueClass, random: Random, loss: float, has_sessions: bool
) -> None:
    kept = keep_the_promise(true, lossy(true, random, loss=loss)) + frame(true.end_at)
    kept += callback(true, has_sessions=has_sessions) + polls(true)
    random.shuffle(kept)
    assert_truth_inside(true, fold_meeting(kept))


@given(true_classes(), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.2, 0.6]), st.booleans())
@settings(max_examples=100)
def test_truth_lies_inside_with_a_damaged_recording(
    true: TrueClass, random: Random, loss: float, with_webhooks: bool
) -> None:
    """One that is not whole loses events as webhooks do, and a cut one everything after the cut."""
    # Two joins of one connection within a second could be taken for one that two witnesses told.
    joins = sorted((one.participant, one.join_at) for one in true.stays)
    assume(all(a != b or there - here > 1_000 for (a, here), (b, there) in pairwise(joins)))
    events = sorted((event for one in true.stays for event in written_down(one)), key=lambda event: event.at)
    cut = events[: random.randrange(len(events) + 1)]
    left = [event for event in cut if random.random() >= loss]
    kept = recording(true, reason=None, is_whole=False, damage="truncated", kept=left)
    webhooks = as_raw(keep_the_promise(true, lossy(true, random, loss=0.2)), earlier_ms=0) if with_webhooks else []
    if not with_webhooks:
        webhooks = [event for one in true.stays for event in told(one)]
    folded = fold_meeting([*kept, *webhooks, *frame(true.end_at), *polls(true)])
    assert_truth_inside(true, folded)
    assert folded.record == "partial"


def test_whom_the_file_has_without_a_leave_was_there_to_the_end() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    (ada,) = fold_meeting(recording(true)).attendances
    assert ada.proved == ada.possible == ((START + 5_000, END),)
    assert ada.sessions[0].end == "meeting-ended"
    assert ada.sessions[0].witness == "recording"


def test_who_has_no_leave_although_all_had_left_is_not_proved_to_the_end() -> None:
    talked = TalkingStarted(meeting=MEETING, at=START + 60_000, participant="w_a")
    true = TrueClass(END, (stay("w_a", "10", 5, None, talked),))
    folded = fold_meeting(recording(true, reason="ENDED_WHEN_LAST_USER_LEFT"))
    assert folded.attendances[0].proved == ((START + 5_000, START + 60_000),)
    assert folded.attendances[0].possible == ((START + 5_000, END),)
    assert [note.code for note in folded.notes] == ["recording-lost-leaves"]


def test_a_second_join_without_a_leave_between_goes_on() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 100),))
    again = UserJoined(meeting=MEETING, at=START + 15_000, participant="w_a", external_user_id="10")
    events = [*written_down(true.stays[0]), again]
    (ada,) = fold_meeting(recording(true, kept=events)).attendances
    assert ada.proved == ada.possible == ((START + 5_000, START + 100_000),)


def test_a_leave_without_a_join_and_chats_of_strangers_make_nobody() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    strange: list[Anything] = [
        UserLeft(meeting=MEETING, at=START + 9_000, participant="w_zz"),
        TalkingStarted(meeting=MEETING, at=START + 9_500, participant="SYSTEM"),
    ]
    folded = fold_meeting(recording(true, kept=[*written_down(true.stays[0]), *strange]))
    assert [one.external_user_id for one in folded.attendances] == ["10"]


def test_of_two_recordings_the_whole_one_speaks() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    more = [
        *written_down(true.stays[0]),
        *written_down(stay("w_b", "11", 1, 2)),
        *written_down(stay("w_c", "12", 1, 2)),
    ]
    partial = recording(true, is_whole=False, damage="truncated", kept=more)
    folded = fold_meeting([*partial, *recording(true)])
    assert [one.external_user_id for one in folded.attendances] == ["10"]


def test_a_recording_without_an_end_goes_to_its_last_event_or_to_the_end_that_was_heard() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None), stay("w_b", "11", 5, 300)))
    old = recording(true, reason=None)
    assert fold_meeting(old).ended_at == START + 300_000
    assert fold_meeting([*old, *frame(END)]).ended_at == END


def test_talking_ends_by_itself_and_two_tabs_talk_once() -> None:
    who: dict[str, Any] = {"meeting": MEETING, "participant": "w_a"}
    acts = (
        TalkingStarted(**who, at=START + 10_000),
        TalkingStarted(**who, at=START + 11_000),
        AudioMuted(**who, at=START + 15_500),
        TalkingEnded(**who, at=START + 16_000),
        TalkingStarted(**who, at=START + 20_000),
        AudioLeft(**who, at=START + 21_000),
        TalkingStarted(**who, at=START + 299_000),
    )
    other = TalkingStarted(meeting=MEETING, participant="w_b", at=START + 14_000)
    ended = TalkingEnded(meeting=MEETING, participant="w_b", at=START + 18_000)
    true = TrueClass(END, (stay("w_a", "10", 5, 300, *acts), stay("w_b", "10", 5, 300, other, ended)))
    engagement = person(fold_meeting(recording(true)), "10").engagement
    assert engagement.talk_ms == Count(8_000 + 1_000 + 1_000, is_exact=True)
    assert engagement.talks == Count(4, is_exact=True)


def test_what_a_file_counts_is_exact_and_ends_with_the_person() -> None:
    who: dict[str, Any] = {"meeting": MEETING, "participant": "w_a"}
    acts = (
        CameraStarted(**who, at=START + 10_000, stream="s"),
        AwayChanged(**who, at=START + 20_000, is_away=True),
        AwayChanged(**who, at=START + 50_000),
        RaiseHandChanged(**who, at=START + 60_000, is_up=True),
        RaiseHandChanged(**who, at=START + 61_000, is_up=True),
        PollAnswered(meeting=MEETING, at=START + 70_000, poll_id="p", voter="w_a"),
        PollAnswered(meeting=MEETING, at=START + 70_000, poll_id="p", voter="w_a"),
        RecordingMarked(**who, at=START + 80_000, is_on=True),
    )
    engagement = person(fold_meeting(recording(TrueClass(END, (stay("w_a", "10", 5, 110, *acts),)))), "10").engagement
    assert engagement.camera_ms == Count(100_000, is_exact=True)
    assert engagement.away_ms == Count(30_000, is_exact=True)
    assert engagement.raise_hands == Count(1, is_exact=True)
    assert engagement.poll_answers == Count(1, is_exact=True)


def test_callers_are_known_from_the_file_by_their_audio() -> None:
    caller: list[Anything] = [
        AudioJoined(meeting=MEETING, at=START + 10_000, participant="v_1", name="Phone 12"),
        AudioLeft(meeting=MEETING, at=START + 70_000, participant="v_1"),
    ]
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    folded = fold_meeting(recording(true, kept=[*written_down(true.stays[0]), *caller]))
    assert person(folded, "v_1").proved == ((START + 10_000, START + 70_000),)


def test_blind_time_and_a_callback_do_not_touch_what_a_file_knows() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    blind = digested(WentBlind(meeting=MEETING, at=START, until=END, cause="downtime", source=Source.OURS))
    folded = fold_meeting([*recording(true), blind, *callback(true)])
    assert person(folded, "10").proved == person(folded, "10").possible == ((START + 5_000, END),)
    assert folded.coverage == (0, END - START, 0)


def test_what_a_file_changed_is_told_for_whom() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 300), stay("w_b", "11", 5, 400)))
    hooks = [event for event in heard(true) if not (isinstance(event, UserLeft) and event.participant == "w_a")]
    folded = fold_meeting([*hooks, *recording(true)])
    (change,) = folded.changes
    assert (change.who.id, change.by, change.after) == ("10", "recording", (295_000, 295_000))
    assert change.before == (0, END - START - 5_000)
    (disagreement,) = folded.disagreements
    assert (disagreement.code, disagreement.witness, disagreement.who[0].id) == ("leave-missing", "webhooks", "10")
    assert disagreement.at == (START + 300_000,)


def test_people_the_file_does_not_know_stay_with_the_weaker_witness_and_are_named() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    stranger = told(stay("w_x", "99", 50, 60))
    seen = digested(
        MeetingListed(meeting=MEETING, at=START + 350_000, source=Source.POLL, present=(Listed(external_user_id="10"),))
    )
    folded = fold_meeting([*heard(true), *stranger, seen, *recording(true)])
    assert person(folded, "99").proved_ms() == 10_000
    assert {(one.code, one.witness) for one in folded.disagreements} == {
        ("unknown-person", "webhooks"),
        ("listed-while-absent", "polls"),
    }


def test_a_callback_takes_its_edges_from_webhooks_that_agree() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    folded = fold_meeting([*heard(true), *callback(true)])
    assert person(folded, "10").proved == person(folded, "10").possible == ((START + 5_000, START + 300_000),)
    assert folded.settles_at == END + SETTLING_MS


def test_a_callback_without_a_leave_believes_webhooks_that_heard_one() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    lost = [
        replace(event, sessions=(Reported("w_a", event.sessions[0].joins),))
        if isinstance(event, AttendeeReported)
        else event
        for event in callback(true)
    ]
    assert person(fold_meeting([*heard(true), *lost]), "10").possible == ((START + 5_000, START + 300_000),)
    alone = person(fold_meeting(lost), "10")
    assert END - START - 5_000 - alone.proved_ms() <= CUT_MS


@pytest.mark.parametrize(
    ("joins", "leaves"),
    [((5, 15), (100,)), ((5,), (100, 110)), ((50,), (10,)), ((), (100,))],
)
def test_joins_and_leaves_that_do_not_alternate_prove_nothing(joins: tuple[int, ...], leaves: tuple[int, ...]) -> None:
    told_times = Reported("w_a", tuple(START + 1000 * at for at in joins), tuple(START + 1000 * at for at in leaves))
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    odd = [
        replace(event, sessions=(told_times,)) if isinstance(event, AttendeeReported) else event
        for event in callback(true)
    ]
    ada = person(fold_meeting(odd), "10")
    assert ada.proved == ()
    last = max(joins + leaves)
    assert ada.possible[0][0] <= START + 1000 * min(joins + leaves)
    assert ada.possible[-1][1] >= START + 1000 * last


def test_hands_that_an_old_gem_cannot_count_stay_with_the_webhooks() -> None:
    hand = RaiseHandChanged(meeting=MEETING, at=START + 60_000, participant="w_a", external_user_id="10", is_up=True)
    true = TrueClass(END, (stay("w_a", "10", 5, 300, hand),))
    told_by_gem = callback(true)
    silent = [replace(event, raise_hands=0) if isinstance(event, AttendeeReported) else event for event in told_by_gem]
    assert person(fold_meeting([*heard(true), *silent]), "10").engagement.raise_hands == Count(1)
    assert person(fold_meeting(silent), "10").engagement.raise_hands == Count(0)
    assert person(fold_meeting(told_by_gem), "10").engagement.raise_hands == Count(1, is_exact=True)


def test_a_damaged_file_and_webhooks_count_each_happening_once() -> None:
    hand = RaiseHandChanged(meeting=MEETING, at=START + 60_000, participant="w_a", external_user_id="10", is_up=True)
    true = TrueClass(END, (stay("w_a", "10", 5, 300, hand),))
    partial = recording(true, reason=None, is_whole=False, damage="truncated")
    folded = fold_meeting([*partial, *heard(true), *as_raw(heard(true), earlier_ms=0)])
    assert person(folded, "10").engagement.raise_hands == Count(1)
    assert len(person(folded, "10").sessions) == 1
    assert {note.code for note in folded.notes} == {"recording-damaged"}


def test_a_damaged_file_alone_is_of_a_meeting_that_is_over() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    folded = fold_meeting(recording(true, reason=None, is_whole=False, damage="truncated"))
    assert folded.is_over()
    assert not person(folded, "10").is_open()


def test_how_much_is_witnessed() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    assert fold_meeting(heard(true)).coverage == (0, END - START, 0)
    assert fold_meeting([*heard(true), *recording(true)]).coverage == (0, 0, END - START)
    blind = digested(WentBlind(meeting=MEETING, at=START, until=START + 99_000, cause="downtime", source=Source.OURS))
    assert fold_meeting([*heard(true), blind]).coverage == (100_000, END - START - 100_000, 0)


@given(true_classes(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_order_and_repeats_of_everything_change_nothing(true: TrueClass, random: Random) -> None:
    everything = [*heard(true), *polls(true), *recording(true), *callback(true)]
    shuffled = everything * 2
    random.shuffle(shuffled)
    assert fold_meeting(shuffled) == fold_meeting(everything)


def test_why_a_meeting_ended_reaches_the_fold() -> None:
    """An end told in the file alone carries its reason to the page."""
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    head, *rest = recording(true, reason="ENDED_AFTER_USER_LOGGED_OUT")
    assert isinstance(head, MeetingRecorded)
    assert any(isinstance(event, MeetingEnded) for event in rest)
    assert fold_meeting([head, *rest]).rooms[0].end_reason == "ENDED_AFTER_USER_LOGGED_OUT"
    assert not subtract(person(fold_meeting([head, *rest]), "10").proved, [(START, END)])
    assert document([head], Source.RECORDING)[0].source is Source.RECORDING


def test_what_goes_on_in_a_breakout_room_ends_with_the_room() -> None:
    room = "0b" * 20 + "-1000001"
    camera = CameraStarted(meeting=room, at=START + 30_000, participant="w_r", stream="s")
    joined = UserJoined(meeting=room, at=START + 20_000, participant="w_r", parent_participant="w_a")
    head = MeetingRecorded(
        meeting=room, at=START + 10_000, last_at=START + 90_000, is_whole=True, is_breakout=True, parent=MEETING
    )
    ended = MeetingEnded(meeting=room, at=START + 90_000, reason="BREAKOUT_ENDED_BY_MOD")
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    folded = fold_meeting([*recording(true), *document([head, joined, camera, ended], Source.RECORDING)])
    assert person(folded, "10").engagement.camera_ms == Count(60_000, is_exact=True)


def test_a_file_with_gaps_tells_no_talk_time() -> None:
    who: dict[str, Any] = {"meeting": MEETING, "participant": "w_a"}
    acts = (TalkingStarted(**who, at=START + 10_000), TalkingEnded(**who, at=START + 90_000))
    true = TrueClass(END, (stay("w_a", "10", 5, 300, *acts),))
    head, *rest = recording(true, is_whole=False)
    assert isinstance(head, MeetingRecorded)
    gaps = replace(head, blank_events=3)
    assert person(fold_meeting([gaps, *rest]), "10").engagement.talk_ms == Count(0)
    assert person(fold_meeting([head, *rest]), "10").engagement.talk_ms == Count(80_000)


@pytest.mark.parametrize(("talks", "expected"), [(0, Count(0, is_exact=True)), (7, Count(1))])
def test_a_callback_proves_that_somebody_talked_and_no_more(talks: int, expected: Count) -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    told_by_gem = [
        replace(event, talks=talks, talk_ms=68_000) if isinstance(event, AttendeeReported) else event
        for event in callback(true)
    ]
    engagement = person(fold_meeting(told_by_gem), "10").engagement
    assert engagement.talks == expected
    assert engagement.talk_ms == Count(0, is_exact=talks == 0)


def test_only_a_family_recorded_as_a_whole_is_counted_exactly() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    head, *rest = recording(true)
    assert isinstance(head, MeetingRecorded)
    named = replace(head, rooms=("0b" * 20 + "-1000001",))
    assert not person(fold_meeting([named, *rest]), "10").engagement.chats.is_exact
    assert person(fold_meeting([head, *rest]), "10").engagement.chats.is_exact


def test_joins_and_leaves_that_do_not_alternate_are_not_proved_by_polls_either() -> None:
    """They may be several stays, with time between them that no poll saw."""
    true = TrueClass(END, (stay("w_a", "10", 5, 200), stay("w_b", "10", 100, 150), stay("w_c", "10", 214, None)))
    folded = fold_meeting([*callback(true, has_sessions=False), *polls(true)])
    assert not subtract(person(folded, "10").proved, true.truth()["10"])
    assert not subtract(true.truth()["10"], person(folded, "10").possible)


def test_a_vote_is_secret_if_anybody_says_so() -> None:
    """Files before 2.5 do not say it."""
    who: dict[str, Any] = {"meeting": MEETING, "at": START + 60_000}
    secret = digested(PollStarted(**who, source=Source.RAW, poll_id="p", is_secret=True))
    answer = digested(PollAnswered(**who, source=Source.RAW, poll_id="p", voter="w_a"))
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    told_by_file = [*written_down(true.stays[0]), PollStarted(**who, poll_id="p")]
    partial = recording(true, reason=None, is_whole=False, damage="truncated", kept=told_by_file)
    assert person(fold_meeting([*partial, secret, answer]), "10").engagement.poll_answers == Count(0)
    assert person(fold_meeting([*partial, answer]), "10").engagement.poll_answers == Count(0)


def test_a_leave_closes_nothing_in_a_file_with_gaps() -> None:
    camera = CameraStarted(meeting=MEETING, at=START + 10_000, participant="w_a", stream="s")
    true = TrueClass(END, (stay("w_a", "10", 5, 300, camera),))
    head, *rest = recording(true, is_whole=False)
    assert isinstance(head, MeetingRecorded)
    gaps = replace(head, blank_events=1)
    assert person(fold_meeting([gaps, *rest]), "10").engagement.camera_ms == Count(0)
    assert person(fold_meeting([head, *rest]), "10").engagement.camera_ms == Count(290_000)


def test_a_callback_counts_beside_a_damaged_file_too() -> None:
    chats = tuple(
        ChatSent(meeting=MEETING, at=START + 60_000 + at, participant="w_a", external_user_id="10") for at in range(6)
    )
    true = TrueClass(END, (stay("w_a", "10", 5, 300, *chats),))
    cut = written_down(true.stays[0])[:3]
    partial = recording(true, reason=None, is_whole=False, damage="truncated", kept=cut)
    assert person(fold_meeting([*partial, *callback(true)]), "10").engagement.chats == Count(6, is_exact=True)


def test_a_room_that_no_callback_tells_of_leaves_counts_open() -> None:
    room = "0b" * 20 + "-1000001"
    seen = digested(
        MeetingListed(
            meeting=room,
            at=START + 90_000,
            source=Source.POLL,
            is_breakout=True,
            parent=MEETING,
            present=(Listed(external_user_id="w_a-1"),),
        )
    )
    true = TrueClass(END, (stay("w_a", "10", 5, 300),))
    assert person(fold_meeting(callback(true)), "10").engagement.chats.is_exact
    assert not person(fold_meeting([*callback(true), seen], root=MEETING), "10").engagement.chats.is_exact


@pytest.mark.parametrize(("blank_events", "reason"), [(1, "ENDED_FROM_API"), (0, "ENDED_WHEN_LAST_USER_LEFT")])
def test_a_callback_made_from_a_file_that_lost_leaves_proves_no_stay_to_the_end(blank_events: int, reason: str) -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    head, *rest = recording(true, reason=reason, is_whole=False)
    assert isinstance(head, MeetingRecorded)
    damaged = replace(head, blank_events=blank_events)
    ada = person(fold_meeting([*callback(true), damaged, *rest]), "10")
    assert ada.proved_ms() < 10_000
    assert ada.possible[-1][1] == END


def test_of_several_connections_told_as_one_nothing_is_said_to_be_missing() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 200), stay("w_b", "10", 100, 150)))
    assert fold_meeting([*heard(true), *callback(true, has_sessions=False)]).disagreements == ()


def test_a_class_of_more_than_a_day_is_as_long_as_was_heard() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    cut = recording(true, reason=None, is_whole=False, damage="truncated")
    late = digested(ChatSent(meeting=MEETING, at=START + 30 * 3_600_000, participant="w_a", external_user_id="10"))
    assert person(fold_meeting([*cut, late]), "10").proved == ((START + 5_000, START + 30 * 3_600_000),)


def test_polls_of_a_recorded_class_are_compared_in_time() -> None:
    """Four times the people take some four times as long; sixteen would be each with each."""

    def seconds(people: int) -> float:
        true = TrueClass(END, tuple(stay(f"w_{one}", str(one), 5, None) for one in range(people)))
        events = [*recording(true), *polls(true)]
        times = []
        for _ in range(3):
            began = thread_time()
            fold_meeting(events)
            times.append(thread_time() - began)
        return min(times)

    assert seconds(400) < 10 * seconds(100)


def test_a_damaged_file_of_which_nothing_is_left_beside_a_poll() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, None),))
    blind = digested(WentBlind(meeting=MEETING, at=START, until=END, cause="downtime", source=Source.OURS))
    nothing = recording(true, reason=None, is_whole=False, damage="truncated", kept=[])
    assert fold_meeting([*nothing, blind]).is_over()
    assert fold_meeting(nothing).is_over()


def test_an_old_data_json_names_one_connection_and_tells_of_all() -> None:
    true = TrueClass(END, (stay("w_a", "10", 5, 200), stay("w_b", "10", 300, 400)))
    one = Reported("w_a", (START + 5_000, START + 300_000), (START + 200_000, START + 400_000))
    old = [
        replace(event, sessions=(one,)) if isinstance(event, AttendeeReported) else replace(event, generation="1.2")
        for event in callback(true, has_sessions=False, first_event_ms=0)
        if isinstance(event, AttendeeReported | MeetingReported)
    ]
    folded = fold_meeting([*heard(true), *old])
    assert person(folded, "10").proved == true.truth()["10"]
    assert folded.disagreements == ()
