"""A stand-in for the services of an LMS (token, Names and Roles, gradebook), answering as Moodle 4.5 was seen to.

Its quirks are on: token answers are labelled text/html, an unknown key id makes broken JSON, keys that cannot be
fetched make a 404 page, times are compared without leeway, media types must be exact, links of the gradebook have curly
quotation marks and `&amp;`, scores are refused with the reason in the status line only.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt

from tests.serving import on_a_port

NRPS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM = "application/vnd.ims.lis.v2.lineitem+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
SPEC = "https://purl.imsglobal.org/spec/"
ROSTER_SCOPE = SPEC + "lti-nrps/scope/contextmembership.readonly"
SCOPES = frozenset(
    {ROSTER_SCOPE, *(f"{SPEC}lti-ags/scope/{n}" for n in ("lineitem", "lineitem.readonly", "score"))}
) | {SPEC + "lti-ags/scope/result.readonly"}


def learner(user: str, **more: Any) -> dict[str, Any]:
    return {"status": "Active", "roles": ["Learner"], "user_id": user, "lis_person_sourcedid": f"S-{user}", **more}


def instructor(user: str, **more: Any) -> dict[str, Any]:
    return learner(user, **more) | {"roles": ["Instructor"]}


@dataclass
class Request:
    """What came in, and its status."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int = 0


class Answer(Exception):
    """Something other than success."""

    def __init__(self, status: int, phrase: str, content: bytes = b"", media: str = "application/json") -> None:
        super().__init__(phrase)
        self.status, self.phrase, self.content, self.media = status, phrase, content, media


@dataclass
class Site:
    """One LMS. `keys` are public keys by kid. What it is told to do wrong is in `faults`, by path ending, taken once.

    A fault is a status, or "drop" (the connection breaks off), or whatever a function makes of the answer.
    """

    client_id: str = "tool"
    keys: dict[str, Any] = field(default_factory=dict)
    members: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[int, dict[str, Any]] = field(default_factory=dict)
    grades: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    scored: list[tuple[int, str, float | None]] = field(default_factory=list)
    locked: set[int] = field(default_factory=set)
    locked_for: set[tuple[int, str]] = field(default_factory=set)
    course_is_gone: bool = False
    permitted: frozenset[str] = SCOPES
    expires_in: Any = 3600
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: list[tuple[str, Any]] = field(default_factory=list)
    pages: int | None = None
    can_fetch_keys: bool = True
    clock: Callable[[], float] = time.time
    base: str = ""

    @property
    def token_url(self) -> str:
        return f"{self.base}/mod/lti/token.php"

    @property
    def memberships_url(self) -> str:
        return f"{self.base}/mod/lti/services.php/CourseSection/2/bindings/1/memberships"

    @property
    def columns_url(self) -> str:
        return f"{self.base}/mod/lti/services.php/2/lineitems?type_id=1"

    def column_url(self, number: int) -> str:
        return f"{self.base}/mod/lti/services.php/2/lineitems/{number}/lineitem?type_id=1"

    def asked(self, ending: str) -> list[Request]:
        return [one for one in self.requests if one.path.endswith(ending)]

    # -- token.php

    def token(self, request: Request) -> bytes:
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        if not is_form or not {"client_assertion", "scope", "grant_type", "client_assertion_type"} <= form.keys():
            raise _refused("invalid_request")
        self._verify(form["client_assertion"])
        granted = frozenset(form["scope"].split()) & self.permitted
        if not granted:
            raise _refused("invalid_scope")
        token = secrets.token_hex(16)
        self.tokens[token] = granted
        scope = " ".join(sorted(granted))
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in, "scope": scope}
        return json.dumps(answer).encode()

    def _verify(self, assertion: str) -> None:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
        if claims.get("sub") != self.client_id:
            raise _refused("invalid_client")
        if not self.can_fetch_keys:
            raise Answer(404, "Not Found", b"<!DOCTYPE html><title>Error</title>", "text/html; charset=utf-8")
        if "kid" not in header:
            raise _refused("error/Error: kid must be provided in JWT header.")
        if header["kid"] not in self.keys:
            broken = b'{\n  "error" : ""kid" invalid, unable to lookup correct key"\n}'
            raise Answer(400, "Bad Request", broken, "text/html; charset=utf-8")
        try:
            jwt.decode(assertion, self.keys[header["kid"]], ["RS256"], options=_UNTIMED)
        except jwt.InvalidSignatureError:
            raise _refused("Signature verification failed") from None
        if claims.get("iat", 0) > self.clock():
            raise _refused("Cannot handle token with iat prior to 2026-11-22T01:02:12+0000")
        if claims.get("exp", self.clock() + 1) <= self.clock():
            raise _refused("Expired token")

    def allow(self, request: Request, *scopes: str) -> None:
        if request.query.get("type_id", "1") != "1":
            raise Answer(401, "Unauthorized", b'{"status":401,"reason":"Unauthorized"}')
        if self.course_is_gone and "lineitems" in request.path:
            raise Answer(404, "Not Found", b'{"status":404,"reason":"Not Found"}')
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.tokens.get(token, frozenset()) & {f"{SPEC}{scope}" for scope in scopes}:
            raise Answer(401, "Unauthorized", b'{"status":401,"reason":"Unauthorized"}')

    # -- services.php

    def memberships(self, request: Request) -> tuple[bytes, dict[str, str]]:
        if request.headers.get("accept") != NRPS:
            raise Answer(400, "No handler found for /CourseSection/2/bindings/1/memberships")
        self.allow(request, "lti-nrps/scope/contextmembership.readonly")
        found, following = self._part(self.members, request.query)
        url = f"{self.memberships_url}?limit={request.query.get('limit')}&from={following}"
        headers = {"Link": f'<{url}>; rel="next"'} if following else {}
        context = {"id": "2", "label": "BBB101", "title": "Live Sessions 101 & more"}
        return json.dumps({"id": self.memberships_url, "context": context, "members": found}).encode(), headers

    def _part(self, rows: list[Any], query: dict[str, str]) -> tuple[list[Any], int]:
        limit = self.pages or int(query.get("limit", 0)) or len(rows)
        start = int(query.get("from", 0))
        return rows[start : start + limit], start + limit if start + limit < len(rows) else 0

    def list_columns(self, request: Request) -> tuple[bytes, dict[str, str]]:
        if request.headers.get("accept") != ITEMS:
            raise Answer(400, "No context or unsupported content type")
        self.allow(request, "lti-ags/scope/lineitem", "lti-ags/scope/lineitem.readonly")
        rows = [
            row
            for row in self.columns.values()
            if request.query.get("tag", row["tag"]) == row["tag"]
            and request.query.get("resource_link_id", row.get("resourceLinkId")) == row.get("resourceLinkId")
        ]
        found, following = self._part(rows, request.query)
        quoted = f"{self.columns_url}&amp;limit=2&amp;from={following}"
        first = f"{self.columns_url}&amp;limit=2&amp;from=0"
        link = f"<{first}>; rel=\u201cfirst\u201d, <{quoted}>; rel=\u201cnext\u201d, <{quoted}>; rel=\u201clast\u201d"
        return json.dumps(found).encode(), {"Link": link} if following else {}

    def make_column(self, request: Request) -> bytes:
        if request.headers.get("content-type") != ITEM:
            raise Answer(400, f"No handler found for /2/lineitems  {request.headers.get('content-type')}")
        self.allow(request, "lti-ags/scope/lineitem")
        number = max(self.columns, default=1) + 1
        told = json.loads(request.body)
        self.columns[number] = {"resourceId": "", "tag": "", **told, "id": self.column_url(number)}
        return json.dumps(told | {"id": self.column_url(number)}).encode()

    def override(self, number: int, user: str, value: float | None) -> None:
        """What a teacher does in the gradebook: from now on scores are taken, and change nothing to be seen."""
        kept = self.grades.setdefault((number, user), {"second": int(self.clock()), "value": None, "comment": ""})
        kept["overridden"] = True
        kept["final"] = value

    def one_column(self, request: Request, number: int) -> tuple[int, bytes]:
        if number not in self.columns:
            raise Answer(404, "Not Found")
        if request.method == "GET":
            self.allow(request, "lti-ags/scope/lineitem", "lti-ags/scope/lineitem.readonly")
            return 200, json.dumps(self.columns[number]).encode()
        self.allow(request, "lti-ags/scope/lineitem")
        if request.method == "DELETE":
            del self.columns[number]
            return 204, b""
        self.columns[number] |= json.loads(request.body)
        return 200, json.dumps(self.columns[number]).encode()

    def score(self, request: Request, number: int) -> None:
        if request.headers.get("content-type", "").partition(";")[0] != SCORE:
            raise Answer(400, f"No handler found for /2/lineitems/{number}/lineitem/scores")
        self.allow(request, "lti-ags/scope/score")
        self.find(number)
        told = json.loads(request.body)
        if not str(told.get("userId", "0")).isdecimal():
            raise Answer(502, "Bad Gateway", b"<html>\r\n<head><title>502 Bad Gateway</title></head>", "text/html")
        user = str(told.get("userId", ""))
        is_student = any(one["user_id"] == user and one["roles"] == ["Learner"] for one in self.members)
        is_whole = all(isinstance(told.get(n), str) for n in ("timestamp", "activityProgress", "gradingProgress"))
        if not is_student or not is_whole or ("scoreGiven" in told and "scoreMaximum" not in told):
            raise Answer(400, f"Incorrect score received{request.body.decode()}", b"[]", SCORE)
        self._keep(number, user, told)

    def find(self, number: int) -> dict[str, Any]:
        if number not in self.columns:
            raise Answer(404, "Not Found", b'{"status":404,"reason":"Not Found"}')
        return self.columns[number]

    def _keep(self, number: int, user: str, told: dict[str, Any]) -> None:
        """An empty grade without a comment forgets its time; one that a teacher has overridden keeps what is seen."""
        second = int(datetime.fromisoformat(told["timestamp"]).timestamp())
        before = self.grades.get((number, user), {})
        if (before.get("second") or 0) >= second:
            phrase = f"Refusing score with an earlier timestamp for item {number} and user {user}"
            raise Answer(409, phrase, b"[]", SCORE)
        if number in self.locked or (number, user) in self.locked_for:
            raise Answer(500, "Internal Server Error", b"[]", SCORE)
        given = told.get("scoreGiven") if told["gradingProgress"] == "FullyGraded" else None
        maximum = self.columns[number]["scoreMaximum"]
        value = None if given is None else float(given) * maximum / (told["scoreMaximum"] or maximum)
        comment = told.get("comment", "")
        kept = {"second": second if value is not None or comment else None, "value": value, "comment": comment}
        self.grades[number, user] = before | kept
        self.scored.append((number, user, value))

    def seen(self, number: int, user: str) -> float | None:
        """The grade as everybody sees it."""
        grade = self.grades.get((number, user), {})
        shown: float | None = grade.get("final") if grade.get("overridden") else grade.get("value")
        return None if shown is None else min(shown, self.columns[number]["scoreMaximum"])

    def results(self, request: Request, number: int) -> bytes:
        if request.headers.get("accept") != RESULTS:
            raise Answer(400, f"No handler found for /2/lineitems/{number}/lineitem/results")
        self.allow(request, "lti-ags/scope/result.readonly")
        self.find(number)
        if {"limit", "type_id"} <= request.query.keys() and any(column == number for column, _user in self.grades):
            # Moodle 4.5 breaks down on a page of results, unless there is none or the tool's number is left out.
            raise Answer(404, "Not Found", b"<!DOCTYPE html><p>Exception", "text/html; charset=utf-8")
        found = []
        for (column, user), grade in self.grades.items():
            if column == number and request.query.get("user_id", user) == user:
                moment = datetime.fromtimestamp(grade["second"] or 0).astimezone().isoformat()
                row = {"id": "x", "userId": user, "resultMaximum": self.columns[number]["scoreMaximum"]}
                row |= {"resultScore": shown} if (shown := self.seen(number, user)) else {}
                row |= {"comment": grade["comment"]} if grade["comment"] else {}
                found.append(row | {"scoreOf": self.column_url(number), "timestamp": moment})
        return json.dumps(found).encode()


_UNTIMED: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}


def _refused(error: str) -> Answer:
    return Answer(400, "Bad Request", json.dumps({"error": error}).encode(), "text/html; charset=utf-8")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        self.site.requests.append(request)
        fault = self._fault(parts.path)
        if fault == "drop":
            self.close_connection = True
            return
        try:
            status, content, media, more = self._answer(request, fault)
            phrase = self.responses[status][0]
        except Answer as answer:
            status, phrase, content, media, more = answer.status, answer.phrase, answer.content, answer.media, {}
        if callable(fault):
            status, content, media, more = fault(status, content, media, more)
        request.status = status
        self._send(status, phrase, content, media, more)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the library's names

    def _fault(self, path: str) -> Any:
        for number, (ending, fault) in enumerate(self.site.faults):
            if path.endswith(ending):
                del self.site.faults[number]
                return fault
        return None

    def _answer(  # noqa: PLR0911 - a table of paths
        self, request: Request, fault: Any
    ) -> tuple[int, bytes, str, dict[str, str]]:
        site, path = self.site, request.path
        if isinstance(fault, int):
            raise Answer(fault, self.responses[fault][0])
        if path.endswith("/token.php"):
            return 200, site.token(request), "text/html; charset=utf-8", {}
        if path.endswith("/memberships"):
            content, headers = site.memberships(request)
            return 200, content, f"{NRPS}; charset=utf-8", headers
        if path.endswith("/lineitems") and request.method == "POST":
            return 201, site.make_column(request), ITEM, {}
        if path.endswith("/lineitems"):
            content, headers = site.list_columns(request)
            return 200, content, ITEMS, headers
        number = int(path.partition("/lineitems/")[2].partition("/")[0] or 0)
        if path.endswith("/scores"):
            site.score(request, number)
            return 200, b"", SCORE, {}
        if path.endswith("/results"):
            return 200, site.results(request, number), RESULTS, {}
        status, content = site.one_column(request, number)
        return status, content, ITEM, {}

    def _send(self, status: int, phrase: str, content: bytes, media: str, more: dict[str, str]) -> None:
        # Written by hand: the library cannot send a header that is UTF-8.
        lines = [f"HTTP/1.1 {status} {phrase}", f"Content-Type: {media}", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in more.items()]
        self.wfile.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + content)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answering(site: Site) -> type[BaseHTTPRequestHandler]:
    """A handler that answers as it."""
    return type("Handler", (_Handler,), {"site": site})


@contextmanager
def standing(site: Site) -> Iterator[Site]:
    """The site on a port of this machine while the block lasts."""
    with on_a_port(answering(site)) as port:
        site.base = f"http://127.0.0.1:{port}"
        yield site


def link_to(site: Site, **query: str) -> dict[str, str]:
    """A Link header to another page of the roster."""
    return {"Link": f'<{site.memberships_url}?{urlencode(query)}>; rel="next"'}
