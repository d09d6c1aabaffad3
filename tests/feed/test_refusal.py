"""What is switched off is not kept, whichever way it comes and whenever that becomes known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rollcall.derive.log import Log
from rollcall.derive.meeting import refold
from rollcall.feed.append import adopt, append, refuse
from rollcall.feed.feed import Arrival, Belonging
from rollcall.store.connections import CaptureSwitch, Pool
from rollcall.store.derived import Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import fact_digest, key_of
from tests.store.arrivals import NOON, joined

pytestmark = pytest.mark.usefixtures("database")

MOODLE = "https://moodle.example.org"
SITE, ACTIVITY = key_of(MOODLE), key_of(MOODLE, "42", "7")
TOLD = Belonging(MOODLE, (MOODLE, "42", "7"))
ELSEWHERE = Belonging("https://other.example.org", ("pool:bbb1", "", "class"))
NEXT_DOOR = Belonging(MOODLE, (MOODLE, "42", "8"))


@pytest.fixture
def pool() -> Pool:
    return Pool.objects.create(name="bbb1")


def off(key: bytes, *, is_on: bool = False, at: int = 0) -> None:
    CaptureSwitch.objects.create(key=key, site="", is_on=is_on, changed_at=at)


def make_arrival(pool: Pool, meeting: str, number: int) -> Arrival:
    user = {"internal-user-id": f"w_{number:012}"}
    attributes = {"meeting": {"internal-meeting-id": meeting}, "user": user}
    payload = json.dumps({"data": {"id": "user-joined", "attributes": attributes, "event": {"ts": NOON}}}).encode()
    identity = json.dumps({"external_user_id": f"{number}", "name": None}).encode()
    digest = fact_digest(pool.name, payload, identity)
    return joined(pool, meeting=meeting, payload=payload, identity=identity, digest=digest)


def created(pool: Pool, meeting: str = "m-1", number: int = 0) -> Arrival:
    return replace(make_arrival(pool, meeting, number), belongs_to=TOLD)


def kept() -> int:
    return Fact.objects.count()


def test_nothing_of_a_class_that_is_switched_off_is_written(pool: Pool) -> None:
    off(SITE)
    append([created(pool), make_arrival(pool, "m-1", 1)])
    append([make_arrival(pool, "m-1", 2)])
    assert kept() == 0
    assert Meeting.objects.get().is_refused
    assert Meeting.objects.get().due_at is None


def test_other_classes_of_the_same_arrivals_are_kept(pool: Pool) -> None:
    off(SITE)
    append([created(pool), make_arrival(pool, "m-2", 1), replace(make_arrival(pool, "m-3", 2), belongs_to=ELSEWHERE)])
    assert set(Fact.objects.values_list("meeting__internal_meeting_id", flat=True)) == {"m-2", "m-3"}


def test_the_switch_of_an_activity_beats_that_of_its_site(pool: Pool) -> None:
    off(SITE)
    off(ACTIVITY, is_on=True)
    append([created(pool)])
    assert kept() == 1


def test_an_activity_alone_can_be_switched_off(pool: Pool) -> None:
    off(ACTIVITY)
    append([created(pool), replace(make_arrival(pool, "m-2", 1), belongs_to=NEXT_DOOR)])
    assert set(Fact.objects.values_list("meeting__internal_meeting_id", flat=True)) == {"m-2"}


def test_what_came_before_that_was_known_is_taken_out_again_and_nothing_of_it_is_shown(pool: Pool) -> None:
    off(SITE)
    append([make_arrival(pool, "m-1", 1), make_arrival(pool, "m-1", 2)])
    meeting = Meeting.objects.get()
    log = Log()
    refold(meeting.pk, log)
    assert Summary.objects.count() == 1
    append([created(pool)])
    assert kept() == 0
    meeting.refresh_from_db()
    assert meeting.appended > meeting.folded
    assert meeting.due_at is not None
    assert refold(meeting.pk, log)
    assert Summary.objects.count() == 0


def test_the_rooms_of_a_class_go_with_it(pool: Pool) -> None:
    off(SITE)
    append([replace(make_arrival(pool, "room", 1), parent="m-1")])
    append([make_arrival(pool, "room", 2)])
    assert kept() == 2
    append([created(pool)])
    append([make_arrival(pool, "room", 3)])
    assert kept() == 0
    assert set(Meeting.objects.values_list("is_refused", flat=True)) == {True}


def test_a_room_whose_class_is_found_later_goes_too(pool: Pool) -> None:
    off(SITE)
    append([make_arrival(pool, "room", 1), created(pool)])
    assert kept() == 1
    room, root = (Meeting.objects.get(internal_meeting_id=name).pk for name in ("room", "m-1"))
    adopt(room, root)
    assert kept() == 0


def test_a_class_that_began_while_it_was_off_stays_out(pool: Pool) -> None:
    off(SITE)
    append([created(pool)])
    CaptureSwitch.objects.update(is_on=True)
    append([created(pool, number=5), created(pool, "m-2")])
    assert set(Fact.objects.values_list("meeting__internal_meeting_id", flat=True)) == {"m-2"}


# -- what is kept already -----------------------------------------------------------------------------------------

SWITCHED = NOON + 1_000


def early(arrival: Arrival, number: int = 0) -> Arrival:
    """Received before the switch."""
    return replace(arrival, received_at=SWITCHED - 100 + number)


def late(arrival: Arrival) -> Arrival:
    """Received after it."""
    return replace(arrival, received_at=SWITCHED + 100)


def keep_a_class(pool: Pool, log: Log) -> Meeting:
    """A class and its room, kept and folded before the switch."""
    append([early(created(pool)), early(make_arrival(pool, "m-1", 1), 1)])
    append([early(replace(make_arrival(pool, "room", 2), parent="m-1"), 2)])
    root = Meeting.objects.get(internal_meeting_id="m-1")
    assert refold(root.pk, log)
    return root


@pytest.mark.parametrize("number", [0, 7], ids=["repeated", "late"])
def test_a_record_after_the_switch_takes_nothing_of_what_is_kept(pool: Pool, number: int) -> None:
    log = Log()
    root = keep_a_class(pool, log)
    off(SITE, at=SWITCHED)
    append([late(created(pool, number=number)), late(make_arrival(pool, "m-1", 8))])
    append([late(make_arrival(pool, "m-1", 9)), late(make_arrival(pool, "room", 10))])
    assert kept() == 3
    refold(root.pk, log)
    refold(root.pk, Log())
    assert Summary.objects.get().meeting_id == root.pk


def test_of_a_class_that_runs_what_came_before_the_switch_stays(pool: Pool) -> None:
    log = Log()
    root = keep_a_class(pool, log)
    off(ACTIVITY, at=SWITCHED)
    append([late(make_arrival(pool, "m-1", 5)), late(make_arrival(pool, "room", 6))])
    refold(root.pk, log)
    assert kept() == 5
    append([late(created(pool, number=7))])
    assert kept() == 3
    root.refresh_from_db()
    assert root.appended > root.folded
    assert refold(root.pk, log)
    people = Summary.objects.get().attendance.count()
    Meeting.objects.filter(pk=root.pk).update(appended=root.appended + 1)
    assert refold(root.pk, Log())
    assert Summary.objects.get().attendance.count() == people == 3


def test_a_room_that_began_after_the_switch_is_not_kept(pool: Pool) -> None:
    root = keep_a_class(pool, Log())
    off(ACTIVITY, at=SWITCHED)
    append([late(created(pool, number=7))])
    append([late(make_arrival(pool, "room-2", 3))])
    assert kept() == 4
    adopt(Meeting.objects.get(internal_meeting_id="room-2").pk, root.pk)
    assert kept() == 3


def test_a_room_that_was_kept_before_it_was_known_as_one_stays(pool: Pool) -> None:
    append([early(make_arrival(pool, "room-2", 3))])
    root = keep_a_class(pool, Log())
    off(ACTIVITY, at=SWITCHED)
    append([late(created(pool, number=7))])
    room = Meeting.objects.get(internal_meeting_id="room-2").pk
    adopt(room, root.pk)
    append([late(make_arrival(pool, "room-2", 8))])
    assert Fact.objects.filter(meeting=room).count() == 1


def test_a_room_that_is_off_by_itself_is_folded_away(pool: Pool) -> None:
    off(ACTIVITY)
    append([make_arrival(pool, "m-1", 1), replace(make_arrival(pool, "room", 2), parent="m-1")])
    root = Meeting.objects.get(internal_meeting_id="m-1")
    log = Log()
    refold(root.pk, log)
    assert Summary.objects.get().attendance.count() == 2
    append([replace(created(pool, "room", 3), parent="m-1")])
    assert refold(root.pk, log)
    assert Summary.objects.get().attendance.count() == 1


def test_erasing_takes_what_was_kept_before_the_switch_too(pool: Pool) -> None:
    root = keep_a_class(pool, Log())
    off(SITE, at=SWITCHED)
    append([late(created(pool, number=7))])
    assert kept() == 3
    refuse(root.pk)
    assert kept() == 0
