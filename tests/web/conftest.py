"""What every test of the pages begins with."""

from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _nobody_has_tried() -> None:
    """Wrong passwords of another test are not counted against this one."""
    cache.clear()
