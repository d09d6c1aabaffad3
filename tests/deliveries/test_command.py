"""`rollcall relay`: what is owed, and what a person decides about it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from django.test import Client

from rollcall.cli import run
from rollcall.store.connections import Pool
from rollcall.store.outbox import Delivery, State
from tests.deliveries.world import CLASS, MINUTE_MS, SECRET, Clock, Worker, delivery_of, owe
from tests.makers import Attendee, operator
from tests.moodle import PATH, Moodle

pytestmark = pytest.mark.django_db(transaction=True)
Capture = pytest.CaptureFixture[str]


def work(clock: Clock, ticks: int = 2) -> None:
    asyncio.run(Worker(clock).work(ticks, MINUTE_MS))


@pytest.fixture
def reader(client: Client, django_user_model: Any) -> Client:
    """The browser of somebody who sees everything."""
    client.force_login(operator(django_user_model, "ada"))
    return client


def test_without_any_relay_it_says_how_to_begin(capsys: Capture) -> None:
    assert run(["relay", "list"]) == 0
    assert "rollcall relay on SERVER" in capsys.readouterr().out


def test_on_and_off(site: Moodle, capsys: Capture) -> None:
    owe(site)
    assert run(["relay", "off", "bbb1"]) == 0
    assert not Pool.objects.get().relays
    assert run(["relay", "on", "bbb1"]) == 0
    assert Pool.objects.get().relays
    assert run(["relay", "on", "no such server"]) == 1
    assert "no such server" in capsys.readouterr().err


def test_the_list_leaves_out_what_is_done(site: Moodle, clock: Clock, capsys: Capture) -> None:
    owe(site, name="Done")
    owe(site, name="Waiting", record="")
    work(clock)
    assert run(["relay", "list"]) == 0
    out = capsys.readouterr().out
    assert "Waiting" in out
    assert "Done" not in out
    assert run(["relay", "list", "--all", "--server", "bbb1", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["Done"]["state"], rows["Waiting"]["state"]) == ("sent", "waiting")
    assert rows["Done"]["status"] == 200
    assert rows["Done"]["accepted"].startswith("2026-11-20T11:")


def test_a_cancelled_meeting_is_not_sent_until_it_is_asked_for_again(
    site: Moodle, clock: Clock, capsys: Capture
) -> None:
    summary = owe(site, record="")
    work(clock)
    assert run(["relay", "cancel", "algebra"]) == 0
    assert delivery_of(summary).state == State.CANCELLED
    assert run(["relay", "cancel", "algebra"]) == 1
    assert run(["relay", "retry", "algebra"]) == 1
    assert "--as-it-is" in capsys.readouterr().err
    assert run(["relay", "retry", "algebra", "--as-it-is"]) == 0
    clock.now = delivery_of(summary).due_at or 0
    work(clock)
    assert delivery_of(summary).state == State.SENT


def test_what_was_accepted_is_not_sent_again_by_a_slip(site: Moodle, clock: Clock, capsys: Capture) -> None:
    owe(site)
    work(clock)
    assert run(["relay", "retry", "algebra"]) == 1
    assert "relay repair" in capsys.readouterr().err
    assert run(["relay", "cancel", "algebra"]) == 1


def test_a_repair_says_what_it_does_and_adds_only_who_is_named(site: Moodle, clock: Clock, capsys: Capture) -> None:
    summary = owe(site)
    assert run(["relay", "repair", "algebra", "--yes"]) == 1, "there is nothing to repair yet"
    work(clock)
    assert run(["relay", "repair", "algebra", "--person", "99", "--yes"]) == 1
    assert "no-such" not in capsys.readouterr().out
    assert run(["relay", "repair", "algebra", "--person", "4", "--yes"]) == 0
    assert "adds them" in capsys.readouterr().out
    assert run(["relay", "repair", "algebra", "--person", "4", "--yes"]) == 1, "one at a time"
    clock.now = delivery_of(summary, revision=1).due_at or 0
    work(clock)
    assert dict(site.credited()) == {3: 1, 4: 2}


def test_a_repair_asks_first(site: Moodle, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    owe(site)
    work(clock)
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert run(["relay", "repair", "algebra"]) == 1
    assert Delivery.objects.count() == 1


def test_a_meeting_nobody_asked_for_is_said_so(site: Moodle, clock: Clock, capsys: Capture) -> None:
    owe(site, url="")
    assert run(["relay", "retry", "algebra"]) == 1
    assert "Register live sessions" in capsys.readouterr().err
    assert run(["relay", "retry"]) == 1
    assert run(["relay", "retry", "no such meeting"]) == 1


def test_the_probe_says_in_words_what_is_wrong(site: Moodle, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    owe(site)
    site.clock = time.time

    def said(status: int, where: str = "algebra") -> str:
        assert run(["relay", "test", "bbb1", where]) == status
        return capsys.readouterr().out

    assert "not https" in said(1)
    assert "private network" in said(1, site.url(1).replace("http://", "https://"))
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    assert said(0).startswith("ok")
    assert said(0, site.url(2)).startswith("ok")
    site.is_header_stripped = True
    assert "CGIPassAuth On" in said(1)
    site.is_header_stripped, site.secret = False, "another"
    assert "another shared secret" in said(1)
    site.secret = f"{SECRET} "
    assert "stray blank" in said(0)
    assert "not the address" in said(1, "https://moodle.example.org/")
    assert "no address" in said(1, f"https://moodle.invalid{PATH}?action=meeting_events&bigbluebuttonbn=1")
    assert site.rows == []


def test_names_do_not_steer_the_terminal(site: Moodle, clock: Clock, capsys: Capture) -> None:
    owe(site, name="Evil \x1b[2J", record="")
    work(clock)
    assert run(["relay", "list"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_the_page_of_the_meeting_says_it_too(site: Moodle, clock: Clock, reader: Client) -> None:
    summary = owe(site)
    page = f"/meetings/{summary.meeting_id}"
    assert 'class="relay' not in reader.get(page).content.decode()
    work(clock)
    assert "which has accepted it" in reader.get(page).content.decode()
    other = owe(site, *CLASS, Attendee(uid="5"), name="Other")
    site.is_header_stripped = True
    work(clock)
    assert "CGIPassAuth On" in reader.get(f"/meetings/{other.meeting_id}").content.decode()


def test_numbers_that_changed_afterwards_are_pointed_out(site: Moodle, clock: Clock, reader: Client) -> None:
    from rollcall.store.derived import Attendance

    summary = owe(site)
    work(clock)
    Attendance.objects.filter(external_user_id="4").update(proved_ms=1_000_000)
    page = reader.get(f"/meetings/{summary.meeting_id}").content.decode()
    assert "have changed since" in page


def test_the_doctor_names_the_lms_and_the_mend(site: Moodle, clock: Clock, capsys: Capture) -> None:
    from rollcall.doctor import relay

    owe(site)
    work(clock)
    assert [finding.level for finding in relay.check()] == ["fine"]
    site.secret = "another"
    owe(site, name="Second", instance=2)
    work(clock)
    (finding,) = relay.check()
    assert finding.level == "fault"
    assert "another shared secret" in finding.sentence
    assert "rollcall server secret add" in finding.hint
