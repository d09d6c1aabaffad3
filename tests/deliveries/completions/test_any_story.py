"""Whatever is wanted, whatever fails, and whoever dies: in the end each target holds what is wanted, and all rests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall.core.deliveries import NOTHING, Goal, Step, Way
from rollcall.deliveries.driver import Order, Outcome, Result
from rollcall.deliveries.goals import goal_from
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver
from tests.deliveries.completions.outbox_world import DONE, FINE, Lms, Worker, make_target, owe, wish
from tests.deliveries.world import HOUR_MS, MINUTE_MS, Clock

USERS = ("7", "8", "9")
KINDS = {
    (Way.MOODLE, "pass"): (NOTHING, DONE),
    (Way.AGS, "pass"): (NOTHING, Goal(is_done=True, thousandths=1000)),
    (Way.AGS, "percent"): (Goal(thousandths=0), Goal(thousandths=430), Goal(thousandths=1000)),
}
"""What there is to be wanted, by way and scoring."""

TROUBLES = (
    Outcome(Result.RECEIVER, "unreachable"),
    Outcome(Result.RECEIVER, "failed", status=500),
    Outcome(Result.RECEIVER, "too-many", status=429, retry_after_ms=HOUR_MS),
    Outcome(Result.TARGET, "gone", status=404),
    Outcome(Result.LATER, "busy", status=409),
    None,
)
"""None: a fault of ours, or a death, in the middle of it."""

_NOT_TAKEN = (TROUBLES[2], TROUBLES[3])
"""An LMS that says 404 or 429 has done nothing."""

Said = tuple[str, Outcome | None]
"""Of one request: what is answered, and whether it was taken before that."""

requests = st.tuples(st.sampled_from(["taken", "not"]), st.sampled_from([FINE, *TROUBLES]))
works = st.tuples(st.just("work"), st.lists(requests, max_size=4), st.sampled_from([0, MINUTE_MS, HOUR_MS]))


def stories(goals: Sequence[Goal]) -> st.SearchStrategy[list[tuple[object, ...]]]:
    """What is wanted, and what becomes of it, in any order."""
    wants = st.tuples(st.just("want"), st.sampled_from(USERS), st.sampled_from(goals))
    return st.lists(st.one_of(wants, works), max_size=12)


_numbers = count()


class Story(Lms):
    """An LMS that says of one request after the other what the story has it say, and then that all is well."""

    said: list[Said]

    def tell(self, said: Sequence[Said]) -> None:
        self.said = list(said)
        self.says = self._say

    def _say(self, order: Order) -> Outcome | None:
        taken, outcome = self.said.pop(0) if self.said else ("taken", FINE)
        if outcome is FINE or (taken == "taken" and outcome not in _NOT_TAKEN):
            self.take(order)
        if outcome is None:
            raise RuntimeError("a fault of ours")
        return outcome


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_in_the_end_all_is_as_wanted(kind: tuple[Way, str], data: st.DataObject) -> None:
    story, clock, lms = data.draw(stories(KINDS[kind])), Clock(), Story()
    target = _fresh_target(*kind)
    worker = Worker(lms, clock)
    for act, first, second in story:
        if act == "want":
            owe(target, wish(str(first), second, Step.DELIVER), now=clock)  # type: ignore[arg-type]
        else:
            lms.tell(first)  # type: ignore[arg-type]
            worker.work(step_ms=int(second))  # type: ignore[call-overload]
    lms.tell(())
    worker.work(ticks=6, step_ms=8 * HOUR_MS)
    sent = len(lms.requests)
    rows = list(Owed.objects.filter(target=target))
    assert {row.state for row in rows} <= {Owing.SENT}
    held = {user: goal for (_, user), goal in lms.holds.items()}
    assert {row.external_user_id: goal_from(row.wanted) for row in rows} == {
        row.external_user_id: held.get(row.external_user_id, NOTHING) for row in rows
    }
    for row in rows:
        owe(target, wish(row.external_user_id, goal_from(row.wanted), Step.KEEP), now=clock)
    worker.work(ticks=2, step_ms=8 * HOUR_MS)
    assert len(lms.requests) == sent, "the same verdicts again send nothing"


def _fresh_target(way: Way, scoring: str) -> CompletionTarget:
    """Of an activity of its own, with nothing left of an earlier story."""
    Owed.objects.all().delete()
    Receiver.objects.update(paused_until=0, failures=0, trouble="")
    target = make_target(way, name=f"activity {next(_numbers)}")
    target.scoring = scoring
    target.save()
    return target
