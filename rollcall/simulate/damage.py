"""What becomes of the records of a meeting: cut files, expired events, lost times, lost leaves; chance is passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

from rollcall.simulate.recording import BLANK, Recorded, RecordedEvent, lose_utc
from rollcall.simulate.recording_xml import to_xml

Damage = Callable[[Recorded, Random], bytes]


def undamaged(recorded: Recorded, _rng: Random) -> bytes:
    """The file as it was written."""
    return to_xml(recorded)


def truncate(recorded: Recorded, rng: Random) -> bytes:
    """Cut at any byte: the disk was full, or the copy broke off."""
    content = to_xml(recorded)
    return content[: rng.randrange(len(content))]


def expire(recorded: Recorded, rng: Random, share: float) -> bytes:
    """Some events were gone from Redis before they were written down, at least one: they stand there empty."""
    lost = {index for index in range(len(recorded.events)) if rng.random() < share}
    lost |= {rng.randrange(len(recorded.events))} if recorded.events else set()
    return to_xml(
        replace(recorded, events=tuple(BLANK if n in lost else event for n, event in enumerate(recorded.events)))
    )


def strip_utc(recorded: Recorded, rng: Random, share: float) -> bytes:
    """Some events do not tell their time in epoch ms: the other clock has it, to two ms. The first one always does."""
    events = tuple(lose_utc(event) if n and rng.random() < share else event for n, event in enumerate(recorded.events))
    return to_xml(replace(recorded, events=events))


def lose_leaves(recorded: Recorded, rng: Random, share: float) -> bytes:
    """Some leaves were never written down, and nothing betrays it."""
    kept = (event for event in recorded.events if not (_is_leave(event) and rng.random() < share))
    return to_xml(replace(recorded, events=tuple(kept)))


def lose_end(recorded: Recorded, _rng: Random) -> bytes:
    """The last event is missing, and the file looks well."""
    return to_xml(replace(recorded, events=recorded.events[:-1]))


def _is_leave(event: RecordedEvent) -> bool:
    return event.module == "PARTICIPANT" and event.name == "ParticipantLeftEvent"


NAMED: dict[str, Callable[..., bytes]] = {
    "none": undamaged,
    "cut": truncate,
    "blank": expire,
    "no-utc": strip_utc,
    "no-leave": lose_leaves,
    "no-end": lose_end,
}
DEFAULT_SHARE = 0.1


def parse_damage(text: str) -> Damage:
    """`cut`, `blank=0.05`, `no-utc=0.2`, `no-leave=0.5`, `no-end`; ValueError says what there is."""
    name, _, value = text.partition("=")
    if name not in NAMED:
        raise ValueError(f"there is no damage {name!r}; there are {', '.join(NAMED)}")
    takes_share = name in {"blank", "no-utc", "no-leave"}
    if value and not takes_share:
        raise ValueError(f"{name} takes no number")
    try:
        share = float(value or DEFAULT_SHARE)
    except ValueError:
        raise ValueError(f"{value!r} is no number") from None
    return partial(NAMED[name], share=share) if takes_share else NAMED[name]
