"""The files beside the pages, as a browser asks for them."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import openpyxl
import pytest

from tests.makers import Attendee, make_meeting, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def fetch(client: Any, django_user_model: Any) -> Any:
    client.force_login(operator(django_user_model, "teacher"))
    make_meeting(Attendee(name="=Παύλος", uid="1"), name="Logic")
    make_meeting(Attendee(name="Emmy", uid="2"), name="Algebra", day="2026-11-18")
    return client.get


@pytest.mark.parametrize("report", ["meetings", "attendance", "attendances", "people", "coverage", "use", "servers"])
@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_each_report_has_its_files(fetch: Any, report: str, kind: str) -> None:
    response = fetch(f"/{report}.{kind}")

    assert response.status_code == 200
    assert re.fullmatch(rf'attachment; filename="{report}-\d{{4}}-\d\d-\d\d\.{kind}"', response["Content-Disposition"])
    assert response["Cache-Control"] == "no-store"
    assert response.getvalue()


def test_filters_are_those_of_the_page(fetch: Any) -> None:
    said = json.loads(fetch("/attendances.json?name=παυλος").getvalue())
    assert [one["meeting_name"] for one in said["attendances"]] == ["Logic"]

    sheet, about = openpyxl.load_workbook(io.BytesIO(fetch("/attendances.xlsx?name=παυλος").getvalue())).worksheets
    assert [row[0] for row in sheet.iter_rows(values_only=True)][1:] == ["=Παύλος", "Total"]
    assert ("Full name", "παυλος") in [row[:2] for row in about.iter_rows(values_only=True)]


def test_a_byte_order_mark_is_there_if_it_is_asked_for(fetch: Any) -> None:
    written = fetch("/people.csv?bom=1").getvalue()

    assert written.startswith(b"\xef\xbb\xbf")
    names = [row[0] for row in csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))]
    assert sorted(names) == ["'=Παύλος", "Emmy", "Name"]
    assert not fetch("/people.csv").getvalue().startswith(b"\xef\xbb\xbf")


def test_what_is_wrong_with_a_filter_is_said_and_not_sent_as_a_file(fetch: Any) -> None:
    response = fetch("/people.csv?from=soon")

    assert response.status_code == 400
    assert "Content-Disposition" not in response
