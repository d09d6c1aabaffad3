"""A course of an LMS with a gradebook and BigBlueButton activities, whose verdicts are sent by the real drivers."""

from __future__ import annotations

import asyncio
from typing import Any

from rollcall.core.deliveries import Goal, Scoring, Way
from rollcall.core.policy import Condition, Policy, Quantity
from rollcall.deliveries.completions.choosing import Choice, choices
from rollcall.deliveries.completions.drivers import Tools
from rollcall.deliveries.completions.sender import Sender
from rollcall.deliveries.completions.targets import switch_on
from rollcall.derive.activity import refold_activity
from rollcall.feed.deciding import By, activity_for, decide
from rollcall.lti import grades
from rollcall.lti.tokens import Tokens
from rollcall.outgoing.in_hand import at_work
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget
from rollcall.store.platforms import Context, Platform, ResourceLink
from tests import makers
from tests.deliveries.completions.test_ags import plain_client
from tests.deliveries.world import SECRET, Clock, connect, internal_id
from tests.deliveries.world import owe as owe_record
from tests.lti.service_standin import Site
from tests.makers import Attendee, at
from tests.moodle import Moodle

SCOPES = f"{grades.READ_SCOPE} {grades.MANAGE_SCOPE} {grades.RESULT_SCOPE} {grades.SCORE_SCOPE}"
FILLS_ONLY = f"{grades.READ_SCOPE} {grades.RESULT_SCOPE} {grades.SCORE_SCOPE}"
MET = Goal(is_done=True, thousandths=1000)
DONE = Goal(is_done=True)
TRUSTED = frozenset({"127.0.0.1"})


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


def course_at(gradebook: Site, scopes: str = SCOPES) -> Context:
    platform = Platform.objects.get(site=gradebook.base)
    told = {"line_items_url": gradebook.columns_url, "grade_scopes": scopes, "launched_at": 0}
    return Context.objects.create(platform=platform, context_id="2", key=key_of("2"), **told)


def link_in(
    course: Context, gradebook: Site, number: int, activity: Activity | None, title: str = "Class"
) -> ResourceLink:
    """A link that launches Rollcall, with the column that it has of itself."""
    gradebook.columns[number] = {
        "id": gradebook.column_url(number),
        "label": title,
        "scoreMaximum": 100,
        "resourceId": "",
        "tag": "",
        "resourceLinkId": str(number),
    }
    of = bytes(activity.key).hex() if activity else ""
    link = {"title": title, "activity": of, "line_item_url": gradebook.column_url(number), "launched_at": 0}
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


def by_rule(activity: Activity) -> str:
    return next(one.key for one in choices(activity) if one.way is Way.CALLBACK)


def record_of(activity: Activity, moodle: Moodle, name: str, **more: Any) -> Summary:
    """A class of this activity whose record the LMS has asked for."""
    summary = owe_record(moodle, name=name, internal=internal_id(name), organisation=activity.organisation, **more)
    Summary.objects.filter(pk=summary.pk).update(activity_key=activity.key)
    return Summary.objects.select_related("meeting__pool").get(pk=summary.pk)


def by_rule_anyway(activity: Activity) -> str:
    return f"callback:{Platform.objects.get(site=activity.site).pk}"


PEOPLE = (
    Attendee(name="Ana", uid="4", proved=(("10:00", "11:00"),)),
    Attendee(name="Ben", uid="5", proved=(("10:00", "10:20"),)),
    Attendee(name="Chloe", uid="6", proved=(("10:00", "10:50"),)),
)
ATTENDED = Policy(conditions=(Condition(Quantity.TIME, 45 * 60_000),))


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
