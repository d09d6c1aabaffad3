"""Stays out of readings, and who was enrolled when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.core.roster import Changes, Enrolled, Enrolment, Stay, compare, enrolment, is_believable

ADA, BEN = Enrolled("4", is_learner=True), Enrolled("5", is_learner=True)


def roster(*people: Enrolled) -> dict[str, Enrolled]:
    return {one.user_id: one for one in people}


def test_the_first_reading_begins_stays_of_which_nobody_knows_since_when() -> None:
    assert compare([], roster(ADA), 10, None) == Changes(begun=(Stay(ADA, 10),))


def test_whoever_came_was_absent_from_the_reading_before() -> None:
    assert compare([Stay(ADA, 10)], roster(ADA, BEN), 20, 10) == Changes(begun=(Stay(BEN, 20, absent_at=10),))


def test_whoever_left_was_last_seen_in_the_reading_before() -> None:
    assert compare([Stay(ADA, 10)], roster(), 30, 20) == Changes(ended=(Stay(ADA, 10, 30, seen_at=20),))


def test_who_is_called_otherwise_now_stays() -> None:
    named = replace(ADA, name="Ada", is_instructor=True)
    assert compare([Stay(ADA, 10)], roster(named), 20, 10) == Changes(altered=(Stay(named, 10),))


def test_a_reading_that_is_older_than_the_last_changes_nothing() -> None:
    assert compare([Stay(ADA, 10)], roster(BEN), 10, 10) == compare([Stay(ADA, 10)], {}, 5, 10) == Changes()


def test_a_stay_was_last_seen_no_earlier_than_it_began() -> None:
    """What a reading began that was kept in part only: the last whole one was before it."""
    assert compare([Stay(ADA, 20)], roster(BEN), 30, 10).ended == (Stay(ADA, 20, 30, seen_at=20),)


@pytest.mark.parametrize("later", [Stay(ADA, 20), Stay(ADA, 5, 20, seen_at=10), Stay(ADA, 15), Stay(ADA, 5, 15)])
@pytest.mark.parametrize("now", [roster(), roster(ADA)])
def test_of_whom_a_later_reading_has_told_an_earlier_one_changes_nothing(later: Stay, now: dict[str, Enrolled]) -> None:
    assert compare([later], now, 15, 10) == Changes()


@pytest.mark.parametrize(
    ("standing", "people", "wanted"),
    [
        ([], [], True),
        ([], [ADA], True),
        ([Stay(ADA, 1)], [BEN], True),
        ([Stay(ADA, 1)], [], False),
        ([Stay(ADA, 1, 2)], [], True),
    ],
)
def test_that_all_have_left_is_not_believed(standing: list[Stay], people: list[Enrolled], wanted: bool) -> None:
    assert is_believable(standing, roster(*people)) is wanted


@pytest.mark.parametrize(
    ("stay", "wanted"),
    [
        (None, Enrolment.NOT_ENROLLED),
        (Stay(ADA, 90), Enrolment.ENROLLED),
        (Stay(ADA, 100), Enrolment.ENROLLED),
        (Stay(ADA, 101), Enrolment.PERHAPS),
        (Stay(ADA, 101, absent_at=199), Enrolment.PERHAPS),
        (Stay(ADA, 300, absent_at=150), Enrolment.PERHAPS),
        (Stay(ADA, 300, absent_at=200), Enrolment.NOT_ENROLLED),
        (Stay(ADA, 300), Enrolment.PERHAPS),
        (Stay(ADA, 10, 300, seen_at=200), Enrolment.ENROLLED),
        (Stay(ADA, 10, 300, seen_at=199), Enrolment.PERHAPS),
        (Stay(ADA, 10, 150, seen_at=90), Enrolment.PERHAPS),
        (Stay(ADA, 10, 100, seen_at=90), Enrolment.LEFT),
        (Stay(ADA, 10, 50, seen_at=40), Enrolment.LEFT),
    ],
)
def test_what_a_stay_says_of_a_meeting_from_100_to_200(stay: Stay | None, wanted: Enrolment) -> None:
    assert enrolment([stay] if stay else [], 100, 200) is wanted


def test_of_several_stays_the_surest_counts() -> None:
    left, back = Stay(ADA, 10, 50, seen_at=40), Stay(ADA, 90, absent_at=80)
    assert enrolment([left, back], 100, 200) is enrolment([back, left], 100, 200) is Enrolment.ENROLLED
    later = Stay(ADA, 150, absent_at=120)
    assert enrolment([left, later], 100, 200) is Enrolment.PERHAPS
    assert enrolment([left, Stay(ADA, 300, absent_at=250)], 100, 200) is Enrolment.LEFT


@dataclass
class Course:
    """A course as it truly was: who was in it at each moment; and what readings made of it."""

    truth: list[frozenset[str]]
    stays: list[Stay]


@st.composite
def courses(draw: st.DrawFn) -> Course:
    people = st.frozensets(st.sampled_from("abc"))
    truth = draw(st.lists(people, min_size=2, max_size=14))
    stays: list[Stay] = []
    read_at: int | None = None
    for at in sorted(draw(st.sets(st.integers(0, len(truth) - 1)))):
        seen = roster(*(Enrolled(one, is_learner=True) for one in truth[at]))
        current = [stay for stay in stays if stay.until_at is None]
        if not is_believable(current, seen):
            continue
        changes = compare(current, seen, at, read_at)
        ended = {stay.who.user_id: stay for stay in changes.ended}
        stays = [ended.get(stay.who.user_id, stay) if stay.until_at is None else stay for stay in stays]
        stays += changes.begun
        read_at = at
    return Course(truth, stays)


@given(courses())
def test_a_stay_that_two_readings_enclose_is_true_at_both_and_nobody_has_two_at_once(course: Course) -> None:
    for user in "abc":
        mine = sorted((one for one in course.stays if one.who.user_id == user), key=lambda one: one.from_at)
        for stay in mine:
            assert user in course.truth[stay.from_at]
            assert stay.absent_at is None or (
                stay.absent_at < stay.from_at and user not in course.truth[stay.absent_at]
            )
            assert stay.seen_at is None or user in course.truth[stay.seen_at]
            assert (stay.seen_at is None) == (stay.until_at is None)
        for one, two in pairwise(mine):
            assert one.until_at is not None
            assert one.until_at <= two.from_at


@given(courses(), st.data())
def test_certain_is_never_wrong_where_people_come_and_go_no_faster_than_readings(
    course: Course, data: st.DataObject
) -> None:
    """Somebody who was never in the course while it lasted is never told to have been enrolled for certain."""
    start = data.draw(st.integers(0, len(course.truth) - 1))
    end = data.draw(st.integers(start, len(course.truth) - 1))
    for user in "abc":
        mine = [stay for stay in course.stays if stay.who.user_id == user]
        found = enrolment(mine, start, end)
        was_ever = any(user in moment for moment in course.truth)
        assert was_ever or found is Enrolment.NOT_ENROLLED
        if found is Enrolment.ENROLLED:
            assert any(stay.from_at <= start for stay in mine)


@given(courses())
def test_the_order_of_stays_changes_nothing(course: Course) -> None:
    for user in "abc":
        mine = [stay for stay in course.stays if stay.who.user_id == user]
        assert enrolment(mine, 3, 6) is enrolment(mine[::-1], 3, 6)


@given(courses())
def test_reading_the_same_again_changes_nothing_but_the_clock(course: Course) -> None:
    current = [stay for stay in course.stays if stay.until_at is None]
    seen = roster(*(stay.who for stay in current))
    assert compare(current, seen, 100, 99) == Changes()


def test_two_entries_of_one_person_are_one_with_all_that_either_says() -> None:
    both = Enrolled("4", "", is_instructor=True) | Enrolled("4", "Ada", is_learner=True)
    assert both == Enrolled("4", "Ada", is_instructor=True, is_learner=True)
