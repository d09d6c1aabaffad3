"""One class of thirty goes the whole way: from the wire to what an LMS holds, by each of the three ways at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rollcall.cli import run
from rollcall.core.access import Role
from rollcall.core.deliveries import Scoring, Step, Way
from rollcall.core.policy import MINUTE_MS, Condition, OnChange, Policy, Quantity
from rollcall.core.verdicts import Verdict
from rollcall.deliveries.completions import by_hand
from rollcall.derive.decided import history_of
from rollcall.feed.deciding import Undo, Word
from rollcall.lti import tokens
from rollcall.store.keys import key_of, person_key
from rollcall.store.owed import Owed, Owing, Reversal
from rollcall.store.platforms import Member
from tests.access.asking import launched
from tests.access.places import School
from tests.deliveries.world import HOUR_MS, Clock
from tests.lti.asked_platform import key_pair
from tests.makers import at, operator
from tests.moodle_web_services import OVERRIDE, READ
from tests.whole.completion_world import BY_USER, COLUMN, COURSE, KINDS, Lms, World, held, one_lms, open_world

one_database = pytest.mark.django_db(transaction=True)

ATTENDED = Policy(conditions=(Condition(Quantity.TIME, 45 * MINUTE_MS),))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lms(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lms]:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    monkeypatch.setattr(tokens, "signing_key", lambda _now: key_pair())
    with one_lms(clock) as one:
        yield one


@pytest.fixture
def world(lms: Lms, clock: Clock) -> World:
    """Nothing was heard yet."""
    return open_world(lms, clock)


@pytest.fixture
def judged(world: World) -> World:
    """The class was heard, judged, corrected by its teacher, and sent by all ways."""
    world.hear()
    world.decide(ATTENDED, Word("27", Verdict.MET), Word("28", Verdict.NOT_MET))
    world.switch_on()
    world.go_on()
    return world


def test_each_of_thirty_ends_as_they_should_by_each_way(database: str, judged: World) -> None:
    assert judged.verdicts() == {kind.user: kind.verdict for kind in KINDS if kind.verdict}
    assert judged.lms.graded() == {kind.user: kind.grade for kind in KINDS if kind.grade is not None}
    assert judged.done(Way.MOODLE) == {kind.user for kind in KINDS if kind.by_services}
    assert judged.done(Way.CALLBACK) == {kind.user for kind in KINDS if kind.by_rule}
    assert set(judged.lms.receiver.credited().values()) == {1}


@one_database
def test_whatever_breaks_off_on_the_way_all_end_the_same_and_are_credited_once(world: World, lms: Lms) -> None:
    lms.gradebook.faults = [("/token.php", 503), ("/scores", "drop"), ("/results", 500), ("/scores", 503)]
    lms.services.faults = [(READ, "drop"), (OVERRIDE, "drop-after"), (OVERRIDE, 500), (READ, b"<html>maintenance")]
    lms.receiver.faults = ["close-before", "close-after", "503", "500-after"]
    world.hear()
    world.decide(ATTENDED, Word("27", Verdict.MET), Word("28", Verdict.NOT_MET))
    world.switch_on()
    world.go_on(ticks=60)
    assert not [*lms.gradebook.faults, *lms.services.faults, *lms.receiver.faults]
    assert lms.graded() == {kind.user: kind.grade for kind in KINDS if kind.grade is not None}
    assert world.done(Way.MOODLE) == {kind.user for kind in KINDS if kind.by_services}
    assert world.done(Way.CALLBACK) == {kind.user for kind in KINDS if kind.by_rule}
    assert set(lms.receiver.credited().values()) == {1}


@one_database
def test_what_is_not_as_wanted_there_says_why(judged: World) -> None:
    by_ags, by_services, by_rule = (judged.states(way) for way in (Way.AGS, Way.MOODLE, Way.CALLBACK))
    assert by_ags["24"] == by_ags["26"] == (Owing.LEFT, "overridden")
    assert by_ags["25"] == (Owing.REFUSED, "locked")
    assert by_ags["21"] == (Owing.REFUSED, "not-gradable")
    assert by_services["24"] == (Owing.LEFT, "overridden")
    assert by_services["21"] == (Owing.REFUSED, "no-student")
    for user in ("0031", "1e3"):
        assert (by_ags[user], by_rule[user]) == ((Owing.REFUSED, "no-lms-user"),) * 2
        assert by_services[user] == (Owing.REFUSED, "not-a-user")
    for states in (by_ags, by_services, by_rule):
        assert not states.keys() & {"3", "32", "19", "20", "gl-guest-1", "v_caller", "12", "7"}


@one_database
def test_a_correction_is_taken_back_where_that_can_be_and_shown_where_not(judged: World, clock: Clock) -> None:
    judged.decide(Word("4", Verdict.NOT_MET), Word("7", Verdict.MET))
    judged.go_on()
    for way in (Way.AGS, Way.MOODLE):
        assert judged.row("4", way).state == Owing.SENT
        assert "4" not in judged.done(way)
        assert "7" in judged.done(way)
    assert "4" not in judged.lms.graded()
    assert {"4", "7"} <= judged.done(Way.CALLBACK)
    (stays,) = Reversal.objects.filter(owed=judged.row("4", Way.CALLBACK))
    assert (stays.step, stays.handled_at) == (Step.STAYS, None)

    words = [decided.row.seq for decided in history_of(judged.activity()) if isinstance(decided.what, Word)]
    judged.decide(*(Undo(seq) for seq in words[-2:]))
    judged.go_on()
    for way in (Way.AGS, Way.MOODLE):
        assert "4" in judged.done(way)
        assert "7" not in judged.done(way)
    assert judged.lms.receiver.credited() == Counter(judged.lms.receiver.credited().keys())


@one_database
def test_met_then_not_met_then_met_ends_as_met_everywhere(judged: World) -> None:
    for verdict in (Verdict.NOT_MET, Verdict.MET):
        judged.decide(Word("4", verdict))
        judged.go_on()
    for way in Way:
        assert "4" in judged.done(way)
        assert judged.row("4", way).state == Owing.SENT
    assert not Reversal.objects.filter(handled_at=None, owed__external_user_id="4").exists()


@one_database
def test_a_rebuild_of_everything_sends_nothing(judged: World) -> None:
    before, owed = judged.lms.requests(), list(Owed.objects.order_by("pk").values())
    for _ in range(2):
        judged.rebuild()
        judged.go_on()
    assert judged.lms.requests() == before
    assert list(Owed.objects.order_by("pk").values()) == owed


@one_database
def test_history_is_sent_once_and_only_when_somebody_asks(world: World) -> None:
    begins_at = at("10:00", "2026-10-05")
    truth = held(world.lms.base, begins_at)
    world.record(truth)
    world.decide(ATTENDED)
    targets = world.switch_on()
    world.go_on()
    assert world.verdicts()["4"] == "met"
    assert world.lms.requests() == 0
    assert set(world.states(Way.AGS).values()) == {(Owing.HELD, "history")}

    for target in targets:
        assert by_hand.send_history(target.pk, now=world.clock.now) > 0
    world.go_on()
    for way in Way:
        assert {"4", "5", "16"} <= world.done(way)
    before = world.lms.requests()
    for target in targets:
        by_hand.send_history(target.pk, now=world.clock.now)
    world.rebuild()
    world.go_on()
    assert world.lms.requests() == before
    assert set(world.lms.receiver.credited().values()) == {1}


@one_database
@pytest.mark.parametrize("on_change", OnChange)
def test_a_late_record_that_takes_a_verdict_away_does_what_the_policy_says(world: World, on_change: OnChange) -> None:
    _late(world, replace(ATTENDED, on_change=on_change))
    is_lowered = on_change is not OnChange.FLAG
    for way in (Way.AGS, Way.MOODLE):
        assert ("4" not in world.done(way)) is is_lowered
        steps = [one.step for one in Reversal.objects.filter(owed=world.row("4", way))]
        assert steps == ([] if on_change is OnChange.CORRECT else [on_change.value])
    assert "4" in world.done(Way.CALLBACK)
    assert [one.step for one in Reversal.objects.filter(owed=world.row("4", Way.CALLBACK))] == [Step.STAYS]
    assert "5" in world.done(Way.AGS)


@one_database
def test_what_was_flagged_is_taken_back_once_a_teacher_says_so(world: World) -> None:
    _late(world, replace(ATTENDED, on_change=OnChange.FLAG))
    for flag in Reversal.objects.filter(owed__external_user_id="4", step=Step.FLAG):
        by_hand.decide_reversal(flag.pk, is_accepted=True, by="tess", now=world.clock.now)
    world.go_on()
    for way in (Way.AGS, Way.MOODLE):
        assert "4" not in world.done(way)
        assert world.row("4", way).state == Owing.SENT
    before = world.lms.requests()
    world.rebuild()
    world.go_on()
    assert world.lms.requests() == before


@one_database
def test_whoever_leaves_the_course_keeps_what_was_sent_and_is_sent_nothing_more(judged: World) -> None:
    Member.objects.filter(user_id="4").update(until_at=judged.clock.now)
    before = judged.lms.requests()
    judged.decide(Word("4", Verdict.NOT_MET))
    judged.go_on()
    assert judged.lms.requests() == before
    for way in Way:
        assert "4" in judged.done(way)


@one_database
def test_after_the_date_nothing_is_lowered(world: World) -> None:
    _late(world, replace(ATTENDED, lowers_until=world.clock.now + HOUR_MS))
    for way in Way:
        assert "4" in world.done(way)
        (stays,) = Reversal.objects.filter(owed=world.row("4", way))
        assert stays.step == Step.STAYS


def _late(world: World, policy: Policy) -> None:
    """Webhooks told of a whole hour, and the record, long after, of a quarter of one."""
    world.hear()
    world.decide(policy)
    world.switch_on()
    world.go_on()
    assert all("4" in world.done(way) for way in Way)
    world.clock.now += 24 * HOUR_MS
    shorter = tuple(replace(kind, parts=(("a", 1, 16),)) if kind.user == "4" else kind for kind in KINDS)
    world.record(held(world.lms.base, at("10:00"), shorter))
    world.go_on()
    assert world.verdicts()["4"] == "not-met"


RED = "7"
"""Somebody who was there too short, and whom the gradebook is told of all the same: as a percentage."""


@one_database
def test_whoever_asks_about_a_red_name_reads_the_same_sentence(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = world.hear(dark=None)
    owner = Client()
    owner.force_login(operator(User, "olga"))
    world.decide(ATTENDED)
    (target,) = world.switch_on(Way.AGS, scoring=Scoring.PERCENT)
    world.go_on()
    school, site = School(platforms={world.lms.base: world.platform}), world.lms.base
    learner = launched(school, "learner", site, Role.LEARNER, RED, COURSE)
    teacher = launched(school, "teacher", site, Role.INSTRUCTOR, "3", COURSE)
    person = f"/activities/{world.key.hex()}/people/{key_of(RED).hex()}"
    assert run(["explain", truth.root.internal_meeting_id, RED]) == 0
    said = {
        "learner": _between(
            _page(learner.get(f"/people/{person_key(site, RED, world.platform.organisation_id).hex()}")),
            '<section class="own-verdicts"',
            "<p>",
        ),
        "teacher": _between(_page(teacher.get(person)), "<h1", '<p class="because">'),
        "operator": _between(_page(owner.get(person)), "<h1", '<p class="because">'),
        "deliveries": _between(
            _page(owner.get(f"/deliveries/{target.receiver_id}?state=sent")), BY_USER[RED].name, "<p>"
        ),
        "terminal": next(
            line.partition(": ")[2] for line in capsys.readouterr().out.splitlines() if line.startswith("The activity")
        ),
        "gradebook": world.lms.gradebook.grades[COLUMN, RED]["comment"],
    }
    assert set(said.values()) == {said["teacher"]}, said
    assert said["teacher"].startswith("Not met yet. Time attended: 20:00 of 45:00 needed, 25:00 missing.")


def _page(answer: Any) -> str:
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


def _between(page: str, after: str, start: str) -> str:
    """The text of the first such element behind a place."""
    return unescape(page.partition(after)[2].partition(start)[2].partition("</p>")[0])
