"""events.xml as each line of BigBlueButton writes it, from a class whose truth is known."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from functools import cache
from io import BytesIO
from random import Random

import pytest

from rollcall.bbb.callback_body import body_of
from rollcall.bbb.recording import Recording
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.eras import ERAS, Era
from rollcall.simulate.recording import CLOCKS_APART_MS, Recorded, RecordedEvent, recordings
from rollcall.simulate.recording_xml import to_xml
from rollcall.simulate.truth import Does, Ending, Truth

NAMES = list(ERAS)
SEEDS = range(8)


@cache
def written(era: str, seed: int) -> tuple[Truth, dict[str, Recorded]]:
    rng = Random(seed)
    plan = Plan(starts_at=ERAS[era].at, rooms=2 * (seed % 2), liveliness=5, without_ids=1, people=8)
    truth = make_class(rng, plan)
    return truth, recordings(truth, ERAS[era], rng)


def root_of(era: str, seed: int) -> Recorded:
    truth, files = written(era, seed)
    return files[truth.root.internal_meeting_id]


def named(recorded: Recorded, module: str, name: str) -> list[RecordedEvent]:
    return [event for event in recorded.events if (event.module, event.name) == (module, name)]


def statuses(recorded: Recorded) -> set[str]:
    return {event.child("status") or "" for event in named(recorded, "PARTICIPANT", "ParticipantStatusChangeEvent")}


@pytest.mark.parametrize("era", NAMES)
def test_it_is_xml_and_says_what_was_recorded(era: str) -> None:
    for recorded in written(era, 1)[1].values():
        read = ET.fromstring(to_xml(recorded))  # noqa: S314  # written here
        assert read.get("meeting_id") == recorded.meeting
        assert [event.get("eventname") for event in read.iter("event")] == [event.name for event in recorded.events]
        for event, ours in zip(read.iter("event"), recorded.events, strict=True):
            assert [(child.tag, child.text or "") for child in event] == list(ours.children)
        metadata = read.find("metadata")
        assert metadata is not None
        assert dict(metadata.attrib) == dict(recorded.metadata)


@pytest.mark.parametrize("era", NAMES)
def test_the_clocks_run_side_by_side_from_some_boot_on(era: str) -> None:
    recorded = root_of(era, 0)
    pairs = [(event.timestamp, event.child("timestampUTC")) for event in recorded.events]
    ticks = [tick for tick, _ in pairs if tick is not None]
    assert ticks == sorted(ticks)
    apart = {int(utc) - tick for tick, utc in pairs if utc is not None and tick is not None}
    assert bool(apart) == ERAS[era].has_utc
    if apart:
        assert max(apart) - min(apart) <= CLOCKS_APART_MS


@pytest.mark.parametrize("era", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_join_and_announced_leave_stands_there_once(era: str, seed: int) -> None:
    truth, files = written(era, seed)
    for meeting in truth.meetings:
        recorded = files[meeting.internal_meeting_id]
        people = [stay for stay in meeting.stays if not stay.person.is_dial_in]
        joins = Counter(event.child("userId") for event in named(recorded, "PARTICIPANT", "ParticipantJoinEvent"))
        leaves = Counter(event.child("userId") for event in named(recorded, "PARTICIPANT", "ParticipantLeftEvent"))
        assert joins == Counter(stay.participant for stay in people)
        assert leaves == Counter(stay.participant for stay in people if stay.is_announced)
        callers = {event.child("participant") for event in named(recorded, "VOICE", "ParticipantJoinedEvent")}
        assert {stay.participant for stay in meeting.stays if stay.person.is_dial_in} <= callers


def test_only_files_from_2_4_on_end_with_the_end() -> None:
    ends = {era for era in NAMES if root_of(era, 0).events[-1].name == "EndAndKickAllEvent"}
    assert ends == {"2.4", "2.5", "2.6", "2.7", "3.0"}
    reasons = {
        truth.root.ending: files[truth.root.internal_meeting_id].events[-1].child("reason") or ""
        for truth, files in (written("3.0", seed) for seed in SEEDS)
    }
    assert set(reasons) == set(Ending)
    assert reasons[Ending.LAST_LEFT] == "ENDED_WHEN_LAST_USER_LEFT"
    assert reasons[Ending.BY_MODERATOR] in {"ENDED_AFTER_USER_LOGGED_OUT", "ENDED_FROM_API"}


def test_hand_reaction_and_absence_were_one_emoji_until_2_6() -> None:
    assert all("emojiStatus" in statuses(root_of(era, 1)) for era in NAMES if not ERAS[era].has_own_hand)
    for era in ("2.7", "3.0"):
        found = set().union(*(statuses(root_of(era, seed)) for seed in SEEDS))
        assert found == {"raiseHand", "reactionEmoji", "away", "hasStream"}


def test_polls_say_more_from_2_5_on() -> None:
    for era in NAMES:
        started = [event for seed in SEEDS for event in named(root_of(era, seed), "POLL", "PollStartedRecordEvent")]
        assert started
        assert {event.child("secretPoll") is not None for event in started} == {ERAS[era].has_full_polls}


def test_who_answered_a_secret_poll_is_not_written_down() -> None:
    secret = 0
    for era in NAMES:
        for seed in SEEDS:
            truth, files = written(era, seed)
            asked = {act.key for act in truth.root.acts if act.does is Does.STARTS_POLL and act.is_secret}
            answered = named(files[truth.root.internal_meeting_id], "POLL", "UserRespondedToPollRecordEvent")
            secret += sum(event.child("pollId") in asked for event in answered)
            assert all((event.child("userId") == "") == (event.child("pollId") in asked) for event in answered)
    assert secret


def test_a_room_names_its_parent_and_the_parent_its_rooms() -> None:
    truth, files = written("2.6", 1)
    assert files[truth.root.internal_meeting_id].rooms == tuple(room.internal_meeting_id for room in truth.rooms)
    for room in truth.rooms:
        recorded = files[room.internal_meeting_id]
        assert dict(recorded.breakout or ())["parentMeetingId"] == truth.root.internal_meeting_id
        people = {event.child("externalUserId") for event in named(recorded, "PARTICIPANT", "ParticipantJoinEvent")}
        assert all((who or "").endswith(f"-{room.sequence}") for who in people)


def test_the_whiteboards_cursor_can_be_most_of_a_file() -> None:
    rng = Random(3)
    truth = make_class(rng, Plan(starts_at=ERAS["2.6"].at))
    content = to_xml(recordings(truth, ERAS["2.6"], rng, cursor_share=0.7)[truth.root.internal_meeting_id])
    moves = sum(len(part) for part in content.split(b"  <event ") if b"WhiteboardCursorMove" in part)
    assert 0.6 < moves / len(content) < 0.8


def test_the_oldest_files_may_begin_with_the_first_person() -> None:
    rng = Random(0)
    truth = make_class(rng, Plan(starts_at=ERAS["2.0"].at, rooms=0, dial_ins=0))
    (recorded,) = recordings(truth, ERAS["2.0"], rng, has_frame=False).values()
    assert recorded.events[0].name == "ParticipantJoinEvent"


# -- the truth, read back -----------------------------------------------------------------------------------------


def read_back(recorded: Recorded) -> dict[str, dict[str, object]]:
    body = body_of(Recording(BytesIO(to_xml(recorded))))
    return {one["ext_user_id"]: one for one in body["data"]["attendees"]}


@pytest.mark.parametrize("era", [name for name in NAMES if ERAS[name].has_utc])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_rollcall_events_says_is_the_truth(era: str, seed: int) -> None:
    truth, files = written(era, seed)
    alone = replace(truth, rooms=())
    told = read_back(files[truth.root.internal_meeting_id])
    assert set(told) == {key for key in alone.people if not key.startswith("v_")}
    for key, attendee in told.items():
        counts, durations = alone.counts(key), alone.durations(key)
        engagement = attendee["engagement"]
        assert isinstance(engagement, dict)
        assert attendee["duration"] == pytest.approx(alone.present_ms(key) / 1000, abs=0.51)
        assert engagement["chats"] == counts.chats
        assert engagement["raisehand"] == counts.raise_hands
        assert engagement["emojis"] == counts.emojis
        assert engagement["talk_time"] == pytest.approx(durations.talk_ms / 1000, abs=0.51)


def test_an_era_is_no_older_than_its_servers() -> None:
    times = [era.at for era in ERAS.values()]
    assert times == sorted(times)
    assert Era(name="2.10", version="", at=0).number > Era(name="2.9", version="", at=0).number
