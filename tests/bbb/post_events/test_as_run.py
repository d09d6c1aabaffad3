"""The file as BigBlueButton's worker runs it, on trees laid out like a 2.2, a 2.5 and a 3.0 host."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from rollcall.bbb.post_events.posting import sign_token
from tests.bbb.post_events.hosts import LAUNCHER_NAME, MEETING, SECRET, STOCK_NAME, HostTree, a_host, events_xml
from tests.bbb.post_events.receiver import Receiver
from tests.moodle import Moodle
from tests.programs import need

PEOPLE = ("4711", "w_guest0000001", "4712")


@pytest.fixture(params=["2.2", "2.5", "3.0"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> HostTree:
    return a_host(tmp_path, request.param)


def a_class(site: Moodle, people: tuple[str, ...] = PEOPLE) -> str:
    return events_xml(site.url(1), people, external=site.meeting_id(1))


def stock_posts(host: HostTree, site: Moodle) -> None:
    """What BigBlueButton's own script would post: guests and all, signed rightly."""
    attendees = [{"ext_user_id": person, "duration": 1790, "engagement": {}} for person in PEOPLE]
    body = {"meeting_id": site.meeting_id(1), "internal_meeting_id": MEETING, "data": {"attendees": attendees}}
    host.write("stock.json", json.dumps(body))
    host.write("stock.token", sign_token(SECRET, site.clock()))
    host.write("stock.url", site.url(1))


def test_the_worker_finds_our_script_first_and_the_lms_credits_everybody_once(host: HostTree, site: Moodle) -> None:
    ruby = need("ruby")
    host.keep(a_class(site))
    stock_posts(host, site)
    done = host.run_as_worker(ruby)
    assert [one.returncode for one in done] == [0, 0]
    assert host.path("order").read_text() == f"stock -m {MEETING}\n"
    assert site.credited(1) == {4711: 1, 4712: 1}
    assert [one.status for one in site.deliveries()] == [200, 202]
    assert "delivered (200 OK: 2 people, 1 guest left out)" in host.log()[-1]
    assert host.log()[-1].split(" ", 1)[1] in done[0].stdout, "BigBlueButton's worker logs what its scripts print"


def test_without_ours_a_guest_stops_the_stock_script_half_way(host: HostTree, site: Moodle) -> None:
    """What the launcher is for: the stand-in must be able to fail."""
    ruby = need("ruby")
    host.keep(a_class(site))
    stock_posts(host, site)
    host.path("usr/local/bigbluebutton/core/scripts/post_events/post_events_00_rollcall.rb").unlink()
    host.run_as_worker(ruby)
    assert site.credited(1) == {4711: 1}


def test_the_body_is_what_moodle_wants(host: HostTree, site: Moodle) -> None:
    host.keep(a_class(site))
    assert host.run("-m", MEETING).returncode == 0
    sent = json.loads(site.deliveries()[0].body)
    assert sent["internal_meeting_id"] == MEETING
    assert sent["meeting_id"] == site.meeting_id(1)
    assert [(one["ext_user_id"], one["duration"]) for one in sent["data"]["attendees"]] == [
        ("4711", 1790),
        ("4712", 1790),
    ]
    assert site.deliveries()[0].headers["content-type"] == "application/json"


def test_rollcall_gets_the_file_itself_beside_the_lms(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    text = a_class(site)
    host.keep(text)
    assert host.run("-m", MEETING).returncode == 0
    [(headers, body)] = rollcall.kept
    assert gzip.decompress(body).decode() == text
    assert headers["content-type"] == "application/gzip"
    assert site.credited(1) == {4711: 1, 4712: 1}


def test_rollcall_may_get_the_numbers_alone_and_then_gets_guests_too(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url, rollcall_gets="callback", send_to_lms="no")
    host.keep(events_xml("https://moodle.invalid/x", PEOPLE))
    assert host.run("-m", MEETING).returncode == 0
    [(_, body)] = rollcall.kept
    assert [one["ext_user_id"] for one in json.loads(body)["data"]["attendees"]] == sorted(PEOPLE, key=PEOPLE.index)


def test_a_recorded_meeting_is_found_in_its_raw_folder(host: HostTree, site: Moodle) -> None:
    host.write(f"var/bigbluebutton/recording/raw/{MEETING}/events.xml", a_class(site))
    assert host.run("-m", MEETING).returncode == 0
    assert site.credited(1) == {4711: 1, 4712: 1}


def test_folders_that_were_moved_are_found(host: HostTree, site: Moodle) -> None:
    host.write("etc/bigbluebutton/recording/recording.yml", 'events_dir: "/mnt/big/events"  # moved\n')
    host.write(f"mnt/big/events/{MEETING}/events.xml", a_class(site))
    assert host.run("-m", MEETING).returncode == 0
    assert site.credited(1) == {4711: 1, 4712: 1}


def test_the_log_holds_no_person_and_no_secret(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(a_class(site))
    done = host.run("-m", MEETING)
    said = "\n".join([*host.log(), done.stdout, done.stderr, json.dumps(host.spooled())])
    assert MEETING in said
    for private in ("Ada", "4711", SECRET, "token-nobody-guesses", "Bearer"):
        assert private not in said


def test_a_second_run_sends_nothing_twice(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(a_class(site))
    host.run("-m", MEETING)
    host.run("-m", MEETING)
    assert (len(site.deliveries()), len(rollcall.kept)) == (1, 1)
    assert "was delivered already" in host.log()[-1]


def test_a_launcher_whose_python_is_missing_lets_the_worker_go_on(host: HostTree, site: Moodle) -> None:
    ruby = need("ruby")
    host.environment["ROLLCALL_PYTHON"] = "/nowhere/python3"
    host.keep(a_class(site))
    done = host.run_as_worker(ruby)
    assert [one.returncode for one in done] == [0, 0]
    assert "could not be run" in host.log()[-1]
    assert host.path("order").exists()


def test_a_launcher_stops_a_program_that_takes_too_long(tmp_path: Path, rollcall: Receiver) -> None:
    ruby = need("ruby")
    host = a_host(tmp_path)
    rollcall.delay = 20
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml())
    host.environment["ROLLCALL_PATIENCE"] = "4"
    done = host.run_as_worker(ruby)
    assert [one.returncode for one in done] == [0, 0]
    assert "took more than 4 seconds" in "\n".join(host.log())
    assert host.spooled()["deliveries"]["rollcall"]["state"] == "sending"


def test_the_stock_script_has_its_name_behind_ours() -> None:
    assert LAUNCHER_NAME < STOCK_NAME
