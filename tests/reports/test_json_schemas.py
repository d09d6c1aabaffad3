"""Every report's JSON is what its schema says: no more, no less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.reports.each_report import NAMES, make_subjects, table_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "rollcall" / "reports" / "schemas"
SCHEMAS = sorted(FOLDER.glob("*.schema.json"))


@pytest.fixture
def school(db: None) -> dict[str, tuple[str, ...]]:
    return make_subjects()


def said(table: Any) -> Any:
    from rollcall.reports.to_json import to_json

    return json.loads(b"".join(to_json(table)))


def schema_of(document: Any) -> Any:
    name, version = document["rollcall"].split("/")
    return json.loads((FOLDER / f"{name}-{version}.schema.json").read_text(encoding="utf-8"))


def test_no_report_is_forgotten() -> None:
    from rollcall.reports.registry import REPORTS

    assert set(REPORTS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_what_its_schema_says(name: str, school: dict[str, tuple[str, ...]]) -> None:
    document = said(table_of(name, school, "JSON"))

    Draft202012Validator(schema_of(document)).validate(document)
    rows = next(rows for key, rows in document.items() if isinstance(rows, list))
    assert rows


def test_use_by_week_is_too(school: dict[str, tuple[str, ...]]) -> None:
    document = said(table_of("use", school, "JSON", "by=week"))

    Draft202012Validator(schema_of(document)).validate(document)
    assert document["weeks"]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_the_schema_does_not_know_fails(name: str, school: dict[str, tuple[str, ...]]) -> None:
    from dataclasses import replace

    from rollcall.reports.rows import Column, Kind

    table = table_of(name, school, "JSON")
    another = Column("another", "Another", Kind.COUNT, lambda _row: 1)
    document = said(replace(table, columns=[*table.columns, another]))

    with pytest.raises(ValidationError, match="another"):
        Draft202012Validator(schema_of(document)).validate(document)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_is_gone_fails(name: str, school: dict[str, tuple[str, ...]]) -> None:
    from dataclasses import replace

    from rollcall.reports.rows import Format

    table = table_of(name, school, "JSON")
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
    said = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert f"(../rollcall/reports/schemas/{path.name})" in said
