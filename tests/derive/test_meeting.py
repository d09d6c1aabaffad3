"""Derived rows: the same for the same facts, whatever the order, the database or the number of times."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from django.db.models import F

from rollcall.derive.log import Log
from rollcall.derive.meeting import refold
from rollcall.derive.rebuild import Outdated, demand, fold_due
from rollcall.derive.rows import FOLD_VERSION
from rollcall.feed.append import append
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.truth import Truth
from rollcall.store.connections import Pool
from rollcall.store.derived import Attendance, Orphan, Seen, Summary
from rollcall.store.facts import Fact, Meeting
from tests.derive.log import FAR_AHEAD, append_and_fold, arrivals_of, derived, fold_everything

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def pool() -> Pool:
    return Pool.objects.create(name="bbb.example.org")


def class_of(seed: int = 1, **plan: object) -> Truth:
    return make_class(Random(seed), Plan(**{"people": 6, "minutes": 15, "rooms": 0} | plan))  # type: ignore[arg-type]


def test_everything_derived_can_be_thrown_away_and_made_again(pool: Pool) -> None:
    truth = class_of(rooms=2)
    append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1), raw=True)))
    before = derived()
    assert before
    for table in (Summary, Seen, Orphan):
        table.objects.all().delete()
    demand()
    fold_everything()
    assert derived() == before


def test_batches_order_repeats_and_folds_between_change_nothing(pool: Pool) -> None:
    arrivals = arrivals_of(pool, relay(class_of(), GENERATIONS["3.5.0"], Random(1), raw=True))
    append_and_fold(arrivals)
    before = derived()
    Summary.objects.all().delete()
    Fact.objects.all().delete()
    Seen.objects.all().delete()
    Meeting.objects.all().delete()
    rng = Random(2)
    again = rng.sample(arrivals * 2, k=2 * len(arrivals))
    for start in range(0, len(again), 40):
        append_and_fold(again[start : start + 40])
    assert derived() == before


@pytest.mark.parametrize("generation", ["2.6.1", "3.5.0"])
def test_a_room_finds_its_class_in_every_order(pool: Pool, generation: str) -> None:
    """Before bbb-webhooks 3 only the ids of its people say whose room it is."""
    truth = class_of(rooms=1, minutes=20, guests=0, dial_ins=0)
    rooms = {room.internal_meeting_id for room in truth.rooms}
    arrivals = arrivals_of(pool, relay(truth, GENERATIONS[generation], Random(1)))
    parts = [
        [one for one in arrivals if one.meeting not in rooms],
        [one for one in arrivals if one.meeting in rooms and one.kind == "meeting-created"],
        [one for one in arrivals if one.meeting in rooms and one.kind != "meeting-created"],
    ]
    found = []
    for order in permutations(parts):
        for part in order:
            append_and_fold(part)
        found.append(derived())
        Summary.objects.all().delete()
        for table in (Fact, Seen, Orphan):
            table.objects.all().delete()
        Meeting.objects.update(root=None, parent=None)
        Meeting.objects.all().delete()
    assert all(one == found[0] for one in found)
    assert [row[0] for row in found[0]].count(truth.root.internal_meeting_id) == len(found[0])


def test_two_sites_with_equal_user_ids_stay_two_sets_of_people(pool: Pool) -> None:
    for seed, origin in enumerate(("moodle.one.example", "moodle.two.example")):
        truth = class_of(seed, origin=origin, course=5, instance=9, guests=0, dial_ins=0)
        append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1))))
    keys: dict[str, set[tuple[str, bytes]]] = {}
    for row in Attendance.objects.select_related("summary"):
        keys.setdefault(row.external_user_id, set()).add((row.summary.site, bytes(row.person_key or b"")))
    shared = [found for found in keys.values() if len({site for site, _ in found}) == 2]
    assert shared, "the two sites have no user id in common"
    assert all(len({key for _, key in found}) == 2 for found in shared)
    activities = {bytes(key) for key in Summary.objects.values_list("activity_key", flat=True)}
    assert len(activities) == 2


def test_a_fold_that_was_overtaken_writes_nothing(pool: Pool) -> None:
    append_and_fold(arrivals_of(pool, relay(class_of(), GENERATIONS["3.5.0"], Random(1))))
    root = Meeting.objects.get()
    assert root.folded == root.appended
    before = derived()
    Meeting.objects.update(folded=F("folded") + 5)
    Fact.objects.filter(kind="user-joined").delete()
    assert not refold(root.pk, Log())
    assert derived() == before


def test_rows_that_do_not_change_are_not_written_again(pool: Pool) -> None:
    arrivals = arrivals_of(pool, relay(class_of(), GENERATIONS["3.5.0"], Random(1)))
    append_and_fold(arrivals)
    before = set(Attendance.objects.values_list("pk", flat=True))
    demand()
    fold_everything()
    assert set(Attendance.objects.values_list("pk", flat=True)) == before


def test_what_older_rules_folded_waits_for_what_is_new_and_the_latest_comes_first(pool: Pool) -> None:
    for seed in range(15):
        append(arrivals_of(pool, relay(class_of(seed, people=2, instance=seed), GENERATIONS["3.5.0"], Random(1))))
    fold_everything()
    assert not Outdated().demand_some(), "all are of today's rules"
    Summary.objects.update(fold_version=FOLD_VERSION - 1)
    newest = list(Summary.objects.order_by("-started_at", "-meeting").values_list("meeting", flat=True))
    outdated, another = Outdated(), Outdated()
    assert outdated.demand_some()
    assert set(Meeting.objects.exclude(due_at=None).values_list("pk", flat=True)) == set(newest[:10])
    assert another.demand_some(), "another worker takes the others"
    assert Meeting.objects.exclude(due_at=None).count() == 15
    fold_everything()
    assert not Summary.objects.exclude(fold_version=FOLD_VERSION).exists()
    assert not outdated.demand_some()


def test_what_was_outdated_and_cannot_be_folded_is_not_asked_for_again_and_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(arrivals_of(pool, relay(class_of(), GENERATIONS["3.5.0"], Random(1))))
    fold_everything()
    Summary.objects.update(fold_version=0)
    monkeypatch.setattr("rollcall.derive.rebuild.refold", fail)
    outdated = Outdated()

    assert outdated.demand_some()
    list(fold_due(Log()))
    assert not outdated.demand_some(), "it waits a minute"


def fail(root: int, log: Log) -> bool:
    raise ValueError("made to fail")


def test_a_fact_that_cannot_be_read_holds_up_nothing(pool: Pool) -> None:
    append(arrivals_of(pool, relay(class_of(), GENERATIONS["3.5.0"], Random(1))))
    victim = Fact.objects.filter(kind="chat-group-message-sent").first()
    assert victim is not None
    Fact.objects.filter(pk=victim.pk).update(payload=b"{", identity=b"\xff")
    fold_everything()
    assert Summary.objects.get().attendees > 0


def test_a_meeting_that_cannot_be_folded_holds_up_no_other(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    truths = [class_of(seed, instance=seed) for seed in (1, 2, 3)]
    for truth in truths:
        append(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1))))
    bad = Meeting.objects.order_by("pk")[1]

    def refold_or_fail(root: int, log: Log) -> bool:
        if root == bad.pk:
            raise ValueError("made to fail")
        return refold(root, log)

    monkeypatch.setattr("rollcall.derive.rebuild.refold", refold_or_fail)
    assert len(list(fold_due(Log(), now=FAR_AHEAD))) == 3
    assert Summary.objects.count() == 2
    later = Meeting.objects.get(pk=bad.pk)
    assert later.due_at is not None, "it is tried again"
    assert later.folded < later.appended
