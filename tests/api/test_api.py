"""The API reads what the reports' JSON has, inside the bounds of a token, and says what is wrong in one form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from rollcall.store.derived import Course, Person
from rollcall.store.organisations import Licence, Organisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

EVERYTHING = ("read", "facts", "exports", "servers", "platforms", "audit")


@pytest.fixture
def everything(program: Callable[..., Client]) -> Client:
    return program(*EVERYTHING)


def paths(school: Any) -> list[tuple[str, str]]:
    person = bytes(Person.objects.get(external_user_id="8").key).hex()
    course = bytes(Course.objects.get().key).hex()
    meeting = school.meeting_id
    return [
        ("/meetings", "meetings"),
        ("/attendances", "attendances"),
        ("/people", "people"),
        ("/courses", "courses"),
        (f"/meetings/{meeting}", "meeting"),
        (f"/meetings/{meeting}/facts", "facts"),
        (f"/people/{person}", "person"),
        (f"/courses/{course}", "course"),
        ("/servers", "servers"),
        ("/platforms", "platforms"),
        ("/audit", "audit"),
        ("/exports", "exports"),
    ]


def test_each_answer_is_what_the_openapi_document_says(everything: Client, school: Any) -> None:
    document = everything.get("/api/v1/openapi.json").json()
    operations = {one["operationId"]: one for way in document["paths"].values() for one in way.values()}

    for path, name in paths(school):
        response = everything.get(f"/api/v1{path}")
        assert response.status_code == 200, (path, response.content)
        schema = operations[name]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator(schema).validate(response.json())
        assert response["RateLimit-Limit"] == "600"


def test_pages_go_on_where_the_last_one_ended(everything: Client, school: Any) -> None:
    found, after = [], ""
    while True:
        page = everything.get("/api/v1/attendances", {"limit": "2", "after": after, "sort": "name"}).json()
        found += [(row["name"], row["meeting_name"]) for row in page["attendances"]]
        after = page["next"]
        if not after:
            break

    assert len(found) == len(set(found)) == 6


def test_a_page_says_the_same_as_the_file(everything: Client, school: Any) -> None:
    from datetime import UTC

    from rollcall.reports.asking import ask
    from rollcall.reports.registry import REPORTS
    from rollcall.reports.rows import Format
    from rollcall.reports.to_json import to_json

    for name in ("meetings", "attendances", "people", "courses"):
        report = REPORTS[name]
        file = json.loads(b"".join(to_json(report.table(ask(report.takes, {}, zone=UTC), (), Format.JSON))))
        page = everything.get(f"/api/v1/{name}").json()
        rows = [{key: value for key, value in row.items() if key != "href"} for row in page[name]]
        assert sorted(rows, key=repr) == sorted(file[name], key=repr)


def test_what_has_not_changed_is_not_sent_again(everything: Client, school: Any) -> None:
    first = everything.get("/api/v1/people")
    again = everything.get("/api/v1/people", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert everything.get("/api/v1/people?name=ανθη", headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/meetings?colour=red", 400, "unknown-filter"),
        ("/meetings?from=yesterday", 400, "not-a-date"),
        ("/meetings?sort=colour", 400, "unknown-sort"),
        ("/meetings?limit=0", 400, "wrong-limit"),
        ("/meetings?limit=501", 400, "wrong-limit"),
        ("/meetings?limit=١", 400, "wrong-limit"),
        ("/meetings?after=zzz", 400, "bad-place"),
        ("/meetings?zone=Mars/Olympus", 400, "unknown-zone"),
        ("/meetings/999999", 404, "not-found"),
        ("/meetings/99999999999999999999999", 404, "not-found"),
        ("/meetings/999999/facts", 404, "not-found"),
        ("/people/00000000000000000000000000000000", 404, "not-found"),
        ("/courses/00000000000000000000000000000000", 404, "not-found"),
        ("/exports/1", 404, "not-found"),
        ("/exports/1/file", 404, "not-found"),
    ],
)
def test_what_is_wrong_is_told_in_one_form(everything: Client, path: str, status: int, code: str) -> None:
    response = everything.get(f"/api/v1{path}")

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    told = response.json()
    assert (told["code"], told["status"], told["type"]) == (code, status, f"urn:rollcall:problem:{code}")
    assert told["title"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eA==", "Bearer rollcall_none", "bearer a b"]
)
def test_without_a_token_there_is_nothing(client: Client, db: None, header: str) -> None:
    response = client.get("/api/v1/meetings", headers={"Authorization": header} if header else {})

    assert (response.status_code, response.json()["code"]) == (401, "no-token")
    assert response["WWW-Authenticate"] == 'Bearer realm="Rollcall"'


def test_a_token_ends_at_its_time_and_when_it_is_revoked(program: Callable[..., Client]) -> None:
    from rollcall.store import tokens
    from rollcall.store.accounts import Token

    assert program("read", expires_at=1).get("/api/v1/meetings").status_code == 401
    client = program("read")
    assert client.get("/api/v1/meetings").status_code == 200
    tokens.revoke(Token.objects.latest("pk"), 5)
    assert client.get("/api/v1/meetings").status_code == 401


def test_a_token_opens_what_its_scopes_say(program: Callable[..., Client], school: Any) -> None:
    scopes = {"facts": "facts", "servers": "servers", "platforms": "platforms", "audit": "audit", "exports": "exports"}
    for path, name in paths(school):
        needed = scopes.get(name, "read")
        client = program(*(scope for scope in EVERYTHING if scope != needed))
        response = client.get(f"/api/v1{path}")
        assert (response.status_code, response.json()["code"]) == (403, "missing-scope"), path


def test_a_token_of_one_organisation_sees_nothing_of_another(program: Callable[..., Client], school: Any) -> None:
    other = Organisation.objects.create(name="Elsewhere", added_at=0)
    Licence.objects.create(organisation=other, starts_at=0, added_at=0)
    client = program(*EVERYTHING, organisation=other)

    for path, name in paths(school):
        response = client.get(f"/api/v1{path}")
        if name in {"meeting", "facts", "person", "course"}:
            assert response.status_code == 404, path
        elif name == "servers":
            assert response.status_code == 403
        else:
            rows = next(value for value in response.json().values() if isinstance(value, list))
            assert rows == [] or name == "audit", path
        assert "Lovelace" not in response.content.decode()


def test_without_a_licence_in_force_there_is_nothing(program: Callable[..., Client]) -> None:
    other = Organisation.objects.create(name="Elsewhere", added_at=0, contact="office@school.example")
    Licence.objects.create(organisation=other, starts_at=0, ends_at=1, added_at=0)

    response = program(*EVERYTHING, organisation=other).get("/api/v1/meetings")

    assert (response.status_code, response.json()["code"]) == (403, "licence-ended")
    assert "office@school.example" in response.json()["hint"]


def test_the_rate_is_told_and_kept(program: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_API_PER_MINUTE", "2")
    monkeypatch.setattr("rollcall.api.rate.time.time", lambda: 120.0)
    client = program("read")

    answers = [client.get("/api/v1/meetings") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one["RateLimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert (answers[2]["Retry-After"], answers[2].json()["code"]) == ("60", "too-many-requests")


def test_a_file_is_ordered_made_and_fetched(everything: Client, school: Any) -> None:
    from rollcall.reports.exports.working import Maker

    order = {"report": "meeting", "kind": "csv", "about": [str(school.meeting_id)]}
    response = everything.post("/api/v1/exports", json.dumps(order), content_type="application/json")
    assert response.status_code == 202
    where = response["Location"]
    assert everything.get(where).json()["state"] == "waiting"

    assert Maker("w").tick()

    told = everything.get(where).json()
    assert told["state"] == "ready"
    assert "Ada Lovelace" in everything.get(told["file"]).getvalue().decode()
    assert everything.delete(where).status_code == 204
    assert everything.get(where).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"report":"none"}', b'{"report":"people","kind":"exe"}', b'{"report":"meeting"}',
        b'{"report":"meeting","about":["1/../2"]}', b'{"report":"people","about":["1"]}', b'{"report":"people","x":1}',
        b'{"report":"people","filters":{"colour":"red"}}', b'{"report":"people","filters":{"name":1}}', b"[" * 30_000,
        b'{"report":"people","filters":{"name":"' + b"x" * 30_000 + b'"}}',
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_meant_is_refused(everything: Client, body: bytes) -> None:
    response = everything.post("/api/v1/exports", body, content_type="application/json")

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("report", "scope"),
    [("people", "read"), ("use", "read"), ("facts", "facts"), ("servers", "servers"), ("audit", "audit")],
)
def test_a_file_needs_the_scope_of_its_report_too(
    program: Callable[..., Client], school: Any, report: str, scope: str
) -> None:
    order = json.dumps({"report": report, "about": [str(school.meeting_id)] if report == "facts" else []})
    others = [one for one in EVERYTHING if one != scope]

    for scopes, status in ((others, 403), (["exports"], 403), (["exports", scope], 202)):
        response = program(*scopes).post("/api/v1/exports", order, content_type="application/json")
        assert response.status_code == status, (scopes, response.content)


def test_a_file_that_a_program_fetches_is_in_the_audit_log(everything: Client, school: Any) -> None:
    from rollcall.reports.exports.working import Maker
    from rollcall.store.audit import AuditEntry

    order = {"report": "people", "kind": "csv", "filters": {"name": "Lovelace", "from": "2026-11-01"}}
    where = everything.post("/api/v1/exports", json.dumps(order), content_type="application/json")["Location"]
    assert Maker("w").tick()
    assert not AuditEntry.objects.exists(), "nobody has it yet"

    everything.get(everything.get(where).json()["file"]).getvalue()

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("exported", "people")
    assert entry.address.startswith("/people.csv?")
    assert "Lovelace" not in entry.address
    assert "from=2026-11-01" in entry.address


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "no JSON"),
        (b'{"report":"none"}', "none"),
        (b'{"report":"people","kind":"exe"}', "exe"),
        (b'{"report":"people","x":1}', "`x`"),
    ],
)
def test_an_order_that_is_wrong_is_told_what_is_wrong_with_it(everything: Client, body: bytes, named: str) -> None:
    response = everything.post("/api/v1/exports", body, content_type="application/json")
    assert named in response.json()["title"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_another_method_is_refused_in_the_same_form(everything: Client, method: str) -> None:
    response = getattr(everything, method)("/api/v1/meetings")

    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")
    assert response.json()["code"] == "method-not-allowed"
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD"}


def test_a_head_is_answered_as_a_get_without_the_body(everything: Client) -> None:
    head, whole = everything.head("/api/v1/people"), everything.get("/api/v1/people")

    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == whole["ETag"]


def test_what_a_program_reads_is_in_the_audit_log(everything: Client, school: Any) -> None:
    from rollcall.store.audit import AuditEntry

    everything.get(f"/api/v1/meetings/{school.meeting_id}")

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.meeting, entry.actor) == (
        "exported",
        "meeting",
        school.meeting_id,
        "program",
    )
