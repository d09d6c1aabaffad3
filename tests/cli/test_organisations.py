"""`rollcall organisation`, `licence` and `claim`: what they change and what they refuse; twice is as good as once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rollcall.cli import run
from rollcall.core.errors import Refused
from rollcall.derive.rebuild import Outdated
from rollcall.derive.rows import FOLD_VERSION
from rollcall.store.audit import AuditEntry
from rollcall.store.derived import Summary
from rollcall.store.facts import Meeting
from rollcall.store.organisations import Claim, Licence, Organisation
from rollcall.store.organising import instant_of
from tests.makers import make_meeting, make_organisation, make_platform, make_pool

pytestmark = pytest.mark.django_db(transaction=True)

NOON = 1_795_348_800_000
DAY = 86_400_000


@pytest.fixture
def rollcall(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line at noon; its status and what it printed."""
    monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: NOON)

    def call(words: str, *more: str) -> tuple[int, str]:
        status = run([*words.split(), *more])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return call


@pytest.mark.parametrize(
    ("text", "is_last", "said"),
    [
        ("2026-12-31", False, datetime(2026, 12, 30, 23, tzinfo=UTC)),
        ("2026-12-31", True, datetime(2026, 12, 31, 23, tzinfo=UTC)),
        ("2026-12-31T12:00", True, datetime(2026, 12, 31, 11, tzinfo=UTC)),
        ("2026-12-31T12:00:01Z", True, datetime(2026, 12, 31, 12, 0, 1, tzinfo=UTC)),
        ("2026-12-31T12:00+05:30", False, datetime(2026, 12, 31, 6, 30, tzinfo=UTC)),
        ("2026-03-29", True, datetime(2026, 3, 29, 22, tzinfo=UTC)),  # the day of 23 hours
    ],
)
def test_a_time_is_a_day_or_an_instant_in_its_zone(text: str, is_last: bool, said: datetime) -> None:
    assert instant_of(text, ZoneInfo("Europe/Berlin"), is_last=is_last) == said.timestamp() * 1000


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "9999-12-31", "2026-12-31T25:00", "٢٠٢٦-12-31"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="no day and no time"):
        instant_of(text, UTC, is_last=True)


def test_an_organisation_is_added_once_edited_listed_and_removed(rollcall: Any) -> None:
    assert rollcall("organisation list") == (0, "No organisation yet: rollcall organisation add.\n")
    assert rollcall("organisation add", "Upper  School", "--contact", "desk@school.example")[0] == 0
    assert rollcall("organisation add", "Upper School") == (0, "Upper School is there already.\n")
    status, printed = rollcall("organisation add", "Upper School", "--contact", "somebody else")
    assert (status, "another contact" in printed) == (1, True)
    assert rollcall("organisation edit", "Upper School", "--name", "Höhere Schule")[0] == 0
    (listed,) = json.loads(rollcall("organisation list --format json")[1])
    assert (listed["name"], listed["licence"], listed["contact"]) == ("Höhere Schule", "none", "desk@school.example")
    assert "PEOPLE THIS MONTH" in rollcall("organisation list")[1]
    assert rollcall("organisation remove", "Höhere Schule") == (0, "Removed Höhere Schule.\n")
    assert [one.subject for one in AuditEntry.objects.filter(actor="command line")] == ["organisation"] * 3


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\nb\x07", "a\u202eb"])
def test_a_name_that_cannot_be_seen_is_refused(rollcall: Any, name: str) -> None:
    assert rollcall("organisation add", name)[0] == 1
    assert not Organisation.objects.exists()


def test_what_owns_something_is_not_removed(rollcall: Any) -> None:
    make_platform(make_organisation(), "https://moodle.example.org")
    status, printed = rollcall("organisation remove", "Upper School")
    assert (status, "has platforms, claims or accounts" in printed) == (1, True)


def test_who_is_not_there_is_named_beside_who_is(rollcall: Any) -> None:
    make_organisation()
    for words in ("organisation edit Nowhere --name X", "organisation remove Nowhere", "licence add Nowhere"):
        status, printed = rollcall(words)
        assert status == 1
        assert "There is no organisation 'Nowhere'." in printed
        assert "There are: 'Upper School'." in printed


def test_a_licence_is_added_once_suspended_resumed_and_ended(rollcall: Any) -> None:
    Organisation.objects.create(name="Upper", added_at=0)
    words = "licence add Upper --until 2026-12-31 --grace-days 7 --platforms 2 --servers 3 --people 500"
    assert "Added: a licence of Upper from 2026-11-22 00:00 until 2027-01-01 00:00." in rollcall(words)[1]
    assert "There already" in rollcall(words)[1]
    one = Licence.objects.get()
    assert (one.platforms, one.pools, one.people_a_month, one.grace_ms) == (2, 3, 500, 7 * DAY)

    assert "Licences suspended: 1." in rollcall("licence suspend Upper")[1]
    assert "Licences suspended: 0." in rollcall("licence suspend Upper")[1]
    assert "Upper now: suspended since" in rollcall("licence suspend Upper")[1]
    assert "Licences resumed: 1." in rollcall("licence resume Upper")[1]
    assert "Upper now: ended 2026-11-22 12:00." in rollcall("licence end Upper")[1]
    assert "Licences ended: 0." in rollcall("licence end Upper")[1]
    (listed,) = json.loads(rollcall("licence list Upper --format json")[1])
    assert (listed["state"], listed["until"], listed["people_a_month"]) == ("ended", "2026-11-22 12:00", 500)


def test_ending_drops_what_would_begin_later(rollcall: Any) -> None:
    upper = make_organisation()
    upper.licences.create(starts_at=NOON + DAY, added_at=0)
    assert "Licences ended: 2." in rollcall("licence end", "Upper School")[1]
    assert [one.ends_at for one in Licence.objects.all()] == [NOON]


@pytest.mark.parametrize(
    "more", [("--until", "2026-01-01"), ("--until", "soon"), ("--platforms", "-1"), ("--grace-days", "-1")]
)
def test_a_licence_that_cannot_be_meant_is_none(rollcall: Any, more: tuple[str, str]) -> None:
    Organisation.objects.create(name="Upper", added_at=0)
    assert rollcall("licence add Upper", *more)[0] == 1
    assert not Licence.objects.exists()


def test_a_claim_is_remembered_once_and_its_meetings_are_folded_again(rollcall: Any) -> None:
    site = "https://old.example.org"
    meeting = make_meeting(site=site).meeting
    make_platform(make_organisation(), "https://moodle.example.org")
    assert site in rollcall("claim list")[1]
    Summary.objects.update(fold_version=FOLD_VERSION)

    words = ("claim add bbb1", site, "--organisation", "Upper School", "--platform", "https://moodle.example.org")
    assert "To be folded again: 1." in rollcall(*words)[1]
    assert "To be folded again: 0." in rollcall(*words)[1]
    assert not Meeting.objects.get(pk=meeting.pk).due_at, "it is over, so it waits behind what runs"
    outdated = Outdated()
    while outdated.demand_some():
        pass
    assert Meeting.objects.get(pk=meeting.pk).due_at
    held = json.loads(rollcall("claim list --format json")[1])["claims"]
    assert [(one["site"], one["organisation"], one["platform"]) for one in held] == [
        (site, "Upper School", "https://moodle.example.org")
    ]
    assert "Removed the claim" in rollcall("claim remove bbb1", site)[1]
    status, printed = rollcall("claim remove bbb1", site)
    assert (status, "There is no claim" in printed) == (1, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere", "https://a.example"), "There is no server 'nowhere'."),
        (("bbb1", "https://moodle.example.org"), "are a platform's already"),
        (("bbb1", ""), "Say which site"),
        (("bbb1", "https://a.example", "--platform", "https://b.example"), "has no platform with the site"),
    ],
)
def test_a_claim_that_cannot_be_meant_is_none(rollcall: Any, words: tuple[str, ...], told: str) -> None:
    make_platform(make_organisation(), "https://moodle.example.org", make_pool())
    status, printed = rollcall("claim add", *words, "--organisation", "Upper School")
    assert status == 1
    assert told in printed
    assert not Claim.objects.exists()
