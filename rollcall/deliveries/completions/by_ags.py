"""Scores for a column of an LMS's gradebook, by which an LMS completes the activity that the column is of.

Read first: what somebody gave by hand is left. Each score has a whole second of its own, later than any before it for
that person and never of the future by the clock of the LMS. A score is a state: sent twice it is there once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rollcall.bbb.callback_body import is_lms_user
from rollcall.deliveries.completions.columns import column_at, place_of
from rollcall.deliveries.driver import Outcome, Result
from rollcall.lti import grades
from rollcall.lti.grades import Gradebook, Score, Told, next_second
from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.patience import date_of, retry_after_ms

if TYPE_CHECKING:
    from rollcall.deliveries.completions.columns import Place
    from rollcall.deliveries.completions.drivers import Tools
    from rollcall.deliveries.driver import Begin, Driver, Order
    from rollcall.outgoing.asking import Reply
    from rollcall.store.owed import CompletionTarget

WHOLE: Final = 1000
MAXIMUM: Final = 100
"""Scores are told of a hundred; the LMS makes of it what its column's maximum is."""

FRESH_MS: Final = 60_000
"""So long a column that was read is taken to be as it was."""
SECOND_MS: Final = 1000
EXACT_MS: Final = 2 * SECOND_MS
"""A difference of clocks that may come of whole seconds and of the way there."""
HOUR_MS: Final = 60 * 60_000
DAY_MS: Final = 24 * HOUR_MS


def make(target: CompletionTarget, tools: Tools) -> Driver | Outcome:
    """The driver of one column, or why there can be none."""
    place = place_of(target)
    return place if isinstance(place, Outcome) else ByAgs(place, tools)


# -- rules --------------------------------------------------------------------------------------------------------


def thousandths_of(result: grades.Result | None) -> int | None:
    """What the gradebook holds; None for nothing, and for zero, which Moodle does not tell apart from it."""
    if result is None or not result.score or not result.maximum:
        return None
    return round(WHOLE * result.score / result.maximum)


def is_same(one: int | None, other: int | None) -> bool:
    """Whether two grades are one, as exactly as columns keep them."""
    return abs((one or 0) - (other or 0)) <= 1


def decided_already(order: Order, standing: grades.Result | None) -> Outcome | None:
    """What follows from the column as it was read; None: a score is to be sent."""
    holds, wanted = thousandths_of(standing), order.goal.thousandths
    held = None if order.held is None else order.held.thousandths
    if holds is None:
        if standing is not None and _is_zero_of_a_person(order, standing):
            return Outcome(Result.LEFT, "overridden") if wanted else Outcome(Result.DONE)
        # A zero of ours is seen as nothing, and has to be taken back.
        return Outcome(Result.DONE) if wanted is None and held != 0 else None
    if wanted is not None and is_same(holds, wanted):
        return Outcome(Result.DONE)
    is_ours = (held is not None and is_same(holds, held)) or _may_have_arrived(order, standing)
    return None if is_ours else Outcome(Result.LEFT, "overridden")


def _may_have_arrived(order: Order, standing: grades.Result | None) -> bool:
    """Whether a grade that is neither the old nor the new one may be ours: of a try of which no answer was seen.

    By its second, where that is told. Who asks only whether somebody has met has never sent anything but the whole.
    """
    if standing is None or not order.is_unanswered or _is_later(order, standing):
        return False
    asks_how_much = order.goal.thousandths is not None and not order.goal.is_done
    is_of_last_try = standing.at is not None and standing.at == order.stamp
    return asks_how_much or is_of_last_try or is_same(thousandths_of(standing), WHOLE)


def _is_later(order: Order, standing: grades.Result) -> bool:
    """Whether it was given well after the last score of ours; LMSs may tell their own time of a score."""
    return standing.at is not None and order.stamp is not None and standing.at > order.stamp + FRESH_MS


def _is_zero_of_a_person(order: Order, standing: grades.Result) -> bool:
    """Of LMSs that tell zero from nothing. What was never sent to has none of ours; what was, may have been emptied."""
    if standing.score != 0 or (order.held is not None and order.held.thousandths == 0):
        return False
    if order.held is None and order.stamp is None and not order.is_unanswered:
        return bool(standing.comment) or standing.at is not None
    return _is_later(order, standing)


def score_of(order: Order, second: int) -> Score:
    """Only what is certain is a goal, so every score is final."""
    wanted = order.goal.thousandths
    given = None if wanted is None else wanted * MAXIMUM / WHOLE
    return Score(order.user_id, given, MAXIMUM, second, order.comment)


def outcome_of_trouble(trouble: ServiceTrouble) -> Outcome:
    """A call that came to nothing says something of the LMS, or of this course alone."""
    result = Result.RECEIVER if trouble.is_of_the_platform or trouble.trouble in _NO_GRADEBOOKS else Result.TARGET
    return Outcome(result, trouble.trouble.value, phrase=trouble.detail)


_NO_GRADEBOOKS: Final = frozenset({Trouble.WRONG_REQUEST, Trouble.NOT_GRADES})

_MEANINGS: Final = {
    grades.Outcome.ACCEPTED: (Result.DONE, ""),
    grades.Outcome.NOT_GRADED: (Result.REFUSED, "not-gradable"),
    grades.Outcome.REFUSED: (Result.RECEIVER, "wrong-request"),
    grades.Outcome.UNAUTHORIZED: (Result.TARGET, "not-authorized"),
    grades.Outcome.FORBIDDEN: (Result.TARGET, "forbidden"),
    grades.Outcome.MOVED: (Result.RECEIVER, "moved"),
    grades.Outcome.PAGE: (Result.RECEIVER, "error-page"),
    grades.Outcome.LATER: (Result.RECEIVER, "busy"),
}
TOO_MANY: Final = 429


def meaning_of(told: Told) -> Outcome:
    """What an answer to a score says by itself; of some the gradebook has to be asked more."""
    result, code = _MEANINGS.get(told.outcome, (Result.LATER, told.outcome.value))
    code = "too-many" if told.status == TOO_MANY else code
    return Outcome(result, code, told.status, told.phrase, told.retry_after_ms)


# -- one column ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ByAgs:
    """One column, for some orders side by side: what it holds is read once for all of them."""

    place: Place
    tools: Tools
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _book: Gradebook = field(init=False)
    _can_be_read: bool = field(init=False)
    _ahead_ms: int = 0
    _patience_ms: int | None = None
    _standing: dict[str, grades.Result] = field(default_factory=dict)
    _read_at: int | None = None
    _over: Outcome | None = None
    _preparing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        place = self.place
        self._can_be_read = place.can_be_read
        self._book = Gradebook(self.tools.tokens, place.client, place.columns_url, place.scopes, self._hear)

    async def deliver(self, order: Order, begin: Begin) -> Outcome:
        """Bring the grade of one person to the goal."""
        if self.place.is_moodle and not is_lms_user(order.user_id):  # Moodle breaks down on any other
            return Outcome(Result.REFUSED, "no-lms-user")
        if order.goal.thousandths is None and order.held is None and not order.is_unanswered:
            return Outcome(Result.DONE)
        try:
            standing = await self._stands(order)
            decided = self._over or (decided_already(order, standing) if self._can_be_read else None)
            return decided or await self._send(order, standing, begin)
        except ServiceTrouble as trouble:
            return await self._outcome_of(trouble)

    async def _send(self, order: Order, standing: grades.Result | None, begin: Begin) -> Outcome:
        """One score; where the column holds one of that second or later, it is read, and one more is sent."""
        told = await self._post(order, begin, _latest(order.stamp, standing))
        if isinstance(told, Told) and told.outcome is grades.Outcome.CONFLICT:
            standing = await self._read_one(order.user_id)
            if standing is not None and is_same(thousandths_of(standing), order.goal.thousandths):
                return replace(meaning_of(told), result=Result.DONE, code="")
            told = await self._post(order, begin, _latest(self._lms_now() // SECOND_MS * SECOND_MS, standing))
        if isinstance(told, Outcome):
            return told
        return await self._meaning(order, told, standing)

    async def _post(self, order: Order, begin: Begin, last: int | None) -> Told | Outcome:
        """Send a score of a second after the last one, which may have to be waited for."""
        if last is not None and last >= self._lms_now() + SECOND_MS:
            return _later_score(last - self._lms_now())
        second = next_second(self._lms_now(), last)
        if second is None:
            await self.sleep(((last or 0) + SECOND_MS - self._lms_now()) / SECOND_MS)
            second = next_second(self._lms_now(), last)
        if second is None:
            return _later_score(SECOND_MS)
        # Asked for before anything is written down: without a token nothing is sent.
        await self.tools.tokens.token(self.place.client, frozenset({grades.SCORE_SCOPE}))
        if not await begin(second):
            return Outcome(Result.LATER, "not-ours")
        return await self._book.post(self.place.column_url, score_of(order, second))

    async def _meaning(self, order: Order, told: Told, standing: grades.Result | None) -> Outcome:
        meaning = meaning_of(told)
        match told.outcome:
            case grades.Outcome.ACCEPTED:
                return await self._proved(order, meaning) if order.held or standing else meaning
            case grades.Outcome.CONFLICT:
                return replace(meaning, result=Result.REFUSED)
            case grades.Outcome.GONE:
                return await self._gone(meaning)
            case grades.Outcome.LOCKED:
                return await self._if_well(order, replace(meaning, result=Result.REFUSED))
            case grades.Outcome.FAILED:
                return await self._if_well(order, meaning)
        return meaning

    async def _proved(self, order: Order, accepted: Outcome) -> Outcome:
        """Moodle takes scores for a grade that a teacher has overridden, and goes on to show the teacher's."""
        try:
            if not self._can_be_read or is_same(
                thousandths_of(await self._read_one(order.user_id)), order.goal.thousandths
            ):
                return accepted
        except ServiceTrouble:
            return accepted
        if order.goal.thousandths is None and not self.place.is_moodle:
            return replace(accepted, result=Result.REFUSED, code="not-taken-back")
        return replace(accepted, result=Result.LEFT, code="overridden")

    async def _outcome_of(self, trouble: ServiceTrouble) -> Outcome:
        outcome = outcome_of_trouble(trouble)
        if trouble.trouble is Trouble.BUSY:
            return replace(outcome, retry_after_ms=self._patience_ms)
        return await self._gone(outcome) if trouble.trouble is Trouble.GONE else outcome

    async def _gone(self, meaning: Outcome) -> Outcome:
        """Whether it is the column, or the whole course: everything for it waits.

        A column that is listed all the same is there: Moodle says 404 also where it breaks down itself.
        """
        try:
            listed = {urlsplit(one.url).path for one in await self._book.columns()}
            code = Trouble.FAILED.value if urlsplit(self.place.column_url).path in listed else "column-gone"
        except ServiceTrouble as trouble:
            code = "course-gone" if trouble.trouble is Trouble.GONE else Trouble.GONE.value
        self._over = replace(meaning, result=Result.TARGET, code=code)
        return self._over

    async def _if_well(self, order: Order, meaning: Outcome) -> Outcome:
        """What is said of one person, as long as the LMS answers otherwise; else it is the LMS that fails."""
        try:
            if self._can_be_read:
                await self._read_one(order.user_id)
            else:
                await self._book.column(self.place.column_url)
        except ServiceTrouble as trouble:
            return replace(outcome_of_trouble(trouble), status=meaning.status, phrase=meaning.phrase)
        return meaning

    # -- what it holds

    async def _stands(self, order: Order) -> grades.Result | None:
        """What the column holds for one person: as it was read for all, unless something was sent for them since."""
        async with self._preparing:
            if self._over is None:
                try:
                    await self._prepare()
                except ServiceTrouble as trouble:  # kept, lest each of those who wait here asks, and waits, for itself
                    self._over = await self._outcome_of(trouble)
        if order.stamp is not None and order.stamp > (self._read_at or 0) + self._ahead_ms - EXACT_MS:
            return None if self._over else await self._read_one(order.user_id)
        return self._standing.get(order.user_id)

    async def _prepare(self) -> None:
        if not self.place.column_url:
            await self._find_column()
        now = self.tools.clock()
        is_fresh = self._read_at is not None and now - self._read_at < FRESH_MS
        if self._over is None and not is_fresh and self._can_be_read:
            await self._read_all(now)

    async def _read_all(self, now: int) -> None:
        try:
            found = await self._book.results(self.place.column_url)
        except ServiceTrouble as trouble:
            if trouble.trouble is not Trouble.NO_SCOPE:
                raise
            self._can_be_read = False  # it was allowed at the last launch; scores may still be
        else:
            self._standing, self._read_at = {one.user_id: one for one in found}, now

    async def _find_column(self) -> None:
        found = await column_at(self.place, self._book, self.tools.in_thread, self.tools.clock())
        if isinstance(found, Outcome):
            self._over = found
        else:
            self.place = replace(self.place, column_url=found)

    async def _read_one(self, user: str) -> grades.Result | None:
        found = await self._book.results(self.place.column_url, user) if self._can_be_read else []
        return found[0] if found else None

    # -- the clock of the LMS

    def _lms_now(self) -> int:
        return self.tools.clock() + self._ahead_ms

    def _hear(self, reply: Reply) -> None:
        """Where its clock differs from ours its own counts: what is written in its second is never of its future."""
        self._patience_ms = retry_after_ms(reply.headers)
        at = date_of(reply.headers.get("date"))
        ahead = 0 if at is None else at - self.tools.clock()
        if at is not None and abs(ahead) < DAY_MS:
            self._ahead_ms = ahead if abs(ahead) > EXACT_MS else 0


def _latest(stamp: int | None, standing: grades.Result | None) -> int | None:
    """The last second that a score of this person is known to have."""
    told = standing.at if standing is not None else None
    return max((at for at in (stamp, told) if at is not None), default=None)


def _later_score(wait_ms: int) -> Outcome:
    """What the column holds bars every score before it."""
    if wait_ms > DAY_MS:
        return Outcome(Result.REFUSED, "later-score")
    return Outcome(Result.LATER, "later-score", retry_after_ms=min(wait_ms + SECOND_MS, HOUR_MS))
