"""One server watched round after round, against a fake over HTTP, on a clock of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rollcall.bbb import api, servers
from rollcall.bbb.watch import Watch
from rollcall.core.events import MeetingListed, WentBlind
from rollcall.feed.append import append
from rollcall.feed.feed import Arrival
from rollcall.store.connections import Hook, Server
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import fact_digest
from tests.bbb.fake import Attendee, Class, FakeBigBlueButton, Running, running
from tests.bbb.watching import Clock, LogFeed, TestDesk, add_server, store_thread

pytestmark = pytest.mark.django_db(transaction=True)

ROUND_S = 30


class Watching:
    """A watch, its server and the time, in one hand."""

    def __init__(self, bbb: Running, server: Server, clock: Clock, desk: TestDesk, watch: Watch) -> None:
        self.fake, self.server, self.clock, self.desk, self.watch = bbb.fake, server, clock, desk, watch
        assert isinstance(desk.feed, LogFeed)
        self.feed = desk.feed

    async def round(self, times: int = 1) -> None:
        for _ in range(times):
            await self.watch.round()
            await self.desk.write()
            self.clock.pass_seconds(ROUND_S)

    def since(self, at: int) -> float:
        """Seconds on the server's clock after a moment on ours."""
        return (self.clock.at - at) / 1000

    def blind(self, meeting: str | None = None) -> list[tuple[float, float, str]]:
        """What was told, joined together, in seconds before now."""
        joined: list[tuple[str, str, int, int]] = []
        told = [one for one in self.feed.events("went-blind") if isinstance(one, WentBlind)]
        for one in sorted(told, key=lambda one: (one.cause, one.meeting, one.at)):
            if meeting and one.meeting != meeting:
                continue
            if joined and (joined[-1][:2], joined[-1][3]) == ((one.cause, one.meeting), one.at):
                joined[-1] = (*joined[-1][:3], one.until)
            else:
                joined.append((one.cause, one.meeting, one.at, one.until))
        return [(self.since(at), self.since(until), cause) for cause, _, at, until in joined]

    def trouble(self) -> str:
        return str(self.desk.noted[self.server.pk]["trouble"])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bbb(clock: Clock) -> Iterator[Running]:
    fake = FakeBigBlueButton()
    fake.now = lambda: clock.at / 1000
    with running(fake) as server:
        yield server


Play = Callable[[Watching], Awaitable[None]]


def watched(bbb: Running, clock: Clock, play: Play, **columns: Any) -> Watching:
    """A fresh server that is watched from its first round on, whose hook was seen at its registration."""
    columns = {"added_at": clock.at, "hooks_seen_at": clock.at} | columns
    return watched_again(bbb, clock, play, add_server(bbb.api_url, **columns))


def watched_again(bbb: Running, clock: Clock, play: Play, server: Server) -> Watching:
    """A new watch of it, as after a restart."""

    async def watching() -> Watching:
        async with begun(bbb, clock, server) as one:
            await play(one)
            return one

    return asyncio.run(watching())


@asynccontextmanager
async def begun(bbb: Running, clock: Clock, server: Server) -> AsyncIterator[Watching]:
    with store_thread() as in_thread:
        async with api.http_client() as http:
            desk = TestDesk(in_thread, clock, LogFeed())
            [row] = [one for one in await in_thread(_all_watched) if one.pk == server.pk]
            client = api.BigBlueButton(http, row.api_url, row.secrets, clock=clock)
            watch = Watch(row, client, desk)
            await watch.begin()
            yield Watching(bbb, server, clock, desk, watch)


def _all_watched() -> list[servers.Watched]:
    return [servers._watched(row) for row in Server.objects.select_related("pool").prefetch_related("secrets")]


def algebra(clock: Clock, *users: str, started_s: float = 60, internal: str = "m-1") -> Class:
    return Class(internal, created_at=clock.at - int(started_s * 1000), attendees=[Attendee(one) for one in users])


def webhook_fact(server: Server, meeting: str, at: int, *, is_end: bool = False) -> None:
    """A meeting of which a webhook has told."""
    payload = b'{"kind":"meeting-missing","at":%d,"meeting":"%s"}' % (at, meeting.encode())
    digest = fact_digest("x", payload, None)
    append([Arrival(server.pool_id, meeting, "mapped", "user-joined", at, at, digest, payload, is_end=is_end)])


# -- who is in ----------------------------------------------------------------------------------------------------


def test_a_class_that_only_polls_saw_stands_in_the_log_to_its_end(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.round()
        bbb.fake.classes["m"] = algebra(clock, "11", "12", started_s=5)
        await one.round(3)
        bbb.fake.classes["m"].attendees.pop()
        await one.round(2)
        bbb.fake.classes.clear()
        await one.round(4)

    one = watched(bbb, clock, play)
    kinds = [event.kind for event in one.feed.events()]
    assert kinds == ["meeting-listed"] * 5 + ["meeting-missing"] * 2
    assert Meeting.objects.get().is_over
    assert Fact.objects.count() == 7
    assert one.trouble() == ""


def test_a_failed_poll_is_no_evidence_of_anything(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11")
        await one.round(2)
        facts = len(one.feed.log)
        bbb.fake.answer = lambda target: (500, {}, b"") if "getMeetings" in target else None
        await one.round(2)
        assert len(one.feed.log) == facts
        assert "HTTP 500" in one.trouble()
        bbb.fake.answer = None
        await one.round()
        assert len(one.feed.log) == facts
        assert one.trouble() == ""

    watched(bbb, clock, play, polled_at=clock.at)


def test_a_meeting_that_only_webhooks_told_of_ends_after_two_polls_without_it(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.desk.in_thread(webhook_fact, one.server, "m-7", clock.at)
        await one.round(4)

    one = watched(bbb, clock, play)
    assert [event.kind for event in one.feed.events()] == ["meeting-missing"] * 2
    assert Meeting.objects.get().is_over


def test_two_pools_do_not_see_each_others_meetings(bbb: Running, clock: Clock) -> None:
    other = add_server("http://127.0.0.1:9/bigbluebutton/api/", name="other")
    webhook_fact(other, "m-7", clock.at)

    async def play(one: Watching) -> None:
        await one.round(3)

    assert watched(bbb, clock, play).feed.log == []


def test_what_could_not_be_kept_is_kept_later_and_nothing_is_noted_before(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        one.feed.is_down = True
        await one.round(2)
        assert one.desk.noted == {}
        bbb.fake.classes.clear()
        one.feed.is_down = False
        await one.round(2)
        assert one.desk.noted[one.server.pk]["polled_at"] == clock.at - ROUND_S * 1000

    one = watched(bbb, clock, play, polled_at=clock.at)
    assert [event.kind for event in one.feed.events()] == ["meeting-listed"] * 2 + ["meeting-missing"] * 2


def test_a_watch_whose_lease_has_run_out_does_nothing(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        one.desk.leased_until = clock.at - 1
        await one.round(3)

    watched(bbb, clock, play)
    assert bbb.fake.requests == []


# -- blind spans --------------------------------------------------------------------------------------------------


def test_a_short_silence_is_not_blind_and_a_long_one_is_from_the_last_answer_to_the_next(
    bbb: Running, clock: Clock
) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11")
        await one.round(2)
        bbb.fake.answer = lambda target: (500, {}, b"") if "getMeetings" in target else None
        await one.round(2)
        bbb.fake.answer = None
        await one.round()
        assert one.blind() == []
        bbb.fake.answer = lambda target: (500, {}, b"") if "getMeetings" in target else None
        await one.round(14)
        bbb.fake.answer = None
        bbb.fake.classes["later"] = algebra(clock, internal="m-2", started_s=100)
        await one.round()

    one = watched(bbb, clock, play, polled_at=clock.at)
    assert one.blind("m-1") == [(16 * ROUND_S, ROUND_S, "no-polls")]
    assert one.blind("m-2") == [(100 + ROUND_S, ROUND_S, "no-polls")]


def test_a_long_silence_is_written_down_while_it_lasts(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11")
        await one.round(2)
        bbb.fake.is_down = True
        await one.round(40)

    one = watched(bbb, clock, play, polled_at=clock.at)
    polls = [span for span in one.blind() if span[2] == "no-polls"]
    assert polls[0][0] == 41 * ROUND_S
    assert polls[0][1] <= 300 + ROUND_S, "a crash would lose five minutes at most"
    assert "HTTP 502" in one.trouble()


def test_a_hook_that_vanished_is_blind_from_when_it_was_last_seen_until_it_is_there_again(
    bbb: Running, clock: Clock
) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(2)
        seen_at = one.desk.noted[one.server.pk]["hooks_seen_at"]
        bbb.fake.hooks.clear()
        await one.round(8)
        assert len(bbb.fake.hooks) == 1
        [(start, end, cause)] = one.blind()
        assert (start, cause) == (one.since(seen_at), "hook-missing")
        assert 150 <= start - end <= 180

    watched(bbb, clock, play, polled_at=clock.at)


def test_a_class_that_nobody_told_of_while_the_hook_was_missing_is_blind_too(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.round(2)
        bbb.fake.hooks.clear()
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        created_at = clock.at
        bbb.fake.answer = lambda target: (500, {}, b"") if "getMeetings" in target else None
        await one.round(7)
        bbb.fake.answer = None
        await one.round()
        causes = {cause: start for start, _, cause in one.blind("m-1")}
        assert causes == {"hook-missing": one.since(created_at), "no-polls": one.since(created_at)}

    watched(bbb, clock, play, polled_at=clock.at)


def test_a_hook_that_cannot_be_repaired_stays_blind_and_is_named(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(2)
        bbb.fake.hooks.clear()
        one.desk.base_url = ""
        await one.round(20)
        assert "ROLLCALL_URL" in one.trouble()
        [(_, end, cause)] = one.blind()
        assert cause == "hook-missing"
        assert end <= 330

    watched(bbb, clock, play, polled_at=clock.at)


def test_bbb_webhooks_that_does_not_answer_over_three_rounds_is_blind(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(2)
        bbb.fake.are_hooks_up = False
        await one.round(3)
        assert "bbb-webhooks" in one.trouble()
        bbb.fake.are_hooks_up = True
        await one.round()
        assert one.blind() == []
        bbb.fake.are_hooks_up = False
        await one.round(6)
        bbb.fake.are_hooks_up = True
        await one.round()
        assert one.trouble() == ""

    one = watched(bbb, clock, play, polled_at=clock.at)
    assert one.blind() == [(8 * ROUND_S, ROUND_S, "hooks-silent")]


def test_after_bbb_webhooks_was_silent_its_hooks_are_looked_at_at_once(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.round(2)
        bbb.fake.are_hooks_up = False
        bbb.fake.use_up_retries()
        await one.round(1)
        bbb.fake.restart_hooks()
        assert not bbb.fake.hooks
        bbb.fake.are_hooks_up = True
        await one.round(1)
        assert len(bbb.fake.hooks) == 1

    watched(bbb, clock, play, polled_at=clock.at)


def test_a_server_without_ping_is_asked_for_its_hooks_instead(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.answer = lambda target: (404, {}, b"") if "hooks/ping" in target else None
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(6)
        assert one.trouble() == ""

    assert watched(bbb, clock, play, polled_at=clock.at).blind() == []


def test_a_server_without_webhooks_is_blind_as_long_as_a_class_lasts(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(15)
        bbb.fake.classes.clear()
        await one.round(20)

    one = watched(bbb, clock, play, polled_at=clock.at, has_hooks=False)
    [(start, end, cause)] = one.blind()
    assert (start, cause) == (35 * ROUND_S, "no-webhooks")
    assert 17 * ROUND_S <= end <= 20 * ROUND_S, "to when it was known to be over"
    assert not [asked for asked in bbb.fake.requests if "hooks" in asked]


def test_a_server_that_turns_out_to_have_no_hooks_api_is_blind_and_named(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.has_hooks_api = False
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(8)
        assert "has no hooks API" in one.trouble()

    one = watched(bbb, clock, play, polled_at=clock.at, hooks_seen_at=None)
    [(start, _, cause)] = one.blind()
    assert (start, cause) == (8 * ROUND_S, "no-webhooks")


def test_before_the_first_round_nobody_was_watching(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=600)
        await one.round(2)
        bbb.fake.classes["new"] = algebra(clock, "12", internal="m-2", started_s=0)
        await one.round(2)

    one = watched(bbb, clock, play)
    assert one.blind() == [(600 + 4 * ROUND_S, 4 * ROUND_S, "not-watched")]


def test_times_are_those_of_the_servers_clock(bbb: Running, clock: Clock) -> None:
    bbb.fake.now = lambda: clock.at / 1000 + 3600

    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=-3600)
        await one.round(2)
        [listed, _] = one.feed.events("meeting-listed")
        assert isinstance(listed, MeetingListed)
        assert one.since(listed.at) == 2 * ROUND_S - 3600
        bbb.fake.is_down = True
        await one.round(5)
        bbb.fake.is_down = False
        await one.round()

    one = watched(bbb, clock, play, polled_at=clock.at)
    assert (7 * ROUND_S - 3600, ROUND_S - 3600, "no-polls") in one.blind()
    assert one.desk.noted[one.server.pk]["polled_at"] == clock.at - ROUND_S * 1000, "what operators see is our own"


# -- restarts -----------------------------------------------------------------------------------------------------


def test_a_short_restart_invents_nothing(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.round(4)

    bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
    first = watched(bbb, clock, play, polled_at=clock.at)
    second = watched_again(bbb, clock, play, first.server)
    assert {event.kind for event in second.feed.events()} == {"meeting-listed"}
    assert len(bbb.fake.hooks) == 1
    assert Hook.objects.count() == 1


def test_our_own_downtime_is_told_to_who_ran_in_it_also_to_who_has_ended_meanwhile(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.round(2)

    bbb.fake.classes["on"] = algebra(clock, "11", internal="m-on", started_s=0)
    bbb.fake.classes["off"] = algebra(clock, "12", internal="m-off", started_s=0)
    first = watched(bbb, clock, play, polled_at=clock.at)
    del bbb.fake.classes["off"]
    clock.pass_seconds(570)
    webhook_fact(first.server, "m-off", clock.at, is_end=True)
    bbb.fake.classes["new"] = algebra(clock, "13", internal="m-new", started_s=100)
    second = watched_again(bbb, clock, play, first.server)
    assert second.blind("m-on") == [(660, 60, "downtime")]
    assert second.blind("m-off") == [(660, 60, "downtime")]
    assert second.blind("m-new") == [(160, 60, "downtime")]


def test_after_a_long_downtime_the_hooks_are_renewed_and_after_a_short_one_not(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.round(2)

    first = watched(bbb, clock, play, polled_at=clock.at)
    [hook] = bbb.fake.hooks.values()
    clock.pass_seconds(180)
    watched_again(bbb, clock, play, first.server)
    assert list(bbb.fake.hooks.values()) == [hook]
    clock.pass_seconds(300)
    watched_again(bbb, clock, play, first.server)
    [renewed] = bbb.fake.hooks.values()
    assert renewed.url != hook.url
    assert Hook.objects.get(registered_url=hook.url).verifies_until


def test_a_restart_while_the_server_is_down_goes_on_being_blind(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.round(2)

    async def down_and_up(one: Watching) -> None:
        bbb.fake.is_down = True
        await one.round(6)
        bbb.fake.is_down = False
        await one.round()

    bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
    first = watched(bbb, clock, play, polled_at=clock.at)
    second = watched_again(bbb, clock, down_and_up, first.server)
    assert (8 * ROUND_S, ROUND_S, "no-polls") in second.blind()


def test_a_meeting_left_open_long_ago_is_not_taken_for_a_class_that_runs(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        await one.desk.in_thread(webhook_fact, one.server, "m-old", clock.at - 13 * 60 * 60_000)
        await one.desk.in_thread(webhook_fact, one.server, "m-late", clock.at - 11 * 60 * 60_000)
        bbb.fake.is_down = True
        await one.round(10)

    one = watched(bbb, clock, play, polled_at=clock.at)
    assert one.blind("m-old") == []
    assert one.blind("m-late") != []


def test_an_outage_of_our_own_address_is_blind_and_renews_the_hooks(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(10)
        [hook] = bbb.fake.hooks.values()
        one.desk.outages.append((clock.at - 280_000, clock.at))
        await one.round(2)
        [renewed] = bbb.fake.hooks.values()
        assert renewed.url != hook.url

    assert watched(bbb, clock, play, polled_at=clock.at).blind() == [(340, 60, "unreachable")]


def test_webhooks_that_do_not_arrive_though_people_come_and_go_are_named(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(16)
        assert one.trouble() == "", "who stays sends nothing"
        bbb.fake.classes["m"].attendees.append(Attendee("12"))
        await one.round(11)
        assert one.trouble() == "", "a webhook may be tried again for five minutes"
        await one.round(3)
        assert "no webhook of it arrives" in one.trouble()
        one.desk.noted[one.server.pk]["arrived_at"] = clock.at - clock.at % 60_000
        await one.desk.write()
        await one.round(1)
        assert one.trouble() == ""

    watched(bbb, clock, play, polled_at=clock.at)


def test_who_is_told_of_in_time_is_no_silence(bbb: Running, clock: Clock) -> None:
    async def play(one: Watching) -> None:
        bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
        await one.round(2)
        bbb.fake.classes["m"].attendees.append(Attendee("12"))
        one.desk.noted[one.server.pk]["arrived_at"] = clock.at - clock.at % 60_000
        await one.round(30)
        assert one.trouble() == ""

    watched(bbb, clock, play, polled_at=clock.at)


def test_a_watch_that_ended_in_trouble_is_followed_by_one_that_tells_all_of_it(bbb: Running, clock: Clock) -> None:
    async def before(one: Watching) -> None:
        await one.round(2)
        bbb.fake.are_hooks_up = False
        await one.round(5)

    async def after(one: Watching) -> None:
        bbb.fake.are_hooks_up = True
        await one.round(2)

    bbb.fake.classes["m"] = algebra(clock, "11", started_s=0)
    seen_at = clock.at
    first = watched(bbb, clock, before, polled_at=clock.at)
    assert first.trouble()
    second = watched_again(bbb, clock, after, first.server)
    assert second.blind() == [(second.since(seen_at), 2 * ROUND_S, "hooks-silent")]
    assert watched_again(bbb, clock, after, first.server).blind() == []


def test_a_server_whose_secrets_cannot_be_opened_is_named(bbb: Running, clock: Clock) -> None:
    server = add_server(bbb.api_url)
    server.secrets.update(encrypted=b"sealed with another key")

    async def play(one: Watching) -> None:
        await one.round()
        assert "No shared secret" in one.trouble()

    watched_again(bbb, clock, play, server)
    assert not [asked for asked in bbb.fake.requests if "getMeetings" in asked]
