"""In a class with breakout rooms each fact says of which it is; a person has none of rooms they never entered."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from rollcall.reports.details import attendance_detail, summary_detail
from rollcall.reports.facts import ShownFact, facts_of_attendee, facts_of_meeting
from rollcall.store import reading
from tests.makers import operator
from tests.reports.three_witnesses import class_of, keep

if TYPE_CHECKING:
    from rollcall.store.derived import Attendance, Summary

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def summary() -> Summary:
    return keep(class_of(rooms=3, people=12), "webhooks", "polls", "recording")


def room_names(summary: Summary) -> dict[str, str]:
    return {room.meeting: room.name for room in summary_detail(summary.detail).meetings if room.is_breakout}


def rooms_entered(summary: Summary, attendance: Attendance) -> set[str]:
    names = room_names(summary)
    return {names[one.meeting] for one in attendance_detail(attendance.detail).sessions if one.meeting in names}


def in_one_room(summary: Summary) -> Attendance:
    return next(one for one in reading.attendees(summary) if len(rooms_entered(summary, one)) == 1)


def shown(summary: Summary, attendance: Attendance) -> list[ShownFact]:
    return facts_of_attendee(summary, attendance, timezone.get_default_timezone())


def test_a_person_hears_only_of_rooms_they_were_in(summary: Summary) -> None:
    somebody = in_one_room(summary)
    assert {fact.room for fact in shown(summary, somebody)} == {"", *rooms_entered(summary, somebody)}


def test_a_list_of_a_room_names_its_people_by_their_connection_of_the_class(summary: Summary) -> None:
    lists = [fact.what for fact in shown(summary, in_one_room(summary)) if fact.room and fact.kind == "meeting-listed"]
    assert "the server listed them" in lists


def test_every_fact_of_the_class_names_its_room(summary: Summary) -> None:
    facts = facts_of_meeting(summary, reading.facts(summary, limit=10_000), timezone.get_default_timezone())
    assert {fact.room for fact in facts} == {"", *room_names(summary).values()}


def test_the_pages_and_files_have_a_column_of_rooms_where_there_are_any(
    summary: Summary, client: Any, django_user_model: Any
) -> None:
    client.force_login(operator(django_user_model, "ada"))
    somebody = in_one_room(summary)
    plain = keep(class_of(days=1), "webhooks", server="bbb2")
    key = bytes(somebody.attendee_key).hex()
    for address in (f"/meetings/{summary.meeting_id}/facts", f"/meetings/{summary.meeting_id}/facts/{key}"):
        page = client.get(address).content.decode()
        assert ">Room</th>" in page
        lines = csv.DictReader(io.StringIO(client.get(f"{address}.csv").getvalue().decode(), newline=""))
        assert {line["Room"] for line in lines} >= {"", *rooms_entered(summary, somebody)}
    assert ">Room</th>" not in client.get(f"/meetings/{plain.meeting_id}/facts").content.decode()
