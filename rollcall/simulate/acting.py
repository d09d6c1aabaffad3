"""What people do while they are in: chats, hands, reactions, audio, cameras, polls, and the noise around them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from rollcall.simulate.truth import PUBLISHED, Act, Does

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from random import Random

    from rollcall.simulate.truth import Meeting, Span, Stay

SECOND = 1_000
MINUTE = 60_000
REACTIONS = ("👍", "👏", "😀", "😕", "😢")
LEAST_STAY_MS = 20 * SECOND
SEVERAL = "CUSTOM"  # the kind of poll in which more than one option may be chosen
POLLS = (
    ("A-3", ("A", "B", "C")),
    ("TF", ("True", "False")),
    ("YNA", ("Yes", "No", "Abstention")),
    (SEVERAL, ("Ναι & <όχι>", "maybe", "Perhaps-Not", "Ü")),
    ("R-", ()),
)


def act_out(rng: Random, meeting: Meeting, liveliness: float, leading: Collection[Stay]) -> tuple[Act, ...]:
    """What everybody in this meeting does by themselves, in order of time.

    In a session that is not `leading` nobody talks or is away: of two tabs at once, only one has the microphone.
    """
    told = (_student(rng, stay, liveliness, is_leading=stay in leading) for stay in meeting.stays)
    return _in_order(meeting, chain.from_iterable(told))


def run_meeting(rng: Random, meeting: Meeting, liveliness: float, leading: Collection[Stay]) -> tuple[Act, ...]:
    """The same, and what the teacher and the server do to the whole class."""
    teachers = [stay for stay in meeting.stays if stay.person.role == "MODERATOR"]
    acts = list(act_out(rng, meeting, liveliness, leading))
    if teachers:
        acts += _teacher(rng, meeting, teachers[0])
    return _in_order(meeting, acts) + tuple(_archive(meeting))


def choose_leading(rng: Random, stays: Iterable[Stay]) -> frozenset[Stay]:
    """Of each person's sessions some that do not overlap."""
    chosen: dict[str, list[Stay]] = {}
    shuffled = list(stays)
    rng.shuffle(shuffled)
    for stay in shuffled:
        mine = chosen.setdefault(stay.person.key, [])
        if all(stay.left_at <= other.joined_at or other.left_at <= stay.joined_at for other in mine):
            mine.append(stay)
    return frozenset(chain.from_iterable(chosen.values()))


def _in_order(meeting: Meeting, acts: Iterable[Act]) -> tuple[Act, ...]:
    """What BigBlueButton could still announce: the end cuts off what was to follow."""
    told = (act for act in acts if act.at < meeting.ended_at)
    return tuple(sorted(told, key=lambda act: (act.at, act.participant, act.does, act.key)))


def _student(rng: Random, stay: Stay, liveliness: float, *, is_leading: bool) -> Iterator[Act]:
    length = stay.left_at - stay.joined_at
    if length < LEAST_STAY_MS:
        return
    if stay.person.is_dial_in:
        yield from _talk(rng, stay, (stay.joined_at + 1, stay.left_at))
        return
    yield from _audio(rng, stay, is_leading=is_leading)
    if rng.random() < 0.25:
        yield from _camera(rng, stay)
    if is_leading and rng.random() < 0.08:
        yield Act(at=stay.left_at - rng.randrange(1, SECOND), does=Does.GOES_AWAY, participant=stay.participant)
    length -= 5 * SECOND  # kept for who goes away and does not come back
    times = min(int(length / (10 * MINUTE) * liveliness + rng.random()), length // (4 * SECOND))
    does = (_chat, _chat, _hand, _reaction, _away if is_leading else _chat)
    for n in range(times):  # each in a slot of its own: a hand is down before it goes up again
        slot = (stay.joined_at + length * n // times, stay.joined_at + length * (n + 1) // times - 1)
        yield from rng.choice(does)(rng, stay.participant, slot)


def _audio(rng: Random, stay: Stay, *, is_leading: bool) -> Iterator[Act]:
    """Into the audio soon after joining; out a little before the leave is noticed, or a little after."""
    listens = rng.random() < 0.4 and stay.person.role != "MODERATOR"
    at = stay.joined_at + rng.randrange(500, 8 * SECOND)
    yield Act(at=at, does=Does.JOINS_AUDIO, participant=stay.participant, is_listen_only=listens)
    last = stay.left_at - 11 * SECOND
    if not listens and last > at:
        yield from _talk(rng, stay, (at + 1, last)) if is_leading else _unmute(rng, stay, (at, last))
    if stay.is_announced:
        late = rng.random() < 0.15
        gone = stay.left_at + rng.randrange(1, 400) if late else stay.left_at - rng.randrange(500, 10_400)
        yield Act(at=gone, does=Does.LEAVES_AUDIO, participant=stay.participant)


def _unmute(rng: Random, stay: Stay, hours: Span) -> Iterator[Act]:
    at = rng.randrange(*hours)
    yield Act(at=at, does=Does.UNMUTES, participant=stay.participant)
    muted_at = min(at + rng.randrange(SECOND, 40 * SECOND), hours[1])
    yield Act(at=muted_at, does=Does.MUTES, participant=stay.participant)


def _talk(rng: Random, stay: Stay, hours: Span) -> Iterator[Act]:
    """Spurts, most of which end in silence, some by muting, and the last perhaps only by going."""
    who, is_muted = stay.participant, not stay.person.is_dial_in
    most = 12 if stay.person.role == "MODERATOR" else 4
    spurts = min(rng.randrange(most + 1), (hours[1] - hours[0]) // SECOND)
    times = sorted(rng.sample(range(*hours), 3 * spurts))
    for n, (unmutes_at, at, stops_at) in enumerate(zip(times[::3], times[1::3], times[2::3], strict=True), 1):
        if is_muted:
            yield Act(at=unmutes_at, does=Does.UNMUTES, participant=who)
        yield Act(at=at, does=Does.STARTS_TALKING, participant=who)
        is_muted = rng.random() < 0.2 and not stay.person.is_dial_in
        if n < spurts or rng.random() < 0.8:
            does = Does.MUTES if is_muted else Does.STOPS_TALKING
            yield Act(at=min(stops_at, at + rng.randrange(100, 25 * SECOND)), does=does, participant=who)


def _camera(rng: Random, stay: Stay) -> Iterator[Act]:
    stream = f"{stay.participant}_{stay.participant}_{rng.randrange(16**8):08x}"
    at = rng.randrange(stay.joined_at + SECOND, stay.left_at - SECOND)
    yield Act(at=at, does=Does.STARTS_CAMERA, participant=stay.participant, key=stream)
    if stay.is_announced and rng.random() < 0.3:  # torn down with the connection: told after the leave
        yield Act(
            at=stay.left_at + rng.randrange(1, 400), does=Does.ENDS_CAMERA, participant=stay.participant, key=stream
        )
    elif rng.random() < 0.6:
        yield Act(
            at=rng.randrange(at + 1, stay.left_at), does=Does.ENDS_CAMERA, participant=stay.participant, key=stream
        )


def _chat(rng: Random, who: str, slot: Span) -> Iterator[Act]:
    at = rng.randrange(*slot)
    yield Act(at=at, does=Does.CHATS, participant=who, key=f"{at}-{rng.randrange(16**8):08x}")


def _hand(rng: Random, who: str, slot: Span) -> Iterator[Act]:
    at = rng.randrange(slot[0], slot[1] - SECOND)
    yield Act(at=at, does=Does.RAISES_HAND, participant=who)
    yield Act(at=min(at + rng.randrange(SECOND, 2 * MINUTE), slot[1]), does=Does.LOWERS_HAND, participant=who)


def _reaction(rng: Random, who: str, slot: Span) -> Iterator[Act]:
    at = rng.randrange(slot[0], slot[1] - SECOND)
    yield Act(at=at, does=Does.REACTS, participant=who, text=rng.choice(REACTIONS))
    yield Act(at=min(at + rng.randrange(SECOND, MINUTE), slot[1]), does=Does.CLEARS_REACTION, participant=who)


def _away(rng: Random, who: str, slot: Span) -> Iterator[Act]:
    at = rng.randrange(slot[0], slot[1] - SECOND)
    yield Act(at=at, does=Does.GOES_AWAY, participant=who)
    yield Act(at=min(at + rng.randrange(SECOND, 10 * MINUTE), slot[1]), does=Does.COMES_BACK, participant=who)


def _teacher(rng: Random, meeting: Meeting, stay: Stay) -> Iterator[Act]:
    """Presenter three times (that is normal), recording, slides, a shared screen, polls."""
    who, at = stay.participant, stay.joined_at
    yield from (Act(at=at + 5 * n, does=Does.BECOMES_PRESENTER, participant=who, key=str(n)) for n in range(3))
    yield Act(at=at + 9 * SECOND, does=Does.STARTS_RECORDING, participant=who)
    yield Act(at=at + 12 * SECOND, does=Does.CHANGES_PRESENTATION, key=f"slides-{meeting.voice_bridge}")
    if stay.left_at - at < 2 * MINUTE:
        return
    yield from _screenshare(rng, stay)
    yield from _noise(rng, stay)
    if rng.random() < 0.5:
        at = rng.randrange(at + MINUTE, stay.left_at)
        yield Act(at=at, does=Does.STOPS_RECORDING, participant=who)
    for number in range(rng.randrange(3)):
        yield from _poll(rng, meeting, stay, number)


def _screenshare(rng: Random, stay: Stay) -> Iterator[Act]:
    at = rng.randrange(stay.joined_at + MINUTE, stay.left_at - 30 * SECOND)
    yield Act(at=at, does=Does.STARTS_SCREENSHARE, participant=stay.participant)
    yield Act(at=at + rng.randrange(SECOND, 25 * SECOND), does=Does.ENDS_SCREENSHARE, participant=stay.participant)


def _noise(rng: Random, stay: Stay) -> Iterator[Act]:
    for number in range(rng.randrange(4)):
        at = rng.randrange(stay.joined_at, stay.left_at)
        yield Act(at=at, does=Does.IS_TRANSCRIBED, participant=stay.participant, key=str(number))
    if rng.random() < 0.5:
        yield Act(at=rng.randrange(stay.joined_at, stay.left_at), does=Does.WRITES_PAD, key="notes")


def _poll(rng: Random, meeting: Meeting, stay: Stay, number: int) -> Iterator[Act]:
    """Asked by the teacher; two thirds of those present answer within half a minute, one option or several."""
    at = rng.randrange(stay.joined_at + MINUTE, stay.left_at - 35 * SECOND)
    poll, is_secret = f"{meeting.voice_bridge}aa/{number + 1}/{at}", rng.random() < 0.3
    kind, options = rng.choice(POLLS)
    asked = Act(
        at=at,
        does=Does.STARTS_POLL,
        participant=stay.participant,
        key=poll,
        text=kind,
        options=options,
        is_secret=is_secret,
    )
    yield asked
    for voter in _voters(meeting, stay, at):
        if rng.random() < 0.67:
            yield _answer(rng, asked, voter.participant)
    closed_at, text = at + rng.randrange(31, 35) * SECOND, PUBLISHED if rng.random() < 0.7 else ""
    yield Act(at=closed_at, does=Does.CLOSES_POLL, participant=stay.participant, key=poll, text=text)


def _answer(rng: Random, asked: Act, who: str) -> Act:
    """To free text each answer becomes an option of its own."""
    count = len(asked.options)
    taken = rng.sample(range(count), rng.randint(1, count) if asked.text == SEVERAL else 1) if count else [0]
    return Act(
        at=asked.at + rng.randrange(SECOND, 30 * SECOND),
        does=Does.ANSWERS_POLL,
        participant=who,
        key=asked.key,
        text="" if count else rng.choice(("CANARY-typed red", "CANARY-typed Red", "CANARY-typed μπλε")),
        choices=tuple(sorted(taken)),
        is_secret=asked.is_secret,
    )


def _voters(meeting: Meeting, teacher: Stay, at: int) -> Iterable[Stay]:
    """One participant of everybody who sees the whole poll: nobody answers twice."""
    there = (stay for stay in meeting.present(at) if stay.holds(at + 30 * SECOND) and not stay.person.is_dial_in)
    return {stay.person.key: stay for stay in there if stay.person != teacher.person}.values()


def _archive(meeting: Meeting) -> Iterator[Act]:
    """The recording scripts' steps, after the meeting."""
    for n, step in enumerate(("archive-started", "archive-ended", "publish-started", "publish-ended")):
        yield Act(at=meeting.ended_at + (n + 5) * 20 * SECOND, does=Does.IS_ARCHIVED, key=step)
