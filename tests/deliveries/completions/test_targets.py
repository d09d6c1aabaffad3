"""What an activity's verdicts can be sent to: chosen, refused with a sentence, switched on, sent, switched off."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import NOTHING, Goal, Scoring, Way
from rollcall.core.errors import Refused
from rollcall.core.policy import Condition, Policy, Quantity
from rollcall.deliveries import by_hand
from rollcall.deliveries import queue as relay
from rollcall.deliveries.completions import columns
from rollcall.deliveries.completions.choosing import Choice, choices, targets_of
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.sender import Sender
from rollcall.deliveries.completions.targets import WouldSend, switch_off, switch_on, would_send
from rollcall.deliveries.relay_or_rule import BY_RULE
from rollcall.derive.activity import refold_activity
from rollcall.feed.deciding import By, Word, activity_for, decide
from rollcall.lti import grades, tokens
from rollcall.lti.deep_linking import TAG
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.in_hand import at_work
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.keys import key_of
from rollcall.store.outbox import Delivery, State
from rollcall.store.owed import CompletionTarget, Owed, Owing
from rollcall.store.platforms import Context, LineItem, Platform, ResourceLink
from tests import makers
from tests.deliveries.completions.outbox_world import owe, row_of, states, wish
from tests.deliveries.completions.test_ags import plain_client
from tests.deliveries.world import HOUR_MS, SECRET, Clock, Worker, connect, delivery_of, internal_id
from tests.deliveries.world import owe as owe_record
from tests.lti.asked_platform import key_pair
from tests.lti.service_standin import Site, learner, standing
from tests.makers import Attendee, at
from tests.moodle import Activity as InMoodle
from tests.moodle import Moodle

pytestmark = pytest.mark.django_db(transaction=True)

SCOPES = f"{grades.READ_SCOPE} {grades.MANAGE_SCOPE} {grades.RESULT_SCOPE} {grades.SCORE_SCOPE}"
FILLS_ONLY = f"{grades.READ_SCOPE} {grades.RESULT_SCOPE} {grades.SCORE_SCOPE}"
MET = Goal(is_done=True, thousandths=1000)
DONE = Goal(is_done=True)
TRUSTED = frozenset({"127.0.0.1"})


@pytest.fixture
def lms(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The gradebook of an LMS, on the clock of the test."""
    monkeypatch.setattr(tokens, "signing_key", lambda _now: key_pair())
    keys = {"kid-1": key_pair().private_key.public_key()}
    people = [learner("4"), learner("5")]
    with standing(Site(keys=keys, members=people, clock=lambda: clock.now / 1000)) as one:
        yield one


def activity_at(base: str, *people: Attendee, name: str = "Algebra", instance: str = "1", **meeting: Any) -> Activity:
    """An activity of a Moodle of one organisation, of which a class was held."""
    from rollcall.store.organisations import Organisation

    organisation = Organisation.objects.first() or makers.make_organisation()
    platform = Platform.objects.filter(site=base).first() or makers.make_platform(organisation, base, client_id="tool")
    Platform.objects.filter(pk=platform.pk).update(token_url=f"{base}/mod/lti/token.php", product="moodle")
    summary = makers.make_meeting(*people, name=name, site=base, course="2", organisation=organisation.pk, **meeting)
    key = key_of(base, "2", instance)
    external = f"{'a' * 40}-2-{instance}[0]"
    Summary.objects.filter(pk=summary.pk).update(activity_key=key, external_meeting_id=external)
    summary.evidence.activity_key = key
    summary.evidence.save()
    platform.pools.add(summary.meeting.pool)
    if not summary.meeting.pool.server.secrets.exists():
        connect(summary.meeting.pool, SECRET)
    return activity_for(organisation.pk, key, now=0)


def course_at(lms: Site, scopes: str = SCOPES) -> Context:
    platform = Platform.objects.get(site=lms.base)
    told = {"line_items_url": lms.columns_url, "grade_scopes": scopes, "launched_at": 0}
    return Context.objects.create(platform=platform, context_id="2", key=key_of("2"), **told)


def link_in(course: Context, lms: Site, number: int, activity: Activity | None, title: str = "Class") -> ResourceLink:
    """A link that launches Rollcall, with the column that it has of itself."""
    lms.columns[number] = {
        "id": lms.column_url(number),
        "label": title,
        "scoreMaximum": 100,
        "resourceId": "",
        "tag": "",
        "resourceLinkId": str(number),
    }
    of = bytes(activity.key).hex() if activity else ""
    link = {"title": title, "activity": of, "line_item_url": lms.column_url(number), "launched_at": 0}
    return ResourceLink.objects.create(context=course, link_id=str(number), key=key_of(str(number)), **link)


def on(activity: Activity, key: str, now: int = 0, **more: Any) -> CompletionTarget:
    told: dict[str, Any] = {"scoring": Scoring.PASS, "author": "tess", "language": "en"} | more
    return switch_on(activity, key, now=now, **told)


def send(clock: Clock, ticks: int = 1) -> None:
    """A worker's sender with its real drivers."""

    async def run() -> None:
        async with plain_client() as http, at_work("test") as hands:
            tools = Tools(http, hands.in_thread, clock, Tokens(http, hands.in_thread, clock, TRUSTED), TRUSTED)
            sender = Sender("worker", hands, tools)
            for _ in range(ticks):
                await sender.tick()
                await hands.finish()
                clock.now += 10 * 60_000

    asyncio.run(run())


def by_key(found: list[Choice]) -> dict[str, Choice]:
    return {one.key: one for one in found}


# -- what can be chosen ----------------------------------------------------------------------------------------------


def test_where_nobody_has_registered_rollcall_there_is_no_choice(lms: Site) -> None:
    activity = activity_at(lms.base)
    assert choices(Activity(organisation=99, key=activity.key, site=lms.base, context_id="2", instance="1")) == []


def test_each_way_that_is_not_possible_says_why(lms: Site) -> None:
    activity = activity_at(lms.base)
    found = choices(activity)
    assert [one.way for one in found] == [Way.AGS, Way.MOODLE, Way.CALLBACK]
    assert "Nobody has come to Rollcall from this course" in found[0].why_not
    assert all(one.hint for one in found if one.why_not)
    assert found[1].why_not
    assert found[2].why_not == ""


@pytest.mark.parametrize(
    ("scopes", "why_not"),
    [("", "does not let Rollcall send grades"), (FILLS_ONLY, "does not let Rollcall make one"), (SCOPES, "")],
)
def test_what_the_lms_grants_decides(lms: Site, scopes: str, why_not: str) -> None:
    activity = activity_at(lms.base)
    course_at(lms, scopes)
    (choice,) = [one for one in choices(activity) if one.way is Way.AGS]
    assert why_not in choice.why_not
    assert bool(why_not) == bool(choice.why_not)


def test_the_column_of_a_link_to_the_activity_goes_first(lms: Site) -> None:
    activity, other = activity_at(lms.base), activity_at(lms.base, name="Biology", instance="2")
    course = course_at(lms)
    whole, of_other, own = (link_in(course, lms, number, to) for number, to in ((2, None), (3, other), (4, activity)))
    keys = [one.key for one in choices(activity) if one.way is Way.AGS]
    assert keys == [f"ags:{course.platform_id}:{which}" for which in (own.pk, whole.pk, "new")]
    assert str(of_other.pk) not in "".join(keys)


def test_a_column_is_filled_by_one_activity(lms: Site) -> None:
    activity, other = activity_at(lms.base), activity_at(lms.base, name="Biology", instance="2")
    link = link_in(course_at(lms), lms, 2, None)
    key = f"ags:{link.context.platform_id}:{link.pk}"
    on(activity, key)
    assert by_key(choices(activity))[key].is_on
    assert "another activity" in by_key(choices(other))[key].why_not
    with pytest.raises(Refused, match="another activity"):
        on(other, key)
    switch_off(targets_of(activity)[0], now=1)
    on(other, key)


def test_elsewhere_than_in_moodle_a_link_says_which_course_it_is(lms: Site) -> None:
    activity = activity_at(lms.base)
    Activity.objects.filter(pk=activity.pk).update(site="127.0.0.1", context_id="", instance="")
    activity.refresh_from_db()
    link = link_in(course_at(lms), lms, 2, activity)
    assert [one.key for one in choices(activity)] == [
        f"ags:{link.context.platform_id}:{link.pk}",
        f"ags:{link.context.platform_id}:new",
    ]


# -- a gradebook -----------------------------------------------------------------------------------------------------


def test_the_column_of_a_link_is_filled_and_never_changed(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    link = link_in(course_at(lms), lms, 2, activity, title="My class")
    target = on(activity, f"ags:{link.context.platform_id}:{link.pk}")
    owe(target, wish("4", MET), wish("5", MET), now=clock)
    send(clock)
    assert states() == {Owing.SENT: 2}
    assert (lms.seen(2, "4"), lms.seen(2, "5"), list(lms.columns)) == (100, 100, [2])
    assert {one.method for one in lms.requests if one.path.endswith("/lineitem")} == set()
    assert not LineItem.objects.get().is_ours
    owe(target, wish("4", NOTHING), now=clock)
    send(clock)
    assert (lms.seen(2, "4"), row_of("4").state) == (None, Owing.SENT)


def test_a_column_is_made_when_there_is_something_to_send(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    course = course_at(lms)
    target = on(activity, f"ags:{course.platform_id}:new", language="de")
    send(clock)
    assert lms.requests == []
    owe(target, wish("4", MET), wish("5", MET), now=clock)
    send(clock)
    (column,) = lms.columns.values()
    assert (column["resourceId"], column["tag"]) == (bytes(activity.key).hex(), TAG)
    assert activity.label in column["label"]
    assert LineItem.objects.get().is_ours
    assert states() == {Owing.SENT: 2}


def test_a_column_that_was_made_and_forgotten_is_found(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    target = on(activity, f"ags:{course_at(lms).platform_id}:new")
    owe(target, wish("4", MET), now=clock)
    send(clock)
    CompletionTarget.objects.update(line_item=None)
    LineItem.objects.all().delete()
    owe(target, wish("5", MET), now=clock)
    send(clock)
    assert len(lms.columns) == 1
    assert LineItem.objects.get().is_ours


def test_a_deep_linked_activity_brings_its_column_and_that_one_completes_it(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    target = on(activity, f"ags:{course_at(lms).platform_id}:new")
    marks = {"resourceId": bytes(activity.key).hex(), "tag": TAG, "scoreMaximum": 100}
    lms.columns[7] = {"id": lms.column_url(7), "label": "made before", **marks}
    lms.columns[8] = {"id": lms.column_url(8), "label": "its own", "resourceLinkId": "3", **marks}
    owe(target, wish("4", MET), now=clock)
    send(clock)
    assert lms.seen(8, "4") == 100
    assert not LineItem.objects.get().is_ours


def test_of_two_workers_that_make_a_column_one_takes_its_own_away(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    target = on(activity, f"ags:{course_at(lms).platform_id}:new")
    place = columns.place_of(CompletionTarget.objects.select_related("activity", "receiver__platform").get())
    assert isinstance(place, columns.Place)

    async def both() -> list[object]:
        async with plain_client() as http, at_work("test") as hands:
            held = Tokens(http, hands.in_thread, clock, TRUSTED)
            book = grades.Gradebook(held, place.client, place.columns_url, place.scopes)
            found = [columns.column_at(place, book, hands.in_thread, clock.now) for _ in range(2)]
            return list(await asyncio.gather(*found))

    urls = asyncio.run(both())
    assert len(set(urls)) == len(lms.columns) == 1
    target.refresh_from_db()
    assert target.line_item is not None
    assert target.line_item.url == urls[0]


def test_another_column_is_chosen_only_when_the_first_is_off_and_begins_anew(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    link = link_in(course_at(lms), lms, 2, activity)
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


def test_a_column_of_its_own_that_was_deleted_is_made_again_when_it_is_switched_on_again(
    lms: Site, clock: Clock
) -> None:
    activity = activity_at(lms.base)
    key = f"ags:{course_at(lms).platform_id}:new"
    target = on(activity, key)
    owe(target, wish("4", MET), now=clock)
    send(clock)
    lms.columns.clear()
    lms.grades.clear()
    owe(target, wish("5", MET), now=clock)
    send(clock)
    target.refresh_from_db()
    assert (target.trouble, row_of("5").state) == ("column-gone", Owing.DUE)
    assert lms.columns == {}, "what somebody deleted is not made again by itself"
    switch_off(target, now=clock.now)
    on(activity, key)
    owe(target, wish("4", MET), wish("5", MET), now=clock)
    send(clock)
    assert states() == {Owing.SENT: 2}
    assert len(lms.columns) == 1


def test_the_column_of_a_link_goes_with_a_new_registration(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    link = link_in(course_at(lms), lms, 2, activity)
    ResourceLink.objects.update(line_item_url=lms.column_url(2).replace("type_id=1", "type_id=77"))
    target = on(activity, f"ags:{link.context.platform_id}:{link.pk}")
    owe(target, wish("4", MET), now=clock)
    send(clock)
    target.refresh_from_db()
    assert target.trouble == "not-authorized"
    ResourceLink.objects.update(line_item_url=lms.column_url(2))
    send(clock, ticks=2)
    assert lms.seen(2, "4") == 100


def test_a_course_whose_grades_are_granted_no_more_is_told(lms: Site, clock: Clock) -> None:
    activity = activity_at(lms.base)
    course = course_at(lms)
    target = on(activity, f"ags:{course.platform_id}:new")
    Context.objects.update(grade_scopes="")
    owe(target, wish("4", MET), now=clock)
    send(clock)
    target.refresh_from_db()
    assert target.trouble == "no-scope"


def test_what_was_asked_in_a_way_that_is_not_offered_is_refused(lms: Site) -> None:
    activity = activity_at(lms.base)
    for key, scoring in (("ags:1:99", "pass"), ("nonsense", "pass"), ("callback:1:2", "pass")):
        with pytest.raises(Refused, match="cannot be chosen"):
            on(activity, key, scoring=Scoring(scoring))
    with pytest.raises(Refused, match="only who has met"):
        on(activity, choices(activity)[2].key, scoring=Scoring.PERCENT)
    assert targets_of(activity) == []


# -- our rule, natively ----------------------------------------------------------------------------------------------


@pytest.fixture
def moodle(site: Moodle) -> Moodle:
    site.activities[1] = InMoodle("a" * 40, rules={"attendance": 1})
    return site


def by_rule(activity: Activity) -> str:
    return next(one.key for one in choices(activity) if one.way is Way.CALLBACK)


def test_who_has_met_the_rule_is_completed_by_moodle_itself(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    target = on(activity, by_rule(activity))
    assert target.pool_url == moodle.url(1)
    owe(target, wish("4", DONE), wish("5", DONE), wish("w_guest", DONE), now=clock)
    send(clock)
    assert moodle.completed(1) == {4, 5}
    assert (row_of("w_guest").state, row_of("w_guest").reason) == (Owing.REFUSED, "no-lms-user")


def test_a_moodle_that_names_its_host_alone_is_known_by_it(moodle: Moodle) -> None:
    activity = activity_at(moodle.base)
    Activity.objects.filter(pk=activity.pk).update(site="127.0.0.1")
    activity.refresh_from_db()
    assert [one.way for one in choices(activity)] == [Way.AGS, Way.MOODLE, Way.CALLBACK]
    assert on(activity, by_rule(activity)).pool_url == moodle.url(1)


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


def record_of(activity: Activity, moodle: Moodle, name: str, **more: Any) -> Summary:
    """A class of this activity whose record the LMS has asked for."""
    summary = owe_record(moodle, name=name, internal=internal_id(name), organisation=activity.organisation, **more)
    Summary.objects.filter(pk=summary.pk).update(activity_key=activity.key)
    return Summary.objects.select_related("meeting__pool").get(pk=summary.pk)


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


def by_rule_anyway(activity: Activity) -> str:
    return f"callback:{Platform.objects.get(site=activity.site).pk}"


def _receiver(moodle: Moodle) -> Any:
    from rollcall.store.owed import Receiver

    return Receiver.objects.create(platform=Platform.objects.get(site=moodle.base), way=Way.CALLBACK)


def test_without_a_secret_of_the_server_it_cannot_be_chosen(moodle: Moodle) -> None:
    activity = activity_at(moodle.base)
    summary = Summary.objects.get()
    summary.meeting.pool.server.secrets.all().delete()
    found = by_key(choices(activity))[by_rule_anyway(activity)]
    assert "No shared secret" in found.why_not


# -- how many it would be --------------------------------------------------------------------------------------------

PEOPLE = (
    Attendee(name="Ana", uid="4", proved=(("10:00", "11:00"),)),
    Attendee(name="Ben", uid="5", proved=(("10:00", "10:20"),)),
    Attendee(name="Chloe", uid="6", proved=(("10:00", "10:50"),)),
)
ATTENDED = Policy(conditions=(Condition(Quantity.TIME, 45 * 60_000),))


def test_how_many_would_be_sent_is_told_before(moodle: Moodle) -> None:
    activity = activity_at(moodle.base, *PEOPLE, record="callback", settles=None)
    assert would_send(activity, Way.MOODLE, Scoring.PASS) == WouldSend(0, 0)
    decide(activity, ATTENDED, by=By("tess", "instructor", ""), now=at("12:00"))
    refold_activity(activity.pk, now=at("12:00"))
    assert would_send(activity, Way.MOODLE, Scoring.PASS) == WouldSend(2, 0)
    assert would_send(activity, Way.MOODLE, Scoring.PASS, from_at=at("12:00")) == WouldSend(0, 2)
    target = on(activity, by_rule(activity), at("12:00"), from_at=0)
    refold_activity(activity.pk, now=at("12:01"))
    assert Owed.objects.count() == 2
    Owed.objects.filter(external_user_id="4").update(sent="done")
    assert would_send(activity, Way.CALLBACK, Scoring.PASS, target=target) == WouldSend(1, 0)
    decide(activity, Word("5", Verdict.MET), by=By("tess", "instructor", "was there"), now=at("12:02"))
    refold_activity(activity.pk, now=at("12:03"))
    assert would_send(activity, Way.CALLBACK, Scoring.PASS, target=target) == WouldSend(2, 0)


def test_switching_has_the_activity_judged_anew(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    before = Activity.objects.get(pk=activity.pk).appended
    target = on(activity, by_rule(activity), now=clock.now)
    assert target.from_at == clock.now
    switch_off(target, now=clock.now + HOUR_MS)
    after = Activity.objects.get(pk=activity.pk)
    assert (after.appended, after.due_at) == (before + 2, clock.now)


# -- from a class to the LMS -----------------------------------------------------------------------------------------

EVERYBODY = (
    *PEOPLE,
    Attendee(name="Tess", uid="3", role="MODERATOR", proved=(("10:00", "11:00"),)),
    Attendee(name="Guest", uid="w_guest", kind="guest", proved=(("10:00", "11:00"),)),
    Attendee(name="Left", uid="7", proved=(("10:00", "11:00"),)),
    Attendee(name="Dora", uid="8", proved=(("10:00", "10:40"),), possible=(("10:00", "11:00"),)),
)
"""Who stayed, who did not, a teacher, a guest, somebody who has left the course, somebody of whom it cannot be told."""


def enrol(course: Context, **people: bool) -> None:
    """The roster as it was read: learners, and others."""
    from rollcall.store.platforms import Member

    Context.objects.filter(pk=course.pk).update(roster_at=at("09:00"))
    for user, is_learner in people.items():
        user_id = user.removeprefix("_")
        told = {"is_learner": is_learner, "is_instructor": not is_learner, "from_at": at("09:00")}
        Member.objects.create(context=course, user_id=user_id, user_key=key_of(user_id), **told)


def judge(activity: Activity, clock: Clock, *decisions: Any) -> None:
    """What somebody decides, what follows, and what is sent because of it."""
    for decision in decisions:
        decide(activity, decision, by=By("tess", "instructor", "she said so"), now=clock.now)
    refold_activity(activity.pk, now=clock.now)
    send(clock)


def test_a_class_ends_in_the_gradebook_and_a_correction_is_taken_back(lms: Site, clock: Clock) -> None:
    lms.members[:] = [learner(user) for user in ("4", "5", "6", "8")]
    activity = activity_at(lms.base, *EVERYBODY, record="callback", settles=None)
    course = course_at(lms)
    enrol(course, _4=True, _5=True, _6=True, _8=True, _3=False)
    link = link_in(course, lms, 2, activity)
    decide(activity, ATTENDED, by=By("tess", "instructor", ""), now=clock.now)
    on(activity, f"ags:{link.context.platform_id}:{link.pk}", from_at=0)
    judge(activity, clock)
    assert {user: lms.seen(2, user) for (_, user) in lms.grades} == {"4": 100, "6": 100}
    assert "60:00" in lms.grades[2, "4"]["comment"] or "1:00:00" in lms.grades[2, "4"]["comment"]
    judge(activity, clock, Word("4", Verdict.NOT_MET), Word("5", Verdict.MET))
    assert {user: lms.seen(2, user) for user in "456"} == {"4": None, "5": 100, "6": 100}
    judge(activity, clock, Word("4", Verdict.MET))
    assert lms.seen(2, "4") == 100
    before = len(lms.asked("/scores"))
    refold_activity(activity.pk, now=clock.now)
    send(clock, ticks=3)
    assert len(lms.asked("/scores")) == before == 5


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
