"""What is done where a completion stands so: all there is, said once more."""

from __future__ import annotations

from itertools import product

import pytest

from rollcall.moodle.completion import Move, Status, move, seed_in, status_in, was_taken
from rollcall.moodle.trouble import MoodleTrouble

OURS, TEACHER = "7", "3"


@pytest.mark.parametrize(
    ("is_complete", "is_done", "by", "is_tracked"),
    list(product((True, False), (True, False), ("", OURS, TEACHER), (True, False))),
)
def test_nothing_is_set_but_what_nobody_else_has_decided(
    is_complete: bool, is_done: bool, by: str, is_tracked: bool
) -> None:
    todo, why = move(Status("3", is_complete, is_tracked, by), is_done=is_done, ours=OURS)
    if not is_tracked:
        assert todo is Move.REFUSE
    elif is_complete is is_done:
        assert todo is Move.NOTHING
    elif by == OURS or (is_done and not by):
        assert todo is Move.SET
    else:
        assert todo is Move.LEAVE
    assert (why is None) is (todo in {Move.NOTHING, Move.SET})


def test_where_our_own_number_is_not_known_nothing_is_ours() -> None:
    assert move(Status("3", is_complete=True, is_tracked=True), is_done=False, ours="")[0] is Move.LEAVE


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"statuses": None},
        {"statuses": {}},
        {"statuses": [{"modname": "bigbluebuttonbn", "instance": 1, "cmid": None}]},
        {"statuses": [{"modname": "bigbluebuttonbn", "instance": 1, "isoverallcomplete": 1, "istrackeduser": True}]},
    ],
)
def test_an_answer_of_another_shape_is_a_named_trouble(answer: object) -> None:
    with pytest.raises(MoodleTrouble) as trouble:
        status_in(answer, "1")
    assert trouble.value.code == "strange-answer"


def test_numbers_are_numbers_however_they_are_written() -> None:
    told = {"modname": "bigbluebuttonbn", "instance": "1", "cmid": "3", "overrideby": 0}
    answer = {
        "statuses": [7, {"modname": "lti", "instance": 1}, told | {"isoverallcomplete": True, "istrackeduser": True}]
    }
    assert status_in(answer, "1") == Status("3", is_complete=True, is_tracked=True)
    assert status_in({"statuses": []}, "1") is None
    assert seed_in({"bigbluebuttonbns": [{"id": True}, {"id": 1, "meetingid": "abc"}]}, "1") == "abc"


def test_what_was_set_for_somebody_else_is_not_taken_for_it() -> None:
    with pytest.raises(MoodleTrouble):
        was_taken({"userid": 5, "state": 1, "tracking": 2}, "4", is_done=True)
    assert not was_taken({"userid": 4, "state": 1, "tracking": 0}, "4", is_done=True)
