"""What the fold makes of a class, held against what really happened in it. A check names what is wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from random import Random
from typing import TYPE_CHECKING, Final

from rollcall.core.events import AudioLeft, RecordingMarked, Source, UserJoined, UserLeft
from rollcall.core.intervals import merge, subtract, total
from rollcall.core.meeting import fold_meeting
from rollcall.simulate.callback import Gem
from tests.whole.witnesses import LAG_MS, SECOND_MS, WITNESSES

if TYPE_CHECKING:
    from rollcall.core.attendance import Attendance
    from rollcall.core.events import Anything
    from rollcall.core.intervals import Spans
    from rollcall.core.meeting import FoldedMeeting
    from rollcall.simulate.truth import Stay, Truth
    from tests.whole.witnesses import Heard

HOOKS: Final = (Source.RAW, Source.MAPPED)


class Untrue(AssertionError):
    """The fold says what is not so. Its text names the seed, so that the class can be made again."""


def check(heard: Heard) -> None:
    """Everything that is promised, of one class."""
    check_inside(heard, heard.live(), LAG_MS, "live", is_live=heard.has_hooks)
    check_callback(heard)
    check_whole(heard)
    rng = Random(heard.seed)
    for _ in range(2):
        check_subset(heard, rng)


# -- what is promised ---------------------------------------------------------------------------------------------


def check_whole(heard: Heard) -> None:
    """With a whole events.xml of each meeting everything is exact, whatever the others say."""
    documents = _all(heard.recordings, heard)
    folded = fold(heard, documents)
    for others in ((), (*heard.live(), *_all(heard.callbacks, heard), *_all(heard.damaged, heard))):
        folded = fold(heard, [*documents, *others])
        people = _by_person(heard, folded)
        if set(people) != set(heard.truth.people):
            raise Untrue(f"{heard.seed}: {set(people) ^ set(heard.truth.people)} are too many or missing")
        for key, found in people.items():
            _check_exact(heard, key, found)
    check_disagreements(heard, folded)


def check_callback(heard: Heard) -> None:
    """With the callback each edge it knows is within its second of the truth, and the truth inside."""
    events = [*heard.live(), *_all(heard.callbacks, heard)]
    folded = check_inside(heard, events, SECOND_MS, "callback", is_live=heard.has_hooks)
    if heard.gem is Gem.V1_2:
        return  # it does not tell connections apart
    for key, found in _by_person(heard, folded).items():
        if key.startswith("v_"):
            continue  # it knows no callers
        truth = heard.truth.spans(key)
        for name, spans in (("proved", _proved(found)), ("possible", _possible(found))):
            for wrong in (*subtract(spans, truth), *subtract(truth, spans)):
                if wrong[1] - wrong[0] > SECOND_MS:
                    raise Untrue(f"{heard.seed}: callback: {key} is {name} {spans} instead of {truth}")


def check_subset(heard: Heard, rng: Random) -> None:
    """Some witnesses of a class, and of its files some damaged ones."""
    left = [witness for witness in WITNESSES if rng.random() < 0.5] or [rng.choice(WITNESSES)]
    check_left(heard, left, {meeting: rng.random() < 0.5 for meeting in heard.recordings})


def check_left(heard: Heard, left: Collection[str], is_whole: Mapping[str, bool]) -> None:
    """Whatever witnesses are left of a class, what they say is true. Without webhooks it is known that none came."""
    events: list[Anything] = []
    if "webhooks" in left:
        events += (*heard.webhooks, *heard.blind)
    else:
        events += heard.no_hook()
    if "polls" in left:
        events += heard.polls
    if "callback" in left:
        events += _all(heard.callbacks, heard)
    if "recording" in left:
        files = {name: heard.recordings[name] if whole else heard.damaged[name] for name, whole in is_whole.items()}
        events += _all(files, heard)
    is_live = "webhooks" in left and heard.has_hooks
    check_inside(heard, events, SECOND_MS if "callback" in left else LAG_MS, "+".join(left), is_live=is_live)


def check_inside(
    heard: Heard, events: Iterable[Anything], slack_ms: int, what: str, *, is_live: bool = True
) -> FoldedMeeting:
    """The truth lies inside [proved, possible], and no count is higher than it really was.

    Without webhooks (`is_live`) a session of which nothing at all was told is outside the promise.
    """
    events = list(events)
    folded = fold(heard, events)
    named = _named(heard, events)
    people = _by_person(heard, folded)
    if missing := named - set(people):
        raise Untrue(f"{heard.seed}: {what}: {missing} are missing")
    if strange := set(people) - set(heard.truth.people):
        raise Untrue(f"{heard.seed}: {what}: {strange} were never there")
    for key, found in people.items():
        truth = heard.truth.spans(key)
        for wrong in subtract(_proved(found), truth):
            if wrong[1] - wrong[0] > slack_ms:
                raise Untrue(f"{heard.seed}: {what}: {key} was not there in {wrong}: {truth}")
        for wrong in subtract(truth if is_live else _told(heard, key, events), _possible(found)):
            if wrong[1] - wrong[0] > slack_ms:
                raise Untrue(f"{heard.seed}: {what}: {key} may have been there in {wrong}: {truth}")
        _check_counts(heard, key, found, what)
    return folded


# -- parts of it --------------------------------------------------------------------------------------------------


def fold(heard: Heard, events: Iterable[Anything]) -> FoldedMeeting:
    """As the worker does it."""
    return fold_meeting(events, root=heard.truth.root.internal_meeting_id)


def _all(documents: Mapping[str, Iterable[Anything]], heard: Heard) -> list[Anything]:
    return [event for meeting in heard.truth.meetings for event in documents[meeting.internal_meeting_id]]


def _persons(truth: Truth) -> dict[str, str]:
    """Who is meant by an external id, a participant, or a participant in a room."""
    found: dict[str, str] = {}
    for meeting in truth.meetings:
        for stay in meeting.stays:
            found |= dict.fromkeys((stay.person.key, stay.participant, stay.external_user_id), stay.person.key)
    found.pop("", None)
    return found


def _by_person(heard: Heard, folded: FoldedMeeting) -> dict[str, list[Attendance]]:
    """Attendances by whom they are of: where nothing links a room to the parent, there are two of one person."""
    persons = _persons(heard.truth)
    found: defaultdict[str, list[Attendance]] = defaultdict(list)
    for attendance in folded.attendances:
        found[persons.get(attendance.key.id, attendance.key.id)].append(attendance)
    return dict(found)


def _named(heard: Heard, events: Iterable[Anything]) -> set[str]:
    """Everybody of whom anything was told but that they pressed the recording button, which makes nobody present."""
    persons = _persons(heard.truth)
    names = {
        name
        for event in events
        if not isinstance(event, RecordingMarked)
        for name in (
            getattr(event, "participant", ""),
            getattr(event, "external_user_id", ""),
            *(one.external_user_id for one in getattr(event, "present", ())),
        )
    }
    return {persons[name] for name in names if name in persons}


def _told(heard: Heard, key: str, events: Iterable[Anything]) -> Spans:
    """The sessions of a person of which anything was told."""
    times: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        for name in (
            getattr(event, "participant", ""),
            *(one.external_user_id for one in getattr(event, "present", ())),
        ):
            times[event.meeting, name].append(event.at)
        for one in getattr(event, "sessions", ()):
            times[event.meeting, one.participant or key] += one.joins
    return merge(
        (stay.joined_at, stay.left_at)
        for meeting in heard.truth.meetings
        for stay in meeting.stays
        for name in (stay.participant, stay.external_user_id)
        if stay.person.key == key
        and any(stay.joined_at - SECOND_MS <= at < stay.left_at for at in times[meeting.internal_meeting_id, name])
    )


def _proved(found: Iterable[Attendance]) -> Spans:
    return merge(span for one in found for span in one.proved)


def _possible(found: Iterable[Attendance]) -> Spans:
    return merge(span for one in found for span in one.possible)


COUNTS: Final = ("chats", "raise_hands", "emojis", "poll_answers", "cameras")
DURATIONS: Final = ("talks", "talk_ms", "camera_ms", "away_ms")


def _check_counts(heard: Heard, key: str, found: list[Attendance], what: str) -> None:
    """At least so many, or exactly so many where it says so."""
    counts = heard.truth.counts(key)
    for name in COUNTS:
        seen = max(getattr(one.engagement, name).seen for one in found)  # two, where nothing links a connection
        is_exact = all(getattr(one.engagement, name).is_exact for one in found)
        true = getattr(counts, name)
        if seen > true or (is_exact and seen != true and len(found) == 1):
            raise Untrue(f"{heard.seed}: {what}: {key} has {seen} {name} instead of {true} (exact: {is_exact})")
    durations = heard.truth.durations(key)
    for name in DURATIONS:
        seen, true = max(getattr(one.engagement, name).seen for one in found), getattr(durations, name)
        if seen > true + _edges_ms(heard, key, name):
            raise Untrue(f"{heard.seed}: {what}: {key} has {seen} {name} instead of {true}")


def _edges_ms(heard: Heard, key: str, name: str) -> int:
    """How much a duration may be off: each edge by the clocks' difference, a camera's by what the relay is late.

    A camera's end is told up to 400 ms after its owner's leave; where that leave was lost nothing else tells of it.
    """
    if not name.endswith("_ms"):
        return 0
    streams = heard.truth.counts(key).cameras * (2 * LAG_MS + 400) if name == "camera_ms" else 0
    pieces = 10 + heard.truth.durations(key).talks + heard.truth.counts(key).chats
    return streams + 2 * heard.slack_ms * pieces + (0 if heard.era.has_end else 4 * LAG_MS)


def _check_exact(heard: Heard, key: str, found: list[Attendance]) -> None:
    truth = tuple(heard.truth.spans(key))
    if len(found) != 1:
        raise Untrue(f"{heard.seed}: whole: {key} is {len(found)} people")
    (one,) = found
    for name, spans in (("proved", one.proved), ("possible", one.possible)):
        wrong = total(subtract(spans, truth)) + total(subtract(truth, spans))
        # Without an end in the file a mapped webhook of it, a little late, is the later sign of life.
        slack = heard.slack_ms * 2 * len(one.sessions) + (0 if heard.era.has_end else LAG_MS * len(one.sessions))
        if wrong > slack:
            raise Untrue(f"{heard.seed}: whole: {key} is {name} {spans} instead of {truth}")
    _check_counts(heard, key, found, "whole")
    durations = heard.truth.durations(key)
    for name in COUNTS + DURATIONS:
        count = getattr(one.engagement, name)
        true = getattr(durations if name in DURATIONS else heard.truth.counts(key), name)
        slack = (
            0 if not name.endswith("_ms") or (heard.era.has_end and not heard.slack_ms) else _edges_ms(heard, key, name)
        )
        if not count.is_exact or abs(count.seen - true) > slack:
            raise Untrue(f"{heard.seed}: whole: {key} has {count} {name} instead of {true}")
    name = heard.truth.people[key].name
    if one.name != name and not key.startswith("v_"):
        raise Untrue(f"{heard.seed}: whole: {key} is called {one.name!r} instead of {name!r}")


def check_disagreements(heard: Heard, folded: FoldedMeeting) -> None:
    """Nothing is listed that is not so, and of joins and leaves that no webhook told none is left out."""
    if not any(event.source in HOOKS for event in heard.webhooks):
        return
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in folded.disagreements:
        found[one.code, one.witness].update(key.id for key in one.who)
    for (code, witness), who in found.items():
        if code not in {"join-missing", "leave-missing"} or witness != "webhooks":
            raise Untrue(f"{heard.seed}: {witness} {code}: {who}")
    for code, missing in (("join-missing", _joins_not_told(heard)), ("leave-missing", _leaves_not_told(heard))):
        listed = found[code, "webhooks"]
        if listed != missing:
            raise Untrue(f"{heard.seed}: {code}: {listed} listed, {missing} is true")


def _not_told(heard: Heard, stays: Iterable[tuple[Stay, int]], told: Iterable[tuple[str, int]]) -> Counter[str]:
    """Whose edges have no webhook of that participant within the relay's lag; each webhook tells of one."""
    times: defaultdict[str, list[int]] = defaultdict(list)
    for participant, at in told:
        times[participant].append(at)
    missing: Counter[str] = Counter()
    for stay, at in stays:
        near = [heard_at for heard_at in times[stay.participant] if -1 <= heard_at - at <= LAG_MS]
        missing[stay.person.key] += not near
    return +missing


def _joins_not_told(heard: Heard) -> Counter[str]:
    stays = ((stay, stay.joined_at) for meeting in heard.truth.meetings for stay in meeting.stays)
    told = (
        (event.participant, event.at)
        for event in heard.webhooks
        if isinstance(event, UserJoined) or event.participant.startswith("v_")
    )
    return _not_told(heard, stays, told)


def _leaves_not_told(heard: Heard) -> Counter[str]:
    stays = ((stay, stay.left_at) for meeting in heard.truth.meetings for stay in meeting.stays if stay.is_announced)
    told = (
        (event.participant, event.at)
        for event in heard.webhooks
        if isinstance(event, UserLeft) or (isinstance(event, AudioLeft) and event.participant.startswith("v_"))
    )
    return _not_told(heard, stays, told)
