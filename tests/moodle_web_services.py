"""A stand-in for Moodle's web services (4.5, REST with a token), on a port of this machine.

It answers as a running Moodle was seen to: always with the status 200, errors as an object with `exception`, the
function of the service looked at before the right, the right to enter before the right to act; completion is written
for whoever is named, be they enrolled or not, and of an activity without completion nothing at all.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.serving import on_a_port

PATH = "/webservice/rest/server.php"
TOKEN = "5f0f8a5c1b6e4c62a7d13f0c9be84d27"
SEED = "968e4c3ccc3ce8f436a585ab30c114e21e22e53e"
OURS = 7
TEACHER = 3

SITE_INFO = "core_webservice_get_site_info"
READ = "core_completion_get_activities_completion_status"
OVERRIDE = "core_completion_override_activity_completion_status"
MODULE = "core_course_get_course_module_by_instance"
ACTIVITIES = "mod_bigbluebuttonbn_get_bigbluebuttonbns_by_courses"
FUNCTIONS = (SITE_INFO, READ, OVERRIDE, MODULE, ACTIVITIES)

ENTER, SEE = "moodle/course:view", "mod/bigbluebuttonbn:view"
READS, OVERRIDES = "report/progress:view", "moodle/course:overridecompletion"
HIDDEN, GROUPS = "moodle/course:viewhiddenactivities", "moodle/site:accessallgroups"


class Refusal(Exception):
    """An error, as Moodle tells one."""

    def __init__(self, exception: str, errorcode: str, message: str) -> None:
        super().__init__(errorcode)
        self.body = {"exception": exception, "errorcode": errorcode, "message": message}


def bad_token() -> Refusal:
    return Refusal("core\\exception\\moodle_exception", "invalidtoken", "Invalid token - token not found")


def no_access() -> Refusal:
    return Refusal("webservice_access_exception", "accessexception", "Access control exception")


def closed() -> Refusal:
    said = "Course or activity not accessible."
    return Refusal("core\\exception\\require_login_exception", "requireloginerror", said)


def no_right(code: str = "nopermission", said: str = "error/nopermission") -> Refusal:
    return Refusal("core\\exception\\required_capability_exception", code, said)


def no_module() -> Refusal:
    return Refusal("dml_missing_record_exception", "invalidcoursemodule", "Invalid course module ID")


def no_record() -> Refusal:
    said = "Can't find data record in database."
    return Refusal("dml_missing_record_exception", "invalidrecordunknown", said)


def bad_parameter() -> Refusal:
    said = "Invalid parameter value detected"
    return Refusal("core\\exception\\invalid_parameter_exception", "invalidparameter", said)


@dataclass
class Module:
    """One BigBlueButton activity. `tracking` is that of its completion: 0 none, 1 by hand, 2 by its rules."""

    cmid: int
    course: int = 2
    seed: str = SEED
    tracking: int = 2
    is_hidden: bool = False


@dataclass
class Row:
    """What Moodle holds of one person's completion of one course module."""

    state: int = 0
    by: int | None = None


@dataclass
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    form: dict[str, str]

    @property
    def function(self) -> str:
        return self.form.get("wsfunction", "")


@dataclass
class Site:
    """One Moodle. Everything it holds is there to be looked at and changed; what it does wrong is in `faults`.

    A fault is taken by the next call of that function ("": of any): a status, "drop" (the connection breaks off before
    anything is done) or "drop-after", a Refusal, or bytes that are answered instead, with the status 200.
    """

    activities: dict[int, Module] = field(default_factory=lambda: {1: Module(3)})
    users: set[int] = field(default_factory=lambda: {TEACHER, 4, 5, 6, OURS})
    students: set[int] = field(default_factory=lambda: {4, 5, 6})
    rights: set[str] = field(default_factory=lambda: {ENTER, SEE, READS, OVERRIDES})
    functions: set[str] = field(default_factory=lambda: set(FUNCTIONS))
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    rows: dict[tuple[int, int], Row] = field(default_factory=dict)
    faults: list[tuple[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    is_administrator: bool = False
    calls_itself: str = ""
    seconds: float = 0.0
    base: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # -- what a test asks

    def asked(self) -> Counter[str]:
        """How often each function was called."""
        return Counter(one.function for one in self.requests)

    def completed(self, instance: int = 1) -> set[int]:
        """Who has completed an activity."""
        cmid = self.activities[instance].cmid
        return {user for (module, user), row in self.rows.items() if module == cmid and row.state}

    def by_hand(self, user: int, state: int, *, by: int = TEACHER, instance: int = 1) -> None:
        """A teacher sets it, or whoever is named; with `by` 0 it is Moodle's own rule that is met."""
        self.rows[self.activities[instance].cmid, user] = Row(state, by or None)

    # -- what Moodle does

    def answer(self, form: dict[str, str]) -> Any:
        """The body of an answer, errors and all."""
        try:
            return self._call(form)
        except Refusal as error:
            return error.body

    def _call(self, form: dict[str, str]) -> Any:
        if form.get("wstoken") not in self.tokens:
            raise bad_token()
        function = form.get("wsfunction", "")
        if function not in self.functions:
            raise no_access()
        match function:
            case "core_webservice_get_site_info":
                return self._site_info()
            case "core_completion_get_activities_completion_status":
                return self._statuses(_int(form, "courseid"), _int(form, "userid"))
            case "core_completion_override_activity_completion_status":
                return self._override(_int(form, "userid"), _int(form, "cmid"), _int(form, "newstate"))
            case "core_course_get_course_module_by_instance":
                return self._module(_int(form, "instance"))
            case _:
                return self._listed(_int(form, "courseids[0]"))

    def _site_info(self) -> dict[str, Any]:
        return {
            "sitename": "Throwaway Moodle",
            "username": "wsuser",
            "fullname": "Web Service",
            "userid": OURS,
            "siteurl": self.calls_itself or self.base,
            "functions": [{"name": name, "version": "2024100706"} for name in sorted(self.functions)],
            "release": "4.5.6 (Build: 20250811)",
            "version": "2024100706",
            "userprivateaccesskey": "d323f069ca60127308d5f6ab023ee5cf",
            "userissiteadmin": self.is_administrator,
        }

    def _statuses(self, course: int, user: int) -> dict[str, Any]:
        if course not in {one.course for one in self.activities.values()}:
            raise no_record()
        self._enter()
        if user not in self.users:
            raise Refusal("core\\exception\\moodle_exception", "invaliduser", "Invalid user")
        if user != OURS and READS not in self.rights:
            said = "Sorry, but you do not currently have permissions to do that (View activity completion reports)."
            raise no_right("nopermissions", said)
        listed = [
            self._status(instance, module, user)
            for instance, module in self.activities.items()
            if module.course == course and module.tracking and self._is_seen(module)
        ]
        return {"statuses": [_LABEL, *listed], "warnings": []}

    def _status(self, instance: int, module: Module, user: int) -> dict[str, Any]:
        row = self.rows.get((module.cmid, user), Row())
        return {
            "cmid": module.cmid,
            "modname": "bigbluebuttonbn",
            "instance": instance,
            "state": row.state,
            "timecompleted": 1795308929 if row.state else 0,
            "tracking": module.tracking,
            "overrideby": row.by,
            "valueused": False,
            "hascompletion": True,
            "isautomatic": module.tracking == 2,
            "istrackeduser": user in self.students,
            "uservisible": True,
            "details": [],
            "isoverallcomplete": row.state in {1, 2},
        }

    def _override(self, user: int, cmid: int, state: int) -> dict[str, Any]:
        module = next((one for one in self.activities.values() if one.cmid == cmid), None)
        if module is None:
            raise no_module()
        self._enter(module)
        if OVERRIDES not in self.rights:
            raise no_right()
        if not module.tracking:
            return {"cmid": cmid, "userid": user, "state": 0, "timecompleted": 0, "overrideby": None, "tracking": 0}
        if state not in {0, 1}:
            said = "An internal error occurred in the completion system."
            raise Refusal("core\\exception\\moodle_exception", "err_system", said)
        self.rows[cmid, user] = Row(state, OURS)
        told = {"cmid": cmid, "userid": user, "state": state, "timecompleted": 1795310008}
        return told | {"overrideby": OURS, "tracking": module.tracking}

    def _module(self, instance: int) -> dict[str, Any]:
        module = self.activities.get(instance)
        if module is None:
            raise no_record()
        self._enter(module)
        told = {"id": module.cmid, "course": module.course, "module": 2, "modname": "bigbluebuttonbn"}
        return {"cm": told | {"instance": instance, "completion": module.tracking}, "warnings": []}

    def _listed(self, course: int) -> dict[str, Any]:
        if ENTER not in self.rights:
            return {"bigbluebuttonbns": [], "warnings": []}
        listed = [
            {"id": instance, "coursemodule": one.cmid, "course": course, "visible": True, "meetingid": one.seed}
            for instance, one in self.activities.items()
            if one.course == course and self._is_seen(one)
        ]
        return {"bigbluebuttonbns": listed, "warnings": []}

    def _enter(self, module: Module | None = None) -> None:
        if ENTER not in self.rights or (module is not None and not self._is_seen(module)):
            raise closed()

    def _is_seen(self, module: Module) -> bool:
        return SEE in self.rights and (not module.is_hidden or HIDDEN in self.rights)

    # -- on the wire

    def handle(self, path: str, headers: dict[str, str], form: dict[str, str]) -> tuple[int, bytes, str] | None:
        """Status, body and media type; None: the connection is broken off."""
        with self._lock:
            self.requests.append(Request(path, headers, form))
            fault = self._fault(form.get("wsfunction", ""))
            if fault == "drop":
                return None
            if isinstance(fault, int):
                return fault, b"<html><body>Error</body></html>", "text/html"
            if isinstance(fault, bytes):
                return 200, fault, "text/html"
            if urlsplit(path).path != PATH:
                return 404, b"<html></html>", "text/html"
            body = fault.body if isinstance(fault, Refusal) else self.answer(form)
            return None if fault == "drop-after" else (200, json.dumps(body).encode(), "application/json")

    def _fault(self, function: str) -> Any:
        for place, (of, fault) in enumerate(self.faults):
            if of in {"", function}:
                del self.faults[place]
                return fault
        return None


_LABEL = {
    "cmid": 11,
    "modname": "lti",
    "instance": 1,
    "state": 1,
    "overrideby": None,
    "istrackeduser": True,
    "isoverallcomplete": True,
}
"""Another activity of the course, with the same number among those of its own kind."""


def _int(form: dict[str, str], name: str) -> int:
    try:
        return int(form[name])
    except (KeyError, ValueError):
        raise bad_parameter() from None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.site.seconds:
            time.sleep(self.site.seconds)
        answer = self.site.handle(self.path, headers, dict(parse_qsl(body)))
        self.close_connection = True
        if answer is not None:
            self._send(*answer)

    def _send(self, status: int, body: bytes, media: str) -> None:
        self.send_response_only(status)
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answering(site: Site) -> type[BaseHTTPRequestHandler]:
    """A handler that answers as it."""
    return type("Handler", (_Handler,), {"site": site})


@contextmanager
def web_services(**about: Any) -> Iterator[Site]:
    """A Moodle of its own while the block lasts."""
    site = Site(**about)
    with on_a_port(answering(site)) as port:
        site.base = f"http://127.0.0.1:{port}"
        yield site
