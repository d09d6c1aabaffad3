"""A watched meeting reaches every browser that watches it, soon, whole, and made once."""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from collections.abc import Coroutine
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from rollcall.live import snapshot
from rollcall.live.access import stream_address
from rollcall.live.snapshot import View
from rollcall.live.stream import Streams
from rollcall.store.reading import Progress
from tests.makers import Attendee, make_meeting

pytestmark = pytest.mark.django_db(transaction=True)

UTC = ZoneInfo("UTC")
SOON = 5.0


class Browser:
    """One connection to the stream: what came over it, and when it ended."""

    def __init__(self, streams: Streams, path: str, *, accepts: bytes = b"") -> None:
        headers = [(b"accept-encoding", accepts)] if accepts else []
        self.scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": headers}
        self.start: dict[str, Any] = {}
        self.raw = b""
        self.has_ended = False
        self._left = asyncio.Event()
        self._news = asyncio.Event()
        self.task = asyncio.create_task(streams(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.raw += message["body"]
            self.has_ended = not message.get("more_body", False)
        self._news.set()

    @property
    def text(self) -> str:
        if any(name == b"content-encoding" for name, _ in self.start.get("headers", ())):
            return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(self.raw).decode()
        return self.raw.decode()

    @property
    def events(self) -> list[tuple[str, str]]:
        found = []
        for block in self.text.split("\n\n"):
            fields = [line.partition(": ")[::2] for line in block.splitlines() if not line.startswith("retry")]
            name = next((value for key, value in fields if key == "event"), "")
            if name:
                found.append((name, "\n".join(value for key, value in fields if key == "data")))
        return found

    async def until(self, count: int) -> list[tuple[str, str]]:
        """Wait for so many events."""
        async with asyncio.timeout(SOON):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()
        return self.events

    def leave(self) -> None:
        self._left.set()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def in_thread(work: Any, *arguments: Any, **more: Any) -> Any:
    return await asyncio.to_thread(work, *arguments, **more)


def fold(summary: Any, **changes: Any) -> None:
    """As the worker would: other rows, and the counters moved."""
    from django.db.models import F

    from rollcall.store.derived import Summary
    from rollcall.store.facts import Meeting

    Summary.objects.filter(pk=summary.pk).update(**changes)
    Meeting.objects.filter(pk=summary.meeting_id).update(appended=F("appended") + 1, folded=F("folded") + 1)


def running(**more: Any) -> Any:
    there = Attendee(name="Ada", proved=(("10:00", "10:10"),), possible=(("10:00", None),), end="open")
    return make_meeting(there, name="Now", ended=None, **more)


def address(summary: Any, zone: str = "UTC", after: str = "") -> str:
    return stream_address(View(summary.meeting_id, ZoneInfo(zone), "en", after))


@pytest.fixture
def streams() -> Streams:
    return Streams()


def test_whoever_watches_sees_the_state_at_once_and_each_change_soon(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        ((name, first),) = await browser.until(1)
        assert name == "state"
        assert "1 person" in first
        assert "Ada" in first
        folded_at = time.monotonic()
        await in_thread(fold, summary, present=30)
        second = (await browser.until(2))[1][1]
        assert time.monotonic() - folded_at < 2
        assert "30 people" in second
        assert (b"content-type", b"text/event-stream; charset=utf-8") in browser.start["headers"]
        assert browser.text.startswith("retry: ")
        browser.leave()
        await browser.task

    run(watch())


def test_a_change_without_a_change_of_counters_is_not_looked_for(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = running()
    taken: list[View] = []
    take = snapshot.take

    def counted(view: View) -> snapshot.Snapshot | None:
        taken.append(view)
        return take(view)

    monkeypatch.setattr(snapshot, "take", counted)

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        await browser.until(1)
        await asyncio.sleep(1.2)
        assert len(taken) == len(browser.events) == 1
        browser.leave()
        await browser.task

    run(watch())


def test_what_many_see_is_made_once(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = running()
    taken: list[View] = []
    looks: list[int] = []
    take, progress = snapshot.take, snapshot.progress

    def counted(view: View) -> snapshot.Snapshot | None:
        taken.append(view)
        return take(view)

    monkeypatch.setattr(snapshot, "take", counted)

    def looked(meeting: int) -> Progress | None:
        looks.append(meeting)
        return progress(meeting)

    monkeypatch.setattr(snapshot, "progress", looked)

    async def watch() -> None:
        browsers = [Browser(streams, address(summary)) for _ in range(50)]
        browsers += [Browser(streams, address(summary, "Europe/Athens")) for _ in range(50)]
        for browser in browsers:
            await browser.until(1)
        assert len(taken) == 2
        assert browsers[0].events != browsers[-1].events
        assert len({browser.raw for browser in browsers}) == 2
        await in_thread(fold, summary, present=7)
        for browser in browsers:
            assert "7 people" in (await browser.until(2))[1][1]
        assert len(taken) == 4
        assert len(looks) < 10
        for browser in browsers:
            browser.leave()
            await browser.task

    run(watch())


def test_while_nothing_happens_the_state_is_repeated_before_a_proxy_gives_up(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollcall.live import stream

    assert stream.REFRESH_SECONDS <= 15
    monkeypatch.setattr(stream, "REFRESH_SECONDS", 0.5)
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.1)
    summary = running()

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        assert [name for name, _ in await browser.until(3)] == ["state"] * 3
        browser.leave()
        await browser.task

    run(watch())


def test_the_worker_is_asked_to_fold_every_second_as_long_as_somebody_watches(streams: Streams) -> None:
    from rollcall.store.facts import Meeting

    summary = running()
    Meeting.objects.update(due_at=snapshot.now() + 5_000)

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        await browser.until(1)
        browser.leave()
        await browser.task

    before = snapshot.now()
    run(watch())
    meeting = Meeting.objects.get()
    assert before + 10_000 < meeting.watched_until <= snapshot.now() + snapshot.WATCHED_MS
    assert meeting.due_at is not None
    assert meeting.due_at <= snapshot.now() + 1_000


def test_an_earlier_turn_is_kept(streams: Streams) -> None:
    from rollcall.store.facts import Meeting

    summary = running()
    Meeting.objects.update(due_at=7)
    snapshot.keep_watching(summary.meeting_id)

    assert Meeting.objects.get().due_at == 7


def test_compressed_it_is_the_same(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        plain = Browser(streams, address(summary))
        squeezed = Browser(streams, address(summary), accepts=b"gzip, deflate, br")
        await plain.until(1)
        await squeezed.until(1)
        await in_thread(fold, summary, present=9)
        assert await plain.until(2) == await squeezed.until(2)
        assert len(squeezed.raw) < len(plain.raw) / 2
        plain.leave()
        squeezed.leave()
        await asyncio.gather(plain.task, squeezed.task)

    run(watch())


def test_the_end_is_shown_and_ends_the_stream(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        await browser.until(1)
        end = summary.started_at + 3_600_000
        await in_thread(fold, summary, ended_proved_at=end, ended_possible_at=end, present=0)
        events = await browser.until(3)
        assert [name for name, _ in events] == ["state", "state", "done"]
        assert "running" not in events[1][1]
        await asyncio.wait_for(browser.task, SOON)
        assert browser.has_ended

    run(watch())


def test_a_meeting_that_turns_out_to_be_a_room_sends_its_watchers_away(streams: Streams) -> None:
    from rollcall.store.derived import Summary
    from rollcall.store.facts import Meeting

    summary, parent = running(), running(began="09:00")

    def learn() -> None:
        fold(summary)
        Meeting.objects.filter(pk=summary.meeting_id).update(root=parent.meeting_id)
        Summary.objects.filter(pk=summary.pk).delete()

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        await browser.until(1)
        await in_thread(learn)
        assert (await browser.until(2))[-1][0] == "gone"
        await asyncio.wait_for(browser.task, SOON)

    run(watch())


def test_when_the_server_closes_every_stream_ends_by_itself(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        browsers = [Browser(streams, address(summary)) for _ in range(20)]
        for browser in browsers:
            await browser.until(1)
        streams.close()
        await asyncio.wait_for(asyncio.gather(*(browser.task for browser in browsers)), SOON)
        assert all(browser.has_ended for browser in browsers)

    run(watch())


def test_when_the_last_watcher_has_gone_nobody_looks_any_more(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = running()
    looks: list[int] = []
    progress = snapshot.progress

    def looked(meeting: int) -> Progress | None:
        looks.append(meeting)
        return progress(meeting)

    monkeypatch.setattr(snapshot, "progress", looked)

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        await browser.until(1)
        browser.leave()
        await browser.task
        seen = len(looks)
        await asyncio.sleep(1.2)
        assert len(looks) == seen
        again = Browser(streams, address(summary))
        await again.until(1)
        again.leave()
        await again.task

    run(watch())


def test_a_database_that_does_not_answer_interrupts_nobody(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from rollcall.live import stream

    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.1)
    summary = running()
    progress = snapshot.progress
    failures = iter(range(4))

    def sometimes(meeting: int) -> Any:
        if next(failures, None) is not None:
            raise OperationalError
        return progress(meeting)

    monkeypatch.setattr(snapshot, "progress", sometimes)

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        assert (await browser.until(1))[0][0] == "state"
        browser.leave()
        await browser.task

    run(watch())


@pytest.mark.parametrize(
    "path", ["/live/", "/live/x", "/live/../meetings/1", "/live/WzEsIlVUQyIsImVuIiwiIl0:1xUyLV:aaaa"]
)
def test_an_address_that_is_not_signed_opens_no_stream(streams: Streams, path: str) -> None:
    async def watch() -> None:
        browser = Browser(streams, path)
        await browser.task
        assert browser.start["status"] == 403
        assert b"stream-not-allowed" in browser.raw

    run(watch())


def test_a_signed_address_grows_old(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.live import access

    old = address(running())
    monkeypatch.setattr(access, "SECONDS", -1)

    async def watch() -> None:
        browser = Browser(streams, old)
        await browser.task
        assert browser.start["status"] == 403

    run(watch())


# --- the view that decides --------------------------------------------------------------------------------------------


def test_only_who_may_see_the_meeting_is_given_its_stream(client: Client, django_user_model: Any) -> None:
    from rollcall.live.access import allowed_view

    summary = running()
    asked = {"accept": "application/json"}
    path = f"/meetings/{summary.meeting_id}/watch"

    assert client.get(path, headers=asked).status_code == 403
    client.force_login(django_user_model.objects.create_user("ada"))
    client.cookies["zone"] = "Europe/Athens"
    answer = client.get(path + "?after=abc", headers=asked).json()
    assert allowed_view(answer["stream"]) == View(summary.meeting_id, ZoneInfo("Europe/Athens"), "en", "abc")
    assert not re.search("ada|Ada", answer["stream"])
    assert client.get(f"/meetings/{summary.meeting_id + 1}/watch", headers=asked).status_code == 404
