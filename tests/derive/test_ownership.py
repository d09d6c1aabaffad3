"""Whose a meeting is: equal sites only, attached pools only, one platform of a host, the operator's word last."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rollcall.derive.claims import claim, release
from rollcall.derive.log import Log
from rollcall.derive.rebuild import Outdated, demand, demand_sites, fold_due
from rollcall.store.connections import Pool
from rollcall.store.derived import UNCLAIMED, Attendance, Course, Person, Summary
from rollcall.store.keys import key_of
from rollcall.store.organisations import Claim
from rollcall.store.owning import Owner, owner_of_site
from tests.makers import make_organisation, make_platform
from tests.reports.three_witnesses import class_of, keep

pytestmark = pytest.mark.django_db(transaction=True)

SITE, HOST = "https://moodle.example.org/moodle", "moodle.example.org"


@pytest.fixture
def pool() -> Pool:
    return Pool.objects.create(name="bbb1")


def nobodys(site: str) -> Owner:
    return Owner(UNCLAIMED, site)


@pytest.mark.parametrize(
    "told",
    [
        "https://moodle.example.org/moodle2",
        "https://moodle.example.org/moodl",
        "https://moodle.example.org/moodle/",
        "https://moodle.example.org/Moodle",
        "https://MOODLE.example.org/moodle",
        "https://moodle.example.org:8443/moodle",
        "https://moodle.example.org",
        "http://moodle.example.org/moodle",
        "https://moodle.example.org/moodle/x",
        "https://moodle.example.org.evil.example/moodle",
        "https://moodle.example.org/moodle ",
        "xhttps://moodle.example.org/moodle",
        "example.org",
        "moodle.example.org.",
        "moodle.example.org:443",
        "pool:bbb1",
        "",
        "moodle\x00.example.org",
        "\ud800",
    ],
)
def test_what_is_not_equal_is_nobodys(pool: Pool, told: str) -> None:
    make_platform(make_organisation(), SITE, pool)
    assert owner_of_site(pool, told) == nobodys(told)


@pytest.mark.parametrize("told", [SITE, HOST, "Moodle.Example.ORG"])
def test_the_whole_site_or_a_host_alone_of_one_platform_is_its_organisations(pool: Pool, told: str) -> None:
    upper = make_organisation()
    make_platform(upper, SITE, pool)
    assert owner_of_site(pool, told) == Owner(upper.pk, SITE)


def test_only_platforms_attached_to_that_pool_count(pool: Pool) -> None:
    upper = make_organisation()
    platform = make_platform(upper, SITE, Pool.objects.create(name="bbb2"))
    assert owner_of_site(pool, SITE) == nobodys(SITE)
    platform.pools.add(pool)
    assert owner_of_site(pool, SITE).organisation == upper.pk


def test_of_two_platforms_of_one_host_the_host_alone_tells_nothing_the_site_does(pool: Pool) -> None:
    upper, lower = make_organisation(), make_organisation("Lower School")
    make_platform(upper, SITE, pool)
    make_platform(lower, SITE + "2", pool, client_id="2")
    assert owner_of_site(pool, HOST) == nobodys(HOST)
    assert owner_of_site(pool, SITE).organisation == upper.pk
    assert owner_of_site(pool, SITE + "2").organisation == lower.pk


def test_two_registrations_of_one_site_in_one_organisation_are_one(pool: Pool) -> None:
    upper = make_organisation()
    for client_id in ("1", "2"):
        make_platform(upper, SITE, pool, client_id=client_id)
    assert owner_of_site(pool, HOST) == owner_of_site(pool, SITE) == Owner(upper.pk, SITE)


def test_a_site_that_two_organisations_say_is_theirs_is_nobodys(pool: Pool) -> None:
    make_platform(make_organisation(), SITE, pool)
    make_platform(make_organisation("Lower School"), SITE, pool, client_id="2")
    assert owner_of_site(pool, SITE) == nobodys(SITE)
    assert owner_of_site(pool, HOST) == nobodys(HOST)


def test_a_claim_counts_where_no_platform_does_and_never_against_one(pool: Pool) -> None:
    upper, lower = make_organisation(), make_organisation("Lower School")
    platform = make_platform(upper, SITE)
    for site in (SITE, HOST):
        Claim.objects.create(
            pool=pool, site=site, site_key=key_of(site), organisation=upper, platform=platform, claimed_at=0
        )
    assert owner_of_site(pool, HOST) == Owner(upper.pk, SITE)
    make_platform(lower, SITE, pool, client_id="2")
    assert owner_of_site(pool, SITE).organisation == lower.pk
    assert owner_of_site(pool, HOST).organisation == lower.pk


def test_a_platform_that_was_removed_keeps_what_was_its_own(pool: Pool) -> None:
    upper = make_organisation()
    platform = make_platform(upper, SITE, pool)
    platform.removed_at = 1
    platform.save()
    assert owner_of_site(pool, SITE).organisation == upper.pk
    platform.pools.clear()
    assert owner_of_site(pool, SITE) == nobodys(SITE)


# --- what changes hands -----------------------------------------------------------------------------------------------


def fold() -> None:
    outdated = Outdated()
    while list(fold_due(Log(), now=2**62)) or outdated.demand_some():
        pass


def owners() -> dict[str, set[int]]:
    tables: tuple[Any, ...] = (Summary, Attendance, Person, Course)
    return {one.__name__: set(one.objects.values_list("organisation", flat=True)) for one in tables}


def test_what_changes_hands_is_folded_again_and_leaves_nothing_behind() -> None:
    summary = keep(class_of(), "webhooks")
    of_pool, site = Pool.objects.get(name=summary.pool_name), summary.site
    people = Person.objects.count()
    upper, lower = make_organisation(), make_organisation("Lower School")
    assert owners() == {"Summary": {0}, "Attendance": {0}, "Person": {0}, "Course": {0}}

    claim(of_pool, site, upper, None, by="ada", now=0)
    fold()
    assert set(map(frozenset, owners().values())) == {frozenset({upper.pk})}
    assert Person.objects.count() == people

    claim(of_pool, site, lower, None, by="ada", now=0)
    fold()
    assert set(map(frozenset, owners().values())) == {frozenset({lower.pk})}
    assert Person.objects.count() == people

    release(Claim.objects.get())
    fold()
    assert set(map(frozenset, owners().values())) == {frozenset({UNCLAIMED})}
    assert Person.objects.count() == people


def test_a_platform_that_comes_late_gets_the_same_rows_as_one_that_was_there() -> None:
    summary = keep(class_of(), "webhooks")
    of_pool, told = Pool.objects.get(name=summary.pool_name), summary.site
    site = told if "/" in told else f"https://{told}"
    upper = make_organisation()
    platform = make_platform(upper, site, of_pool)
    demand_sites({site, platform.host, told})
    fold()
    late = rows()
    Summary.objects.all().delete()
    Person.objects.all().delete()
    Course.objects.all().delete()
    demand()
    fold()
    assert rows() == late
    assert Summary.objects.get().site == site


def rows() -> list[Any]:
    """What was derived, without the numbers that a database gives."""
    summary = {"meeting__key", "organisation", "site", "site_key", "activity_key", "context_id"}
    return [
        list(Summary.objects.values_list(*sorted(summary))),
        sorted(Person.objects.values_list("key", "organisation", "site", "external_user_id", "meetings", "proved_ms")),
        sorted(Course.objects.values_list("key", "organisation", "site", "context_id", "meetings")),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_in_whatever_order_it_is_set_up_the_owner_is_the_same(pool: Pool, seed: int) -> None:
    upper, lower = make_organisation(), make_organisation("Lower School")
    steps: list[Any] = [
        lambda: make_platform(upper, SITE, pool),
        lambda: make_platform(lower, SITE + "2", pool, client_id="2"),
        lambda: make_platform(lower, "https://lower.example.org", client_id="3"),
        lambda: Claim.objects.create(
            pool=pool, site=HOST, site_key=key_of(HOST), organisation=lower, claimed_at=0, claimed_by=""
        ),
    ]
    random.Random(seed).shuffle(steps)
    for step in steps:
        step()
    told = [SITE, SITE + "2", HOST, "https://lower.example.org", "lower.example.org"]
    assert [owner_of_site(pool, one).organisation for one in told] == [upper.pk, lower.pk, lower.pk, 0, 0]
