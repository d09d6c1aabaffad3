"""A truth laid out in time: what BigBlueButton would announce, one thing after another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from rollcall.simulate.truth import Act, Does, Meeting, Stay, Truth

if TYPE_CHECKING:
    from collections.abc import Iterator


class What(IntEnum):
    """In the order in which things of the same millisecond are told."""

    CREATED = 0
    JOINED = 1
    DID = 2
    LEFT = 3
    ENDED = 4
    ARCHIVED = 5


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing BigBlueButton announces; `stay` is whose join or leave it is, `act` what was done."""

    at: int
    what: What
    meeting: Meeting
    stay: Stay | None = None
    act: Act | None = None


def happenings(truth: Truth) -> list[Happening]:
    """All of them, in order of time. Leaves nobody announces are not among them."""
    found = [happening for meeting in truth.meetings for happening in _of_meeting(meeting)]
    return sorted(found, key=lambda happening: (happening.at, happening.what))


def _of_meeting(meeting: Meeting) -> Iterator[Happening]:
    yield Happening(meeting.created_at, What.CREATED, meeting)
    yield Happening(meeting.ended_at, What.ENDED, meeting)
    for stay in meeting.stays:
        yield Happening(stay.joined_at, What.JOINED, meeting, stay=stay)
        if stay.is_announced:
            yield Happening(stay.left_at, What.LEFT, meeting, stay=stay)
    for act in meeting.acts:
        what = What.ARCHIVED if act.does is Does.IS_ARCHIVED else What.DID
        yield Happening(act.at, what, meeting, act=act)
