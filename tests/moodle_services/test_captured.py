"""What a running Moodle answered, word for word: each error has its name, and each status can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from rollcall.moodle.asking import ACTIVITIES, MODULE, OVERRIDE, READ, SITE_INFO, Access, read
from rollcall.moodle.completion import Status, cmid_in, seed_in, status_in, was_taken
from rollcall.moodle.trouble import MoodleTrouble
from rollcall.outgoing.asking import Reply
from tests.moodle_web_services import SEED

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "moodle-4.5"
pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded exchanges are not part of the repository")

ACCESS = Access("https://moodle.example", "TOKEN_OF_wsuser")


def exchanges() -> list[tuple[str, str, Any]]:
    """Note, function and value (or the code of the trouble) of each call."""
    found = []
    for name in ("web-services.json", "web-services-integration-user.json"):
        for one in json.loads((CAPTURES / name).read_text())["exchanges"]:
            function = parse_qs(one["request"]["body"])["wsfunction"][0]
            body = one["response"]["body"]
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            reply = Reply(one["response"]["status"], "OK", httpx.Headers(one["response"]["headers"]), content)
            try:
                value = read(reply, ACCESS, function)
            except MoodleTrouble as error:
                value = error.kind.value
            found.append((one["note"], function, value))
    return found


def told(note: str, function: str) -> list[Any]:
    return [value for of, by, value in exchanges() if (of, by) == (note, function)]


def test_each_error_has_its_name() -> None:
    assert told("bad token", SITE_INFO) == ["bad-token"]
    assert told("function not in the service", "core_user_create_users") == ["no-access"]
    assert told("cmid unknown", OVERRIDE) == ["activity-gone"]
    assert told("student token", OVERRIDE) == ["may-not-override"]
    assert told("+ mod/bigbluebuttonbn:view", OVERRIDE) == ["may-not-override"]
    assert told("without report/progress:view", READ) == ["may-not-read"]
    assert told("by instance", MODULE)[0] == "may-not-enter"
    assert told("state 7", OVERRIDE) == ["may-not-enter", "moodle-error"]
    assert told("text parameter", OVERRIDE) == ["moodle-error"]


def test_a_status_is_read() -> None:
    (answer,) = told("report/progress:view", READ)
    assert status_in(answer, "1") == Status("3", is_complete=True, is_tracked=True, by="2")
    assert status_in(answer, "3") == Status("5", is_complete=False, is_tracked=True)
    assert status_in(answer, "999") is None


def test_a_setting_is_known_to_be_taken() -> None:
    (answer,) = told("+ moodle/course:overridecompletion", OVERRIDE)
    assert was_taken(answer, "6", is_done=True)
    (back,) = told("back to incomplete", OVERRIDE)[1:]
    assert was_taken(back, "6", is_done=False)
    (untracked,) = told("activity without completion tracking", OVERRIDE)
    assert not was_taken(untracked, "6", is_done=True)


def test_an_activity_is_found() -> None:
    assert cmid_in(told("by instance", MODULE)[1]) == "3"
    (listed,) = [value for _, function, value in exchanges() if function == ACTIVITIES][1:]
    assert seed_in(listed, "1") == SEED
    assert seed_in(listed, "999") == ""
