"""Teachers decide while meetings are folded and two workers judge: nothing is lost, and the last word is the newest."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest
from django.db import Error, close_old_connections, connection, connections

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import Way
from rollcall.derive.activity import fold_activities_due
from rollcall.derive.log import Log
from rollcall.derive.rebuild import demand, fold_due
from rollcall.feed.deciding import Word, decide
from rollcall.feed.faults import Fault, fault_of
from rollcall.store.completions import Completion
from rollcall.store.owed import CompletionTarget, Owed, Receiver
from tests.derive.log import FAR_AHEAD
from tests.derive.test_verdicts_from_facts import TEACHER, policy_on
from tests.makers import make_organisation, make_platform
from tests.reports.three_witnesses import class_of, keep

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("database")

ROUNDS = 6


def test_deciding_folding_and_judging_at_once(database: str) -> None:
    activity = policy_on(keep(class_of(), "webhooks", "polls"))
    receiver = Receiver.objects.create(
        platform=make_platform(make_organisation(), "https://moodle.example"), way=Way.MOODLE
    )
    CompletionTarget.objects.create(activity=activity, receiver=receiver, added_at=0)
    (user, *_) = Completion.objects.values_list("external_user_id", flat=True)

    def teach() -> None:
        for number in range(ROUNDS):
            verdict = Verdict.MET if number % 2 else Verdict.NOT_MET
            decide(activity, Word(user, verdict), TEACHER, now=number)

    def judge() -> None:
        for _ in range(ROUNDS):
            list(fold_activities_due(now=FAR_AHEAD))

    def fold() -> None:
        for _ in range(ROUNDS):
            demand()
            list(fold_due(Log(), now=FAR_AHEAD))

    at_once(teach, judge, judge, fold)
    while list(fold_activities_due(now=FAR_AHEAD)):
        pass
    activity.refresh_from_db()
    assert (activity.last_seq, activity.folded, activity.due_at) == (ROUNDS + 1, activity.appended, None)
    assert Completion.objects.get(external_user_id=user).verdict == "met"
    met = set(Completion.objects.filter(verdict="met").values_list("external_user_id", flat=True))
    assert set(Owed.objects.filter(wanted="done").values_list("external_user_id", flat=True)) == met


def at_once(*works: Callable[[], None]) -> None:
    """All begin together; being in each other's way is no failure of theirs where it is said so."""
    barrier, failed = Barrier(len(works)), list[Exception]()

    def run(work: Callable[[], None]) -> None:
        close_old_connections()
        barrier.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told below
            if not isinstance(error, Error) or fault_of(error) is not Fault.AGAIN:
                failed.append(error)
        connections.close_all()

    connection.close()
    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
