"""docs/command-line.md is read beside the commands themselves: `### rollcall server add`, and each option below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer
import typer.main

from rollcall.cli import COMMANDS, module_of

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def documented() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {heading.strip("`"): text for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def commands(name: str) -> dict[str, set[str]]:
    """What can be called under this name, with its options."""
    return dict(below(f"rollcall {name}", typer.main.get_command(import_module(f"rollcall.cli.{module_of(name)}").app)))


def below(words: str, command: object) -> Iterator[tuple[str, set[str]]]:
    """Commands of typer or of click, whichever this version is made of, told apart by what they have."""
    if inner := getattr(command, "commands", None):
        for name, one in inner.items():
            yield from below(f"{words} {name}", one)
        return
    parameters = getattr(command, "params", [])
    yield words, {option for one in parameters for option in one.opts if option.startswith("--")} - {"--help"}


def test_every_command_is_documented_and_nothing_else() -> None:
    assert sorted(documented()) == sorted(words for name in COMMANDS for words in commands(name))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_options_below_a_command_are_the_ones_it_has(name: str) -> None:
    for words, options in commands(name).items():
        lines = re.findall(r"^- (`-.+?):", documented()[words], re.MULTILINE)
        assert {option for line in lines for option in re.findall(r"`(--[a-z-]+)", line)} == options, words


def test_every_command_has_its_sentence() -> None:
    assert all(sentence.endswith(".") for sentence in COMMANDS.values())
