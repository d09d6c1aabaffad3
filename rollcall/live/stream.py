"""Server-sent events from a bare ASGI handler: Django would keep a thread for every open one.

One look at the counters of all watched meetings several times a second; where they moved, what is shown is made once
for everybody who sees it in the same form. Whoever comes, or comes back, gets the whole state, whoever stays the parts
of it that differ.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rollcall.live import snapshot
from rollcall.live.access import allowed
from rollcall.live.channel import Channel
from rollcall.live.grounds import gone
from rollcall.live.wire import STREAM_SECONDS, Line, refuse, refuse_more

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rollcall.live.access import Ground
    from rollcall.live.snapshot import View
    from rollcall.live.wire import Receive, Scope, Send

_log = logging.getLogger("rollcall.live")

LOOK_SECONDS = 0.1
REFRESH_SECONDS = 10.0
"""How often what is shown is made anew although nothing was folded: durations grow, who just joined is no news."""
BEAT_SECONDS = 10.0
"""How long a line is silent at most: proxies, and the page itself, want to hear something."""
WATCH_SECONDS = 10.0
"""How often the worker is told that somebody still watches."""
GROUNDS_SECONDS = 5.0
"""How soon after the end of a licence, a session or a visit the streams end that were opened in it."""
MOST_CHANNELS: Final = 100
"""In so many forms (zones, languages, pages) a meeting is watched at a time: each is drawn anew at every change."""
MOST_OF_ONE: Final = 20
"""And in so many forms, of all meetings, by one session."""
ONCE: Final = b"once=1"
ONCE_SECONDS = 10.0


class Streams:
    """All open streams of a process."""

    def __init__(self) -> None:
        self._channels: dict[View, Channel] = {}
        self._watched_by: defaultdict[str, Counter[View]] = defaultdict(Counter)
        self._is_closing = False
        self._looking: asyncio.Task[None] | None = None
        self._watched_at: dict[int, float] = {}
        self._lines_on: defaultdict[Ground, set[Line]] = defaultdict(set)
        self._grounds_at = 0.0
        self._looks: ThreadPoolExecutor | None = None
        self._draws: ThreadPoolExecutor | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a stream, and go on answering until either side has enough."""
        found = allowed(scope["path"])
        if found is None or scope["method"] != "GET":
            await refuse(send)
            return
        view, session, grounds = found
        if self._is_too_many(view, session):
            await refuse_more(send)
            return
        line = Line(scope, receive, send)
        channel = self._join(view, line)
        self._watched_by[session][view] += 1
        for ground in grounds:
            self._lines_on[ground].add(line)
        try:
            if scope.get("query_string") == ONCE:
                await _send_once(channel, line, send)
            else:
                await self._stream(channel, line)
        finally:
            channel.lines.discard(line)
            self._hang_up(line, grounds)
            if not channel.lines and self._channels.get(view) is channel:
                del self._channels[view]
            self._forget(session, view)

    def close(self) -> None:
        """The server closes: every stream ends by itself, and browsers come back."""
        self._is_closing = True
        for channel in self._channels.values():
            channel.finish()

    def _is_too_many(self, view: View, session: str) -> bool:
        """Whether it would be one more form than are drawn."""
        of_session = self._watched_by.get(session, ())
        if session and view not in of_session and len(of_session) >= MOST_OF_ONE:
            return True
        of_meeting = sum(one.meeting == view.meeting for one in self._channels)
        return view not in self._channels and of_meeting >= MOST_CHANNELS

    def _forget(self, session: str, view: View) -> None:
        views = self._watched_by[session]
        views[view] -= 1
        if not views[view]:
            del views[view]
        if not views:
            del self._watched_by[session]

    def _hang_up(self, line: Line, grounds: Iterable[Ground]) -> None:
        for ground in grounds:
            self._lines_on[ground].discard(line)
            if not self._lines_on[ground]:
                del self._lines_on[ground]

    def _join(self, view: View, line: Line) -> Channel:
        channel = self._channels.get(view)
        if channel is None or channel.is_over:
            channel = self._channels[view] = Channel(view, self._draw)
        channel.lines.add(line)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        return channel

    async def _stream(self, channel: Channel, line: Line) -> None:
        await line.begin()
        hanging_up = asyncio.create_task(line.hang_up())
        seconds = random.uniform(*STREAM_SECONDS)  # noqa: S311 - so that not everybody comes back at once
        too_long = asyncio.get_running_loop().call_later(seconds, line.finish)
        try:
            while not (line.is_ending or self._is_closing):
                for chunk in await channel.behind(line):
                    await line.send(chunk)
                if channel.is_over and line.version == channel.version:
                    break
                await line.news()
        finally:
            too_long.cancel()
            hanging_up.cancel()
            await line.end()

    async def _look_on(self) -> None:
        """Look until nobody watches; a database that does not answer is asked again."""
        while self._channels:
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - whatever it is, those who watch stay, and the next look may succeed
                _log.warning("the watched meetings could not be read", exc_info=True)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        at = asyncio.get_running_loop().time()
        meetings = {view.meeting for view in self._channels}
        self._watched_at = {one: self._watched_at[one] for one in meetings & self._watched_at.keys()}
        if due := [one for one in meetings if at - self._watched_at.get(one, -WATCH_SECONDS) >= WATCH_SECONDS]:
            await self._in_looks(lambda: snapshot.keep_watching(due))
            self._watched_at |= dict.fromkeys(due, at)
        if self._lines_on and at - self._grounds_at >= GROUNDS_SECONDS:
            self._grounds_at = at
            await self._end_groundless(list(self._lines_on))
        found = await self._in_looks(lambda: snapshot.progress(meetings))
        for channel in list(self._channels.values()):
            channel.look(found.get(channel.view.meeting), at, refresh=REFRESH_SECONDS, beat=BEAT_SECONDS)

    async def _end_groundless(self, grounds: list[Ground]) -> None:
        """Their browsers ask Django again, and are told why there is nothing more."""
        for ground in await self._in_looks(lambda: gone(grounds)):
            for line in self._lines_on.get(ground, ()):
                line.finish()

    async def _in_looks(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work gives
        """Off the loop, in a thread of its own: a large class that is drawn delays nobody's look."""
        if self._looks is None:
            self._looks = ThreadPoolExecutor(1, thread_name_prefix="live-looks")
        return await asyncio.get_running_loop().run_in_executor(self._looks, work)

    async def _draw(self, work: Callable[[], object]) -> object:
        """Read and render off the loop; each thread keeps its connection to the database."""
        if self._draws is None:
            self._draws = ThreadPoolExecutor(2, thread_name_prefix="live-draws")
        return await asyncio.get_running_loop().run_in_executor(self._draws, work)


async def _send_once(channel: Channel, line: Line, send: Send) -> None:
    """The state as one answer that ends, for a browser behind a proxy that lets no stream through."""
    if not channel.version:
        async with asyncio.timeout(ONCE_SECONDS):
            await line.news()
    fragment = channel.fragment
    told = {"html": fragment.html() if fragment else None, "is_last": channel.is_over}
    body = await asyncio.to_thread(lambda: gzip.compress(msgspec.json.encode(told), 6))
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"content-encoding", b"gzip")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_streams = Streams()


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application for every path under /live/."""
    await _streams(scope, receive, send)


def close() -> None:
    """Let every open stream end by itself; called in the loop when the server closes."""
    _streams.close()
