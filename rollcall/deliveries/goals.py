"""The text by which a goal stands in a column: "open", "done", and with a score "done:1000" or "open:430"."""

from __future__ import annotations

from rollcall.core.deliveries import Goal


def text_of(goal: Goal) -> str:
    """As it is kept."""
    word = "done" if goal.is_done else "open"
    return word if goal.thousandths is None else f"{word}:{goal.thousandths}"


def goal_from(text: str) -> Goal:
    """What was kept; the goal of a target to which nothing was ever sent is that of an empty text."""
    word, _, thousandths = text.partition(":")
    return Goal(word == "done", int(thousandths) if thousandths else None)
