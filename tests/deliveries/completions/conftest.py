from __future__ import annotations

from collections.abc import Iterator

import pytest

from rollcall.lti import tokens
from tests.deliveries.completions.outbox_world import Lms, Worker
from tests.deliveries.world import Clock
from tests.lti.asked_platform import key_pair
from tests.lti.service_standin import Site, learner, standing
from tests.moodle import Activity as InMoodle
from tests.moodle import Moodle


@pytest.fixture
def lms() -> Lms:
    return Lms()


@pytest.fixture
def worker(lms: Lms, clock: Clock) -> Worker:
    return Worker(lms, clock)


@pytest.fixture
def gradebook(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The gradebook of an LMS, on the clock of the test."""
    monkeypatch.setattr(tokens, "signing_key", lambda _now: key_pair())
    keys = {"kid-1": key_pair().private_key.public_key()}
    people = [learner("4"), learner("5")]
    with standing(Site(keys=keys, members=people, clock=lambda: clock.now / 1000)) as one:
        yield one


@pytest.fixture
def moodle(site: Moodle) -> Moodle:
    site.activities[1] = InMoodle("a" * 40, rules={"attendance": 1})
    return site
