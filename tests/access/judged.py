"""What was decided of the school's activities, and everybody's verdict in them, as the folds would write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rollcall.core.activity import PersonVerdict, Verdict
from rollcall.core.policy import Condition, Policy, Quantity
from rollcall.feed.deciding import By, activity_for, decide
from rollcall.store.completions import Completion
from rollcall.store.derived import Attendance
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from tests.access.places import School

NOW = 1_795_348_800_000


def judge(school: School) -> None:
    """A policy for each activity, published by its own organisation, and a verdict for whoever was in one."""
    for names in school.activities().values():
        summary = school.meetings[names[0]]
        activity = activity_for(summary.organisation, bytes(summary.activity_key), now=NOW)
        decide(activity, Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("qstaff", "staff"), now=NOW)
        rows = Attendance.objects.filter(summary__in=[school.meetings[name] for name in names], kind="user")
        for user, row in {row.external_user_id: row for row in rows}.items():
            verdict = PersonVerdict(
                user_id=user,
                computed=Verdict.MET,
                verdict=Verdict.MET,
                met=(1, 1),
                needed=1,
                share=(1000, 1000),
                measured=(),
                classes=(),
            )
            Completion.objects.create(
                activity=activity,
                organisation=activity.organisation,
                user_key=key_of(user),
                external_user_id=user,
                person=row.person,
                name=row.name,
                name_key=row.name_key,
                sort_key=row.name_key.encode(),
                verdict="met",
                computed="met",
                detail=msgspec.json.encode(verdict),
            )
