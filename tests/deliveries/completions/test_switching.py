"""Targets switched on and off while others work: on each database, with whatever both would write."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import Way
from rollcall.core.errors import Refused
from rollcall.deliveries import by_hand
from rollcall.deliveries import queue as relay
from rollcall.deliveries.completions import columns, natively
from rollcall.deliveries.completions.choosing import choices, targets_of
from rollcall.deliveries.completions.targets import switch_off
from rollcall.deliveries.relay_or_rule import BY_RULE
from rollcall.derive.activity import refold_activity
from rollcall.feed.deciding import By, Word, decide
from rollcall.lti import grades
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.in_hand import at_work
from rollcall.store.outbox import Delivery, State
from rollcall.store.owed import CompletionTarget, Owed, Owing
from rollcall.store.platforms import Platform
from tests.deliveries.completions.course_world import (
    ATTENDED,
    EVERYBODY,
    MET,
    TRUSTED,
    activity_at,
    by_key,
    by_rule,
    by_rule_anyway,
    course_at,
    enrol,
    judge,
    link_in,
    on,
    record_of,
    send,
)
from tests.deliveries.completions.outbox_world import owe, wish
from tests.deliveries.completions.test_ags import plain_client
from tests.deliveries.world import Clock, Worker, delivery_of
from tests.lti.service_standin import Site, learner
from tests.moodle import Moodle

pytestmark = pytest.mark.usefixtures("database")


def test_of_two_workers_that_make_a_column_one_takes_its_own_away(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    target = on(activity, f"ags:{course_at(gradebook).platform_id}:new")
    place = columns.place_of(CompletionTarget.objects.select_related("activity", "receiver__platform").get())
    assert isinstance(place, columns.Place)

    async def both() -> list[object]:
        async with plain_client() as http, at_work("test") as hands:
            held = Tokens(http, hands.in_thread, clock, TRUSTED)
            book = grades.Gradebook(held, place.client, place.columns_url, place.scopes)
            found = [columns.column_at(place, book, hands.in_thread, clock.now) for _ in range(2)]
            return list(await asyncio.gather(*found))

    urls = asyncio.run(both())
    assert len(set(urls)) == len(gradebook.columns) == 1
    target.refresh_from_db()
    assert target.line_item is not None
    assert target.line_item.url == urls[0]


def test_another_column_is_chosen_only_when_the_first_is_off_and_begins_anew(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    link = link_in(course_at(gradebook), gradebook, 2, activity)
    new, own = (f"ags:{link.context.platform_id}:{which}" for which in ("new", link.pk))
    target = on(activity, new)
    owe(target, wish("4", MET), now=clock)
    send(clock)
    with pytest.raises(Refused, match="another column"):
        on(activity, own)
    switch_off(target, now=clock.now)
    on(activity, new)
    assert Owed.objects.count() == 1, "the same column keeps what it is known to hold"
    switch_off(target, now=clock.now)
    assert on(activity, own) == target
    assert Owed.objects.count() == 0


def test_no_record_is_relayed_beside_our_rule(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    waiting = record_of(activity, moodle, "before", record="")
    asyncio.run(Worker(clock).work())
    assert delivery_of(waiting).state == State.WAITING
    on(activity, by_rule(activity))
    later = record_of(activity, moodle, "after")
    asyncio.run(Worker(clock).work(3))
    assert {(one.state, one.reason) for one in Delivery.objects.all()} == {(State.HELD, BY_RULE)}
    assert moodle.deliveries() == []
    with pytest.raises(Refused) as refused:
        by_hand.retry(later, clock.now)
    assert (refused.value.code, bool(refused.value.hint)) == (BY_RULE, True)
    switch_off(targets_of(activity)[0], now=clock.now)
    by_hand.retry(later, clock.now)
    asyncio.run(Worker(clock).work())
    assert delivery_of(later).state == State.SENT


def test_where_records_were_relayed_our_rule_is_refused(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    record_of(activity, moodle, "before")
    asyncio.run(Worker(clock).work())
    key = f"callback:{Platform.objects.get(site=moodle.base).pk}"
    assert "for ever" in by_key(choices(activity))[key].why_not
    with pytest.raises(Refused, match="passed on"):
        on(activity, key)
    assert targets_of(activity) == []


def test_a_record_that_was_about_to_leave_is_held_back(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    summary = record_of(activity, moodle, "now")
    asyncio.run(Worker(clock).work(0))
    from rollcall.deliveries.wanting import Wanting

    Wanting().look(clock.now)
    (claimed,) = relay.claim("worker-9", clock.now, {})
    with pytest.raises(Refused, match="passed on"):
        on(activity, by_rule_anyway(activity))
    CompletionTarget.objects.create(activity=activity, receiver=_receiver(moodle), pool_url=moodle.url(1), added_at=0)
    assert relay.begin(claimed, b"0" * 16, clock.now) is None
    assert (delivery_of(summary).state, delivery_of(summary).reason) == (State.HELD, BY_RULE)


@pytest.mark.parametrize(
    ("row", "may_be_asked_for"),
    [
        ({"state": Owing.SENDING}, False),
        ({"state": Owing.DUE, "is_unanswered": True}, True),
        ({"state": Owing.SENT, "sent": "done"}, True),
    ],
)
def test_no_record_is_relayed_unasked_once_our_rule_may_have_been_told(
    moodle: Moodle, clock: Clock, row: dict[str, Any], *, may_be_asked_for: bool
) -> None:
    activity = activity_at(moodle.base)
    record_of(activity, moodle, "before", record="")
    target = on(activity, by_rule(activity))
    owe(target, wish("4", MET), now=clock)
    Owed.objects.update(**row)
    switch_off(target, now=clock.now)
    later = record_of(activity, moodle, "after")
    asyncio.run(Worker(clock).work(2))
    assert delivery_of(later).state == State.HELD
    assert moodle.deliveries() == []
    if may_be_asked_for:
        by_hand.retry(later, clock.now)
        return
    with pytest.raises(Refused, match="passed on"):
        by_hand.retry(later, clock.now)


def test_a_class_ends_in_the_gradebook_and_a_correction_is_taken_back(gradebook: Site, clock: Clock) -> None:
    gradebook.members[:] = [learner(user) for user in ("4", "5", "6", "8")]
    activity = activity_at(gradebook.base, *EVERYBODY, record="callback", settles=None)
    course = course_at(gradebook)
    enrol(course, _4=True, _5=True, _6=True, _8=True, _3=False)
    link = link_in(course, gradebook, 2, activity)
    decide(activity, ATTENDED, by=By("tess", "instructor", ""), now=clock.now)
    on(activity, f"ags:{link.context.platform_id}:{link.pk}", from_at=0)
    judge(activity, clock)
    assert {user: gradebook.seen(2, user) for (_, user) in gradebook.grades} == {"4": 100, "6": 100}
    assert "60:00" in gradebook.grades[2, "4"]["comment"] or "1:00:00" in gradebook.grades[2, "4"]["comment"]
    judge(activity, clock, Word("4", Verdict.NOT_MET), Word("5", Verdict.MET))
    assert {user: gradebook.seen(2, user) for user in "456"} == {"4": None, "5": 100, "6": 100}
    judge(activity, clock, Word("4", Verdict.MET))
    assert gradebook.seen(2, "4") == 100
    before = len(gradebook.asked("/scores"))
    refold_activity(activity.pk, now=clock.now)
    send(clock, ticks=3)
    assert len(gradebook.asked("/scores")) == before == 5


def test_our_rule_is_told_where_the_moodle_is_registered_now(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    record_of(activity, moodle, "before", record="")
    on(activity, by_rule(activity))
    CompletionTarget.objects.update(pool_url=moodle.url(1).replace(moodle.base, "https://old.example"))
    made = natively.make(CompletionTarget.objects.select_related("activity", "receiver__platform").get(), None)  # type: ignore[arg-type]
    assert isinstance(made, natively.ByRule)
    assert made.place.url == moodle.url(1)


def test_a_class_is_completed_by_moodle_itself_and_stays_so(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base, *EVERYBODY, record="callback", settles=None)
    decide(activity, ATTENDED, by=By("tess", "instructor", ""), now=clock.now)
    on(activity, by_rule(activity), from_at=0)
    judge(activity, clock)
    assert moodle.completed(1) >= {4, 6}
    assert not moodle.completed(1) & {5, 8}
    judge(activity, clock, Word("4", Verdict.NOT_MET), Word("5", Verdict.MET))
    assert moodle.completed(1) >= {4, 5, 6}
    judge(activity, clock, Word("4", Verdict.MET))
    refold_activity(activity.pk, now=clock.now)
    send(clock, ticks=3)
    assert set(moodle.credited(1).values()) == {1}


def _receiver(moodle: Moodle) -> Any:
    from rollcall.store.owed import Receiver

    return Receiver.objects.create(platform=Platform.objects.get(site=moodle.base), way=Way.CALLBACK)
