"""What somebody does just now, as far as it was told: hands, cameras, being away."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollcall.core.events import Anything, CameraEnded, CameraStarted, EmojiChanged, RaiseHandChanged
from rollcall.core.meeting import fold_meeting
from rollcall.core.signs import NO_SIGNS, Signs
from tests.core.classes import digested
from tests.core.test_attendance import by, fold, joined, left, minute, only


def hand(at: float, *, is_up: bool = True, participant: str = "w_1") -> RaiseHandChanged:
    return RaiseHandChanged(**by(participant, at), is_up=is_up)


def camera(kind: type[CameraStarted | CameraEnded], at: float, stream: str = "s") -> Any:
    return kind(**by("w_1", at), stream=stream)


def emoji(at: float, what: str) -> EmojiChanged:
    return EmojiChanged(**by("w_1", at), emoji=what)


def signs(*events: Anything, ends: float | None = None) -> Signs:
    found: Signs = only(fold(*events, ends=ends)).signs
    return found


def test_a_hand_is_up_since_it_was_first_told_until_it_is_lowered() -> None:
    assert signs(joined("w_1", 5), hand(6), hand(7)) == Signs(hand_at=minute(6))
    assert signs(joined("w_1", 5), hand(6), hand(7, is_up=False)) == NO_SIGNS
    assert signs(joined("w_1", 5), hand(6), hand(7, is_up=False), hand(8)) == Signs(hand_at=minute(8))


def test_one_of_two_cameras_goes_on() -> None:
    cameras = (camera(CameraStarted, 6), camera(CameraStarted, 7, "other"), camera(CameraEnded, 8))
    assert signs(joined("w_1", 5), *cameras) == Signs(camera_at=minute(7))


def test_before_2_7_being_away_was_an_emoji_until_the_next_one() -> None:
    assert signs(joined("w_1", 5), emoji(6, "away")) == Signs(away_at=minute(6))
    assert signs(joined("w_1", 5), emoji(6, "away"), emoji(7, "none")) == NO_SIGNS


def test_a_sign_ends_with_the_stay_in_which_it_was_given() -> None:
    assert signs(joined("w_1", 5), hand(6), left("w_1", 7), joined("w_1", 8)) == NO_SIGNS
    assert signs(joined("w_1", 5), hand(6), left("w_1", 7), joined("w_2", 8)) == NO_SIGNS
    assert signs(joined("w_1", 5), hand(6), joined("w_2", 6), left("w_1", 7)) == NO_SIGNS


def test_of_two_tabs_the_earlier_hand_counts() -> None:
    both = (joined("w_1", 5), joined("w_2", 5), hand(7), hand(6, participant="w_2"))
    assert signs(*both) == Signs(hand_at=minute(6))


def test_who_has_left_or_whose_class_is_over_gives_no_sign() -> None:
    assert signs(joined("w_1", 5), hand(6), left("w_1", 7)) == NO_SIGNS
    assert signs(joined("w_1", 5), hand(6), ends=60) == NO_SIGNS


@given(st.lists(st.tuples(st.integers(6, 9), st.booleans()), max_size=6), st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(told: list[tuple[int, bool]], rnd: random.Random) -> None:
    hands: list[Anything] = [hand(at, is_up=up) for at, up in told]
    events = [digested(one) for one in [joined("w_1", 5), *hands]]
    shuffled = rnd.sample(events * 2, 2 * len(events))
    assert only(fold_meeting(shuffled)).signs == only(fold_meeting(events)).signs
