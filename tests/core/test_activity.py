"""Verdicts of an activity, case by case; tests.core.test_activity_truths has what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.core.activity import (
    EXACTLY_NONE,
    NOBODY_KNOWS,
    Correction,
    Count,
    Decided,
    Doubt,
    Held,
    Hours,
    PersonVerdict,
    Presence,
    Verdict,
    fold_activity,
)
from rollcall.core.classes import MOST_MEETINGS, blocks_of, classes_of
from rollcall.core.intervals import OPEN
from rollcall.core.policy import MINUTE_MS, Condition, Join, Policy, Quantity, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.core.intervals import Spans

MET, NOT_MET, CANNOT_TELL = Verdict.MET, Verdict.NOT_MET, Verdict.CANNOT_TELL
WEEK = 7 * 24 * 60
SHARE = Policy(conditions=(Condition(Quantity.SHARE, 800),))
TIME = Policy(conditions=(Condition(Quantity.TIME, 45 * MINUTE_MS),))
AS_MOODLE = Policy(conditions=(Condition(Quantity.WHOLE_MINUTES, 10),), scope=Scope.SUMMED, shortest_ms=0, fewest=0)
SUMMED = replace(SHARE, scope=Scope.SUMMED)
ADA = "4"


def minutes(*spans: tuple[float, float]) -> Spans:
    """Spans of minutes as ms."""
    return tuple((int(start * MINUTE_MS), OPEN if end == OPEN else int(end * MINUTE_MS)) for start, end in spans)


def there(
    *proved: tuple[float, float],
    possible: Sequence[tuple[float, float]] = (),
    chats: Count = NOBODY_KNOWS,
) -> Presence:
    return Presence(minutes(*proved), minutes(*(possible or proved)), {Quantity.CHATS: chats})


def held(name: str, begin: float, end: float, people: Mapping[str, Presence] | None = None, **more: Any) -> Held:
    """A meeting of thirty, of which everything is known. Times are minutes."""
    ((begin_ms, end_ms),) = minutes((begin, end))
    known = {
        "first_join": (begin_ms, begin_ms),
        "last_leave": (end_ms, end_ms),
        "ended": (end_ms, end_ms),
        "attendees": (30, 30),
    }
    return Held(meeting=name, began_at=begin_ms, people=people or {}, **(known | more))


def ada(meetings: Sequence[Held], *versions: Policy, **decided: Any) -> PersonVerdict:
    return fold_activity(meetings, [ADA], Decided(versions=versions, **decided))[ADA]


# -- conditions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "needed", "verdict"),
    [
        ((300, 359), 10, MET),
        ((300, 359), 11, NOT_MET),
        ((599, 59), 9, MET),
        ((599, 59), 10, NOT_MET),
        ((599, 60), 10, MET),
    ],
)
def test_minutes_are_cut_down_for_each_meeting_before_they_are_added_as_moodle_does(
    seconds: tuple[int, int], needed: int, verdict: Verdict
) -> None:
    """Also of meetings that are one class, of nobody else, and short."""

    def meetings(apart: int) -> list[Held]:
        begins = [(at * apart, long / 60) for at, long in enumerate(seconds)]
        return [held(f"m{at}", at, at + 12, {ADA: there((at, at + long))}, attendees=(1, 1)) for at, long in begins]

    policy = replace(AS_MOODLE, conditions=(Condition(Quantity.WHOLE_MINUTES, needed),))
    assert ada(meetings(WEEK), policy).verdict is ada(meetings(12), policy).verdict is verdict


@pytest.mark.parametrize(
    ("proved", "possible", "length", "verdict", "share"),
    [
        (48, 48, (60, 60), MET, (800, 800)),
        (47.999, 47.999, (60, 60), NOT_MET, (799, 799)),
        (47, 49, (60, 60), CANNOT_TELL, (783, 816)),
        (48, 60, (59, 60), MET, (800, 1000)),
        (48, 60, (60, 61), CANNOT_TELL, (786, 1000)),
        (0, 40, (51, 60), NOT_MET, (0, 784)),
        (0, 40, (50, 60), CANNOT_TELL, (0, 800)),
        (60, 60, (60, OPEN), CANNOT_TELL, (0, 1000)),
    ],
)
def test_a_share_is_held_against_the_longest_and_the_shortest(
    proved: float, possible: float, length: tuple[float, float], verdict: Verdict, share: tuple[int, int]
) -> None:
    (_, shortest), (_, longest) = minutes((0, length[0]), (0, length[1]))
    people = {ADA: there((0, proved), possible=[(0, possible)])}
    found = ada([held("m1", 0, 60, people, last_leave=(shortest, longest))], SHARE)
    measured = found.classes[0].measured[0]
    assert (found.verdict, (measured.low, measured.high)) == (verdict, share)


def test_a_class_that_may_be_too_short_is_as_long_as_it_must_be_when_it_counts() -> None:
    """Four minutes are 80 % of a class of five minutes, which is the shortest that counts."""
    people = {ADA: there((0, 3.9))}
    meeting = held("m1", 0, 6, people, last_leave=(minutes((0, 4))[0][1], minutes((0, 6))[0][1]))
    found = ada([meeting], SHARE)
    assert (found.verdict, found.classes[0].counts) == (NOT_MET, CANNOT_TELL)
    assert found.classes[0].doubts == (Doubt("may-be-short"),)


@pytest.mark.parametrize(
    ("count", "verdict", "high"),
    [(Count(2), MET, None), (Count(1), CANNOT_TELL, None), (Count(1, is_exact=True), NOT_MET, 1)],
)
def test_a_count_that_is_only_a_least_one_may_be_any(count: Count, verdict: Verdict, high: int | None) -> None:
    policy = Policy(conditions=(Condition(Quantity.CHATS, 2),))
    found = ada([held("m1", 0, 60, {ADA: there((0, 60), chats=count)})], policy).classes[0]
    assert (found.verdict, found.measured[0].high) == (verdict, high)
    assert found.doubts == ((Doubt("counts"),) if verdict is CANNOT_TELL else ())


def test_of_a_quantity_of_which_nothing_was_told_nobody_can_tell() -> None:
    policy = Policy(conditions=(Condition(Quantity.TALK_TIME, 1),))
    assert ada([held("m1", 0, 60, {ADA: there((0, 60))})], policy).verdict is CANNOT_TELL


@pytest.mark.parametrize(("join", "verdict"), [(Join.ALL, NOT_MET), (Join.ANY, MET)])
def test_conditions_are_joined(join: Join, verdict: Verdict) -> None:
    policy = Policy(conditions=(*TIME.conditions, Condition(Quantity.CHATS, 1)), join=join)
    found = ada([held("m1", 0, 60, {ADA: there((0, 60), chats=EXACTLY_NONE)})], policy)
    assert (found.verdict, found.classes[0].is_any) == (verdict, join is Join.ANY)


@pytest.mark.parametrize(
    ("proved", "possible", "by", "until"),
    [
        ((5, 50), (5, 50), MET, NOT_MET),
        ((15, 60), (15, 60), MET, MET),
        ((15.001, 60), (15.001, 60), NOT_MET, MET),
        ((20, 54), (14, 55), CANNOT_TELL, CANNOT_TELL),
        ((2, 8), (2, 8), NOT_MET, NOT_MET),
    ],
)
def test_who_was_on_time_is_told_by_the_hours_that_were_entered(
    proved: tuple[float, float], possible: tuple[float, float], by: Verdict, until: Verdict
) -> None:
    """The class is from minute 10 to minute 60, and five minutes are forgiven."""
    conditions = [Condition(one, 5 * MINUTE_MS) for one in (Quantity.PRESENT_BY, Quantity.PRESENT_UNTIL)]
    people = {ADA: there(proved, possible=[possible])}
    hours = [Hours("m1", 10 * MINUTE_MS, 60 * MINUTE_MS)]
    found = [ada([held("m1", 0, 62, people)], Policy(conditions=(one,)), hours=hours).verdict for one in conditions]
    assert found == [by, until]


def test_without_hours_nobody_can_tell_who_was_on_time() -> None:
    policy = Policy(conditions=(Condition(Quantity.PRESENT_BY, 0),))
    found = ada([held("m1", 0, 60, {ADA: there((0, 60))})], policy).classes[0]
    assert (found.verdict, found.doubts) == (CANNOT_TELL, (Doubt("no-hours"),))


def test_with_hours_only_what_lies_within_them_counts() -> None:
    people = {ADA: there((0, 40), possible=[(0, OPEN)])}
    found = ada([held("m1", 0, 90, people)], SHARE, hours=[Hours("m1", 30 * MINUTE_MS, 50 * MINUTE_MS)])
    assert found.classes[0].measured[0][1:3] == (500, 1000)


# -- classes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("begin", "classes"), [(69.99, 1), (70, 2), (30, 1), (0, 1)])
def test_meetings_less_than_ten_minutes_apart_are_one_class(begin: float, classes: int) -> None:
    meetings = [held("m1", 0, 60), held("m2", begin, 100)]
    assert len(ada(meetings, TIME).classes) == classes


def test_a_long_meeting_joins_what_lies_within_it() -> None:
    meetings = [held("m1", 0, 100), held("m2", 1, 5), held("m3", 80, 90), held("m4", 109, 120), held("m5", 130, 140)]
    assert [one.meetings for one in classes_of(meetings, Decided(versions=[TIME]))] == [
        ("m1", "m2", "m3", "m4"),
        ("m5",),
    ]


def test_time_in_two_rooms_at_once_is_time_once_and_what_was_done_in_each_is_added() -> None:
    once, perhaps = Count(1, is_exact=True), Count(1)
    rooms = [
        held("red", 0, 60, {ADA: there((0, 40), chats=once)}),
        held("blue", 0, 60, {ADA: there((30, 44), chats=once)}),
    ]
    policy = Policy(conditions=(*TIME.conditions, Condition(Quantity.CHATS, 2)))
    time, chats = ada(rooms, policy).classes[0].measured
    assert (time.low, chats.low, chats.high) == (44 * MINUTE_MS, 2, 2)
    third = held("green", 0, 60, {ADA: there(chats=perhaps)})
    chats = ada([*rooms, third], policy).classes[0].measured[1]
    assert (chats.low, chats.high) == (3, None)


def test_who_was_in_both_rooms_of_a_class_is_one_of_its_people() -> None:
    rooms = [held("red", 0, 60, {ADA: there((0, 40))}, attendees=(1, 1)), held("blue", 0, 60, attendees=(1, 1))]
    assert [one.attendees for one in classes_of(rooms, Decided(versions=[TIME]))] == [(1, 2)]


def test_a_class_that_broke_off_and_went_on_has_no_more_people_than_before() -> None:
    """Else a teacher alone would be a class that may count, for ever and whatever is known."""
    alone = {ADA: there((0, 40))}
    rooms = [held("red", 0, 40, alone, attendees=(1, 1)), held("red again", 41, 60, alone, attendees=(1, 1))]
    assert [(one.attendees, one.counts) for one in classes_of(rooms, Decided(versions=[TIME]))] == [((1, 1), NOT_MET)]


def test_people_of_several_rooms_who_were_certainly_there_are_as_many_people() -> None:
    one = {"attendees": (1, 1)}
    rooms = [held("red", 0, 60, {ADA: there((0, 40))}, **one), held("blue", 0, 60, {"5": there((0, 40))}, **one)]
    assert [(one.attendees, one.counts) for one in classes_of(rooms, Decided(versions=[TIME]))] == [((2, 2), MET)]


def test_the_length_is_first_join_to_last_leave_of_all_rooms_each_as_sure_as_it_is() -> None:
    rooms = [
        held("red", 0, 60, first_join=(1_000, 5_000), last_leave=(50_000, 70_000)),
        held("blue", 0, 60, first_join=(2_000, 3_000), last_leave=(60_000, 61_000)),
    ]
    assert [one.length for one in classes_of(rooms, Decided(versions=[TIME]))] == [(57_000, 69_000)]


@pytest.mark.parametrize(
    ("attendees", "length"),
    [((0, 0), (40, 40)), ((0, 1), (40, 49)), ((1, 1), (45, 49))],
)
def test_a_room_to_which_nobody_came_makes_no_class_longer(attendees: tuple[int, int], length: tuple[int, int]) -> None:
    """Nor one to which perhaps nobody came, for certain."""
    minute = MINUTE_MS
    empty = held("red", 0, 5, first_join=(0, 4 * minute), last_leave=(0, 5 * minute), attendees=attendees)
    rooms = [empty, held("red again", 9, 49, {ADA: there((9, 49))})]
    (one,) = classes_of(rooms, Decided(versions=[TIME]))
    assert one.length == (length[0] * minute, length[1] * minute)


@pytest.mark.parametrize(
    ("changes", "counts", "why"),
    [
        ({}, MET, ()),
        ({"attendees": (1, 1)}, NOT_MET, ("few",)),
        ({"attendees": (1, 2)}, CANNOT_TELL, ("may-be-few",)),
        ({"last_leave": (60_000, 60_000), "attendees": (1, 2)}, NOT_MET, ("short",)),
        ({"last_leave": (60_000, OPEN), "attendees": (1, 1)}, NOT_MET, ("few",)),
        ({"last_leave": (60_000, OPEN)}, CANNOT_TELL, ("may-be-short",)),
    ],
)
def test_a_class_counts_if_it_ran_long_enough_with_enough_people(
    changes: dict[str, Any], counts: Verdict, why: tuple[str, ...]
) -> None:
    (one,) = classes_of([replace(held("m1", 0, 60), **changes)], Decided(versions=[TIME]))
    assert (one.counts, tuple(doubt.code for doubt in one.why)) == (counts, why)


def test_a_class_that_is_switched_off_does_not_count_whichever_of_its_meetings_was_named() -> None:
    meetings = [held("m1", 0, 50, {ADA: there((0, 50))}), held("m2", 55, 60)]
    found = ada(meetings, TIME, switched_off=frozenset({"m2"}))
    assert (found.verdict, found.classes[0].counts, found.classes[0].verdict) == (NOT_MET, NOT_MET, MET)


def test_a_meeting_of_whose_end_nothing_is_known_joins_the_next_class_or_does_not() -> None:
    """Whoever was there long enough in the second alone is met either way, the others in one way only."""
    lost = held("m1", 0, 30, {"5": there((0, 30))}, ended=(30 * MINUTE_MS, OPEN))
    second = held("m2", 60, 120, {ADA: there((60, 120)), "5": there((60, 80))})
    found = fold_activity([lost, second], [], Decided(versions=[TIME]))
    assert {user: one.verdict for user, one in found.items()} == {ADA: MET, "5": CANNOT_TELL}
    assert Doubt("grouping") in found["5"].classes[1].doubts


def test_what_one_lost_end_leaves_open_are_few_groupings() -> None:
    """It may have joined the first so many of the later meetings, and no others."""
    meetings = [held("m0", 0, 30, ended=(30 * MINUTE_MS, OPEN))]
    meetings += [held(f"m{at}", at * WEEK, at * WEEK + 60) for at in range(1, 31)]
    (block,) = blocks_of(meetings, Decided(versions=[TIME]))
    assert len(block.groupings) == 31


def test_of_too_many_groupings_nothing_is_certain_but_what_holds_without_them() -> None:
    begins = range(0, 540, 60)
    unsure = [
        replace(
            held(f"m{at}", at, at + 50, {ADA: there((at, at + 50))}),
            ended=((at + 49) * MINUTE_MS, (at + 51) * MINUTE_MS),
        )
        for at in begins
    ]
    known = [held("later", WEEK, WEEK + 60, {ADA: there((WEEK, WEEK + 60))})]
    for policy in (TIME, replace(TIME, scope=Scope.SUMMED)):
        assert blocks_of(unsure, Decided(versions=[policy]))[0].is_cut
        assert ada(unsure, policy).verdict is CANNOT_TELL
        assert ada(unsure + known, policy).verdict is MET
        absent = fold_activity(unsure, ["7"], Decided(versions=[policy]))["7"]
        assert absent.verdict is CANNOT_TELL


# -- over all classes --------------------------------------------------------------------------------------------------


def four(*shares: float) -> list[Held]:
    """Classes of an hour, a week apart, of which Ada attended these parts."""
    return [
        held(f"m{at}", at * WEEK, at * WEEK + 60, {ADA: there((at * WEEK, at * WEEK + share * 60))} if share else {})
        for at, share in enumerate(shares)
    ]


@pytest.mark.parametrize(
    ("shares", "verdict", "share"),
    [((1, 0.8, 1, 0), MET, (1000, 1000)), ((1, 0.79, 1, 0), NOT_MET, (666, 666)), ((0, 0, 0, 0), NOT_MET, (0, 0))],
)
def test_three_of_four(shares: tuple[float, ...], verdict: Verdict, share: tuple[int, int]) -> None:
    found = ada(four(*shares), replace(SHARE, needed=3, planned=4))
    assert (found.verdict, found.share) == (verdict, share)


def test_summed_shares_weigh_classes_by_their_length() -> None:
    found = ada(four(1, 0.5, 0.9, 0.8), SUMMED)
    assert (found.verdict, found.share, found.met, found.needed) == (MET, (800, 800), (0, 0), 0)
    assert [one.measured[0].low for one in found.classes] == [
        60 * MINUTE_MS,
        30 * MINUTE_MS,
        54 * MINUTE_MS,
        48 * MINUTE_MS,
    ]
    assert ada(four(1, 0.5, 0.9, 0.79), SUMMED).verdict is NOT_MET


def test_a_class_of_a_sum_says_who_was_there_at_all() -> None:
    people = {ADA: there((0, 1)), "5": there(possible=[(0, 1)]), "6": there()}
    found = fold_activity([held("m1", 0, 60, people)], [], Decided(versions=[SUMMED]))
    assert [one.classes[0].verdict for one in found.values()] == [MET, CANNOT_TELL, NOT_MET]
    assert {(one.quantity, one.needed) for one in found[ADA].classes[0].measured} == {
        (Quantity.TIME, 0),
        (Quantity.SHARE, 0),
    }


def test_who_was_on_time_is_no_sum() -> None:
    policy = replace(SUMMED, conditions=(Condition(Quantity.PRESENT_BY, 0), Condition(Quantity.TIME, 1)))
    found = ada(four(1), policy, hours=[Hours("m0", 0, 60 * MINUTE_MS)])
    assert [one.verdict for one in found.measured] == [CANNOT_TELL, MET]
    assert [one.quantity for one in found.classes[0].measured] == [Quantity.TIME]


def test_a_class_that_may_not_count_can_be_worse_than_none() -> None:
    """A share gains by leaving out what was missed."""
    missed = held("m9", 9 * WEEK, 9 * WEEK + 60, attendees=(1, 2))
    assert ada([*four(1, 0.9), missed], SUMMED).verdict is CANNOT_TELL
    assert ada([*four(1, 0.9), replace(missed, attendees=(1, 1))], SUMMED).verdict is MET


def test_of_no_class_that_counts_nobody_has_met_a_share() -> None:
    assert (
        ada([held("m1", 0, 60, attendees=(0, 0))], replace(SUMMED, conditions=(Condition(Quantity.SHARE, 1),))).verdict
        is NOT_MET
    )


def test_each_class_is_judged_by_the_version_in_force_when_it_began() -> None:
    later = replace(SHARE, needed=2, starts_at=WEEK * MINUTE_MS, conditions=(Condition(Quantity.SHARE, 1000),))
    found = ada(four(0.8, 0.8), replace(SHARE, needed=5), later)
    assert [(one.version, one.verdict) for one in found.classes] == [(0, MET), (1, NOT_MET)]
    assert (found.met, found.needed) == ((1, 1), 2)


def test_the_latest_class_that_counts_says_how_many_are_needed() -> None:
    """One that is switched off says nothing; of one that may count nobody knows."""
    later = replace(SHARE, needed=2, starts_at=WEEK * MINUTE_MS)
    assert ada(four(1, 0), SHARE, later).verdict is NOT_MET
    assert ada(four(1, 0), SHARE, later, switched_off=frozenset({"m1"})).verdict is MET
    first, second = four(1, 0)
    assert ada([first, replace(second, attendees=(1, 2))], SHARE, later).verdict is CANNOT_TELL
    assert ada([first, replace(second, attendees=(1, 2))], SHARE, replace(later, needed=1)).verdict is MET


def test_before_the_first_version_nothing_is_judged() -> None:
    policy = replace(SHARE, starts_at=WEEK * MINUTE_MS)
    assert [one.meetings for one in ada(four(1, 1), policy).classes] == [("m1",)]
    assert [one.version for one in classes_of(four(1, 1), Decided(versions=[policy]))] == [None, 0]
    assert fold_activity(four(1), [ADA], Decided(versions=[policy])) == {}
    assert fold_activity([], [ADA], Decided(versions=[SHARE])) == {}


def test_a_version_without_conditions_takes_the_rule_back() -> None:
    back = Policy(conditions=(), starts_at=WEEK * MINUTE_MS)
    assert [one.meetings for one in ada(four(1, 1), SHARE, back).classes] == [("m0",)]
    assert fold_activity(four(1, 1), [ADA], Decided(versions=[SHARE, replace(back, starts_at=0)])) == {}


def test_whoever_was_never_there_may_have_been_where_nobody_saw() -> None:
    """Blind for the whole class: nobody can tell. For a part that is too short: not met."""
    blind = ((0, 50 * MINUTE_MS, "no-hook"),)
    for long, verdict in ((50, CANNOT_TELL), (44, NOT_MET)):
        found = ada([held("m1", 0, 60, unseen=minutes((0, long)), blind=blind)], TIME)
        assert (found.verdict, found.classes[0].doubts) == (verdict, (Doubt("no-hook", 0, long * MINUTE_MS),))


@pytest.mark.parametrize(("count", "verdict"), [(NOBODY_KNOWS, CANNOT_TELL), (EXACTLY_NONE, NOT_MET)])
def test_whoever_was_never_there_may_have_done_something(count: Count, verdict: Verdict) -> None:
    policy = Policy(conditions=(Condition(Quantity.CHATS, 1),))
    assert ada([held("m1", 0, 60, unseen_counts=count)], policy).verdict is verdict


# -- corrections -------------------------------------------------------------------------------------------------------


def test_a_correction_of_a_class_lies_over_what_was_computed() -> None:
    found = ada(four(1, 0.2), replace(SHARE, needed=2), corrections=[Correction(3, ADA, MET, "m1")])
    assert (found.computed, found.verdict, found.correction) == (NOT_MET, MET, None)
    one = found.classes[1]
    assert (one.computed, one.verdict, one.correction) == (NOT_MET, MET, 3)


def test_of_several_corrections_the_last_holds_in_whatever_order_they_come() -> None:
    said = [Correction(7, ADA, NOT_MET, "m0"), Correction(3, ADA, MET, "m0"), Correction(5, "5", MET, "m0")]
    assert [one.correction for one in ada(four(1), SHARE, corrections=said).classes] == [7]


def test_a_correction_of_the_activity_lies_over_everything() -> None:
    said = [Correction(3, ADA, NOT_MET, "m0"), Correction(2, ADA, MET)]
    found = ada(four(1), SHARE, corrections=said)
    assert (found.computed, found.verdict, found.correction, found.share) == (MET, MET, 2, (1000, 1000))
    assert found.classes[0].verdict is NOT_MET


def test_a_correction_makes_no_class_count() -> None:
    said = [Correction(1, ADA, MET, "m0")]
    assert ada(four(0), SHARE, corrections=said, switched_off=frozenset({"m0"})).verdict is NOT_MET


def test_whoever_was_corrected_is_judged_without_roster_and_facts() -> None:
    found = fold_activity(four(1), [], Decided(versions=[SHARE], corrections=[Correction(1, "77", MET, "m0")]))
    assert found["77"].verdict is MET


@pytest.mark.parametrize(("verdict", "share"), [(MET, (750, 750)), (NOT_MET, (250, 250)), (CANNOT_TELL, (500, 500))])
def test_in_a_sum_a_corrected_class_was_attended_throughout_or_not_at_all(
    verdict: Verdict, share: tuple[int, int]
) -> None:
    said = [Correction(1, ADA, verdict, "m0")]
    found = ada(four(0.5, 0.5), SUMMED, corrections=said)
    assert (found.share, found.computed) == (share, NOT_MET)
    assert found.classes[0].measured[0].low == 30 * MINUTE_MS


def test_in_moodles_rule_a_corrected_class_gives_its_whole_minutes() -> None:
    found = ada(four(0, 0), AS_MOODLE, corrections=[Correction(1, ADA, MET, "m0")])
    assert (found.verdict, found.measured[0].low) == (MET, 60)


# -- what goes with a verdict ------------------------------------------------------------------------------------------


def test_doubts_say_from_when_to_when_and_why() -> None:
    people = {ADA: there((0, 20), (40, 42), possible=[(0, 25), (40, OPEN)])}
    blind = ((22 * MINUTE_MS, 24 * MINUTE_MS, "downtime"),)
    found = ada([held("m1", 0, 60, people, blind=blind)], TIME).classes[0]
    assert [doubt_in_minutes(one) for one in found.doubts] == [
        ("uncertain", 20, 22),
        ("downtime", 22, 24),
        ("uncertain", 24, 25),
        ("away", 25, 40),
        ("open", 42, None),
    ]


def doubt_in_minutes(doubt: Doubt) -> tuple[str, int | None, int | None]:
    return doubt.code, doubt.start and doubt.start // MINUTE_MS, doubt.end and doubt.end // MINUTE_MS


def test_a_doubt_that_goes_on_has_no_end() -> None:
    people = {ADA: there((0, 20), possible=[(0, OPEN)])}
    found = ada([held("m1", 0, 60, people, blind=((30 * MINUTE_MS, OPEN, "downtime"),))], TIME).classes[0]
    assert [doubt_in_minutes(one) for one in found.doubts] == [("uncertain", 20, 30), ("downtime", 30, None)]


def test_whoever_has_met_is_told_no_doubts() -> None:
    people = {ADA: there((0, 50), possible=[(0, 60)])}
    assert ada([held("m1", 0, 60, people)], TIME).classes[0].doubts == ()


def settling(*at: int | None) -> list[Held]:
    return [replace(one, settles_at=when) for one, when in zip(four(*[1] * len(at)), at, strict=True)]


@pytest.mark.parametrize(
    ("needed", "at", "settles_at"),
    [
        (1, (None, None), None),
        (1, (None, OPEN), None),
        (2, (None, 7, OPEN), 7),
        (3, (None, 7, OPEN), OPEN),
        (4, (None, 7, OPEN), OPEN),
    ],
)
def test_whoever_has_met_enough_waits_for_no_other_class(
    needed: int, at: tuple[int | None, ...], settles_at: int | None
) -> None:
    assert ada(settling(*at), replace(SHARE, needed=needed)).settles_at == settles_at


def test_what_a_teacher_has_said_waits_for_nothing() -> None:
    of_class, of_all = Correction(1, ADA, MET, "m0"), Correction(2, ADA, NOT_MET)
    assert ada(settling(OPEN), SHARE, corrections=[of_class]).settles_at is None
    assert ada(settling(OPEN), SUMMED, corrections=[of_all]).settles_at is None
    assert ada(settling(5, None), SUMMED).settles_at == 5


@pytest.mark.parametrize(
    "policy",
    [
        replace(SHARE, needed=2),
        replace(SUMMED, conditions=(Condition(Quantity.TIME, 70 * MINUTE_MS),)),
    ],
)
def test_what_rests_on_history_is_told_unless_a_teacher_has_spoken_since(policy: Policy) -> None:
    old, new = four(1, 1)
    meetings = [replace(old, is_history=True), new]
    assert (ada(meetings, policy).verdict, ada(meetings, policy).without_history) == (MET, NOT_MET)
    for said in (Correction(1, ADA, MET, "m0"), Correction(1, ADA, MET)):
        assert ada(meetings, policy, corrections=[said]).without_history is MET


def test_everybody_of_the_roster_and_of_the_classes_is_judged_once() -> None:
    found = fold_activity(four(1), ["9", "9", "10"], Decided(versions=[SHARE]))
    assert list(found) == ["10", ADA, "9"]


# -- however much there is ---------------------------------------------------------------------------------------------


def chain(many: int) -> list[Held]:
    """Meetings of fifteen minutes, each five minutes after the one before."""
    begins = range(0, 20 * many, 20)
    return [held(f"{begin:05}", begin, begin + 15, {ADA: there((begin, begin + 15))}) for begin in begins]


def test_a_chain_of_very_many_meetings_is_one_class_and_costs_little() -> None:
    began = process_time()
    verdict = ada(chain(1500), SHARE)
    assert process_time() - began < 0.5
    assert (len(verdict.classes), verdict.verdict) == (1, NOT_MET)


def test_of_too_many_meetings_that_may_be_apart_nothing_is_certain() -> None:
    unsure = [replace(one, ended=(one.ended[0] - 10 * MINUTE_MS, one.ended[1])) for one in chain(MOST_MEETINGS + 1)]
    began = process_time()
    assert blocks_of(unsure, Decided(versions=[SHARE]))[0].is_cut
    assert ada(unsure, SHARE).verdict is CANNOT_TELL
    assert process_time() - began < 0.5


@pytest.mark.parametrize(("most", "verdict"), [(3, MET), (4, CANNOT_TELL)])
def test_of_many_versions_that_may_be_the_one_each_counts(most: int, verdict: Verdict) -> None:
    """Three classes count for sure; of seven that may be too small each has another version, which may be the last."""
    sure = [held(f"{at}", at * WEEK, at * WEEK + 60, {ADA: there((at * WEEK, at * WEEK + 60))}) for at in range(3)]
    small = [held(f"{at}", at * WEEK, at * WEEK + 60, attendees=(0, 2)) for at in range(3, 10)]
    needs = [1, 1, 1, 3, 2, 1, most, 2, 1, 3]
    versions = [replace(SHARE, needed=needed, starts_at=at * WEEK * MINUTE_MS) for at, needed in enumerate(needs)]
    found = ada([*sure, *small], *versions)
    assert (found.verdict, found.met[0]) == (verdict, 3)
