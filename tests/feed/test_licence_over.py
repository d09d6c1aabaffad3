"""After the grace of a licence what arrives for that organisation is not kept; until then, and for others, it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollcall.feed.append import append
from rollcall.feed.feed import Arrival, Belonging
from rollcall.store.connections import CaptureSwitch, Pool
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import key_of
from rollcall.store.organisations import Claim
from tests.feed.test_refusal import make_arrival
from tests.makers import make_organisation, make_platform

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400_000
NOON = 1_795_348_800_000  # 22 November 2026
SITE, HOST = "https://moodle.example.org/moodle", "moodle.example.org"


@pytest.fixture
def pool() -> Pool:
    return Pool.objects.create(name="bbb1")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moved by calling it."""

    def move(at: int) -> None:
        monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: at)

    move(NOON)
    return move


def told(pool: Pool, meeting: str, site: str, *, at: int = NOON) -> Arrival:
    belonging = Belonging(site, (site, "42", "7"))
    return replace(make_arrival(pool, meeting, 0), belongs_to=belonging, received_at=at)


def kept() -> set[str]:
    return set(Fact.objects.values_list("meeting__internal_meeting_id", flat=True))


def test_a_licence_that_ends_at_noon_loses_no_event_until_its_grace_is_over(pool: Pool, clock: Any) -> None:
    upper = make_organisation(ends_at=NOON, grace_ms=30 * DAY)
    make_platform(upper, SITE, pool)
    for number, at in enumerate((NOON - 1000, NOON, NOON + 1000, NOON + 30 * DAY - 1)):
        clock(at)
        append([told(pool, f"in-{number}", SITE, at=at)])
    clock(NOON + 30 * DAY)
    append([told(pool, "after", SITE, at=NOON + 30 * DAY)])

    assert kept() == {"in-0", "in-1", "in-2", "in-3"}
    upper.refresh_from_db()
    assert (upper.not_kept, upper.not_kept_at) == (1, NOON + 30 * DAY)


def test_of_a_class_that_runs_when_the_grace_ends_what_came_before_stays(pool: Pool, clock: Any) -> None:
    make_platform(make_organisation(ends_at=NOON, grace_ms=0), SITE, pool)
    clock(NOON - 1)
    append([told(pool, "m-1", SITE, at=NOON - 1)])
    clock(NOON + 5)
    append([replace(make_arrival(pool, "m-1", 1), received_at=NOON + 1)])
    append([told(pool, "m-1", SITE, at=NOON + 5)])

    assert [one.received_at for one in Fact.objects.order_by("seq")] == [NOON - 1, NOON + 1]
    assert not Meeting.objects.get().is_refused, "with a licence it goes on"


def test_an_end_that_is_entered_for_the_past_takes_nothing_out(pool: Pool, clock: Any) -> None:
    organisation = make_organisation(ends_at=None, grace_ms=0)
    make_platform(organisation, SITE, pool)
    clock(NOON)
    append([told(pool, "m-1", SITE, at=NOON)])
    before = Fact.objects.count()
    organisation.licences.update(ends_at=NOON - 365 * DAY)
    clock(NOON + DAY)
    append([told(pool, "m-1", SITE, at=NOON + DAY)])

    assert Fact.objects.count() == before
    organisation.licences.update(ends_at=None)
    append([replace(make_arrival(pool, "m-1", 7), belongs_to=Belonging(SITE, (SITE, "42", "7")))])
    assert Fact.objects.count() == before + 1


def test_nothing_is_lost_for_other_organisations_and_for_nobodys(pool: Pool, clock: Any) -> None:
    assert clock
    make_platform(make_organisation(ends_at=NOON, grace_ms=0), SITE, pool)
    make_platform(make_organisation("Lower School"), "https://lower.example.org", pool)
    append(
        [
            told(pool, "upper", SITE),
            told(pool, "lower", "https://lower.example.org"),
            told(pool, "nobody", "https://elsewhere.example.org"),
            make_arrival(pool, "untold", 5),
        ]
    )
    assert kept() == {"lower", "nobody", "untold"}


@pytest.mark.parametrize(
    "licence",
    [
        {"ends_at": None},
        {"ends_at": NOON, "grace_ms": 1},
        {"ends_at": NOON - DAY, "grace_ms": 0, "suspended_at": 1, "renewed": True},
        {"ends_at": None, "suspended_at": 1},
    ],
)
def test_whoever_is_suspended_renewed_or_in_grace_is_captured(pool: Pool, clock: Any, licence: dict[str, Any]) -> None:
    assert clock
    is_renewed = licence.pop("renewed", False)
    upper = make_organisation(**licence)
    if is_renewed:
        upper.licences.create(starts_at=NOON + DAY, added_at=0)
    make_platform(upper, SITE, pool)
    append([told(pool, "m-1", SITE)])
    assert kept() == {"m-1"}


def test_it_holds_for_what_is_found_by_its_host_and_for_what_was_claimed(pool: Pool, clock: Any) -> None:
    assert clock
    upper = make_organisation(ends_at=NOON, grace_ms=0)
    make_platform(upper, SITE, pool)
    other = "https://old.example.org"
    Claim.objects.create(pool=pool, site=other, site_key=key_of(other), organisation=upper, claimed_at=0)
    append([told(pool, "by-host", HOST), told(pool, "claimed", other), told(pool, "free", "https://free.example.org")])
    assert kept() == {"free"}


# --- switches of a site that is told by its host ----------------------------------------------------------------------


@pytest.mark.parametrize("off", [key_of(SITE), key_of(HOST), key_of(SITE, "42", "7"), key_of(HOST, "42", "7")])
def test_a_switch_reaches_what_the_facts_tell_by_host_alone(pool: Pool, off: bytes) -> None:
    make_platform(make_organisation(), SITE, pool)
    CaptureSwitch.objects.create(key=off, site="", is_on=False, changed_at=0)
    append([told(pool, "m-1", HOST)])
    assert not kept()


def test_the_switch_of_an_activity_beats_that_of_its_host(pool: Pool) -> None:
    make_platform(make_organisation(), SITE, pool)
    CaptureSwitch.objects.create(key=key_of(HOST), site="", is_on=False, changed_at=0)
    CaptureSwitch.objects.create(key=key_of(SITE, "42", "7"), site="", is_on=True, changed_at=0)
    append([told(pool, "m-1", HOST)])
    assert kept() == {"m-1"}


def test_of_two_platforms_of_one_host_neither_ones_switch_reaches_it(pool: Pool) -> None:
    upper = make_organisation()
    make_platform(upper, SITE, pool)
    make_platform(upper, "https://moodle.example.org/other", pool, client_id="2")
    CaptureSwitch.objects.create(key=key_of(SITE), site="", is_on=False, changed_at=0)
    append([told(pool, "m-1", HOST)])
    assert kept() == {"m-1"}
