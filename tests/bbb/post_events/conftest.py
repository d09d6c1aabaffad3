"""A host of 3.0, a Moodle and a Rollcall that know its secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bbb.post_events.hosts import SECRET, HostTree, a_host
from tests.bbb.post_events.receiver import Receiver, receiver
from tests.moodle import Activity, Moodle, moodle

SEED = "183f0bf3a0982a127bdb8161e0c44eb696b3e75c"


@pytest.fixture
def site() -> Iterator[Moodle]:
    with moodle(SECRET, {1: Activity(SEED)}) as found:
        yield found


@pytest.fixture
def rollcall() -> Iterator[Receiver]:
    with receiver(SECRET) as found:
        yield found


@pytest.fixture
def host(tmp_path: Path) -> HostTree:
    return a_host(tmp_path)
