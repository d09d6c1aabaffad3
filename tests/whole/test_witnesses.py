"""A term of classes with every witness damaged: the fold of what is left is true, and with a whole events.xml exact.

From the bytes on the wire through what is kept to the fold. `make simulate-long` runs as many classes as one likes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, combinations
from random import Random

import pytest

from rollcall.core.comparison import Disagreement
from rollcall.core.events import MeetingRecorded, MeetingReported, UserLeft
from rollcall.core.meeting import fold_meeting
from rollcall.simulate.classes import make_class
from rollcall.simulate.eras import ERAS
from rollcall.simulate.recording import recordings
from rollcall.simulate.recording_xml import to_xml
from tests.whole.truths import Untrue, check, check_callback, check_disagreements, check_left, check_whole, fold
from tests.whole.witnesses import WITHOUT_UTC, WITNESSES, Heard, hear, plan_of, recorded_events

CLASSES, AT_ONCE = 2_000, 100


@pytest.mark.parametrize("first", range(0, CLASSES, AT_ONCE))
def test_what_is_promised_holds_in_every_class(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        check(hear(seed))


def test_the_classes_hold_everything_that_can_go_wrong() -> None:
    heard = [hear(seed) for seed in range(150)]
    heads = [event for one in heard for told in one.damaged.values() for event in told[:1]]
    recorded = [head for head in heads if isinstance(head, MeetingRecorded)]
    damages = Counter(head.damage for head in recorded)
    assert damages["truncated"]
    assert damages[""]
    assert sum(head.blank_events > 0 for head in recorded) > 5
    reported = [event for one in heard for told in one.callbacks.values() for event in told[:1]]
    assert {(head.form, head.generation) for head in reported if isinstance(head, MeetingReported)} >= {
        ("callback", "1.2"),
        ("callback", "2.0"),
        ("callback", "2.0.1"),
        ("data-json", "2.0"),
    }
    assert {one.era.name for one in heard} == set(ERAS) - {WITHOUT_UTC}
    assert any(one.blind for one in heard)
    missing = Counter(one.code for heard_ in heard for one in whole_and_live(heard_))
    assert min(missing["join-missing"], missing["leave-missing"]) > 10


def whole_and_live(heard: Heard) -> list[Disagreement]:
    events = [*chain.from_iterable(heard.recordings.values()), *heard.live()]
    return list(fold_meeting(events, root=heard.truth.root.internal_meeting_id).disagreements)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_witness_is_taken_away_the_rest_is_true(seed: int) -> None:
    heard = hear(seed)
    for count in range(1, len(WITNESSES) + 1):
        for left in combinations(WITNESSES, count):
            check_left(heard, left, dict.fromkeys(heard.recordings, True))
            check_left(heard, left, dict.fromkeys(heard.recordings, False))


@pytest.mark.parametrize("seed", range(20))
def test_without_a_clock_in_the_file_a_class_is_shifted_as_a_whole_and_nothing_else(seed: int) -> None:
    rng, era = Random(seed), ERAS[WITHOUT_UTC]
    truth = make_class(rng, replace(plan_of(rng, era), dial_ins=0))
    files = recordings(truth, era, rng, has_frame=False)
    told = [event for file in files.values() for event in recorded_events(to_xml(file))]
    people = {one.key.id: one for one in fold_meeting(told, root=truth.root.internal_meeting_id).attendances}
    assert set(people) == set(truth.people)
    waits = {
        meeting.internal_meeting_id: min(stay.joined_at for stay in meeting.stays) - meeting.created_at
        for meeting in truth.meetings
        if meeting.stays
    }
    for meeting in truth.meetings:
        for stay in meeting.stays:
            wait = waits[meeting.internal_meeting_id]
            sessions = [one for one in people[stay.person.key].sessions if one.participant == stay.participant]
            assert (stay.joined_at - wait, stay.left_at - wait) in {one.possible for one in sessions}


# -- the checks can fail ------------------------------------------------------------------------------------------


def told_wrongly(heard: Heard, wrong_ms: int) -> Heard:
    """The truth of another class: everybody came later."""
    stays = tuple(
        replace(stay, joined_at=min(stay.joined_at + wrong_ms, stay.left_at)) for stay in heard.truth.root.stays
    )
    return replace(heard, truth=replace(heard.truth, root=replace(heard.truth.root, stays=stays)))


@pytest.mark.parametrize("seed", range(5))
def test_one_ms_too_many_is_found(seed: int) -> None:
    heard = next(one for one in map(hear, range(seed * 50, seed * 50 + 50)) if not one.slack_ms and one.era.has_end)
    check_whole(heard)
    with pytest.raises(Untrue):
        check_whole(told_wrongly(heard, 1))


def test_two_seconds_too_many_in_a_callback_are_found() -> None:
    heard = hear(0)
    check_callback(heard)
    with pytest.raises(Untrue):
        check_callback(told_wrongly(heard, 2_500))


def test_a_chat_too_many_is_found() -> None:
    heard = next(one for one in map(hear, range(50)) if any(one.truth.counts(key).chats for key in one.truth.people))
    silent = replace(heard, truth=replace(heard.truth, root=replace(heard.truth.root, acts=())))
    with pytest.raises(Untrue, match=r"chats|talk|cameras|hands|emojis|poll"):
        check_whole(silent)


def test_a_leave_that_was_told_must_not_be_listed_as_missing() -> None:
    heard = next(one for one in map(hear, range(200)) if one.has_hooks and real_leaves(one))
    folded = fold(heard, [*chain.from_iterable(heard.recordings.values()), *heard.live()])
    check_disagreements(heard, folded)
    untold = tuple(event for event in heard.webhooks if event not in real_leaves(heard))
    with pytest.raises(Untrue, match="leave-missing"):
        check_disagreements(replace(heard, webhooks=untold), folded)


def real_leaves(heard: Heard) -> list[UserLeft]:
    return [event for event in heard.webhooks if isinstance(event, UserLeft) and not event.is_invented]
