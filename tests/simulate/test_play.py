"""What polling would have heard of a class."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from random import Random

from rollcall.simulate.classes import make_class
from rollcall.simulate.play import poll_answers

TRUTH = make_class(Random(9))


def listed(body: bytes) -> dict[str, int]:
    root = ET.fromstring(body)  # noqa: S314  # our own
    return {m.findtext("internalMeetingID") or "": len(list(m.iter("attendee"))) for m in root.iter("meeting")}


def test_every_round_lists_exactly_who_was_in_then() -> None:
    for polled in poll_answers(TRUTH, phase_ms=1_234):
        expected = {
            meeting.internal_meeting_id: sum(not stay.person.is_dial_in for stay in meeting.present(polled.asked_at))
            for meeting in TRUTH.meetings
            if meeting.runs(polled.asked_at)
        }
        assert listed(polled.body) == expected


def test_the_rounds_begin_before_the_class_and_go_on_until_it_was_missed_twice() -> None:
    polled = poll_answers(TRUTH)
    assert not listed(polled[0].body)
    assert [bool(listed(one.body)) for one in polled[-3:]] == [False, False, False]
    assert {later.asked_at - one.asked_at for one, later in itertools.pairwise(polled)} == {30_000}


def test_the_date_is_in_whole_seconds_and_may_be_of_another_clock() -> None:
    for polled in poll_answers(TRUTH, phase_ms=999, clock_ms=-3_600_000):
        assert polled.date_at % 1000 == 0
        assert 0 <= polled.asked_at - 3_600_000 - polled.date_at < 1000
