"""The gem's numbers, faults included: its output for each era was written down from the gem itself."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.callback_body import merged_ms
from rollcall.bbb.gem import like_gem, seconds_present
from rollcall.bbb.recording import Recording
from tests import programs
from tests.bbb.recordings import Event, joined, left, poll_answered, poll_started, recording, status, talking, voice

DATA = Path(__file__).parents[1] / "data" / "events_xml"
SAMPLES = sorted(DATA.glob("*.xml"))
REAL = Path(__file__).parents[3] / "shared" / "samples" / "events-xml"


def gem_of(data: bytes) -> dict[str, Any]:
    return like_gem(Recording(io.BytesIO(data)))


def attendee(*events: Event) -> Any:
    return gem_of(recording(joined(0, "ada", external="1"), *events, ended_at=100_000))["attendees"][0]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_of_each_era_it_is_what_the_gem_said(path: Path) -> None:
    assert gem_of(path.read_bytes()) == json.loads(path.with_name(path.stem + ".gem.json").read_text())


@pytest.mark.parametrize("name", ["new-events-2_6", "sample-events"])
def test_of_real_meetings_it_is_what_the_gem_said_field_by_field(name: str) -> None:
    ours = gem_of(programs.beside(REAL / f"{name}.xml").read_bytes())
    theirs = json.loads((REAL / f"{name}.bbbevents.json").read_text())
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert ours[key] == value, key


Stays = dict[str, tuple[list[int], list[int]]]


@pytest.mark.parametrize(
    ("sessions", "finish", "seconds"),
    [
        pytest.param({"a": ([0], [100]), "b": ([50], [80])}, 300, 100, id="nested"),
        pytest.param({"a": ([0], [100]), "b": ([50], [180])}, 300, 180, id="overlapping"),
        pytest.param({"a": ([0], [100]), "b": ([150], [180])}, 300, 130, id="disjoint"),
        pytest.param({"a": ([0, 150], [100, 180])}, 300, 130, id="disjoint, one id"),
        pytest.param({"a": ([0], [100]), "b": ([100], [200])}, 300, 200, id="touching"),
        pytest.param({"a": ([0], [100]), "b": ([0], [100])}, 300, 100, id="equal"),
        pytest.param({"a": ([0], [50]), "b": ([100], [])}, 300, 250, id="there to the end"),
        pytest.param({"a": ([0, 100], [50])}, 300, 250, id="there to the end, one id"),
        pytest.param({"a": ([10], [5, 60])}, 300, 50, id="a leave without a join first"),
        pytest.param({}, 300, 0, id="nobody"),
        # What it gets wrong: one lost leave or one repeated join lasts to the end.
        pytest.param({"a": ([0, 10], [100])}, 300, 300, id="a repeated join"),
        pytest.param({"a": ([0], []), "b": ([100], [200])}, 3600, 3600, id="one tab's leave is lost"),
        pytest.param({"a": ([0, 500], [600])}, 1000, 1000, id="an earlier leave is lost"),
    ],
)
def test_the_gems_duration(sessions: Stays, finish: int, seconds: int) -> None:
    assert seconds_present(sessions, finish) == seconds


def closed_stays() -> st.SearchStrategy[Stays]:
    """Of each internal id joins and leaves in turn, as they are when nothing is lost."""
    one = st.lists(st.integers(0, 90), min_size=2, max_size=8, unique=True).map(sorted)
    paired = one.map(lambda times: (times[: len(times) // 2 * 2 : 2], times[1::2]))
    return st.dictionaries(st.sampled_from("abc"), paired, max_size=3)


@given(closed_stays())
def test_where_nothing_is_lost_its_duration_is_never_less_than_ours(sessions: Stays) -> None:
    pairs = [pair for joins, lefts in sessions.values() for pair in zip(joins, lefts, strict=True)]
    assert seconds_present(sessions, 100) >= merged_ms(pairs)


def test_many_sessions_of_one_id_take_no_square_of_the_time() -> None:
    sessions = {str(number): ([number], [number + 5]) for number in range(50_000)}
    assert seconds_present(sessions, 60_000) == 50_004


def test_all_times_are_early_by_the_wait_before_the_first_event() -> None:
    told = gem_of(recording(joined(60_000, "ada"), left(90_000, "ada"), ended_at=95_000))
    assert told["duration"] == 35
    assert told["attendees"][0]["joins"] == [told["start"]]


def test_spurts_are_cut_to_whole_seconds_and_an_open_one_is_not_counted() -> None:
    told = attendee(talking(1_900, "ada"), talking(2_100, "ada", "false"), talking(5_000, "ada"))
    assert (told["engagement"]["talk_time"], told["engagement"]["talks"]) == (1, 2)
    assert told["recent_talking_time"] != ""


def test_leaving_the_audio_ends_no_spurt() -> None:
    assert attendee(talking(1_000, "ada"), voice(3_000, "ada", "ParticipantLeftEvent"))["engagement"]["talk_time"] == 0


@pytest.mark.parametrize(
    ("kind", "value", "raisehand", "emojis"),
    [
        ("raiseHand", "true", 1, 0),
        ("raiseHand", "false", 0, 0),
        ("raiseHand", "raiseHand", 1, 0),
        ("emojiStatus", "raiseHand", 1, 0),
        ("emojiStatus", "away", 0, 1),
        ("emojiStatus", "none", 0, 0),
        ("reactionEmoji", "👍", 0, 1),
        ("reactionEmoji", "raiseHand", 0, 1),
        ("reactionEmoji", "none", 0, 0),
        ("away", "true", 0, 0),
    ],
)
def test_hands_and_emojis_as_the_gem_takes_them(kind: str, value: str, raisehand: int, emojis: int) -> None:
    told = attendee(status(5, "ada", kind, value))["engagement"]
    assert (told["raisehand"], told["emojis"]) == (raisehand, emojis)


def test_each_option_is_a_vote_and_the_last_one_is_kept() -> None:
    votes = [poll_answered(at, "p", "ada", choice) for at, choice in ((6, 0), (7, 2))]
    told = gem_of(recording(joined(0, "ada", external="1"), poll_started(5, "p", "A B C"), *votes, ended_at=9))
    assert told["attendees"][0]["engagement"]["poll_votes"] == 2
    assert told["polls"][0]["votes"] == {"1": "C"}


def test_repeated_free_texts_are_options_again() -> None:
    said = [("ada", "red", 0), ("bo", "red", 0), ("cleo", "blue", 4)]
    told = gem_of(
        recording(
            *(joined(0, who, external=who) for who, _, _ in said),
            poll_started(5, "p", "", type="R-"),
            *(poll_answered(6, "p", who, choice, answer=text) for who, text, choice in said),
            ended_at=9,
        )
    )
    assert told["polls"][0]["options"] == ["red", "red", None, None, "blue"]
