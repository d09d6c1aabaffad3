"""Which meetings are folded together, on each of the three databases."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import permutations

import pytest

from rollcall.feed.append import adopt, append
from rollcall.feed.feed import Arrival
from rollcall.store.connections import Pool
from rollcall.store.facts import Meeting
from rollcall.store.keys import meeting_key
from tests.store.arrivals import joined, log_of, make_pool, meeting

pytestmark = pytest.mark.usefixtures("database")


def split(pool: Pool, child: str, parent: str) -> Arrival:
    """Something that names a breakout room's parent."""
    return joined(pool, f"w_{parent}", child, kind="meeting-created", parent=parent)


def roots(pool: Pool) -> dict[str, str]:
    """Whose family each meeting is in; no root has a root."""
    found = {row.internal_meeting_id: row.root or row for row in pool.meetings.select_related("root")}
    assert all(root.root is None for root in found.values())
    return {child: root.internal_meeting_id for child, root in found.items()}


def each_order(arrivals: Sequence[Arrival], *, at_once: bool = False) -> Iterable[dict[str, str]]:
    """The roots after every order of the arrivals, one by one or in one call, each in a pool of its own."""
    for number, order in enumerate(permutations(arrivals)):
        pool = make_pool(f"{at_once} {number}")
        parts = [order] if at_once else [[arrival] for arrival in order]
        for part in parts:
            append([_moved(arrival, pool) for arrival in part])
        for row in pool.meetings.all():
            log_of(row)
        yield roots(pool)


def _moved(arrival: Arrival, pool: Pool) -> Arrival:
    return joined(pool, arrival.digest.hex(), arrival.meeting, kind=arrival.kind, parent=arrival.parent)


@pytest.mark.parametrize("at_once", [False, True])
def test_every_order_of_created_and_joined_gives_the_same_family(at_once: bool) -> None:
    pool = make_pool()
    told = [joined(pool, meeting="class"), split(pool, "room", "class"), joined(pool, meeting="room")]
    for found in each_order(told, at_once=at_once):
        assert found == {"class": "class", "room": "class"}


def test_rooms_of_rooms_fold_with_the_class_in_every_order() -> None:
    pool = make_pool()
    told = [split(pool, "room", "class"), split(pool, "corner", "room"), split(pool, "nook", "corner")]
    for found in each_order(told):
        assert found == {"class": "class", "room": "class", "corner": "class", "nook": "class"}


@pytest.mark.parametrize("at_once", [False, True])
def test_a_circle_has_one_root_in_every_order(at_once: bool) -> None:
    pool = make_pool()
    told = [split(pool, "a", "b"), split(pool, "b", "c"), split(pool, "c", "a"), split(pool, "d", "c")]
    every = list(each_order(told, at_once=at_once))
    assert len({root for found in every for root in found.values()}) == 1
    assert every[0].keys() == {"a", "b", "c", "d"}


def test_a_room_with_two_parents_takes_the_same_one_in_every_order() -> None:
    pool = make_pool()
    told = [split(pool, "room", "one"), split(pool, "room", "two"), split(pool, "corner", "room")]
    every = list(each_order(told))
    assert all(found == every[0] for found in every)
    assert every[0]["corner"] == every[0]["room"]
    assert {every[0][name] for name in ("one", "two")} == {"one", "two"}


def test_a_meeting_is_not_its_own_room() -> None:
    pool = make_pool()
    append([joined(pool, meeting="class", parent="class")])
    assert roots(pool) == {"class": "class"}


def test_the_same_id_on_another_server_is_another_family() -> None:
    one, other = make_pool("one"), make_pool("other")
    append([split(one, "room", "class"), joined(other, meeting="class"), joined(other, meeting="room")])
    assert roots(other) == {"class": "class", "room": "room"}


class TestMoving:
    def test_the_root_is_asked_to_fold_and_the_room_no_more(self) -> None:
        pool = make_pool()
        append([joined(pool, meeting="class"), joined(pool, meeting="room"), joined(pool, "w_2", "room")])
        Meeting.objects.filter(root=None).update(due_at=None)
        Meeting.objects.filter(pk=meeting(pool, "room").pk).update(due_at=7)
        append([split(pool, "room", "class")])
        root, room = meeting(pool, "class"), meeting(pool, "room")
        assert (room.root, room.due_at, room.folded) == (root, None, room.appended)
        assert root.due_at == 7
        assert root.appended > 1
        assert root.folded == 0

    def test_a_repeat_that_only_names_the_parent_moves_the_room_too(self) -> None:
        pool = make_pool()
        append([joined(pool, "w_class", "room", kind="meeting-created")])
        append([split(pool, "room", "class")])
        assert roots(pool) == {"class": "class", "room": "class"}
        assert len(log_of(meeting(pool, "room"))) == 1
        assert meeting(pool, "class").appended == 1

    def test_a_fold_that_began_before_the_move_cannot_be_stored_after_it(self) -> None:
        pool = make_pool()
        append([joined(pool, meeting="room")])
        seen = meeting(pool, "room").appended
        append([split(pool, "room", "class")])
        assert not Meeting.objects.filter(pk=meeting(pool, "room").pk, folded__lt=seen).update(folded=seen)

    def test_a_room_moves_with_its_own_rooms(self) -> None:
        pool = make_pool()
        append([split(pool, "corner", "room"), joined(pool, meeting="corner"), joined(pool, meeting="class")])
        append([split(pool, "room", "class")])
        assert roots(pool) == {"class": "class", "room": "class", "corner": "class"}
        before = meeting(pool, "class").appended
        append([joined(pool, "w_9", "corner")])
        assert meeting(pool, "class").appended == before + 1

    def test_both_families_are_folded_again_when_a_room_leaves_one_for_the_other(self) -> None:
        pool = make_pool()
        append([joined(pool, meeting=name) for name in ("one", "two")])
        better, worse = sorted(("one", "two"), key=meeting_key)
        append([split(pool, "room", worse)])
        assert roots(pool)["room"] == worse
        Meeting.objects.update(folded=1_000, appended=1_000, due_at=None)
        append([split(pool, "room", better)])
        assert roots(pool)["room"] == better
        for name in ("one", "two"):
            assert meeting(pool, name).appended > 1_000, name
            assert meeting(pool, name).due_at, name

    def test_a_second_of_the_same_claim_changes_nothing(self) -> None:
        pool = make_pool()
        append([split(pool, "room", "class")])
        before = list(Meeting.objects.order_by("pk").values())
        append([split(pool, "room", "class")])
        assert list(Meeting.objects.order_by("pk").values()) == before


class TestAdopting:
    def test_a_room_whose_parent_was_found_moves_to_it(self) -> None:
        pool = make_pool()
        append([joined(pool, meeting="class"), joined(pool, meeting="room")])
        Meeting.objects.update(due_at=None)
        began = time.time_ns() // 1_000_000
        adopt(meeting(pool, "room").pk, meeting(pool, "class").pk)
        assert roots(pool) == {"class": "class", "room": "class"}
        assert meeting(pool, "class").appended == 2
        assert (meeting(pool, "class").due_at or 0) >= began

    def test_finding_it_again_asks_for_no_fold(self) -> None:
        pool = make_pool()
        append([joined(pool, meeting="class"), joined(pool, meeting="room")])
        for _ in range(2):
            adopt(meeting(pool, "room").pk, meeting(pool, "class").pk)
        assert meeting(pool, "class").appended == 2

    @pytest.mark.parametrize("told", ["one", "two"])
    def test_what_was_told_beats_what_was_found_in_every_order(self, told: str) -> None:
        for number, is_told_first in enumerate((True, False)):
            pool = make_pool(str(number))
            append([joined(pool, meeting=name) for name in ("one", "two", "room")])
            steps = [
                lambda pool=pool: append([split(pool, "room", told)]),
                lambda pool=pool: adopt(meeting(pool, "room").pk, meeting(pool, *{"one", "two"} - {told}).pk),
            ]
            for step in steps if is_told_first else reversed(steps):
                step()
            assert roots(pool)["room"] == told

    def test_nobody_adopts_itself(self) -> None:
        pool = make_pool()
        append([joined(pool)])
        adopt(meeting(pool).pk, meeting(pool).pk)
        assert meeting(pool).root is None
