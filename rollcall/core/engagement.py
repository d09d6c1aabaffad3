"""What people did, counted. Live witnesses may miss things, so a count says whether it is exact or "at least"."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from rollcall.core.events import (
    AudioLeft,
    AudioMuted,
    AwayChanged,
    CameraEnded,
    CameraStarted,
    ChatSent,
    EmojiChanged,
    PollAnswered,
    RaiseHandChanged,
    TalkingEnded,
    TalkingStarted,
    UserLeft,
)
from rollcall.core.intervals import intersect, merge, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.core.events import Anything, AttendeeReported
    from rollcall.core.intervals import Span, Spans

NO_REACTION: Final = frozenset({"none", "", "away", "raiseHand"})
"""Emoji values that are not reactions: cleared, absence, and the hand of BigBlueButton before 2.7."""


@dataclass(frozen=True, slots=True)
class Count:
    """At least `seen`, or exactly so many once a witness that can know has told."""

    seen: int = 0
    is_exact: bool = False


UNSEEN: Final = Count()
"""None was seen, and nobody told who could know that there was none."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """What one person did in one family; times in ms. Webhooks never tell talk time, nor who was away."""

    chats: Count = Count()
    raise_hands: Count = Count()
    emojis: Count = Count()
    poll_answers: Count = Count()
    cameras: Count = Count()
    camera_ms: Count = Count()
    talks: Count = Count()
    talk_ms: Count = Count()
    away_ms: Count = Count()


Connection: TypeAlias = tuple[str, str]
"""(meeting, participant)"""


@dataclass(slots=True)
class _Tally:
    """The acts of one person so far, over all their connections; with gaps an end may have been lost."""

    has_gaps: bool = False
    chats: int = 0
    emojis: int = 0
    hands: int = 0
    cameras: int = 0
    talks: int = 0
    raised: set[Connection] = field(default_factory=set)
    answered: set[tuple[str, str]] = field(default_factory=set)
    filming: dict[tuple[Connection, str], int] = field(default_factory=dict)
    filmed: list[Span] = field(default_factory=list)
    talking: dict[Connection, int] = field(default_factory=dict)
    talked: list[Span] = field(default_factory=list)
    away: dict[Connection, int] = field(default_factory=dict)
    were_away: list[Span] = field(default_factory=list)

    def leave(self, who: Connection, at: int) -> None:
        """What ends by itself when a connection does; where its own end may be lost nobody knows when that was."""
        self.raised.discard(who)
        _close(self.talking, who, at, [] if self.has_gaps else self.talked)
        _close(self.away, who, at, [] if self.has_gaps else self.were_away)
        for key in [key for key in self.filming if key[0] == who]:
            _close(self.filming, key, at, [] if self.has_gaps else self.filmed)

    def end(self, ends: Mapping[Connection, int]) -> None:
        """Whatever still goes on ends with the connection that does it."""
        for who in {*self.talking, *self.away, *(who for who, _ in self.filming)}:
            self.leave(who, ends.get(who, 0))


_Key = TypeVar("_Key")


def _close(going_on: dict[_Key, int], key: _Key, at: int, spans: list[Span]) -> None:
    started_at = going_on.pop(key, None)
    if started_at is not None:
        spans.append((started_at, max(started_at, at)))


def fold_engagement(
    acts: Iterable[Anything],
    possible: Spans,
    *,
    ends: Mapping[Connection, int] | None = None,
    has_gaps: bool = False,
) -> Engagement:
    """The acts of one person, in time order, over all their connections. Hands count when they go up.

    `ends` are given where an events.xml tells everything: when each connection was last there. What was not ended ended
    then; of live witnesses only what has both ends counts. `has_gaps`: the file had lost events, so that two spurts of
    talk may look like a long one. A camera's end is often told after its owner's leave: nothing lasts longer than
    its owner may have been there.
    """
    tally = _Tally(has_gaps)
    for act in acts:
        _count(tally, act)
    if ends is not None:
        tally.end(ends)
    is_exact = ends is not None
    return Engagement(
        chats=Count(tally.chats, is_exact),
        raise_hands=Count(tally.hands, is_exact),
        emojis=Count(tally.emojis, is_exact),
        poll_answers=Count(len(tally.answered), is_exact),
        cameras=Count(tally.cameras, is_exact),
        camera_ms=Count(_within(tally.filmed, possible), is_exact),
        talks=Count(tally.talks, is_exact),
        talk_ms=Count() if has_gaps else Count(_within(tally.talked, possible), is_exact),
        away_ms=Count() if has_gaps else Count(_within(tally.were_away, possible), is_exact),
    )


def _within(spans: Iterable[Span], possible: Spans) -> int:
    return total(intersect(merge(spans), possible))


def _count(tally: _Tally, act: Anything) -> None:  # noqa: C901  one branch for each kind of act
    who = act.meeting, act.participant
    match act:
        case ChatSent():
            tally.chats += 1
        case EmojiChanged(emoji=str(emoji)):
            tally.emojis += emoji not in NO_REACTION
        case RaiseHandChanged(is_up=True):
            tally.hands += who not in tally.raised
            tally.raised.add(who)
        case RaiseHandChanged():
            tally.raised.discard(who)
        case PollAnswered():
            tally.answered.add((act.meeting, act.poll_id))
        case CameraStarted():
            tally.cameras += 1
            tally.filming.setdefault((who, act.stream), act.at)
        case CameraEnded():
            _close(tally.filming, (who, act.stream), act.at, tally.filmed)
        case TalkingStarted():
            tally.talks += who not in tally.talking
            tally.talking.setdefault(who, act.at)
        case TalkingEnded() | AudioMuted() | AudioLeft():
            _close(tally.talking, who, act.at, tally.talked)
        case AwayChanged(is_away=True):
            tally.away.setdefault(who, act.at)
        case AwayChanged():
            _close(tally.away, who, act.at, tally.were_away)
        case UserLeft():
            tally.leave(who, act.at)


def with_report(
    engagement: Engagement, reported: Sequence[AttendeeReported], *, tells_hands: bool, is_all: bool
) -> Engagement:
    """What a callback knows better: chats and poll answers exactly, hands unless its gem cannot tell them.

    `is_all`: it names every connection of the person. Before BigBlueButton 2.7 its reactions contain "away"; it counts
    a repeated sign of talking as another talk, and a spurt that ended with the audio as going on. So of these it
    proves that there were none, or that somebody talked at all, and no number.
    """
    answers = [one.poll_answers for one in reported]
    known = [answer for answer in answers if answer is not None]
    hands, emojis = sum(one.raise_hands for one in reported), sum(one.emojis for one in reported)
    talks = sum(one.talks for one in reported)
    return replace(
        engagement,
        chats=Count(sum(one.chats for one in reported), is_all),
        poll_answers=Count(max(sum(known), engagement.poll_answers.seen), is_all and len(known) == len(answers)),
        raise_hands=Count(hands, is_all) if tells_hands else engagement.raise_hands,
        emojis=replace(engagement.emojis, is_exact=is_all and tells_hands and emojis == engagement.emojis.seen == 0),
        talks=Count(max(engagement.talks.seen, min(1, talks)), is_all and talks == engagement.talks.seen == 0),
        talk_ms=replace(engagement.talk_ms, is_exact=is_all and talks == engagement.talks.seen == 0),
    )
