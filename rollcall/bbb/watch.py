"""The watch over one server, round after round: poll it, see to its hooks, and turn both into facts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog
from django.db import Error

from rollcall import environment
from rollcall.bbb import faults, hooks, servers
from rollcall.bbb.api import BigBlueButton, Listing
from rollcall.bbb.blindness import Blindness, Cause, Ran
from rollcall.bbb.servers import Watched
from rollcall.bbb.sightings import FactsOf, Sightings
from rollcall.core.errors import Misconfigured, RollcallError, Unavailable
from rollcall.feed.feed import Arrival, Feed

T = TypeVar("T")
logger = structlog.get_logger(__name__)

ROUNDS_UNTIL_BLIND = 3
# After so long without us bbb-webhooks may have used up its retries and hold our hooks in memory alone.
RENEW_AFTER_MS = 4 * 60_000
SLOWEST_MS = 120_000
REMEMBERED_MS = 60 * 60_000
LONGEST_LOOK_BACK_MS = 7 * 24 * 60 * 60_000
MOST_PENDING = 10_000
# A webhook may be tried again for five minutes, and its arrival is noted to the minute.
SILENT_AFTER_MS = 6 * 60_000
NOTED_TO_MS = 60_000


class NoSecret(Misconfigured):
    """Every secret is retired, or sealed with another key."""

    code = "no-secret"


class NothingArrives(Misconfigured):
    """Polls see people come and go, and no webhook tells of it."""

    code = "nothing-arrives"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often what is done, in ms."""

    poll_ms: int = 30_000
    hook_check_ms: int = 180_000
    tick_ms: int = 5_000
    own_address_ms: int = 30_000

    @classmethod
    def from_environment(cls) -> Pace:
        """As the operator wants it."""
        poll_ms = max(1, environment.POLL_SECONDS.read_whole_number()) * 1000
        return cls(poll_ms, max(1, environment.HOOK_CHECK_SECONDS.read_whole_number()) * 1000)

    @property
    def lease_ms(self) -> int:
        """Short enough that another worker takes over before anybody is blind."""
        return max(2 * self.poll_ms, 3 * self.tick_ms)

    @property
    def blind_after_ms(self) -> int:
        """How long nothing need be heard before it counts."""
        return ROUNDS_UNTIL_BLIND * self.poll_ms


class Surroundings(Protocol):
    """What a watch needs of the worker it runs in (reconcile.Desk)."""

    pace: Pace
    feed: Feed
    base_url: str
    leased_until: int
    outages: list[tuple[int, int]]
    at_once: asyncio.Semaphore

    def clock(self) -> int:
        """Our own time in epoch ms."""
        ...

    def in_thread(self, work: Callable[..., T], *arguments: Any, **named: Any) -> Awaitable[T]:
        """Await what a function of the store returns."""
        ...

    def note(self, server: int, **status: int | str | None) -> None:
        """Have columns of a server written soon."""
        ...


@dataclass(slots=True)
class _Moments:
    """When what was last well. `…_at` is the server's clock, `…_at_ours` our own; None before the first time."""

    offset_ms: int = 0  # the server's clock minus ours, as far as we know it
    listed_at: int | None = None
    listed_at_ours: int | None = None
    hooks_answered_at: int | None = None
    hooks_answered_at_ours: int = 0
    hooks_in_place_at: int | None = None


@dataclass(slots=True)
class _Memory:
    """The meetings of the last hour or so: when each was last open, since when it ran, which ones a poll has named."""

    open_at: dict[str, int] = field(default_factory=dict)
    created_at: dict[str, int | None] = field(default_factory=dict)
    is_open: set[str] = field(default_factory=set)
    people: dict[str, frozenset[str]] = field(default_factory=dict)

    def is_changed(self, listing: Listing) -> bool:
        """Whether somebody came or went since the last answer, in a meeting that both name."""
        before = self.people
        self.people = {
            one.internal_meeting_id: frozenset(who.external_user_id for who in one.attendees)
            for one in listing.meetings
        }
        return any(before[meeting] != self.people[meeting] for meeting in before.keys() & self.people.keys())

    def see(self, known_open: Collection[str], listing: Listing | None, now_at: int) -> set[str]:
        """Take note of a round; returns who has closed since the last one."""
        for meeting in listing.meetings if listing else ():
            self.created_at[meeting.internal_meeting_id] = meeting.created_at
        listed = {meeting.internal_meeting_id for meeting in listing.meetings} if listing else set()
        before, self.is_open = self.is_open, set(known_open) | listed
        self.open_at |= dict.fromkeys(self.is_open, now_at)
        return before - self.is_open

    def forget(self, before: int) -> None:
        """Meetings that were over by then matter to nobody any more."""
        for meeting in [meeting for meeting, at in self.open_at.items() if at < before]:
            del self.open_at[meeting]
            self.created_at.pop(meeting, None)


class Watch:
    """One server. Whatever fails in a round, the next one comes."""

    def __init__(self, server: Watched, bbb: BigBlueButton, desk: Surroundings) -> None:
        self.server, self.bbb, self.desk, self.pace = server, bbb, desk, desk.pace
        facts = FactsOf(server.pool, server.name)
        self.sightings = Sightings(facts, self.pace.poll_ms)
        self.blindness = Blindness(facts)
        self._began_at = desk.clock()
        self._earlier = servers.LastSeen()
        self._moments = _Moments(hooks_answered_at_ours=self._began_at)
        self._memory = _Memory()
        self._pending: list[Arrival] = []
        self._failures = 0
        self._has_ping = True
        self._check_due_at = 0  # ours
        self._renew_before = 0
        self._outages_seen = len(desk.outages)
        self._hooks_seen_at: int | None = None  # ours; not yet noted
        self._poll_trouble: RollcallError | None = None
        self._hook_trouble: RollcallError | None = None
        self._silence: RollcallError | None = None
        self._untold_since: int | None = None  # ours; people came or went, and no webhook has come since
        self._noted: dict[str, int | str | None] = {}

    async def run(self, first_pause_ms: float) -> None:
        """Until cancelled."""
        pause_ms, has_begun = first_pause_ms, False
        while True:
            await asyncio.sleep(pause_ms / 1000)
            try:
                if not has_begun:
                    await self.begin()
                    has_begun = True
                async with self.desk.at_once:
                    await self.round()
            except Error as error:
                logger.warning(
                    "The database did not answer a watch", server=self.server.name, error=type(error).__name__
                )
            except Exception:
                self._failures += 1
                logger.exception("A round failed", server=self.server.name)
            pause_ms = self._pause_ms()

    def _pause_ms(self) -> float:
        """The pace, slower with each failure after the first; never quite the same, so that servers stay spread."""
        slowed = self.pace.poll_ms << min(max(0, self._failures - 1), 8)
        return min(slowed, max(SLOWEST_MS, self.pace.poll_ms)) * random.uniform(0.95, 1.05)  # noqa: S311 - only spread

    async def begin(self) -> None:
        """Go on from where an earlier watch ended, or from nothing."""
        self._earlier = earlier = await self.desk.in_thread(servers.last_seen, self.server.pk)
        self._moments.hooks_in_place_at = self._moments.hooks_answered_at = earlier.hooks_seen_at
        self._go_on_being_blind(earlier)
        gone_since = earlier.polled_at or self.server.added_at
        if self._began_at - gone_since >= RENEW_AFTER_MS:
            self._renew_before = self._began_at
        since = max(gone_since, self._began_at - LONGEST_LOOK_BACK_MS)
        if self._began_at - since > self.pace.blind_after_ms:
            touched = await self.desk.in_thread(servers.touched_since, self.server.pool, since)
            self._memory.open_at |= dict.fromkeys(touched, self._began_at)

    def _go_on_being_blind(self, earlier: servers.LastSeen) -> None:
        """How far an earlier watch had told of a span that lasted when it ended is not known: all of it is told."""
        seen_at, polled_at = earlier.hooks_seen_at, earlier.polled_at
        if seen_at is None or polled_at is None or not self.server.has_hooks:
            return
        if earlier.was_in_trouble or polled_at - seen_at > self.pace.hook_check_ms + self.pace.blind_after_ms:
            self.blindness.begin(Cause.HOOKS_SILENT, seen_at)

    async def round(self) -> None:
        """Gather, decide, publish."""
        if self.desk.clock() > self.desk.leased_until:
            return
        if len(self._pending) > MOST_PENDING and not await self._publish(None):
            return  # the gap this leaves will be told as one
        known_open = await self.desk.in_thread(servers.open_meetings, self.server.pool)
        known_open |= {arrival.meeting for arrival in self._pending}
        listing, _ = await asyncio.gather(self._poll(), self._see_to_hooks())
        if listing is not None:
            self._on_listing(listing)
            await self._listen(listing)
            self._pending += self.sightings.observe(listing.meetings, known_open, listing.at, self.desk.clock())
        elif self.server.is_polled:
            self._on_no_listing()
        self._pending += await self._tell(known_open, listing)
        await self._publish(listing)

    # -- polls ----------------------------------------------------------------------------------------------------

    async def _poll(self) -> Listing | None:
        if not self.server.is_polled:
            return None
        try:
            if not self.server.secrets:
                raise NoSecret(
                    f"No shared secret of {self.server.name} can be used.",
                    hint="Add it again: rollcall server secret add.",
                )
            listing = await self.bbb.meetings()
        except RollcallError as error:
            self._failures += 1
            self._poll_trouble = error
            return None
        self._failures = 0
        self._poll_trouble = None
        return listing

    def _on_listing(self, listing: Listing) -> None:
        moments = self._moments
        moments.offset_ms = listing.at - listing.asked_at
        if moments.listed_at_ours is None or moments.listed_at is None:
            self._begin_of_absence(moments.offset_ms, listing.asked_at)
        elif listing.asked_at - moments.listed_at_ours > self.pace.blind_after_ms:
            self.blindness.begin(Cause.NO_POLLS, moments.listed_at)
        for cause in (Cause.NOT_WATCHED, Cause.DOWNTIME, Cause.NO_POLLS):
            self.blindness.end(cause, listing.at)
        moments.listed_at, moments.listed_at_ours = listing.at, listing.asked_at

    def _begin_of_absence(self, offset_ms: int, now: int) -> None:
        """Before the first answer of this watch: since an earlier watch heard of it, or since ever, nobody saw."""
        heard_at = self._earlier.polled_at
        if heard_at is None:
            self.blindness.begin(Cause.NOT_WATCHED, None)
        elif self._began_at - heard_at > self.pace.blind_after_ms:
            self.blindness.begin(Cause.DOWNTIME, heard_at + offset_ms)
        elif now - heard_at > self.pace.blind_after_ms:
            self.blindness.begin(Cause.NO_POLLS, heard_at + offset_ms)

    def _on_no_listing(self) -> None:
        now, moments = self.desk.clock(), self._moments
        if moments.listed_at is None or moments.listed_at_ours is None:
            # One failure may mean nothing; and the server's clock is not known yet.
            if now - self._began_at > self.pace.blind_after_ms:
                self._begin_of_absence(0, now)
        elif now - moments.listed_at_ours > self.pace.blind_after_ms:
            self.blindness.begin(Cause.NO_POLLS, moments.listed_at)

    # -- hooks ----------------------------------------------------------------------------------------------------

    async def _see_to_hooks(self) -> None:
        if not self.server.has_hooks:
            self.blindness.begin(Cause.NO_WEBHOOKS, None)
            return
        self._take_outages()
        try:
            at = await self._ping()
            if self.desk.clock() >= self._check_due_at or self._renew_before or self._hook_trouble:
                at = await self._check()
        except RollcallError as error:
            self._on_silent_hooks(error)
            return
        for cause in (Cause.HOOKS_SILENT, Cause.NO_WEBHOOKS):
            self.blindness.end(cause, at)
        self._moments.hooks_answered_at, self._moments.hooks_answered_at_ours = at, self.desk.clock()

    async def _ping(self) -> int:
        """When bbb-webhooks answered; where it knows no ping, its list of hooks will do."""
        if self._has_ping:
            try:
                return await self.bbb.ping()
            except faults.NoHooksApi:
                at = (await self.bbb.hooks()).at
                self._has_ping = False
                return at
        return (await self.bbb.hooks()).at

    async def _check(self) -> int:
        """Look for our hooks and mend them; how long they were not all there is blind."""
        wanted = hooks.Wanted(self.server.pk, self.bbb.host, self.server.wants_raw, self.desk.base_url)
        found = await hooks.look(self.bbb, wanted, self.desk.in_thread, renew_before=self._renew_before)
        if not found.were_in_place:
            self.blindness.begin(Cause.HOOK_MISSING, self._moments.hooks_in_place_at)
        if found.are_in_place:
            self.blindness.end(Cause.HOOK_MISSING, found.at)
            self._moments.hooks_in_place_at, self._hooks_seen_at = found.at, found.asked_at
        self._hook_trouble = found.trouble
        if found.are_in_place and found.trouble is None:
            self._renew_before = 0
            spread_ms = random.randrange(1 + self.pace.hook_check_ms // 10)  # noqa: S311 - only spread
            self._check_due_at = self.desk.clock() + self.pace.hook_check_ms - spread_ms
        return found.at

    def _on_silent_hooks(self, error: RollcallError) -> None:
        self._hook_trouble = error
        if self.desk.clock() - self._moments.hooks_answered_at_ours > self.pace.blind_after_ms:
            cause = Cause.NO_WEBHOOKS if isinstance(error, faults.NoHooksApi) else Cause.HOOKS_SILENT
            self.blindness.begin(cause, self._moments.hooks_answered_at)

    def _take_outages(self) -> None:
        """Rollcall itself could not be reached: webhooks were lost, and hooks may be half forgotten."""
        for began_at, ended_at in self.desk.outages[self._outages_seen :]:
            self.blindness.begin(Cause.UNREACHABLE, began_at + self._moments.offset_ms)
            self.blindness.end(Cause.UNREACHABLE, ended_at + self._moments.offset_ms)
            self._renew_before = ended_at
        self._outages_seen = len(self.desk.outages)

    async def _listen(self, listing: Listing) -> None:
        """Hooks may be in place and every delivery be refused, or end on the way: then only silence tells."""
        now = self.desk.clock()
        if self.server.has_hooks and self._memory.is_changed(listing) and self._untold_since is None:
            self._untold_since = now
        if self._untold_since is None or now - self._untold_since < SILENT_AFTER_MS:
            return
        arrived_at = await self.desk.in_thread(servers.arrived_at, self.server.pk)
        if arrived_at is not None and arrived_at + NOTED_TO_MS >= self._untold_since:
            self._untold_since = self._silence = None
            return
        self._silence = NothingArrives(
            f"People come and go on {self.bbb.host}, but no webhook of it arrives.",
            hint="Look for refused webhooks in Rollcall's log, and check that the server reaches ROLLCALL_URL.",
        )

    # -- facts ----------------------------------------------------------------------------------------------------

    async def _tell(self, known_open: Collection[str], listing: Listing | None) -> list[Arrival]:
        """Tell the meetings concerned of the spans in which their webhooks may have been lost."""
        now, offset_ms = self.desk.clock(), self._moments.offset_ms
        now_at = listing.at if listing else now + offset_ms
        closed = self._memory.see(known_open, listing, now_at)
        since = self.blindness.since
        told: list[Arrival] = []
        if since is not None and self.blindness.is_due(now_at):
            ran = [one for one, at in self._memory.open_at.items() if at >= since - 2 * self.pace.poll_ms]
            told = self.blindness.tell(await self._alive(ran, now_at), now_at, now)
            self.blindness.told(now_at)
        elif closed and self.blindness.lasts():
            told = self.blindness.tell(await self._alive(closed, now_at), now_at, now)
        if listing is not None or not self.server.is_polled:
            self.blindness.forget_ended(now_at)
        self._memory.forget(now_at - REMEMBERED_MS)
        return told

    async def _alive(self, meetings: Iterable[str], now_at: int) -> dict[str, Ran]:
        """Those that a poll has named, or that gave a sign not too long ago: not every open meeting in the log runs."""
        memory = self._memory
        named = {meeting for meeting in meetings if meeting in memory.created_at}
        others = set(meetings) - named
        if others:
            quiet_since = now_at - servers.QUIET_CLASS_MS
            named |= await self.desk.in_thread(servers.with_life_since, self.server.pool, others, quiet_since)
        return {one: Ran(memory.created_at.get(one), memory.open_at.get(one, now_at)) for one in named}

    async def _publish(self, listing: Listing | None) -> bool:
        """Make the facts durable, and only then note how far we have seen."""
        if self._pending:
            try:
                await self.desk.feed.publish(self._pending)
            except Unavailable as error:
                logger.warning("What was seen could not be kept yet", server=self.server.name, error=str(error))
                return False
            self._pending = []
        trouble = self._poll_trouble or self._hook_trouble or self._silence
        status: dict[str, int | str | None] = {"trouble": str(trouble) if trouble else ""}
        if listing is not None:
            status["polled_at"] = listing.asked_at
        if self._hooks_seen_at is not None and (listing is not None or not self.server.is_polled):
            # Only after a poll that could show who else ran while hooks were missing.
            status["hooks_seen_at"] = self._hooks_seen_at
        if changed := {name: value for name, value in status.items() if self._noted.get(name, self) != value}:
            self.desk.note(self.server.pk, **changed)
            self._noted |= changed
        return True
