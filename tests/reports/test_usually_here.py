"""Who is missing: said only where there is something to compare with, and with how much it was compared."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.makers import Attendee, make_meeting
from tests.reports.browsing import ADA, PAPADOPOULOS
from tests.reports.pdf.printed import text_of

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


HOSTILE = "=1+1 <b>*x* \u202egnp"


@pytest.fixture
def register(page: Any) -> Any:
    """The files of a meeting in which one of two who always come was not seen, and messages may be missing."""
    missing = Attendee(name=HOSTILE, uid="77")
    for day in ("2026-11-18", "2026-11-19"):
        make_meeting(ADA, missing, day=day, internal=day, **COURSE)
    witnesses = {"polls": {"count": 3, "first_at": 0, "last_at": 0}}
    summary = make_meeting(ADA, blind=(("10:20", "10:25", "downtime"),), witnesses=witnesses, **COURSE)
    return lambda kind: page.client.get(f"/meetings/{summary.meeting_id}.{kind}").getvalue()


def test_who_is_missing_stands_under_a_key_of_the_json(register: Any) -> None:
    said = json.loads(register("json"))["missing"]

    assert (said["ground"], said["compared"]) == ("last-meetings", 2)
    assert said["people"] == [{"name": HOSTILE, "external_user_id": "77", "standing": "usual", "meetings": 2}]


def test_who_is_missing_has_a_sheet_of_the_workbook(register: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(register("xlsx")))

    assert book.sheetnames[1:] == ["Usually here, not seen", "About"]
    heading, row = book.worksheets[1].iter_rows()
    assert [cell.value for cell in heading] == ["Name", "User id", "Why"]
    assert [cell.value for cell in row] == [HOSTILE, "77", "in 2 of the last 2 meetings"]
    assert {cell.data_type for cell in row} == {"s"}
    assert all(cell.quotePrefix for cell in row)


def test_who_is_missing_and_what_is_doubtful_is_printed(register: Any, tmp_path: Path) -> None:
    text = " ".join(text_of(register("pdf"), tmp_path).split())

    assert "Usually here, not seen" in text
    assert "in 2 of the last 2 meetings" in text
    assert "=1+1 <b>*x*" in text
    assert "Told by polls; not by webhooks, analytics callback, events.xml." in text
    assert "1 time in which messages may be missing: 10:20:00–" in text
    assert "10:25:00 (Rollcall was not running)" in text


def test_of_a_running_meeting_nobody_is_missing_yet(page: Any) -> None:
    summary = make_meeting(ADA, ended=None, **COURSE)

    assert "missing" not in json.loads(page.client.get(f"/meetings/{summary.meeting_id}.json").getvalue())
