"""Damage does to a file what it says, and nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from io import BytesIO
from random import Random

import pytest

from rollcall.bbb.recording import Recording
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.damage import NAMED, expire, lose_end, lose_leaves, parse_damage, strip_utc, truncate, undamaged
from rollcall.simulate.eras import ERAS
from rollcall.simulate.recording import Recorded, recordings
from rollcall.simulate.recording_xml import to_xml


def a_file(seed: int = 1, era: str = "3.0") -> Recorded:
    rng = Random(seed)
    truth = make_class(rng, Plan(starts_at=ERAS[era].at, rooms=0))
    return recordings(truth, ERAS[era], rng)[truth.root.internal_meeting_id]


def read(content: bytes) -> Recording:
    recording = Recording(BytesIO(content))
    for _ in recording.events():
        pass
    return recording


def events(content: bytes) -> list[ET.Element]:
    return list(ET.fromstring(content).iter("event"))  # noqa: S314  # written here


def test_a_cut_file_is_the_beginning_of_the_file() -> None:
    whole = to_xml(a_file())
    cut = [truncate(a_file(), Random(seed)) for seed in range(30)]
    assert all(whole.startswith(one) and len(one) < len(whole) for one in cut)
    assert len({len(one) for one in cut}) > 20
    assert not any(read(one).is_whole() for one in cut)


def test_expired_events_stand_there_empty_at_least_one() -> None:
    for share in (0.0, 0.3):
        content = expire(a_file(), Random(2), share)
        blank = [event for event in events(content) if event.attrib == {"timestamp": "", "module": "", "eventname": ""}]
        assert len(blank) == read(content).blank_events > (20 if share else 0)
        assert not read(content).is_whole()


def test_some_events_do_not_tell_their_time_but_the_first_does() -> None:
    found = events(strip_utc(a_file(), Random(3), 0.5))
    without = [event.find("timestampUTC") is None for event in found]
    assert not without[0]
    assert 0.3 < sum(without) / len(without) < 0.7
    assert read(strip_utc(a_file(), Random(3), 0.5)).is_whole()


def test_leaves_and_the_end_can_be_missing() -> None:
    names = [event.get("eventname") for event in events(lose_leaves(a_file(), Random(4), 1.0))]
    modules = {
        event.get("module")
        for event in events(undamaged(a_file(), Random(0)))
        if event.get("eventname") == "ParticipantLeftEvent"
    }
    assert modules == {"PARTICIPANT", "VOICE"}
    assert "ParticipantLeftEvent" in names  # the audio's
    assert events(lose_end(a_file(), Random(0)))[-1].get("eventname") != "EndAndKickAllEvent"
    assert not read(lose_end(a_file(), Random(0))).is_whole()


@pytest.mark.parametrize("text", [*NAMED, "blank=0.5", "no-utc=1"])
def test_damage_is_named(text: str) -> None:
    content = parse_damage(text)(a_file(), Random(1))
    assert (content == to_xml(a_file())) == (text == "none")


@pytest.mark.parametrize(("text", "told"), [("rust", "blank"), ("cut=3", "no number"), ("blank=much", "no number")])
def test_what_is_no_damage_is_said(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_damage(text)
