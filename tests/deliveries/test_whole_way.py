"""A running `rollcall serve`: a record comes in by its door, and goes out to Moodle's receiver."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollcall.deliveries.by_callback import token
from tests.deliveries.world import SECRET, internal_id
from tests.moodle import Activity, Moodle, moodle
from tests.whole.instance import PATIENCE_SECONDS, Instance, register, rollcall, running, tell

STARTED = 1_000 * (int(time.time()) // 1_000 * 1_000) - 3_600_000
TOKEN_OF_POOL = """
from rollcall.cli.database import open_database
open_database()
from rollcall.bbb.callback_url import callback_token
from rollcall.store.connections import Pool
print(callback_token(Pool.objects.get()))
"""


@pytest.fixture
def site() -> Iterator[Moodle]:
    with moodle(SECRET, {1: Activity("a" * 40, rules={"attendance": 10})}) as here:
        yield here


@pytest.fixture
def env(migrated_env: dict[str, str]) -> dict[str, str]:
    return migrated_env | {"ROLLCALL_LMS_HOSTS": "127.0.0.1", "ROLLCALL_LOG_LEVEL": "info"}


def record(site: Moodle, name: str) -> bytes:
    """What BigBlueButton's script would post for a class of half an hour, with a guest in it."""
    attendees = [person("w_guestabc", 600), person("3", 1800), person("4", 900)]
    data = {
        "metadata": {
            "is_breakout": "false",
            "meeting_name": name,
            "bbb_origin": "Moodle",
            "analytics_callback_url": site.url(1),
        },
        "duration": 1800,
        "start": iso(0),
        "finish": iso(1800),
        "attendees": attendees,
        "files": [],
        "polls": [],
    }
    body = {
        "version": "1.0",
        "meeting_id": site.meeting_id(1),
        "internal_meeting_id": internal_id(name, STARTED),
        "data": data,
    }
    return json.dumps(body).encode()


def iso(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00", time.gmtime(STARTED / 1000 + second))


def person(user: str, seconds: int) -> dict[str, Any]:
    joined = {"timestamp": iso(0), "userid": f"w_{user:0>12}", "ext_userid": user, "event": "join", "remove": False}
    left = joined | {"timestamp": iso(seconds), "event": "left"}
    return {
        "ext_user_id": user,
        "name": f"Name of {user}",
        "moderator": user == "3",
        "joins": [iso(0)],
        "leaves": [iso(seconds)],
        "duration": seconds,
        "recent_talking_time": "",
        "engagement": {"chats": 1, "talks": 0, "raisehand": 0, "emojis": 0, "poll_votes": 0, "talk_time": 0},
        "sessions": [{"joins": [joined], "lefts": [left]}],
    }


def hand_in(instance: Instance, address: str, body: bytes) -> int:
    signed = token(SECRET, int(time.time() * 1000))
    headers = {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}
    return instance.post(f"/callbacks/{address}", body, headers).status


def listed(env: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rollcall(env, "relay", "list", "--all", "--format", "json"))
    return found


def wait_for(env: dict[str, str], *states: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = listed(env)
        if [row["state"] for row in rows] == [*states]:
            return
        assert time.monotonic() < until, rows
        time.sleep(0.3)


def test_a_record_is_relayed_and_the_students_completed(env: dict[str, str], site: Moodle, tmp_path: Path) -> None:
    register(env, "bbb.example.org", SECRET, "https://rollcall.example.org/hooks/of-a-test")
    rollcall(env, "relay", "on", "bbb.example.org")
    address = tell(env, TOKEN_OF_POOL).strip()
    with running(env, tmp_path) as instance:
        assert hand_in(instance, address, record(site, "Algebra")) == 200
        wait_for(env, "sent")
        assert site.completed(1) == {3, 4}
        assert dict(site.credited()) == {3: 1, 4: 1}
        sent = [request.body for request in site.deliveries()]
        assert len(sent) == 1
        assert b"Name of" not in sent[0]
        assert b"guest" not in sent[0]
        # The same again, and a rebuild of everything: nothing is sent a second time.
        assert hand_in(instance, address, record(site, "Algebra")) == 200
        rollcall(env, "rebuild", "--quiet")
        site.is_header_stripped = True
        assert hand_in(instance, address, record(site, "Logic")) == 200
        until = time.monotonic() + PATIENCE_SECONDS
        while "CGIPassAuth On" not in (printed := rollcall(env, "relay", "list")):
            assert time.monotonic() < until, printed
            time.sleep(0.3)
        site.is_header_stripped = False
        rollcall(env, "relay", "retry", "--all", "bbb.example.org")
        wait_for(env, "sent", "sent")
        assert dict(site.credited()) == {3: 2, 4: 2}
        assert len([one for one in site.deliveries() if one.status == 200]) == 2
        assert instance.stop() == 0
    log = (tmp_path / "serve.log").read_text()
    assert SECRET not in log
    assert "Bearer" not in log
    assert "Name of" not in log


def test_a_relay_that_cannot_work_does_not_stop_the_folding(env: dict[str, str], site: Moodle, tmp_path: Path) -> None:
    register(env, "bbb.example.org", SECRET, "https://rollcall.example.org/hooks/of-a-test")
    address = tell(env, TOKEN_OF_POOL).strip()
    (Path(env["ROLLCALL_DATA"]) / "relay").write_text("a file where the relay wants its folder")
    with running(env, tmp_path) as instance:
        assert hand_in(instance, address, record(site, "Algebra")) == 200
        until = time.monotonic() + PATIENCE_SECONDS
        while "Algebra" not in (printed := rollcall(env, "report", "meetings")):
            assert time.monotonic() < until, printed
            time.sleep(0.3)
        assert instance.stop() == 0
    assert "Sending to the LMS" in (tmp_path / "serve.log").read_text()
