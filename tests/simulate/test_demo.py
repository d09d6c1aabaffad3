"""`rollcall demo`, as a person meets it: a link, a full list, a class that runs, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

ROLLCALL = str(Path(sys.executable).parent / "rollcall")
Opener = urllib.request.OpenerDirector


@contextlib.contextmanager
def demo(env: dict[str, str], *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running demo and its link."""
    command = [ROLLCALL, "demo", "--port", "0", *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert running.stdout
        lines = iter(running.stdout.readline, "")
        yield running, next(line.strip() for line in lines if "/login/link/" in line)
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)


def sign_in(link: str) -> Opener:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with opener.open(link, timeout=60) as page:
        assert page.status == 200
    return opener


def read(opener: Opener, url: str) -> Any:
    with opener.open(url, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.fixture
def env(instance_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "tmp").mkdir()
    return {k: v for k, v in instance_env.items() if not k.startswith("ROLLCALL_")} | {"TMPDIR": str(tmp_path / "tmp")}


def test_the_past_is_there_and_a_class_runs_and_changes(env: dict[str, str], tmp_path: Path) -> None:
    with demo(env) as (running, link):
        opener, base = sign_in(link), link.partition("/login/")[0]
        past = read(opener, f"{base}/meetings.json")
        assert len(str(past)) > 5_000
        (server,) = read(opener, f"{base}/servers.json")["servers"]
        assert server["reported_at"], "its records came from nowhere"
        assert counts(opener, base, until=lambda found: len(set(found)) >= 2), "nobody ever came"
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def counts(opener: Opener, base: str, until: Any) -> list[str]:
    """How many were in the running class, asked again and again."""
    found: list[str] = []
    end = time.monotonic() + 40
    while not until(found) and time.monotonic() < end:
        with opener.open(f"{base}/meetings", timeout=60) as page:
            found += re.findall(r"running,\s+(\d+) in", re.sub(r"<[^>]+>", "", page.read().decode()))
        time.sleep(0.5)
    return found if until(found) else []


def test_a_demo_never_touches_another_instances_data(env: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "rollcall.sqlite3").write_bytes(b"precious")
    found = subprocess.run(
        [ROLLCALL, "demo", "--port", "0", "--data", str(folder)], env=env, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert "not a demo's" in found.stderr
    assert (folder / "rollcall.sqlite3").read_bytes() == b"precious"
    assert [path.name for path in folder.iterdir()] == ["rollcall.sqlite3"]


def test_a_demo_forgets_the_database_the_environment_names(env: dict[str, str], tmp_path: Path) -> None:
    data = tmp_path / "data"
    named = env | {
        "ROLLCALL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "ROLLCALL_URL": "https://real.example",
    }
    with demo(named, "--no-history", "--data", str(data)) as (_, link):
        assert link.startswith("http://127.0.0.1:")
        sign_in(link)
    assert (data / "rollcall.sqlite3").exists()
    assert (data / "demo").exists()


def test_a_second_run_on_the_same_folder_goes_on(env: dict[str, str], tmp_path: Path) -> None:
    for _ in range(2):
        with demo(env, "--no-history", "--data", str(tmp_path / "data")) as (running, link):
            opener, base = sign_in(link), link.partition("/login/")[0]
            assert counts(opener, base, until=bool), "no class ran"
            running.send_signal(signal.SIGTERM)
            assert running.wait(30) == 0


def test_ctrl_c_ends_it_well(env: dict[str, str]) -> None:
    with demo(env, "--no-history") as (running, _):
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(30) == 0
