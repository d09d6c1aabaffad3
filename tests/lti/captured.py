"""What a running Moodle 4.5 was seen to send and answer; the files stand beside the project, and not with everybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "captures" / "moodle-4.5"


def captured(name: str) -> dict[str, Any]:
    """One file; the test is skipped where the captures are not."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded exchanges with Moodle are not here (../shared/captures)")
    read: dict[str, Any] = json.loads(path.read_text())
    return read
