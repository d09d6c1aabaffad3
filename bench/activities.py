"""An activity of 500 people and 30 meetings: judged anew, previewed under another policy, and written for a first time.

Most people are known exactly, some come late, some leave twice, some have open ends, as live witnesses leave them.
"""

from __future__ import annotations

from random import Random
from typing import Any

from bench.folding import median_seconds
from bench.results import Result, as_lines, limited

PEOPLE = 500
MEETINGS = 30
ORGANISATION = 1
SITE = "https://moodle.example"
MINUTE = 60_000
BEGAN_AT = 1_795_309_400_000
WEEK = 7 * 24 * 60 * MINUTE


def make_activity() -> bytes:
    """The rows of its meetings, and a policy of which several conditions have to hold; its key."""
    from rollcall.core.policy import Condition, Policy, Quantity
    from rollcall.feed.deciding import By, activity_for, decide
    from rollcall.store.derived import Person
    from rollcall.store.keys import key_of, person_key

    key, rng = key_of(SITE, "42", "7"), Random(1)
    Person.objects.bulk_create(
        Person(
            key=person_key(SITE, str(user), ORGANISATION),
            is_user=True,
            organisation=ORGANISATION,
            site=SITE,
            external_user_id=str(user),
            external_key=key_of(str(user)),
            name=f"Zoë Student {user}",
            sort_key=b"%d" % user,
        )
        for user in range(PEOPLE)
    )
    for number in range(MEETINGS):
        _meet(key, number, rng)
    conditions = (Condition(Quantity.SHARE, 800), Condition(Quantity.CHATS, 1))
    policy = Policy(conditions=conditions, needed=3 * MEETINGS // 4)
    decide(activity_for(ORGANISATION, key, now=0), policy, By("bench", "operator"), now=0)
    return key


def _meet(key: bytes, number: int, rng: Random) -> None:
    from rollcall.core.activity import Count, Held, Presence
    from rollcall.core.policy import Quantity
    from rollcall.derive.held import pack
    from rollcall.derive.rows import FOLD_VERSION
    from rollcall.store.completions import Evidence
    from rollcall.store.connections import Pool
    from rollcall.store.derived import Summary
    from rollcall.store.facts import Meeting
    from rollcall.store.keys import key_of, meeting_key

    begin = BEGAN_AT + number * WEEK
    end = begin + 90 * MINUTE

    def presence() -> Presence:
        come = begin + (rng.randrange(20 * MINUTE) if rng.random() < 0.3 else rng.randrange(MINUTE))
        gone = end - (rng.randrange(30 * MINUTE) if rng.random() < 0.2 else 0)
        proved: tuple[tuple[int, int], ...] = ((come, gone),)
        if rng.random() < 0.3:
            proved = ((come, come + 10 * MINUTE), (come + 12 * MINUTE, gone))
        possible = ((come, end),) if rng.random() < 0.1 else proved
        done = {Quantity.CHATS: Count(rng.randrange(4), True), Quantity.RAISED_HANDS: Count(rng.randrange(2), True)}  # noqa: FBT003
        return Presence(proved, possible, done)

    there = [str(user) for user in range(PEOPLE) if rng.random() < 0.9]
    held = Held(
        meeting="",
        began_at=begin,
        first_join=(begin, begin + MINUTE),
        last_leave=(end, end),
        ended=(end, end),
        attendees=(len(there), len(there)),
        people={user: presence() for user in there},
    )
    internal = f"{number:040}-{begin}"
    pool, _ = Pool.objects.get_or_create(name="bench")
    summary = Summary.objects.create(
        meeting=Meeting.objects.create(pool=pool, key=meeting_key(internal), internal_meeting_id=internal),
        pool_name="bench",
        external_meeting_id="seed-42-7",
        external_key=key_of("seed-42-7"),
        name="Algebra",
        name_key="algebra",
        site=SITE,
        site_key=key_of(SITE),
        context_id="42",
        organisation=ORGANISATION,
        activity_key=key,
        started_at=begin,
        attendees=len(there),
        present=0,
        fold_version=FOLD_VERSION,
        detail=b"{}",
    )
    Evidence.objects.create(
        summary=summary, organisation=ORGANISATION, activity_key=key, started_at=begin, packed=pack(held, begin)
    )


def _timed_transactions() -> list[float]:
    """How long each lasts that begins from now on, in seconds."""
    import time

    from django.db.transaction import Atomic

    enter, leave, begun, lasted = Atomic.__enter__, Atomic.__exit__, list[float](), list[float]()

    def timed_enter(self: Atomic) -> None:
        enter(self)
        begun.append(time.perf_counter())

    def timed_leave(self: Atomic, *raised: Any) -> None:
        leave(self, *raised)
        lasted.append(time.perf_counter() - begun.pop())

    Atomic.__enter__, Atomic.__exit__ = timed_enter, timed_leave  # type: ignore[method-assign]
    return lasted


def run() -> list[Result]:
    """Judging alone, with what is read for it; then with writing everybody's row, and with finding all the same."""
    import time
    from dataclasses import replace

    from rollcall.core.policy import Condition, Quantity
    from rollcall.derive.activity import fold_activities_due, gather
    from rollcall.derive.preview import preview
    from rollcall.feed.demanding import demand
    from rollcall.store.completions import Completion
    from rollcall.store.decisions import Activity

    key = make_activity()
    activity = Activity.objects.get()
    gathered = gather(activity)
    assert len(gathered.judge()) == PEOPLE
    judging = 1000 * median_seconds(gathered.judge)
    folding = 1000 * median_seconds(lambda: gather(activity).judge())
    transactions = _timed_transactions()
    began = time.perf_counter()
    assert list(fold_activities_due(now=1)) == [activity.pk]
    writing = 1000 * (time.perf_counter() - began)
    longest = 1000 * max(transactions)
    assert Completion.objects.count() == PEOPLE

    def again() -> None:
        demand([activity.pk], now=1)
        assert list(fold_activities_due(now=1)) == [activity.pk]

    same = 1000 * median_seconds(again)
    other = replace(gathered.decided.versions[0], conditions=(Condition(Quantity.TIME, 45 * MINUTE),))
    previewing = 1000 * median_seconds(lambda: preview(ORGANISATION, key, other))
    return [
        Result("activity.judge", judging, "ms"),
        limited("activity.fold", folding, "ms", 100),
        Result("activity.refold_same", same, "ms"),
        Result("activity.first_written", writing, "ms"),
        limited("activity.longest_transaction", longest, "ms", 50),
        limited("activity.preview", previewing, "ms", 300),
    ]


if __name__ == "__main__":
    from rollcall.cli.database import open_database

    open_database()
    print(as_lines(run()))
