"""Meetings that are owed to a Moodle, and a worker's sender on a clock of our own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connections

from rollcall.bbb.redact import redact
from rollcall.deliveries import queue
from rollcall.deliveries.send import Sender
from rollcall.outgoing.connecting import http_client
from rollcall.outgoing.in_hand import Hands
from tests import makers
from tests.makers import Attendee, at

if TYPE_CHECKING:
    from rollcall.store.derived import Summary
    from rollcall.store.outbox import Delivery
    from tests.moodle import Moodle

SECRET = "shared by BigBlueButton and Moodle"
ENDED = at("11:00")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
CLASS = (
    Attendee(name="Tess", uid="3", role="MODERATOR", proved=(("10:00", "10:50"),), counts={"chats": 3}),
    Attendee(name="Ana", uid="4", proved=(("10:01", "10:11:40"),), counts={"chats": 2, "raise_hands": 1}),
    Attendee(name="Guest", uid="w_guestabc", kind="guest"),
    Attendee(name="+49XXXX34", uid="v_caller", kind="dial-in"),
    Attendee(name="Nobody", uid="", kind="connection"),
)


@dataclass
class Clock:
    """Epoch ms that move only when told."""

    now: int = ENDED + MINUTE_MS

    def __call__(self) -> int:
        return self.now


def internal_id(name: str, began: int = at("10:00")) -> str:
    """As BigBlueButton makes them."""
    return f"{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()}-{began}"


def connect(pool: Any, *secrets: str) -> None:
    """The server's shared secrets, the oldest first; the relay is on."""
    from rollcall.store.connections import Pool, Secret
    from rollcall.store.sealing import seal

    Pool.objects.filter(pk=pool.pk).update(relays=True)
    for number, secret in enumerate(secrets):
        Secret.objects.create(server=pool.server, encrypted=seal(secret), added_at=number)


def owe(
    moodle: Moodle,
    *people: Attendee,
    name: str = "Algebra",
    instance: int = 1,
    record: str = "callback",
    internal: str = "",
    url: str | None = None,
    **meeting: Any,
) -> Summary:
    """A class that is over, of an activity of this Moodle, with what webhooks said of its metadata."""
    from rollcall.store.derived import Summary

    wanted = moodle.url(instance) if url is None else url
    summary = makers.make_meeting(
        *(people or CLASS), name=name, internal=internal or internal_id(name), site=moodle.base, **meeting
    )
    external = moodle.meeting_id(instance) if instance in moodle.activities else f"{'f' * 40}-2-{instance}[0]"
    Summary.objects.filter(pk=summary.pk).update(record=record, external_meeting_id=external)
    if not summary.meeting.pool.server.secrets.exists():
        connect(summary.meeting.pool, SECRET)
    _tell_metadata(summary, wanted)
    return Summary.objects.select_related("meeting__pool").get(pk=summary.pk)


def _tell_metadata(summary: Summary, url: str) -> None:
    meeting = summary.meeting
    told = {
        "internal-meeting-id": meeting.internal_meeting_id,
        "name": summary.name,
        "is-breakout": False,
        "metadata": {"bbb-origin": "Moodle", "analytics-callback-url": url},
    }
    element = {"data": {"id": "meeting-created", "attributes": {"meeting": told}, "event": {"ts": summary.started_at}}}
    kept = redact(element)
    assert kept is not None
    makers.make_fact(meeting, 1, kept.kind, kept.at, kept.payload, source=kept.source)


def delivery_of(summary: Summary, revision: int = 0) -> Delivery:
    from rollcall.store.outbox import Delivery

    return Delivery.objects.select_related("target__pool", "meeting__summary").get(
        meeting=summary.meeting_id, revision=revision
    )


@dataclass
class Worker:
    """One worker's sender. `crash_at` names the step it dies at, once, before or after that step is in the database."""

    clock: Callable[[], int]
    name: str = "worker-1"
    trusted: frozenset[str] = frozenset({"127.0.0.1"})
    crash_before: str = ""
    crash_after: str = ""
    crashed: list[str] = field(default_factory=list)

    async def work(self, ticks: int = 1, step_ms: int = 0, *, restarts: bool = True) -> None:
        """Tick so many times and finish what each began; the clock moves on by `step_ms` after each."""
        with ThreadPoolExecutor(1) as thread:
            async with http_client() as http:
                hands = _Mortal(thread, self)
                sender = Sender(self.name, http, hands, clock=self.clock, trusted=self.trusted)
                try:
                    if restarts:
                        await hands.in_thread(queue.reclaim, self.name, self.clock())
                    for _ in range(ticks):
                        await sender.tick()
                        await hands.finish()
                        if isinstance(self.clock, Clock):
                            self.clock.now += step_ms
                finally:
                    await hands.in_thread(connections.close_all)


class Crash(BaseException):
    """The process is gone."""


class _Mortal(Hands[int]):
    """Hands that can be killed between what they do and what they write down."""

    def __init__(self, thread: ThreadPoolExecutor, worker: Worker) -> None:
        super().__init__(thread)
        self.worker = worker

    async def in_thread(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        step = getattr(work, "__name__", "")
        self._die_at(step, self.worker.crash_before)
        result = await super().in_thread(work, *arguments, **named)
        self._die_at(step, self.worker.crash_after)
        return result

    def _die_at(self, step: str, fatal: str) -> None:
        if step and step == fatal and not self.worker.crashed:
            self.worker.crashed.append(step)
            raise Crash(step)
