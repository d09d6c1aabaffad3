"""Lists on the command line: in columns for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum


class Form(StrEnum):
    """In what form."""

    TABLE = "table"
    JSON = "json"


def values_of(row: Mapping[str, object]) -> tuple[str, ...]:
    """All of a row, as it stands."""
    return tuple(map(str, row.values()))


def print_rows(
    rows: Sequence[Mapping[str, object]],
    form: Form,
    heads: Sequence[str],
    *,
    none: str,
    line: Callable[[Mapping[str, object]], Sequence[str]] = values_of,
) -> None:
    """A list in either form; `none` is said to people where it is empty, `line` are a row's cells below the heads."""
    if form is Form.JSON:
        print_json(rows)
    elif rows:
        print_lines([heads, *map(line, rows)])
    else:
        print(none)


def print_json(told: object) -> None:
    """For programs, and for eyes."""
    print(json.dumps(told, ensure_ascii=False, indent=2))


def print_lines(lines: Sequence[Sequence[str]]) -> None:
    """In columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
