"""`rollcall platform moodle`, as an operator uses it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rollcall.cli import platform, platform_moodle
from rollcall.core.errors import RollcallError
from rollcall.store.audit import AuditEntry
from rollcall.store.owed import MoodleService
from tests import makers
from tests.moodle_services.conftest import met
from tests.moodle_web_services import READS, TOKEN, Site, web_services

pytestmark = pytest.mark.django_db

Run = Callable[..., Result]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    with web_services() as running:
        met(makers.make_platform(makers.make_organisation(), running.base))
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command, as it is typed; its error is raised as the dispatcher sees it."""
    monkeypatch.setattr(platform_moodle, "open_database", lambda: None)

    def call(*words: str, given: str = "") -> Result:
        done = CliRunner().invoke(platform.app, ["moodle", *words], input=given)
        if isinstance(done.exception, RollcallError):
            raise done.exception
        return done

    return call


def test_a_token_is_set_from_a_file_tested_and_removed(run: Run, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    done = run("set", site.base, "--token-file", str(file))
    assert (done.exit_code, TOKEN in done.output) == (0, False)
    assert "Completion can be read and set, by user 7 there." in done.output
    assert run("check", site.base).exit_code == 0
    assert "revoke it in Moodle" in run("remove", site.base).output
    assert not MoodleService.objects.exists()
    assert AuditEntry.objects.filter(subject="platform").count() == 2
    for command in ("check", "remove"):
        with pytest.raises(RollcallError, match="no token"):
            run(command, site.base)


def test_what_is_missing_is_a_line_each_and_a_status(run: Run, site: Site) -> None:
    site.rights.discard(READS)
    done = run("set", site.base, "--token-file", "-", given=TOKEN)
    assert done.exit_code == 1
    assert f"FAIL  {site.base}: Missing: {READS}, to read other people's completion." in done.output
    site.rights.add(READS)
    site.is_administrator = True
    (warned, fine) = json.loads(run("check", site.base, "--format", "json").output)
    assert (warned["level"], fine["level"]) == ("warning", "fine")
    site.faults.append(("", 503))
    done = run("check", site.base)
    assert (done.exit_code, "asks for patience" in done.output) == (1, True)


def test_a_token_is_asked_for_on_a_terminal_and_not_shown(
    run: Run, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RollcallError, match="No token was given") as refused:
        run("set", site.base)
    assert "--token-file" in refused.value.hint
    terminal: Any = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(platform_moodle, "sys", type("Sys", (), {"stdin": terminal}))
    monkeypatch.setattr("typer.prompt", lambda _text, *, hide_input: TOKEN if hide_input else "")
    assert run("set", site.base).exit_code == 0


def test_a_file_that_cannot_be_read_is_a_sentence(run: Run, site: Site, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "binary"):
        with pytest.raises(RollcallError, match="cannot be read"):
            run("set", site.base, "--token-file", str(tmp_path / name))


def test_the_doctor_tells_of_what_the_last_test_found(run: Run, site: Site) -> None:
    from rollcall.doctor.platforms import check_all

    assert not [one for one in check_all(0) if "token" in one.sentence]
    site.rights.discard(READS)
    run("set", site.base, "--token-file", "-", given=TOKEN)
    (found,) = [one for one in check_all(0) if "user of the token" in one.sentence]
    assert found.hint.endswith(f"rollcall platform moodle check {MoodleService.objects.get().platform_id}")
