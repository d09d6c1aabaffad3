"""One watched meeting in one form: its newest state, what led to it, and the lines of those who watch it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from rollcall.live import snapshot
from rollcall.live.fragment import change
from rollcall.live.wire import BEAT, GONE, Chunk, Line, change_chunk, whole_chunk

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from rollcall.live.fragment import Fragment
    from rollcall.live.snapshot import Progress, View

    InThread: TypeAlias = Callable[[Callable[[], object]], Awaitable[Any]]

_log = logging.getLogger("rollcall.live")

KEPT_CHANGES = 32
"""Who is further behind gets everything anew."""
AGAIN_SECONDS = 1.0
"""What could not be made is tried again after so long."""


class Channel:
    """Everybody who watches the same in the same form is sent the same bytes. All of it is of one event loop.

    `version` counts what was published; `fragment` is what somebody sees who has got all of that.
    """

    def __init__(self, view: View, in_thread: InThread) -> None:
        self.view = view
        self.lines: set[Line] = set()
        self.version = 0
        self.fragment: Fragment | None = None
        self.is_over = False
        self._in_thread = in_thread
        self._shown: Progress | None = None
        self._changes: deque[Chunk] = deque(maxlen=KEPT_CHANGES)
        self._whole: asyncio.Task[Chunk] | None = None
        self._making: asyncio.Task[None] | None = None
        self._again_at = self._fresh_at = self._sent_at = 0.0

    def look(self, progress: Progress | None, at: float, *, refresh: float, beat: float) -> None:
        """The counters are these now: make what is to be seen anew if they moved, or if it has grown old."""
        if self.is_over or at < self._again_at or (self._making is not None and not self._making.done()):
            return
        is_fresh = self.fragment is None or at >= self._fresh_at
        if is_fresh:
            self._fresh_at = at + refresh
        if is_fresh or progress != self._shown:
            self._making = asyncio.create_task(self._make(progress, is_fresh=is_fresh))
        elif at - self._sent_at >= beat:
            self._publish(BEAT, is_same=True)

    async def behind(self, line: Line) -> list[Chunk]:
        """What this line has not got yet, which it then has."""
        missed = self.version - line.version
        if 0 < missed <= len(self._changes) and line.version:
            line.version = self.version
            return list(self._changes)[-missed:]
        if not missed:
            return []
        line.version = self.version
        return [GONE if self.fragment is None else await self._all_of_it(self.fragment)]

    def finish(self) -> None:
        """Every line ends by itself."""
        for line in self.lines:
            line.finish()

    async def _all_of_it(self, fragment: Fragment) -> Chunk:
        """Whoever asks first has it made."""
        if self._whole is None:
            self._whole = asyncio.ensure_future(self._in_thread(lambda: whole_chunk(fragment)))
        return await asyncio.shield(self._whole)

    async def _make(self, progress: Progress | None, *, is_fresh: bool) -> None:
        old, view = self.fragment, self.view
        try:
            made, chunk = await self._in_thread(lambda: _made(view, old, is_fresh=is_fresh))
        except Exception:  # noqa: BLE001 - whatever it is, those who watch stay, and the next time may succeed
            _log.warning("a watched meeting could not be shown", exc_info=True)
            self._again_at = self._fresh_at = asyncio.get_running_loop().time() + AGAIN_SECONDS
            return
        self._shown, self.fragment = progress, made
        self.is_over = made is None or made.is_last
        if progress is not None and progress.root is not None:
            # It has become a room, and its own rows go when the family is folded: no counter of its own tells when.
            self._shown, self._again_at = None, asyncio.get_running_loop().time() + AGAIN_SECONDS
        if chunk is not None or old is None or self.is_over:
            self._publish(chunk)

    def _publish(self, chunk: Chunk | None, *, is_same: bool = False) -> None:
        """One more for everybody; without a chunk all of it has to be sent."""
        self.version += 1
        if chunk is None:
            self._changes.clear()
        else:
            self._changes.append(chunk)
        if not is_same:
            self._whole = None
        self._sent_at = asyncio.get_running_loop().time()
        for line in self.lines:
            line.wake()


def _made(view: View, old: Fragment | None, *, is_fresh: bool) -> tuple[Fragment | None, Chunk | None]:
    """The newest fragment, and how to get to it from the one before, if there is such a way and need of it."""
    new = snapshot.take(view, old, is_fresh=is_fresh)
    if new is None or old is None:
        return new, GONE if new is None else None
    found = change(old, new, snapshot.news(view, old, new))
    if found is None:
        return new, whole_chunk(new)
    if found.is_nothing() and not new.is_last:
        return new, None
    return new, change_chunk(found, is_last=new.is_last)
