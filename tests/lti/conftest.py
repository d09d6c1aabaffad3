"""What every test of LTI begins with: Rollcall has an address."""

from __future__ import annotations

import pytest

from tests.lti.standin import TOOL


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the stand-in sends people."""
    monkeypatch.setenv("ROLLCALL_URL", TOOL)
