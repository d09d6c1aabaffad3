"""The one file puts itself in place, and takes itself away."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from rollcall.bbb.post_events.configuration import OPTIONS, configuration_text
from rollcall.bbb.post_events.installing import LAUNCHER_TEXT
from tests.bbb.post_events.hosts import (
    LAUNCHER_NAME,
    MEETING,
    SCRIPTS,
    STOCK_NAME,
    STOCK_STAND_IN,
    HostTree,
    a_host,
    events_xml,
    program_text,
)
from tests.bbb.post_events.receiver import Receiver
from tests.moodle import Moodle
from tests.programs import need

CONFIGURATION = "etc/bigbluebutton/rollcall.conf"


@pytest.fixture
def bare(host: HostTree) -> HostTree:
    return made_bare(host)


def made_bare(host: HostTree) -> HostTree:
    """A host that has never seen Rollcall, and its file in a home folder."""
    for name in (LAUNCHER_NAME, "rollcall_post_events.py"):
        host.path(f"{SCRIPTS}/post_events/{name}").unlink()
    host.write("root/rollcall_post_events.py", program_text())
    return host


def install(host: HostTree, *arguments: str) -> subprocess.CompletedProcess[str]:
    return host.run("--install", *arguments, program=str(host.path("root/rollcall_post_events.py")))


def files(host: HostTree) -> set[str]:
    return {str(one.relative_to(host.root)) for one in host.root.rglob("*") if not one.is_dir() or one.is_symlink()}


def test_an_installed_host_sends_what_ends_and_one_that_is_uninstalled_is_as_before(
    bare: HostTree, rollcall: Receiver
) -> None:
    before = files(bare)
    assert install(bare, "--rollcall-url", rollcall.url).returncode == 0
    bare.keep(events_xml())
    before |= {f"var/bigbluebutton/events/{MEETING}/events.xml", "var/log/bigbluebutton/post_events_rollcall.log"}
    if ruby := need("ruby"):
        bare.run_as_worker(ruby)
    assert len(rollcall.kept) == 1
    done = bare.run("--uninstall")
    assert (done.returncode, done.stderr) == (0, "")
    assert files(bare) - {"order"} == before


@pytest.mark.parametrize("version", ["2.2", "2.5", "3.0"])
def test_once_installed_the_worker_tells_the_lms_and_rollcall(
    tmp_path: Path, version: str, site: Moodle, rollcall: Receiver
) -> None:
    ruby = need("ruby")
    host = made_bare(a_host(tmp_path, version))
    host.keep(events_xml(site.url(1), ("4711", "w_guest0000001"), external=site.meeting_id(1)))
    host.run_as_worker(ruby)
    assert (site.deliveries(), rollcall.kept, host.log()) == ([], [], []), "nothing is installed yet"
    done = install(host, "--rollcall-url", rollcall.url)
    assert (done.returncode, done.stderr) == (0, "")
    ran = host.run_as_worker(ruby)
    assert [(one.returncode, one.stderr) for one in ran] == [(0, ""), (0, "")]
    assert (site.credited(1), len(rollcall.kept)) == ({4711: 1}, 1)
    assert [line.split(" ")[2] for line in host.log()] == ["LMS", "Rollcall"]
    checked = host.run("--check", "--url", site.url(1)).stdout
    assert checked.count("is reached, the Authorization header arrives and the secret fits") == 2
    assert [line for line in checked.splitlines() if line.startswith("FAIL")] == []


def test_everything_is_where_it_is_looked_for(bare: HostTree) -> None:
    bare.path("run/systemd/system").mkdir(parents=True)
    done = install(bare, "--rollcall-url", "https://rollcall.example.org/callbacks/x")
    assert (done.returncode, done.stderr) == (0, "")
    assert bare.path(f"{SCRIPTS}/post_events/{LAUNCHER_NAME}").read_text() == LAUNCHER_TEXT
    assert bare.path(f"{SCRIPTS}/post_events/rollcall_post_events.py").read_text() == program_text()
    assert (
        os.fspath(bare.path("usr/local/bin/rollcall-bbb").readlink())
        == f"/{SCRIPTS}/post_events/rollcall_post_events.py"
    )
    service = bare.path("etc/systemd/system/rollcall-bbb.service").read_text()
    assert f"ExecStart=/usr/bin/env python3 -I /{SCRIPTS}/post_events/rollcall_post_events.py --retry" in service
    assert "OnUnitInactiveSec=5min" in bare.path("etc/systemd/system/rollcall-bbb.timer").read_text()
    assert not bare.path("etc/cron.d/rollcall-bbb").exists()


def test_without_systemd_cron_tries_again(bare: HostTree) -> None:
    assert "/etc/cron.d/rollcall-bbb looks every five minutes" in install(bare).stdout
    [line] = [line for line in bare.path("etc/cron.d/rollcall-bbb").read_text().splitlines() if line.startswith("*/5")]
    assert line.split()[5] == "root", "the owner of this tree"
    assert "--retry" in line


def test_a_host_with_neither_is_told(bare: HostTree) -> None:
    bare.path("etc/cron.d").rmdir()
    assert "neither systemd nor cron" in install(bare).stdout


def test_what_an_operator_has_written_stays(bare: HostTree) -> None:
    install(bare, "--rollcall-url", "https://rollcall.example.org/callbacks/one")
    path = bare.path(CONFIGURATION)
    path.write_text(path.read_text() + "timeout = 7\n")
    assert "stays as it is" in install(bare).stdout
    install(bare, "--rollcall-url", r"https://rollcall.example.org/callbacks/two\1")
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == [r"rollcall_url = https://rollcall.example.org/callbacks/two\1", "timeout = 7"]


def test_any_option_can_be_set_and_one_that_makes_no_sense_is_refused_before_anything_is_done(bare: HostTree) -> None:
    before = files(bare)
    done = install(bare, "--set", "send_to_lms=perhaps")
    assert (done.returncode, done.stderr) == (1, "Rollcall: send_to_lms is one of yes, no, not 'perhaps'.\n")
    assert files(bare) == before
    install(bare, "--set", "send_to_lms=no", "--set", "timeout = 7")
    install(bare, "--set", "timeout=9")
    lines = [line for line in bare.path(CONFIGURATION).read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["rollcall_url =", "send_to_lms = no", "timeout = 9"]


def test_the_address_is_for_the_worker_alone(bare: HostTree) -> None:
    install(bare, "--rollcall-url", "https://rollcall.example.org/callbacks/x")
    assert stat.S_IMODE(bare.path(CONFIGURATION).stat().st_mode) == 0o640


def test_an_address_that_others_could_read_is_closed_by_the_next_install(bare: HostTree) -> None:
    path = bare.write(CONFIGURATION, "rollcall_url = https://rollcall.example.org/callbacks/x\n")
    for before, after in ((0o644, 0o640), (0o666, 0o640), (0o600, 0o600)):
        path.chmod(before)
        assert "stays as it is" in install(bare).stdout
        assert stat.S_IMODE(path.stat().st_mode) == after


def test_whatever_umask_root_has_the_worker_can_run_what_is_installed(bare: HostTree) -> None:
    before = os.umask(0o077)
    try:
        install(bare)
    finally:
        os.umask(before)
    for name in ("usr/local/bin", f"{SCRIPTS}/post_events/rollcall_post_events.py"):
        assert bare.path(name).stat().st_mode & 0o777 == 0o755


def test_uninstalling_takes_nothing_that_is_not_its_own(bare: HostTree) -> None:
    bare.write("srv/rollcall/data/x", "somebody's")
    bare.write(f"srv/rollcall/{MEETING}.json", "")
    for spool in ("/srv/rollcall", "/var/bigbluebutton", "/srv"):
        install(bare)
        bare.configure(spool=spool)
        kept = bare.keep(events_xml())
        done = bare.run("--uninstall")
        assert (done.returncode, done.stderr) == (0, "")
        assert kept.exists()
        assert bare.path("srv/rollcall/data/x").exists()
        assert not bare.path(f"srv/rollcall/{MEETING}.json").exists()
        assert ("srv/rollcall stays: it is a link, or holds what is not" in done.stdout) == (spool == "/srv/rollcall")


def test_a_host_that_is_none_is_refused(bare: HostTree) -> None:
    bare.path(SCRIPTS).rename(bare.path("elsewhere"))
    bare.path(SCRIPTS).parent.mkdir(parents=True, exist_ok=True)
    command = [bare.python, "-I", "-S", str(bare.path("root/rollcall_post_events.py")), "--install"]
    done = subprocess.run(command, check=False, env=bare.surroundings(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "this is no BigBlueButton host" in done.stderr


def test_uninstalling_brings_the_stock_script_back(bare: HostTree) -> None:
    install(bare)
    bare.run("--divert")
    program = bare.path("root/rollcall_post_events.py")
    assert bare.run("--uninstall", program=str(program)).returncode == 0
    assert bare.path(f"{SCRIPTS}/post_events/{STOCK_NAME}").read_text() == STOCK_STAND_IN
    assert bare.run("--uninstall", program=str(program)).returncode == 0, "a second time"


def test_the_configuration_that_is_written_says_every_option_and_is_read_without_a_fault(host: HostTree) -> None:
    text = configuration_text({"rollcall_url": "https://rollcall.example.org/callbacks/x"})
    for name, default, _ in OPTIONS[1:]:
        assert f"#{name} = {default}".rstrip() in text.splitlines()
    uncommented = "\n".join(line[1:] if line.startswith("#") and line[1] != " " else line for line in text.splitlines())
    host.write(CONFIGURATION, uncommented)
    host.run("-m", MEETING)
    assert len(host.log()) == 1


def test_the_launchers_ruby_compiles() -> None:
    ruby = need("ruby")
    done = subprocess.run([ruby, "-wc"], check=False, input=LAUNCHER_TEXT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("Syntax OK\n", "")


def test_a_fault_of_the_program_itself_is_one_line_in_the_log(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    path: Path = host.path(f"{SCRIPTS}/post_events/rollcall_post_events.py")
    path.write_text(path.read_text().replace("def events_of(", "def events_that_are_gone("))
    host.keep(events_xml())
    assert host.run("-m", MEETING).returncode == 0
    assert "a fault of this program stopped it: NameError in " in host.log()[-1]
