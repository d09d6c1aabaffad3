"""Decisions: each added once, in their order, refused where nobody can mean them, and never changed."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections

from rollcall.core.activity import Correction, Hours, Verdict
from rollcall.core.errors import Refused
from rollcall.core.policy import MINUTE_MS, Condition, Policy, Quantity
from rollcall.derive.decided import decided_of, history_of
from rollcall.feed.deciding import By, Switch, Undo, What, Word, activity_for, decide
from rollcall.store.decisions import Activity, Decision
from rollcall.store.facts import Meeting
from rollcall.store.keys import key_of
from tests.makers import at, make_meeting

pytestmark = pytest.mark.usefixtures("database")

NOW = at("12:00")
ANNA = By("anna", "instructor")
POLICY = Policy(conditions=(Condition(Quantity.SHARE, 800),))
KEY = key_of("https://moodle.example.org", "Algebra")


@pytest.fixture
def activity() -> Activity:
    make_meeting()
    return activity_for(0, KEY, now=NOW)


def test_each_kind_is_kept_and_read_back(activity: Activity) -> None:
    made: list[What] = [
        replace(POLICY, lowers_until=5, planned=4, needed=3),
        Hours("1", 1_000, 2_000),
        Switch("2", is_on=False),
        Word("7", Verdict.MET, "1"),
        Word("8", Verdict.NOT_MET),
    ]
    for what in made:
        decide(activity, what, ANNA, now=NOW)
    assert [one.what for one in history_of(activity)] == made
    decided = decided_of(activity)
    assert decided.versions == (made[0],)
    assert decided.hours == (made[1],)
    assert decided.switched_off == {"2"}
    assert decided.corrections == (Correction(4, "7", Verdict.MET, "1"), Correction(5, "8", Verdict.NOT_MET))
    activity.refresh_from_db()
    assert (activity.last_seq, activity.appended, activity.due_at) == (5, 5, NOW)


def test_a_form_that_is_sent_twice_decides_once_and_the_same_again_later_anew(activity: Activity) -> None:
    form = replace(ANNA, once="token")
    first = decide(activity, POLICY, form, now=NOW)
    assert decide(activity, POLICY, form, now=NOW + 1).pk == first.pk
    decide(activity, replace(POLICY, needed=2), ANNA, now=NOW)
    decide(activity, POLICY, ANNA, now=NOW)
    assert [one.row.seq for one in history_of(activity)] == [1, 2, 3]
    activity.refresh_from_db()
    assert activity.appended == 3


def test_what_is_undone_does_not_stand_until_the_undoing_is_undone(activity: Activity) -> None:
    decide(activity, Word("7", Verdict.MET), ANNA, now=NOW)
    decide(activity, Undo(1), ANNA, now=NOW)
    assert decided_of(activity).corrections == ()
    assert [one.undone_by for one in history_of(activity)] == [2, None]
    decide(activity, Undo(2), ANNA, now=NOW)
    assert len(decided_of(activity).corrections) == 1
    decide(activity, Undo(1), ANNA, now=NOW)
    assert decided_of(activity).corrections == ()


def test_nobody_overwrites_what_they_have_not_seen(activity: Activity) -> None:
    decide(activity, POLICY, replace(ANNA, seen=0), now=NOW)
    with pytest.raises(Refused) as refused:
        decide(activity, POLICY, replace(ANNA, seen=0), now=NOW)
    assert (refused.value.code, refused.value.status) == ("changed-meanwhile", 409)
    decide(activity, Word("7", Verdict.MET), replace(ANNA, seen=0), now=NOW)
    decide(activity, POLICY, replace(ANNA, seen=1), now=NOW)


@pytest.mark.parametrize(
    "what",
    [
        replace(POLICY, conditions=(Condition(Quantity.TIME, -1),)),
        replace(POLICY, conditions=(Condition(Quantity.TIME, 1 << 63),)),
        replace(POLICY, conditions=POLICY.conditions * 21),
        replace(POLICY, needed=0),
        replace(POLICY, needed=5, planned=4),
        replace(POLICY, planned=-1),
        replace(POLICY, starts_at=-1),
        replace(POLICY, starts_at=1 << 70),
        replace(POLICY, lowers_until=-5),
        replace(POLICY, apart_ms=-1),
        replace(POLICY, fewest=-1),
        Hours("1", 2_000, 2_000),
        Hours("1", 3_000, 2_000),
        Hours("1", -1, 2_000),
        Hours("1", 0, 8 * 24 * 60 * MINUTE_MS),
        Hours("1" * 5_000, 0, 1_000),
        Hours("", 0, 1_000),
        Switch("1; DROP TABLE", is_on=False),
        Switch("9" * 19, is_on=False),
        Word("7", Verdict.MET, "\u0661"),
        Word("\ud800", Verdict.MET),
        Word("7\x00", Verdict.MET),
        Word("", Verdict.MET),
        Word("7" * 5_000, Verdict.MET),
        Undo(1),
    ],
)
def test_what_nobody_can_mean_is_refused(activity: Activity, what: What) -> None:
    with pytest.raises(Refused):
        decide(activity, what, ANNA, now=NOW)
    assert not Decision.objects.exists()


def test_a_reason_of_any_text_is_kept(activity: Activity) -> None:
    made = decide(activity, Word("é", Verdict.MET), By("a\x00", "r", "  Ш\x00 \U0001f600 \ud800 "), now=NOW)
    made.refresh_from_db()
    assert made.reason == "Ш\ufffd \U0001f600 \ufffd"
    assert decided_of(activity).corrections[0].user_id


def test_a_decision_of_a_later_version_is_left_out_and_undone_as_any_other(activity: Activity) -> None:
    decide(activity, POLICY, ANNA, now=NOW)
    Decision.objects.create(activity=activity, seq=2, digest=bytes(16), kind="novel", payload=b"{}", author="", at=0)
    Decision.objects.create(activity=activity, seq=3, digest=bytes(15) + b"1", kind="policy", payload=b"?", at=0)
    assert len(history_of(activity)) == 1
    assert decided_of(None).versions == ()


def test_what_was_decided_of_a_room_is_said_of_its_class(activity: Activity) -> None:
    root, room = Meeting.objects.get(), make_meeting(name="Room 1").meeting
    decide(activity, Switch(str(room.pk), is_on=False), ANNA, now=NOW)
    assert decided_of(activity).switched_off == {str(room.pk)}
    Meeting.objects.filter(pk=room.pk).update(root=root, parent=root)
    assert decided_of(activity).switched_off == {str(root.pk)}


def test_an_activity_is_named_by_its_latest_meeting_and_known_by_moodles_number() -> None:
    site = "https://moodle.example.org"
    key = key_of(site, "42", "7")
    for name, day in (("Old", "2026-11-19"), ("New", "2026-11-20")):
        summary = make_meeting(name=name, course="42", day=day)
        type(summary).objects.filter(pk=summary.pk).update(activity_key=key, external_meeting_id="abc-42-7[3]")
    made = activity_for(0, key, now=NOW)
    assert (made.label, made.context_id, made.instance, made.site) == ("New", "42", "7", site)
    assert activity_for(0, key, now=NOW).pk == made.pk
    with pytest.raises(Refused, match="no class"):
        activity_for(0, key_of("another"), now=NOW)
    with pytest.raises(Refused):
        activity_for(1, key, now=NOW)


def test_an_id_that_only_looks_like_moodles_names_no_instance(activity: Activity) -> None:
    assert activity.instance == ""


def test_two_who_decide_at_once_both_do(activity: Activity) -> None:
    barrier, failed = Barrier(2), list[Any]()

    def work(user: str) -> None:
        barrier.wait()
        try:
            for _ in range(5):
                decide(activity, Word(user, Verdict.MET), ANNA, now=NOW)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)
        connections.close_all()

    connection.close()
    threads = [Thread(target=work, args=(user,)) for user in ("7", "8")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [one.row.seq for one in history_of(activity)] == list(range(1, 11))
