"""A file of attendances says nothing of what nobody can know, just as its page does."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import openpyxl
import pytest

from tests.makers import Attendee, make_meeting, operator

pytestmark = pytest.mark.django_db

COUNTS = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")
WHOLE = {"recording": {"is_whole": True}}


@pytest.fixture
def rows_of(client: Any, django_user_model: Any) -> Any:
    client.force_login(operator(django_user_model, "teacher"))

    def rows_of(address: str, key: str = "attendances") -> list[dict[str, Any]]:
        return list(json.loads(client.get(address).getvalue())[key])

    return rows_of


@pytest.mark.parametrize("order", ["", "?sort=-time"])
def test_none_is_said_only_where_a_whole_record_tells_it(rows_of: Any, order: str) -> None:
    make_meeting(Attendee(uid="1", counts={"chats": 2}), name="Heard", record="callback")
    make_meeting(Attendee(uid="1", counts={"chats": 2}), name="Recorded", record="recording", witnesses=WHOLE)

    rows = {row["meeting_name"]: row for row in rows_of(f"/attendances.json{order}")}

    assert [rows["Heard"][key] for key in COUNTS] == [2, None, None, None, None, None]
    assert [rows["Recorded"][key] for key in COUNTS] == [2, 0, 0, 0, 0, 0]


def test_of_people_nobody_knows_that_there_was_nothing(rows_of: Any) -> None:
    make_meeting(Attendee(uid="1", counts={"chats": 2}))

    (row,) = rows_of("/people.json", "people")

    assert [row[key] for key in COUNTS] == [2, None, None, None, None, None]


def test_times_and_shares_say_which_end_they_are(client: Any, rows_of: Any) -> None:
    person = Attendee(uid="1", proved=(("10:10", "10:40"),), possible=(("10:00", "10:50"),))
    make_meeting(person, length=(3_000_000, 3_600_000))

    heading, row = csv.reader(io.StringIO(client.get("/attendances.csv").getvalue().decode(), newline=""))
    said = dict(zip(heading, row, strict=True))

    assert {one.partition(" (")[0] for one in heading} >= {"In at the earliest", "Out at the latest"}
    assert (said["Share at least (%)"], said["Share at most (%)"]) == ("50.0", "100.0")
    assert said["Chats, at least"] == ""
    assert rows_of("/attendances.json")[0]["share"] == [0.5, 1]


@pytest.mark.parametrize("report", ["attendances", "attendance", "person"])
@pytest.mark.usefixtures("rows_of")
def test_what_is_certain_of_coming_and_going_stands_beside_what_is_possible(client: Any, report: str) -> None:
    """A teacher who lays the page beside the file finds the times of the page in it."""
    from rollcall.store.derived import Person

    person = Attendee(uid="1", proved=(("10:10", "10:20"), ("10:30", "10:40")), possible=(("10:00", "10:50"),))
    make_meeting(person, Attendee(uid="2", proved=(("10:00", "11:00"),)))
    key = bytes(Person.objects.get(external_user_id="1").key).hex()

    stem = f"people/{key}" if report == "person" else report
    heading, *rows = csv.reader(io.StringIO(client.get(f"/{stem}.csv").getvalue().decode(), newline=""))
    said = [dict(zip((one.partition(" (")[0] for one in heading), row, strict=True)) for row in rows]
    times = ("In at the earliest", "In, certainly by", "Out, certainly not before", "Out at the latest")
    of_each = {tuple(one[name].partition(" ")[2] for name in times) for one in said}

    exact = ("10:00:00", "10:00:00", "11:00:00", "11:00:00")
    assert of_each - {exact} == {("10:00:00", "10:10:00", "10:40:00", "10:50:00")}


@pytest.mark.usefixtures("rows_of")
def test_the_mean_share_of_a_person_is_told_with_both_its_ends(client: Any) -> None:
    from rollcall.store.derived import Person

    person = Attendee(uid="1", proved=(("10:00", "10:30"),), possible=(("10:00", "10:45"),))
    make_meeting(person, length=(3_600_000, 3_600_000), internal="one")
    make_meeting(person, length=(3_600_000, 3_600_000), internal="two", day="2026-11-19")
    key = bytes(Person.objects.get(external_user_id="1").key).hex()

    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/people/{key}.xlsx").getvalue()))
    told = {row[0]: row[1] for row in book.worksheets[-1].iter_rows(values_only=True)}

    assert told["Mean share"] == "50–75%"


@pytest.mark.usefixtures("rows_of")
def test_headings_are_of_the_language_that_the_address_asks_for(client: Any) -> None:
    make_meeting(Attendee())
    german = {"headers": {"Accept-Language": "de"}}

    own, asked = (client.get(f"/people.csv{query}", **german).getvalue() for query in ("", "?lang=en"))
    assert asked.startswith(b"Name,User id,")
    assert not own.startswith(b"Name,User id,")
    assert client.get("/people.csv?lang=xx").json()["code"] == "unknown-language"


def test_nothing_lies_between_a_time_of_day_and_itself(rows_of: Any, client: Any) -> None:
    del rows_of
    told = client.get("/attendances.json?hour-from=08:00&hour-to=8:00")

    assert (told.status_code, told.json()["code"]) == (400, "no-time-of-day")
