"""People and courses: found by every name they had, with the totals of their rows whatever the folds before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.db.models import Count, F, Sum

from rollcall.derive.directory import enter_course, enter_people, note_changed, recount, recount_courses
from rollcall.derive.rows import Rows
from rollcall.feed.faults import Fault, fault_of
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.store.connections import Pool
from rollcall.store.derived import Attendance, Course, Person, Recount, Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import key_of, person_key
from tests.derive.log import append_and_fold, arrivals_of, fold_everything
from tests.makers import Attendee, at, make_meeting

SITE = "https://moodle.example.org"


def entry(uid: str) -> dict[str, Any]:
    about = {"is_user": True, "site": SITE, "external_user_id": uid, "external_key": key_of(uid)}
    return {"key": person_key(SITE, uid)} | about


@pytest.mark.usefixtures("database")
def test_the_latest_name_is_shown_and_every_name_finds() -> None:
    make_meeting(Attendee(name="Ada Byron"), day="2026-11-18")
    make_meeting(Attendee(name="Ada Lovelace"), day="2026-11-19")
    make_meeting(Attendee(name=""), day="2026-11-20")
    ada = Person.objects.get(is_user=True)
    assert (ada.name, ada.names_key) == ("Ada Lovelace", "ada byron\nada lovelace")
    assert bytes(ada.sort_key) == b"ada lovelace\0" + bytes(ada.key)
    assert (ada.meetings, ada.open) == (3, 0)
    assert (ada.first_at, ada.last_at) == (at("10:00", "2026-11-18"), at("10:00"))
    assert ada.proved_ms == ada.possible_ms == 3 * (at("10:58:30") - at("10:02:11"))


@pytest.mark.usefixtures("database")
def test_time_that_still_grows_is_counted_apart() -> None:
    make_meeting(Attendee(), day="2026-11-19")
    make_meeting(Attendee(possible=(("10:02:11", None),)), ended=None)
    ada = Person.objects.get()
    assert (ada.meetings, ada.open) == (2, 1)
    assert ada.possible_ms == at("10:58:30") - at("10:02:11")


@pytest.mark.usefixtures("database")
def test_guests_of_one_name_are_an_entry_and_nobody() -> None:
    make_meeting(Attendee(name="Ada", kind="guest"), day="2026-11-19")
    make_meeting(Attendee(name="ADA", kind="guest"), Attendee(name="Ada", kind="dial-in"))
    (entry_of_guests,) = Person.objects.all()
    assert not entry_of_guests.is_user
    assert (entry_of_guests.name, entry_of_guests.names_key, entry_of_guests.meetings) == ("", "ada", 0)
    assert {row.person_key for row in Attendance.objects.select_related("person")} == {None}


@pytest.mark.usefixtures("database")
def test_a_course_is_called_what_its_latest_meeting_calls_it() -> None:
    make_meeting(course="12", label="Álgebra", day="2026-11-18")
    make_meeting(course="12", label="Algebra II", day="2026-11-20")
    make_meeting(course="12", day="2026-11-21")
    make_meeting(course="12", label="Else", site="https://other.example.org")
    course = Course.objects.get(key=key_of(SITE, "12"))
    assert (course.label, course.labels_key, course.meetings) == ("Algebra II", "algebra\nalgebra ii", 3)
    assert course.last_at == at("10:00", "2026-11-21")


@pytest.fixture
def pool() -> Pool:
    return Pool.objects.create(name="bbb.example.org")


def totals_of_people() -> dict[str, tuple[Any, ...]]:
    rows = Person.objects.filter(meetings__gt=0).order_by("key")
    return {
        row.external_user_id: (row.name, row.names_key, bytes(row.sort_key), row.meetings, row.proved_ms, row.open)
        for row in rows
    }


@pytest.mark.usefixtures("database")
def test_totals_are_those_of_the_rows_after_any_folds(pool: Pool) -> None:
    rng = Random(5)
    arrivals = []
    for seed in range(3):
        truth = make_class(Random(seed), Plan(people=5, minutes=12, rooms=seed % 2, course=5, instance=9))
        arrivals += arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(seed), raw=True))
    append_and_fold(arrivals)
    at_once = totals_of_people()
    summed = Attendance.objects.filter(person__is_user=True).values_list("external_user_id")
    for uid, meetings, proved in summed.annotate(Count("pk"), Sum("proved_ms")):
        assert at_once[uid][3:5] == (meetings, proved)
    courses = {row.context_id: (row.label, row.meetings) for row in Course.objects.filter(meetings__gt=0)}
    assert sum(meetings for _, meetings in courses.values()) == Summary.objects.exclude(course=None).count()
    for table in (Summary, Fact):
        table.objects.all().delete()
    Meeting.objects.update(root=None, parent=None)
    Meeting.objects.all().delete()
    rng.shuffle(arrivals)
    for start in range(0, len(arrivals), 150):
        append_and_fold(arrivals[start : start + 150])
    assert totals_of_people() == at_once


@pytest.mark.usefixtures("database")
def test_what_is_folded_away_counts_no_more(pool: Pool) -> None:
    truth = make_class(Random(1), Plan(people=5, minutes=12, rooms=0, guests=2, course=5, instance=9))
    append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1), raw=True)))
    assert Person.objects.filter(is_user=False).exists()
    assert Person.objects.filter(meetings=1).exists()
    Fact.objects.all().delete()
    Meeting.objects.update(appended=F("appended") + 1, due_at=0)
    fold_everything()
    assert not Summary.objects.exists()
    assert not Person.objects.exists(), "nor does a name stay of what is not kept"
    assert not Course.objects.exists()


@pytest.mark.usefixtures("database")
def test_who_was_entered_is_found_again() -> None:
    first = enter_people([entry("1"), entry("2"), entry("1")])
    assert enter_people([entry("2"), entry("3")])[person_key(SITE, "2")] == first[person_key(SITE, "2")]
    assert Person.objects.count() == 3
    assert enter_people([]) == {}
    assert enter_course(None) is None


def test_folds_at_one_moment_enter_everybody_once(database: str) -> None:
    def enter(shift: int) -> set[bytes]:
        try:
            return set(enter_people([entry(str((number + shift) % 60)) for number in range(60)]))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(enter, range(0, 60, 15)))
    assert all(one == found[0] for one in found)
    assert Person.objects.count() == 60


def test_totals_of_two_folds_at_one_moment_lose_neither(database: str) -> None:
    """Each changes a meeting of the same people and counts afterwards: whoever counts last has seen both."""
    summaries = [make_meeting(*(Attendee(uid=str(uid)) for uid in range(8)), day=f"2026-11-{day}") for day in (18, 19)]
    people = set(Person.objects.values_list("pk", flat=True))

    def change(summary: Any, proved: int) -> None:
        """What is in another one's way is tried again, as a fold that stays due: an index of both has what changes."""
        for attempt in range(20):
            try:
                with transaction.atomic():
                    note_changed(people)
                    Attendance.objects.filter(summary=summary).update(proved_ms=1_000 + proved)
            except Error as error:
                if fault_of(error) is not Fault.AGAIN or attempt == 19:
                    raise
            else:
                return

    def fold_again(summary: Any) -> None:
        try:
            for proved in range(10):
                change(summary, proved)
                recount(people)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(fold_again, summaries))
    recount()  # what was in somebody's way: the worker's, when it has nothing else to do
    assert set(Person.objects.values_list("meetings", "proved_ms")) == {(2, 2_018)}
    assert not Recount.objects.exists()


@pytest.mark.usefixtures("database")
def test_who_was_noted_and_not_counted_is_counted_later() -> None:
    """As after a kill between the two transactions."""
    make_meeting(*(Attendee(uid=str(uid)) for uid in range(60)))
    people = list(Person.objects.values_list("pk", flat=True))
    Attendance.objects.update(proved_ms=5)
    note_changed(people)
    note_changed([*people[:3], None])
    assert recount(people[:1]) == 1
    assert Person.objects.filter(proved_ms=5).count() == 1
    assert recount() == 59
    assert Person.objects.filter(proved_ms=5).count() == 60
    assert recount() == 0


@pytest.mark.usefixtures("database")
def test_a_course_that_is_none_is_not_counted() -> None:
    with transaction.atomic():
        recount_courses([None])
    assert not Course.objects.exists()


@pytest.mark.usefixtures("database")
def test_whoever_leaves_the_directory_in_the_middle_of_a_fold_is_entered_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollcall.derive import meeting as folding

    def enter_and_lose(rows: Rows) -> None:
        enter(rows)
        Person.objects.all().delete()
        Course.objects.all().delete()
        monkeypatch.setattr(folding, "enter", enter)

    enter = folding.enter
    monkeypatch.setattr(folding, "enter", enter_and_lose)
    truth = make_class(Random(1), Plan(people=3, minutes=12, rooms=0, course=5, instance=9))
    append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1), raw=True)))
    assert Summary.objects.get().course is not None
    assert Person.objects.filter(meetings=1).exists()
    assert Meeting.objects.filter(due_at=None).exists()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("name", "label", "shown"),
    [("Logic I", "LOG", "Logic I (LOG)"), ("Logic I", "", "Logic I"), ("LOG", "LOG", "LOG"), ("", " LOG ", "LOG")],
)
def test_a_course_is_known_by_its_full_name_and_its_short_one(pool: Pool, name: str, label: str, shown: str) -> None:
    truth = make_class(Random(1), Plan(people=2, minutes=12, rooms=0, course=5, instance=9, name=name, label=label))
    append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1))))
    assert Course.objects.get().label == shown
