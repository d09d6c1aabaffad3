"""What the log promises, on each of the three databases."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

import pytest

from rollcall.feed import append as appending
from rollcall.feed.append import LONGEST_BYTES, append
from rollcall.store.facts import Fact, Meeting, SetAside
from rollcall.store.fields import storable
from rollcall.store.keys import meeting_key
from tests.store.arrivals import LESSON, NOON, joined, log_of, make_pool, meeting, unreadable

pytestmark = pytest.mark.usefixtures("database")

LONG = "λ" * 10_000
ALIKE = [
    ("Ada", "ada"),
    ("ada", "adá"),
    ("adá", "ada\u0301"),
    ("ß", "ss"),
    ("ada", "ada "),
    ("ada", "ada\t"),
    ("ada", "ada\x00"),
    ("ada\x00", "ada\x00\x00"),
    ("\x00", "\ufffd"),
    ("\ud800", "\ud801"),
    ("\ud83d", "\ufffd"),
    ("\ud83e\udd8a", "🦊"),
    ("🦊", "🦉"),
    (LONG, LONG + "λ"),
    (LONG + "a", LONG + "A"),
]


def test_meetings_whose_ids_look_alike_stay_apart() -> None:
    for number, (one, other) in enumerate(ALIKE):
        pool = make_pool(str(number))
        append([joined(pool, meeting=one), joined(pool, meeting=other)])
        append([joined(pool, "w_bob", meeting=other)])
        assert len(log_of(meeting(pool, one))) == 1, ascii(one)
        assert len(log_of(meeting(pool, other))) == 2, ascii(other)
        assert meeting(pool, one).internal_meeting_id == storable(one)


def test_pools_whose_names_look_alike_stay_apart() -> None:
    for name in ("Ada", "ada", "adá", "ada "):
        append([joined(make_pool(name))])
    assert Meeting.objects.count() == 4


def test_a_parent_with_a_long_id_is_found_again() -> None:
    pool = make_pool()
    append([joined(pool, parent=LONG)])
    append([joined(pool, meeting=LONG)])
    assert meeting(pool).root == meeting(pool, LONG)


def test_every_byte_of_a_payload_is_kept() -> None:
    pool, whole = make_pool(), bytes(range(256)) * 40
    append([joined(pool, payload=whole, identity=whole), joined(pool, "w_bob", payload=b"", identity=None)])
    kept = Fact.objects.order_by("seq").values_list("payload", "identity")
    assert [(bytes(p), i if i is None else bytes(i)) for p, i in kept] == [(whole, whole), (b"", None)]


def test_a_fact_is_kept_as_it_arrived() -> None:
    pool = make_pool()
    arrival = joined(pool)
    append([arrival])
    fact = Fact.objects.get()
    assert (fact.meeting, fact.seq, bytes(fact.digest)) == (meeting(pool), 1, arrival.digest)
    assert (fact.source, fact.kind, fact.at, fact.received_at) == ("mapped", "user-joined", NOON, NOON + 40)


@pytest.mark.parametrize("at", [-(2**63), -1, 0, 2**63 - 1])
def test_any_time_that_fits_is_kept(at: int) -> None:
    append([joined(make_pool(), at=at, received_at=at)])
    assert Fact.objects.get().at == at


def test_a_kind_longer_than_its_column_is_cut_not_refused() -> None:
    append([joined(make_pool(), kind="κ" * 65 + "\x00", source="\ud800")])
    fact = Fact.objects.get()
    assert (fact.kind, fact.source) == ("κ" * 64, "\ufffd")


@pytest.mark.parametrize("seed", range(4))
def test_order_repeats_and_batching_store_each_fact_once_and_without_gaps(seed: int) -> None:
    chance, pool = random.Random(seed), make_pool()
    rooms = [LESSON, "room 1", "room 2"]
    told = [joined(pool, f"w_{n}", rooms[n % 3], parent=LESSON if n % 3 else None) for n in range(60)]
    arrivals = chance.sample(told * 3, k=180)
    while arrivals:
        size = chance.randint(1, 40)
        append(arrivals[:size])
        arrivals = arrivals[size:]
    logs = {room: log_of(meeting(pool, room)) for room in rooms}
    assert {room: sorted(log) for room, log in logs.items()} == {
        room: sorted(a.payload for a in told if a.meeting == room) for room in rooms
    }
    assert {meeting(pool, room).root for room in rooms[1:]} == {meeting(pool)}


def test_more_than_one_transaction_takes_is_kept_in_its_order() -> None:
    pool = make_pool()
    arrivals = [joined(pool, f"w_{n}") for n in range(2 * appending.GROUP_ARRIVALS + 1)]
    append(arrivals)
    assert log_of(meeting(pool)) == [arrival.payload for arrival in arrivals]


def test_documents_too_big_for_one_transaction_together_are_kept_in_several() -> None:
    pool = make_pool()
    big = [joined(pool, f"w_{n}", payload=bytes([n]) * 700_000) for n in range(4)]
    append(big)
    assert log_of(meeting(pool)) == [arrival.payload for arrival in big]
    assert [len(group) for group in appending.groups_of(big)] == [1, 1, 1, 1]


def test_the_longest_document_of_nothing_but_escapes_is_kept() -> None:
    pool = make_pool()
    append([joined(pool, payload=b"'" * LONGEST_BYTES, identity=None)])
    assert len(log_of(meeting(pool))[0]) == LONGEST_BYTES


def test_one_digest_in_two_meetings_is_two_facts() -> None:
    pool = make_pool()
    arrival = joined(pool)
    append([arrival, replace(arrival, meeting="another")])
    assert Fact.objects.count() == 2


def test_nothing_is_nothing() -> None:
    append([])
    assert not Meeting.objects.exists()


class TestCounters:
    def test_new_facts_raise_what_is_appended_and_repeats_do_not(self) -> None:
        pool = make_pool()
        append([joined(pool, "w_1"), joined(pool, "w_2"), joined(pool, "w_1")])
        append([joined(pool, "w_2"), joined(pool, "w_3")])
        before = meeting(pool)
        append([joined(pool, "w_3")])
        assert (before.appended, before.last_seq) == (3, 3)
        assert Meeting.objects.values().get() == Meeting.objects.values().get(pk=before.pk)
        assert meeting(pool).due_at == before.due_at

    def test_a_meeting_nobody_watches_is_due_in_five_seconds(self) -> None:
        pool, began = make_pool(), _now()
        append([joined(pool)])
        assert began + 5_000 <= (meeting(pool).due_at or 0) <= _now() + 5_000

    def test_a_watched_one_is_due_at_once(self) -> None:
        pool, began = make_pool(), _now()
        Meeting.objects.create(
            pool=pool, key=meeting_key(LESSON), internal_meeting_id=LESSON, watched_until=began + 60_000
        )
        append([joined(pool)])
        assert began <= (meeting(pool).due_at or 0) <= _now() + 100

    def test_its_end_is_due_at_once(self) -> None:
        pool = make_pool()
        append([joined(pool)])
        append([joined(pool, "w_2", is_end=True)])
        assert (meeting(pool).due_at or 0) <= _now()
        assert meeting(pool).is_over

    def test_what_is_due_earlier_stays_due_earlier(self) -> None:
        pool = make_pool()
        append([joined(pool)])
        Meeting.objects.update(due_at=1)
        append([joined(pool, "w_2")])
        assert meeting(pool).due_at == 1

    def test_a_room_counts_its_own_facts_and_its_root_counts_what_is_to_be_folded(self) -> None:
        pool = make_pool()
        append([joined(pool, meeting="room", parent=LESSON)])
        Meeting.objects.update(due_at=None)
        before = meeting(pool).appended
        append([joined(pool, "w_2", "room"), joined(pool, "w_3", "room", is_end=True)])
        room, root = meeting(pool, "room"), meeting(pool)
        assert (room.last_seq, room.due_at, room.is_over) == (3, None, True)
        assert (root.last_seq, root.appended - before, root.is_over) == (0, 2, False)
        assert (root.due_at or 0) <= _now()


class TestWhatCannotBeStored:
    @pytest.mark.parametrize(
        "wrong",
        [{"at": 2**63}, {"received_at": -(2**63) - 1}, {"digest": b"short"}, {"payload": b"x" * (LONGEST_BYTES + 1)}],
        ids=["at", "received_at", "digest", "payload"],
    )
    def test_only_the_guilty_one_is_set_aside(self, wrong: dict[str, Any]) -> None:
        pool = make_pool()
        good = [joined(pool, f"w_{n}") for n in range(9)]
        guilty = joined(pool, "w_guilty", **wrong)
        append([*good[:4], guilty, *good[4:]])
        assert sorted(log_of(meeting(pool))) == sorted(arrival.payload for arrival in good)
        aside = SetAside.objects.get()
        assert (aside.pool, aside.length) == (pool, len(guilty.payload) + len(guilty.identity or b""))
        assert (aside.regime, aside.error) == ("append", "Unstorable")

    def test_an_error_of_the_database_itself_is_no_other(self) -> None:
        pool = make_pool()
        append([joined(pool), replace(joined(pool, "w_2"), pool=pool.pk + 999), joined(pool, "w_3")])
        assert len(log_of(meeting(pool))) == 2
        assert SetAside.objects.get().pool is None
        assert SetAside.objects.get().error == "IntegrityError"

    def test_the_same_one_again_is_set_aside_once(self) -> None:
        guilty = joined(make_pool(), at=2**63)
        append([guilty, guilty])
        append([guilty])
        assert SetAside.objects.count() == 1

    def test_what_could_not_be_read_is_set_aside_with_its_neighbours_kept(self) -> None:
        pool = make_pool()
        append([unreadable(pool), joined(pool), unreadable(pool), unreadable(pool, "??")])
        append([unreadable(pool)])
        assert len(log_of(meeting(pool))) == 1
        assert sorted(SetAside.objects.values_list("length", "regime", "error")) == [
            (1, "bearer", "DecodeError"),
            (2, "bearer", "DecodeError"),
        ]

    def test_a_cause_longer_than_its_column_or_unprintable_is_no_second_fault(self) -> None:
        pool = make_pool()
        append([replace(unreadable(pool), regime="r" * 99, error="\x00\ud800" + "e" * 300, received_at=2**70)])
        aside = SetAside.objects.get()
        assert (aside.regime, aside.error) == ("r" * 32, "\ufffd\ufffd" + "e" * 198)


def _now() -> int:
    return time.time_ns() // 1_000_000
