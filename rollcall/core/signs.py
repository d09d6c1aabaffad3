"""What somebody who may still be in is doing just now: signs that were told to begin, and not to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rollcall.core.events import AwayChanged, CameraEnded, CameraStarted, EmojiChanged, RaiseHandChanged
from rollcall.core.intervals import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.core.engagement import Connection
    from rollcall.core.events import Anything
    from rollcall.core.evidence import Session


@dataclass(frozen=True, slots=True)
class Signs:
    """Since when each lasts, in epoch ms; None: not told to have begun, or told to have ended. The end may be lost."""

    hand_at: int | None = None
    camera_at: int | None = None
    away_at: int | None = None


NO_SIGNS = Signs()


@dataclass(slots=True)
class _Lasting:
    hands: dict[Connection, int] = field(default_factory=dict)
    cameras: dict[tuple[Connection, str], int] = field(default_factory=dict)
    away: dict[Connection, int] = field(default_factory=dict)

    def earliest(self) -> Signs:
        return Signs(*(min(one.values(), default=None) for one in (self.hands, self.cameras, self.away)))


def signs_of(acts: Iterable[Anything], sessions: Iterable[Session]) -> Signs:
    """The signs of one person, whose acts are in time order; every sign ends with the stay in which it was given."""
    since = {(one.meeting, one.participant): one.possible[0] for one in sessions if one.possible[1] == OPEN}
    if not since:
        return NO_SIGNS
    lasting = _Lasting()
    for act in acts:
        who = act.meeting, act.participant
        if who in since and act.at >= since[who]:
            _apply(lasting, who, act)
    return lasting.earliest()


def _apply(lasting: _Lasting, who: Connection, act: Anything) -> None:
    match act:
        case RaiseHandChanged(is_up=True):
            lasting.hands.setdefault(who, act.at)
        case RaiseHandChanged():
            lasting.hands.pop(who, None)
        case CameraStarted():
            lasting.cameras.setdefault((who, act.stream), act.at)
        case CameraEnded():
            lasting.cameras.pop((who, act.stream), None)
        case AwayChanged(is_away=True) | EmojiChanged(emoji="away"):
            lasting.away.setdefault(who, act.at)
        case AwayChanged() | EmojiChanged(emoji=str()):
            lasting.away.pop(who, None)
