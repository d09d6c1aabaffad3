"""What each generation of the relay says, and what it leaves out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs

import pytest

from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.play import arrivals
from rollcall.simulate.relay import relay
from rollcall.simulate.sendings import Element, Sending, kind_of
from rollcall.simulate.truth import Does, Ending
from rollcall.simulate.wire_raw import messages
from tests import programs

CAPTURE = Path(__file__).parents[3] / "shared/captures/bbb-webhooks-3.5.0/one-class.jsonl"
TRUTHS = [make_class(Random(seed), Plan(rooms=2 * (seed % 2), liveliness=6)) for seed in range(8)]


@cache
def sent(generation: str, number: int, *, raw: bool = False) -> list[Sending]:
    return relay(TRUTHS[number], GENERATIONS[generation], Random(1), raw=raw)


def elements(generation: str, *, raw: bool = False) -> Iterator[Element]:
    for number in range(len(TRUTHS)):
        for sending in sent(generation, number, raw=raw):
            if sending.is_raw is raw:
                yield from sending.elements


def of_kind(generation: str, kind: str, *, raw: bool = False) -> list[Element]:
    found = [element for element in elements(generation, raw=raw) if kind_of(element) == kind]
    assert found, f"{generation} never sent {kind}"
    return found


def user_keys(generation: str, kind: str) -> set[frozenset[str]]:
    return {frozenset(element["data"]["attributes"]["user"]) for element in of_kind(generation, kind)}


IDS = {"internal-user-id", "external-user-id"}
JOINED = IDS | {"name", "role", "presenter"}


@pytest.mark.parametrize(
    ("generation", "kind", "expected"),
    [
        ("2.6.1", "user-joined", JOINED),
        ("3.3.1", "user-joined", JOINED | {"guest", "userdata"}),
        (
            "3.5.0",
            "user-joined",
            JOINED | {"guest", "userdata", "ip-address", "user-agent", "referer", "session-token"},
        ),
        ("2.6.1", "user-left", IDS),
        ("2.6.1", "user-emoji-changed", IDS),
        ("3.3.1", "user-emoji-changed", IDS | {"emoji"}),
        ("2.6.1", "user-audio-voice-enabled", IDS | {"listening-only", "sharing-mic"}),
        ("3.5.0", "user-audio-voice-enabled", IDS | {"listening-only", "sharing-mic", "muted"}),
        ("3.5.0", "user-raise-hand-changed", IDS | {"raise-hand"}),
        ("3.3.1-on-2.6", "user-raise-hand-changed", IDS | {"raiseHand"}),
    ],
)
def test_a_user_is_told_as_that_generation_tells_it(generation: str, kind: str, expected: set[str]) -> None:
    assert user_keys(generation, kind) == {frozenset(expected)}


@pytest.mark.parametrize("kind", ["user-audio-muted", "poll-started", "user-raise-hand-changed", "transcript-updated"])
def test_the_old_relay_does_not_know_what_came_later(kind: str) -> None:
    assert kind not in {kind_of(element) for element in elements("2.6.1")}


def test_only_a_new_relay_names_the_parent() -> None:
    for generation, is_named in (("2.6.1", False), ("3.3.1", True), ("3.5.0", True)):
        created = [element["data"]["attributes"]["meeting"] for element in of_kind(generation, "meeting-created")]
        assert {"parent-id" in meeting for meeting in created} == {is_named}
        assert {meeting["is-breakout"] for meeting in created} == {True, False}


def test_the_chats_sender_differs_by_generation() -> None:
    senders = {
        generation: of_kind(generation, "chat-group-message-sent")[0]["data"]["attributes"]["chat-message"]["sender"]
        for generation in GENERATIONS
    }
    names = {person.name for truth in TRUTHS for person in truth.people.values()}
    assert senders["2.6.1"]["external-user-id"] in names
    assert "name" not in senders["2.6.1"]
    assert "external-user-id" not in senders["3.3.1"]
    assert {"external-user-id", "name"} <= set(senders["3.5.0"])


@pytest.mark.parametrize("generation", ["3.3.1", "3.5.0"])
def test_a_new_relay_invents_a_leave_for_everybody_still_in(generation: str) -> None:
    for number, truth in enumerate(TRUTHS):
        for meeting in truth.meetings:
            there = {s.participant for s in meeting.stays if not s.is_announced and not s.person.is_dial_in}
            assert set(invented(sent(generation, number), meeting.internal_meeting_id)) == there


def test_an_old_relay_invents_none() -> None:
    for number, truth in enumerate(TRUTHS):
        assert not invented(sent("2.6.1", number), truth.root.internal_meeting_id)


def invented(sendings: list[Sending], meeting: str) -> list[str]:
    found = []
    for sending in sendings:
        for element in sending.elements:
            user = element["data"]["attributes"].get("user", {})
            where = element["data"]["attributes"]["meeting"]["internal-meeting-id"]
            if kind_of(element) == "user-left" and "name" in user and where == meeting:
                found.append(user["internal-user-id"])
    return found


def test_an_invented_leave_is_mapped_and_equal_on_the_raw_hook() -> None:
    number = next(n for n, truth in enumerate(TRUTHS) if truth.root.ending is Ending.BY_MODERATOR)
    leaves = [s for s in sent("3.5.0", number, raw=True) if "user-left" in s.kinds and is_whole(s.elements[0])]
    raw = [json.dumps(sending.elements) for sending in leaves if sending.is_raw]
    assert raw
    assert sorted(raw) == sorted(json.dumps(sending.elements) for sending in leaves if not sending.is_raw)


def is_whole(element: Element) -> bool:
    return "name" in element["data"]["attributes"]["user"]


def test_what_follows_a_leave_has_no_external_id() -> None:
    ends = of_kind("3.5.0", "user-cam-broadcast-end") + of_kind("3.5.0", "user-audio-voice-disabled")
    external = {element["data"]["attributes"]["user"]["external-user-id"] for element in ends}
    assert "" in external
    assert len(external) > 1


def test_who_dials_in_is_told_by_voice_events_alone() -> None:
    for generation in GENERATIONS:
        kinds = {
            kind_of(element)
            for element in elements(generation)
            if element["data"]["attributes"].get("user", {}).get("internal-user-id", "").startswith("v_")
        }
        assert kinds == {"user-audio-voice-enabled", "user-audio-voice-disabled"}


def test_a_mapped_poll_answer_names_the_presenter_and_a_raw_one_the_voter() -> None:
    teachers = {s.participant for truth in TRUTHS for s in truth.root.stays if s.person.role == "MODERATOR"}
    mapped = of_kind("3.5.0", "poll-responded")
    raw = of_kind("3.5.0", "UserRespondedToPollRespMsg", raw=True)
    assert {element["data"]["attributes"]["user"]["internal-user-id"] for element in mapped} <= teachers
    assert not {element["core"]["body"]["userId"] for element in raw} & teachers
    assert len(mapped) == len(raw)


def test_three_presenters_at_the_first_join_are_normal() -> None:
    assert len(of_kind("3.5.0", "user-presenter-assigned")) == 3 * len(TRUTHS)


def test_scripts_times_are_seconds() -> None:
    archived = of_kind("3.5.0", "rap-archive-ended")
    assert all(element["data"]["event"]["ts"] < 10**11 for element in archived)


def test_only_the_old_relay_sends_several_events_at_once() -> None:
    counts = {
        generation: {len(sending.elements) for n in range(len(TRUTHS)) for sending in sent(generation, n, raw=True)}
        for generation in GENERATIONS
    }
    assert counts.pop("2.6.1") > {1, 2, 3}
    assert set(map(frozenset, counts.values())) == {frozenset({1})}


def test_raw_messages_carry_bigbluebuttons_own_time_and_mapped_ones_the_relays() -> None:
    for sending in sent("3.5.0", 0, raw=True):
        element = sending.elements[0]
        if "envelope" in element:
            assert element["envelope"]["timestamp"] == sending.happened_at
        elif "data" in element and not kind_of(element).startswith("rap-"):
            assert element["data"]["event"]["ts"] > sending.happened_at


def test_a_real_relay_can_be_fed_with_what_bigbluebutton_says() -> None:
    said = messages(TRUTHS[1], GENERATIONS["3.5.0"])
    names = {kind_of(message) for _, message in said}
    assert {"MeetingCreatedEvtMsg", "UserJoinedMeetingEvtMsg", "MeetingDestroyedEvtMsg", "archive_ended"} <= names
    assert [at for at, _ in said] == sorted(at for at, _ in said)


def test_what_one_hook_gets_does_not_depend_on_the_other() -> None:
    both = sent("3.5.0", 1, raw=True)
    assert [sending for sending in both if not sending.is_raw] == sent("3.5.0", 1)


def test_arrivals_are_the_same_for_a_seed() -> None:
    for generation in GENERATIONS.values():
        once, again = (arrivals(TRUTHS[2], generation, rng=Random(5), raw_url="http://127.0.0.1/raw") for _ in range(2))
        assert once == again
        assert [one.arrives_at for one in once] == sorted(one.arrives_at for one in once)


@pytest.mark.parametrize("generation", GENERATIONS.values(), ids=lambda generation: generation.name)
def test_what_must_not_be_stored_is_sent(generation: Any) -> None:
    found = (arrivals(truth, generation, raw_url="http://127.0.0.1/raw") for truth in TRUTHS)
    bodies = b"".join(one.body for one in chain.from_iterable(found))
    secrets = ["moderator-pass", "viewer-pass", "dashboard-token", "chat", "pad", "caller-number", "creator"]
    if generation.is_3_5:
        secrets += ["session-token", "connection", "transcript"]
    for secret in secrets:
        assert f"CANARY-{secret}".encode() in bodies


def shape(value: Any) -> Any:
    """The keys, all the way down; lists by their first item."""
    match value:
        case dict():
            return {
                key: shape(inner) for key, inner in value.items() if key not in ("metadata", "userdata", "userMetadata")
            }
        case list():
            return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def shapes(found: Iterator[Element]) -> dict[str, set[str]]:
    """Every shape of every kind, without what depends on the meeting's own contents."""
    known: dict[str, set[str]] = {}
    for element in found:
        known.setdefault(kind_of(element), set()).add(json.dumps(shape(element)))
    return known


def captured() -> Iterator[Element]:
    for line in programs.beside(CAPTURE).read_text().splitlines():
        yield from json.loads(parse_qs(json.loads(line)["body"])["event"][0])


def test_every_kind_has_the_shape_the_real_relay_gave_it() -> None:
    ours = shapes(chain(elements("3.5.0"), elements("3.5.0", raw=True)))
    for kind, known in shapes(captured()).items():
        assert known <= ours.get(kind, set()), kind


def test_truth_and_wire_agree_on_how_often() -> None:
    for number, truth in enumerate(TRUTHS):
        raised = sum(truth.counts(key).raise_hands for key in truth.people)
        chats = sum(act.does is Does.CHATS for meeting in truth.meetings for act in meeting.acts)
        told = [kind for sending in sent("3.5.0", number) for kind in sending.kinds]
        ups = [
            element
            for sending in sent("3.5.0", number)
            for element in sending.elements
            if element["data"]["attributes"].get("user", {}).get("raise-hand") is True
        ]
        assert told.count("chat-group-message-sent") == chats
        assert len(ups) == raised
