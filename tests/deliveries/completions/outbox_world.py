"""Verdicts that are owed to an LMS that is not there, and a worker's sender on a clock of our own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollcall.core.deliveries import NOTHING, Goal, Step, Way
from rollcall.deliveries.completions import queue
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.sender import Sender
from rollcall.deliveries.completions.wanting import Wish, want
from rollcall.deliveries.driver import Begin, Driver, Order, Outcome, Result
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import at_work
from tests import makers
from tests.deliveries.world import Clock

if TYPE_CHECKING:
    from rollcall.store.owed import CompletionTarget, Owed

DONE = Goal(is_done=True)
FINE = Outcome(Result.DONE, status=200)
DOWN = Outcome(Result.RECEIVER, "unreachable")


def make_target(
    way: Way = Way.MOODLE, *, name: str = "Algebra", site: str = "https://moodle.example"
) -> CompletionTarget:
    """An activity of which somebody has decided something, and its target."""
    from django.db import connection

    from rollcall.store.decisions import Activity
    from rollcall.store.keys import key_of
    from rollcall.store.organisations import Organisation
    from rollcall.store.owed import CompletionTarget, Receiver
    from rollcall.store.platforms import Platform

    assert connection is not None
    organisation = Organisation.objects.first() or makers.make_organisation()
    platform = Platform.objects.filter(site=site).first() or makers.make_platform(organisation, site)
    receiver, _ = Receiver.objects.get_or_create(platform=platform, way=way)
    activity, _ = Activity.objects.get_or_create(
        organisation=organisation.pk, key=key_of(site, name), defaults={"site": site, "label": name, "made_at": 0}
    )
    return CompletionTarget.objects.create(activity=activity, receiver=receiver, added_at=0)


def wish(user: str, goal: Goal = DONE, step: Step = Step.DELIVER, **more: Any) -> Wish:
    """One person's goal; its reasons are their id, to be told apart by."""
    return Wish(user_id=user, goal=goal, step=step, reasons=f"{user}: {goal.is_done}".encode(), **more)


def owe(target: CompletionTarget, *wishes: Wish | str, now: int | Clock) -> int:
    """What a fold of the activity comes to; of a bare id: met."""
    from django.db import transaction

    at = now if isinstance(now, int) else now.now
    wished = [wish(one) if isinstance(one, str) else one for one in wishes]
    with transaction.atomic():
        judge(target, *wished)
        return want(target.pk, wished, at)


def judge(target: CompletionTarget, *wishes: Wish) -> None:
    """Have the verdicts stand of which these wishes are the goals."""
    from rollcall.store.completions import Completion
    from rollcall.store.keys import key_of

    for one in wishes:
        share = (one.goal.thousandths or 0) if target.scoring == "percent" else 0
        told = {"verdict": "met" if one.goal.is_done else "not-met", "share_low": share, "share_high": share}
        same = {"external_user_id": one.user_id, "organisation": target.activity.organisation, "computed": "", **told}
        Completion.objects.update_or_create(
            activity_id=target.activity_id,
            user_key=key_of(one.user_id),
            defaults=same,
            create_defaults=same | {"sort_key": b"", "detail": b"", "digest": bytes(16)},
        )


def row_of(user: str, target: CompletionTarget | None = None) -> Owed:
    from rollcall.store.owed import Owed

    rows = Owed.objects.filter(external_user_id=user)
    return (rows.filter(target=target) if target else rows).get()


def states() -> dict[str, int]:
    from rollcall.store.owed import Owed

    return dict(Counter(Owed.objects.values_list("state", flat=True)))


@dataclass
class Lms:
    """Takes each person's goal; `says` may answer something else, before (None: take it) or after it is taken."""

    says: Callable[[Order], Outcome | None] = lambda _: None
    answers: Callable[[Order], Outcome] = lambda _: FINE
    holds: dict[tuple[int, str], Goal] = field(default_factory=dict)
    requests: list[Order] = field(default_factory=list)
    changes: Counter[tuple[int, str]] = field(default_factory=Counter)
    made: int = 0
    meanwhile: Callable[[Order], None] | None = None

    def make(self, target: CompletionTarget, tools: Tools) -> Driver | Outcome:
        self.made += 1
        return _Driver(self, tools)

    def take(self, order: Order) -> None:
        key = (order.target, order.user_id)
        if self.holds.get(key, NOTHING) != order.goal:
            self.changes[key] += 1
        self.holds[key] = order.goal

    def who_is_done(self) -> set[str]:
        return {user for (_, user), goal in self.holds.items() if goal.is_done}


@dataclass
class _Driver:
    lms: Lms
    tools: Tools

    async def deliver(self, order: Order, begin: Begin) -> Outcome:
        if not await begin(order.revision * 1000):
            return Outcome(Result.LATER, "not-ours")
        self.lms.requests.append(order)
        if (said := self.lms.says(order)) is not None:
            return said
        self.lms.take(order)
        await asyncio.sleep(0)
        if self.lms.meanwhile:
            await self.tools.in_thread(self.lms.meanwhile, order)
        return self.lms.answers(order)


@dataclass
class Worker:
    """One worker's sender; the clock moves on by `step_ms` after each tick, when what it began is done."""

    lms: Lms
    clock: Clock
    name: str = "worker-1"

    def work(
        self, ticks: int = 1, step_ms: int = 0, *, ways: Iterable[Way] = tuple(Way), restarts: bool = True
    ) -> None:
        asyncio.run(self._work(ticks, step_ms, ways, restarts=restarts))

    async def _work(self, ticks: int, step_ms: int, ways: Iterable[Way], *, restarts: bool) -> None:
        async with http_client() as http, at_work("test") as hands:
            tools = Tools(http, hands.in_thread, self.clock, Tokens(http, hands.in_thread, self.clock), frozenset())
            sender = Sender(self.name, hands, tools, makers=dict.fromkeys(ways, self.lms.make))
            if restarts:
                await hands.in_thread(queue.reclaim, self.name, self.clock())
            for _ in range(ticks):
                await sender.tick()
                await hands.finish()
                self.clock.now += step_ms
