"""What follows from the verdicts of an activity for each of its targets: the goals that are written as wanted.

Rows are looked at without a lock, to see whom anything is new of; they are few, and only theirs are locked and written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec

from rollcall.core.activity import PersonVerdict, Verdict
from rollcall.core.deliveries import NOTHING, Goal, Scoring, Step, Way, goal_of, step
from rollcall.core.policy import OnChange
from rollcall.deliveries.completion_words import verdict_from
from rollcall.deliveries.completions.allowed import HELD_BY_VERDICT, NO_RULE, NOT_CERTAIN, NOT_JUDGED
from rollcall.deliveries.completions.wanting import HISTORY, Wish, meant, user_key_of, want
from rollcall.deliveries.goals import goal_from, text_of
from rollcall.feed.demanding import demand
from rollcall.store.owed import CompletionTarget, Owed, Owing

if TYPE_CHECKING:
    from rollcall.core.policy import Policy
    from rollcall.derive.activity import Gathered
    from rollcall.store.decisions import Activity

PORTION: Final = 50
"""People whose rows are written in one transaction."""

IN_HAND_MS: Final = 5_000
"""So soon it is looked again at what is being sent just now."""

Work: TypeAlias = Callable[[], None]
_Some = TypeVar("_Some")

_encoder = msgspec.json.Encoder()


def detail_of(verdict: PersonVerdict) -> bytes:
    """Completion.detail and Owed.reasons: all of it as JSON."""
    return _encoder.encode(verdict)


def corrections_of(verdict: PersonVerdict) -> tuple[int, ...]:
    """The numbers of the decisions by which a teacher has the last word on it."""
    found = (verdict.correction, *(one.correction for one in verdict.classes))
    return tuple(seq for seq in found if seq is not None)


def works_of(activity: Activity, gathered: Gathered, verdicts: Mapping[str, PersonVerdict], now: int) -> Iterator[Work]:
    """What has to be written, each to be called in a transaction of its own; without a rule nothing new is wanted."""
    versions = gathered.decided.versions
    if not versions or not versions[-1].conditions:
        yield from _without_rule(activity, now)
        return
    targets = CompletionTarget.objects.filter(activity=activity, is_on=True).select_related("receiver")
    judged: dict[int, Mapping[str, PersonVerdict]] = {0: verdicts}
    for target in targets.order_by("pk"):
        since = _since(gathered, target.from_at)
        if since not in judged:
            judged[since] = since_then(gathered, since).judge()
        history = frozenset(held.meeting for held in since_then(gathered, since).held if held.is_history)
        yield from _Target(target, versions[-1], gathered, judged[since], verdicts, history, now).works()


def _without_rule(activity: Activity, now: int) -> Iterator[Work]:
    """The rule was taken back: what has been sent stays, and what has not left is held."""
    rows = Owed.objects.filter(target__activity=activity)
    waiting = rows.filter(state__in=(Owing.WAITING, Owing.DUE)).order_by("pk")
    yield from (partial(_hold, some, NO_RULE) for some in _portions(list(waiting.values_list("pk", flat=True))))
    if rows.filter(state=Owing.SENDING).exists():  # one that does not get through comes back
        yield partial(_look_again, activity.pk, now)


def _look_again(activity: int, now: int) -> None:
    demand([activity], within_ms=IN_HAND_MS, now=now)


def _hold(pks: Sequence[int], reason: str) -> None:
    waiting = Owed.objects.filter(pk__in=pks, state__in=(Owing.WAITING, Owing.DUE))
    waiting.update(state=Owing.HELD, reason=reason, due_at=None)


def _since(gathered: Gathered, from_at: int) -> int:
    """The same time for all that divide the meetings alike: so that most targets need no fold of their own."""
    return from_at if any(held.began_at < from_at and not held.is_history for held in gathered.held) else 0


def since_then(gathered: Gathered, from_at: int) -> Gathered:
    """The same activity, with what began before then as history."""
    held = [replace(one, is_history=one.is_history or one.began_at < from_at) for one in gathered.held]
    return replace(gathered, held=held) if from_at else gathered


@dataclass(frozen=True, slots=True)
class _Target:
    """One target with the verdicts as they are there: `judged` from its own time on, `told` as everybody sees them."""

    target: CompletionTarget
    policy: Policy
    gathered: Gathered
    judged: Mapping[str, PersonVerdict]
    told: Mapping[str, PersonVerdict]
    history: frozenset[str]
    now: int

    def works(self) -> Iterator[Work]:
        """In portions: what is held, then what is wanted or goes on."""
        light = Owed.objects.filter(target=self.target).defer("reasons", "phrase").order_by("pk")
        rows = {row.external_user_id: row for row in light}
        stopped = sorted((self._why_held(row), row.pk) for row in rows.values() if self._is_to_be_held(row))
        for reason in sorted({reason for reason, _ in stopped}):
            pks = [pk for why, pk in stopped if why == reason]
            yield from (partial(_hold, some, reason) for some in _portions(pks))
        wished = sorted(user for user in self.told if self._has_news(user, rows.get(user)))
        yield from (partial(self._want, some) for some in _portions(wished))

    # -- whether anything is new -------------------------------------------------------------------------------------

    def _way(self) -> Way:
        return Way(self.target.receiver.way)

    def _goal(self, user: str) -> Goal | None:
        """What the target should hold for somebody of whom it is told at all."""
        if user not in self.told or self.gathered.standing.why_not(user):
            return None
        return goal_of(self.told[user], self._way(), Scoring(self.target.scoring))

    def _why_held(self, row: Owed) -> str:
        user = row.external_user_id
        if user not in self.told:
            return NOT_JUDGED
        return self.gathered.standing.why_not(user) or ("" if self._goal(user) is not None else NOT_CERTAIN)

    def _is_to_be_held(self, row: Owed) -> bool:
        """Of what is under way or has arrived nothing can be held."""
        is_waiting = row.state in {Owing.WAITING, Owing.DUE} and meant(row) != goal_from(row.wanted)
        return is_waiting and bool(self._why_held(row))

    def _has_news(self, user: str, row: Owed | None) -> bool:
        goal = self._goal(user)
        if goal is None or row is None:
            return goal is not None and goal != NOTHING
        if row.proposed or row.state == Owing.WAITING or row.wanted != text_of(goal):
            return True
        if row.state != Owing.HELD:
            return False
        return row.reason in HELD_BY_VERDICT or (row.reason == HISTORY and not self._is_history(user))

    def _is_history(self, user: str) -> bool:
        """Whether it rests on nothing but classes that were over long before."""
        verdict = self.judged[user]
        if self.target.scoring == Scoring.PERCENT and self._way() is Way.AGS:
            counting = [one for one in verdict.classes if one.counts is not Verdict.NOT_MET]
            is_old = all(self.history.issuperset(one.meetings) for one in counting)
            return is_old and not corrections_of(verdict)
        return verdict.verdict is Verdict.MET and verdict.without_history is not Verdict.MET

    # -- what is written, each in a transaction ----------------------------------------------------------------------

    def _want(self, users: Sequence[str]) -> None:
        keys = [user_key_of(user) for user in users]
        locked = Owed.objects.select_for_update().filter(target=self.target, user_key__in=keys).order_by("pk")
        rows = {row.external_user_id: row for row in locked.defer("reasons", "phrase")}
        wishes = [wish for user in users if (wish := self._wish(user, rows.get(user))) is not None]
        want(self.target.pk, wishes, self.now)

    def _wish(self, user: str, row: Owed | None) -> Wish | None:
        goal, verdict = self._goal(user), self.told[user]
        if goal is None:
            return None
        settles_at = verdict.settles_at if self.policy.waits else None
        return Wish(
            user_id=user,
            goal=goal,
            step=self._step(user, row, goal),
            reasons=detail_of(verdict),
            not_before=settles_at,
        )

    def _step(self, user: str, row: Owed | None, goal: Goal) -> Step:
        found = self._ask(user, row, goal, self.policy)
        if row is not None and found in {Step.TELL, Step.FLAG, Step.STAYS} and self._is_by_a_teacher(user, row):
            # That somebody decided it is why it changes: nobody need be asked, and no date stands against it.
            return self._ask(user, row, goal, replace(self.policy, on_change=OnChange.CORRECT, lowers_until=None))
        return found

    def _ask(self, user: str, row: Owed | None, goal: Goal, policy: Policy) -> Step:
        is_history = self._is_history(user) and not (row is not None and row.sent)
        return step(meant(row), goal, way=self._way(), policy=policy, is_history=is_history, now=self.now)

    def _is_by_a_teacher(self, user: str, row: Owed) -> bool:
        """Whether somebody has corrected it, or taken a correction back, since it was last wanted."""
        return corrections_of(self.told[user]) != corrections_of(verdict_from(bytes(row.reasons)))


def _portions(some: Sequence[_Some]) -> Iterator[Sequence[_Some]]:
    return (some[begin : begin + PORTION] for begin in range(0, len(some), PORTION))
