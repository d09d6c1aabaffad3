"""Faults change what is sent in exactly their own way."""

from __future__ import annotations

from random import Random

import pytest

from rollcall.simulate import faults
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.sendings import Element, Sending, event_text, kind_of
from rollcall.simulate.truth import Ending

TRUTH = make_class(Random(11), Plan(ending=Ending.BY_MODERATOR, minutes=30, early=0.5, rooms=2))
SENT = relay(TRUTH, GENERATIONS["3.5.0"], Random(1), raw=True)


def texts(sendings: list[Sending]) -> list[tuple[bool, str]]:
    return [(one.is_raw, event_text(one.elements)) for one in sendings]


def of_kind(sendings: list[Sending], kind: str) -> list[Element]:
    return [element for one in sendings for element in one.elements if kind_of(element) == kind]


def test_loss_takes_a_share() -> None:
    kept = faults.lose(SENT, Random(1), 0.3)
    assert set(texts(kept)) < set(texts(SENT))
    assert 0.6 < len(kept) / len(SENT) < 0.8


def test_one_sided_loss_leaves_the_other_hook_whole() -> None:
    kept = faults.lose(SENT, Random(1), 0.3, is_raw=True)
    assert [one for one in kept if not one.is_raw] == [one for one in SENT if not one.is_raw]
    assert len([one for one in kept if one.is_raw]) < len([one for one in SENT if one.is_raw])


def test_a_repeat_is_byte_for_byte_the_same_and_later() -> None:
    repeated = faults.repeat(SENT, Random(1), 0.5)
    assert len(repeated) > 1.3 * len(SENT)
    assert set(texts(repeated)) == set(texts(SENT))
    assert {one.sent_at for one in repeated} == {one.sent_at for one in SENT}


@pytest.mark.parametrize("fault", [faults.parse_fault("delay=0.4"), faults.parse_fault("reorder=60000")])
def test_delay_and_disorder_lose_nothing(fault: faults.Fault) -> None:
    found = fault(SENT, Random(1))
    assert sorted(texts(found)) == sorted(texts(SENT))
    assert texts(found) != texts(SENT)
    assert [one.arrives_at for one in found] == sorted(one.arrives_at for one in found)


def test_a_wrong_clock_moves_only_what_the_relay_stamped() -> None:
    moved = faults.shift_clock(SENT, Random(1), -4_000)
    for before, after in zip(SENT, moved, strict=True):
        assert after.arrives_at == before.arrives_at
        assert after.sent_at == before.sent_at - 4_000
        if "envelope" in before.elements[0] or kind_of(before.elements[0]).startswith("rap-"):
            assert after.elements == before.elements
        elif "data" in before.elements[0]:
            was, now = before.elements[0]["data"]["event"]["ts"], after.elements[0]["data"]["event"]["ts"]
            assert now == was - 4_000


def test_missing_leaves_are_missing_from_both_hooks_and_the_invented_ones_stay() -> None:
    left = faults.miss_leaves(SENT, Random(1), 1.0)
    assert not of_kind(left, "UserLeftMeetingEvtMsg")
    assert of_kind(left, "user-left")
    assert all(map(faults.is_invented, of_kind(left, "user-left")))
    some = faults.miss_leaves(SENT, Random(1), 0.5)
    real = [element for element in of_kind(some, "user-left") if not faults.is_invented(element)]
    assert 0 < len(real) == len(of_kind(some, "UserLeftMeetingEvtMsg"))
    assert len(real) < len([e for e in of_kind(SENT, "user-left") if not faults.is_invented(e)])


def test_without_the_creation_no_message_knows_the_external_id() -> None:
    left = faults.miss_created(SENT, Random(1))
    assert not of_kind(left, "meeting-created") + of_kind(left, "MeetingCreatedEvtMsg")
    meetings = [e["data"]["attributes"]["meeting"] for one in left for e in one.elements if "data" in e]
    assert meetings
    assert not any("external-meeting-id" in meeting for meeting in meetings)


def test_leaves_invented_twice_differ_in_nothing_but_time() -> None:
    twice = faults.invent_leaves_twice(SENT, Random(1))
    before = [element for element in of_kind(SENT, "user-left") if faults.is_invented(element)]
    after = [element for element in of_kind(twice, "user-left") if faults.is_invented(element)]
    assert len(after) == 2 * len(before)


def test_a_restart_loses_a_stretch_and_brings_people_back_as_text() -> None:
    at, lasts = TRUTH.started_at + 30_000, 90_000
    left = faults.restart_relay(SENT, Random(1), at, lasts)
    assert not [one for one in left if at <= one.happened_at < at + lasts]
    invented = [
        element["data"]["attributes"]["user"] for element in of_kind(left, "user-left") if "name" in str(element)
    ]
    older = {s.participant for s in TRUTH.root.stays if s.joined_at < at}
    strangers = {s.participant for s in TRUTH.root.stays if at <= s.joined_at < at + lasts} - older
    told = {user["internal-user-id"]: user for user in invented if "name" in user}
    assert older & set(told)
    assert strangers
    assert not strangers & set(told)
    assert all(told[who]["guest"] in ("true", "false") for who in older & set(told))
    assert all(isinstance(told[who]["userdata"], str) for who in older & set(told))


def test_a_fault_changes_nothing_it_was_given() -> None:
    before = texts(SENT)
    for text in ("loss=0.5", "clock=7", "missing-created", "leaves-twice", f"restart={TRUTH.started_at},60000"):
        faults.parse_fault(text)(SENT, Random(2))
    assert texts(SENT) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [("gremlins=1", "missing-leave"), ("loss", "share"), ("loss=a", "no numbers"), ("missing-created=1", "nothing")],
)
def test_a_fault_that_is_none_is_told_with_what_there_is(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        faults.parse_fault(text)


def test_every_fault_can_be_named() -> None:
    for text in ("loss-raw=0.5", "loss-mapped=1", "repeat=1,5", "delay=0.5", "missing-leave=0.5"):
        assert faults.parse_fault(text)(SENT, Random(1)) != SENT
