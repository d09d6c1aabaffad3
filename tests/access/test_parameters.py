"""By no parameter of an allowed address does anybody see what is not theirs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.access.asking import Someone, leaks, said_by, somebody
from tests.access.places import A1, A2, ADA, B1, BOB, NOBODYS, ONE, TWO, attendee_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.access.places import School

pytestmark = pytest.mark.django_db

READERS = ("staff of A", "administrator of A1", "instructor of A1 two", "instructor of red")
LISTS = ("meetings", "attendances", "people", "courses", "use")


def filters(school: School) -> Iterator[str]:
    """Everything that may be asked for, of everybody's."""
    keys = [school.course_key(o, s, c) for o, s in (("A", A1), ("A", A2), ("B", B1), ("", NOBODYS)) for c in (ONE, TWO)]
    yield from (f"course={key}" for key in keys)
    yield from ("course=qlabel", f"course={ONE}", f"course={TWO}")
    yield from (f"name=qname{which}" for which in ("Aqaone", "Aqatwo", "Bqbone", "nqnobo", ""))
    yield from (f"user={user}" for user in (ADA, BOB, "503", "504"))
    yield from ("name=qguest", "kind=guest", "meeting=qmeet", "state=running", "min-time=1", "role=viewer")
    for name in ("aoneone", "aonetwo", "aoneblue", "atwoone", "bone", "nobodys"):
        summary = school.meetings[name]
        yield f"meeting=qinternal{name}"
        yield f"meeting={summary.external_meeting_id}"
        yield f"meeting={bytes(summary.activity_key).hex()}"
    yield from (f"server={one}" for one in ("qserver-a", "qserver-b", "qserver-nobody", "qserver-shared"))


def wrong(school: School, someone: Someone, path: str, typed: str = "") -> list[str]:
    response = someone.get(path)
    said = said_by(response)
    for text in (path, path.replace("&", "&amp;"), *([typed] if typed else [])):
        said = said.replace(text, "")
    faults = [f"{path}: {response.status_code}"] if response.status_code >= 500 else []
    return faults + [f"{path}: {response.status_code} tells {text}" for text in leaks(school, someone, said)]


@pytest.mark.parametrize("name", READERS)
def test_no_filter_leads_out(school: School, name: str) -> None:
    someone = somebody(school, name)
    found: list[str] = []
    for one in filters(school):
        typed = one.partition("=")[2]
        for report in ("meetings", "people"):
            found += wrong(school, someone, f"/{report}.json?{one}", typed)
        found += wrong(school, someone, f"/attendances?{one}&narrow=1", typed)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", READERS)
def test_each_list_narrowed_and_in_each_order_has_ones_own(school: School, name: str) -> None:
    from rollcall.reports.registry import REPORTS

    someone = somebody(school, name)
    found = []
    for report in LISTS:
        found += wrong(school, someone, f"/{report}?narrow=1") if report != "use" else []
        found += [
            fault for sort in REPORTS[report].takes.sorts for fault in wrong(school, someone, f"/{report}?sort={sort}")
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("report", ["meetings", "attendances", "people", "courses"])
def test_the_place_of_anothers_list_is_a_place_in_ones_own(
    school: School, report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollcall.reports.views.lists.PAGE", 1)
    everything = somebody(school, "operator")
    path, places = f"/{report}", []
    for _ in range(4):
        body = everything.get(path).content.decode()
        following = [one for one in re.findall(r"after=([^&\"]+)", body) if one not in places]
        places += re.findall(r"(?:after|before)=([^&\"]+)", body)
        path = f"/{report}?after={following[-1]}"
    assert len(set(places)) > 3
    for name in ("staff of B", "instructor of A1 two", "instructor of red"):
        someone = somebody(school, name)
        faults = [
            fault
            for place in sorted(set(places))
            for way in ("after", "before")
            for fault in wrong(school, someone, f"/{report}?{way}={place}", place)
        ]
        assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["instructor of A1 two", "instructor of red", "instructor of B one"])
def test_rows_are_opened_and_gone_on_from_in_ones_own_meeting_alone(school: School, name: str) -> None:
    someone = somebody(school, name)
    own = {"instructor of A1 two": "aonetwo", "instructor of red": "aonered", "instructor of B one": "bone"}[name]
    pk, faults = school.number(own), []
    for user in (ADA, BOB, "503", "504"):
        key = attendee_key(user)
        for path in (f"?open={key}", f"?after={key}", f"/watch?after={key}", f"/watch?form=live&after={key}"):
            faults += wrong(school, someone, f"/meetings/{pk}{path}")
        faults += wrong(school, someone, f"/meetings/{pk}/facts?after=1763632931000-{school.number('aoneone')}-0")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["bob in A1 one"])
def test_a_learners_record_is_theirs_whatever_is_asked_of_it(school: School, name: str) -> None:
    someone = somebody(school, name)
    assert someone.reader is not None
    own = school.person_key("A", A1, someone.reader.user_id)
    faults = []
    for one in filters(school):
        if one.startswith(("course", "meeting", "server", "state")):
            faults += wrong(school, someone, f"/people/{own}.json?{one}", one.partition("=")[2])
            faults += wrong(school, someone, f"/people/{own}?{one}", one.partition("=")[2])
    for kind in ("csv", "xlsx", "pdf"):
        faults += wrong(school, someone, f"/people/{own}.{kind}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["staff of A", "administrator of A1", "instructor of A1 one", "instructor of red"])
@pytest.mark.parametrize("kind", ["csv", "xlsx", "pdf"])
def test_each_kind_of_file_has_ones_own(school: School, name: str, kind: str) -> None:
    someone, faults = somebody(school, name), []
    for report in (*LISTS, "attendance"):
        faults += wrong(school, someone, f"/{report}.{kind}")
    course = school.course_key("A", A1, ONE)
    for path in (f"/courses/{course}", f"/meetings/{school.number('aoneone')}"):
        faults += wrong(school, someone, f"{path}.{kind}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["token of A", "token of B"])
def test_a_program_leads_out_by_no_parameter(school: School, name: str) -> None:
    program, faults = somebody(school, name), []
    for one in filters(school):
        for report in ("attendances", "people"):
            faults += wrong(school, program, f"/api/v1/{report}?{one}&limit=2", one.partition("=")[2])
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("report", ["meeting", "course", "person", "facts", "facts-of-person", "servers"])
def test_a_program_orders_no_file_of_what_is_not_its_own(school: School, report: str) -> None:
    program = somebody(school, "token of B")
    pk, key = str(school.number("aoneone")), attendee_key(ADA)
    about = {
        "meeting": [pk],
        "facts": [pk],
        "facts-of-person": [pk, key],
        "course": [school.course_key("A", A1, ONE)],
        "person": [school.person_key("A", A1, ADA)],
        "servers": [],
    }[report]
    response = program.post("/api/v1/exports", {"report": report, "kind": "json", "about": about})
    if report == "person":
        # Whose key it is, is not looked at before the file is made: it is made of nothing.
        assert response.status_code in {202, 404}
    else:
        assert response.status_code in {403, 404}, response.content
    assert not leaks(school, program, said_by(response), pk)
