"""A class on a BigBlueButton host: its worker runs our script, and Rollcall's report has the people."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.bbb.post_events.hosts import MEETING, a_host, events_xml
from tests.whole.instance import PATIENCE_SECONDS, register, rollcall, running

SECRET = "shared-secret-of-this-host"


def test_what_the_host_sends_is_in_the_report(migrated_env: dict[str, str], tmp_path: Path) -> None:
    with running(migrated_env, tmp_path) as instance:
        env = {**migrated_env, "ROLLCALL_URL": instance.url}
        register(env, "bbb.example.org", SECRET, "http://127.0.0.1/hooks/not-used-here-at-all")
        host = a_host(tmp_path / "host")
        rollcall(env, "bbb-host", "--server", "bbb.example.org", "--output", str(tmp_path / "files"))
        host.write("etc/bigbluebutton/rollcall.conf", (tmp_path / "files" / "rollcall.conf").read_text())
        assert "Rollcall at 127.0.0.1" in (checked := host.run("--check").stdout)
        assert "is reached, the Authorization header arrives and the secret fits" in checked
        host.keep(events_xml(people=("4711", "4712")))
        assert host.run("-m", MEETING).returncode == 0
        assert ": delivered (200 OK: events.xml, " in host.log()[-1]
        [meeting] = meetings_of(env)
    assert (meeting["meeting"], meeting["record"]) == (MEETING, "recording")
    told = {person["external_user_id"]: (person["proved_ms"], person["possible_ms"]) for person in meeting["people"]}
    assert told == {"4711": (1_790_000, 1_790_000), "4712": (1_789_999, 1_789_999)}


def meetings_of(env: dict[str, str]) -> list[Any]:
    """What the report says, once the worker has folded it."""
    until = time.monotonic() + PATIENCE_SECONDS
    found: list[Any] = []
    while not found and time.monotonic() < until:
        time.sleep(0.1)
        found = json.loads(rollcall(env, "report", "attendance", "--format", "json"))["meetings"]
    return found
