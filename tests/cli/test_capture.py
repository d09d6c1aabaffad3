"""`rollcall capture` switches servers, sites and activities off and on, and erases only when asked."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.cli import run
from rollcall.simulate.classes import Plan
from rollcall.store.connections import CaptureSwitch, Pool
from rollcall.store.derived import Summary
from rollcall.store.facts import Fact, Meeting
from tests.reports.three_witnesses import class_of, keep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def summary() -> Summary:
    return keep(class_of(rooms=1), "webhooks", "recording")


def test_a_server_is_switched_off_and_on(capsys: pytest.CaptureFixture[str]) -> None:
    Pool.objects.create(name="main")
    assert run(["capture", "off", "--server", "main"]) == 0
    assert not Pool.objects.get().is_captured
    assert run(["capture", "list"]) == 0
    assert "off  server    main" in capsys.readouterr().out
    assert run(["capture", "on", "--server", "main"]) == 0
    assert Pool.objects.get().is_captured


def test_what_is_kept_stays_unless_it_is_to_be_erased(summary: Summary) -> None:
    assert run(["capture", "off", "--site", summary.site + "/"]) == 0
    assert CaptureSwitch.objects.get().key == bytes(summary.site_key)
    assert Summary.objects.count() == 1
    facts = Fact.objects.count()
    keep_again()
    assert Fact.objects.count() == facts


def keep_again() -> None:
    """Another class of the same site: nothing of it is written."""
    with pytest.raises(Summary.DoesNotExist):
        keep(class_of(days=1), "webhooks", "polls", "callback", "recording")


def test_erasing_asks_first_and_leaves_a_stub(
    summary: Summary, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("typer.confirm", lambda _question: False)
    assert run(["capture", "off", "--site", summary.site, "--erase"]) == 1
    assert Fact.objects.exists()
    assert not CaptureSwitch.objects.exists()
    assert run(["capture", "off", "--site", summary.site, "--erase", "--yes"]) == 0
    assert "all that was kept of 1 meetings" in capsys.readouterr().out
    assert not Fact.objects.exists()
    assert not Summary.objects.exists()
    assert set(Meeting.objects.values_list("is_refused", flat=True)) == {True}


def test_a_class_that_came_to_its_end_before_the_switch_is_no_stub_and_can_be_erased(
    summary: Summary, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["capture", "off", "--site", summary.site]) == 0
    said = CaptureSwitch.objects.get().changed_at
    Meeting.objects.update(is_refused=True)  # as when its callback comes now
    assert run(["capture", "off", "--site", summary.site]) == 0
    assert CaptureSwitch.objects.get().changed_at == said
    assert run(["capture", "list"]) == 0
    assert "not kept" not in capsys.readouterr().out
    assert run(["capture", "off", "--server", summary.pool_name, "--erase", "--yes"]) == 0
    assert not Fact.objects.exists()


@pytest.mark.parametrize("witness", ["webhooks", "polls", "callback", "recording"])
def test_whichever_way_it_comes_nothing_is_kept_of_an_activity_that_is_off(summary: Summary, witness: str) -> None:
    assert run(["capture", "off", "--activity", summary.external_meeting_id]) == 0
    assert bytes(CaptureSwitch.objects.get().key) == bytes(summary.activity_key)
    facts = Fact.objects.count()
    with pytest.raises(Summary.DoesNotExist):
        keep(class_of(days=1), witness)
    assert Fact.objects.count() == facts


def test_an_activity_that_has_had_no_meeting_needs_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "off", "--activity", "abc-42-7[0]"]) == 1
    assert "--site URL" in capsys.readouterr().err
    assert run(["capture", "off", "--activity", "abc-42-7[0]", "--site", Plan().origin]) == 0
    assert run(["capture", "off", "--activity", "room-1", "--site", Plan().origin]) == 1


def test_a_site_nobody_has_heard_of_is_taken_and_said(summary: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "off", "--site", "https://nowhere.example.org"]) == 0
    assert f"Known are: {summary.site}" in capsys.readouterr().out


def test_what_is_switched_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "off"]) == 1
    assert run(["capture", "off", "--server", "nobody"]) == 1
    assert "There is no server 'nobody'" in capsys.readouterr().err
