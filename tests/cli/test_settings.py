"""A setting that cannot be used stops every command, with a sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollcall.cli import run
from rollcall.core.errors import Misconfigured
from rollcall.environment import SETTINGS
from rollcall.usable import require_usable

UNUSABLE = [
    ("ROLLCALL_URL", "rollcall.example.org"),
    ("ROLLCALL_URL", "ftp://rollcall.example.org"),
    ("ROLLCALL_URL", "https://"),
    ("ROLLCALL_URL", "https://["),
    ("ROLLCALL_URL", "https://rollcall.example.org:port"),
    ("ROLLCALL_PORT", "many"),
    ("ROLLCALL_PORT", "-1"),
    ("ROLLCALL_PORT", "65536"),
    ("ROLLCALL_POLL_SECONDS", "0"),
    ("ROLLCALL_POLL_SECONDS", "soon"),
    ("ROLLCALL_POLL_SECONDS", "9" * 5_000),
    ("ROLLCALL_HOOK_CHECK_SECONDS", "0"),
    ("ROLLCALL_HOOK_CHECK_SECONDS", "86401"),
    ("ROLLCALL_VISIT_HOURS", "0"),
    ("ROLLCALL_VISIT_HOURS", "169"),
    ("ROLLCALL_VISIT_IDLE_MINUTES", "9"),
    ("ROLLCALL_VISIT_IDLE_MINUTES", "long"),
    ("ROLLCALL_CACHE_URL", "http://127.0.0.1:6379"),
    ("ROLLCALL_CACHE_URL", "127.0.0.1:6379"),
    ("ROLLCALL_CACHE_URL", "redis://:pass@word@[::1"),
    ("ROLLCALL_SECRET_KEY", "k" * 31),
    ("ROLLCALL_LOG_LEVEL", "loud"),
    ("ROLLCALL_LOG_FORMAT", "xml"),
    ("ROLLCALL_FEED", "pigeon"),
    ("ROLLCALL_LOGO", "/nowhere/logo.svg"),
    ("ROLLCALL_LOGO", "/etc/passwd"),
    ("ROLLCALL_LOGO", str(Path(__file__).with_suffix(".png"))),
]


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_an_unusable_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=rf"^{name} ") as raised:
        require_usable()
    assert raised.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROLLCALL_URL", "https://rollcall.example.org"),
        ("ROLLCALL_URL", "http://[::1]:8000/below"),
        ("ROLLCALL_PORT", "65535"),
        ("ROLLCALL_POLL_SECONDS", "1"),
        ("ROLLCALL_CACHE_URL", "rediss://:secret@cache.example.org/0"),
        ("ROLLCALL_CACHE_URL", "unix:///run/redis.sock"),
        ("ROLLCALL_SECRET_KEY", "k" * 32),
        *((setting.name, setting.default) for setting in SETTINGS),
    ],
)
def test_a_usable_setting_is_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    require_usable()


@pytest.mark.parametrize(
    ("name", "value"), [("ROLLCALL_SECRET_KEY", "tea-and-biscuits"), ("ROLLCALL_CACHE_URL", "htp://:tea@h")]
)
def test_what_is_secret_in_a_setting_is_not_told(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as raised:
        require_usable()
    assert "tea" not in f"{raised.value}{raised.value.hint}"


def test_a_secret_key_in_a_file_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("short\n")
    monkeypatch.setenv("ROLLCALL_SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(Misconfigured, match="has 5 characters"):
        require_usable()


@pytest.mark.parametrize(
    "command",
    [["worker"], ["server", "list"], ["user", "list"], ["report", "meetings"], ["doctor"], ["rebuild"]],
    ids=" ".join,
)
def test_every_command_stops_at_an_unusable_setting(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROLLCALL_HOOK_CHECK_SECONDS", "0")
    assert run(command) == 1
    assert capsys.readouterr().err == "rollcall: ROLLCALL_HOOK_CHECK_SECONDS is '0'\n          It may be 1 to 86400.\n"
