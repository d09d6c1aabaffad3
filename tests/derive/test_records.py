"""Records in the log: late ones settle a meeting again, and the order of everything changes nothing."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest

from rollcall.bbb.documents import keep_callback, keep_recording
from rollcall.simulate.callback import Gem, callback_body
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.eras import ERAS
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.recording import recordings
from rollcall.simulate.recording_xml import to_xml
from rollcall.simulate.relay import relay
from rollcall.store.connections import Pool
from rollcall.store.derived import Attendance, Orphan, Seen, Summary
from rollcall.store.facts import Fact, Meeting
from tests.derive.log import append_and_fold, arrivals_of, derived

if TYPE_CHECKING:
    from rollcall.feed.feed import Arrival

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def pool() -> Pool:
    return Pool.objects.create(name="bbb.example.org")


def witnesses(pool: Pool, *, rooms: int = 1) -> tuple[str, list[Arrival], list[Arrival], list[Arrival]]:
    """One class: its internal meeting id, and what webhooks, the callback and the recordings of its rooms tell."""
    era = ERAS["3.0"]
    truth = make_class(Random(4), Plan(people=6, minutes=15, rooms=rooms, starts_at=era.at))
    webhooks = arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1), raw=True))
    recorded = recordings(truth, era, Random(2))
    root, *_ = recorded
    body = msgspec.json.encode(callback_body(recorded[root], Gem.V2_0_1))
    files = [
        keep_recording(BytesIO(to_xml(one)), pool.name, received_at=1, pool=pool.pk).arrival
        for one in recorded.values()
    ]
    return root, webhooks, [keep_callback(body, pool.name, received_at=1, pool=pool.pk).arrival], files


def forget_everything() -> None:
    Meeting.objects.update(parent=None, root=None)
    for table in (Summary, Fact, Orphan, Seen, Meeting):
        table.objects.all().delete()


def test_the_order_in_which_witnesses_come_changes_nothing(pool: Pool) -> None:
    _, *told = witnesses(pool)
    found = set()
    for order in permutations(told):
        for arrivals in order:
            append_and_fold(arrivals)
        found.add(repr(derived()))
        forget_everything()
    assert len(found) == 1


def test_a_late_file_settles_the_meeting_and_says_what_changed(pool: Pool) -> None:
    root, webhooks, reported, recorded = witnesses(pool)
    lossy = [one for one in webhooks if one.kind != "user-left"]
    append_and_fold(lossy)
    summary = Summary.objects.get(meeting__internal_meeting_id=root)
    assert (summary.record, summary.settles_at is not None) == ("", True)
    append_and_fold(reported)
    summary.refresh_from_db()
    assert (summary.record, summary.settles_at is not None) == ("callback", True)
    append_and_fold(recorded)
    summary.refresh_from_db()
    assert (summary.record, summary.settles_at) == ("recording", None)
    detail = msgspec.json.decode(bytes(summary.detail))
    assert {one["code"] for one in detail["disagreements"]} == {"leave-missing"}
    assert detail["changes"]
    assert all(one["after"][0] == one["after"][1] for one in detail["changes"])
    assert all(row.proved_ms == row.possible_ms for row in Attendance.objects.filter(summary=summary))


def test_whoever_was_erased_from_a_file_is_still_counted(pool: Pool) -> None:
    _, webhooks, reported, recorded = witnesses(pool, rooms=0)
    append_and_fold([*webhooks, *reported, *recorded])
    times = sorted(Attendance.objects.values_list("proved_ms", flat=True))
    forget_everything()
    Fact.objects.all().delete()
    append_and_fold([replace(one, identity=None) for one in recorded])
    assert sum(Attendance.objects.values_list("proved_ms", flat=True)) >= sum(times)
    assert set(Attendance.objects.values_list("name", "external_user_id")) == {("", "")}
