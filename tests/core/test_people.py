"""Which participants are one person, and which site and activity a meeting belongs to."""

from __future__ import annotations

import pytest

from rollcall.core.people import Activity, activity_of, attendee_key, parent_participant, site_of

MOODLE = "https://school.example/moodle"
SEED = "5f" * 20


@pytest.mark.parametrize(
    ("metadata", "site"),
    [
        ({"analytics-callback-url": f"{MOODLE}/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events"}, MOODLE),
        ({"bbb-recording-ready-url": f"{MOODLE}/mod/bigbluebuttonbn/bbb_broker.php"}, MOODLE),
        ({"bn-recording-ready-url": f"{MOODLE}/mod/bigbluebuttonbn/x", "bbb-origin-server-name": "other"}, MOODLE),
        ({"bbb-origin-server-name": "greenlight.example"}, "greenlight.example"),
        ({"analytics-callback-url": "https://elsewhere.example/cb"}, "pool:bbb"),
        ({"analytics-callback-url": "/mod/bigbluebuttonbn/"}, "pool:bbb"),
        ({}, "pool:bbb"),
    ],
)
def test_a_site_is_what_the_meeting_says(metadata: dict[str, str], site: str) -> None:
    assert site_of(metadata, "bbb") == site


@pytest.mark.parametrize(
    ("external", "group"),
    [(f"{SEED}-42-7[0]", ""), (f"{SEED}-42-7[13]", "13"), (f"{SEED}-42-7[]", ""), (f"{SEED}-42-7", "")],
)
def test_moodles_meeting_id_names_the_activity_and_whose_room_it_is(external: str, group: str) -> None:
    metadata = {"bbb-origin": "Moodle", "bbb-origin-server-name": "m.example"}
    assert activity_of(external, metadata, "bbb") == Activity("m.example", "42", "7", group)


def test_what_is_too_long_for_a_group_is_none_of_moodles_ids() -> None:
    metadata = {"bbb-origin": "Moodle", "bbb-origin-server-name": "m.example"}
    external = f"{SEED}-42-7[{'1' * 40}]"
    assert activity_of(external, metadata, "bbb") == Activity("pool:bbb", "", external)


@pytest.mark.parametrize("external", ["room-1-2", "algebra", f"{SEED}-42-7[0"])
def test_elsewhere_the_meeting_id_is_the_activity(external: str) -> None:
    metadata = {} if external == "room-1-2" else {"bbb-origin": "Moodle", "bbb-origin-server-name": "m.example"}
    assert activity_of(external, metadata, "bbb") == Activity("pool:bbb", "", external)


@pytest.mark.parametrize(
    ("participant", "external", "is_guest", "key"),
    [
        ("w_1", "11", False, ("user", "11")),
        ("w_1", "11", True, ("guest", "11")),
        ("w_1", "w_1", False, ("connection", "w_1")),
        ("w_1", None, False, ("connection", "w_1")),
        ("w_1", "", True, ("guest", "w_1")),
        ("v_1", "v_1", True, ("dial-in", "v_1")),
        ("v_1", "11", False, ("dial-in", "v_1")),
    ],
)
def test_who_a_participant_is(participant: str, external: str | None, is_guest: bool, key: tuple[str, str]) -> None:
    assert attendee_key(participant, external, is_guest=is_guest) == key


@pytest.mark.parametrize(
    ("external", "parent"),
    [("w_a1b2c3d4e5f6-3", "w_a1b2c3d4e5f6"), ("w_a1b2c3d4e5f6", None), ("11-3", None), ("w_a-b-1", None)],
)
def test_a_breakout_rooms_people_point_to_the_class(external: str, parent: str | None) -> None:
    assert parent_participant(external) == parent
