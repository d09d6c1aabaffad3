"""What is kept of a whole record, and what is read from that. A new one is two files and no code."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import time
import tracemalloc
from collections import Counter
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.callback_kept import mangled, read_time
from rollcall.bbb.documents import Document, NoMeeting, keep_callback, keep_recording
from rollcall.bbb.packed import unpack
from rollcall.bbb.payloads import decode
from rollcall.bbb.redact import NotUnderstood
from rollcall.core.errors import Refused
from rollcall.core.events import (
    AttendeeReported,
    ChatSent,
    MeetingRecorded,
    MeetingReported,
    PollAnswered,
    TalkingStarted,
    UserJoined,
)
from rollcall.feed.append import LONGEST_BYTES
from tests import programs
from tests.bbb.recorded import EXTERNAL, IDS, MEETING, attendee, callback, event, events_xml, joined, left, status

PAIRS = Path(__file__).parent.parent / "data" / "documents"
GIVEN = sorted(PAIRS.glob("*.given.*"))
SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "events-xml"


def kept(text: bytes, pool: str = "bbb.example.org", *, meeting: str = MEETING) -> Document:
    if text.lstrip()[:1] == b"<":
        return keep_recording(io.BytesIO(text), pool, received_at=5, pool=7)
    return keep_callback(text, pool, received_at=5, pool=7, meeting=meeting)


def events(document: Document, digest: bytes = b"") -> tuple[Any, ...]:
    one = document.arrival
    return decode(one.source, digest or one.digest, one.payload, one.identity)


def as_json(event: Any) -> dict[str, Any]:
    """The event's fields that differ from their defaults."""
    whole = dataclasses.asdict(event)
    fields = {
        field.name: whole[field.name]
        for field in dataclasses.fields(event)
        if getattr(event, field.name) != field.default and field.name != "digest"
    }
    return {"event": type(event).__name__, **json.loads(json.dumps(fields))}


def told(text: bytes) -> Any:
    """Everything that is kept of a record, as the expected files write it."""
    try:
        document = kept(text)
    except NotUnderstood as error:
        return {"not understood": str(error)}
    one = document.arrival
    return {
        "kept": {name: getattr(one, name) for name in ("source", "kind", "meeting", "at", "parent", "is_end")},
        "document": {
            name: getattr(document, name) for name in ("events", "is_whole", "damage", "blank_events", "odd_events")
        },
        "payload": unpack(one.payload),
        "identity": unpack(one.identity) if one.identity else None,
        "events": [as_json(event) for event in events(document)],
    }


@pytest.mark.parametrize("given_file", GIVEN, ids=attrgetter("name"))
def test_document(given_file: Path) -> None:
    expected_file = PAIRS / (given_file.name.partition(".given.")[0] + ".expected.json")
    found = told(given_file.read_bytes())
    assert found == json.loads(expected_file.read_text())
    assert "CANARY" not in json.dumps(found)


def test_there_are_pairs_for_every_generation() -> None:
    names = {path.name.partition(".given.")[0] for path in GIVEN}
    assert {f"callback.gem-{gem}" for gem in ("1.2", "2.0", "2.0.1")} <= names
    assert {f"data-json.gem-{gem}" for gem in ("1.2", "2.0")} <= names
    assert {f"recording.{era}" for era in ("2.0", "2.1-cameras", "2.6-polls", "3.0", "dial-in", "breakout")} <= names


# -- the fact -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_file", GIVEN, ids=attrgetter("name"))
def test_all_events_of_one_record_share_its_digest_and_are_numbered_from_the_head(given_file: Path) -> None:
    try:
        document = kept(given_file.read_bytes())
    except NotUnderstood:
        return
    found = events(document)
    assert [one.digest for one in found] == [
        document.arrival.digest + number.to_bytes(4, "big") for number in range(len(found))
    ]
    assert isinstance(found[0], MeetingRecorded | MeetingReported)
    assert {one.meeting for one in found} == {document.arrival.meeting}


@pytest.mark.parametrize("given_file", GIVEN, ids=attrgetter("name"))
def test_an_erased_identity_changes_nothing_but_who_it_was(given_file: Path) -> None:
    try:
        one = kept(given_file.read_bytes()).arrival
    except NotUnderstood:
        return
    blank = {"external_user_id": None, "name": None}
    whole = [as_json(event) for event in decode(one.source, b"d", one.payload, one.identity)]
    erased = [as_json(event) for event in decode(one.source, b"d", one.payload, None)]
    for given_event in whole:
        if "participant" in given_event:
            assert {key: value for key, value in given_event.items() if key not in blank} in erased
    assert len(whole) == len(erased)


def test_the_digest_does_not_depend_on_how_it_was_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept(events_xml())
    monkeypatch.setattr("rollcall.bbb.packed.LEVEL", 1)
    after = kept(events_xml())
    assert before.arrival.digest == after.arrival.digest
    assert before.arrival.payload != after.arrival.payload
    assert kept(events_xml(), "another").arrival.digest != before.arrival.digest


def test_another_name_is_another_record() -> None:
    first, other = (kept(events_xml(joined(3, 0, "4711", name=name))).arrival for name in ("Ada", "Eda"))
    assert first.payload == other.payload
    assert first.digest != other.digest


# -- who voted ----------------------------------------------------------------------------------------------------

# What ActiveSupport's `underscore` makes of them.
MANGLED = {
    "4711": "4711",
    "gl-pmfhtsgaicpy": "gl_pmfhtsgaicpy",
    "JohnDoe": "john_doe",
    "9F6CA4F7-7756": "9_f6_ca4_f7_7756",
    "Foo::Bar": "foo/bar",
    "HTMLParser": "html_parser",
    "ada@l.example.org": "ada@l.example.org",
    "Ada@L.example.org": "ada@l.example.org",
    "ÄB": "äb",
    "ÄÖ": "ÄÖ",
    "ΟΔΟΣ-A": "οδοσ_a",
    "a_b": "a_b",
    "": "",
}


@pytest.mark.parametrize("key", MANGLED)
def test_keys_are_mangled_as_by_bigbluebuttons_script(key: str) -> None:
    assert mangled(key) == MANGLED[key]


@given(st.text())
def test_what_is_mangled_once_stays(key: str) -> None:
    once = mangled(key)
    assert mangled(once).casefold() == once.casefold()


NUMBER = "+49 170 1234567"
CALLER = "v_abcdefghijkl"


@pytest.mark.parametrize(
    ("participant", "external", "identity"),
    [
        (CALLER, CALLER, [CALLER, "+XX XXX XXXXX67"]),
        (CALLER, NUMBER, [None, "+XX XXX XXXXX67"]),
        ("w_abcdefghijkl", CALLER, [CALLER, "+XX XXX XXXXX67"]),
        ("w_abcdefghijkl", "5", ["5", NUMBER]),
    ],
)
def test_the_number_of_a_caller_is_nobodys_name(participant: str, external: str, identity: list[str | None]) -> None:
    xml = events_xml(joined(1, 0, external, userId=participant, name=NUMBER))
    people = unpack(kept(xml).arrival.identity or b"")
    assert people == {participant: identity}
    body = callback()
    body["data"]["attendees"] = [attendee(0, external, [1], [2]) | {"id": participant, "name": NUMBER}]
    assert unpack(kept(json.dumps(body).encode()).arrival.identity or b"") == {"0": identity}


def test_of_a_caller_a_callback_says_no_other_id() -> None:
    body = callback()
    body["data"]["attendees"] = [attendee(0, CALLER, [1], [2]) | {"name": NUMBER}]
    assert unpack(kept(json.dumps(body).encode()).arrival.identity or b"") == {"0": [CALLER, "+XX XXX XXXXX67"]}


def test_votes_that_may_be_everybodys_are_noted_once() -> None:
    body = callback()
    body["data"]["attendees"] = [{"ext_user_id": "a"}] * 1_500
    body["data"]["polls"] = [{"votes": {"a": "1"}}] * 1_500
    tracemalloc.start()
    document = kept(json.dumps(body).encode())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8_000_000
    _, *reported = events(document)
    assert [one.poll_answers for one in reported] == [None] * 1_500


def answers(attendees: list[tuple[str, int]], *votes: dict[str, str]) -> list[int | None]:
    """poll_answers of each (external id, options chosen), by the keys of each poll."""
    people = []
    for external, options in attendees:
        one = attendee(0, external, [1], [2])
        one["engagement"]["poll_votes"] = options
        people.append(one)
    polls = [{"id": str(number), "votes": keys} for number, keys in enumerate(votes)]
    document = kept(json.dumps(callback(attendees=people, polls=polls)).encode())
    return [one.poll_answers for one in events(document) if isinstance(one, AttendeeReported)]


def test_poll_answers_count_polls_and_not_options() -> None:
    assert answers([("4711", 3), ("9", 0)], {"4711": "A"}, {"4711": "B"}) == [2, 0]


def test_two_people_whose_keys_look_alike_are_both_unknown() -> None:
    assert answers([("John-Doe", 1), ("John_Doe", 0), ("7", 1)], {"john_doe": "A", "7": "B"}) == [None, None, 1]


def test_keys_that_were_never_mangled_are_taken_as_they_are() -> None:
    assert answers([("JohnDoe", 1), ("john_doe", 1)], {"JohnDoe": "A"}, {"john_doe": "B"}) == [1, 1]


def test_a_vote_of_nobody_may_be_of_anybody_who_voted() -> None:
    assert answers([("4711", 2), ("9", 1), ("8", 0)], {"4711": "A"}, {"who": "B"}) == [None, None, 0]


def test_who_chose_options_and_stands_in_no_poll_is_unknown() -> None:
    assert answers([("4711", 1)], {}) == [None]


# -- times --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T01:03:20.000+00:00", 1795309400000),
        ("2026-11-22T03:03:20.123+02:00", 1795309400123),
        ("2026-11-22 01:03:20 +0000", 1795309400000),
        ("2026-11-21 20:33:20 -0430", 1795309400000),
        ("2026-11-22 01:03:20 UTC", 1795309400000),
        ("2026-11-22T01:03:20Z", 1795309400000),
        ("2026-11-22T01:03:20", 1795309400000),
        (1795309400, 1795309400000),
        (1795309400123, 1795309400123),
        ("1066-10-14T09:00:00Z", None),
        ("0000-00-00", None),
        ("2026-11-22T01:03:20+99:00", None),
        ("9" * 5000, None),
        (-5, None),
        (float("nan"), None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_times_of_every_gem_are_read(text: object, at: int | None) -> None:
    assert read_time(text) == at


# -- bad input ----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_bytes_that_are_no_record_are_refused_in_words(text: bytes) -> None:
    for keep in (keep_callback, lambda body, *args, **named: keep_recording(io.BytesIO(body), *args, **named)):
        with pytest.raises(NotUnderstood):
            keep(text, "p", received_at=0, pool=1)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {"internal_meeting_id": st.just(MEETING)},
        optional={
            "meeting_id": _JSON,
            "data": st.fixed_dictionaries(
                {},
                optional={
                    **dict.fromkeys(("metadata", "start", "finish", "duration", "polls"), _JSON),
                    "attendees": _JSON
                    | st.lists(
                        st.fixed_dictionaries(
                            {},
                            optional=dict.fromkeys(
                                ("ext_user_id", "name", "joins", "leaves", "sessions", "engagement", "id"), _JSON
                            ),
                        ),
                        max_size=2,
                    ),
                },
            ),
        },
    )
)
def test_no_shape_of_a_callback_breaks_anything(body: Any) -> None:
    text = json.dumps(body).encode()
    try:
        document = kept(text)
    except NotUnderstood:
        return
    assert events(document)[0].meeting == MEETING


def test_every_truncation_of_a_file_keeps_what_stands_before_it() -> None:
    whole = events_xml().strip()
    counts: list[int] = []
    for length in range(len(whole)):
        try:
            document = kept(whole[:length])
        except NotUnderstood:
            assert not counts
            continue
        assert not document.is_whole
        counts.append(len(events(document)) - 1)
    assert counts == sorted(counts)
    assert counts[-1] == len(events(kept(whole))) - 1


def test_ids_of_ten_thousand_characters_nul_and_half_characters() -> None:
    long = "x" * 10_000
    people = [attendee(0, long, [1], [2]), attendee(1, long + "y", [1], [2]), attendee(0, "\0", [1], [2])]
    people[2]["name"] = "\ud83d"
    first, second, third = events(kept(json.dumps(callback(attendees=people)).encode()))[1:]
    assert (first.external_user_id, second.external_user_id) == (long, long + "y")
    assert (third.external_user_id, third.name) == ("�0000", "�d83d")


def test_a_class_of_100_000_fits_and_more_than_can_be_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    rows = []
    for number in range(100_000):
        own = f"w_{chance.randrange(10**11, 10**12)}"
        rows.append(joined(number / 100, 0, str(number), userId=own, name=f"Person {number}"))
        rows.append(event(2000, "PARTICIPANT", "ParticipantLeftEvent", userId=own))
    text = events_xml(*rows)
    document = kept(text)
    assert document.events == 200_000
    assert len(document.arrival.payload) + len(document.arrival.identity or b"") < LONGEST_BYTES
    for limit in ("LARGEST_TEXT", "LONGEST_BYTES"):
        monkeypatch.setattr(f"rollcall.bbb.packed.{limit}", 300_000)
        with pytest.raises(Refused, match="more than can be kept") as refused:
            kept(text)
        assert refused.value.status == 413
        monkeypatch.undo()


def test_payload_and_identity_together_fit_one_packet_of_every_database(monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept(events_xml()).arrival
    monkeypatch.setattr("rollcall.bbb.documents.LONGEST_BYTES", len(one.payload) + len(one.identity or b"") - 1)
    with pytest.raises(Refused):
        kept(events_xml())
    with pytest.raises(Refused):
        kept(json.dumps(callback()).encode())


def test_data_json_says_which_meeting_it_may_be() -> None:
    text = (PAIRS / "data-json.gem-2.0.given.json").read_bytes()
    with pytest.raises(NoMeeting) as asked:
        kept(text, meeting="")
    assert (asked.value.external_meeting_id, asked.value.start) == (EXTERNAL, 1795309400000)


# -- the samples --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sample-events", "new-events-2_6"])
def test_chats_and_votes_of_the_samples_are_the_gems(name: str) -> None:
    found = events(kept(programs.beside(SAMPLES / f"{name}.xml").read_bytes()))
    people = {one.participant: one.external_user_id for one in found if isinstance(one, UserJoined)}
    chats = Counter(people[one.participant] for one in found if isinstance(one, ChatSent))
    votes = Counter(people[one.voter] for one in found if isinstance(one, PollAnswered) and one.voter)
    talks = Counter(people[one.participant] for one in found if isinstance(one, TalkingStarted))
    gem = json.loads(programs.beside(SAMPLES / f"{name}.bbbevents.json").read_text())
    for one in gem["attendees"]:
        counts, who = one["engagement"], one["ext_user_id"]
        assert (chats[who], votes[who], talks[who]) == (counts["chats"], counts["poll_votes"], counts["talks"])
    assert len(gem["attendees"]) == len(set(people.values()))


def test_the_gems_own_output_says_of_each_person_what_it_says() -> None:
    name = "sample-events"
    gem = json.loads(programs.beside(SAMPLES / f"{name}.bbbevents.json").read_text())
    meeting = events(kept(programs.beside(SAMPLES / f"{name}.xml").read_bytes()))[0].meeting
    head, *people = events(kept(programs.beside(SAMPLES / f"{name}.bbbevents.json").read_bytes(), meeting=meeting))
    assert (head.form, head.generation, head.finish_at - head.at) == ("data-json", "2.0", gem["duration"] * 1000)
    for one, their in zip(people, gem["attendees"], strict=True):
        assert (one.external_user_id, one.participant) == (their["ext_user_id"], their["id"])
        assert sum(len(session.joins) for session in one.sessions) == len(their["joins"])
        assert one.poll_answers == their["engagement"]["poll_votes"]


def test_a_large_record_is_read_again_within_ten_milliseconds() -> None:
    document = kept(programs.beside(SAMPLES / "sample-events.xml").read_bytes())
    took = []
    for _ in range(20):
        began = time.thread_time()
        count = len(events(document))
        took.append((time.thread_time() - began) / count * 1_500)
    assert min(took) < 0.010


def test_a_rejoin_and_an_unknown_leaver_are_told_as_they_stand() -> None:
    found = events(kept(events_xml(left(1, 1), joined(3, 0, "4711"), left(5, 0), joined(9, 0, "4711"))))
    assert [(one.kind, one.participant) for one in found[1:]] == [
        ("user-left", IDS[1]),
        ("user-joined", IDS[0]),
        ("user-left", IDS[0]),
        ("user-joined", IDS[0]),
    ]


def test_whoever_comes_back_begins_anew() -> None:
    def rounds(*events_of_one: str) -> list[str]:
        found = events(
            kept(events_xml(joined(3, 0, "4711"), *events_of_one, left(50, 0), joined(60, 0, "4711"), *events_of_one))
        )
        return [one.kind for one in found[1:]]

    for name, value in (
        ("away", "true"),
        ("raiseHand", "true"),
        ("emojiStatus", "away"),
        ("hasStream", "true,stream=s"),
    ):
        kinds = rounds(status(9, 0, name, value))
        assert kinds.index("user-left") * 2 + 1 == len(kinds)
        assert kinds[: kinds.index("user-left")] == kinds[kinds.index("user-left") + 1 :]


def test_the_rooms_of_a_meeting_are_told() -> None:
    rooms = "<breakoutRooms><breakoutRoom>r-2</breakoutRoom><breakoutRoom>r-1</breakoutRoom></breakoutRooms>"
    head = events(kept(events_xml().replace(b"<breakoutRooms/>", rooms.encode())))[0]
    assert head.rooms == ("r-1", "r-2")


def test_every_field_of_a_document_is_told() -> None:
    assert {field.name for field in dataclasses.fields(Document)} == {
        "arrival",
        "events",
        "is_whole",
        "damage",
        "blank_events",
        "odd_events",
    }
