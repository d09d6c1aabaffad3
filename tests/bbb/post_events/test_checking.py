"""`--check` on hosts with one thing wrong each: that thing is named, with its mend, and nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bbb.post_events.hosts import (
    LAUNCHER_NAME,
    MEETING,
    OVERLAY,
    PACKAGED,
    SCRIPTS,
    SECRET,
    HostTree,
    a_host,
    events_xml,
)
from tests.bbb.post_events.receiver import Receiver
from tests.moodle import Moodle
from tests.programs import need

SYSTEMCTL = """\
#!/bin/sh
# systemctl show --property NAME UNIT
name=$3 unit=$4
case "$name" in
LoadState) grep -qx "$unit" "$ROLLCALL_ROOT/units" && echo LoadState=loaded || echo LoadState=not-found ;;
ActiveState) grep -qx "$unit" "$ROLLCALL_ROOT/active" && echo ActiveState=active || echo ActiveState=inactive ;;
Environment) echo "Environment=$(cat "$ROLLCALL_ROOT/queue")" ;;
esac
"""
UNITS = ("bbb-rap-resque-worker.service", "bbb-rap-starter.service")


def systemd(host: HostTree, units: tuple[str, ...] = UNITS, active: tuple[str, ...] = UNITS) -> None:
    """The host is run by a systemd that knows these units."""
    host.path("run/systemd/system").mkdir(parents=True, exist_ok=True)
    host.write("bin/systemctl", SYSTEMCTL).chmod(0o755)
    host.write("units", "".join(f"{unit}\n" for unit in units))
    host.write("active", "".join(f"{unit}\n" for unit in active))
    host.write("queue", "QUEUE=rap:archive,rap:publish,rap:process,rap:sanity,rap:captions,rap:events COUNT=1")
    host.environment["PATH"] = f"{host.path('bin')}:{os.environ['PATH']}"


@pytest.fixture
def host(host: HostTree, site: Moodle, rollcall: Receiver) -> HostTree:
    """One on which nothing is wrong."""
    systemd(host)
    host.write(PACKAGED, f"defaultKeepEvents=false\ndisableRecordingDefault=false\nsecuritySalt={SECRET}\n")
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml(site.url(1), external=site.meeting_id(1)))
    host.write("etc/cron.d/rollcall-bbb", "*/5 * * * * bigbluebutton true\n")
    return host


def findings(host: HostTree, *arguments: str) -> list[str]:
    """What is not fine; plain http is what the stand-ins speak."""
    done = host.run("--check", *arguments)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    assert done.returncode == int(any(line.startswith("FAIL") for line in lines)), done.stderr
    return [line for line in lines if "is not https" not in line]


def test_a_host_on_which_nothing_is_wrong_is_fine(host: HostTree, site: Moodle, rollcall: Receiver) -> None:
    assert findings(host) == []
    assert (len(site.requests), len(rollcall.kept), site.rows) == (1, 0, [])


def test_what_is_fine_is_said_too(host: HostTree) -> None:
    said = host.run("--check").stdout
    for words in (
        "BigBlueButton 3.0.4",
        "Events are kept (defaultKeepEvents: true in /etc/bigbluebutton/bbb-web.properties, false in /usr",
        "Recordings are on",
        "bbb-rap-resque-worker.service is running",
        f"{LAUNCHER_NAME} runs before BigBlueButton's own script",
        "What goes to the LMS is signed with the secret of /etc/bigbluebutton/bbb-web.properties",
        f"The newest meeting kept is {MEETING}, of today",
        "is reached, the Authorization header arrives and the secret fits",
    ):
        assert words in said
    assert SECRET not in said


def test_the_check_leaves_no_trace(host: HostTree) -> None:
    findings(host)
    assert not host.path("var/bigbluebutton/rollcall").exists()
    assert host.log() == []


def test_events_that_are_not_kept_are_the_first_thing_to_mend(host: HostTree) -> None:
    host.write(OVERLAY, f"securitySalt={SECRET}\n")
    [finding] = [line for line in findings(host) if line.startswith("FAIL")]
    assert (
        "Events are not kept (defaultKeepEvents: not set in /etc/bigbluebutton/bbb-web.properties, false in" in finding
    )
    assert (
        "write defaultKeepEvents=true into /etc/bigbluebutton/bbb-web.properties and run `bbb-conf --restart`"
        in finding
    )


def test_a_2_2_knows_no_overlay(tmp_path: Path) -> None:
    host = a_host(tmp_path / "old", "2.2")
    systemd(host, ("bbb-record-core.timer",), ("bbb-record-core.timer",))
    host.write(PACKAGED, f"keepEvents=false\nsecuritySalt={SECRET}\n")
    assert any(
        "write keepEvents=true into /usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties and run" in line
        for line in findings(host)
    )
    host.write(PACKAGED, f"keepEvents=true\nsecuritySalt={SECRET}\n")
    assert not any("Events are not kept" in line for line in findings(host))
    assert "bbb-record-core.timer is running" in host.run("--check").stdout


@pytest.mark.parametrize(
    ("version", "packaged", "overlay", "mark", "said"),
    [
        # 2.2 reads one file and one name, whatever lies beside it.
        ("2.2", "keepEvents=true", "", "ok", f"Events are kept (keepEvents: true in /{PACKAGED})."),
        ("2.2", "keepEvents=false", "defaultKeepEvents=true", "FAIL", f"(keepEvents: false in /{PACKAGED})"),
        ("2.2", "keepEvents=false", "keepEvents=true", "FAIL", f"write keepEvents=true into /{PACKAGED} and"),
        ("2.2", "defaultKeepEvents=true", "", "FAIL", f"(keepEvents: not set in /{PACKAGED})"),
        ("2.3", "defaultKeepEvents=true", "", "ok", f"not set in /{OVERLAY}, true in /{PACKAGED})."),
        ("3.0", "keepEvents=true", "", "FAIL", f"write defaultKeepEvents=true into /{OVERLAY} and"),
        ("3.0", "", "keepEvents=true", "FAIL", f"(defaultKeepEvents: not set in /{OVERLAY}, not set in /{PACKAGED})"),
        ("3.0", "defaultKeepEvents=true", "defaultKeepEvents=false", "FAIL", f"false in /{OVERLAY}, true in"),
        ("3.0", "defaultKeepEvents=false", "defaultKeepEvents=true", "ok", f"true in /{OVERLAY}, false in"),
        # Nobody knows which of the two it is.
        ("", "keepEvents=true", "defaultKeepEvents=true", "ok", "Events are kept (defaultKeepEvents: true in"),
        ("", "keepEvents=true", "", "warn", "kept only if this is BigBlueButton 2.2 (keepEvents: true in"),
        (
            "",
            "",
            "defaultKeepEvents=true",
            "warn",
            "kept only if this is BigBlueButton 2.3 or newer (defaultKeepEvents",
        ),
        ("", "", "", "FAIL", "write defaultKeepEvents=true into"),
    ],
)
def test_whether_events_are_kept_is_read_as_that_version_reads_it(
    tmp_path: Path, version: str, packaged: str, overlay: str, mark: str, said: str
) -> None:
    host = a_host(tmp_path, version or "3.0")
    if not version:
        host.path("etc/bigbluebutton/bigbluebutton-release").unlink()
    host.write(PACKAGED, f"{packaged}\nsecuritySalt={SECRET}\n")
    host.write(OVERLAY, f"{overlay}\n")
    [line] = [line for line in host.run("--check").stdout.splitlines() if line[6:].startswith("Events are")]
    assert line.startswith(f"{mark:<4}  ")
    assert said in line


@pytest.mark.parametrize(
    ("version", "line", "said"),
    [
        ("2.2", "", "Recordings are on"),
        ("2.2", "disableRecordingDefault=true", "Recordings are off"),
        ("3.0", "", "Recordings are on"),
        ("3.0", "disableRecordingDefault=false", "Recordings are on"),
    ],
)
def test_whether_recordings_are_on_is_always_said(tmp_path: Path, version: str, line: str, said: str) -> None:
    host = a_host(tmp_path, version)
    host.write(PACKAGED, f"{line}\nsecuritySalt={SECRET}\n")
    assert f"ok    {said}" in host.run("--check").stdout


def test_only_what_is_sent_has_its_secret_named(host: HostTree) -> None:
    host.configure(rollcall_url="")
    said = host.run("--check").stdout
    assert "Nothing goes to Rollcall: rollcall_url is empty" in said
    assert "What goes to Rollcall" not in said
    assert "What goes to the LMS" in said


def test_a_worker_that_stands_still_is_named(host: HostTree) -> None:
    systemd(host, UNITS, UNITS[1:])
    [finding] = findings(host)
    assert finding.startswith("FAIL  bbb-rap-resque-worker.service is not running, so ended meetings wait: ")
    assert finding.endswith("`systemctl enable --now bbb-rap-resque-worker.service`.")


def test_a_worker_without_the_queue_of_events_is_named(host: HostTree) -> None:
    host.write("queue", "QUEUE=rap:archive,rap:publish COUNT=3")
    [finding] = findings(host)
    assert "does not serve the queue rap:events" in finding


def test_a_host_without_a_worker_is_told(host: HostTree) -> None:
    systemd(host, (), ())
    [finding] = findings(host)
    assert "apt-get install bbb-record-core" in finding


def test_a_container_is_told_to_look_elsewhere(host: HostTree) -> None:
    host.path("run/systemd/system").rmdir()
    [finding] = findings(host)
    assert finding.startswith("warn  No recording worker was seen running")


def test_files_that_are_not_in_place_are_named(host: HostTree) -> None:
    program = Path(tempfile.mkdtemp()) / "rollcall_post_events.py"
    shutil.move(host.path(f"{SCRIPTS}/post_events/rollcall_post_events.py"), program)
    done = host.run("--check", program=str(program))
    shutil.rmtree(program.parent)
    assert "rollcall_post_events.py is not there: run --install." in done.stdout


def test_all_files_that_are_not_in_place_are_named_together(host: HostTree) -> None:
    host.path(f"{SCRIPTS}/post_events/{LAUNCHER_NAME}").unlink()
    program = host.path("rollcall_post_events.py")
    shutil.move(host.path(f"{SCRIPTS}/post_events/rollcall_post_events.py"), program)
    assert "rollcall_post_events.py are not there: run --install." in host.run("--check", program=str(program)).stdout


def test_what_nobody_reads_to_its_end_is_no_fault(host: HostTree) -> None:
    """As in `rollcall-bbb --dry-run -m ID | head`."""
    host.keep(events_xml("https://moodle.invalid/x", [f"47{number}" for number in range(2000)]))
    for words in (["--dry-run", "-m", MEETING], ["--check"], ["--help"]):
        reading, writing = os.pipe()
        os.close(reading)
        program = str(host.path(f"{SCRIPTS}/post_events/rollcall_post_events.py"))
        command = [host.python, "-I", "-S", program, *words]
        done = subprocess.run(
            command, check=False, stdout=writing, stderr=subprocess.PIPE, env=host.surroundings(), timeout=60
        )
        os.close(writing)
        assert done.stderr == b"", words
        assert done.returncode in {0, 1}, words


def test_one_try_is_said_as_one(host: HostTree, rollcall: Receiver) -> None:
    host.run("-m", MEETING)
    assert "  1 try  " in host.run("--status").stdout
    host.run("--resend", "-m", MEETING)
    assert "  2 tries  " in host.run("--status").stdout


def test_secrets_that_differ_are_named_with_the_one_that_counts(host: HostTree) -> None:
    host.path(PACKAGED).write_text("securitySalt=older\n")
    [finding] = findings(host)
    assert "hold different secrets; /etc/bigbluebutton/bbb-web.properties counts" in finding


def test_a_secret_that_is_not_there_is_said(host: HostTree) -> None:
    host.write(OVERLAY, "defaultKeepEvents=true\n")
    host.path(PACKAGED).unlink()
    said = findings(host)
    assert len(said) == 2
    assert all("shared secret was not found" in line for line in said)


def test_a_stripped_header_gets_its_mends(host: HostTree, site: Moodle) -> None:
    site.is_header_stripped = True
    [finding] = findings(host)
    for words in ("does not get the Authorization header", "CGIPassAuth On", "SetEnvIf", "fastcgi_param", "firewall"):
        assert words in finding


def test_another_secret_at_the_lms_is_told(host: HostTree, site: Moodle) -> None:
    site.secret = f"{SECRET}\n"
    [finding] = findings(host)
    assert "knows another secret" in finding
    assert "blanks and line ends" in finding


def test_another_secret_at_rollcall_is_told(host: HostTree, rollcall: Receiver) -> None:
    rollcall.secret = "another"
    [finding] = findings(host)
    assert finding.startswith("FAIL  Rollcall at 127.0.0.1")
    assert "rollcall_secret" in finding


def test_an_lms_that_is_away_is_told(host: HostTree, site: Moodle) -> None:
    host.keep(events_xml("http://127.0.0.1:1/mod/bigbluebuttonbn/bbb_broker.php"))
    [finding] = findings(host)
    assert "LMS at 127.0.0.1:1 is not reached: 127.0.0.1:1 refused the connection" in finding
    assert findings(host, "--url", site.url(1)) == []


def test_meetings_without_an_address_name_moodles_switch(host: HostTree) -> None:
    host.keep(events_xml())
    [finding] = findings(host)
    assert "The newest meeting names no analytics-callback-url" in finding
    assert '"Register live sessions"' in finding


def test_no_meeting_yet_asks_for_one(host: HostTree) -> None:
    shutil.rmtree(host.path("var/bigbluebutton/events"))
    [finding] = findings(host)
    assert "holds no meeting yet: hold a short one" in finding


@pytest.mark.parametrize("name", ["etc/bigbluebutton/rollcall.conf", "etc/bigbluebutton/balancer"])
def test_a_file_with_a_secret_that_everybody_can_read_is_told(host: HostTree, rollcall: Receiver, name: str) -> None:
    host.write("etc/bigbluebutton/balancer", SECRET).chmod(0o640)
    host.configure(rollcall_url=rollcall.url, lms_secret_file="/etc/bigbluebutton/balancer")
    assert findings(host) == []
    host.path(name).chmod(0o644)
    [finding] = findings(host)
    assert finding.startswith(f"warn  /{name} may hold a secret, and everybody on this host can read it: `chgrp ")
    assert finding.endswith(f"; chmod 640 /{name}`.")


@pytest.mark.parametrize(
    ("spool", "said"),
    [
        ("/", "the system's"),
        ("/srv", "the system's"),
        ("/etc/bigbluebutton", "the system's"),
        ("//etc", "the system's"),
        ("/var/lib/../lib", "the system's"),
        ("/usr/local/bigbluebutton/core/scripts/rollcall", "the system's"),
        ("/var/bigbluebutton", "BigBlueButton's"),
        ("/var/bigbluebutton/rollcall/..", "BigBlueButton's"),
        ("/var/bigbluebutton/events", "BigBlueButton's"),
        ("/var/bigbluebutton/events/rollcall", "BigBlueButton's"),
        (f"/var/bigbluebutton/{MEETING}", "BigBlueButton's"),
        ("/mnt/kept/events", "BigBlueButton's"),
        ("/srv/link/events", "BigBlueButton's"),
        ("/srv/data/others", "in use for something else"),
        ("rollcall", "begins with /"),
    ],
)
def test_a_spool_is_a_folder_of_its_own(host: HostTree, rollcall: Receiver, spool: str, said: str) -> None:
    """Else the default stands: nothing is lost."""
    host.write("srv/data/others/accounts.db", "")
    host.path("srv/link").symlink_to(host.path("var/bigbluebutton"))
    host.write("etc/bigbluebutton/recording/recording.yml", "recording_dir: /mnt/kept/events\n")
    host.configure(rollcall_url=rollcall.url, spool=spool)
    assert any(line.startswith("FAIL") and said in line and spool in line for line in findings(host))
    host.run("-m", MEETING)
    assert said in host.log()[0]
    assert host.spooled()["deliveries"]["rollcall"]["state"] == "done"
    assert host.run("--install", "--set", f"spool={spool}").returncode == 1


@pytest.mark.parametrize(
    "spool", ["/srv/rollcall", "/var/lib/rollcall", "/var/bigbluebutton/kept/rollcall", "/data/x/"]
)
def test_a_spool_elsewhere_is_used(host: HostTree, rollcall: Receiver, spool: str) -> None:
    host.path(f"{spool[1:]}/lost+found").mkdir(parents=True)
    host.configure(rollcall_url=rollcall.url, spool=spool)
    assert findings(host) == []
    host.run("-m", MEETING)
    host.write(f"{spool[1:]}/notes", "somebody's")
    assert findings(host) == []
    host.run("-m", MEETING)
    assert sorted(one.name for one in host.path(spool[1:]).iterdir()) == [f"{MEETING}.json", "lost+found", "notes"]


@pytest.mark.parametrize(
    ("name", "mark"),
    [("var/bigbluebutton/rollcall", "FAIL"), ("var/log/bigbluebutton/post_events_rollcall.log", "warn")],
)
def test_a_link_where_the_spool_or_the_log_should_be_is_told(host: HostTree, name: str, mark: str) -> None:
    host.path("elsewhere").mkdir()
    host.path(name).symlink_to(host.path("elsewhere"))
    [finding] = findings(host)
    assert finding.startswith(mark)
    assert f"{host.path(name)} is a symbolic link, which is not followed" in finding


def test_what_is_owed_is_said(host: HostTree, rollcall: Receiver) -> None:
    rollcall.answers = [(403, "signature-wrong")]
    host.run("-m", MEETING)
    [finding] = findings(host)
    assert finding == "warn  1 delivery waits for something to be mended: --status shows them."


def test_a_typing_error_in_the_configuration_is_told(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url, verify_tsl="no")
    [finding] = findings(host)
    assert "there is no option verify_tsl; its names are ca_file, connect_timeout" in finding


def test_nothing_to_anybody_is_a_fault(host: HostTree) -> None:
    host.configure(send_to_lms="no")
    [finding] = findings(host)
    assert "sends nothing to anybody" in finding


# Another user than root


@pytest.fixture
def nobodys(site: Moodle) -> Iterator[HostTree]:
    """A tree that a user without rights can walk into, and whose data is that user's."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    host = a_host(root)
    # One whose library others may read: this one's may lie in somebody's home.
    host.python = need("python3") if not Path("/usr/bin/python3").exists() else "/usr/bin/python3"
    host.keep(events_xml(site.url(1), external=site.meeting_id(1)))
    for path in [host.path("var/bigbluebutton"), host.path("var/log/bigbluebutton"), *host.path("var").rglob("*")]:
        os.chown(path, 65534, 65534)
    yield host
    shutil.rmtree(root)


def test_root_does_what_it_does_as_the_workers_user(nobodys: HostTree, site: Moodle) -> None:
    assert nobodys.run("-m", MEETING).returncode == 0
    assert site.credited(1) == {4711: 1, 4712: 1}
    made = [
        nobodys.path("var/log/bigbluebutton/post_events_rollcall.log"),
        *nobodys.path("var/bigbluebutton/rollcall").iterdir(),
    ]
    assert {one.stat().st_uid for one in made} == {65534}


def test_a_file_that_only_root_may_read_is_said_with_its_mend(nobodys: HostTree) -> None:
    nobodys.path(OVERLAY).chmod(0o600)
    nobodys.path(PACKAGED).unlink()
    nobodys.run("-m", MEETING)
    assert "shared secret was not found" in nobodys.log()[-1]
    [line] = {line for line in nobodys.run("--check").stdout.splitlines() if "cannot be read by" in line}
    assert "`chgrp nogroup" in line or "`chgrp nobody" in line


def test_events_that_only_root_may_read_are_said(nobodys: HostTree) -> None:
    path = nobodys.path(f"var/bigbluebutton/events/{MEETING}/events.xml")
    os.chown(path, 0, 0)
    path.chmod(0o600)
    nobodys.run("-m", MEETING)
    assert "events.xml cannot be read here (Permission denied)" in nobodys.log()[-1]
