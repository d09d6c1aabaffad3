"""The demo's school: the same for a seed, two sites with equal ids, every class in the past."""

from __future__ import annotations

from random import Random

from rollcall.simulate.damage import undamaged
from rollcall.simulate.school import COURSES, NORTH, SOUTH, WEEK_MS, make_school, past_classes, running_class

NOW = 1_795_309_400_000
SCHOOL = make_school(Random(1))


def test_both_sites_have_people_with_the_same_ids_and_other_names() -> None:
    casts = {
        site: {p.key: p for (s, _), cast in SCHOOL.casts.items() if s == site for p in cast} for site in (NORTH, SOUTH)
    }
    shared = casts[NORTH].keys() & casts[SOUTH].keys()
    assert len(shared) > 20
    assert sum(casts[NORTH][key].name != casts[SOUTH][key].name for key in shared) > 20


def test_there_are_about_sixty_students_and_each_course_has_one_teacher() -> None:
    assert 50 <= SCHOOL.students() <= 70
    for cast in SCHOOL.casts.values():
        assert [person.role for person in cast].count("MODERATOR") == 1


def test_the_two_to_search_for_are_in_logic_whatever_the_seed() -> None:
    [logic] = [course for course in COURSES if course.name == "Introduction to Logic"]
    for seed in range(5):
        cast = make_school(Random(seed)).cast(logic)
        assert {"Eleni Markou", "Νικηφόρος Παπαδόπουλος"} <= {one.name for one in cast if one.role == "VIEWER"}
        assert len({one.key for one in cast}) == len(cast)


def test_the_past_is_past_and_the_same_for_a_seed() -> None:
    plans = [held.plan for held in past_classes(Random(2), SCHOOL, before=NOW, weeks=10)]
    assert plans == [held.plan for held in past_classes(Random(2), SCHOOL, before=NOW, weeks=10)]
    assert 10 * len(COURSES) <= len(plans) <= 11 * len(COURSES)
    assert all(NOW - 11 * WEEK_MS < plan.starts_at < NOW for plan in plans)
    assert [plan.starts_at for plan in plans] == sorted(plan.starts_at for plan in plans)


def test_of_the_last_weeks_there_are_records_of_every_kind_and_of_older_ones_none() -> None:
    held = list(past_classes(Random(2), SCHOOL, before=NOW, weeks=10))
    kinds = {(one.records, one.damage is undamaged, one.has_polls) for one in held[-2 * len(COURSES) :]}
    assert {records for records, _, _ in kinds} == {("events", "callback"), ("callback",), ("events",), ()}
    assert (("events",), False, True) in kinds
    assert ((), True, False) in kinds
    assert not any(one.records for one in held if one.plan.starts_at < NOW - 4 * WEEK_MS)


def test_the_running_class_begins_when_it_is_told_to() -> None:
    plan = running_class(Random(3), SCHOOL, 1, NOW)
    assert plan.starts_at == NOW
    assert plan.cast == SCHOOL.cast(COURSES[1])
