"""Our rule, told by Moodle's own means: its receiver of meeting events hears of whoever has met it, one by one.

The activity there asks for one minute, and each of them is told of with one minute. What is told cannot be taken back.
One person is one request under an id of their own, so that a repeat is known there, and one who is refused breaks
nothing off for others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rollcall.bbb.callback_body import is_lms_user
from rollcall.deliveries import queue
from rollcall.deliveries.by_callback import (
    NOT_STORED,
    PADDINGS,
    PROBE,
    Meaning,
    body_by_rule,
    broker_of,
    is_broker,
    rule_id,
    token,
)
from rollcall.deliveries.driver import Outcome, Result
from rollcall.deliveries.outcome import said_by
from rollcall.deliveries.post import Answer, Silence, post
from rollcall.deliveries.relay_or_rule import was_relayed
from rollcall.deliveries.send import Found, find_key, trouble_without_key
from rollcall.moodle.service_user import address_of
from rollcall.store.derived import Summary

if TYPE_CHECKING:
    from rollcall.deliveries.completions.drivers import Tools
    from rollcall.deliveries.driver import Begin, Driver, Order
    from rollcall.store.decisions import Activity
    from rollcall.store.owed import CompletionTarget


@dataclass(frozen=True, slots=True)
class Place:
    """The receiver for one activity. `name` is what no other target is called, wherever Rollcall runs."""

    url: str
    meeting_id: str
    name: str
    relay_target: int
    keys: tuple[queue.Key, ...] = field(repr=False)
    known: queue.Key | None = field(repr=False)


def make(target: CompletionTarget, tools: Tools) -> Driver | Outcome:
    """The driver of one activity, or why there can be none."""
    summary = latest_meeting(target.activity)
    url = broker_of(address_of(target.receiver.platform), target.activity.instance)
    if summary is None or not is_broker(url):
        return Outcome(Result.TARGET, "no-meeting")
    if was_relayed(target.activity):
        return Outcome(Result.TARGET, "relayed")
    relay_target = queue.target_at(summary.meeting.pool, url)
    keys, known = queue.keys_of(relay_target)
    # By the first address, so that a person keeps their id where Moodle moves to another one.
    name = f"{target.pool_url} {target.pk} {target.added_at}"
    return ByRule(Place(url, summary.external_meeting_id, name, relay_target.pk, keys, known), tools)


def latest_meeting(activity: Activity) -> Summary | None:
    """The newest meeting of an activity: it says what Moodle called it last, and which server's secret it knows."""
    rows = Summary.objects.filter(organisation=activity.organisation, activity_key=bytes(activity.key))
    return rows.select_related("meeting__pool__server").order_by("-started_at", "-pk").first()


_MEANINGS: Final = {
    Meaning.ACCEPTED: (Result.DONE, ""),
    Meaning.ALREADY: (Result.DONE, ""),
    Meaning.GONE: (Result.TARGET, "activity-gone"),
    Meaning.BROKEN_OFF: (Result.REFUSED, Meaning.BROKEN_OFF.value),
    Meaning.WRONG_ADDRESS: (Result.TARGET, Meaning.WRONG_ADDRESS.value),
    Meaning.TOO_BIG: (Result.RECEIVER, Meaning.TOO_BIG.value),
}


def meaning_of(answer: Answer | Silence) -> Outcome:
    """What an answer says by itself. 202: an earlier try of ours had arrived, for nobody else has made this id."""
    if isinstance(answer, Silence):
        return Outcome(Result.RECEIVER, answer.fault)
    said = said_by(answer)
    result, code = _MEANINGS.get(said, (Result.RECEIVER, said.value))
    return Outcome(result, code, answer.status, answer.phrase, answer.retry_after_ms)


@dataclass(slots=True)
class ByRule:
    """One activity's receiver, for some orders side by side: which secret it knows is found once for all of them."""

    place: Place
    tools: Tools
    _key: queue.Key | None = field(init=False)
    _over: Outcome | None = None
    _finding: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._key = self.place.known

    async def deliver(self, order: Order, begin: Begin) -> Outcome:
        """Have one person completed who has met our rule."""
        if not order.goal.is_done:
            is_nothing = order.held is None and not order.is_unanswered
            return Outcome(Result.DONE) if is_nothing else Outcome(Result.REFUSED, "takes-nothing-back")
        if not is_lms_user(order.user_id):
            return Outcome(Result.REFUSED, "no-lms-user")
        key = await self._find_key(None)
        if isinstance(key, Outcome):
            return key
        answer = await self._tell(order, begin, key)
        if isinstance(answer, Answer) and said_by(answer) is Meaning.WRONG_SECRET:
            key = await self._find_key(key)
            if isinstance(key, Outcome):
                return key
            answer = await self._tell(order, begin, key)
        return answer if isinstance(answer, Outcome) else await self._meaning(answer, key)

    async def _tell(self, order: Order, begin: Begin, key: queue.Key) -> Answer | Silence | Outcome:
        if not await begin():
            return Outcome(Result.LATER, "not-ours")
        told_as = rule_id(order.revision, self.place.name, order.user_id)
        return await self._post(body_by_rule(self.place.meeting_id, told_as, order.user_id, self.tools.clock()), key)

    async def _meaning(self, answer: Answer | Silence, key: queue.Key) -> Outcome:
        """What came of it; where Moodle does not say, the probe tells whether it is of this one person."""
        meaning = meaning_of(answer)
        if isinstance(answer, Silence) or meaning.code not in {Meaning.UNCLEAR, Meaning.FAILED}:
            return meaning
        probed = await self._post(PROBE, key)
        said = said_by(probed) if isinstance(probed, Answer) else None
        if said is Meaning.GONE:  # address, header and secret are right
            is_unclear = meaning.code == Meaning.UNCLEAR
            result, code = (Result.REFUSED, "broken-off") if is_unclear else (Result.LATER, "failed")
            return Outcome(result, code, answer.status, answer.phrase)
        is_explained = said in NOT_STORED and said is not None
        return Outcome(
            Result.RECEIVER, said.value if is_explained and said else meaning.code, answer.status, answer.phrase
        )

    async def _find_key(self, refused: queue.Key | None) -> queue.Key | Outcome:
        """The secret that Moodle knows; another than the refused one, which somebody else may have replaced already."""
        async with self._finding:
            if self._over is not None:
                return self._over
            if self._key is not None and self._key != refused:
                return self._key
            found = await find_key(self.place.keys, lambda key: self._post(PROBE, key))
            self._key = found.key
            if found.key is None:  # kept, lest each of those who wait here asks, and waits, for itself
                self._over = _no_key(found)
                return self._over
            await self.tools.in_thread(queue.remember_key, self.place.relay_target, found.key)
            return found.key

    async def _post(self, content: bytes, key: queue.Key) -> Answer | Silence:
        signed = token(PADDINGS[key.padding].format(key.text), self.tools.clock())
        return await post(self.tools.http, self.place.url, content, signed, self.tools.trusted)


def _no_key(found: Found) -> Outcome:
    answer = found.answer if isinstance(found.answer, Answer) else None
    said = (answer.status, answer.phrase, answer.retry_after_ms) if answer else (None, "", None)
    return Outcome(Result.RECEIVER, str(trouble_without_key(found)), *said)
