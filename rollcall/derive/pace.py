"""How soon a meeting is folded again: what is watched at once, and no worker is taken up by one large class."""

from __future__ import annotations

import time
from typing import Final

SHORTEST_REST_SECONDS: Final = 0.25


class Pace:
    """Gives each meeting a rest after its fold, as long as that took: so it has at most half of a worker's time."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def rest(self, root: int, took: float) -> None:
        """It was folded just now, which took so many seconds."""
        self._until[root] = time.monotonic() + max(SHORTEST_REST_SECONDS, took)

    def resting(self) -> list[int]:
        """Whose turn it is not yet."""
        now = time.monotonic()
        self._until = {root: until for root, until in self._until.items() if until > now}
        return list(self._until)
