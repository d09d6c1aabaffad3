"""What goes wrong between a host and its LMS, and what is left of it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollcall.bbb.post_events.spool import Spool
from tests.bbb.post_events.conftest import SEED
from tests.bbb.post_events.hosts import LOG, MEETING, OVERLAY, SECRET, HostTree, a_host, events_xml
from tests.bbb.post_events.receiver import Receiver
from tests.moodle import Activity, Moodle, moodle

SPOOL = "var/bigbluebutton/rollcall"
OTHERS = [f"183f0bf3a0982a127bdb8161e0c44eb696b3e75c-{1_795_309_400_001 + number}" for number in range(3)]


def a_class(site: Moodle, people: tuple[str, ...] = ("4711", "4712"), meeting: str = MEETING) -> str:
    return events_xml(site.url(1), people, external=site.meeting_id(1), meeting=meeting)


def state(host: HostTree, destination: str = "lms", meeting: str = MEETING) -> str:
    return str(host.spooled(meeting)["deliveries"][destination]["state"])


def spool_names(host: HostTree) -> list[str]:
    return sorted(one.name for one in host.path(SPOOL).iterdir())


def age(host: HostTree, name: str) -> None:
    """As if the pause were over."""
    os.utime(host.path(f"{SPOOL}/{name}"), (0, 0))


def wait_for(path: Path) -> None:
    until = time.monotonic() + 30
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.02)


@contextmanager
def a_held_lock(host: HostTree, meeting: str = MEETING) -> Iterator[None]:
    spool = Spool(str(host.path(SPOOL)))
    spool.open()
    with spool.lock(meeting, 0) as is_mine:
        assert is_mine
        yield


# The LMS is away, or answers oddly


def test_an_lms_that_was_down_gets_the_class_when_it_is_up(host: HostTree) -> None:
    with moodle(SECRET, {1: Activity(SEED)}) as site:
        port = int(site.base.rpartition(":")[2])
        host.keep(a_class(site))
    assert host.run("-m", MEETING).returncode == 0
    assert "refused the connection; next try in " in host.log()[-1]
    with moodle(SECRET, {1: Activity(SEED)}, port=port) as site:
        host.run("--retry")
        assert site.requests == [], "the pause is not over"
        host.hurry()
        host.run("--retry")
        assert site.credited(1) == {4711: 1, 4712: 1}
    assert state(host) == "done"


def test_events_that_were_tidied_away_meanwhile_are_still_delivered(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    kept = host.keep(events_xml())
    rollcall.answers = [(503, "not-stored")]
    host.run("-m", MEETING)
    kept.unlink()
    host.hurry()
    host.run("--retry")
    assert len(rollcall.kept) == 1
    assert not host.path(f"var/bigbluebutton/rollcall/{MEETING}.xml").exists()


def test_the_end_of_another_meeting_takes_along_what_is_due(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml())
    host.keep(events_xml(meeting=OTHERS[0]), OTHERS[0])
    rollcall.answers = [(503, "not-stored")]
    host.run("-m", MEETING)
    host.hurry()
    host.run("-m", OTHERS[0])
    assert len(rollcall.kept) == 2


def test_a_host_that_is_down_is_asked_once_for_all_its_meetings(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [(503, "not-stored")] * 4
    for meeting in OTHERS:
        host.keep(events_xml(meeting=meeting), meeting)
        host.run("-m", meeting)
        host.hurry(meeting)
    before = rollcall.requests
    host.run("--retry")
    assert rollcall.requests == before + 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [("503", "503 Service Unavailable"), ("429", "429 Too Many Requests"), ("close-before", "broke off")],
)
def test_what_passes_by_itself_is_tried_again(host: HostTree, site: Moodle, fault: str, said: str) -> None:
    host.keep(a_class(site))
    site.faults = [fault]
    host.run("-m", MEETING)
    assert said in host.log()[-1]
    host.hurry()
    host.run("--retry")
    assert site.credited(1) == {4711: 1, 4712: 1}


@pytest.mark.parametrize("fault", ["close-after", "502-after"])
def test_a_try_that_broke_off_after_its_work_credits_nobody_twice(host: HostTree, site: Moodle, fault: str) -> None:
    host.keep(a_class(site))
    site.faults = [fault]
    host.run("-m", MEETING)
    host.hurry()
    host.run("--retry")
    assert site.credited(1) == {4711: 1, 4712: 1}
    assert "had it already, from an earlier try that broke off (202" in host.log()[-1]


def test_a_try_that_broke_off_is_not_repeated_while_it_may_still_run(host: HostTree, site: Moodle) -> None:
    host.keep(a_class(site))
    site.faults = ["close-after"]
    host.run("-m", MEETING)
    assert host.spooled()["deliveries"]["lms"]["next_at"] - time.time() > 290


def test_another_sender_that_was_first_is_named(host: HostTree, site: Moodle) -> None:
    host.keep(a_class(site))
    host.run("-m", MEETING)
    host.path(f"var/bigbluebutton/rollcall/{MEETING}.json").unlink()
    host.run("-m", MEETING)
    assert "from another sender, BigBlueButton's own script perhaps" in host.log()[-1]


def test_an_activity_that_is_gone_is_not_asked_again(host: HostTree, site: Moodle) -> None:
    host.keep(a_class(site))
    site.activities.clear()
    host.run("-m", MEETING)
    host.hurry()
    host.run("--retry")
    assert (state(host), len(site.requests)) == ("gone", 1)


def test_an_answer_that_takes_too_long_is_a_try_that_broke_off(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url, timeout="1")
    rollcall.delay = 2.5
    host.keep(events_xml())
    host.run("-m", MEETING)
    assert "did not answer within 1 seconds" in host.log()[-1]
    assert host.spooled()["deliveries"]["rollcall"]["is_unsure"]


# Somebody has to mend something


def test_another_secret_is_said_and_once_mended_the_class_arrives(host: HostTree, site: Moodle) -> None:
    host.keep(a_class(site))
    site.secret = "another"
    host.run("-m", MEETING)
    assert "to be mended: 400 Bad Request. Caught exception: Signature verification failed" in host.log()[-1]
    assert "knows another shared secret" in host.log()[-1]
    host.configure(lms_secret="another")
    host.hurry()
    host.run("--retry")
    assert site.credited(1) == {4711: 1, 4712: 1}


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_stripped_header_is_told_from_all_else_even_without_a_phrase(
    host: HostTree, site: Moodle, *, is_silent: bool
) -> None:
    host.keep(a_class(site))
    site.is_header_stripped, site.swallows_phrases = True, is_silent
    host.run("-m", MEETING)
    assert state(host) == "fault"
    assert "Authorization header" in host.log()[-1]


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_failure_half_way_is_held_for_a_person(host: HostTree, site: Moodle, *, is_silent: bool) -> None:
    host.configure(guests="keep")
    host.keep(a_class(site, ("4711", "w_guest", "4712")))
    site.swallows_phrases = is_silent
    host.run("-m", MEETING)
    assert "not delivered, and not tried again by itself: 400" in host.log()[-1]
    host.hurry()
    host.run("--retry")
    assert (state(host), len(site.deliveries())) == ("held", 1)
    host.run("--resend", "-m", MEETING)
    assert (state(host), len(site.deliveries())) == ("done", 2)


def test_an_address_that_leads_elsewhere_is_not_followed(host: HostTree, site: Moodle) -> None:
    host.keep(a_class(site))
    site.faults = ["302"]
    host.run("-m", MEETING)
    assert (state(host), len(site.requests)) == ("fault", 1)
    assert "leads elsewhere" in host.log()[-1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((503, "not-stored"), "later"),
        ((400, "incomplete"), "later"),
        ((413, "too-large"), "held"),
        ((400, "not-understood"), "held"),
        ((403, "signature-wrong"), "fault"),
        ((400, "authorization-missing"), "fault"),
        ((404, "unknown-address"), "fault"),
        ((200, "not-captured"), "done"),
    ],
)
def test_rollcalls_answers_are_understood(
    host: HostTree, rollcall: Receiver, answer: tuple[int, str], expected: str
) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [answer]
    host.keep(events_xml())
    host.run("-m", MEETING)
    assert state(host, "rollcall") == expected
    if expected != "done":
        assert f"{answer[1]}: Because of {answer[1]}." in host.log()[-1]


# Secrets


def test_the_secret_of_the_overlay_alone_is_found(tmp_path: Path, site: Moodle) -> None:
    host = a_host(tmp_path)
    host.path("usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties").unlink()
    host.keep(a_class(site))
    host.run("-m", MEETING)
    assert site.credited(1) == {4711: 1, 4712: 1}


@pytest.mark.parametrize("tomcat", ["tomcat7", "tomcat8"])
def test_a_secret_of_an_old_tomcat_is_found(tmp_path: Path, site: Moodle, tomcat: str) -> None:
    host = a_host(tmp_path, "2.2", secret="")
    old = f"var/lib/{tomcat}/webapps/bigbluebutton/WEB-INF/classes/bigbluebutton.properties"
    host.write(old, f"securitySalt = {SECRET}\n")
    host.keep(a_class(site))
    host.run("-m", MEETING)
    assert site.credited(1) == {4711: 1, 4712: 1}


def test_a_container_has_its_secret_in_a_variable(tmp_path: Path, site: Moodle) -> None:
    host = a_host(tmp_path, secret="{{ .Env.SHARED_SECRET }}")
    host.path("usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties").unlink()
    host.environment["SHARED_SECRET"] = SECRET
    host.keep(a_class(site))
    host.run("-m", MEETING)
    assert site.credited(1) == {4711: 1, 4712: 1}


def test_a_balancers_secret_comes_from_a_file_of_its_own(host: HostTree, site: Moodle) -> None:
    site.secret = "the balancer's"
    host.write("etc/bigbluebutton/balancer", "the balancer's\n")
    host.configure(lms_secret_file="/etc/bigbluebutton/balancer")
    host.keep(a_class(site))
    host.run("-m", MEETING)
    assert site.credited(1) == {4711: 1, 4712: 1}


def test_no_secret_at_all_is_said_and_the_class_waits_for_one(tmp_path: Path, site: Moodle) -> None:
    host = a_host(tmp_path, "2.2", secret="")
    host.keep(a_class(site))
    host.run("-m", MEETING)
    assert "shared secret was not found" in host.log()[-1]
    host.write(OVERLAY, f"securitySalt={SECRET}\n")
    host.hurry()
    host.run("--retry")
    assert site.credited(1) == {4711: 1, 4712: 1}


# What there is to send


def test_a_meeting_that_nobody_wants_is_left_alone(host: HostTree) -> None:
    host.keep(events_xml())
    assert host.run("-m", MEETING).returncode == 0
    assert "names no analytics-callback-url, and rollcall_url is empty" in host.log()[-1]


def test_no_events_are_said_with_the_likely_reason(host: HostTree) -> None:
    assert host.run("-m", MEETING).returncode == 0
    assert "there is no events.xml" in host.log()[-1]
    assert "defaultKeepEvents" in host.log()[-1]


def test_a_file_that_cannot_be_read_says_why_and_is_sent_once_it_can(host: HostTree, site: Moodle) -> None:
    path = host.path(f"var/bigbluebutton/events/{MEETING}/events.xml")
    path.mkdir(parents=True)
    host.run("-m", MEETING)
    assert "to be mended: " in host.log()[-1]
    assert "events.xml cannot be read here (Is a directory); next try in " in host.log()[-1]
    path.rmdir()
    host.keep(a_class(site))
    host.hurry()
    host.run("--retry")
    assert site.credited(1) == {4711: 1, 4712: 1}
    assert list(host.spooled()["deliveries"]) == ["lms"]


def test_a_damaged_file_goes_to_rollcall_and_waits_for_a_person_before_it_goes_to_an_lms(
    host: HostTree, site: Moodle, rollcall: Receiver
) -> None:
    host.configure(rollcall_url=rollcall.url)
    text = a_class(site)
    broken = text[: text.index("EndAndKickAll")]
    host.keep(broken)
    host.run("-m", MEETING)
    assert (state(host, "rollcall"), state(host, "lms")) == ("done", "held")
    assert gzip.decompress(rollcall.kept[0][1]).decode() == broken
    assert any("events.xml is damaged (truncated, at byte" in line for line in host.log())
    host.run("--resend", "-m", MEETING)
    assert site.credited(1) == {4711: 1, 4712: 1}


def test_a_file_that_is_no_recording_never_stops_the_worker(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep("\0\0 this is no XML <<<")
    assert host.run("-m", MEETING).returncode == 0
    assert len(rollcall.kept) == 1


def test_a_longer_file_of_the_same_meeting_goes_to_rollcall_alone(
    host: HostTree, site: Moodle, rollcall: Receiver
) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(a_class(site))
    host.run("-m", MEETING)
    host.keep(a_class(site, ("4711", "4712", "4713")))
    host.run("-m", MEETING)
    assert (len(site.deliveries()), len(rollcall.kept)) == (1, 2)


def test_a_breakout_room_goes_to_rollcall_and_not_to_moodle(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml(site.url(1), ("w_aaaaaaaaaaaa-1",), breakout=True))
    host.run("-m", MEETING)
    assert (len(site.requests), len(rollcall.kept)) == (0, 1)


@pytest.mark.parametrize(("metadata", "expected"), [("", ["4711", "guest"]), ('bbb-origin="Moodle"', ["4711"])])
def test_who_is_no_moodle_gets_guests_too(
    host: HostTree, rollcall: Receiver, metadata: str, expected: list[str]
) -> None:
    host.keep(events_xml(rollcall.url, ("4711", "guest"), metadata=metadata))
    host.run("-m", MEETING)
    [(_, body)] = rollcall.kept
    assert [one["ext_user_id"] for one in json.loads(body)["data"]["attendees"]] == expected


@pytest.mark.parametrize("meeting", ["../../etc/passwd", "", "abc", f"{MEETING}/..", f"{MEETING}\n"])
def test_what_is_no_meeting_id_is_refused(host: HostTree, meeting: str) -> None:
    done = host.run("-m", meeting)
    assert "is no internal meeting id" in done.stdout or done.returncode == 2
    assert not host.path("var/bigbluebutton/rollcall").exists()


# The host itself


def test_a_spool_that_cannot_be_written_stops_no_delivery(host: HostTree, site: Moodle) -> None:
    host.write("var/bigbluebutton/rollcall", "a file where the folder should be")
    host.keep(a_class(site))
    assert host.run("-m", MEETING).returncode == 0
    assert site.credited(1) == {4711: 1, 4712: 1}
    assert "what cannot be delivered now will not be tried again" in host.log()[0]


def test_a_full_disk_stops_no_delivery(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    """No file may grow: what a full disk does, for this process alone."""
    host.configure(rollcall_url=rollcall.url)
    host.keep(a_class(site))
    program = host.path("usr/local/bigbluebutton/core/scripts/post_events/rollcall_post_events.py")
    command = f"ulimit -f 0; exec {host.python} -I -S {program} -m {MEETING}"
    done = subprocess.run(
        ["sh", "-c", command], check=False, env=host.surroundings(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert (site.credited(1), len(rollcall.kept)) == ({4711: 1, 4712: 1}, 1)
    assert f"{LOG} cannot be written" in done.stderr


def test_a_damaged_entry_of_the_spool_is_made_anew(host: HostTree, site: Moodle) -> None:
    host.keep(a_class(site))
    host.write(f"var/bigbluebutton/rollcall/{MEETING}.json", '{"meeting": 7')
    host.run("-m", MEETING)
    assert state(host) == "done"


def test_folders_that_are_missing_are_made_for_nobody_else(host: HostTree, site: Moodle) -> None:
    host.path("var/log/bigbluebutton").rmdir()
    host.keep(a_class(site))
    host.run("-m", MEETING)
    assert len(host.log()) == 1
    assert host.path("var/bigbluebutton/rollcall").stat().st_mode & 0o777 == 0o700
    assert host.path(f"var/bigbluebutton/rollcall/{MEETING}.json").stat().st_mode & 0o777 == 0o600


def test_two_runs_at_once_send_once(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.delay = 1
    host.keep(events_xml())
    runs = [start(host, "-m", MEETING) for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert len(rollcall.kept) == 1


def test_a_meeting_whose_turn_does_not_come_is_left_to_the_next_run(host: HostTree, rollcall: Receiver) -> None:
    """Its lock is held by somebody who hangs."""
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml())
    with a_held_lock(host):
        run = start(host, "-m", MEETING)
        wait_for(host.path(f"{SPOOL}/{MEETING}.asked"))
        run.kill()
        run.wait(10)
        assert f"{MEETING}  waits for its turn" in host.run("--status").stdout
        host.run("--retry")
        assert rollcall.requests == 0, "whoever asked may be at it"
    age(host, f"{MEETING}.asked")
    host.run("--retry")
    assert state(host, "rollcall") == "done"
    assert spool_names(host) == [f"{MEETING}.json"]


def test_one_that_hangs_holds_up_no_other_meeting(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    for meeting in OTHERS:
        host.keep(events_xml(meeting=meeting), meeting)
    with a_held_lock(host):
        for meeting in OTHERS:
            host.run("-m", meeting)
    assert len(rollcall.kept) == len(OTHERS)


def test_a_meeting_that_is_known_by_name_alone_is_sent_by_resend(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml())
    host.write(f"{SPOOL}/{MEETING}.asked", "")
    assert host.run("--resend").returncode == 0
    assert (state(host, "rollcall"), spool_names(host)) == ("done", [f"{MEETING}.json"])


def test_an_entry_that_was_damaged_is_tried_again_by_itself(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml())
    host.write(f"{SPOOL}/{MEETING}.json", "")
    host.run("--retry")
    assert state(host, "rollcall") == "done"


def test_what_nobody_wants_leaves_nothing_behind(host: HostTree) -> None:
    host.keep(events_xml())
    host.run("-m", MEETING)
    host.run("-m", OTHERS[0])
    assert spool_names(host) == []


def test_events_that_are_gone_before_they_were_sent_are_said_at_longer_and_longer_pauses(
    host: HostTree, rollcall: Receiver
) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [(503, "not-stored")]
    kept = host.keep(events_xml())
    host.run("-m", MEETING)
    kept.unlink()
    host.path(f"{SPOOL}/{MEETING}.xml").unlink()
    host.hurry()
    host.run("--retry")
    assert "to be mended: there is no events.xml" in host.log()[-1]
    lines = len(host.log())
    host.run("--retry")
    assert len(host.log()) == lines
    host.keep(events_xml())
    host.hurry()
    host.run("--retry")
    assert (state(host, "rollcall"), list(host.spooled()["deliveries"])) == ("done", ["rollcall"])


def test_links_are_not_followed(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml())
    for name in (SPOOL, LOG):
        host.path(name).symlink_to(host.path("elsewhere"))
    host.path("elsewhere").mkdir()
    done = host.run("-m", MEETING)
    assert len(rollcall.kept) == 1
    assert "rollcall is a symbolic link, which is not followed: name the folder itself" in done.stdout
    assert f"{LOG} cannot be written (it is a symbolic link, which is not followed)" in done.stderr
    assert list(host.path("elsewhere").iterdir()) == []


def test_a_run_that_was_killed_before_it_could_write_down_is_repeated_later(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.delay = 10
    host.keep(events_xml())
    run = start(host, "-m", MEETING)
    until = time.monotonic() + 30
    while not (host.spooled() and state(host, "rollcall") == "sending") and time.monotonic() < until:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait(10)
    rollcall.delay = 0
    host.run("--retry")
    assert state(host, "rollcall") == "sending", "it may still be under way"
    host.hurry()
    host.run("--retry")
    assert (state(host, "rollcall"), host.spooled()["deliveries"]["rollcall"]["is_unsure"]) == ("done", True)


def test_what_was_owed_too_long_is_given_up_with_a_line(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [(503, "not-stored")]
    host.keep(events_xml())
    host.run("-m", MEETING)
    path = host.path(f"var/bigbluebutton/rollcall/{MEETING}.json")
    entry = json.loads(path.read_text())
    path.write_text(json.dumps(entry | {"added_at": int(time.time()) - 15 * 86400}))
    host.run("--retry")
    assert "Rollcall: given up after 14 days and 1 try: 503" in host.log()[-1]
    assert spool_names(host) == []


def test_options_that_make_no_sense_are_said_and_leave_the_default(host: HostTree, site: Moodle) -> None:
    host.configure(send_to_lsm="no", timeout="soon", guests="maybe")
    host.keep(a_class(site))
    host.run("-m", MEETING)
    assert site.credited(1) == {4711: 1, 4712: 1}
    said = "\n".join(host.log())
    for name in ("no option send_to_lsm", "timeout is a number", "guests is one of auto, drop, keep, not 'maybe'"):
        assert name in said


# What an operator asks


def test_a_dry_run_shows_everything_and_does_nothing(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(a_class(site, ("4711", "w_guest")))
    done = host.run("--dry-run", "-m", MEETING)
    shown = json.loads(done.stdout)
    assert [one["ext_user_id"] for one in shown["lms"]["body"]["data"]["attendees"]] == ["4711"]
    assert shown["lms"]["said"] == "1 person, 1 guest left out"
    assert shown["rollcall"]["said"].startswith("events.xml, ")
    assert "token-nobody-guesses" not in done.stdout
    assert (site.requests, rollcall.requests, host.log()) == ([], 0, [])
    assert not host.path("var/bigbluebutton/rollcall").exists()


def test_status_lists_what_was_sent_and_what_is_owed(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    assert "nothing is owed" in host.run("--status").stdout
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [(503, "not-stored")]
    host.keep(a_class(site))
    host.run("-m", MEETING)
    lines = host.run("--status").stdout.splitlines()
    assert [line.split()[1:3] for line in lines] == [["LMS", "done"], ["Rollcall", "later"]]


def test_everything_that_is_owed_can_be_tried_at_once(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [(503, "not-stored")]
    host.keep(events_xml())
    host.run("-m", MEETING)
    assert host.run("--resend").returncode == 0
    assert len(rollcall.kept) == 1


def test_a_resend_that_fails_again_says_so_by_its_status(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [(503, "not-stored")] * 2
    host.keep(events_xml())
    host.run("-m", MEETING)
    assert host.run("--resend", "-m", MEETING).returncode == 1


def start(host: HostTree, *arguments: str) -> subprocess.Popen[bytes]:
    program = host.path("usr/local/bigbluebutton/core/scripts/post_events/rollcall_post_events.py")
    command = [host.python, "-I", "-S", os.fspath(program), *arguments]
    return subprocess.Popen(command, env=host.surroundings(), stdout=subprocess.DEVNULL)
