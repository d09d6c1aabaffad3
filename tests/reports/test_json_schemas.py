"""Every report's JSON is what its schema in docs/json says: no more, no less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.reports.test_formats import make_school
from tests.reports.three_witnesses import WITNESSES, class_of, keep

FOLDER = Path(__file__).parents[2] / "docs" / "json"
SCHEMAS = sorted(FOLDER.glob("*.schema.json"))
ATHENS = ZoneInfo("Europe/Athens")


@pytest.fixture
def school(db: None) -> dict[str, tuple[str, ...]]:
    """Classes with everything in them; what each report with an address of its own is about."""
    from rollcall.store.derived import Attendance, Course

    make_school()
    summary = keep(class_of(rooms=2), *WITNESSES)
    keep(class_of(name="Geometry", seed=9, days=1), "webhooks", "polls")
    attendance = Attendance.objects.filter(summary=summary, person__is_user=True).select_related("person").first()
    course = Course.objects.filter(meetings__gt=0).first()
    assert attendance is not None
    assert attendance.person is not None
    assert course is not None
    meeting, person = str(summary.meeting_id), bytes(attendance.person.key).hex()
    return {
        "meeting": (meeting,),
        "person": (person,),
        "course": (bytes(course.key).hex(),),
        "facts": (meeting,),
        "facts-of-person": (meeting, bytes(attendance.attendee_key).hex()),
    }


def table_of(name: str, subject: tuple[str, ...], query: str = "") -> Any:
    from rollcall.reports.asking import ask
    from rollcall.reports.registry import REPORTS
    from rollcall.reports.rows import Format

    report = REPORTS[name]
    return report.table(ask(report.takes, parse_qs(query), zone=ATHENS), subject, Format.JSON)


def said(table: Any) -> Any:
    from rollcall.reports.to_json import to_json

    return json.loads(b"".join(to_json(table)))


def schema_of(document: Any) -> Any:
    name, version = document["rollcall"].split("/")
    return json.loads((FOLDER / f"{name}-{version}.schema.json").read_text(encoding="utf-8"))


NAMES = (
    *("meetings", "attendance", "meeting", "attendances", "people", "person", "courses", "course", "use"),
    *("servers", "coverage", "facts", "facts-of-person"),
)


def test_no_report_is_forgotten() -> None:
    from rollcall.reports.registry import REPORTS

    assert set(REPORTS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_what_its_schema_says(name: str, school: dict[str, tuple[str, ...]]) -> None:
    document = said(table_of(name, school.get(name, ())))

    Draft202012Validator(schema_of(document)).validate(document)
    rows = next(rows for key, rows in document.items() if isinstance(rows, list))
    assert rows


def test_use_by_week_is_too(school: dict[str, tuple[str, ...]]) -> None:
    document = said(table_of("use", (), "by=week"))

    Draft202012Validator(schema_of(document)).validate(document)
    assert document["weeks"]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_the_schema_does_not_know_fails(name: str, school: dict[str, tuple[str, ...]]) -> None:
    from dataclasses import replace

    from rollcall.reports.rows import Column, Kind

    table = table_of(name, school.get(name, ()))
    another = Column("another", "Another", Kind.COUNT, lambda _row: 1)
    document = said(replace(table, columns=[*table.columns, another]))

    with pytest.raises(ValidationError, match="another"):
        Draft202012Validator(schema_of(document)).validate(document)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_is_gone_fails(name: str, school: dict[str, tuple[str, ...]]) -> None:
    from dataclasses import replace

    from rollcall.reports.rows import Format

    table = table_of(name, school.get(name, ()))
    first = next(column for column in table.columns if Format.JSON in column.shown)
    document = said(replace(table, columns=[column for column in table.columns if column is not first]))

    with pytest.raises(ValidationError, match="required"):
        Draft202012Validator(schema_of(document)).validate(document)


# --- the schemas themselves -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_is_one_and_closed(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))

    Draft202012Validator.check_schema(schema)
    for each in _objects(schema):
        assert each["additionalProperties"] is False
        assert set(each["required"]) <= set(each["properties"])
        assert all("description" in one or "const" in one for one in each["properties"].values())


def _objects(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for one in node.values():
            yield from _objects(one)
    elif isinstance(node, list):
        for one in node:
            yield from _objects(one)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_is_named_in_the_documentation(path: Path) -> None:
    assert f"(json/{path.name})" in FOLDER.with_suffix(".md").read_text(encoding="utf-8")
