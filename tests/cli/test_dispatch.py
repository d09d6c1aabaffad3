"""How a command is found, loaded, and told from a mistake."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rollcall import cli
from rollcall.cli import COMMANDS, INTERNAL, module_of, run
from rollcall.core.errors import Misconfigured


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command of its own named `serve`, and what it was given."""
    heard: list[str] = []
    module = ModuleType("rollcall.cli.serve")
    module.app = cli.new_app()  # type: ignore[attr-defined]

    @module.app.command()  # type: ignore[untyped-decorator]
    def speak(word: str, loud: bool = False) -> None:
        heard.extend((word, str(loud), os.environ["ROLLCALL_DATA"]))
        if word == "fail":
            raise Misconfigured("Nothing works.", hint="Mend it.")
        if word == "pipe":
            raise BrokenPipeError
        if word == "interrupt":
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "rollcall.cli.serve", module)
    monkeypatch.setenv("ROLLCALL_DATA", "before")
    return heard


@pytest.mark.parametrize("name", [*COMMANDS, *INTERNAL])
def test_every_command_has_its_module(name: str) -> None:
    assert callable(import_module(f"rollcall.cli.{module_of(name)}").app)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command_and_no_internal_one(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    for name, sentence in COMMANDS.items():
        assert f"  {name}" in shown
        assert sentence in shown
    assert not any(f"\n  {name} " in shown for name in INTERNAL)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("rollcall 0.")


@pytest.mark.parametrize(("word", "hint"), [("serv", "did you mean 'serve'"), ("zzz", "There is no command 'zzz'")])
def test_an_unknown_command_is_misuse(word: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([word]) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "heard"),
    [
        (["serve", "hello"], ["hello", "False", "before"]),
        (["--data", "x", "serve", "hello"], ["hello", "False", "x"]),
        (["serve", "hello", "--loud", "--data=y z"], ["hello", "True", "y z"]),
        (["serve", "--data", "x", "hello"], ["hello", "False", "x"]),
        (["serve", "--", "--data"], ["--data", "False", "before"]),
    ],
)
def test_the_data_folder_may_stand_anywhere(arguments: list[str], heard: list[str], spoken: list[str]) -> None:
    assert run(arguments) == 0
    assert spoken == heard


@pytest.mark.parametrize("arguments", [["--data"], ["serve", "hello", "--data"], ["--data=", "serve"]])
def test_a_data_folder_without_a_name_is_misuse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "--data needs a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["serve", "fail"], 1),
        (["serve", "interrupt"], 130),
        (["serve"], 2),
        (["serve", "hello", "--unknown"], 2),
        (["serve", "--help"], 0),
    ],
)
def test_the_exit_status_tells_failure_from_misuse(arguments: list[str], status: int, spoken: list[str]) -> None:
    assert run(arguments) == status


def test_an_error_is_a_sentence_and_what_to_do(spoken: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(["serve", "fail"])
    assert capsys.readouterr().err == "rollcall: Nothing works.\n          Mend it.\n"


def test_a_reader_that_goes_away_is_no_error(spoken: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    duplicated: list[Any] = []
    monkeypatch.setattr(os, "dup2", lambda *numbers: duplicated.append(numbers))
    with Path(os.devnull).open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert run(["serve", "pipe"]) == 0
    ((opened, _),) = duplicated
    os.close(opened)


def test_an_argument_that_is_no_text_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "meetings", "--server", "\udcff"]) == cli.EXIT_MISUSED
    assert "not text" in capsys.readouterr().err
