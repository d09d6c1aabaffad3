"""One form for every line, whoever wrote it, and no address in it that could hold a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from rollcall.logs import QUIET, set_up_logging, set_up_plain_logging


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own; afterwards logging is as it was."""
    monkeypatch.setenv("ROLLCALL_DATA", str(tmp_path))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield tmp_path
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def write() -> None:
    what = "CANARY"  # a traceback must not show what stood in a variable
    structlog.get_logger("rollcall.bbb.webhook").warning("webhook refused", reason="Zoë")
    logging.getLogger("rollcall.feed").warning("waiting for %s", "the disk")
    try:
        fail(what)
    except ValueError:
        structlog.get_logger("x").exception("fault")


def fail(_local: str) -> None:
    raise ValueError("odd")


def test_lines_are_text_for_people(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("web")
    write()
    shown = capsys.readouterr().err
    assert "[warning  ] webhook refused                reason=Zoë" in shown
    assert "waiting for the disk" in shown
    assert "ValueError: odd" in shown
    assert "CANARY" not in shown
    kept = (data / "logs" / "web.log").read_text()
    assert [line[27:] for line in kept.splitlines()] == [line[27:] for line in shown.splitlines()]


def test_lines_are_json_for_programs(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_LOG_FORMAT", "json")
    set_up_logging("worker")
    write()
    lines = [json.loads(line) for line in (data / "logs" / "worker.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["webhook refused", "waiting for the disk", "fault"]
    assert lines[0]["reason"] == "Zoë"
    assert {line["level"] for line in lines} == {"warning", "error"}
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "CANARY" not in str(lines)


def test_what_logs_addresses_is_quiet(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("web")
    logging.getLogger("httpx").info("GET https://bbb.example.org/api/getMeetings?checksum=CANARY")
    logging.getLogger("django.request").warning("Not Found: /login/link/CANARY")
    assert "CANARY" not in capsys.readouterr().err


def test_the_level_is_the_operators(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_LOG_LEVEL", "error")
    set_up_logging("web")
    logging.getLogger("rollcall").warning("less")
    logging.getLogger("rollcall").error("more")
    assert "less" not in (data / "logs" / "web.log").read_text()
    assert "more" in (data / "logs" / "web.log").read_text()


def test_a_command_logs_beside_its_results_and_shows_no_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    structlog.reset_defaults()
    try:
        set_up_plain_logging()
        secret = "CANARY"
        try:
            fail(secret)
        except ValueError:
            structlog.get_logger("rollcall.importing").exception("It failed")
    finally:
        structlog.reset_defaults()
    told = capsys.readouterr()
    assert told.out == ""
    assert "ValueError" in told.err
    assert "CANARY" not in told.err
