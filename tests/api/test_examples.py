"""The examples of docs/api.md, run as they stand there against a server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from tests.makers import Attendee, make_meeting

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
EXAMPLES = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(transactional_db: None, live_server: LiveServer) -> dict[str, str]:
    import time

    from rollcall.store import tokens

    cache.clear()
    people = [Attendee(name=f"Person {number}", uid=str(number)) for number in range(5)]
    make_meeting(*people, day="2026-11-20", course="c1", label="Mathematics", length=(3_600_000, 3_600_000))
    _, text = tokens.make(None, "example", ["read", "exports"], now=time.time_ns() // 1_000_000)
    return {**os.environ, "ROLLCALL": live_server.url, "TOKEN": text, "no_proxy": "*"}


def test_there_are_examples_of_both_kinds() -> None:
    assert [kind for kind, _ in EXAMPLES] == ["sh", "python", "sh"]


@pytest.mark.parametrize("number", [number for number, (kind, _) in enumerate(EXAMPLES) if kind == "sh"])
def test_the_shell_examples_are_answered(number: int, environment: dict[str, str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    found: Any = subprocess.run(
        ["sh", "-euc", EXAMPLES[number][1]], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert '"rollcall":"attendances/1"' in found.stdout or '"state":"waiting"' in found.stdout


def test_the_python_example_reads_every_page(environment: dict[str, str]) -> None:
    [program] = [text for kind, text in EXAMPLES if kind == "python"]
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert sorted(found.stdout.splitlines()) == [f"Person {number} 3379" for number in range(5)]
