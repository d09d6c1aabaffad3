"""What every test of LTI begins with: Rollcall has an address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rollcall.lti import tokens
from tests.lti.asked_platform import Clock, key_pair
from tests.lti.service_standin import Site, standing
from tests.lti.standin import TOOL


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the stand-in sends people."""
    monkeypatch.setenv("ROLLCALL_URL", TOOL)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An LMS that knows our key, on the clock of the test; nobody is in its course yet."""
    monkeypatch.setattr(tokens, "signing_key", lambda _now: key_pair())
    with standing(Site(keys={"kid-1": key_pair().private_key.public_key()}, clock=lambda: clock.now / 1000)) as one:
        yield one
