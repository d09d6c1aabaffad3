"""The OpenAPI description of what is read: parameters from the declared filters, answers from the reports' schemas."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.utils import translation

from rollcall.api.answers import JSON, PROBLEM
from rollcall.reports.filters import FIELDS, LONGEST

if TYPE_CHECKING:
    from rollcall.reports.tables.report import Report

SCHEMAS: Final = Path(__file__).parents[1] / "reports" / "schemas"
NAMED: Final = {"meeting": "attendance"}
"""Whose schema a report of another name has."""

PAGED: Final = frozenset({"person", "facts", "audit", "completion"})
"""What goes by pages and is no list."""

MOST: Final = 500
PAGE: Final = 50

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "Names the problem for programs."},
        "title": {"type": "string", "description": "What is wrong, in a sentence."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "code": {"type": "string", "description": "The same as in the type, short."},
        "hint": {"type": "string", "description": "What to do about it; may be blank."},
    },
    "required": ["type", "title", "status", "code", "hint"],
}
_RATE: Final[dict[str, Any]] = {
    name: {"schema": {"type": "integer"}, "description": said}
    for name, said in (
        ("RateLimit-Limit", "Requests that a token may make in a minute."),
        ("RateLimit-Remaining", "How many of them are left."),
        ("RateLimit-Reset", "Seconds until the next minute begins."),
    )
}
_WRONG: Final = {
    400: "Something in the request cannot be meant.",
    401: "No token, or one that is not valid.",
    403: "The token has not the scope, or no licence is in force.",
    404: "There is no such thing, or it is outside of what the token sees.",
    405: "The address takes other methods; Allow says which.",
    429: "More requests than a minute may have.",
    503: "The database does not answer, or too much is asked for at once; try again.",
}


def operation(
    report: Report | None = None,
    *,
    schema: dict[str, Any] | None = None,
    status: int = 200,
    said: str = "What was asked for.",
    **more: Any,
) -> dict[str, Any]:
    """Everything of an operation that ninja cannot know: of a report its filters and its rows, else a schema."""
    found = page_schema(report) if report else schema
    right: dict[str, Any] = {"description": said, "headers": dict(_RATE)}
    if found is not None:
        right["content"] = {JSON: {"schema": found}}
    wrong = {code: {"description": text, "content": {PROBLEM: {"schema": _PROBLEM}}} for code, text in _WRONG.items()}
    not_changed = {304: {"description": "Nothing has changed since that ETag."}} if status == 200 else {}
    asked = _parameters(report) if report else []
    return {"responses": {status: right, **not_changed, **wrong}, "parameters": asked, **more}


def _parameters(report: Report) -> list[dict[str, Any]]:
    with translation.override("en"):
        found = [_filter(name) for name in report.takes.filters]
    if report.takes.sorts:
        found.append(_parameter("sort", "The order; a minus turns it round.", {"enum": list(report.takes.sorts)}))
    if report.name == report.lists:
        return [*found, *_places()]
    return [*_places(), *found] if report.name in PAGED else found


def _places() -> list[dict[str, Any]]:
    """Where in a list, and how much of it."""
    return [
        _parameter("after", "`next` of the page before.", {"type": "string", "maxLength": 4000}),
        _parameter("limit", "Rows of a page.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE}),
    ]


def _filter(name: str) -> dict[str, Any]:
    field = FIELDS[name]
    said = f"{field.label}. {field.about}".strip()
    return _parameter(name, said, {"type": "string", "maxLength": LONGEST})


def _parameter(name: str, said: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": said, "schema": schema}


@cache
def schema_of(name: str) -> dict[str, Any]:
    """The schema of a report's JSON, with what it refers to put in its place."""
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}-1.schema.json").read_text(encoding="utf-8"))
    definitions = found.pop("$defs", {})
    for word in ("$schema", "$id"):
        found.pop(word, None)
    resolved: dict[str, Any] = _resolved(found, definitions)
    return resolved


def _resolved(node: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, dict):
        if "$ref" in node:
            whole = {**definitions[node["$ref"].rpartition("/")[2]], **{k: v for k, v in node.items() if k != "$ref"}}
            return _resolved(whole, definitions)
        if node.get("items") is False:  # a pair of the same kind, said in words that every generator of clients knows
            [first, *others] = node["prefixItems"]
            node = {**node, "items": first, "maxItems": 1 + len(others)}
            del node["prefixItems"]
        return {name: _resolved(one, definitions) for name, one in node.items()}
    return [_resolved(one, definitions) for one in node] if isinstance(node, list) else node


def page_schema(report: Report) -> dict[str, Any]:
    """The report's form; of what goes by pages where the next one begins, of a list each row's address here."""
    schema: dict[str, Any] = json.loads(json.dumps(schema_of(NAMED.get(report.name, report.name))))
    if report.name == report.lists:
        rows = next(one for one in schema["properties"].values() if one.get("type") == "array")
        rows["items"]["properties"]["href"] = {"type": "string", "description": "Where more of it is."}
        rows["items"]["required"] = [*rows["items"]["required"], "href"]
    if report.name in {report.lists, *PAGED}:
        said = "What `after` has to be for the next page; null on the last one."
        schema["properties"]["next"] = {"type": ["string", "null"], "description": said}
        schema["required"] = [*schema["required"], "next"]
    return schema
