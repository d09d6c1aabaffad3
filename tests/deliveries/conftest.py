from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deliveries.world import SECRET, Clock
from tests.moodle import Activity, Moodle, moodle


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[Moodle]:
    """A Moodle with two activities, on the clock of the test."""
    with moodle(SECRET, {1: Activity("a" * 40, rules={"attendance": 10}), 2: Activity("b" * 40)}) as running:
        running.clock = lambda: clock.now / 1000
        yield running
