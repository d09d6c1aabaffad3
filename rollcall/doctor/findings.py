"""What a check found: always a sentence, and where something is wrong, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rollcall.core.errors import RollcallError


class Level(StrEnum):
    """How bad it is."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` is what was looked at: a server's name, the database, the address."""

    about: str
    sentence: str
    hint: str = ""
    level: Level = Level.FINE


def fault(about: str, error: RollcallError) -> Finding:
    """A named error as a finding."""
    return Finding(about, str(error), error.hint, Level.FAULT)


def minutes_ago(past_ms: int) -> str:
    """So long ago, in whole minutes."""
    minutes = max(0, past_ms) // 60_000
    return "1 minute ago" if minutes == 1 else f"{minutes} minutes ago"


def warning(about: str, sentence: str, hint: str) -> Finding:
    """Not wrong, but worth a look."""
    return Finding(about, sentence, hint, Level.WARNING)
