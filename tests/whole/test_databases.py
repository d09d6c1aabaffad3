"""The whole path, from a signed webhook to a page, on each database and with sessions in Redis."""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
import pytest

from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.play import SECRET, URL, arrivals
from tests.whole.instance import Instance, register, rollcall, running

CLASS = make_class(Random(4), Plan(people=9, minutes=20, rooms=1, name="Algebra"))
WITHIN_SECONDS = 60.0


@pytest.fixture
def instance_on(database_url: str, redis_url: str, instance_env: dict[str, str]) -> dict[str, str]:
    return instance_env | {"ROLLCALL_DATABASE_URL": database_url, "ROLLCALL_CACHE_URL": redis_url}


def test_from_the_wire_to_the_page(instance_on: dict[str, str], tmp_path: Path) -> None:
    register(instance_on, "bbb.example.org", SECRET, URL)
    with running(instance_on, tmp_path) as instance:
        for arrived in arrivals(CLASS, GENERATIONS["3.5.0"]):
            assert instance.post(arrived.path, arrived.body, dict(arrived.headers)).status == 200
        report = wait_for_end(instance)
        assert [len(meeting["people"]) for meeting in report["meetings"]] == [len(CLASS.people)]
        assert "Algebra" in page_of_meetings(instance)
        before = rollcall(instance_on, "report", "attendance", "--format", "json")
        rollcall(instance_on, "rebuild", "--quiet")
        assert rollcall(instance_on, "report", "attendance", "--format", "json") == before


def wait_for_end(instance: Instance) -> dict[str, list[dict[str, list[object]]]]:
    """The report, once the worker has folded the end of the class."""
    until = time.monotonic() + WITHIN_SECONDS
    while True:
        report: dict[str, list[dict[str, list[object]]]] = json.loads(
            rollcall(instance.env, "report", "attendance", "--format", "json")
        )
        if len(report["meetings"]) == 1 and report["meetings"][0]["ended_possible_at"] is not None:
            return report
        assert time.monotonic() < until, "the class was not folded"
        time.sleep(0.5)


def page_of_meetings(instance: Instance) -> str:
    """What a browser without scripts sees, signed in by a link."""
    printed = rollcall(instance.env, "user", "add", "ada", "--link")
    link = next(word for word in printed.split() if "/login/link/" in word)
    with httpx.Client(base_url=instance.url, follow_redirects=True) as client:
        assert client.get(urlsplit(link).path).status_code == 200
        page = client.get("/meetings")
        assert page.status_code == 200
        return page.text
