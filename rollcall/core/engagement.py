"""What people did, counted. Live witnesses may miss things, so a count says whether it is exact or "at least"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rollcall.core.events import CameraEnded, CameraStarted, ChatSent, EmojiChanged, PollAnswered, RaiseHandChanged
from rollcall.core.intervals import intersect, merge, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.core.events import Anything
    from rollcall.core.intervals import Span, Spans

NO_REACTION: Final = frozenset({"none", "", "away", "raiseHand"})
"""Emoji values that are not reactions: cleared, absence, and the hand of BigBlueButton before 2.7."""


@dataclass(frozen=True, slots=True)
class Count:
    """At least `seen`, or exactly so many once a witness that can know has told."""

    seen: int = 0
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Engagement:
    """What one person did in one family. Webhooks never tell talk time."""

    chats: Count = Count()
    raise_hands: Count = Count()
    emojis: Count = Count()
    poll_answers: Count = Count()
    cameras: Count = Count()
    talk_ms: Count = Count()
    camera_ms: Count = Count()


def fold_engagement(acts: Iterable[Anything], possible: Spans) -> Engagement:
    """The acts of one person, in time order, over all their connections. Hands count when they go up.

    A camera's end is often told after its owner's leave: it films no longer than its owner may have been there.
    """
    chats = emojis = hands = cameras = 0
    raised: set[tuple[str, str]] = set()
    answered: set[tuple[str, str]] = set()
    filming: dict[tuple[str, str, str], int] = {}
    filmed: list[Span] = []
    for act in acts:
        match act:
            case ChatSent():
                chats += 1
            case EmojiChanged(emoji=str(emoji)):
                emojis += emoji not in NO_REACTION
            case RaiseHandChanged(is_up=True):
                hands += (act.meeting, act.participant) not in raised
                raised.add((act.meeting, act.participant))
            case RaiseHandChanged():
                raised.discard((act.meeting, act.participant))
            case PollAnswered():
                answered.add((act.meeting, act.poll_id))
            case CameraStarted():
                cameras += 1
                filming.setdefault((act.meeting, act.participant, act.stream), act.at)
            case CameraEnded():
                started_at = filming.pop((act.meeting, act.participant, act.stream), act.at)
                filmed.append((started_at, act.at))
    return Engagement(
        chats=Count(chats),
        raise_hands=Count(hands),
        emojis=Count(emojis),
        poll_answers=Count(len(answered)),
        cameras=Count(cameras),
        camera_ms=Count(total(intersect(merge(filmed), possible))),
    )
