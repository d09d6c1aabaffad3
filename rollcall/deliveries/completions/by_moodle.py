"""Completion by Moodle's web services: read first, and set only what nobody else has set.

What Moodle answers to a reading says everything that has to be known: whether the activity is there and which course
module it is, whether this person is enrolled as a student now, whether it is completed, and by whom. So a person costs
one reading, and one setting more where something has to change; and whatever is tried again is read again first, by
which an answer that was never seen is known.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rollcall.deliveries.driver import Outcome, Result
from rollcall.lti import trouble as lti
from rollcall.moodle.asking import Access, Argument, call
from rollcall.moodle.completion import (
    Move,
    Status,
    finding,
    is_untracked,
    listing,
    move,
    reading,
    seed_in,
    setting,
    status_in,
    was_taken,
    why_unlisted,
)
from rollcall.moodle.service_user import opened, seeds_of
from rollcall.moodle.trouble import MoodleTrouble, Trouble
from rollcall.store.owed import CompletionTarget, MoodleService

if TYPE_CHECKING:
    from rollcall.deliveries.completions.drivers import Tools
    from rollcall.deliveries.driver import Begin, Driver, Order

_USER: Final = re.compile(r"[1-9][0-9]{0,18}")


def make(target: CompletionTarget, tools: Tools) -> Driver | Outcome:
    """The driver of an activity in a Moodle; what is wrong where there is no token, or no such activity."""
    activity, platform = target.activity, target.receiver.platform
    if not activity.instance or not activity.context_id:
        return Outcome(Result.TARGET, Trouble.NO_ACTIVITY)
    service = MoodleService.objects.filter(platform=platform).first()
    if service is None:
        return Outcome(Result.RECEIVER, Trouble.NO_TOKEN)
    try:
        access = opened(platform, service)
    except MoodleTrouble as trouble:
        return outcome_of(trouble)
    about = About(target.pk, activity.context_id, activity.instance, target.cmid, seeds_of(activity), service.user_id)
    return MoodleDriver(about, access, tools)


@dataclass(frozen=True, slots=True)
class About:
    """One activity: `cmid` as it was found before, blank if it never was; `ours` is our user's number in Moodle."""

    target: int
    course: str
    instance: str
    cmid: str
    seeds: frozenset[str]
    ours: str


@dataclass(slots=True)
class MoodleDriver:
    """Sets the completion of one activity."""

    about: About
    access: Access
    tools: Tools
    _known: str = ""
    _finding: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def deliver(self, order: Order, begin: Begin) -> Outcome:
        """Bring one person's completion to the goal, unless somebody else has decided it in Moodle."""
        if not order.goal.is_done and order.held is None and not order.is_unanswered:
            return Outcome(Result.DONE)
        if not _USER.fullmatch(order.user_id):
            return Outcome(Result.REFUSED, Trouble.NOT_A_USER)
        try:
            return await self._deliver(order, begin)
        except MoodleTrouble as trouble:
            return outcome_of(trouble)

    async def _deliver(self, order: Order, begin: Begin) -> Outcome:
        is_done = order.goal.is_done
        status = await self._status(order.user_id)
        todo, why = move(status, is_done=is_done, ours=self.about.ours)
        if todo is not Move.SET:
            return Outcome(_RESULTS[todo], why or "", 200)
        await self._make_sure(status.cmid)
        if not await begin():
            return Outcome(Result.LATER, "not-ours")
        answer = await self._call(*setting(status.cmid, order.user_id, is_done=is_done))
        if was_taken(answer, order.user_id, is_done=is_done):
            return Outcome(Result.DONE, status=200)
        return Outcome(Result.TARGET, Trouble.NO_COMPLETION if is_untracked(answer) else Trouble.NOT_TAKEN, 200)

    async def _status(self, user: str) -> Status:
        """How it stands; MoodleTrouble, with the reason, where Moodle lists no completion of this activity."""
        course, instance = self.about.course, self.about.instance
        status = status_in(await self._call(*reading(course, user)), instance)
        if status is None:
            raise MoodleTrouble(why_unlisted(await self._call(*finding(instance)), course))
        return status

    async def _make_sure(self, cmid: str) -> None:
        """Before the first time that a course module is written to: that it is the activity whose meetings we know."""
        async with self._finding:
            if cmid in {self.about.cmid, self._known}:
                return
            seed = seed_in(await self._call(*listing(self.about.course)), self.about.instance)
            if seed and self.about.seeds and seed not in self.about.seeds:
                raise MoodleTrouble(Trouble.OTHER_ACTIVITY)
            await self.tools.in_thread(_remember, self.about.target, cmid)
            self._known = cmid

    async def _call(self, function: str, *arguments: Argument) -> object:
        return await call(self.tools.http, self.tools.trusted, self.access, function, *arguments)


def _remember(target: int, cmid: str) -> None:
    CompletionTarget.objects.filter(pk=target).update(cmid=cmid)


_RESULTS: Final = {Move.NOTHING: Result.DONE, Move.LEAVE: Result.LEFT, Move.REFUSE: Result.REFUSED}

_OF_ONE_PERSON: Final = frozenset({Trouble.USER_GONE, Trouble.USER_SUSPENDED})
_OF_ONE_TRY: Final = frozenset({Trouble.ERROR, Trouble.HALF, lti.Trouble.FAILED, lti.Trouble.OWN_FAULT})
"""It may be this person's own row in Moodle that fails: nobody else waits for it."""
_OF_THE_TARGET: Final = frozenset(
    {
        Trouble.STRANGE,
        Trouble.MAY_NOT_ENTER,
        Trouble.MAY_NOT_READ,
        Trouble.MAY_NOT_OVERRIDE,
        Trouble.MAY_NOT_SEE_GROUP,
        Trouble.COURSE_GONE,
        Trouble.ACTIVITY_GONE,
        Trouble.ACTIVITY_HIDDEN,
        Trouble.ACTIVITY_MOVED,
        Trouble.OTHER_ACTIVITY,
        Trouble.NO_COMPLETION,
        lti.Trouble.TOO_BIG,
    }
)
"""Rights too may be given or withheld course by course."""


def outcome_of(trouble: MoodleTrouble) -> Outcome:
    """What a call that came to nothing means for the order."""
    kind = trouble.kind
    if kind in _OF_ONE_PERSON:
        result = Result.REFUSED
    elif kind in _OF_ONE_TRY and trouble.http_status not in {502, 504}:
        result = Result.LATER
    else:
        result = Result.TARGET if kind in _OF_THE_TARGET else Result.RECEIVER
    return Outcome(result, kind.value, trouble.http_status, trouble.detail, trouble.retry_after_ms)
