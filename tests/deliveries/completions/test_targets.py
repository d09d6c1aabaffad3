"""What an activity's verdicts can be sent to: chosen, refused with a sentence, switched on, sent, switched off."""

from __future__ import annotations

import pytest

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import NOTHING, Scoring, Way
from rollcall.core.errors import Refused
from rollcall.deliveries.completions import by_hand as of_completions
from rollcall.deliveries.completions.choosing import choices, targets_of
from rollcall.deliveries.completions.targets import WouldSend, switch_off, would_send
from rollcall.derive.activity import refold_activity
from rollcall.feed.deciding import By, Word, decide
from rollcall.lti.deep_linking import TAG
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, Owed, Owing
from rollcall.store.platforms import Context, LineItem, ResourceLink
from tests.deliveries.completions.course_world import (
    ATTENDED,
    DONE,
    FILLS_ONLY,
    MET,
    PEOPLE,
    SCOPES,
    activity_at,
    by_key,
    by_rule,
    by_rule_anyway,
    course_at,
    link_in,
    on,
    send,
)
from tests.deliveries.completions.outbox_world import owe, row_of, states, wish
from tests.deliveries.world import HOUR_MS, Clock
from tests.lti.service_standin import Site
from tests.makers import at
from tests.moodle import Moodle

pytestmark = pytest.mark.django_db(transaction=True)

# -- what can be chosen ----------------------------------------------------------------------------------------------


def test_where_nobody_has_registered_rollcall_there_is_no_choice(gradebook: Site) -> None:
    activity = activity_at(gradebook.base)
    assert choices(Activity(organisation=99, key=activity.key, site=gradebook.base, context_id="2", instance="1")) == []


def test_each_way_that_is_not_possible_says_why(gradebook: Site) -> None:
    activity = activity_at(gradebook.base)
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
def test_what_the_lms_grants_decides(gradebook: Site, scopes: str, why_not: str) -> None:
    activity = activity_at(gradebook.base)
    course_at(gradebook, scopes)
    (choice,) = [one for one in choices(activity) if one.way is Way.AGS]
    assert why_not in choice.why_not
    assert bool(why_not) == bool(choice.why_not)


def test_the_column_of_a_link_to_the_activity_goes_first(gradebook: Site) -> None:
    activity, other = activity_at(gradebook.base), activity_at(gradebook.base, name="Biology", instance="2")
    course = course_at(gradebook)
    whole, of_other, own = (
        link_in(course, gradebook, number, to) for number, to in ((2, None), (3, other), (4, activity))
    )
    keys = [one.key for one in choices(activity) if one.way is Way.AGS]
    assert keys == [f"ags:{course.platform_id}:{which}" for which in (own.pk, whole.pk, "new")]
    assert str(of_other.pk) not in "".join(keys)


def test_a_column_is_filled_by_one_activity(gradebook: Site) -> None:
    activity, other = activity_at(gradebook.base), activity_at(gradebook.base, name="Biology", instance="2")
    link = link_in(course_at(gradebook), gradebook, 2, None)
    key = f"ags:{link.context.platform_id}:{link.pk}"
    on(activity, key)
    assert by_key(choices(activity))[key].is_on
    assert "another activity" in by_key(choices(other))[key].why_not
    with pytest.raises(Refused, match="another activity"):
        on(other, key)
    switch_off(targets_of(activity)[0], now=1)
    on(other, key)


def test_a_link_of_another_course_draws_no_verdicts_into_its_gradebook(gradebook: Site) -> None:
    activity = activity_at(gradebook.base)
    course = course_at(gradebook)
    Context.objects.filter(pk=course.pk).update(context_id="3", key=key_of("3"))
    course.refresh_from_db()
    link_in(course, gradebook, 2, activity)
    (choice,) = [one for one in choices(activity) if one.way is Way.AGS]
    assert "Nobody has come to Rollcall from this course" in choice.why_not


def test_elsewhere_than_in_moodle_a_link_says_which_course_it_is(gradebook: Site) -> None:
    activity = activity_at(gradebook.base)
    Activity.objects.filter(pk=activity.pk).update(site="127.0.0.1", context_id="", instance="")
    activity.refresh_from_db()
    link = link_in(course_at(gradebook), gradebook, 2, activity)
    assert [one.key for one in choices(activity)] == [
        f"ags:{link.context.platform_id}:{link.pk}",
        f"ags:{link.context.platform_id}:new",
    ]


# -- a gradebook -----------------------------------------------------------------------------------------------------


def test_the_column_of_a_link_is_filled_and_never_changed(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    link = link_in(course_at(gradebook), gradebook, 2, activity, title="My class")
    target = on(activity, f"ags:{link.context.platform_id}:{link.pk}")
    owe(target, wish("4", MET), wish("5", MET), now=clock)
    send(clock)
    assert states() == {Owing.SENT: 2}
    assert (gradebook.seen(2, "4"), gradebook.seen(2, "5"), list(gradebook.columns)) == (100, 100, [2])
    assert {one.method for one in gradebook.requests if one.path.endswith("/lineitem")} == set()
    assert not LineItem.objects.get().is_ours
    owe(target, wish("4", NOTHING), now=clock)
    send(clock)
    assert (gradebook.seen(2, "4"), row_of("4").state) == (None, Owing.SENT)


def test_a_column_is_made_when_there_is_something_to_send(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    course = course_at(gradebook)
    target = on(activity, f"ags:{course.platform_id}:new", language="de")
    send(clock)
    assert gradebook.requests == []
    owe(target, wish("4", MET), wish("5", MET), now=clock)
    send(clock)
    (column,) = gradebook.columns.values()
    assert (column["resourceId"], column["tag"]) == (bytes(activity.key).hex(), TAG)
    assert activity.label in column["label"]
    assert LineItem.objects.get().is_ours
    assert states() == {Owing.SENT: 2}


def test_a_column_that_was_made_and_forgotten_is_found(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    target = on(activity, f"ags:{course_at(gradebook).platform_id}:new")
    owe(target, wish("4", MET), now=clock)
    send(clock)
    CompletionTarget.objects.update(line_item=None)
    LineItem.objects.all().delete()
    owe(target, wish("5", MET), now=clock)
    send(clock)
    assert len(gradebook.columns) == 1
    assert LineItem.objects.get().is_ours


def test_a_deep_linked_activity_brings_its_column_and_that_one_completes_it(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    target = on(activity, f"ags:{course_at(gradebook).platform_id}:new")
    marks = {"resourceId": bytes(activity.key).hex(), "tag": TAG, "scoreMaximum": 100}
    gradebook.columns[7] = {"id": gradebook.column_url(7), "label": "made before", **marks}
    gradebook.columns[8] = {"id": gradebook.column_url(8), "label": "its own", "resourceLinkId": "3", **marks}
    owe(target, wish("4", MET), now=clock)
    send(clock)
    assert gradebook.seen(8, "4") == 100
    assert not LineItem.objects.get().is_ours


def test_a_column_of_its_own_that_was_deleted_is_made_again_when_it_is_switched_on_again(
    gradebook: Site, clock: Clock
) -> None:
    activity = activity_at(gradebook.base)
    key = f"ags:{course_at(gradebook).platform_id}:new"
    target = on(activity, key)
    owe(target, wish("4", MET), now=clock)
    send(clock)
    gradebook.columns.clear()
    gradebook.grades.clear()
    owe(target, wish("5", MET), now=clock)
    send(clock)
    target.refresh_from_db()
    assert (target.trouble, row_of("5").state) == ("column-gone", Owing.DUE)
    assert gradebook.columns == {}, "what somebody deleted is not made again by itself"
    switch_off(target, now=clock.now)
    on(activity, key)
    owe(target, wish("4", MET), wish("5", MET), now=clock)
    send(clock)
    assert states() == {Owing.SENT: 2}
    assert len(gradebook.columns) == 1


def test_switched_on_anew_for_later_classes_it_forgets_what_it_was_to_send_and_not_what_it_has_sent(
    gradebook: Site, clock: Clock
) -> None:
    activity = activity_at(gradebook.base)
    key = f"ags:{course_at(gradebook).platform_id}:new"
    target = on(activity, key, from_at=0)
    owe(target, wish("4", MET), now=clock)
    send(clock)
    owe(target, wish("5", MET), now=clock)
    switch_off(target, now=clock.now)
    on(activity, key, from_at=clock.now)
    assert {row.external_user_id: row.state for row in Owed.objects.all()} == {"4": Owing.SENT}


def test_the_column_of_a_link_goes_with_a_new_registration(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    link = link_in(course_at(gradebook), gradebook, 2, activity)
    ResourceLink.objects.update(line_item_url=gradebook.column_url(2).replace("type_id=1", "type_id=77"))
    target = on(activity, f"ags:{link.context.platform_id}:{link.pk}")
    owe(target, wish("4", MET), now=clock)
    send(clock)
    target.refresh_from_db()
    assert target.trouble == "not-authorized"
    ResourceLink.objects.update(line_item_url=gradebook.column_url(2))
    send(clock, ticks=2)
    assert gradebook.seen(2, "4") == 100


def test_a_course_whose_grades_are_granted_no_more_is_told(gradebook: Site, clock: Clock) -> None:
    activity = activity_at(gradebook.base)
    course = course_at(gradebook)
    target = on(activity, f"ags:{course.platform_id}:new")
    Context.objects.update(grade_scopes="")
    owe(target, wish("4", MET), now=clock)
    send(clock)
    target.refresh_from_db()
    assert target.trouble == "no-scope"


def test_what_was_asked_in_a_way_that_is_not_offered_is_refused(gradebook: Site) -> None:
    activity = activity_at(gradebook.base)
    for key, scoring in (("ags:1:99", "pass"), ("nonsense", "pass"), ("callback:1:2", "pass")):
        with pytest.raises(Refused, match="cannot be chosen"):
            on(activity, key, scoring=Scoring(scoring))
    with pytest.raises(Refused, match="only who has met"):
        on(activity, choices(activity)[2].key, scoring=Scoring.PERCENT)
    assert targets_of(activity) == []


# -- our rule, natively ----------------------------------------------------------------------------------------------


def test_who_has_met_the_rule_is_completed_by_moodle_itself(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    target = on(activity, by_rule(activity))
    assert target.pool_url == moodle.url(1)
    owe(target, wish("4", DONE), wish("5", DONE), wish("w_guest", DONE), now=clock)
    send(clock)
    assert moodle.completed(1) == {4, 5}
    assert (row_of("w_guest").state, row_of("w_guest").reason) == (Owing.REFUSED, "no-lms-user")


def test_what_moodle_could_not_keep_is_sent_again_under_another_id(moodle: Moodle, clock: Clock) -> None:
    activity = activity_at(moodle.base)
    target = on(activity, by_rule(activity))
    owe(target, wish("4", DONE), now=clock)
    moodle.breaks_after = 0
    send(clock)
    assert (row_of("4").state, row_of("4").reason) == (Owing.REFUSED, "broken-off")
    moodle.breaks_after = None
    of_completions.retry(row_of("4").pk, now=clock.now)
    send(clock)
    assert (row_of("4").state, moodle.completed(1)) == (Owing.SENT, {4})
    of_completions.resend(row_of("4").pk, now=clock.now)
    send(clock)
    assert moodle.credited(1) == {4: 2}, "a person asked for it once more"


def test_a_moodle_that_names_its_host_alone_is_known_by_it(moodle: Moodle) -> None:
    activity = activity_at(moodle.base)
    Activity.objects.filter(pk=activity.pk).update(site="127.0.0.1")
    activity.refresh_from_db()
    assert [one.way for one in choices(activity)] == [Way.AGS, Way.MOODLE, Way.CALLBACK]
    assert on(activity, by_rule(activity)).pool_url == moodle.url(1)


def test_without_a_secret_of_the_server_it_cannot_be_chosen(moodle: Moodle) -> None:
    activity = activity_at(moodle.base)
    summary = Summary.objects.get()
    summary.meeting.pool.server.secrets.all().delete()
    found = by_key(choices(activity))[by_rule_anyway(activity)]
    assert "No shared secret" in found.why_not


# -- how many it would be --------------------------------------------------------------------------------------------


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
