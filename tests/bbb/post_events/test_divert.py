"""BigBlueButton's own script put aside and back, with dpkg and without."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.bbb.post_events.hosts import SCRIPTS, STOCK_NAME, STOCK_STAND_IN, HostTree
from tests.programs import need

STOCK = f"{SCRIPTS}/post_events/{STOCK_NAME}"
ASIDE = f"{STOCK}.put-aside-by-rollcall"


@pytest.fixture(params=["dpkg", "renamed"])
def host(request: pytest.FixtureRequest, host: HostTree, tmp_path: Path) -> HostTree:
    """With a dpkg that knows this tree alone, and with none that may be asked."""
    if request.param == "dpkg":
        need("dpkg-divert")
        (tmp_path / "dpkg" / "info").mkdir(parents=True)
        (tmp_path / "dpkg" / "status").touch()
        host.environment["DPKG_ADMINDIR"] = str(tmp_path / "dpkg")
    return host


def run_scripts(host: HostTree) -> list[str]:
    """The names of what the worker would run."""
    return sorted(one.name for one in host.path(f"{SCRIPTS}/post_events").glob("*.rb"))


def test_the_script_goes_aside_and_comes_back(host: HostTree) -> None:
    assert host.run("--divert").returncode == 0
    assert STOCK_NAME not in run_scripts(host)
    assert host.run("--undivert").returncode == 0
    assert host.path(STOCK).read_text() == STOCK_STAND_IN
    assert not host.path(ASIDE).exists()


def test_saying_it_twice_changes_nothing(host: HostTree) -> None:
    host.run("--divert")
    again = host.run("--divert")
    assert (again.returncode, again.stdout.endswith("is aside already.\n")) == (0, True)
    host.run("--undivert")
    again = host.run("--undivert")
    assert (again.returncode, host.path(STOCK).read_text()) == (0, STOCK_STAND_IN)


def test_bringing_back_what_was_never_aside_changes_nothing(host: HostTree) -> None:
    done = host.run("--undivert")
    assert (done.returncode, host.path(STOCK).read_text()) == (0, STOCK_STAND_IN)
    assert done.stdout.endswith("is in its place.\n")


def test_a_script_that_an_upgrade_has_brought_goes_aside_and_is_the_one_that_comes_back(host: HostTree) -> None:
    host.run("--divert")
    host.write(STOCK, "# a newer one\n")
    assert "BigBlueButton's own script runs after ours" in host.run("--check").stdout
    host.run("--divert")
    assert STOCK_NAME not in run_scripts(host)
    host.run("--undivert")
    assert host.path(STOCK).read_text() == "# a newer one\n"


def test_a_newer_script_in_place_stays_when_the_older_comes_back(host: HostTree) -> None:
    host.run("--divert")
    host.write(STOCK, "# a newer one\n")
    host.run("--undivert")
    assert host.path(STOCK).read_text() == "# a newer one\n"
    assert not host.path(ASIDE).exists()


def test_a_host_without_the_script_has_nothing_to_put_aside(host: HostTree) -> None:
    host.path(STOCK).unlink()
    assert host.run("--divert").stdout.endswith("nothing had to be put aside.\n")
    assert host.run("--undivert").returncode == 0


def test_dpkg_sends_an_upgrade_to_the_script_aside(host: HostTree) -> None:
    """What dpkg does with a file of a package: it asks where it goes."""
    if "DPKG_ADMINDIR" not in host.environment:
        assert "after an upgrade of BigBlueButton say --divert again" in host.run("--divert").stdout
        return
    host.run("--divert")
    asked = subprocess.run(
        ["dpkg-divert", "--truename", str(host.path(STOCK))],
        env=host.surroundings(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.strip() == str(host.path(ASIDE))
    host.run("--undivert")
    assert STOCK_NAME not in host.path("dpkg/diversions").read_text()
