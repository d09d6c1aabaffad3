"""A watched meeting reaches every browser that watches it, soon, whole, and made once."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.test import Client

from rollcall.live import channel, snapshot, stream, wire
from rollcall.live.access import Ground, Kind, stream_address
from rollcall.live.fragment import Fragment
from rollcall.live.snapshot import LIVE, PAGE, Progress, View
from rollcall.live.stream import Streams
from rollcall.store.accounts import StaffSession
from tests.live.watching import SOON, Browser, address, come, fold, in_thread, run, running, sign, watching
from tests.makers import at, make_organisation, operator

pytestmark = pytest.mark.django_db(transaction=True)

HALF_SECOND_OF_LOOKS = 20


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[View]:
    """Every form in which the state was made, in order."""
    found: list[View] = []
    take = snapshot.take

    def counted(view: View, old: Fragment | None = None, *, is_fresh: bool = True) -> Fragment | None:
        found.append(view)
        return take(view, old, is_fresh=is_fresh)

    monkeypatch.setattr(snapshot, "take", counted)
    return found


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Every look at the counters: at which meetings'."""
    found: list[set[int]] = []
    progress = snapshot.progress

    def looked(meetings: Collection[int]) -> dict[int, Progress]:
        found.append(set(meetings))
        return progress(meetings)

    monkeypatch.setattr(snapshot, "progress", looked)
    return found


def test_whoever_watches_sees_the_state_at_once_and_each_change_soon(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary)) as browser:
            ((name, first),) = browser.events
            assert name == "state"
            assert "Ada" in first
            folded_at = time.monotonic()
            await in_thread(come, summary, "Ben")
            await browser.until(2)
            assert time.monotonic() - folded_at < 1
            assert "Ben" in str(browser.change(1)["put"])
            assert (b"content-type", b"text/event-stream; charset=utf-8") in browser.start["headers"]
            assert browser.text.startswith("retry: ")

    run(watch())


def test_only_what_differs_is_sent(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary)) as browser:
            await in_thread(come, summary, *(f"Ben {number}" for number in range(100)))
            await browser.until(2)
            whole = len(browser.raw)
            await in_thread(come, summary, "Zoë")
            await browser.until(3)
            lists = {one[0] for one in browser.change(2)["put"]}
            assert lists == {"live-counters", "live-room"}
            assert len(browser.raw) - whole < whole / 10
            assert browser.change(2)["news"] == ["Zoë joined."]
            assert browser.change(2)["total"] == "102 people are in now."

    run(watch())


def test_a_hand_goes_up_and_down(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary)) as browser:
            await in_thread(sign, summary, hand_at=at("10:05:30"))
            await browser.until(2)
            assert "since 10:05:30" in str([one for one in browser.change(1)["put"] if one[0] == "live-hands"])
            assert browser.change(1)["news"] == ["Ada raised a hand."]
            await in_thread(sign, summary, hand_at=None)
            await browser.until(3)
            assert [one[:5] for one in browser.change(2)["cut"]] == ["hand-"]

    run(watch())


def test_the_page_of_the_meeting_is_sent_in_rows(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary, form=PAGE)) as browser:
            assert "1 person" in browser.events[0][1]
            await in_thread(come, summary, "Ben")
            await browser.until(2)
            rows = [one for one in browser.change(1)["put"] if one[0] == "live-rows"]
            assert [one[1][:2] for one in rows] == ["w-", "p-"]
            assert all("Ada" not in str(one) for one in rows)

    run(watch())


def test_a_change_without_a_change_of_counters_is_not_looked_for(streams: Streams, taken: list[View]) -> None:
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary)) as browser:
            await asyncio.sleep(0.7)
            assert len(taken) == len(browser.events) == 1

    run(watch())


def test_what_many_see_is_made_once(streams: Streams, taken: list[View], looks: list[set[int]]) -> None:
    summary, other = running(), running(began="09:00")

    async def watch() -> None:
        browsers = [Browser(streams, address(summary)) for _ in range(50)]
        browsers += [Browser(streams, address(summary, "Europe/Athens")) for _ in range(50)]
        browsers += [Browser(streams, address(other))]
        for browser in browsers:
            await browser.until(1)
        assert len(taken) == 3
        await in_thread(sign, summary, hand_at=at("10:05"))
        for browser in browsers[:-1]:
            await browser.until(2)
        assert len({browser.text.partition("\n")[2] for browser in browsers}) == 3
        assert len(taken) == 5
        assert browsers[-1].names == ["state"]
        assert len(looks) < HALF_SECOND_OF_LOOKS
        assert looks[-1] == {summary.meeting_id, other.meeting_id}
        for browser in browsers:
            await browser.leave()

    run(watch())


def test_while_nothing_happens_the_line_is_not_silent_for_long(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stream.BEAT_SECONDS <= 15
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.2)
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary)) as browser:
            await browser.until(3)
            assert browser.names[:3] == ["state", "beat", "beat"]

    run(watch())


def test_what_only_time_changes_is_seen_now_and_then(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stream.REFRESH_SECONDS <= 15
    monkeypatch.setattr(stream, "REFRESH_SECONDS", 0.2)
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary, form=PAGE)) as browser:
            await browser.until(2)
            assert browser.names[1] in {"change", "state"}
            assert "so far" in browser.events[1][1]

    run(watch())


def test_who_is_behind_gets_all_changes_and_who_is_far_behind_the_whole(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "KEPT_CHANGES", 3)
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary)) as quick, watching(streams, address(summary)) as slow:
            for names, slow_gets in ((("B1", "B2", "B3"), ["change"] * 3), (("C1", "C2", "C3", "C4", "C5"), None)):
                slow.hold()
                seen = len(slow.events)
                for name in names:
                    before = len(quick.events)
                    await in_thread(come, summary, name)
                    await quick.until(before + 1)
                slow.let_go()
                await slow.until(seen + 2)
                await asyncio.sleep(0.1)
                got = slow.names[seen:]
                # The first was being sent when the line became slow.
                assert got == slow_gets if slow_gets else got in (["change", "state"], ["change", "change", "state"])
                assert names[-1] in slow.events[-1][1]

    run(watch())


def test_behind_a_proxy_that_lets_no_stream_through_the_state_comes_as_one_answer(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        browser = Browser(streams, address(summary), query=b"once=1")
        await asyncio.wait_for(browser.task, SOON)
        assert browser.has_ended
        answer = msgspec.json.decode(gzip.decompress(browser.raw))
        assert "Ada" in answer["html"]
        assert answer["is_last"] is False

    run(watch())


def test_the_worker_is_asked_to_fold_at_once_as_long_as_somebody_watches(streams: Streams) -> None:
    from rollcall.store.facts import Meeting

    summary = running()
    Meeting.objects.update(due_at=snapshot.now() + 5_000)

    async def watch() -> None:
        async with watching(streams, address(summary)):
            pass

    before = snapshot.now()
    run(watch())
    meeting = Meeting.objects.get()
    assert before + 10_000 < meeting.watched_until <= snapshot.now() + snapshot.WATCHED_MS
    assert meeting.due_at is not None
    assert meeting.due_at <= snapshot.now()


def test_an_earlier_turn_is_kept(streams: Streams) -> None:
    from rollcall.store.facts import Meeting

    summary = running()
    Meeting.objects.update(due_at=7)
    snapshot.keep_watching([summary.meeting_id])

    assert Meeting.objects.get().due_at == 7


def test_compressed_it_is_the_same(streams: Streams) -> None:
    summary = running()

    async def watch() -> None:
        async with (
            watching(streams, address(summary)) as plain,
            watching(streams, address(summary), accepts=b"gzip, deflate, br") as squeezed,
        ):
            await in_thread(come, summary, "Ben")
            assert await plain.until(2) == await squeezed.until(2)
            assert len(squeezed.raw) < len(plain.raw) / 1.5

    run(watch())


@pytest.mark.parametrize("form", [LIVE, PAGE])
def test_the_end_is_shown_and_ends_the_stream(streams: Streams, form: str) -> None:
    summary = running()

    async def watch() -> None:
        browser = Browser(streams, address(summary, form=form))
        await browser.until(1)
        end = summary.started_at + 3_600_000
        await in_thread(fold, summary, ended_proved_at=end, ended_possible_at=end, present=0)
        await asyncio.wait_for(browser.task, SOON)
        assert browser.names[-1] == "done"
        assert browser.names[-2] in {"state", "change"}
        assert browser.has_ended
        late = Browser(streams, address(summary, form=form))
        await asyncio.wait_for(late.task, SOON)
        assert late.names == ["state", "done"]

    run(watch())


def test_a_meeting_that_turns_out_to_be_a_room_sends_its_watchers_away(
    streams: Streams, taken: list[View], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollcall.store.derived import Summary
    from rollcall.store.facts import Meeting

    summary, parent = running(), running(began="09:00")
    monkeypatch.setattr(channel, "AGAIN_SECONDS", 0.05)

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        await browser.until(1)
        await in_thread(Meeting.objects.filter(pk=summary.meeting_id).update, root=parent.meeting_id)
        for _ in range(500):  # until it was looked at while its own rows were still there
            await asyncio.sleep(0.01)
            if len(taken) >= 3:
                break
        await in_thread(Summary.objects.filter(pk=summary.pk).delete)
        await asyncio.wait_for(browser.task, SOON)
        assert browser.names == ["state", "gone"]

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


def test_a_stream_ends_in_time_so_that_django_is_asked_again(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(wire.STREAM_SECONDS) <= 3600
    monkeypatch.setattr(stream, "STREAM_SECONDS", (0.2, 0.3))
    summary = running()

    async def watch() -> None:
        browser = Browser(streams, address(summary))
        await asyncio.wait_for(browser.task, SOON)
        assert browser.has_ended
        assert browser.names == ["state"]

    run(watch())


def test_when_the_last_watcher_has_gone_nobody_looks_any_more(streams: Streams, looks: list[set[int]]) -> None:
    summary = running()

    async def watch() -> None:
        async with watching(streams, address(summary)):
            pass
        await asyncio.sleep(0.2)
        seen = len(looks)
        await asyncio.sleep(0.5)
        assert len(looks) == seen
        async with watching(streams, address(summary)):
            pass

    run(watch())


def test_a_database_that_does_not_answer_interrupts_nobody(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    summary = running()
    progress, take = snapshot.progress, snapshot.take
    failures = iter(range(4))

    def sometimes(meetings: Collection[int]) -> Any:
        if next(failures, None) is not None:
            raise OperationalError
        return progress(meetings)

    def later(view: View, old: Fragment | None = None, *, is_fresh: bool = True) -> Fragment | None:
        if next(failures, None) is not None:
            raise OperationalError
        return take(view, old, is_fresh=is_fresh)

    monkeypatch.setattr(snapshot, "progress", sometimes)
    monkeypatch.setattr(snapshot, "take", later)
    monkeypatch.setattr(channel, "AGAIN_SECONDS", 0.1)

    async def watch() -> None:
        async with watching(streams, address(summary)) as browser:
            assert browser.names == ["state"]
            failing = iter(range(2))
            monkeypatch.setattr(snapshot, "take", lambda *_, **__: 1 / 0 if next(failing, None) is not None else None)
            await in_thread(fold, summary)
            await browser.until(2)
            assert browser.names == ["state", "gone"]

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


def test_an_address_that_an_older_version_signed_is_none(streams: Streams) -> None:
    from django.core import signing

    path = "/live/" + signing.dumps([running().meeting_id, "UTC", "en", ""], salt="rollcall.live")

    async def watch() -> None:
        browser = Browser(streams, path)
        await browser.task
        assert browser.start["status"] == 403

    run(watch())


@pytest.mark.parametrize(("bound", "session"), [("MOST_CHANNELS", None), ("MOST_OF_ONE", "one")])
def test_a_class_is_drawn_in_so_many_forms_at_a_time(
    streams: Streams, monkeypatch: pytest.MonkeyPatch, bound: str, session: str | None
) -> None:
    monkeypatch.setattr(stream, bound, 1)
    summary = running()
    one, other = (
        stream_address(View(summary.meeting_id, ZoneInfo(zone), "en"), session) for zone in ("UTC", "Asia/Aden")
    )

    async def watch() -> None:
        async with watching(streams, one), watching(streams, one):
            more = Browser(streams, other)
            await asyncio.wait_for(more.task, SOON)
            assert more.start["status"] == 429
        async with watching(streams, other):
            pass

    run(watch())


# --- the view that decides --------------------------------------------------------------------------------------------


def test_only_who_may_see_the_meeting_is_given_its_stream(client: Client, django_user_model: Any) -> None:
    from rollcall.live.access import allowed
    from rollcall.store.derived import Attendance

    summary = running()
    key = bytes(Attendance.objects.get().attendee_key).hex()
    asked = {"accept": "application/json"}
    path = f"/meetings/{summary.meeting_id}/watch"

    assert client.get(path, headers=asked).status_code == 403
    client.force_login(operator(django_user_model, "ada"))
    client.cookies["zone"] = "Europe/Athens"
    for query, form in (("", PAGE), ("&form=live", LIVE), ("&form=nope", PAGE)):
        answer = client.get(f"{path}?after={key}{query}", headers=asked).json()
        found = allowed(answer["stream"])
        assert found is not None
        assert found.view == View(summary.meeting_id, ZoneInfo("Europe/Athens"), "en", form, key)
        assert found.session
        assert client.session.session_key not in answer["stream"]
        assert not re.search("ada|Ada", answer["stream"])
    assert client.get(f"/meetings/{summary.meeting_id + 1}/watch", headers=asked).status_code == 404
    for nobody in ("abc", "zz", key.upper(), "00" * 16):
        assert client.get(f"{path}?after={nobody}", headers=asked).status_code == 404


def test_streams_end_soon_after_the_licence_or_the_session_in_which_they_were_opened(
    streams: Streams, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    monkeypatch.setattr(stream, "GROUNDS_SECONDS", 0.0)
    noon = 1_795_348_800_000
    upper, lower = make_organisation(ends_at=noon), make_organisation("Lower School")
    view = View(running().meeting_id, ZoneInfo("UTC"), "en", LIVE)

    def tell_time(at: int) -> None:
        monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: at)

    user = operator(django_user_model, "emmy")
    session = StaffSession.objects.create(user=user, key=b"x" * 16, made_at=noon, seen_at=noon)

    async def work() -> None:
        grounds = (Ground(Kind.LICENCE, upper.pk), Ground(Kind.SESSION, session.pk), Ground(Kind.LICENCE, lower.pk))
        paths = (stream_address(view, None, one) for one in (*((ground,) for ground in grounds), ()))
        async with (
            watching(streams, next(paths)) as theirs,
            watching(streams, next(paths)) as signed_out,
            watching(streams, next(paths)) as others,
            watching(streams, next(paths)) as ours,
        ):
            tell_time(noon)
            await asyncio.wait_for(theirs.task, SOON)
            assert not signed_out.task.done()
            await in_thread(StaffSession.objects.all().delete)
            await asyncio.wait_for(signed_out.task, SOON)
            assert not others.task.done()
            assert not ours.task.done()

    tell_time(noon - 1)
    run(work())
