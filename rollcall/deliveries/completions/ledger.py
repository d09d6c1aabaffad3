"""What the sender writes down: whatever has gathered goes into one transaction, as its commits are what costs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import Error

from rollcall.deliveries.completions import writing
from rollcall.outgoing.in_hand import Hands

GATHERING_SECONDS: Final = 0.005
"""What comes within it goes with the first: beside the time of an answer it is nothing, and halves the work."""

MOST_TOGETHER: Final = 48
"""So that no other writer waits long."""

Gathered = tuple[writing.Change, "asyncio.Future[int | bool | None]"]


@dataclass(slots=True)
class Ledger:
    """Changes of rows in hand, each awaited until it is durable."""

    hands: Hands[Any]
    _gathered: list[Gathered] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    async def write(self, change: writing.Change) -> int | bool | None:
        """What writing.write() says of it, once it is committed; raises what the database raises."""
        told: asyncio.Future[int | bool | None] = asyncio.get_running_loop().create_future()
        self._gathered.append((change, told))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await told

    async def _write_all(self) -> None:
        try:
            while self._gathered:
                await asyncio.sleep(GATHERING_SECONDS)
                together, self._gathered = self._gathered[:MOST_TOGETHER], self._gathered[MOST_TOGETHER:]
                await self._write(together)
        finally:
            self._writing = None

    async def _write(self, together: list[Gathered]) -> None:
        """One that cannot be written, or another worker in the way, must not keep the others from it."""
        try:
            found = await self.hands.in_thread(writing.write, [change for change, _ in together])
        except Error as error:
            if len(together) > 1:
                for one in together:
                    await self._write([one])
            else:
                _tell(together[0][1], error)
            return
        except BaseException as error:
            for _, told in together:
                _tell(told, error)
            raise
        for (_, told), result in zip(together, found, strict=True):
            if not told.done():
                told.set_result(result)


def _tell(told: asyncio.Future[int | bool | None], error: BaseException) -> None:
    if not told.done():
        told.set_exception(error)
