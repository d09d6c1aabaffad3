"""One happening told by several witnesses, such as a raw and a mapped webhook, is one happening."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from rollcall.core.events import (
    Anything,
    AudioJoined,
    AudioLeft,
    AudioMuted,
    AudioUnmuted,
    ByParticipant,
    CameraEnded,
    CameraStarted,
    ChatSent,
    EmojiChanged,
    MeetingCreated,
    MeetingEnded,
    PollAnswered,
    PollStarted,
    RaiseHandChanged,
    Source,
    UserJoined,
    UserLeft,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

TWIN_WINDOW_MS: Final = 10_000
"""The relay stamps its own clock, normally within 0.1 s of BigBlueButton's, later when it is busy."""

SAME_CLOCK_MS: Final = 1_000
"""What two witnesses tell by BigBlueButton's own clock is milliseconds apart."""

_PAYLOADS: Final[dict[type, Callable[[Any], Hashable]]] = {
    MeetingCreated: lambda _: None,
    MeetingEnded: lambda _: None,
    UserJoined: lambda event: event.participant,
    UserLeft: lambda event: event.participant,
    AudioJoined: lambda event: (event.participant, event.is_listen_only),
    AudioLeft: lambda event: event.participant,
    AudioMuted: lambda event: event.participant,
    AudioUnmuted: lambda event: event.participant,
    CameraStarted: lambda event: (event.participant, event.stream),
    CameraEnded: lambda event: (event.participant, event.stream),
    EmojiChanged: lambda event: (event.participant, event.emoji),
    RaiseHandChanged: lambda event: (event.participant, event.is_up),
    ChatSent: lambda event: (event.participant, event.message_id),
    PollStarted: lambda event: event.poll_id,
    PollAnswered: lambda event: event.poll_id,
}
"""What must be equal for two elements of one kind to be twins. A mapped poll answer names the wrong person."""

_RECORDED_PAYLOADS: Final[dict[type, Callable[[Any], Hashable]]] = {
    **_PAYLOADS,
    AudioJoined: lambda event: event.participant,
    ChatSent: lambda event: event.participant,
    PollAnswered: lambda event: (event.poll_id, event.voter),
}
"""The same where one of the two is from an events.xml: it has no ids of messages, and guesses who only listens."""


def pair_twins(events: Sequence[Anything]) -> list[Anything]:
    """The live events of one meeting, sorted, without the weaker half of each pair.

    Twins are paired one to one in time order, at most ten seconds apart. The time and the voter are the better
    witness's (a recording, a raw, a mapped webhook), the external id and the name the weaker one's, where it has them.
    """
    found, sources = list(events), {event.source for event in events}
    if {Source.RAW, Source.MAPPED} <= sources:
        found, _ = _pair(found, Source.RAW, Source.MAPPED, _PAYLOADS, TWIN_WINDOW_MS)
    if Source.RECORDING in sources:
        found, paired = _pair(found, Source.RECORDING, Source.RAW, _RECORDED_PAYLOADS, SAME_CLOCK_MS)
        found, _ = _pair(found, Source.RECORDING, Source.MAPPED, _RECORDED_PAYLOADS, TWIN_WINDOW_MS, paired)
    return found


def _pair(
    events: list[Anything],
    better: Source,
    weaker: Source,
    payloads: Mapping[type, Callable[[Any], Hashable]],
    window_ms: int,
    paired: Sequence[Anything] = (),
) -> tuple[list[Anything], list[Anything]]:
    """The events without the weaker halves, and the better ones that had one; `paired` have theirs already."""
    taken = {id(event) for event in paired}
    free = [event for event in events if id(event) not in taken] if taken else events
    raw = _by_payload(free, better, payloads)
    mapped = _by_payload(events, weaker, payloads)
    joined = {event.participant for event in events if type(event) is UserJoined}
    merged: dict[int, Anything] = {}
    dropped: set[int] = set()
    for key, told in mapped.items():
        for one, other in _pairs(raw.get(key, ()), told, window_ms):
            merged[id(one)] = _merge(one, other, joined)
            dropped.add(id(other))
    nameless = [event for event in events if event.source is weaker and id(event) not in dropped]
    for one, other in _pairs_of_the_nameless(nameless, raw, merged, window_ms):
        merged[id(one)] = _merge(one, other, joined)
        dropped.add(id(other))
    if not dropped:
        return events, []
    return [merged.get(id(event), event) for event in events if id(event) not in dropped], list(merged.values())


def _by_payload(
    events: Iterable[Anything], source: Source, payloads: Mapping[type, Callable[[Any], Hashable]]
) -> dict[Hashable, list[Anything]]:
    found: defaultdict[Hashable, list[Anything]] = defaultdict(list)
    for event in events:
        if event.source is source and (payload := payloads.get(kind := type(event))) is not None:
            found[kind, payload(event)].append(event)
    return found


def _pairs(raw: Sequence[Anything], mapped: Sequence[Anything], window_ms: int) -> Iterable[tuple[Anything, Anything]]:
    """One to one, both in time order; whichever is too early for the other's head has lost its twin."""
    if len(raw) == 1 == len(mapped):  # nearly always
        if abs(mapped[0].at - raw[0].at) <= window_ms:
            yield raw[0], mapped[0]
        return
    i = j = 0
    while i < len(raw) and j < len(mapped):
        apart = mapped[j].at - raw[i].at
        if abs(apart) <= window_ms:
            yield raw[i], mapped[j]
        i += apart >= -window_ms
        j += apart <= window_ms


def _pairs_of_the_nameless(
    events: Iterable[Anything], raw: Mapping[Hashable, list[Anything]], merged: Mapping[int, Anything], window_ms: int
) -> Iterable[tuple[Anything, Anything]]:
    """Before bbb-webhooks 3 a mapped chat has no id and a mapped emoji no value: any of that person's is its twin."""
    nameless: defaultdict[Hashable, list[Anything]] = defaultdict(list)
    for event in events:
        if isinstance(event, ChatSent) and not event.message_id:
            nameless[ChatSent, event.participant].append(event)
        elif isinstance(event, EmojiChanged) and event.emoji is None:
            nameless[EmojiChanged, event.participant].append(event)
    if not nameless:
        return
    named: defaultdict[Hashable, list[Anything]] = defaultdict(list)
    for told in raw.values():
        for event in told:
            if id(event) not in merged and isinstance(event, (ChatSent, EmojiChanged, RaiseHandChanged)):
                named[ChatSent if isinstance(event, ChatSent) else EmojiChanged, event.participant].append(event)
    for key, told in nameless.items():
        one = sorted(named.get(key, []), key=lambda event: (event.at, event.digest))
        yield from _pairs(one, told, window_ms)


def _merge(raw: Anything, mapped: Anything, joined: set[str]) -> Anything:
    """The raw one, with what only the mapped one says of the person; of those who `joined` the join says it."""
    match raw, mapped:
        case UserJoined() | UserLeft(), UserJoined() | UserLeft():
            return replace(
                raw,
                external_user_id=mapped.external_user_id or raw.external_user_id,
                name=mapped.name or raw.name,
                is_guest=raw.is_guest if mapped.is_guest is None else mapped.is_guest,
                parent_participant=mapped.parent_participant or raw.parent_participant,
            )
        case MeetingCreated(), MeetingCreated():
            return replace(
                raw,
                external_meeting_id=raw.external_meeting_id or mapped.external_meeting_id,
                name=raw.name or mapped.name,
                parent=raw.parent or mapped.parent,
                metadata=raw.metadata or mapped.metadata,
            )
        case PollStarted(), PollStarted():
            said = [one.is_secret for one in (raw, mapped) if one.is_secret is not None]
            return replace(raw, is_secret=any(said) if said else None)
        case ByParticipant(), ByParticipant() if raw.participant not in joined:
            return replace(raw, external_user_id=mapped.external_user_id or raw.external_user_id)
        case _:
            return raw
