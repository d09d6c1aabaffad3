"""`rollcall platform`, as an operator uses it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rollcall.cli import platform
from rollcall.core.errors import RollcallError
from rollcall.store.audit import AuditEntry
from rollcall.store.organisations import Licence, Organisation
from rollcall.store.platforms import Platform, ToolKey
from tests import makers
from tests.lti.standin import TOOL, StandIn, pem, rsa_key

pytestmark = pytest.mark.django_db

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command, as it is typed; its error is raised as the dispatcher sees it."""
    monkeypatch.setenv("ROLLCALL_URL", TOOL)
    monkeypatch.setattr(platform, "open_database", lambda: None)
    organisation = Organisation.objects.create(name="Uni", added_at=0)
    Licence.objects.create(organisation=organisation, starts_at=0, added_at=0, pools=1, platforms=1)

    def call(*words: str) -> Result:
        done = CliRunner().invoke(platform.app, list(words))
        if isinstance(done.exception, RollcallError):
            raise done.exception
        return done

    return call


@pytest.fixture
def moodle(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A Moodle whose keys can be fetched."""
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    here = StandIn()
    with here.serving() as base:
        here.issuer = base
        here.answers["/mod/lti/certs.php"] = (200, "application/json", json.dumps(here.key_set()).encode())
        yield here


def add(run: Run, moodle: StandIn, *more: str) -> Result:
    return run("add", "Uni", "--issuer", moodle.issuer, "--client-id", "abc", "--deployment", "1", *more)


def test_an_lms_is_registered_checked_and_removed(run: Run, moodle: StandIn) -> None:
    makers.make_pool("bbb1")
    assert "Registered" in add(run, moodle, "--pool", "bbb1").output
    checked = run("check")
    assert checked.exit_code == 0
    assert "It publishes one key." in checked.output
    (listed,) = json.loads(run("list", "--format", "json").output)
    assert (listed["servers"], listed["deployments"], listed["trouble"]) == (["bbb1"], ["1"], "")
    assert moodle.issuer in run("list").output
    run("remove", moodle.issuer)
    assert "No platform yet" in run("list").output
    assert AuditEntry.objects.filter(subject="platform", actor="command line").count() == 2


def test_what_is_wrong_is_said_in_sentences(run: Run, moodle: StandIn) -> None:
    run("add", "Uni", "--issuer", moodle.issuer, "--client-id", "abc", "--keys-url", f"{moodle.issuer}/none")
    makers.make_meeting(name="Algebra", site="https://other.example/moodle")
    run("attach", moodle.issuer, "bbb1")
    checked = run("check", moodle.issuer)
    assert checked.exit_code == 1
    for sentence in (
        "Its keys cannot be fetched",
        "holds no key. (404)",
        "No deployment is known",
        "No meeting on its servers names this site.",
        "https://other.example/moodle",
    ):
        assert sentence in checked.output


def test_an_invitation_is_an_address_for_a_day(run: Run) -> None:
    assert f"{TOOL}/lti/register/" in run("invite", "Uni").output


def test_the_limits_of_the_licence_hold(run: Run, moodle: StandIn) -> None:
    makers.make_pool("bbb1")
    makers.make_pool("bbb2")
    add(run, moodle, "--pool", "bbb1")
    with pytest.raises(RollcallError, match="no room"):
        run("attach", "1" if Platform.objects.get().pk == 1 else moodle.issuer, "bbb2")
    with pytest.raises(RollcallError, match="another platform"):
        run("invite", "Uni")


def test_deployments_come_and_go(run: Run, moodle: StandIn) -> None:
    add(run, moodle)
    run("deployment", "add", moodle.issuer, "7")
    run("deployment", "remove", moodle.issuer, "1")
    (listed,) = json.loads(run("list", "--format", "json").output)
    assert listed["deployments"] == ["7"]
    with pytest.raises(RollcallError, match="no deployment"):
        run("deployment", "remove", moodle.issuer, "1")


def test_a_key_is_given_as_a_file(run: Run, moodle: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem(rsa_key()))
    add(run, moodle, "--public-key", str(file))
    assert Platform.objects.get().keys_url == ""
    assert "public key that was given" in run("check").output
    with pytest.raises(RollcallError, match="cannot be read"):
        add(run, moodle, "--public-key", str(tmp_path / "none"))


def test_what_is_not_there_is_said(run: Run, moodle: StandIn) -> None:
    with pytest.raises(RollcallError, match="no platform"):
        run("remove", "nothing")
    add(run, moodle)
    with pytest.raises(RollcallError, match="no server"):
        run("attach", moodle.issuer, "nothing")


def test_keys_are_changed(run: Run) -> None:
    assert "signs from" in run("keys", "rotate").output
    run("keys", "rotate", "--at-once")
    now = time.time_ns() // 1_000_000 + 1
    assert ToolKey.objects.exclude(retired_at__lte=now).count() == 1


def test_detached_is_said_with_how_many_are_looked_at_again(run: Run, moodle: StandIn) -> None:
    makers.make_pool("bbb1")
    add(run, moodle, "--pool", "bbb1")
    number = str(Platform.objects.get().pk)
    run("remove", number)
    assert "Meetings looked at again: 0" in run("detach", number, "bbb1").output
