"""Who is missing: said only where there is something to compare with, and with how much it was compared."""

from __future__ import annotations

from typing import Any

import pytest

from tests.makers import Attendee, make_meeting
from tests.reports.browsing import ADA, PAPADOPOULOS

pytestmark = pytest.mark.django_db

GUEST = Attendee(name="Somebody", uid="", kind="guest")
COURSE: dict[str, Any] = {"course": "12", "label": "Algebra"}


def _told(page: Any, summary: Any) -> str:
    tree = page(f"/meetings/{summary.meeting_id}")
    (section,) = tree.xpath("//section[@class='missing-people']")
    return " ".join(section.text_content().split())


def test_without_a_course_nobody_can_be_called_missing_or_present(page: Any) -> None:
    told = _told(page, make_meeting(ADA))

    assert "No LMS told which course this meeting belongs to" in told
    assert "seen in this one" not in told


def test_the_first_meeting_of_a_course_is_compared_with_none(page: Any) -> None:
    assert "This is the first meeting of its course" in _told(page, make_meeting(ADA, **COURSE))


def test_who_was_in_most_of_the_last_meetings_is_named_with_how_many(page: Any) -> None:
    make_meeting(ADA, PAPADOPOULOS, day="2026-11-17", internal="one", **COURSE)
    make_meeting(ADA, day="2026-11-18", internal="two", **COURSE)
    make_meeting(ADA, PAPADOPOULOS, day="2026-11-19", internal="three", **COURSE)
    everybody = _told(page, make_meeting(ADA, PAPADOPOULOS, day="2026-11-20", internal="four", **COURSE))
    told = _told(page, make_meeting(ADA, GUEST, day="2026-11-21", internal="five", **COURSE))

    assert "Everybody who was in more than half of the last 3 meetings of this course was seen" in everybody
    assert "in more than half of its last 4 meetings" in told
    assert f"{PAPADOPOULOS.name} 3 of 4" in told
    assert "1 guest or telephone caller was there" in told
    assert ADA.name not in told
