"""How the person of an attendance stands on the roster of its course today, as a condition on rows."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef, Q

from rollcall.core.roster import Enrolment
from rollcall.store.platforms import Context, Member

STANDINGS: Final = (Enrolment.ENROLLED, Enrolment.LEFT, Enrolment.NOT_ENROLLED)


def stands(standing: str) -> Q:
    """Of an attendance of a user whose course has a roster: that this is how they stand on it."""
    of_course = {
        "platform__organisation": OuterRef("organisation"),
        "platform__site": OuterRef("summary__course__site"),
        "context_id": OuterRef("summary__course__context_id"),
    }
    stays = Member.objects.filter(
        user_key=OuterRef("person__external_key"), **{f"context__{name}": value for name, value in of_course.items()}
    )
    is_enrolled, was_ever = Exists(stays.filter(until_at=None)), Exists(stays)
    if standing == Enrolment.ENROLLED:
        return Q(is_enrolled, kind="user")
    if standing == Enrolment.LEFT:
        return Q(was_ever, kind="user") & ~Q(is_enrolled)
    is_known = Exists(Context.objects.filter(roster_at__isnull=False, **of_course))
    return Q(is_known, kind="user") & ~Q(was_ever)
