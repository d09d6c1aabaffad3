"""The callback's body: beside brute force, beside a golden file of each era, and of real files beside the gem's."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.callback_body import as_time, body_of, merged_ms, only_lms_users, read_options, snake_case
from rollcall.bbb.recording import Recording
from tests import programs
from tests.bbb.recordings import (
    CREATED_AT,
    Event,
    chatted,
    cursor,
    ended,
    joined,
    left,
    participant,
    poll_answered,
    poll_started,
    recording,
    status,
    talking,
    voice,
)

DATA = Path(__file__).parents[1] / "data" / "events_xml"
SAMPLES = sorted(DATA.glob("*.xml"))
REAL = Path(__file__).parents[3] / "shared" / "samples" / "events-xml"
BETTER_THAN_THE_GEM = {"chats", "poll_votes"}


def body(*events: Event, **about: Any) -> Any:
    return body_of(Recording(io.BytesIO(recording(*events, **about))))["data"]


def of_ada(*events: Event, ended_at: int | None = 100_000) -> Any:
    """The only attendee there is."""
    (ada,) = body(joined(0, "ada", external="1"), *events, ended_at=ended_at)["attendees"]
    return ada


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_body_of_each_era(path: Path) -> None:
    expected = json.loads(path.with_name(path.stem + ".expected.json").read_text())["body"]
    assert body_of(Recording(io.BytesIO(path.read_bytes()))) == expected


# Presence


def test_two_tabs_are_one_presence() -> None:
    ada = of_ada(joined(10_000, "ada.2", external="1"), left(20_000, "ada"), left(50_400, "ada.2"))
    assert ada["duration"] == 50
    assert [len(session["joins"]) for session in ada["sessions"]] == [1, 1]


def test_a_join_while_open_and_a_leave_while_closed_are_ignored() -> None:
    ada = of_ada(joined(10_000, "ada", external="1"), left(20_000, "ada"), left(90_000, "ada"))
    assert (ada["duration"], len(ada["joins"]), len(ada["leaves"])) == (20, 1, 1)


def test_who_has_not_left_stays_to_the_end_of_the_meeting_and_has_no_left() -> None:
    ada = of_ada(cursor(99_000), ended_at=100_000)
    assert ada["duration"] == 100
    assert ada["leaves"] == [as_time(CREATED_AT + 100_000)]
    assert ada["sessions"][0]["lefts"] == []


def test_what_comes_after_the_end_changes_nothing() -> None:
    ada = of_ada(ended(60_000), talking(61_000, "ada"), left(62_000, "ada"), ended(70_000), ended_at=None)
    assert (ada["duration"], ada["engagement"]["talk_time"], ada["sessions"][0]["lefts"]) == (60, 0, [])


def test_without_an_end_the_last_event_is_the_end() -> None:
    assert of_ada(cursor(40_000), ended_at=None)["duration"] == 40


def test_leaving_the_audio_is_not_leaving() -> None:
    assert of_ada(voice(10_000, "ada", "ParticipantLeftEvent"))["duration"] == 100


def test_a_name_is_the_last_one_and_a_moderator_was_one_at_any_time() -> None:
    ada = of_ada(
        status(1_000, "ada", "role", "MODERATOR"),
        status(2_000, "ada", "role", "VIEWER"),
        left(3_000, "ada"),
        joined(4_000, "ada", external="1", name="Ada L."),
    )
    assert (ada["name"], ada["moderator"]) == ("Ada L.", True)


def test_an_empty_external_id_does_not_make_one_person_of_all() -> None:
    people = body(joined(0, "ada", external=""), joined(5, "bo", external=""), ended_at=9_000)["attendees"]
    assert [one["ext_user_id"] for one in people] == [participant("ada"), participant("bo")]


def test_a_caller_and_their_number_are_not_in_it() -> None:
    told = json.dumps(
        body(
            joined(0, "ada"),
            (5, "VOICE", "ParticipantJoinedEvent", {"participant": "v_1", "callername": "5550199"}),
            (6, "PARTICIPANT", "ParticipantJoinEvent", {"userId": "v_1", "externalUserId": "v_1", "name": "5550199"}),
            ended_at=9,
        )
    )
    assert "5550199" not in told
    assert "v_1" not in told


Moves = list[tuple[int, str, str]]


def moves() -> st.SearchStrategy[Moves]:
    """In the file's order, which is that of time: (ms, who, what)."""
    one = st.tuples(st.integers(0, 40), st.sampled_from(["ada", "ada.2", "bo"]), st.sampled_from(["join", "leave"]))
    return st.lists(one, max_size=14).map(lambda found: sorted(found, key=lambda move: move[0]))


def present_ms(made: Moves, who: set[str], end: int) -> int:
    """Millisecond by millisecond."""
    total = 0
    for ms in range(end):
        last = {one: what for at, one, what in made if at <= ms}
        total += any(last.get(one) == "join" for one in who)
    return total


@given(moves(), st.integers(40, 45))
def test_presence_is_what_counting_each_millisecond_gives(made: Moves, end: int) -> None:
    # A thousand times as long, so that rounding to seconds loses nothing.
    events = [
        joined(at * 1_000, who, external=who[0]) if what == "join" else left(at * 1_000, who) for at, who, what in made
    ]
    found = {one["ext_user_id"]: one["duration"] for one in body(*events, ended_at=end * 1_000)["attendees"]}
    for person, who in (("a", {"ada", "ada.2"}), ("b", {"bo"})):
        assert found.get(person, 0) == present_ms(made, who, end)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)))
def test_the_union_of_spans_is_what_counting_gives(spans: list[tuple[int, int]]) -> None:
    covered = {ms for start, end in spans for ms in range(start, end)}
    assert merged_ms((start, end) for start, end in spans) == len(covered)


# Talking


@pytest.mark.parametrize(
    "silence",
    [
        talking(12_400, "ada", "false"),
        voice(12_400, "ada", "ParticipantMutedEvent", muted="true"),
        voice(12_400, "ada", "ParticipantLeftEvent"),
        left(12_400, "ada"),
        ended(12_400),
    ],
)
def test_all_that_ends_a_spurt(silence: Event) -> None:
    told = of_ada(talking(10_000, "ada"), silence, cursor(60_000), ended_at=None)
    assert (told["engagement"]["talk_time"], told["engagement"]["talks"], told["recent_talking_time"]) == (2, 1, "")


def test_a_spurt_that_is_open_is_not_begun_again() -> None:
    told = of_ada(talking(10_000, "ada"), talking(12_000, "ada"), talking(15_000, "ada", "false"))
    assert (told["engagement"]["talk_time"], told["engagement"]["talks"]) == (5, 1)


def test_spurts_are_summed_before_they_are_rounded() -> None:
    spurts = [
        talking(at + part, "ada", word) for at in range(0, 50_000, 1_000) for part, word in ((0, "true"), (400, "x"))
    ]
    assert of_ada(*spurts)["engagement"]["talk_time"] == 20


def test_the_same_voice_in_two_tabs_is_one() -> None:
    told = of_ada(
        joined(1_000, "ada.2", external="1"),
        talking(10_000, "ada"),
        talking(12_000, "ada.2"),
        talking(15_000, "ada", "false"),
        talking(18_000, "ada.2", "false"),
    )
    assert (told["engagement"]["talk_time"], told["engagement"]["talks"]) == (8, 2)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["ada", "ada.2"]), st.sampled_from(["true", "false"])),
        max_size=12,
    )
)
def test_talk_time_is_what_counting_each_second_gives(spurts: list[tuple[int, str, str]]) -> None:
    made = sorted(spurts, key=lambda one: one[0])
    events = [talking(at * 1_000, who, word) for at, who, word in made]
    told = of_ada(joined(0, "ada.2", external="1"), *events, ended_at=35_000)["engagement"]["talk_time"]
    as_moves = [(at, who, "join" if word == "true" else "leave") for at, who, word in made]
    assert told == present_ms(as_moves, {"ada", "ada.2"}, 35)


# Chats, hands, reactions


def test_chats_of_unknown_senders_are_nobodys() -> None:
    assert of_ada(chatted(5, "ada"), chatted(6, "ada"), chatted(7, "nobody"))["engagement"]["chats"] == 2


@pytest.mark.parametrize(
    ("moved", "raised"),
    [
        ([("emojiStatus", "raiseHand"), ("emojiStatus", "raiseHand")], 1),
        ([("emojiStatus", "raiseHand"), ("emojiStatus", "none"), ("emojiStatus", "raiseHand")], 2),
        ([("emojiStatus", "raiseHand"), ("emojiStatus", "happy"), ("emojiStatus", "raiseHand")], 2),
        ([("raiseHand", "true"), ("raiseHand", "true"), ("raiseHand", "false"), ("raiseHand", "false")], 1),
        ([("emojiStatus", "raiseHand"), ("raiseHand", "true"), ("emojiStatus", "none"), ("raiseHand", "false")], 1),
        ([("raiseHand", "true"), ("reactionEmoji", "👍"), ("away", "true"), ("raiseHand", "true")], 1),
    ],
)
def test_hands_are_counted_when_they_go_up(moved: list[tuple[str, str]], raised: int) -> None:
    events = [status(at, "ada", *one) for at, one in enumerate(moved)]
    assert of_ada(*events)["engagement"]["raisehand"] == raised


def test_leaving_lowers_the_hand() -> None:
    up = ("raiseHand", "true")
    told = of_ada(status(1, "ada", *up), left(2, "ada"), joined(3, "ada", external="1"), status(4, "ada", *up))
    assert told["engagement"]["raisehand"] == 2


@pytest.mark.parametrize(
    ("kind", "value", "emojis"),
    [
        ("emojiStatus", "applause", 1),
        ("emojiStatus", "away", 0),
        ("emojiStatus", "none", 0),
        ("reactionEmoji", "😀", 1),
        ("reactionEmoji", "none", 0),
        ("reactionEmoji", "", 0),
        ("away", "true", 0),
    ],
)
def test_away_and_none_are_no_reactions(kind: str, value: str, emojis: int) -> None:
    assert of_ada(status(5, "ada", kind, value))["engagement"]["emojis"] == emojis


# Polls


def test_several_options_of_one_poll_are_one_answer() -> None:
    told = body(
        joined(0, "ada", external="JohnDoe"),
        poll_started(5, "p", "A B C", type="A-3"),
        *(poll_answered(at, "p", "ada", choice) for at, choice in ((6, 2), (7, 0), (8, 2))),
        ended_at=9_000,
    )
    assert told["attendees"][0]["engagement"]["poll_votes"] == 1
    assert told["polls"][0]["votes"] == {"JohnDoe": "C, A"}


def test_free_texts_become_options_once() -> None:
    said = [("ada", "red"), ("bo", "red"), ("cleo", "blue")]
    told = body(
        *(joined(0, who, external=who) for who, _ in said),
        poll_started(5, "p", "", type="R-"),
        *(poll_answered(6, "p", who, 0, answer=text) for who, text in said),
        ended_at=9_000,
    )
    assert told["polls"][0]["options"] == ["red", "blue"]
    assert told["polls"][0]["votes"] == dict(said)


@pytest.mark.parametrize("voter", ["", "ada"])
def test_a_secret_poll_has_no_votes(voter: str) -> None:
    told = body(
        joined(0, "ada"),
        poll_started(5, "p", "A B", secretPoll="true"),
        poll_answered(6, "p", voter, 0, answer="A"),
        ended_at=9_000,
    )
    assert told["polls"][0]["votes"] == {}
    assert told["attendees"][0]["engagement"]["poll_votes"] == 0


@pytest.mark.parametrize("answers", ["", "[", "{}", "[1, null]", "[" * 60_000, '[{"key": "A"}]', None])
def test_answers_that_are_none_are_no_crash(answers: str | None) -> None:
    assert set(read_options(answers).values()) <= {"A"}


# The frame


def test_a_metadata_name_is_written_as_the_callback_writes_it() -> None:
    told = body(
        joined(0, "ada"),
        metadata={
            "analytics-callback-url": "u",
            "canvasCourseID": "7",
            "gl-listed": "true",
            "type": "yaml",
            "A::B": "x",
        },
    )
    assert told["metadata"] == {
        "is_breakout": "false",
        "meeting_name": "Algebra",
        "analytics_callback_url": "u",
        "canvas_course_id": "7",
        "type": "yaml",
        "a/b": "x",
    }


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("gl-pmfHt", "gl_pmf_ht"),
        ("JohnDoe", "john_doe"),
        ("9F6CA4F7-7756", "9_f6_ca4_f7_7756"),
        ("Foo::Bar", "foo/bar"),
    ],
)
def test_names_are_snake_cased_as_the_script_does(name: str, written: str) -> None:
    assert snake_case(name) == written


def test_for_an_lms_only_plain_positive_ids_are_left() -> None:
    ids = ["4711", "0", "-3", "007", "4711 ", "٤٢", "w_x", "9223372036854775808", "12345678901234567890", ""]
    events = [joined(at, f"p{at}", external=one) for at, one in enumerate(ids)]
    votes = [poll_answered(60 + at, "p", f"p{at}", 0) for at in range(len(ids))]
    data = recording(*events, poll_started(50, "p", "A B"), *votes, ended_at=9_000)
    whole = body_of(Recording(io.BytesIO(data)))
    told = body_of(Recording(io.BytesIO(data)), for_lms=True)
    assert told == only_lms_users(whole)
    assert [one["ext_user_id"] for one in told["data"]["attendees"]] == ["4711"]
    assert told["data"]["polls"][0]["votes"] == {"4711": "A"}
    assert len(whole["data"]["attendees"]) == len(ids)


def test_a_file_that_breaks_off_still_has_a_body() -> None:
    data = recording(joined(0, "ada", external="1"), cursor(30_000), left(40_000, "ada"), ended_at=50_000)
    told = body_of(Recording(io.BytesIO(data[: data.index(b"ParticipantLeftEvent")])))["data"]
    assert (told["attendees"][0]["duration"], told["duration"]) == (30, 30)


class Long(io.RawIOBase):
    """An hour of talking, chatting and drawing, as long as is asked for."""

    def __init__(self, count: int) -> None:
        self._parts = self._produce(count)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._rest or next(self._parts, b"")
        self._rest = data[len(buffer) :]
        buffer[: len(data[: len(buffer)])] = data[: len(buffer)]
        return len(data[: len(buffer)])

    @staticmethod
    def _produce(count: int) -> Iterator[bytes]:
        begin, end = (
            recording(joined(0, "ada", external="1"), ended_at=3_600_000).split(b"<event ", 2)[0],
            b"</recording>",
        )
        yield begin
        events = (
            joined(0, "ada", external="1"),
            talking(1, "ada"),
            talking(2, "ada", "x"),
            chatted(3, "ada"),
            cursor(4),
        )
        some = recording(*events, ended_at=5)
        lines = some[some.index(b"  <event") : some.rindex(b"  <event")]
        for _ in range(count):
            yield lines
        yield end


def test_memory_does_not_grow_with_what_people_do() -> None:
    peaks = []
    for count in (500, 10_000):
        tracemalloc.start()
        data = body_of(Recording(io.BufferedReader(Long(count))))["data"]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert data["attendees"][0]["engagement"]["chats"] == count
    assert peaks[1] < peaks[0] + 1024 * 1024


def test_many_people_take_no_square_of_the_time() -> None:
    data = recording(*(joined(at, f"p{at}", external="" if at % 2 else "1") for at in range(20_000)), ended_at=30_000)
    assert len(body_of(Recording(io.BytesIO(data)))["data"]["attendees"]) == 10_001


# Real files


def real(name: str) -> tuple[Any, Any]:
    theirs = json.loads(programs.beside(REAL / f"{name}.bbbevents.json").read_text())
    return body_of(Recording(io.BytesIO((REAL / f"{name}.xml").read_bytes())))["data"], theirs


@pytest.mark.parametrize("name", ["new-events-2_6", "sample-events"])
def test_of_real_meetings_chats_and_votes_are_the_gems_and_durations_a_second_off_at_most(name: str) -> None:
    ours, theirs = real(name)
    faults = json.loads((DATA / "gem_faults.json").read_text())[name]
    assert len(ours["attendees"]) == len(theirs["attendees"]) == {"new-events-2_6": 2, "sample-events": 11}[name]
    differing: dict[str, dict[str, Any]] = {}
    for index, (our, their) in enumerate(zip(ours["attendees"], theirs["attendees"], strict=True)):
        assert our["ext_user_id"] == their["ext_user_id"]
        assert abs(our["duration"] - their["duration"]) <= len(our["joins"])
        for key, count in their["engagement"].items():
            if our["engagement"][key] != count:
                assert key not in BETTER_THAN_THE_GEM
                differing.setdefault(str(index), {})[key] = {"ours": our["engagement"][key], "gem": count}
    told = {
        index: {key: {"ours": one["ours"], "gem": one["gem"]} for key, one in of.items()}
        for index, of in faults.items()
    }
    assert differing == told


@pytest.mark.parametrize("name", ["new-events-2_6", "sample-events"])
def test_of_real_meetings_the_polls_are_the_gems_to_the_second(name: str) -> None:
    ours, theirs = real(name)
    for our, their in zip(ours["polls"], theirs["polls"], strict=True):
        assert {**our, "start": ""} == {**their, "start": ""}
    assert ours["files"] == theirs["files"]


def test_every_difference_from_the_gem_has_its_rule() -> None:
    for of in json.loads((DATA / "gem_faults.json").read_text()).values():
        for one in (one for person in of.values() for one in person.values()):
            assert one["rule"].startswith("whole seconds per spurt")
            assert 0 < abs(one["ours"] - one["gem"]) <= one["spurts"]
