"""Verdicts of a class, as its fold would keep them, and what an LMS is owed for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from rollcall.core.policy import MINUTE_MS, Quantity
from rollcall.core.verdicts import NOT_MET, ClassVerdict, Doubt, Measured, PersonVerdict, Verdict
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from rollcall.store.completions import Completion
    from rollcall.store.decisions import Activity
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.owed import Owed

NEEDED_MS = 45 * MINUTE_MS


def verdict_in(meeting: int, row: Attendance) -> bytes:
    """Somebody's, not met, as it is kept of the class of this meeting."""
    found = verdict_on(row.external_user_id, NOT_MET, low=2_290_000, high=2_290_000, began_at=row.started_at)
    return msgspec.json.encode(replace(found, classes=(found.classes[0]._replace(meetings=(str(meeting),)),)))


def verdict_on(user: str, verdict: Verdict, *, low: int, high: int | None, began_at: int = 0) -> PersonVerdict:
    """One class, of which 45 minutes are needed; durations in ms."""
    measured = Measured(Quantity.TIME, low, high, NEEDED_MS, verdict)
    doubts = () if verdict is Verdict.MET else (Doubt("away", began_at + MINUTE_MS, began_at + 3 * MINUTE_MS),)
    one = ClassVerdict(("1",), began_at, Verdict.MET, 0, verdict, verdict, (measured,), doubts)
    met = (int(verdict is Verdict.MET), int(verdict is not NOT_MET))
    return PersonVerdict(
        user_id=user,
        computed=verdict,
        verdict=verdict,
        met=met,
        needed=1,
        share=(1000 * met[0], 1000 * met[1]),
        measured=(),
        classes=(one,),
    )


def make_activity(summary: Summary, **fields: Any) -> Activity:
    """The activity of a meeting, of which somebody has decided something."""
    from rollcall.store.decisions import Activity

    told = {"site": summary.site, "context_id": summary.context_id, "label": summary.name, "made_at": 0}
    place = {"organisation": summary.organisation, "key": bytes(summary.activity_key)}
    return Activity.objects.get_or_create(**place, defaults=told | fields)[0]


def judge(row: Attendance, verdict: Verdict = NOT_MET, *, high: int | None = 2_290_000, **fields: Any) -> Completion:
    """Somebody's verdict in the activity of the meeting they were in."""
    from rollcall.store.completions import Completion

    activity = make_activity(row.summary)
    found = verdict_on(row.external_user_id, verdict, low=high or 0, high=high, began_at=row.started_at)
    told = {
        "activity": activity,
        "organisation": activity.organisation,
        "user_key": key_of(row.external_user_id),
        "external_user_id": row.external_user_id,
        "person": row.person,
        "name": row.name,
        "name_key": row.name_key,
        "sort_key": row.sort_key,
        "verdict": found.verdict,
        "computed": found.computed,
        "met_low": found.met[0],
        "met_high": found.met[1],
        "needed": found.needed,
        "share_low": found.share[0],
        "share_high": found.share[1],
        "detail": msgspec.json.encode(found),
    }
    return Completion.objects.create(**told | fields)


def owe(completion: Completion, way: str = "ags", **fields: Any) -> Owed:
    """What an LMS is to hold of a verdict."""
    from rollcall.store.organisations import Organisation
    from rollcall.store.owed import CompletionTarget, Owed, Receiver
    from rollcall.store.platforms import Platform
    from tests.makers import make_organisation, make_platform

    activity = completion.activity
    organisation = Organisation.objects.filter(pk=activity.organisation).first() or make_organisation()
    site = activity.site or "https://moodle.example"
    platform = Platform.objects.filter(site=site).first() or make_platform(organisation, site)
    receiver, _ = Receiver.objects.get_or_create(platform=platform, way=way)
    target, _ = CompletionTarget.objects.get_or_create(activity=activity, receiver=receiver, defaults={"added_at": 0})
    told = {
        "target": target,
        "user_key": bytes(completion.user_key),
        "external_user_id": completion.external_user_id,
        "wanted": "done:1000",
        "reasons": bytes(completion.detail),
        "wanted_at": 0,
        "state": "due",
    }
    return Owed.objects.create(**told | fields)
