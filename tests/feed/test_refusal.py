"""What is switched off is not kept, whichever way it comes and whenever that becomes known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rollcall.derive.log import Log
from rollcall.derive.meeting import refold
from rollcall.feed.append import adopt, append
from rollcall.feed.feed import Arrival
from rollcall.store.connections import CaptureSwitch, Pool
from rollcall.store.derived import Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import fact_digest, key_of
from tests.store.arrivals import NOON, joined

pytestmark = pytest.mark.usefixtures("database")

SITE, OTHER = key_of("https://moodle.example.org"), key_of("https://other.example.org")
ACTIVITY = key_of("https://moodle.example.org", "42", "7")


@pytest.fixture
def pool() -> Pool:
    return Pool.objects.create(name="bbb1")


def off(key: bytes, *, is_on: bool = False) -> None:
    CaptureSwitch.objects.create(key=key, site="", is_on=is_on, changed_at=0)


def make_arrival(pool: Pool, meeting: str, number: int) -> Arrival:
    user = {"internal-user-id": f"w_{number:012}"}
    attributes = {"meeting": {"internal-meeting-id": meeting}, "user": user}
    payload = json.dumps({"data": {"id": "user-joined", "attributes": attributes, "event": {"ts": NOON}}}).encode()
    return joined(pool, meeting=meeting, payload=payload, digest=fact_digest(pool.name, payload, None))


def created(pool: Pool, meeting: str = "m-1", number: int = 0) -> Arrival:
    return replace(make_arrival(pool, meeting, number), belongs_to=(SITE, ACTIVITY))


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
    append([created(pool), make_arrival(pool, "m-2", 1), replace(make_arrival(pool, "m-3", 2), belongs_to=(OTHER,))])
    assert set(Fact.objects.values_list("meeting__internal_meeting_id", flat=True)) == {"m-2", "m-3"}


def test_the_switch_of_an_activity_beats_that_of_its_site(pool: Pool) -> None:
    off(SITE)
    off(ACTIVITY, is_on=True)
    append([created(pool)])
    assert kept() == 1


def test_an_activity_alone_can_be_switched_off(pool: Pool) -> None:
    off(ACTIVITY)
    append([created(pool), replace(make_arrival(pool, "m-2", 1), belongs_to=(SITE, OTHER))])
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
