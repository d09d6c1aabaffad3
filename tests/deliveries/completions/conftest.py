from __future__ import annotations

import pytest

from tests.deliveries.completions.outbox_world import Lms, Worker
from tests.deliveries.world import Clock


@pytest.fixture
def lms() -> Lms:
    return Lms()


@pytest.fixture
def worker(lms: Lms, clock: Clock) -> Worker:
    return Worker(lms, clock)
