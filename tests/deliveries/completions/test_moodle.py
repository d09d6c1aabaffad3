"""Completion by web services: against a Moodle that answers as the recorded one does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.core.deliveries import NOTHING, Goal
from rollcall.deliveries.completions.by_moodle import About, MoodleDriver
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.sender import AT_ONCE_PER_RECEIVER
from rollcall.deliveries.driver import Order, Outcome, Result
from rollcall.lti.tokens import Tokens
from rollcall.moodle.asking import Access
from rollcall.outgoing import addresses
from rollcall.outgoing.connecting import http_client
from tests.deliveries.test_tls import Tls
from tests.moodle_web_services import (
    ACTIVITIES,
    ENTER,
    HIDDEN,
    OURS,
    OVERRIDE,
    OVERRIDES,
    READ,
    READS,
    SEE,
    SEED,
    TEACHER,
    TOKEN,
    Module,
    Refusal,
    Site,
    bad_token,
    no_right,
    web_services,
)

if TYPE_CHECKING:
    from collections.abc import Callable

DONE, OPEN = Goal(is_done=True), NOTHING
ABOUT = About(target=1, course="2", instance="1", cmid="", seeds=frozenset({SEED}), ours=str(OURS))


@pytest.fixture
def site() -> Iterator[Site]:
    with web_services() as running:
        yield running


@dataclass
class Bench:
    """Has orders delivered, as a worker does; `begun` holds for whom something was about to be sent."""

    site: Site
    about: About = ABOUT
    token: str = TOKEN
    is_ours: bool = True
    trusted: frozenset[str] = frozenset({"127.0.0.1"})
    begun: list[str] = field(default_factory=list)
    remembered: list[tuple[Any, ...]] = field(default_factory=list)
    address: str = ""

    def deliver(self, *orders: Order) -> list[Outcome]:
        return asyncio.run(self._deliver(orders))

    def one(self, user: str = "4", goal: Goal = DONE, held: Goal | None = None, **more: Any) -> Outcome:
        (outcome,) = self.deliver(order(user, goal, held, **more))
        return outcome

    async def _deliver(self, orders: tuple[Order, ...]) -> list[Outcome]:
        async with http_client() as http:
            tools = Tools(http, self._in_thread, lambda: 0, Tokens(http, self._in_thread, lambda: 0), self.trusted)
            access = Access(self.address or self.site.base, self.token)
            driver = MoodleDriver(self.about, access, tools)
            places = asyncio.Semaphore(AT_ONCE_PER_RECEIVER)

            async def deliver(one: Order) -> Outcome:
                async with places:
                    return await driver.deliver(one, self._begin(one))

            return await asyncio.gather(*map(deliver, orders))

    def _begin(self, one: Order) -> Any:
        async def begin(stamp: int | None = None) -> bool:
            self.begun.append(one.user_id)
            return self.is_ours

        return begin

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> None:
        assert work.__name__ == "_remember"
        self.remembered.append(arguments)


def order(user: str, goal: Goal = DONE, held: Goal | None = None, **more: Any) -> Order:
    return Order(
        owed=int(user) if user.isdecimal() else 0, target=1, user_id=user, goal=goal, held=held, revision=1, **more
    )


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(site)


# -- what is set, and what is left --------------------------------------------------------------------------------


def test_who_has_met_is_completed_once_however_often_it_is_asked(bench: Bench, site: Site) -> None:
    assert bench.one() == Outcome(Result.DONE, status=200)
    assert site.completed() == {4}
    assert bench.one(is_unanswered=True) == Outcome(Result.DONE, "", 200)
    assert (site.asked()[OVERRIDE], bench.begun) == (1, ["4"])


def test_it_is_taken_back_and_given_again(bench: Bench, site: Site) -> None:
    for goal, held, completed in ((DONE, None, {4}), (OPEN, DONE, set()), (DONE, OPEN, {4})):
        assert bench.one(goal=goal, held=held).result is Result.DONE
        assert site.completed() == completed
    assert site.asked()[OVERRIDE] == 3


def test_where_nothing_was_ever_sent_and_nothing_is_wanted_nobody_is_asked(bench: Bench, site: Site) -> None:
    assert bench.one(goal=OPEN) == Outcome(Result.DONE)
    assert not site.requests


def test_what_may_have_arrived_unseen_is_taken_back_too(bench: Bench, site: Site) -> None:
    site.by_hand(4, 1, by=OURS)
    assert bench.one(goal=OPEN, held=None, is_unanswered=True).result is Result.DONE
    assert site.completed() == set()


@pytest.mark.parametrize(
    ("state", "by", "goal", "outcome"),
    [
        (0, TEACHER, DONE, Outcome(Result.LEFT, "overridden", 200)),
        (1, TEACHER, OPEN, Outcome(Result.LEFT, "overridden", 200)),
        (1, 0, OPEN, Outcome(Result.LEFT, "done-there", 200)),
        (1, TEACHER, DONE, Outcome(Result.DONE, "", 200)),
        (1, 0, DONE, Outcome(Result.DONE, "", 200)),
        (0, TEACHER, OPEN, Outcome(Result.DONE, "", 200)),
    ],
)
def test_what_a_person_or_moodles_own_rule_has_decided_is_left(
    bench: Bench, state: int, by: int, goal: Goal, outcome: Outcome
) -> None:
    bench.site.by_hand(4, state, by=by)
    assert bench.one(goal=goal, held=DONE) == outcome
    assert bench.site.rows[3, 4].state == state
    assert (bench.site.asked()[OVERRIDE], bench.begun) == (0, [])


def test_only_who_is_enrolled_as_a_student_now_is_written_to(bench: Bench, site: Site) -> None:
    """Moodle itself would write a row for anybody."""
    assert bench.one(str(TEACHER)) == Outcome(Result.REFUSED, "no-student", 200)
    assert bench.one("99999").code == "user-gone"
    for user in ("w_4af", "", "0", "-4", "4 ", "4&newstate=1", "4" * 20):
        assert bench.one(user) == Outcome(Result.REFUSED, "not-a-user")
    assert not site.rows


def test_another_workers_order_is_left_to_it(bench: Bench, site: Site) -> None:
    bench.is_ours = False
    assert bench.one().result is Result.LATER
    assert not site.rows


# -- which activity -----------------------------------------------------------------------------------------------


def test_the_course_module_is_found_by_course_and_number_and_remembered(bench: Bench, site: Site) -> None:
    site.activities = {1: Module(3, course=8), 9: Module(5), 12: Module(3)}
    bench.about = replace(ABOUT, instance="12")
    assert bench.one().result is Result.DONE
    assert bench.remembered == [(1, "3")]
    bench.about = replace(bench.about, cmid="3")
    assert bench.one("5").result is Result.DONE
    assert site.asked()[ACTIVITIES] == 1


def test_an_activity_with_another_seed_is_not_written_to(bench: Bench, site: Site) -> None:
    bench.about = replace(ABOUT, seeds=frozenset({"0" * 40}))
    assert bench.one() == Outcome(Result.TARGET, "other-activity")
    assert not site.rows


def test_a_course_of_120_costs_a_reading_each_and_a_setting_for_those_that_change(bench: Bench, site: Site) -> None:
    site.users |= set(range(1000, 1120))
    site.students |= set(range(1000, 1120))
    for user in range(1000, 1070):
        site.by_hand(user, 1, by=OURS)
    outcomes = bench.deliver(*(order(str(user)) for user in range(1000, 1120)))
    assert {one.result for one in outcomes} == {Result.DONE}
    assert site.asked() == {READ: 120, OVERRIDE: 50, ACTIVITIES: 1}
    assert len(site.completed()) == 120


# -- what goes wrong ----------------------------------------------------------------------------------------------

PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"
XML = b'<?xml version="1.0" encoding="UTF-8" ?><EXCEPTION class="moodle_exception"></EXCEPTION>'


def _moodle(code: str) -> Refusal:
    return Refusal("core\\exception\\moodle_exception", code, "What Moodle says")


TROUBLE: dict[str, tuple[Any, Result, str]] = {
    "a revoked token": (bad_token(), Result.RECEIVER, "bad-token"),
    "a function that is not in the service": (
        Refusal("webservice_access_exception", "accessexception", "Access control exception"),
        Result.RECEIVER,
        "no-access",
    ),
    "a closed account": (_moodle("wsaccessusersuspended"), Result.RECEIVER, "account-closed"),
    "maintenance": (_moodle("sitemaintenance"), Result.RECEIVER, "maintenance"),
    "a right withheld": (no_right(), Result.TARGET, "may-not-read"),
    "a right withheld, in other words": (no_right("nopermissions"), Result.TARGET, "may-not-read"),
    "a deleted course": (_moodle("invalidrecord"), Result.TARGET, "course-gone"),
    "a group not to be seen": (_moodle("accessdenied"), Result.TARGET, "may-not-see-group"),
    "a user that is gone": (_moodle("userdeleted"), Result.REFUSED, "user-gone"),
    "a user that is suspended": (_moodle("suspended"), Result.REFUSED, "user-suspended"),
    "an error that nobody knows": (_moodle("dmlwriteexception"), Result.LATER, "moodle-error"),
    "wrong parameters": (_moodle("invalidparameter"), Result.LATER, "moodle-error"),
    "a page": (PAGE, Result.RECEIVER, "not-moodle"),
    "XML": (XML, Result.RECEIVER, "not-moodle"),
    "half a body": (b'{"statuses":[{"cmid":3,', Result.LATER, "half-an-answer"),
    "nothing at all": (b"", Result.LATER, "half-an-answer"),
    "null": (b"null", Result.TARGET, "strange-answer"),
    "another shape": (b"[1]", Result.TARGET, "strange-answer"),
    "an answer without what is read of it": (
        b'{"statuses":[{"modname":"bigbluebuttonbn","instance":1,"cmid":3}]}',
        Result.TARGET,
        "strange-answer",
    ),
    "too many values": (b"[" + b"1," * 400_000 + b"1]", Result.TARGET, "too-big"),
    "too large an answer": (b" " * 5_000_000, Result.TARGET, "too-big"),
    "500": (500, Result.LATER, "failed"),
    "502": (502, Result.RECEIVER, "failed"),
    "503": (503, Result.RECEIVER, "busy"),
    "429": (429, Result.RECEIVER, "busy"),
    "403": (403, Result.RECEIVER, "services-off"),
    "404": (404, Result.RECEIVER, "not-moodle"),
    "a redirect": (302, Result.RECEIVER, "redirected"),
    "a connection broken off": ("drop", Result.RECEIVER, "broken-connection"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_each_trouble_ends_in_a_named_state_and_is_over_when_it_is_mended(bench: Bench, site: Site, name: str) -> None:
    fault, result, code = TROUBLE[name]
    site.faults.append((READ, fault))
    outcome = bench.one()
    assert (outcome.result, outcome.code) == (result, code)
    assert not site.rows
    assert bench.one().result is Result.DONE


@pytest.mark.parametrize(
    ("fault", "result", "code"),
    [
        (no_right(), Result.TARGET, "may-not-override"),
        (_moodle("invalidcoursemodule"), Result.TARGET, "activity-gone"),
        (_moodle("err_system"), Result.LATER, "moodle-error"),
        (b'{"cmid":3,"userid":4,"state":0,"tracking":2}', Result.TARGET, "not-taken"),
        (b'{"cmid":3,"userid":5,"state":1,"tracking":2}', Result.TARGET, "strange-answer"),
        (500, Result.LATER, "failed"),
        ("drop", Result.RECEIVER, "broken-connection"),
        ("drop-after", Result.RECEIVER, "broken-connection"),
    ],
)
def test_trouble_with_the_setting_itself_too(bench: Bench, site: Site, fault: Any, result: Result, code: str) -> None:
    site.faults.append((OVERRIDE, fault))
    outcome = bench.one()
    assert (outcome.result, outcome.code) == (result, code)
    assert bench.one(is_unanswered=True).result is Result.DONE
    assert site.completed() == {4}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda site: site.rights.discard(ENTER), "may-not-enter"),
        (lambda site: site.rights.discard(SEE), "may-not-enter"),
        (lambda site: site.rights.discard(READS), "may-not-read"),
        (lambda site: site.rights.discard(OVERRIDES), "may-not-override"),
        (lambda site: setattr(site.activities[1], "is_hidden", True), "may-not-enter"),
        (lambda site: setattr(site.activities[1], "tracking", 0), "no-completion"),
        (lambda site: site.activities.update({1: Module(3, course=8), 2: Module(9)}), "activity-moved"),
        (lambda site: site.activities.update({2: site.activities.pop(1)}), "activity-gone"),
        (lambda site: site.activities.clear(), "course-gone"),
    ],
)
def test_what_is_wrong_with_the_activity_is_named(
    bench: Bench, site: Site, change: Callable[[Site], object], code: str
) -> None:
    change(site)
    outcome = bench.one()
    assert (outcome.result, outcome.code) == (Result.TARGET, code)
    assert not site.rows


def test_a_hidden_activity_is_written_to_where_the_right_is_there(bench: Bench, site: Site) -> None:
    site.activities[1].is_hidden = True
    site.rights.add(HIDDEN)
    assert bench.one().result is Result.DONE


def test_completion_switched_off_between_reading_and_setting(bench: Bench, site: Site) -> None:
    site.faults.append((OVERRIDE, b'{"cmid":3,"userid":4,"state":0,"tracking":0,"overrideby":null}'))
    assert bench.one() == Outcome(Result.TARGET, "no-completion", 200)


def test_patience_is_taken_as_it_is_asked_for(bench: Bench, site: Site) -> None:
    site.faults.append((READ, 429))
    site.headers = {"Retry-After": "120"}
    assert bench.one().retry_after_ms == 120_000


def test_a_clock_an_hour_off_changes_nothing(bench: Bench, site: Site) -> None:
    site.headers = {"Date": "Sun, 22 Nov 1999 09:00:00 GMT", "Retry-After": "Sun, 22 Nov 1999 09:02:00 GMT"}
    site.faults.append((READ, 503))
    assert bench.one().retry_after_ms == 120_000
    assert bench.one().result is Result.DONE


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://moodle.example", "not-https"),
        ("https://10.0.0.7", "private-address"),
        ("https://169.254.169.254", "private-address"),
        ("ftp://moodle.example", "not-an-address"),
        ("https://moodle.invalid", "no-such-host"),
        ("http://127.0.0.1:1", "unreachable"),
    ],
)
def test_where_it_may_not_or_cannot_go_is_named(bench: Bench, address: str, code: str) -> None:
    bench.address = address
    assert bench.one() == Outcome(Result.RECEIVER, code)


def test_an_expired_certificate_is_trouble_of_the_whole_moodle(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Tls(tmp_path, ends=timedelta(minutes=-1))
    monkeypatch.setenv("SSL_CERT_FILE", str(here.certificate))
    monkeypatch.setattr(addresses, "is_public", lambda address: address.is_loopback)
    bench.trusted = frozenset()
    with here.serving() as bench.address:
        assert bench.one() == Outcome(Result.RECEIVER, "tls")
    assert here.hosts == []


def test_a_redirect_is_never_followed(bench: Bench, site: Site) -> None:
    with web_services() as other:
        site.headers = {"Location": f"{other.base}/webservice/rest/server.php"}
        site.faults.append((READ, 307))
        assert bench.one().code == "redirected"
    assert not other.requests


# -- the token ----------------------------------------------------------------------------------------------------


def test_the_token_stands_in_no_address_and_in_no_outcome(bench: Bench, site: Site) -> None:
    """Not even where whatever answers says it back."""
    said = _moodle(f"no{TOKEN}")
    said.body["message"] = f"The token {TOKEN.upper()} is none; {TOKEN}"
    site.faults.append((READ, said))
    outcome = bench.one()
    assert TOKEN not in repr(outcome).lower()
    assert outcome.phrase == "The token … is none; … [no…]"
    assert all(TOKEN not in one.path and TOKEN not in repr(one.headers) for one in site.requests)
    assert TOKEN not in repr(Access("https://moodle.example", TOKEN))
