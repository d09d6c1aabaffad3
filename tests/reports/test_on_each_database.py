"""Every page and file is answered the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.makers import Attendee, at, make_meeting, operator

pytestmark = pytest.mark.usefixtures("database")


def test_every_page_and_file_is_answered() -> None:
    from django.contrib.auth.models import User

    from rollcall.store.derived import Attendance, Course
    from rollcall.store.searching import Filter, page

    people_of_it = [Attendee(name=f"Παπαδόπουλος {number}", uid=str(number)) for number in range(3)]
    summary = make_meeting(
        *people_of_it,
        Attendee(kind="dial-in", name="🦊"),
        blind=(("10:20", "10:25", "downtime"),),
        course="c1",
        label="Mathematics",
    )
    client = Client()
    client.force_login(operator(User, "teacher"))
    meeting = f"/meetings/{summary.meeting_id}"
    person = f"/people/{page('people', Filter()).rows[0].key.hex()}"
    facts = f"{meeting}/facts/{bytes(Attendance.objects.all()[0].attendee_key).hex()}"

    course = f"/courses/{bytes(Course.objects.get().key).hex()}"

    pages = (
        "/",
        "/attendances?name=papad&sort=-time&weekday=fri&hour-from=08:00&min-percent=1",
        "/courses?sort=-last",
        course,
        "/use?by=week",
        meeting,
        f"{meeting}/facts",
        facts,
        "/meetings?name=papad&meeting=alg",
        "/people?name=papad",
        person,
        "/servers",
        "/coverage",
        "/coverage?server=bbb1&from=2026-11-01&meeting=algebra",
    )
    for address in (*pages, f"{meeting}/watch"):
        assert client.get(address).status_code == 200, address
    for address in ("/meetings", "/attendance", "/attendances", "/people", meeting, person, course):
        for kind in ("csv", "json", "xlsx"):
            response = client.get(f"{address}.{kind}")
            assert response.status_code == 200
            written = response.getvalue()
            assert kind == "xlsx" or b"Algebra" in written or "Παπαδόπουλος".encode() in written
    assert b'"meetings":1,"recorded":0' in client.get("/coverage.json").getvalue()


def test_the_history_of_a_servers_records_is_read_alike() -> None:
    from rollcall.store.reading import RecordHistory, record_history

    later = at("00:00", "2026-12-24")
    assert record_history("nobody", ended_by=later) == RecordHistory()
    days = [f"2026-11-{number:02}" for number in range(1, 26)]
    kept = [
        make_meeting(name=f"M{number}", day=day, record="callback" if 10 <= number < 20 else "")
        for number, day in enumerate(days)
    ]
    make_meeting(name="Runs", day="2026-11-26", ended=None)
    began = [at("10:00", day) for day in days]
    assert record_history("bbb1", ended_by=later) == RecordHistory(None, 20, 10, began[19], None, 5, began[20])
    early = record_history("bbb1", ended_by=later, around=kept[3])
    assert early == RecordHistory(None, 13, 4, None, began[10], 10, began[0])
    late = record_history("bbb1", ended_by=began[22], around=kept[21])
    assert late == RecordHistory(None, 10, 9, began[19], None, 2, began[20])


def test_a_class_with_all_its_witnesses_is_shown() -> None:
    from django.contrib.auth.models import User

    from tests.reports.three_witnesses import WITNESSES, class_of, keep

    summary = keep(class_of(rooms=1), *WITNESSES, without=("user-left",))
    client = Client()
    client.force_login(operator(User, "teacher"))
    page = client.get(f"/meetings/{summary.meeting_id}").content.decode()
    assert "Webhooks lost the leave of " in page
    assert "events.xml made the time of " in page


def test_nothing_of_a_class_that_is_refused_is_shown_but_that_it_is() -> None:
    from django.contrib.auth.models import User

    from rollcall.feed.append import refuse
    from tests.reports.three_witnesses import class_of, keep

    summary = keep(class_of(), "webhooks")
    refuse(summary.meeting_id)
    summary.delete()
    client = Client()
    client.force_login(operator(User, "teacher"))
    answer = client.get(f"/meetings/{summary.meeting.pk}")
    assert answer.status_code == 404
    assert "capture is switched off for it" in answer.content.decode()


def test_a_roster_tells_the_same() -> None:
    from django.contrib.auth.models import User

    from rollcall.lti import roster
    from rollcall.store import rosters
    from rollcall.store.platforms import Member
    from rollcall.store.searching import Bounds, Inside
    from rollcall.store.searching.rosters import missed_by, roster_of
    from tests.reports.rosters import COURSE, enrol, owned

    enrol("7", "5", "42", moment=at("08:00"))
    context = enrol("7", "5", "late", moment=at("09:00"))
    roster.came_as_instructor(context, "7", at("09:30"))
    one = owned(make_meeting(Attendee(uid="7"), Attendee(name="Ben", uid="5"), **COURSE, internal="one"), context)
    two = owned(make_meeting(Attendee(uid="7"), Attendee(kind="dial-in"), **COURSE, internal="two"), context)
    assert one.course is not None
    inside = Inside(context.platform.organisation_id, Bounds(course=bytes(one.course.key)))
    found = roster_of(one.course, inside=inside)
    assert found is not None
    assert [(entry.user_id, entry.key is None, entry.is_learner) for entry in found.people] == [
        ("7", False, False),
        ("5", False, True),
        ("42", True, True),
        ("late", True, True),
    ]
    missed = missed_by(found.by_user["5"].key or b"", inside.filter())
    assert [(entry.summary.pk, entry.has_others) for entry in missed] == [(two.pk, True)]

    client = Client()
    client.force_login(operator(User, "teacher"))
    course = bytes(one.course.key).hex()
    people = json.loads(client.get(f"/courses/{course}.json").getvalue())["people"]
    standings = {entry["external_user_id"]: (entry["roster"], entry["missed"]) for entry in people}
    assert standings == {"7": ("enrolled", 0), "5": ("enrolled", 0), "late": ("enrolled", 1)}
    for standing, count in (("enrolled", 3), ("left", 0), ("not-enrolled", 0)):
        rows = json.loads(client.get(f"/attendances.json?roster={standing}").getvalue())["attendances"]
        assert len(rows) == count
    assert rosters.forget(at("09:00") + rosters.LEFT_MS + 1) == 1
    assert Member.objects.filter(until_at=None).count() == 3
