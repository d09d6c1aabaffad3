"""Scores beside a gradebook that answers as a running Moodle did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall.core.deliveries import NOTHING, Goal
from rollcall.deliveries.completions.by_ags import ByAgs, decided_already, is_same, thousandths_of
from rollcall.deliveries.completions.columns import Place
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.driver import Order, Outcome, Result
from rollcall.lti import grades, tokens
from rollcall.lti.tokens import Tokens
from rollcall.outgoing import addresses
from rollcall.outgoing.connecting import http_client
from tests.deliveries.test_tls import Tls
from tests.lti.asked_platform import Clock, Desk, client_of, key_pair
from tests.lti.service_standin import SCORE, Site, instructor, learner, standing
from tests.makers import at

NOW = at("12:00")
ALL = frozenset({grades.READ_SCOPE, grades.MANAGE_SCOPE, grades.RESULT_SCOPE, grades.SCORE_SCOPE})
MET = Goal(is_done=True, thousandths=1000)
HOUR_MS = 3_600_000


def part(thousandths: int) -> Goal:
    return Goal(thousandths=thousandths)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def site(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(tokens, "signing_key", lambda _now: key_pair())
    people = [*(learner(str(number)) for number in range(10, 40)), instructor("3")]
    keys = {"kid-1": key_pair().private_key.public_key()}
    with standing(Site(keys=keys, members=people, clock=lambda: clock.now / 1000)) as one:
        one.columns[2] = {"id": one.column_url(2), "label": "L1", "scoreMaximum": 100, "resourceId": "", "tag": ""}
        yield one


@dataclass
class Row:
    """What the outbox knows of one person, as its sender writes it down."""

    user: str = "10"
    held: Goal | None = None
    stamp: int | None = None
    is_unanswered: bool = False
    begun: list[int | None] = field(default_factory=list)
    is_ours: bool = True

    def order(self, goal: Goal, **more: Any) -> Order:
        return Order(1, 1, self.user, goal, self.held, 1, stamp=self.stamp, is_unanswered=self.is_unanswered, **more)

    async def begin(self, stamp: int | None = None) -> bool:
        if self.is_ours:
            self.begun.append(stamp)
            self.stamp, self.is_unanswered = stamp, True
        return self.is_ours


def place_in(site: Site, **more: Any) -> Place:
    place = Place(1, 1, client_of(site), site.columns_url, ALL, site.column_url(2), "aa", "Algebra", is_moodle=True)
    return replace(place, **more)


def plain_client() -> httpx.AsyncClient:
    """Without certificates, which take their time to read: all here is plain."""
    return httpx.AsyncClient(verify=False, trust_env=False, follow_redirects=False)  # noqa: S501 - the same


def deliver(site: Site, clock: Clock, *wanted: tuple[Row, Goal], comment: str = "", **more: Any) -> list[Outcome]:
    """One driver, all of these side by side; what is final is written down as the sender does."""

    async def run() -> list[Outcome]:
        async with plain_client() as http:
            tools = Tools(http, Desk(), clock, Tokens(http, Desk(), clock, TRUSTED), TRUSTED)
            driver = ByAgs(place_in(site, **more), tools, sleep=sleeping(clock))
            found = await asyncio.gather(
                *(driver.deliver(row.order(goal, comment=comment), row.begin) for row, goal in wanted)
            )
            return list(found)

    found = asyncio.run(run())
    for (row, goal), outcome in zip(wanted, found, strict=True):
        if outcome.result in {Result.DONE, Result.LEFT, Result.REFUSED}:
            row.is_unanswered = False
        if outcome.result is Result.DONE:
            row.held = goal
    return found


TRUSTED = frozenset({"127.0.0.1"})


def sleeping(clock: Clock) -> Callable[[float], Any]:
    async def sleep(seconds: float) -> None:
        clock.now += round(seconds * 1000)

    return sleep


def one(site: Site, clock: Clock, row: Row, goal: Goal, **more: Any) -> Outcome:
    (found,) = deliver(site, clock, (row, goal), **more)
    return found


def scores(site: Site) -> int:
    return len(site.asked("/scores"))


# -- what is sent ----------------------------------------------------------------------------------------------------


def test_a_class_of_thirty_is_scored_with_one_look_at_the_column(site: Site, clock: Clock) -> None:
    rows = [Row(str(number)) for number in range(10, 40)]
    found = deliver(site, clock, *((row, MET) for row in rows), comment="42:10 of 48:00")
    assert {outcome.result for outcome in found} == {Result.DONE}
    assert {site.seen(2, row.user) for row in rows} == {100}
    assert {grade["comment"] for grade in site.grades.values()} == {"42:10 of 48:00"}
    assert (scores(site), len(site.asked("/results")), len(site.asked("/token.php"))) == (30, 1, 2)
    assert all(row.begun == [NOW] for row in rows)


def test_a_share_is_told_of_a_hundred_and_the_lms_makes_its_own_of_it(site: Site, clock: Clock) -> None:
    site.columns[2]["scoreMaximum"] = 10
    row = Row()
    assert one(site, clock, row, part(430)).result is Result.DONE
    assert site.seen(2, "10") == pytest.approx(4.3)
    clock.now += 120_000
    assert one(site, clock, row, part(433)).result is Result.DONE
    assert site.seen(2, "10") == pytest.approx(4.33)


def test_met_not_met_and_met_again_ends_as_met(site: Site, clock: Clock) -> None:
    row, seen = Row(), []
    for goal in (MET, NOTHING, MET):
        assert one(site, clock, row, goal) == Outcome(Result.DONE, "", 200, "OK")
        seen.append(site.seen(2, "10"))
        clock.now += 10_000
    assert seen == [100, None, 100]
    assert row.begun == sorted(set(row.begun), key=lambda stamp: stamp or 0)


def test_what_was_never_sent_is_not_emptied(site: Site, clock: Clock) -> None:
    assert one(site, clock, Row(), NOTHING) == Outcome(Result.DONE)
    assert site.requests == []


def test_zero_is_a_grade_and_taken_back_like_one(site: Site, clock: Clock) -> None:
    row = Row()
    assert one(site, clock, row, part(0)).result is Result.DONE
    assert site.grades[2, "10"]["value"] == 0
    clock.now += 10_000
    assert one(site, clock, row, NOTHING).result is Result.DONE
    assert site.grades[2, "10"]["value"] is None


def test_each_score_waits_for_a_second_of_its_own(site: Site, clock: Clock) -> None:
    row = Row()
    assert [one(site, clock, row, goal).result for goal in (part(100), part(200), part(300))] == [Result.DONE] * 3
    assert row.begun == [NOW, NOW + 1000, NOW + 2000]
    assert site.seen(2, "10") == 30


def test_what_another_worker_has_taken_over_is_not_sent(site: Site, clock: Clock) -> None:
    assert one(site, clock, Row(is_ours=False), MET) == Outcome(Result.LATER, "not-ours")
    assert scores(site) == 0


# -- what was sent, and no answer seen ---------------------------------------------------------------------------------


def test_a_score_that_had_arrived_is_not_sent_again(site: Site, clock: Clock) -> None:
    row = Row()
    site.faults = [("/scores", lambda *_: (200, b"<p>", "text/html", {}))]
    assert one(site, clock, row, MET).code == "error-page"
    assert row.is_unanswered
    clock.now += 60_000
    assert one(site, clock, row, MET).result is Result.DONE
    assert scores(site) == 1


def test_another_goal_replaces_the_score_whose_answer_was_lost(site: Site, clock: Clock) -> None:
    row = Row(held=part(200))
    site.faults = [("/scores", lambda *_: (503, b"", SCORE, {"Retry-After": "7"}))]
    busy = one(site, clock, row, part(500))
    assert (busy.result, busy.code, busy.retry_after_ms) == (Result.RECEIVER, "busy", 7000)
    assert one(site, clock, row, part(700)).result is Result.DONE
    assert site.seen(2, "10") == 70
    assert len(row.begun) == 2


def test_a_connection_that_breaks_leaves_it_open(site: Site, clock: Clock) -> None:
    row = Row()
    site.faults = [("/scores", "drop")]
    assert one(site, clock, row, MET) == Outcome(Result.RECEIVER, "broken-connection")
    assert row.is_unanswered
    assert one(site, clock, row, MET).result is Result.DONE
    assert site.scored == [(2, "10", 100)]


# -- what people have decided there ------------------------------------------------------------------------------------


def test_a_grade_given_by_hand_is_left(site: Site, clock: Clock) -> None:
    site.override(2, "10", 33)
    assert one(site, clock, Row(), MET) == Outcome(Result.LEFT, "overridden")
    assert scores(site) == 0
    assert site.seen(2, "10") == 33


def test_a_grade_changed_by_hand_is_left(site: Site, clock: Clock) -> None:
    row = Row()
    one(site, clock, row, MET)
    site.override(2, "10", 60)
    clock.now += 10_000
    assert one(site, clock, row, NOTHING) == Outcome(Result.LEFT, "overridden")
    assert site.seen(2, "10") == 60


def test_an_override_that_looks_like_ours_shows_after_the_score(site: Site, clock: Clock) -> None:
    row = Row()
    one(site, clock, row, part(600))
    site.override(2, "10", 60)
    clock.now += 10_000
    found = one(site, clock, row, part(800))
    assert (found.result, found.code, found.status) == (Result.LEFT, "overridden", 200)


def test_the_same_grade_by_hand_is_what_is_wanted(site: Site, clock: Clock) -> None:
    site.override(2, "10", 100)
    assert one(site, clock, Row(), MET) == Outcome(Result.DONE)
    assert scores(site) == 0


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_locked_is_reported_and_not_tried_again(site: Site, clock: Clock, *, whole: bool) -> None:
    site.locked |= {2} if whole else set()
    site.locked_for |= {(2, "10")}
    found = one(site, clock, Row(), MET)
    assert (found.result, found.code, found.status) == (Result.REFUSED, "locked", 500)


@pytest.mark.parametrize("user", ["3", "99"])
def test_teachers_and_strangers_get_no_score(site: Site, clock: Clock, user: str) -> None:
    found = one(site, clock, Row(user), MET)
    assert (found.result, found.code, found.status) == (Result.REFUSED, "not-gradable", 400)
    assert found.phrase.startswith("Incorrect score received")


@pytest.mark.parametrize("user", ["w_abc", "", "007", "-1", "9" * 30])
def test_an_id_that_moodle_breaks_down_on_is_never_sent(site: Site, clock: Clock, user: str) -> None:
    assert one(site, clock, Row(user), MET) == Outcome(Result.REFUSED, "no-lms-user")
    assert site.requests == []


def test_another_lms_has_ids_of_any_kind(site: Site, clock: Clock) -> None:
    site.members.append(learner("0b1f"))
    assert one(site, clock, Row("0b1f"), MET, is_moodle=False).code == "failed"  # this one is a Moodle all the same
    assert scores(site) == 1


# -- seconds -----------------------------------------------------------------------------------------------------------


def held_at(site: Site, second: int, value: float | None = 50) -> None:
    site.grades[2, "10"] = {"second": second // 1000, "value": value, "comment": ""}


def test_a_conflict_with_what_is_wanted_is_done(site: Site, clock: Clock) -> None:
    """Somebody else, or an earlier try, has written the same in the same second, after the column was read."""
    row = Row(held=part(200))
    site.faults = [("/results", lambda *_: (200, b"[]", "text/html", {}))]
    held_at(site, NOW, 100)
    found = one(site, clock, row, MET)
    assert (found.result, found.status, len(row.begun)) == (Result.DONE, 409, 1)


def test_after_a_conflict_one_new_second_is_tried(site: Site, clock: Clock) -> None:
    row = Row(held=part(500))
    site.faults = [("/results", lambda *_: (200, b"[]", "text/html", {}))]
    held_at(site, NOW, 50)
    assert one(site, clock, row, MET).result is Result.DONE
    assert row.begun == [NOW, NOW + 1000]
    assert site.seen(2, "10") == 100


def test_a_second_conflict_is_reported(site: Site, clock: Clock) -> None:
    site.faults = [("/scores", 409), ("/scores", 409)]
    found = one(site, clock, Row(), MET)
    assert (found.result, found.code, found.status) == (Result.REFUSED, "conflict", 409)
    assert scores(site) == 2


def test_a_score_of_the_future_bars_others_until_then(site: Site, clock: Clock) -> None:
    row = Row(held=part(500))
    held_at(site, NOW + HOUR_MS // 2)
    found = one(site, clock, row, MET)
    assert found == Outcome(Result.LATER, "later-score", retry_after_ms=HOUR_MS // 2 + 1000)
    assert scores(site) == 0
    clock.now += HOUR_MS // 2 + 1000
    assert one(site, clock, row, MET).result is Result.DONE


def test_a_score_of_next_year_is_reported(site: Site, clock: Clock) -> None:
    held_at(site, NOW + 366 * 24 * HOUR_MS)
    assert one(site, clock, Row(held=part(500)), MET) == Outcome(Result.REFUSED, "later-score")


@pytest.mark.parametrize("ahead_ms", [-HOUR_MS, HOUR_MS])
def test_seconds_are_those_of_the_clock_of_the_lms(site: Site, clock: Clock, ahead_ms: int) -> None:
    from email.utils import formatdate

    date = {"Date": formatdate((NOW + ahead_ms) / 1000, usegmt=True)}
    site.faults = [("/results", lambda *_: (200, b"[]", "text/html", date))]
    row = Row()
    assert one(site, clock, row, MET).result is Result.DONE
    assert row.begun == [NOW + ahead_ms]


def test_where_nothing_can_be_read_seconds_go_past_what_was_sent(site: Site, clock: Clock) -> None:
    row, may = Row(), ALL - {grades.RESULT_SCOPE}
    for goal in (MET, NOTHING, MET):
        assert one(site, clock, row, goal, scopes=may).result is Result.DONE
    assert row.begun == [NOW, NOW + 1000, NOW + 2000]
    assert site.asked("/results") == []


def test_what_may_be_read_no_more_can_be_written_still(site: Site, clock: Clock) -> None:
    site.permitted = site.permitted - {grades.RESULT_SCOPE}
    assert one(site, clock, Row(), MET).result is Result.DONE


# -- an LMS in trouble -----------------------------------------------------------------------------------------------

PAGE = b"<!DOCTYPE html><title>Maintenance</title>"


@pytest.mark.parametrize(
    ("faults", "wanted", "code"),
    [
        ([("/token.php", lambda *_: (200, PAGE, "text/html", {}))], Result.RECEIVER, "not-a-token"),
        ([("/token.php", 500)], Result.RECEIVER, "failed"),
        ([("/token.php", 429)], Result.RECEIVER, "busy"),
        ([("/token.php", 404)], Result.RECEIVER, "keys-unreachable"),
        ([("/token.php", "drop")], Result.RECEIVER, "broken-connection"),
        ([("/results", lambda *_: (200, PAGE, "text/html", {}))], Result.RECEIVER, "not-grades"),
        ([("/results", lambda *_: (200, b'[{"userId":"10","resu', "text/html", {}))], Result.RECEIVER, "not-grades"),
        ([("/results", 503)], Result.RECEIVER, "busy"),
        ([("/results", "drop")], Result.RECEIVER, "broken-connection"),
        ([("/scores", lambda *_: (200, PAGE, "text/html", {}))], Result.RECEIVER, "error-page"),
        ([("/scores", lambda *_: (302, b"", "text/html", {"Location": "http://10.0.0.1/"}))], Result.RECEIVER, "moved"),
        ([("/scores", 429)], Result.RECEIVER, "too-many"),
        ([("/scores", 503)], Result.RECEIVER, "busy"),
        ([("/scores", lambda *_: (500, PAGE, "text/html", {}))], Result.LATER, "failed"),
        ([("/scores", 502)], Result.LATER, "failed"),
        ([("/scores", 502), ("/results", None), ("/results", 502)], Result.RECEIVER, "failed"),
        ([("/scores", 500), ("/results", None), ("/results", 503)], Result.RECEIVER, "busy"),
        ([("/scores", 403)], Result.TARGET, "forbidden"),
        ([("/scores", 401), ("/scores", 401)], Result.TARGET, "not-authorized"),
        ([("/scores", 400)], Result.RECEIVER, "wrong-request"),
    ],
)
def test_each_trouble_has_its_name_and_what_waits_for_it(
    site: Site, clock: Clock, faults: list[Any], wanted: Result, code: str
) -> None:
    site.faults = faults
    row = Row()
    found = one(site, clock, row, MET)
    assert (found.result, found.code) == (wanted, code)
    site.faults = []
    assert one(site, clock, row, MET).result is Result.DONE
    assert site.seen(2, "10") == 100


def slowly(*answer: Any) -> Any:
    time.sleep(0.2)
    return answer


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (lambda *_: (200, b"half a body", SCORE, {"Transfer-Encoding": "chunked"}), "broken-connection"),
        (slowly, "timeout"),
    ],
)
def test_no_answer_leaves_it_open_and_the_next_try_finds_that_it_had_arrived(
    site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch, fault: Any, code: str
) -> None:
    monkeypatch.setitem(grades._BOUNDS, "seconds", 0.1)
    site.faults = [("/scores", fault)]
    row = Row()
    assert one(site, clock, row, MET) == Outcome(Result.RECEIVER, code)
    assert row.is_unanswered
    monkeypatch.setitem(grades._BOUNDS, "seconds", 5.0)
    assert one(site, clock, row, MET).result is Result.DONE
    assert site.scored == [(2, "10", 100)]


def test_a_certificate_that_nobody_vouches_for_is_named(
    site: Site, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: address.is_loopback)
    with Tls(tmp_path, ends=timedelta(minutes=-1)).serving() as base:
        client = replace(client_of(site), token_url=f"{base}/mod/lti/token.php")

        async def ask() -> Outcome:
            async with http_client() as http:
                tools = Tools(http, Desk(), clock, Tokens(http, Desk(), clock, frozenset()), frozenset())
                row = Row()
                return await ByAgs(place_in(site, client=client), tools).deliver(row.order(MET), row.begin)

        assert asyncio.run(ask()) == Outcome(Result.RECEIVER, "tls")


@pytest.mark.parametrize(("path", "code"), [("/results", "busy"), ("/scores", "too-many")])
def test_for_how_long_it_asks_to_be_left_alone_is_told(site: Site, clock: Clock, path: str, code: str) -> None:
    site.faults = [(path, lambda *_: (429, b"", SCORE, {"Retry-After": "300"}))]
    found = one(site, clock, Row(), MET)
    assert (found.result, found.code, found.retry_after_ms) == (Result.RECEIVER, code, 300_000)


def test_an_lms_that_hangs_is_waited_for_once_and_not_by_one_after_the_other(
    site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(grades._BOUNDS, "seconds", 0.1)
    site.faults = [("/results", slowly)] * 12
    found = deliver(site, clock, *((Row(str(number)), MET) for number in range(10, 22)))
    assert set(found) == {Outcome(Result.RECEIVER, "timeout")}
    assert len(site.asked("/results")) == 1


def test_a_clock_that_stands_still_is_waited_for_no_longer_than_a_second(site: Site) -> None:
    row = Row()
    assert one(site, Clock(NOW), row, part(100)).result is Result.DONE
    found = one(site, Still(NOW), row, part(200))
    assert found == Outcome(Result.LATER, "later-score", retry_after_ms=2000)


class Still(Clock):
    """It never moves."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.__dict__:
            super().__setattr__(name, value)


def test_a_clock_that_is_ahead_gets_no_token_and_a_named_trouble(site: Site, clock: Clock) -> None:
    site.clock = lambda: (clock.now - HOUR_MS) / 1000
    assert one(site, clock, Row(), MET).code == "clock-ahead"
    site.clock = lambda: (clock.now + HOUR_MS) / 1000
    assert one(site, clock, Row(), MET).code == "clock-behind"


def test_a_token_that_was_revoked_is_asked_for_again(site: Site, clock: Clock) -> None:
    async def run() -> list[Outcome]:
        async with plain_client() as http:
            tools = Tools(http, Desk(), clock, Tokens(http, Desk(), clock, TRUSTED), TRUSTED)
            driver = ByAgs(place_in(site), tools)
            first = await driver.deliver(Row("10").order(MET), Row("10").begin)
            site.tokens.clear()
            return [first, await driver.deliver(Row("11").order(MET), Row("11").begin)]

    assert {found.result for found in asyncio.run(run())} == {Result.DONE}


@pytest.mark.parametrize(("whole", "code"), [(False, "column-gone"), (True, "course-gone")])
def test_what_was_deleted_is_told_apart_and_asked_for_once(site: Site, clock: Clock, *, whole: bool, code: str) -> None:
    site.course_is_gone = whole
    del site.columns[2]
    found = deliver(site, clock, *((Row(str(number)), MET) for number in range(10, 20)))
    assert {(outcome.result, outcome.code) for outcome in found} == {(Result.TARGET, code)}
    assert scores(site) == 0


def test_a_column_that_is_listed_is_not_gone_whatever_its_page_says(site: Site, clock: Clock) -> None:
    page = b"<!DOCTYPE html><p>Exception"
    site.faults = [("/results", lambda *_: (404, page, "text/html", {}))]
    found = one(site, clock, Row(), MET)
    assert (found.result, found.code) == (Result.TARGET, "failed")


def test_a_score_on_which_moodle_breaks_down_bars_nobody_else(site: Site, clock: Clock) -> None:
    page = b"<!DOCTYPE html><p>Exception"
    site.faults = [("/scores", lambda *_: (404, page, "text/html", {}))]
    found = one(site, clock, Row(), MET)
    assert (found.result, found.code) == (Result.LATER, "failed")


def test_a_registration_that_was_replaced_is_told(site: Site, clock: Clock) -> None:
    url = site.column_url(2).replace("type_id=1", "type_id=77")
    found = one(site, clock, Row(), MET, column_url=url)
    assert (found.result, found.code) == (Result.TARGET, "not-authorized")


def test_a_private_address_is_not_asked(site: Site, clock: Clock) -> None:
    client = replace(client_of(site), token_url="https://10.1.2.3/mod/lti/token.php")
    assert one(site, clock, Row(), MET, client=client).code == "private-address"


# -- rules -----------------------------------------------------------------------------------------------------------

GRADES = st.none() | st.integers(1, 1000)


@given(GRADES, st.none() | st.integers(0, 1000), st.none() | st.integers(0, 1000), st.booleans())
def test_nothing_is_ever_sent_over_a_grade_that_is_not_ours(
    holds: int | None, held: int | None, wanted: int | None, is_unanswered: bool
) -> None:
    shown = None if holds is None else grades.Result("7", holds / 10, 100)
    order = Order(1, 1, "7", part(wanted) if wanted is not None else NOTHING, None, 1, is_unanswered=is_unanswered)
    order = replace(order, held=None if held is None else part(held))
    found = decided_already(order, shown)
    if found is None and holds is not None:
        is_tried = wanted is not None or is_same(holds, 1000)
        assert (is_unanswered and is_tried) or (held is not None and is_same(holds, held))
    if found is not None and found.result is Result.DONE:
        assert is_same(holds, wanted)


SENT_AT, LATER = NOW, NOW + HOUR_MS
UNANSWERED = {"stamp": SENT_AT, "is_unanswered": True}


@pytest.mark.parametrize(
    ("earlier", "goal", "shown", "is_left"),
    [
        (UNANSWERED, MET, {"score": 55}, True),
        (UNANSWERED, MET, {"score": 55, "at": LATER}, True),
        (UNANSWERED, NOTHING, {"score": 100}, False),
        (UNANSWERED, NOTHING, {"score": 100, "at": LATER}, True),
        (UNANSWERED, part(700), {"score": 55}, False),
        (UNANSWERED, part(700), {"score": 55, "at": LATER}, True),
        (UNANSWERED, MET, {"score": 25, "at": SENT_AT}, False),
        ({}, MET, {"score": 0}, False),
        ({}, MET, {"score": 0, "comment": "The oral exam"}, True),
        ({}, MET, {"score": 0, "at": LATER}, True),
        ({}, MET, {"score": None, "comment": "Well begun"}, False),
        ({"stamp": SENT_AT, "held": NOTHING}, MET, {"score": 0, "at": SENT_AT, "comment": "Not met."}, False),
        ({"stamp": SENT_AT, "held": part(0)}, part(500), {"score": 0, "at": LATER}, False),
        ({"stamp": SENT_AT, "held": MET}, part(500), {"score": 0, "at": LATER}, True),
    ],
)
def test_what_a_person_gave_is_told_from_what_a_lost_try_may_have_brought(
    earlier: dict[str, Any], goal: Goal, shown: dict[str, Any], *, is_left: bool
) -> None:
    order = replace(Order(1, 1, "7", goal, None, 1), **earlier)
    found = decided_already(order, grades.Result(user_id="7", maximum=100, **shown))
    assert found == (Outcome(Result.LEFT, "overridden") if is_left else None)


@pytest.mark.parametrize(
    ("score", "maximum", "wanted"),
    [(None, 100, None), (0, 100, None), (33, 100, 330), (6.6667, 20, 333), (5, None, None)],
)
def test_a_result_is_read_as_a_part_of_its_own_maximum(
    score: float | None, maximum: float | None, wanted: int | None
) -> None:
    assert thousandths_of(grades.Result("7", score, maximum)) == wanted


# -- whatever happens ------------------------------------------------------------------------------------------------

GOALS = st.sampled_from([NOTHING, MET, part(0), part(250), part(900)])
FAULTS = st.sampled_from(
    [
        None,
        ("/scores", "drop"),
        ("/scores", 503),
        ("/scores", lambda *_: (200, PAGE, "text/html", {})),
        ("/scores", lambda *_: (500, PAGE, "text/html", {})),
        ("/results", 502),
    ]
)
STEPS = st.lists(st.tuples(GOALS, FAULTS, st.sampled_from([0, 400, 1000, 90_000])), min_size=1, max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.none() | st.integers(0, 7))
def test_in_the_end_the_last_goal_stands_or_what_a_teacher_gave(
    site: Site, clock: Clock, steps: list[tuple[Goal, Any, int]], overridden_before: int | None
) -> None:
    site.grades.clear()
    row, given_by_hand = Row(), False
    for number, (goal, fault, later) in enumerate(steps):
        if number == overridden_before:
            site.override(2, "10", 33)
            given_by_hand = True
        site.faults = [fault] if fault else []
        found = one(site, clock, row, goal)
        assert found.result is not Result.REFUSED, found
        clock.now += later
    site.faults = []
    wanted = steps[-1][0]
    found = one(site, clock, row, wanted)
    if given_by_hand:
        assert site.seen(2, "10") == 33
        assert found.result is Result.LEFT or (wanted == NOTHING and row.held is not None)
    else:
        assert found.result is Result.DONE
        assert is_same(round(10 * (site.seen(2, "10") or 0)), wanted.thousandths)
