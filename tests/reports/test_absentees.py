"""Enrolled and not seen: by the roster of the course, and no surer than it can be."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from rollcall.core.roster import Enrolled
from rollcall.lti import roster
from rollcall.store.derived import Person, Summary
from rollcall.store.searching import Bounds, Filter, Inside
from rollcall.store.searching.rosters import missed_by, roster_of
from tests.makers import Attendee, at, make_meeting
from tests.reports.browsing import ADA
from tests.reports.pdf.printed import text_of
from tests.reports.rosters import COURSE, enrol, owned

pytestmark = pytest.mark.django_db

BEN, TESS = Enrolled("5", "Ben Bravo", is_learner=True), Enrolled("3", "Tess", is_instructor=True)
GUEST = Attendee(name="Somebody", uid="", kind="guest")
DAY_MS = 24 * 60 * 60_000


def meeting(context: Any, *people: Attendee, **more: Any) -> Summary:
    return owned(make_meeting(*(people or (ADA,)), **COURSE, **more), context)


def said(page: Any, summary: Summary) -> dict[str, Any]:
    return dict(json.loads(page.client.get(f"/meetings/{summary.meeting_id}.json").getvalue())["missing"])


def standings(page: Any, summary: Summary) -> dict[str, str]:
    return {one["external_user_id"]: one["standing"] for one in said(page, summary)["people"]}


def told(page: Any, summary: Summary) -> str:
    (section,) = page(f"/meetings/{summary.meeting_id}").xpath("//section[@class='missing-people']")
    return " ".join(section.text_content().split())


def test_who_was_enrolled_and_never_came_is_told_for_certain(page: Any) -> None:
    summary = meeting(enrol(ADA.uid, BEN, TESS, "42"))
    assert said(page, summary) == {
        "ground": "roster",
        "compared": None,
        "read_at": at("09:00"),
        "people": [
            {"name": "Ben Bravo", "external_user_id": "5", "standing": "absent", "meetings": None},
            {"name": "Participant 42", "external_user_id": "42", "standing": "absent", "meetings": None},
        ],
    }
    text = told(page, summary)
    assert text.startswith("Enrolled, not seen On the roster")
    assert "are 2 people who were not seen: Ben Bravo enrolled, never came" in text
    (above,) = page(f"/meetings/{summary.meeting_id}").xpath("//a[@href='#missing']/../../dt")
    assert above.text_content() == "Enrolled, not seen"


def test_everybody_was_there(page: Any) -> None:
    summary = meeting(enrol(ADA.uid, TESS))
    assert standings(page, summary) == {}
    assert "Everybody on the roster" in told(page, summary)


@pytest.mark.parametrize(
    "doubt",
    [
        {"blind": (("10:20", "10:25", "downtime"),)},
        {"people": (ADA, GUEST)},
        {"people": (ADA, Attendee(name="+49XXX", uid="v_1", kind="dial-in"))},
        {"settles": "+9999 00:00"},
    ],
)
def test_in_doubt_nobody_is_called_absent(page: Any, doubt: dict[str, Any]) -> None:
    summary = meeting(enrol(ADA.uid, BEN), *doubt.pop("people", ()), **doubt)
    assert standings(page, summary) == {"5": "cannot-tell"}
    assert "it cannot be told whether they came" in told(page, summary)


def test_only_members_at_the_time_of_the_meeting_count(page: Any) -> None:
    enrol(ADA.uid, "early", "left", moment=at("09:00") - 3 * DAY_MS)
    enrol(ADA.uid, "early", moment=at("09:00") - 2 * DAY_MS)
    enrol(ADA.uid, moment=at("11:30"))
    context = enrol(ADA.uid, "late", moment=at("12:00"))
    summary = meeting(context)
    # One left before it, one came after it; one left in a time in which nobody had asked.
    assert standings(page, summary) == {"early": "left"}
    assert "not seen; left the course between 18 Nov 2026 and 20 Nov 2026" in told(page, summary)


def test_of_a_meeting_before_the_first_reading_it_is_not_known_who_was_enrolled(page: Any) -> None:
    summary = meeting(enrol(ADA.uid, BEN, moment=at("12:00")))
    assert standings(page, summary) == {"5": "cannot-tell"}
    text = told(page, summary)
    assert "it is not known whether they were enrolled then" in text
    assert "read for the first time after this meeting had begun" in text


def test_who_left_since_is_kept_apart(page: Any) -> None:
    enrol(ADA.uid, BEN, "4")
    enrol(ADA.uid, BEN, "4", moment=at("11:30"))
    context = enrol(ADA.uid, "4", moment=at("12:00"))
    assert list(standings(page, meeting(context)).items()) == [("4", "absent"), ("5", "left")]


@pytest.mark.parametrize("who", ["3", "8"])
def test_an_instructor_is_no_absentee(page: Any, who: str) -> None:
    context = enrol(ADA.uid, TESS, "8")
    roster.came_as_instructor(context, "8", at("09:30"))
    assert who not in standings(page, meeting(context))


def test_who_was_an_instructor_once_is_no_absentee_later(page: Any) -> None:
    enrol(ADA.uid, Enrolled("8", is_instructor=True), moment=at("08:00"))
    enrol(ADA.uid, moment=at("08:30"))
    assert standings(page, meeting(enrol(ADA.uid, "8"))) == {}


def test_the_room_of_a_group_has_no_absentees_for_groups_are_not_told(page: Any) -> None:
    summary = meeting(enrol(ADA.uid, BEN))
    Summary.objects.filter(pk=summary.pk).update(group_id="7")
    assert said(page, summary)["ground"] == "group-room"
    assert standings(page, summary) == {}
    assert "does not tell who is in which group" in told(page, summary)


def test_the_roster_of_another_organisation_tells_nothing(page: Any) -> None:
    context = enrol(ADA.uid, BEN)
    summary = meeting(context)
    context.platform.organisation = type(context.platform.organisation).objects.create(name="Other", added_at=0)
    context.platform.save()
    assert said(page, summary)["ground"] == "first-meeting"


def test_a_roster_that_was_never_read_tells_nothing(page: Any) -> None:
    context = enrol()
    assert said(page, meeting(context))["ground"] == "first-meeting"


def test_they_have_a_sheet_and_stand_on_paper(page: Any, tmp_path: Path) -> None:
    summary = meeting(enrol(ADA.uid, BEN, "42"))
    files = {kind: page.client.get(f"/meetings/{summary.meeting_id}.{kind}").getvalue() for kind in ("xlsx", "pdf")}
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))["Enrolled, not seen"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["Name", "User id", "Why"],
        ["Ben Bravo", "5", "enrolled, never came"],
        ["Participant 42", "42", "enrolled, never came"],
    ]
    printed = " ".join(text_of(files["pdf"], tmp_path).split())
    assert "Enrolled, not seen" in printed
    assert "Participant 42" in printed


# -- the course ---------------------------------------------------------------------------------------------------


def course_json(page: Any, summary: Summary) -> list[dict[str, Any]]:
    key = bytes(summary.course.key).hex()  # type: ignore[union-attr]
    people: list[dict[str, Any]] = json.loads(page.client.get(f"/courses/{key}.json").getvalue())["people"]
    return people


def test_who_never_came_stands_last_in_the_matrix_and_who_missed_some_is_counted(page: Any) -> None:
    context = enrol(ADA.uid, BEN, TESS, "42")
    meeting(context, internal="one")
    summary = meeting(context, Attendee(name="Benjamin", uid="5"), Attendee(name="Out", uid="9"), internal="two")
    found = {
        one["external_user_id"]: (one["name"], one["meetings"], one["roster"], one["missed"])
        for one in course_json(page, summary)
    }
    assert found == {
        ADA.uid: (ADA.name, 1, "enrolled", 1),
        "5": ("Benjamin", 1, "enrolled", 1),
        "9": ("Out", 1, "not-enrolled", 0),
        "42": ("Participant 42", 0, "enrolled", 2),
    }
    assert list(found)[-1] == "42"
    tree = page(f"/courses/{bytes(summary.course.key).hex()}")  # type: ignore[union-attr]
    text = " ".join(tree.text_content().split())
    assert "Not seen while enrolled" in text
    assert "whoever of it was in none of these meetings stands last" in text


def test_a_search_for_people_finds_absentees_by_the_name_they_are_shown_under(page: Any) -> None:
    context = enrol(ADA.uid, BEN, "42")
    summary = meeting(context)
    key = bytes(summary.course.key).hex()  # type: ignore[union-attr]
    for query, wanted in (("name=bravo", ["5"]), ("user=42", ["42"]), ("name=nobody", [])):
        people = json.loads(page.client.get(f"/courses/{key}.json?{query}").getvalue())["people"]
        assert [one["external_user_id"] for one in people] == wanted


def test_rooms_of_groups_and_doubtful_meetings_are_missed_by_nobody_in_the_matrix(page: Any) -> None:
    context = enrol(ADA.uid, BEN, "42")
    summary = meeting(context, internal="sure")
    for group, user in (("7", ADA), ("8", Attendee(name="Benjamin", uid="5"))):
        room = meeting(context, user, internal=f"group {group}")
        Summary.objects.filter(pk=room.pk).update(group_id=group)
    meeting(context, internal="blind", blind=(("10:20", "10:25", "downtime"),))
    meeting(context, ADA, GUEST, internal="with a guest")
    meeting(context, internal="not settled", settles="+9999 00:00")
    found = [(one["external_user_id"], one["meetings"], one["missed"]) for one in course_json(page, summary)]
    assert found == [(ADA.uid, 5, 0), ("5", 1, 1), ("42", 0, 1)]


def test_who_is_in_a_class_that_runs_or_was_in_a_room_of_a_group_stands_once(page: Any) -> None:
    context = enrol(ADA.uid, BEN)
    room = meeting(context, Attendee(name="Benjamin", uid="5"), internal="group")
    Summary.objects.filter(pk=room.pk).update(group_id="7")
    summary = meeting(context, ADA, internal="running", ended=None)
    assert sorted(one["external_user_id"] for one in course_json(page, summary)) == ["5", ADA.uid]


def test_without_a_roster_the_matrix_is_what_it_was(page: Any) -> None:
    summary = make_meeting(ADA, **COURSE)
    assert [(one["roster"], one["missed"]) for one in course_json(page, summary)] == [(None, None)]
    assert "Roster" not in page(f"/courses/{bytes(summary.course.key).hex()}").text_content().replace("No roster", "")


# -- the person ---------------------------------------------------------------------------------------------------


def person_json(page: Any, user: str, query: str = "") -> dict[str, Any]:
    key = bytes(Person.objects.filter(external_user_id=user).order_by("-organisation")[0].key).hex()
    return dict(json.loads(page.client.get(f"/people/{key}.json{query}").getvalue()))


def test_a_person_is_told_what_they_missed_while_they_were_enrolled(page: Any) -> None:
    context = enrol(ADA.uid, BEN)
    meeting(context, Attendee(name="Ben", uid="5"), internal="there", day="2026-11-20")
    meeting(context, internal="missed", day="2026-11-21")
    meeting(context, ADA, GUEST, internal="doubtful", day="2026-11-22", began="00:10", ended="00:20", settles="00:30")
    missed = person_json(page, "5")["missed"]["meetings"]
    assert [(one["meeting"], one["standing"]) for one in missed] == [("doubtful", "cannot-tell"), ("missed", "absent")]
    tree = page(f"/people/{bytes(Person.objects.get(external_user_id='5').key).hex()}")
    assert "Enrolled, not seen" in tree.text_content()
    assert "enrolled, never came" in tree.text_content()
    assert [one["meeting"] for one in person_json(page, "5", "?to=2026-11-21")["missed"]["meetings"]] == ["missed"]
    assert "missed" not in person_json(page, "5", "?min-percent=1")
    assert [one["meeting"] for one in person_json(page, ADA.uid)["missed"]["meetings"]] == ["there"]


def test_rooms_of_groups_are_missed_by_nobody(page: Any) -> None:
    context = enrol(ADA.uid, BEN)
    meeting(context, Attendee(name="Ben", uid="5"), internal="there")
    of_group = meeting(context, internal="group", day="2026-11-21")
    Summary.objects.filter(pk=of_group.pk).update(group_id="7")
    assert "missed" not in person_json(page, "5")


@pytest.mark.parametrize("bounds", [Bounds(groups=frozenset("7")), Bounds(person=b"x" * 16)])
def test_who_sees_only_a_part_is_not_told_what_else_was_held(page: Any, bounds: Bounds) -> None:
    context = enrol(ADA.uid, BEN)
    meeting(context, Attendee(name="Ben", uid="5"), internal="there")
    meeting(context, internal="missed", day="2026-11-21")
    key = bytes(Person.objects.get(external_user_id="5").key)
    assert len(missed_by(key, Filter())) == 1
    assert missed_by(key, Filter(bounds=bounds)) == []


def test_who_sees_one_course_is_told_of_no_other(page: Any) -> None:
    enrol(ADA.uid, BEN, context_id="13")
    context = enrol(ADA.uid, BEN)
    meeting(context, Attendee(name="Ben", uid="5"), internal="there")
    mine = meeting(context, internal="missed", day="2026-11-21")
    owned(make_meeting(ADA, course="13", internal="other", day="2026-11-21"), context)
    person = Person.objects.get(external_user_id="5")
    assert len(missed_by(bytes(person.key), Filter(organisation=person.organisation))) == 2
    inside = Filter(organisation=person.organisation, bounds=Bounds(course=bytes(mine.course.key)))  # type: ignore[union-attr]
    assert [one.summary.pk for one in missed_by(bytes(person.key), inside)] == [mine.pk]


def test_who_was_in_another_course_only_has_neither_page_nor_name_for_who_sees_this_one(page: Any) -> None:
    context = enrol(ADA.uid, "5", "9")
    owned(make_meeting(Attendee(name="Ben of Biology", uid="5"), course="13", internal="other"), context)
    meeting(context, Attendee(name="Nina", uid="9"), internal="earlier")
    course = meeting(context).course
    assert course is not None
    everything = Inside(context.platform.organisation_id)
    this_one = everything._replace(bounds=Bounds(course=bytes(course.key)))

    def known(inside: Inside) -> dict[str, tuple[str, bool]]:
        roster = roster_of(course, inside=inside)
        assert roster is not None
        return {one.user_id: (one.name, one.key is not None) for one in roster.people}

    there = {ADA.uid: (ADA.name, True), "9": ("Nina", True)}
    assert known(everything) == there | {"5": ("Ben of Biology", True)}
    assert known(this_one) == there | {"5": ("", False)}


# -- the filter ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "wanted"),
    [("enrolled", [ADA.uid]), ("left", ["5"]), ("not-enrolled", ["9"]), ("", ["5", "7", "9", ""])],
)
def test_attendances_are_found_by_how_their_people_stand_on_the_roster(
    page: Any, standing: str, wanted: list[str]
) -> None:
    enrol(ADA.uid, BEN)
    context = enrol(ADA.uid, moment=at("09:30"))
    meeting(context, ADA, Attendee(name="Ben", uid="5"), Attendee(name="Out", uid="9"), GUEST)
    make_meeting(Attendee(name="Elsewhere", uid="77"), internal="without a roster")
    query = f"?roster={standing}&meeting=algebra" if standing else f"?course={COURSE['course']}"
    for report in ("attendances", "people") if standing else ("attendances",):
        rows = json.loads(page.client.get(f"/{report}.json{query}").getvalue())[report]
        assert sorted(one["external_user_id"] for one in rows) == sorted(wanted)


def test_a_standing_that_there_is_none_of_is_refused(page: Any) -> None:
    assert "there is no standing" in page("/attendances?roster=ill", status=400).text_content()


@pytest.mark.parametrize(("shared", "wanted"), [("Ben Bravo", "Ben Bravo"), ("", "Participant 5")])
def test_whom_bigbluebutton_did_not_name_is_called_as_the_lms_does(page: Any, shared: str, wanted: str) -> None:
    context = enrol(ADA.uid, Enrolled("5", shared, is_learner=True))
    summary = meeting(context, Attendee(name="", uid="5"))
    (found,) = json.loads(page.client.get(f"/meetings/{summary.meeting_id}.json").getvalue())["meetings"][0]["people"]
    assert found["name"] == wanted
    assert wanted in page(f"/meetings/{summary.meeting_id}").text_content()
