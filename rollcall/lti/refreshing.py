"""The worker's loop over rosters: reads those that are due, on launch and daily, and leaves an LMS in trouble alone.

Any number of workers may run it. Whoever takes a roster moves the time at which it is due, by compare-and-set, to when
it may be taken again if nothing comes of it; what a worker had in hand when it was killed is read then.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import structlog
from django.db import Error
from django.db.models import F, Q

from rollcall.lti import roster
from rollcall.lti.tokens import ROSTER_SCOPE, Client, Tokens
from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.asking import Question, Reply
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import Hands, at_work, ticking
from rollcall.store.derived import Course
from rollcall.store.keys import course_key
from rollcall.store.licensing import licensed
from rollcall.store.platforms import Context, Platform

TICK_SECONDS: Final = 2.0
READING_SECONDS: Final = 8 * 60.0
"""One reading, all its pages, ends before the roster may be taken again."""
AT_ONCE: Final = 2
"""How many rosters of one LMS are read at a time."""
MOST_TAKEN: Final = 50

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
TAKEN_MS: Final = 10 * MINUTE_MS
FORGOTTEN_MS: Final = 60 * DAY_MS
"""A course from which nobody has come for so long, and that has not met, is asked for no more until somebody comes."""
LONGEST_PAUSE_MS: Final = 6 * HOUR_MS
LONGEST_COURSE_PAUSE_MS: Final = DAY_MS

logger = structlog.get_logger(__name__)


async def run(stop: asyncio.Event) -> None:
    """Read rosters until told to stop; what is in hand is given a few seconds."""
    async with http_client() as http, at_work("rollcall-rosters") as hands:
        reader = Refresher(hands, Tokens(http, hands.in_thread, now_ms), now_ms)
        await ticking(stop, reader.tick, TICK_SECONDS)


def now_ms() -> int:
    """Our own clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Due:
    """One roster that was taken to be read."""

    context: int
    url: str
    client: Client


@dataclass(slots=True)
class Refresher:
    """What one worker reads, counted by the LMS it is read from."""

    hands: Hands[int]
    tokens: Tokens
    clock: Callable[[], int]

    async def tick(self) -> None:
        """Look once for what is due, and begin to read it."""
        try:
            taken = await self.hands.in_thread(take, self.clock(), self.hands.counted())
        except Error as error:
            logger.warning("The database cannot be asked which rosters are due", error=type(error).__name__)
            return
        for one in taken:
            self.hands.begin(one.client.platform, self._read_safely(one))

    async def _read_safely(self, one: Due) -> None:
        """A fault of ours is put off like any other; without the database the roster is left to be taken again."""
        try:
            async with asyncio.timeout(READING_SECONDS):
                await self.read(one)
        except ServiceTrouble as error:
            await self._failed(one, error)
        except TimeoutError:
            await self._failed(one, ServiceTrouble(Trouble.TIMEOUT))
        except Error as error:
            logger.warning("A roster could not be kept; it is read again", error=type(error).__name__)
        except Exception:
            logger.exception("Reading a roster failed by a fault of Rollcall; it is read again")
            await self._failed(one, ServiceTrouble(Trouble.OWN_FAULT))

    async def read(self, one: Due) -> None:
        """Read one roster whole, and keep what it says."""

        async def ask(question: Question) -> Reply:
            return await self.tokens.call(one.client, frozenset({ROSTER_SCOPE}), question)

        began_at = self.clock()
        people = await roster.read(one.url, ask)
        changed = await self.hands.in_thread(roster.keep, one.context, people, began_at)
        await self.hands.in_thread(succeeded, one, self.clock())
        logger.info("A roster was read", context=one.context, members=len(people), changed=changed)

    async def _failed(self, one: Due, error: ServiceTrouble) -> None:
        logger.warning("A roster could not be read", context=one.context, trouble=error.trouble.value)
        with contextlib.suppress(Error):
            await self.hands.in_thread(failed, one, error, self.clock())


# -- what the store says ------------------------------------------------------------------------------------------


def take(now: int, in_hand: Counter[int]) -> list[Due]:
    """Rosters that are due, as many as may be read at once, taken from all other workers for TAKEN_MS."""
    in_hand = Counter(in_hand)
    is_paused = Q(platform__services_paused_until__gt=now)
    full = [platform for platform, count in in_hand.items() if count >= AT_ONCE]
    due = Context.objects.filter(roster_due_at__lte=now, platform__removed_at=None)
    due = due.exclude(is_paused).exclude(platform__in=full).exclude(memberships_url="")
    is_kept = cache(lambda organisation: _is_kept(organisation, now))
    found = []
    for context in due.select_related("platform").order_by("roster_due_at", "pk")[:MOST_TAKEN]:
        platform = context.platform
        if not is_kept(platform.organisation_id):
            _take(context, now + DAY_MS)
        elif in_hand[platform.pk] < AT_ONCE and _take(context, now + TAKEN_MS):
            in_hand[platform.pk] += 1
            found.append(Due(context.pk, context.memberships_url, Client.of(platform)))
    return found


def _is_kept(organisation: int, now: int) -> bool:
    """Whether anything of this organisation is still to be kept."""
    until = licensed(organisation, now).captured_until
    return until is None or now < until


def _take(context: Context, until: int) -> bool:
    rows = Context.objects.filter(pk=context.pk, roster_due_at=context.roster_due_at)
    return rows.update(roster_due_at=until) == 1


def succeeded(one: Due, now: int) -> None:
    """Have it read again in a day, give or take; the LMS is well."""
    context = Context.objects.select_related("platform").get(pk=one.context)
    is_wanted = now - _last_use(context) < FORGOTTEN_MS
    due_at = now + _spread(DAY_MS) if is_wanted else None
    Context.objects.filter(pk=one.context).update(roster_due_at=due_at, roster_trouble="", roster_failures=0)
    troubled = Platform.objects.filter(pk=one.client.platform).exclude(services_failures=0)
    troubled.update(services_failures=0, services_paused_until=None)


def _last_use(context: Context) -> int:
    platform = context.platform
    key = course_key(platform.site, context.context_id, platform.organisation_id)
    met_at = Course.objects.filter(key=key).values_list("last_at", flat=True).first()
    return max(context.launched_at, met_at or 0)


def failed(one: Due, error: ServiceTrouble, now: int) -> None:
    """Put it off, the longer the oftener it failed; what concerns the whole LMS puts off all that is asked of it."""
    rows = Context.objects.filter(pk=one.context)
    rows.update(roster_trouble=error.kept(), roster_failures=F("roster_failures") + 1)
    if error.is_of_the_platform:
        due_at = _pause(one.client.platform, now)
    else:
        failures = rows.values_list("roster_failures", flat=True).first() or 1
        due_at = now + pause_ms(failures, 10 * MINUTE_MS, LONGEST_COURSE_PAUSE_MS)
    rows.update(roster_due_at=due_at)


def _pause(platform: int, now: int) -> int:
    """Until when; of several that failed at once only the first makes it longer."""
    rows = Platform.objects.filter(pk=platform)
    rows_running = rows.exclude(services_paused_until__gt=now)
    failures = (rows.values_list("services_failures", flat=True).first() or 0) + 1
    until = now + pause_ms(failures, MINUTE_MS, LONGEST_PAUSE_MS)
    if rows_running.update(services_failures=failures, services_paused_until=until):
        return until
    return rows.values_list("services_paused_until", flat=True).first() or until


def pause_ms(failures: int, shortest: int, longest: int) -> int:
    """How long to wait after so many failures in a row, spread."""
    return _spread(min(shortest * 2 ** min(max(failures - 1, 0), 20), longest))


def _spread(span_ms: int) -> int:
    """A tenth less or more, so that what began at one moment does not go on so."""
    return int(span_ms * random.uniform(0.9, 1.1))  # noqa: S311 - only spread
