"""Our rule, told to a stand-in for Moodle's receiver of meeting events that answers as the real one does."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.core.deliveries import NOTHING, Goal
from rollcall.deliveries import post
from rollcall.deliveries.by_callback import is_sendable_id, rule_id
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.natively import ByRule, Place
from rollcall.deliveries.driver import Outcome, Result
from rollcall.deliveries.queue import Key
from rollcall.lti.tokens import Tokens
from tests.deliveries.completions.test_ags import TRUSTED, Row, plain_client
from tests.deliveries.world import SECRET, Clock
from tests.lti.asked_platform import Desk
from tests.moodle import Activity, Moodle

DONE = Goal(is_done=True)
KEY = Key(1, SECRET)
PEOPLE = [str(number) for number in range(10, 40)]


@pytest.fixture(autouse=True)
def _rule(site: Moodle) -> None:
    """What a teacher sets in Moodle beside it: one minute, and nothing else."""
    site.activities[1] = Activity("a" * 40, rules={"attendance": 1})


def place_at(site: Moodle, **more: Any) -> Place:
    return replace(Place(site.url(1), site.meeting_id(1), "target 1", 1, (KEY,), KEY), **more)


def deliver(site: Moodle, clock: Clock, *wanted: tuple[Row, Goal], revision: int = 1, **more: Any) -> list[Outcome]:
    """One driver, all of these side by side; what is final is written down as the sender does."""

    async def run() -> list[Outcome]:
        async with plain_client() as http:
            desk = Unwritten()
            tools = Tools(http, desk, clock, Tokens(http, desk, clock, TRUSTED), TRUSTED)
            driver = ByRule(place_at(site, **more), tools)
            orders = [(replace(row.order(goal), revision=revision), row) for row, goal in wanted]
            return list(await asyncio.gather(*(driver.deliver(order, row.begin) for order, row in orders)))

    found = asyncio.run(run())
    for (row, goal), outcome in zip(wanted, found, strict=True):
        if outcome.result in {Result.DONE, Result.REFUSED}:
            row.is_unanswered = False
        if outcome.result is Result.DONE:
            row.held = goal
    return found


class Unwritten(Desk):
    """Remembers what would be written into the store."""

    async def __call__(self, work: Any, *arguments: Any) -> None:
        self.noted.append(arguments)


def one(site: Moodle, clock: Clock, row: Row, goal: Goal = DONE, **more: Any) -> Outcome:
    (found,) = deliver(site, clock, (row, goal), **more)
    return found


def test_a_class_of_thirty_is_completed_one_by_one(site: Moodle, clock: Clock) -> None:
    found = deliver(site, clock, *((Row(user), DONE) for user in PEOPLE))
    assert {outcome.result for outcome in found} == {Result.DONE}
    assert site.completed(1) == set(map(int, PEOPLE))
    assert set(site.credited(1).values()) == {1}
    assert len(site.deliveries()) == 30
    assert len(site.requests) == 30


def test_one_person_is_told_of_with_one_minute_and_nothing_else(site: Moodle, clock: Clock) -> None:
    one(site, clock, Row("10"))
    (request,) = site.deliveries()
    body = json.loads(request.body)
    assert is_sendable_id(body["internal_meeting_id"])
    (attendee,) = body["data"]["attendees"]
    assert (body["meeting_id"], attendee["ext_user_id"], attendee["duration"]) == (site.meeting_id(1), "10", 60)
    assert set(attendee["engagement"].values()) == {0}
    assert "name" not in attendee


def test_a_repeat_is_known_there_and_changes_nothing(site: Moodle, clock: Clock) -> None:
    row = Row("10")
    site.faults = ["close-after"]
    assert one(site, clock, row) == Outcome(Result.RECEIVER, "broken-connection")
    assert row.is_unanswered
    found = one(site, clock, row)
    assert (found.result, found.status) == (Result.DONE, 202)
    assert site.credited(1) == {10: 1}


@pytest.mark.parametrize("fault", ["close-before", "close-after", "500", "500-after", "503-after", "502"])
def test_whatever_breaks_off_it_is_there_once(site: Moodle, clock: Clock, fault: str) -> None:
    row = Row("10")
    site.faults = [fault]
    assert one(site, clock, row).result in {Result.RECEIVER, Result.LATER}
    assert one(site, clock, row).result is Result.DONE
    assert site.credited(1) == {10: 1}


def test_a_resend_has_an_id_of_its_own(site: Moodle, clock: Clock) -> None:
    one(site, clock, Row("10"))
    assert one(site, clock, Row("10"), revision=2).status == 200
    assert site.credited(1) == {10: 2}


def test_what_moodle_could_not_keep_is_reported_and_breaks_nobody_off(site: Moodle, clock: Clock) -> None:
    site.breaks_after = 0
    refused = one(site, clock, Row("10"))
    assert (refused.result, refused.code) == (Result.REFUSED, "broken-off")
    site.breaks_after = None
    assert one(site, clock, Row("11")).result is Result.DONE
    assert one(site, clock, Row("10"), revision=2).result is Result.DONE
    assert site.completed(1) == {10, 11}


def test_a_page_where_moodle_fails_silently_is_explained_by_the_probe(site: Moodle, clock: Clock) -> None:
    site.breaks_after, site.breaks_with = 0, ""
    refused = one(site, clock, Row("10"))
    assert (refused.result, refused.code, refused.status) == (Result.REFUSED, "broken-off", 404)


@pytest.mark.parametrize("user", ["w_guest", "", "007", "v_1", "-3", "9" * 30])
def test_an_id_that_would_break_it_is_never_sent(site: Moodle, clock: Clock, user: str) -> None:
    assert one(site, clock, Row(user)) == Outcome(Result.REFUSED, "no-lms-user")
    assert site.requests == []


def test_nothing_is_taken_back(site: Moodle, clock: Clock) -> None:
    assert one(site, clock, Row("10"), NOTHING) == Outcome(Result.DONE)
    assert one(site, clock, Row("10", held=DONE), NOTHING) == Outcome(Result.REFUSED, "takes-nothing-back")
    assert site.requests == []


def test_an_activity_that_was_deleted_stops_its_target(site: Moodle, clock: Clock) -> None:
    found = one(site, clock, Row("10"), url=site.url(77))
    assert (found.result, found.code) == (Result.TARGET, "activity-gone")


# -- an LMS in trouble -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("429", "too-many"),
        ("503", "busy"),
        ("302", "moved"),
        ("403", "forbidden"),
        ("close-before", "broken-connection"),
    ],
)
def test_what_is_wrong_with_the_lms_makes_everything_for_it_wait(
    site: Moodle, clock: Clock, fault: str, code: str
) -> None:
    site.faults, site.retry_after = [fault], "120"
    found = one(site, clock, Row("10"))
    assert (found.result, found.code) == (Result.RECEIVER, code)
    assert found.retry_after_ms == (120_000 if fault in {"429", "503"} else None)
    assert site.credited() == {}


def test_no_answer_leaves_it_open(site: Moodle, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row("10")
    site.faults = ["slow"]
    monkeypatch.setattr(post, "WHOLE_SECONDS", 0.1)
    assert one(site, clock, row) == Outcome(Result.RECEIVER, "timeout")
    monkeypatch.setattr(post, "WHOLE_SECONDS", 5.0)
    assert one(site, clock, row).result is Result.DONE
    assert site.credited(1) == {10: 1}


def test_one_on_whom_it_fails_holds_up_nobody(site: Moodle, clock: Clock) -> None:
    site.fails_for = '"ext_user_id":"10"'
    found = deliver(site, clock, *((Row(user), DONE) for user in ("10", "11")))
    assert [(outcome.result, outcome.code) for outcome in found] == [(Result.LATER, "failed"), (Result.DONE, "")]


def test_a_header_that_does_not_arrive_is_named(site: Moodle, clock: Clock) -> None:
    site.is_header_stripped = True
    found = one(site, clock, Row("10"))
    assert (found.result, found.code, found.status) == (Result.RECEIVER, "header-stripped", 400)


def test_a_clock_an_hour_off_is_named(site: Moodle, clock: Clock) -> None:
    site.clock = lambda: clock.now / 1000 + 3600
    assert one(site, clock, Row("10")).code == "expired-token"


def test_a_private_address_is_not_sent_to(site: Moodle, clock: Clock) -> None:
    url = "https://10.1.2.3/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events&bigbluebuttonbn=1"
    assert one(site, clock, Row("10"), url=url) == Outcome(Result.RECEIVER, "private-address")


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_the_secret_is_found_once_by_a_probe_that_changes_nothing(site: Moodle, clock: Clock) -> None:
    keys = (Key(2, "a newer one"), KEY)
    found = deliver(site, clock, *((Row(user), DONE) for user in PEOPLE), keys=keys, known=None)
    assert {outcome.result for outcome in found} == {Result.DONE}
    assert sum(request.is_probe for request in site.requests) == 2


def test_a_secret_that_was_changed_is_found_anew(site: Moodle, clock: Clock) -> None:
    keys = (Key(2, "a newer one"), KEY)
    site.secret = "a newer one"
    assert one(site, clock, Row("10"), keys=keys).result is Result.DONE
    assert site.credited(1) == {10: 1}


def test_where_no_secret_fits_everything_waits(site: Moodle, clock: Clock) -> None:
    site.secret = "quite another"
    found = one(site, clock, Row("10"))
    assert (found.result, found.code) == (Result.RECEIVER, "wrong-secret")
    assert one(site, clock, Row("10"), keys=(), known=None) == Outcome(Result.RECEIVER, "no-secret")


def test_where_the_secret_cannot_be_found_it_is_asked_for_once(site: Moodle, clock: Clock) -> None:
    site.is_header_stripped = True
    found = deliver(site, clock, *((Row(user), DONE) for user in PEOPLE), known=None)
    assert {(outcome.result, outcome.code) for outcome in found} == {(Result.RECEIVER, "header-stripped")}
    assert len(site.requests) == 1


def test_what_another_worker_has_taken_over_is_not_sent(site: Moodle, clock: Clock) -> None:
    assert one(site, clock, Row("10", is_ours=False)) == Outcome(Result.LATER, "not-ours")
    assert site.deliveries() == []


# -- ids -------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 10**9), st.text(max_size=5), st.text(max_size=5)), min_size=2, max_size=20))
def test_no_id_is_a_part_of_another(told: list[tuple[int, str, str]]) -> None:
    ids = {one: rule_id(*one) for one in told}
    assert all(re.fullmatch("[0-9a-f]{40}-[0-9]{13}", found) for found in ids.values())
    assert len(set(ids.values())) == len(ids)
    assert rule_id(*told[0]) == ids[told[0]]
