"""docs/command-line.md is read beside the commands themselves: `### rollcall server add`, and each option below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer
import typer.main

from rollcall.cli import COMMANDS

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def documented() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {heading.strip("`"): text for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def commands() -> Iterator[tuple[str, set[str]]]:
    """Every command that can be called, with its options."""
    for name in COMMANDS:
        yield from below(f"rollcall {name}", typer.main.get_command(import_module(f"rollcall.cli.{name}").app))


def below(words: str, command: object) -> Iterator[tuple[str, set[str]]]:
    """Commands of typer or of click, whichever this version is made of, told apart by what they have."""
    if inner := getattr(command, "commands", None):
        for name, one in inner.items():
            yield from below(f"{words} {name}", one)
        return
    parameters = getattr(command, "params", [])
    yield words, {option for one in parameters for option in one.opts if option.startswith("--")} - {"--help"}


def test_every_command_is_documented_and_nothing_else() -> None:
    assert sorted(documented()) == sorted(words for words, _ in commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_where_its_command_is(name: str) -> None:
    missing = []
    for words, options in commands():
        if words.split()[1] == name:
            said = documented().get(words, "")
            missing += [f"{words} {option}" for option in sorted(options) if f"`{option}" not in said]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_documented_that_does_not_exist(name: str) -> None:
    real = {words: options for words, options in commands() if words.split()[1] == name}
    stale = []
    for words, options in real.items():
        mentioned = set(re.findall(r"^- `(--[a-z-]+)", documented().get(words, ""), re.MULTILINE))
        stale += [f"{words} {option}" for option in sorted(mentioned - options)]
    assert stale == []


def test_every_command_has_its_sentence() -> None:
    assert all(sentence.endswith(".") for sentence in COMMANDS.values())
