"""A test of the connection: names what is missing, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.moodle.asking import Access
from rollcall.moodle.checking import CAPABILITIES, ENTER, READS, SEE, SETS, Checked, Sample, check, lacks
from tests.moodle_web_services import ACTIVITIES, FUNCTIONS, MODULE, OURS, OVERRIDE, READ, SITE_INFO, TOKEN, Module

if TYPE_CHECKING:
    from tests.moodle_web_services import Site

SAMPLE = Sample("2", "1", "4")


def checked(site: Site, *samples: Sample, token: str = TOKEN) -> Checked:
    return check(Access(site.base, token), samples or [SAMPLE])


def test_a_token_that_can_do_everything(site: Site) -> None:
    found = checked(site)
    assert found == Checked(str(OURS), "4.5.6 (Build: 20250811)", was_tried=True)
    assert not site.rows


def test_without_a_class_that_has_met_the_rights_are_not_tried(site: Site) -> None:
    site.rights.clear()
    assert check(Access(site.base, TOKEN), []) == Checked(str(OURS), "4.5.6 (Build: 20250811)")


@pytest.mark.parametrize("function", [READ, OVERRIDE, MODULE, ACTIVITIES])
def test_each_missing_function_is_named(site: Site, function: str) -> None:
    site.functions.discard(function)
    found = checked(site)
    assert (found.trouble, found.missing) == ("missing-rights", (function,))
    (lack,) = lacks(found.missing)
    assert lack.purpose
    assert "External services" in lack.todo


@pytest.mark.parametrize(
    ("lost", "missing"),
    [({ENTER}, (ENTER,)), ({SEE}, (SEE,)), ({READS}, (READS,)), ({SETS}, (SETS,)), ({READS, SETS}, (READS, SETS))],
)
def test_each_missing_right_is_named(site: Site, lost: set[str], missing: tuple[str, ...]) -> None:
    site.rights -= lost
    found = checked(site)
    assert (found.trouble, found.missing) == ("missing-rights", missing)
    assert all("Define roles" in one.todo and one.purpose for one in lacks(found.missing))
    assert not site.rows


def test_every_right_and_function_has_its_reason() -> None:
    assert all(one.purpose for one in lacks((*CAPABILITIES, *FUNCTIONS)))


def test_an_activity_that_is_gone_or_hidden_is_not_what_is_tried(site: Site) -> None:
    site.activities[5] = Module(9, is_hidden=True)
    samples = [Sample("9", "1", "4"), Sample("2", "8", "4"), Sample("2", "1", "77"), Sample("2", "5", "4"), SAMPLE]
    assert checked(site, *samples).missing == ()
    assert checked(site, *samples[:-1]).missing == (SEE,)
    assert checked(site, samples[0]) == Checked(str(OURS), "4.5.6 (Build: 20250811)")


def test_an_activity_without_completion_will_do(site: Site) -> None:
    site.activities[1].tracking = 0
    assert checked(site).was_tried


def test_the_token_of_another_moodle_is_found_out(site: Site) -> None:
    site.calls_itself = "https://other.example"
    assert (checked(site).trouble, checked(site).detail) == ("other-site", "https://other.example")
    site.calls_itself = site.base.upper() + "/"
    assert not checked(site).trouble


def test_an_administrators_token_is_told(site: Site) -> None:
    site.is_administrator = True
    assert checked(site).is_administrator


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (b"<html>", "not-moodle"),
        (500, "failed"),
        (403, "services-off"),
        (b"[]", "strange-answer"),
        ("drop", "broken-connection"),
    ],
)
def test_what_goes_wrong_is_named(site: Site, fault: object, trouble: str) -> None:
    site.faults.append((SITE_INFO, fault))
    assert checked(site).trouble == trouble
    site.faults.append((READ, fault))
    assert checked(site).trouble == trouble


def test_a_token_that_moodle_does_not_know(site: Site) -> None:
    assert checked(site, token="0" * 32).trouble == "bad-token"


@pytest.mark.parametrize("user", ["", "null", '"7; DROP"', "-7", "1e3", '"' + "9" * 40 + '"'])
def test_a_user_without_a_number_is_nobody(site: Site, user: str) -> None:
    site.faults.append((SITE_INFO, f'{{"userid":{user or "0"},"siteurl":"{site.base}","functions":[]}}'.encode()))
    assert checked(site).trouble == "strange-answer"
