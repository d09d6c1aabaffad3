"""A class as the real bbb-webhooks 3.5.0 sent it, byte for byte, against a fresh `rollcall serve`.

Strings that start with CANARY are what must never be kept. The recording lies beside the checkout.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import programs
from tests.whole.instance import PATIENCE_SECONDS, Instance, register, rollcall, running

CAPTURE = Path(__file__).parents[3] / "shared" / "captures" / "bbb-webhooks-3.5.0" / "one-class.jsonl"
URLS = ("http://127.0.0.1:8911/hooks/bbb", "http://127.0.0.1:8911/hooks/bbb?raw=1")
SECRET = "capture-secret"


@pytest.fixture(autouse=True)
def _capture() -> None:
    programs.beside(CAPTURE)


# What one process posts: the arrivals of a file, to a host and port, in the order of a seed.
_POST = """
import http.client, json, random, sys
path, host, seed = sys.argv[1:]
arrivals = [json.loads(line) for line in open(path)]
random.Random(int(seed)).shuffle(arrivals)
connection = http.client.HTTPConnection(host, timeout=60)
for arrival in arrivals:
    headers = {name: value for name, value in arrival["headers"].items() if name != "Connection"}
    connection.request("POST", arrival["path"], body=arrival["body"].encode(), headers=headers)
    response = connection.getresponse()
    response.read()
    print(response.status)
"""


def arrivals() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CAPTURE.read_text().splitlines()]


def post(instance: Instance, seeds: Sequence[int]) -> list[int]:
    """The whole recording once for each seed, all at the same time; every answer's status."""
    host = instance.url.partition("//")[2]
    senders = [
        subprocess.Popen(
            [sys.executable, "-c", _POST, str(CAPTURE), host, str(seed)], stdout=subprocess.PIPE, text=True
        )
        for seed in seeds
    ]
    return [int(status) for sender in senders for status in sender.communicate(timeout=120)[0].split()]


def post_in_order(instance: Instance) -> Counter[int]:
    statuses: Counter[int] = Counter()
    with contextlib.closing(instance.connect()) as connection:
        for arrival in arrivals():
            headers = {name: value for name, value in arrival["headers"].items() if name != "Connection"}
            connection.request("POST", arrival["path"], body=arrival["body"].encode(), headers=headers)
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
    return statuses


def facts(instance: Instance) -> list[tuple[Any, ...]]:
    """The log as it is stored, without when it was received."""
    with contextlib.closing(sqlite3.connect(instance.data / "rollcall.sqlite3")) as database:
        webhooks = (
            "SELECT digest, source, kind, at, payload, identity FROM store_fact WHERE source IN ('mapped', 'raw')"
        )
        return sorted(database.execute(webhooks))


def wait_for_folds(instance: Instance) -> None:
    """Until the worker has folded all that was appended."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    with contextlib.closing(sqlite3.connect(instance.data / "rollcall.sqlite3")) as database:
        while database.execute(
            "SELECT count(*) FROM store_meeting WHERE root_id IS NULL AND folded < appended"
        ).fetchone()[0]:
            assert time.monotonic() < give_up, "the meeting was not folded"
            time.sleep(0.05)


@pytest.fixture
def instance(migrated_env: dict[str, str], tmp_path: Path) -> Iterator[Instance]:
    with running(migrated_env, tmp_path) as found:
        register(migrated_env, "bbb.invalid", SECRET, *URLS)
        yield found


def test_every_arrival_is_acknowledged_and_repeats_in_any_order_change_nothing(instance: Instance) -> None:
    assert post_in_order(instance) == {200: len(arrivals())}
    before = facts(instance)
    # Five people were still in at the end, and each hook was told of a leave the relay made up: one fact each.
    # One element on each hook is of no interest.
    assert len(before) == len(arrivals()) - 5 - 2
    statuses = post(instance, seeds=[1, 2])
    assert statuses == [200] * 2 * len(arrivals())
    assert facts(instance) == before


def test_the_first_arrivals_may_come_shuffled_from_two_sides_at_once(
    instance: Instance, migrated_env: dict[str, str], tmp_path: Path
) -> None:
    assert set(post(instance, seeds=[3, 4])) == {200}
    shuffled = facts(instance)
    (tmp_path / "other").mkdir()
    other = migrated_env | {"ROLLCALL_DATA": str(tmp_path / "other" / "data")}
    with running(other, tmp_path / "other") as second:
        register(other, "bbb.invalid", SECRET, *URLS)
        assert set(post_in_order(second)) == {200}
        assert facts(second) == shuffled


def test_the_report_names_the_six_people_and_stays_the_same_to_the_byte(instance: Instance) -> None:
    post_in_order(instance)
    wait_for_folds(instance)
    report = rollcall(instance.env, "report", "attendance", "--format", "json")
    (meeting,) = json.loads(report)["meetings"]
    assert meeting["meeting_name"] == "Εισαγωγή στη Λογική"
    assert meeting["ended_proved_at"] is not None
    people = {person["external_user_id"] or person["kind"]: person for person in meeting["people"]}
    assert people.keys() == {"3", "11", "12", "13", "gl-guest-a1b2c3", "dial-in"}
    assert [len(people[who]["sessions"]) for who in ("3", "11", "12", "13")] == [1, 2, 2, 1]
    seen = Counter[str]()
    for person in meeting["people"]:
        seen.update({what: counted["seen"] for what, counted in person["engagement"].items()})
    assert (seen["chats"], seen["raise_hands"], seen["emojis"]) == (1, 1, 1)
    assert set(post(instance, seeds=[5, 6])) == {200}
    wait_for_folds(instance)
    assert rollcall(instance.env, "report", "attendance", "--format", "json") == report


def test_no_canary_is_anywhere(instance: Instance) -> None:
    assert "CANARY" in CAPTURE.read_text()
    assert set(post_in_order(instance)) == {200}
    # An oversized and an unreadable body, genuinely signed, are set aside; forged ones are refused and logged.
    secret = {"Authorization": f"Bearer {SECRET}"}
    assert instance.post("/hooks/bbb", b"event=CANARY" * 200_000, secret).status == 200
    assert instance.post("/hooks/bbb", b"event=CANARY", secret).status == 200
    assert instance.post("/hooks/bbb?checksum=CANARY", b"CANARY").status == 403
    assert instance.post("/hooks/bbb", b"CANARY", {"Authorization": "Bearer CANARY"}).status == 403
    with contextlib.closing(sqlite3.connect(instance.data / "rollcall.sqlite3")) as database:
        set_aside = database.execute("SELECT length, regime, error FROM store_setaside ORDER BY length").fetchall()
        rows = [str(row) for row in database.execute("SELECT payload, identity FROM store_fact")]
    assert [length for length, _, _ in set_aside] == [len("event=CANARY"), len("event=CANARY") * 200_000]
    assert len(rows) > 60
    assert not any("CANARY" in row for row in rows)
    files = [path for path in instance.data.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files)
    assert instance.stop() == 0
    for path in (*files, *instance.data.rglob("*"), instance.log):
        if path.is_file():
            assert b"CANARY" not in path.read_bytes(), path
            assert SECRET.encode() not in path.read_bytes(), path
    assert "webhook refused" in instance.log.read_text()


def test_the_recording_verifies_only_under_the_registered_addresses(
    migrated_env: dict[str, str], tmp_path: Path
) -> None:
    with running(migrated_env, tmp_path) as instance:
        register(migrated_env, "bbb.invalid", SECRET, *(url.replace("http:", "https:") for url in URLS))
        arrival = random.Random(0).choice(arrivals())
        assert instance.post(arrival["path"], arrival["body"].encode()).status == 403
        log = instance.log.read_text()
    assert "signed for http://127.0.0.1:8911/hooks/bbb" in log
    assert "registered as https://127.0.0.1:8911/hooks/bbb" in log
