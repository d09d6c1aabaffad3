"""Rosters are not kept for ever."""

from __future__ import annotations

import pytest

from rollcall.core.roster import Enrolled
from rollcall.lti import roster
from rollcall.store import rosters
from rollcall.store.platforms import Member, Platform, Teacher
from tests.lti.asked_platform import DAY_MS, make_context
from tests.lti.service_standin import Site

pytestmark = pytest.mark.django_db


def test_who_left_long_ago_is_forgotten_and_who_is_there_is_not() -> None:
    context = make_context(Site(base="https://moodle.example.org"))
    roster.keep(context.pk, {user: Enrolled(user) for user in "456"}, 0)
    roster.keep(context.pk, {user: Enrolled(user) for user in "46"}, DAY_MS)
    roster.keep(context.pk, {user: Enrolled(user) for user in "4"}, 2 * DAY_MS)
    assert rosters.forget(401 * DAY_MS) == 0
    assert rosters.forget(401 * DAY_MS + 1) == 1
    assert sorted(Member.objects.values_list("user_id", flat=True)) == ["4", "6"]


def test_rosters_of_an_lms_that_was_removed_go_a_month_later() -> None:
    context = make_context(Site(base="https://moodle.example.org"))
    roster.keep(context.pk, {user: Enrolled(user) for user in "456"}, 0)
    roster.came_as_instructor(context, "3", 0)
    Platform.objects.update(removed_at=DAY_MS)
    assert rosters.forget(31 * DAY_MS) == 0
    assert rosters.forget(31 * DAY_MS + 1) == 3
    assert not Teacher.objects.exists()
