"""What a program may take that draws a part of a document."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rollcall.reports.pdf import bounds

PROGRAM = """
import json, os, resource, sys
limits = [resource.getrlimit(what) for what in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)]
print(json.dumps([sys.argv[1:], os.nice(0), limits]))
"""
SLEEPER = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""


def command(program: Path, *arguments: str, memory: int = 1 << 30, seconds: int = 60) -> list[str]:
    return [sys.executable, "-I", bounds.__file__, str(memory), str(seconds), str(program), *arguments]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_a_program_runs_within_bounds_and_after_others(program: Path) -> None:
    said = subprocess.run(command(program, "a", "b"), capture_output=True, check=True).stdout
    arguments, nice, limits = json.loads(said)
    assert (arguments, nice) == (["a", "b"], os.nice(0) + bounds.NICER)
    assert limits == [[1 << 30] * 2, [60, 60], [0, 0]]


def test_a_limit_that_is_lower_already_stays(program: Path) -> None:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))

    said = subprocess.run(command(program), capture_output=True, check=True, preexec_fn=lower).stdout
    assert json.loads(said)[2] == [[1 << 30] * 2, [30, 30], [0, 0]]


def test_a_limit_that_a_system_refuses_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_what: object) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    bounds.lower(resource.RLIMIT_AS, 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's end")
def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    sleeper, told = tmp_path / "sleeper.py", tmp_path / "pid"
    sleeper.write_text(SLEEPER)
    parent_of_it = f"import subprocess; subprocess.run({command(sleeper, str(told))!r})"
    parent = subprocess.Popen([sys.executable, "-c", parent_of_it])
    until = time.monotonic() + 20
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while _is_there(int(told.read_text())) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _is_there(int(told.read_text()))


def _is_there(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
