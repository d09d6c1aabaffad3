"""Records by real HTTP to a real `rollcall serve`: what is answered, and that webhooks do not wait for them."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bbb.recorded import MEETING, SECRET, SMALL_CLASS, bearer, callback, event, events_xml
from tests.whole.instance import PATIENCE_SECONDS, Answer, Instance, register, rollcall, running

HOOK = "http://127.0.0.1:8911/hooks/Hh0123456789Hh0123456789"
# What a webhook may take while a large record is read: BigBlueButton's relay gives up after five seconds.
LONGEST_WEBHOOK_SECONDS = 2.0


@pytest.fixture
def instance(migrated_env: dict[str, str], tmp_path: Path) -> Iterator[Instance]:
    migrated_env |= {"ROLLCALL_URL": "http://127.0.0.1:8911"}
    register(migrated_env, "bbb.example.org", SECRET, HOOK)
    with running(migrated_env, tmp_path) as found:
        yield found


def address(instance: Instance) -> str:
    """The path of the only server's records."""
    (server,) = json.loads(rollcall(instance.env, "server", "list", "--format", "json"))
    found: str = server["records"].removeprefix("http://127.0.0.1:8911")
    return found


def attendance(instance: Instance) -> list[dict[str, object]]:
    """The report, once the meeting is in it."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        rows: list[dict[str, object]] = json.loads(rollcall(instance.env, "report", "attendance", "--format", "json"))
        if rows:
            return rows
        time.sleep(0.2)
    pytest.fail("the record is in no report")


def test_a_callback_and_a_recording_are_posted_and_reported(instance: Instance) -> None:
    path = address(instance)
    body = json.dumps(callback()).encode()
    probe = instance.post(path, b'{"meeting_id": "probe"}', bearer())
    assert (probe.status, json.loads(probe.text)["code"]) == (410, "probe")
    assert instance.post(path, body, bearer(secret="wrong")).status == 403
    missing = instance.post(path, body, {"Content-Type": "application/json"})
    assert missing.status == 400
    assert "CGIPassAuth On" in missing.text
    assert instance.ask("GET", path).status == 405
    for record in (body, gzip.compress(events_xml()), events_xml(), body):
        assert instance.post("/below/a/proxy" + path, record, bearer()) == Answer(200, '{"stored":true}\n')
    assert attendance(instance)
    assert SECRET not in instance.log.read_text()
    assert path not in instance.log.read_text()


def test_a_large_body_that_is_refused_gets_its_answer(instance: Instance) -> None:
    answer = instance.post("/callbacks/nobody", b" " * 500_000, bearer())
    assert (answer.status, json.loads(answer.text)["code"]) == (404, "unknown-address")


def test_webhooks_do_not_wait_for_a_large_recording(instance: Instance) -> None:
    path, secret = address(instance), {"Authorization": f"Bearer {SECRET}"}
    webhook = json.dumps(
        {
            "data": {
                "type": "event",
                "id": "user-left",
                "attributes": {
                    "meeting": {"internal-meeting-id": MEETING},
                    "user": {"internal-user-id": "w_a1b2c3d4e5f6"},
                },
                "event": {"ts": 1795309500000},
            }
        }
    ).encode()
    cursor = [
        event(30 + number / 100, "VOICE", "ParticipantTalkingEvent", participant="w_a1b2c3d4e5f6", talking="true")
        for number in range(100_000)
    ]
    large = gzip.compress(events_xml(*SMALL_CLASS[:-1], *cursor, SMALL_CLASS[-1]), 1)
    answers: list[Answer] = []
    sender = threading.Thread(target=lambda: answers.append(instance.post(path, large, bearer())))
    sent_at = time.monotonic()
    sender.start()
    took = []
    while sender.is_alive():
        began = time.monotonic()
        assert instance.post("/hooks/Hh0123456789Hh0123456789", webhook, secret).status == 200
        took.append(time.monotonic() - began)
    sender.join()
    assert [answer.status for answer in answers] == [200]
    assert len(took) > 5
    # One that waited for the recording would have taken as long; a busy machine is slow with both.
    assert max(took) < max(LONGEST_WEBHOOK_SECONDS, (time.monotonic() - sent_at) / 2)
