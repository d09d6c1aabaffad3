"""Golden pairs: what one element leaves behind, and what is read from that. A new payload is two files and no code."""

from __future__ import annotations

import dataclasses
import json
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from rollcall.bbb.payloads import decode
from rollcall.bbb.redact import NotUnderstood, redact
from rollcall.core.events import Listed, MeetingListed, MeetingMissing, Source, UserJoined, UserLeft, WentBlind

PAIRS = Path(__file__).parent.parent / "data" / "bbb"
GIVEN = sorted(PAIRS.glob("*.given.json"))


def told(element: object) -> Any:
    """Everything that is kept of an element, as the expected files write it."""
    try:
        kept = redact(element)
    except NotUnderstood as error:
        return {"not understood": str(error)}
    if kept is None:
        return "of no interest"
    return {
        "kept": {
            "source": kept.source,
            "kind": kept.kind,
            "meeting": kept.meeting,
            "at": kept.at,
            "parent": kept.parent,
            "is_end": kept.is_end,
        },
        "payload": json.loads(kept.payload),
        "identity": json.loads(kept.identity) if kept.identity else None,
        "events": [as_json(event) for event in decode(kept.source, b"", kept.payload, kept.identity)],
    }


def as_json(event: Any) -> dict[str, Any]:
    """The event's fields that differ from their defaults."""
    fields = {
        field.name: getattr(event, field.name)
        for field in dataclasses.fields(event)
        if getattr(event, field.name) != field.default and field.name != "digest"
    }
    return {"event": type(event).__name__, **json.loads(json.dumps(fields))}


@pytest.mark.parametrize("given_file", GIVEN, ids=attrgetter("name"))
def test_payload(given_file: Path) -> None:
    expected_file = given_file.with_name(given_file.name.replace(".given.", ".expected."))
    found = told(json.loads(given_file.read_text()))
    assert found == json.loads(expected_file.read_text())
    assert "SECRET" not in json.dumps(found)


def test_there_are_pairs_for_every_generation() -> None:
    names = {path.name for path in GIVEN}
    assert len(names) > 100
    for generation in ("mapped-2.6", "mapped-3.0", "mapped-3.3", "mapped-3.5", "raw-2.6", "raw-2.7", "raw-3.0"):
        assert any(f".{generation}" in name for name in names)


# -- erased -------------------------------------------------------------------------------------------------------


def kept_of(name: str) -> Any:
    kept = redact(json.loads((PAIRS / f"{name}.given.json").read_text()))
    assert kept is not None
    return kept


@pytest.mark.parametrize("given_file", GIVEN, ids=attrgetter("name"))
def test_an_erased_identity_changes_nothing_but_who_it_was(given_file: Path) -> None:
    try:
        kept = redact(json.loads(given_file.read_text()))
    except NotUnderstood:
        return
    if kept is None:
        return
    whole = decode(kept.source, b"d", kept.payload, kept.identity)
    erased = decode(kept.source, b"d", kept.payload, None)
    assert [blank(event) for event in whole] == [blank(event) for event in erased]


def blank(event: Any) -> Any:
    names = {field.name for field in dataclasses.fields(event)} & {"external_user_id", "name"}
    return event if "Meeting" in type(event).__name__ else dataclasses.replace(event, **dict.fromkeys(names))


def test_an_invented_leave_is_still_known_as_one_when_the_name_is_erased() -> None:
    kept = kept_of("user-left.mapped-3.5.invented-without-role")
    (event,) = decode(kept.source, b"", kept.payload, None)
    assert isinstance(event, UserLeft)
    assert event.is_invented
    assert event.name is None


def test_a_person_in_a_breakout_room_has_no_identity_but_a_name() -> None:
    kept = kept_of("user-joined.mapped-3.5.breakout")
    (event,) = decode(kept.source, b"", kept.payload, kept.identity)
    assert isinstance(event, UserJoined)
    assert event.parent_participant == "w_q1w2e3r4t5y6"
    assert event.external_user_id is None
    assert event.name == "Zoë Örn"


# -- our own facts ------------------------------------------------------------------------------------------------

LISTED = {
    "kind": "meeting-listed",
    "at": 1795309430000,
    "meeting": "m-1",
    "present": [[0, 1], [1, 2], [2, 1, "w_q1w2e3r4t5y6"]],
    "info": {
        "external_meeting_id": "9f1c-42-7",
        "name": "Algebra",
        "is_breakout": False,
        "parent": "bbb-none",
        "created_at": 1795309400000,
        "metadata": {"bbb-origin": "Moodle", "bbb-context": "Algebra"},
    },
}
WHO = {"0": ["4711", "Zoë Örn", "VIEWER"], "1": ["9", "محمد العلي", "MODERATOR"], "2": [None, "Łucja", "VIEWER"]}


def listed(who: object) -> MeetingListed:
    (event,) = decode("poll", b"d", json.dumps(LISTED).encode(), json.dumps(who).encode() if who else None)
    assert isinstance(event, MeetingListed)
    return event


def test_a_listing_names_who_was_in() -> None:
    event = listed(WHO)
    assert event.present == (
        Listed(external_user_id="4711", count=1, name="Zoë Örn", role="VIEWER"),
        Listed(external_user_id="9", count=2, name="محمد العلي", role="MODERATOR"),
        Listed(external_user_id="w_q1w2e3r4t5y6", count=1, name="Łucja", role="VIEWER"),
    )
    assert event.source is Source.POLL
    assert event.digest == b"d"
    assert event.parent is None
    assert event.created_at == 1795309400000
    assert event.metadata == (("bbb-context", "Algebra"), ("bbb-origin", "Moodle"))


def test_a_listing_leaves_out_who_was_erased() -> None:
    assert [one.external_user_id for one in listed({"1": WHO["1"]}).present] == ["9", "w_q1w2e3r4t5y6"]
    assert [one.external_user_id for one in listed(None).present] == ["w_q1w2e3r4t5y6"]


def test_an_empty_listing_is_one() -> None:
    bare = {"kind": "meeting-listed", "at": 1, "meeting": "m-1", "present": []}
    assert decode("poll", b"", json.dumps(bare).encode(), None) == (
        MeetingListed(meeting="m-1", at=1, source=Source.POLL),
    )


def test_an_absence_and_a_blind_span_are_read_back() -> None:
    missing = {"kind": "meeting-missing", "at": 1795309430000, "meeting": "m-1"}
    blind = {"kind": "went-blind", "at": 1, "until": 2, "cause": "downtime", "meeting": "m-1"}
    assert decode("poll", b"d", json.dumps(missing).encode(), None) == (
        MeetingMissing(meeting="m-1", at=1795309430000, source=Source.POLL, digest=b"d"),
    )
    assert decode("ours", b"d", json.dumps(blind).encode(), None) == (
        WentBlind(meeting="m-1", at=1, until=2, cause="downtime", source=Source.OURS, digest=b"d"),
    )
