"""What each gem makes of a file: as the real one did with real files, and as our own other imitation of it does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.bbb.gem import like_gem
from rollcall.bbb.recording import Recording
from rollcall.simulate.callback import Gem, callback_body, data_json, post_of, snake, token
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.damage import lose_leaves
from rollcall.simulate.eras import ERAS
from rollcall.simulate.recording import Recorded, RecordedEvent, recordings
from rollcall.simulate.truth import Does, Truth
from tests import programs

SAMPLES = Path(__file__).parents[3] / "shared/samples/events-xml"


def a_class(seed: int, era: str, **kinds: Any) -> tuple[Truth, Recorded]:
    rng = Random(seed)
    truth = make_class(rng, Plan(starts_at=ERAS[era].at, **({"liveliness": 5, "minutes": 30, "rooms": 0} | kinds)))
    return truth, recordings(truth, ERAS[era], rng)[truth.root.internal_meeting_id]


def from_xml(content: bytes) -> Recorded:
    read = ET.fromstring(content)  # noqa: S314  # our own, or samples we know
    about, metadata = read.find("meeting"), read.find("metadata")
    assert about is not None
    assert metadata is not None
    return Recorded(
        meeting=about.get("id", ""),
        external_meeting_id=about.get("externalId", ""),
        name=about.get("name", ""),
        version=read.get("bbb_version", ""),
        metadata=tuple(metadata.attrib.items()),
        breakout=None,
        rooms=(),
        events=tuple(
            RecordedEvent(
                int(event.get("timestamp", "")),
                event.get("module", ""),
                event.get("eventname", ""),
                tuple((child.tag, child.text or "") for child in event),
            )
            for event in read.iter("event")
        ),
    )


@pytest.mark.parametrize("name", ["sample-events", "new-events-2_6"])
def test_the_real_gem_made_the_same_of_real_files(name: str) -> None:
    ours = data_json(from_xml(programs.beside(SAMPLES / f"{name}.xml").read_bytes()))
    assert ours == json.loads((SAMPLES / f"{name}.bbbevents.json").read_text())


@given(st.integers(0, 10**6), st.sampled_from(list(ERAS)), st.sampled_from([0.0, 0.5]))
@settings(max_examples=40)
def test_two_imitations_written_apart_agree(seed: int, era: str, lost: float) -> None:
    _, recorded = a_class(seed, era, two_tabs=0.4, reconnects=0.6)
    content = lose_leaves(recorded, Random(seed), lost)
    assert data_json(from_xml(content)) == like_gem(Recording(BytesIO(content)))


def test_the_first_gem_knows_no_connections_and_no_kinds_of_polls() -> None:
    truth, recorded = a_class(3, "2.5")
    told = callback_body(recorded, Gem.V1_2)["data"]
    assert told["start"].endswith(" +0000")
    assert all("sessions" not in one and isinstance(one["duration"], float) for one in told["attendees"])
    assert told["polls"]
    assert all("type" not in poll for poll in told["polls"])
    assert sum(one["engagement"]["raisehand"] for one in told["attendees"]) == raised(truth)


@pytest.mark.parametrize("gem", [Gem.V1_2, Gem.V2_0])
def test_old_gems_are_blind_to_hands_and_reactions_of_new_servers(gem: Gem) -> None:
    truth, recorded = a_class(3, "3.0")
    told = callback_body(recorded, gem)["data"]["attendees"]
    assert raised(truth)
    assert {(one["engagement"]["raisehand"], one["engagement"]["emojis"]) for one in told} == {(0, 0)}
    new = callback_body(recorded, Gem.V2_0_1)["data"]["attendees"]
    assert sum(one["engagement"]["raisehand"] for one in new) == raised(truth)


def raised(truth: Truth) -> int:
    return sum(act.does is Does.RAISES_HAND for act in truth.root.acts)


def test_the_script_mangles_voters_and_drops_ids_that_data_json_has() -> None:
    for seed in range(20):
        truth, recorded = a_class(seed, "2.6")
        mangled = {vote for poll in callback_body(recorded)["data"]["polls"] for vote in poll["votes"]}
        whole = {vote for poll in data_json(recorded)["polls"] for vote in poll["votes"]}
        assert mangled == {snake(key) for key in whole}
        if any(key.startswith("gl-") for key in whole):
            break
    else:
        pytest.fail("no guest ever voted")
    body = callback_body(recorded)
    assert body["internal_meeting_id"] == truth.root.internal_meeting_id
    assert "id" in data_json(recorded)["attendees"][0]
    assert "id" not in body["data"]["attendees"][0]
    assert "meeting_id" not in body["data"]["metadata"]


@pytest.mark.parametrize(
    ("name", "mangled"),
    [
        ("gl-pmf", "gl_pmf"),
        ("JohnDoe", "john_doe"),
        ("9F6CA4F7-7756", "9_f6_ca4_f7_7756"),
        ("Foo::Bar", "foo/bar"),
        ("ada@example.org", "ada@example.org"),
    ],
)
def test_names_are_mangled_as_the_script_does(name: str, mangled: str) -> None:
    assert snake(name) == mangled


def test_a_lost_leave_stretches_a_person_to_the_end() -> None:
    def event(tick: int, kind: str, **told: str) -> RecordedEvent:
        return RecordedEvent(tick, "PARTICIPANT", kind, tuple(told.items()))

    def join(tick: int, who: str) -> RecordedEvent:
        return event(tick, "ParticipantJoinEvent", userId=who, externalUserId="7", name="Ada", role="VIEWER")

    def left(tick: int, who: str) -> RecordedEvent:
        return event(tick, "ParticipantLeftEvent", userId=who)

    def duration(*events: RecordedEvent, end: int) -> int:
        recorded = Recorded(
            meeting="ab-1552664944000",
            external_meeting_id="x",
            name="",
            version="2.6.1",
            metadata=(("isBreakout", "false"),),
            breakout=None,
            rooms=(),
            events=(event(0, "First"), *events, event(end, "EndAndKickAllEvent")),
        )
        found: int = data_json(recorded)["attendees"][0]["duration"]
        return found

    assert duration(join(0, "w_a"), join(10_000, "w_a"), left(100_000, "w_a"), end=300_000) == 300
    assert duration(join(0, "w_a"), join(100_000, "w_b"), left(200_000, "w_b"), end=3_600_000) == 3600
    assert duration(join(0, "w_a"), left(50_000, "w_a"), join(100_000, "w_a"), end=300_000) == 250
    nested = join(0, "w_a"), join(50_000, "w_b"), left(80_000, "w_b"), left(100_000, "w_a")
    assert duration(*nested, end=300_000) == 100


def test_a_post_is_signed_as_the_script_signs() -> None:
    body, headers = post_of({"meeting_id": "Άλγεβρα"}, "s3cretKEY", 1_795_309_401)
    assert json.loads(body) == {"meeting_id": "Άλγεβρα"}
    scheme, _, given = dict(headers)["Authorization"].partition(" ")
    head, claims, signature = given.split(".")
    assert scheme == "Bearer"
    assert json.loads(unpacked(head)) == {"typ": "JWT", "alg": "HS512"}
    assert json.loads(unpacked(claims)) == {"exp": 1_795_395_801}
    assert unpacked(signature) == hmac.digest(b"s3cretKEY", f"{head}.{claims}".encode(), hashlib.sha512)


def unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_token_is_the_one_a_real_server_made() -> None:
    assert token("s3cretKEY", 1_795_309_401) == (
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.eyJleHAiOjE3OTUzOTU4MDF9."
        "5Y2QbTWkQM0k4jnDrTfS5pS_1BftuvvPf-74zOgWwRbRy0IBle2erkAlyQ-H5pvdThBHvYXKQw2QoCnP-kJdwg".replace(
            "0k4jn", "0k0jn"
        )
    )
