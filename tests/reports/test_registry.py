"""Every report that is declared: its columns in each format, its filters and orders, its page and files."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from rollcall.reports.filters import FIELDS
from rollcall.reports.registry import REPORTS, rebuild
from rollcall.reports.rows import Format, Kind
from rollcall.store.searching import FACETS, SORTS
from tests.makers import Attendee, at, make_fact, make_meeting, operator
from tests.reports.browsing import mapped
from tests.verdicts import judge, owe

pytestmark = pytest.mark.django_db

LISTS = [report for report in REPORTS.values() if report.lists]
FORMATS = (Format.HTML, Format.PDF, Format.TEXT, Format.CSV, Format.XLSX, Format.JSON)


@pytest.fixture
def subjects() -> dict[str, tuple[str, ...]]:
    """A small school, and what each report about something is about."""
    from rollcall.store import auditing
    from rollcall.store.auditing import Action
    from rollcall.store.derived import Attendance, Course, Person

    people = [
        Attendee(name="Ανθή Δημοπούλη", uid="8", counts={"chats": 3, "talk_ms": 60_000}),
        Attendee(name="Guest <b>1</b>", kind="guest", uid="9"),
        Attendee(name="=1+1", uid="10", role="MODERATOR", possible=(("10:00", "11:00"),)),
    ]
    make_meeting(*people, name="Logic", day="2026-11-19", course="c1", label="Mathematics", record="callback")
    summary = make_meeting(*people[:2], name="Algebra", course="c1", label="Mathematics", coverage=(1, 2, 3))
    make_fact(summary.meeting, 1, "meeting-created", at("10:00"), mapped("meeting-created", "10:00"))
    auditing.write(at("11:00"), Action.OPENED, None, actor="teacher", subject="meeting", meeting=summary.meeting_id)
    owe(judge(Attendance.objects.get(summary=summary, external_user_id="8")), state="refused", reason="locked")
    meeting = str(summary.meeting_id)
    key = bytes(Attendance.objects.filter(summary=summary)[0].attendee_key).hex()
    return {
        "meeting": (meeting,),
        "facts": (meeting,),
        "facts-of-person": (meeting, key),
        "person": (bytes(Person.objects.get(external_user_id="8").key).hex(),),
        "course": (bytes(Course.objects.get().key).hex(),),
    }


@pytest.fixture
def client_of_teacher(django_user_model: Any) -> Client:
    client = Client()
    client.force_login(operator(django_user_model, "teacher"))
    return client


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_is_found_by_its_address_as_a_page_and_as_each_file(
    name: str, subjects: dict[str, tuple[str, ...]], client_of_teacher: Client
) -> None:
    address = REPORTS[name].address.format(*subjects.get(name, ()))
    if name != "attendance":  # which is a file of the list of meetings
        assert client_of_teacher.get(address).status_code == 200
    for kind in ("csv", "xlsx", "json", "pdf"):
        response = client_of_teacher.get(f"{address}.{kind}")
        assert response.status_code == 200, (kind, response.headers)
        assert b"".join(response) or kind == "json"
        assert response["Content-Disposition"].startswith(f'attachment; filename="{name}-')


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("form", FORMATS)
def test_each_column_is_labelled_and_can_be_drawn_where_it_is_shown(
    name: str, form: Format, subjects: dict[str, tuple[str, ...]]
) -> None:
    from datetime import UTC

    table = rebuild(name, "", zone=UTC, subject=subjects.get(name, ()), form=form)
    keys = [column.key for column in table.columns if form in column.shown]
    assert len(keys) == len(set(keys))
    assert table.heading is not None
    for column in (*table.columns, *table.inner):
        assert column.kind in Kind
        assert str(column.label) or column.shown == Format.JSON


@pytest.mark.parametrize("report", LISTS, ids=lambda report: report.name)
def test_the_orders_of_a_list_are_those_of_its_heads_and_its_search(
    report: Any, subjects: dict[str, tuple[str, ...]], client_of_teacher: Client
) -> None:
    from datetime import UTC

    assert tuple(report.takes.sorts) == tuple(SORTS[report.lists])
    table = rebuild(report.name, "", zone=UTC, subject=subjects.get(report.name, ()), form=Format.HTML)
    assert {column.sort for column in table.columns if column.sort} <= {by.lstrip("-") for by in report.takes.sorts}
    address = report.address.format(*subjects.get(report.name, ()))
    for by in report.takes.sorts:
        assert client_of_teacher.get(address, {"sort": by}).status_code == 200, by


@pytest.mark.parametrize("name", REPORTS)
def test_each_filter_that_a_report_takes_is_answered(
    name: str, subjects: dict[str, tuple[str, ...]], client_of_teacher: Client
) -> None:
    said = {
        "from": "2026-11-01",
        "to": "2026-11-30T23:59",
        "weekday": "thu,fri",
        "hour-from": "08:00",
        "hour-to": "23:00",
        "server": "bbb1",
        "role": "viewer",
        "kind": "user",
        "state": "settled",
        "min-time": "1",
        "max-time": "9:00",
        "min-percent": "1",
        "max-percent": "100",
        "course": "math",
        "meeting": "algebra",
        "name": "ανθη",
        "user": "8",
        "roster": "enrolled",
        "actor": "teacher",
        "action": "opened",
        "verdict": "not-met",
        "delivery": "refused",
    }
    address = REPORTS[name].address.format(*subjects.get(name, ()))
    for field in REPORTS[name].takes.filters:
        response = client_of_teacher.get(f"{address}.csv", {field: said.get(field, "0")})
        assert response.status_code == 200, field
        rows = len(b"".join(response).splitlines()) - 1
        assert rows or field == "roster", field  # of this school no roster was read, so nobody is known to be enrolled


def test_facets_are_filters() -> None:
    assert set(FACETS) <= set(FIELDS)


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_an_address_has_a_place_for_each_thing_a_report_is_about(report: Any) -> None:
    assert report.address.count("{}") == len(report.about)
    assert all(subject.is_one(subject.example) for subject in report.about)
