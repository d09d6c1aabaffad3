"""A stand-in for Moodle's receiver of meeting events (mod_bigbluebuttonbn 4.5), on a port of this machine.

It answers as a running Moodle was seen to, faults and all: the first delivery of an internal meeting id is kept before
it is processed, later ones are dropped (found by searching all kept texts for the id), an attendee whose id is no
number breaks the processing off, and the phrase beside the status is all that is ever explained.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.serving import on_a_port

PATH = "/mod/bigbluebuttonbn/bbb_broker.php"
GONE = "Gone. The activity may have been deleted"
FIREBASE = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES256K", "ES384", "EdDSA"}
RULES = ("attendance", "chats", "talks", "raisehand", "poll_votes", "emojis")


@dataclass(frozen=True)
class Activity:
    """One BigBlueButton activity. `rules` are thresholds; None: its completion is not tracked at all."""

    seed: str
    course: int = 2
    rules: dict[str, int] | None = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One row of the plugin's log: a Callback (user 0), or a Summary of one attendee entry."""

    log: str
    instance: int
    meeting_id: str
    user: int
    meta: dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What came in, and what it was answered; no status: the connection was broken off."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    phrase: str

    @property
    def is_probe(self) -> bool:
        return self.body == b'{"meeting_id":"probe"}'


class Failed(Exception):
    """An exception inside PHP: 400 with its message where the broker catches it, else an error page."""

    def __init__(self, status: int, phrase: str) -> None:
        super().__init__(phrase)
        self.status, self.phrase = status, phrase


def _thrown(message: str) -> Failed:
    return Failed(400, f"Bad Request. Caught exception: {message}")


class Moodle:
    """One site. Everything it holds is there to be looked at; what it is told to do wrong is in `faults`.

    A fault is taken by the next delivery that is no probe: "close-before" and "close-after" break the connection off
    before or after the work, "slow" lets a second pass after the work, a number is answered without any work, and a
    number followed by "-after" is answered instead of what was done. `breaks_after` so many attendees the processing
    fails, as a database does that is full; whatever names `fails_for` is answered 500.
    """

    def __init__(self, secret: str, activities: dict[int, Activity], clock: Callable[[], float] = time.time) -> None:
        self.secret, self.activities, self.clock = secret, dict(activities), clock
        self.rows: list[Row] = []
        self.requests: list[Request] = []
        self.faults: list[str] = []
        self.is_header_stripped = False
        self.is_apache = False
        self.swallows_phrases = False
        self.is_missing = False
        self.retry_after = ""
        self.fails_for = ""
        self.breaks_after: int | None = None
        self.breaks_with = "Error writing to database"
        self.base = ""
        self._lock = threading.Lock()

    # -- what a test asks

    def url(self, instance: int) -> str:
        """What Moodle writes into meta_analytics-callback-url."""
        return f"{self.base}{PATH}?action=meeting_events&bigbluebuttonbn={instance}"

    def meeting_id(self, instance: int, group: int = 0) -> str:
        """The external id of a meeting of this activity."""
        activity = self.activities[instance]
        return f"{activity.seed}-{activity.course}-{instance}[{group}]"

    def credited(self, instance: int | None = None) -> Counter[int]:
        """How many Summary rows each user has."""
        return Counter(row.user for row in self.rows if row.log == "Summary" and instance in {None, row.instance})

    def deliveries(self) -> list[Request]:
        """Every request but the probes."""
        return [request for request in self.requests if not request.is_probe]

    def completed(self, instance: int) -> set[int]:
        """Whom the next run of cron completes: the thresholds over the sums, minutes cut down row by row."""
        rules = self.activities[instance].rules
        if rules is None:
            return set()
        found = set()
        for user in self.credited(instance):
            mine = [
                row.meta["data"]
                for row in self.rows
                if (row.log, row.instance, row.user) == ("Summary", instance, user)
            ]
            sums = {rule: sum(_value(rule, data) for data in mine) for rule in RULES}
            if user > 0 and all(sums[rule] >= threshold for rule, threshold in rules.items()):
                found.add(user)
        return found

    # -- what the broker does

    def answer(self, query: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        """Status and phrase for one request."""
        with self._lock:
            try:
                return self._broker({name: values[-1] for name, values in parse_qs(query).items()}, headers, body)
            except Failed as error:
                return error.status, error.phrase

    def _broker(self, query: dict[str, str], headers: dict[str, str], body: bytes) -> tuple[int, str]:
        action = query.get("action", "")
        if not action:
            return 400, "Bad Request. Parameter [] was not included"
        if action.lower() not in {"meeting_events", "recording_ready"}:
            return 400, f"Bad Request. Action {action} can not be performed."
        if not query.get("bigbluebuttonbn", "").isdecimal():
            return 404, "Not Found"
        instance = int(query["bigbluebuttonbn"])
        if instance not in self.activities:
            return 410, GONE
        if action.lower() == "recording_ready":
            return 400, "Bad Request. A JWT encoded string must be included as [signed_parameters]."
        return self._meeting_events(instance, headers, body)

    def _meeting_events(self, instance: int, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        authorization = "" if self.is_header_stripped else headers.get("authorization", "")
        if not authorization:
            return 400, "Bad Request. Authorization failed"
        words = authorization.split(" ")
        if len(words) < 2:
            raise Failed(404, "Not Found")
        self._verify(words[1])
        is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        data = None if is_form else _json(body)
        if not isinstance(data, dict):
            raise Failed(404, "Not Found")
        return self._process(instance, data)

    def _verify(self, token: str) -> None:
        """As firebase/php-jwt 6 does: HS512 by name, and every claim of time without leeway."""
        parts = token.split(".")
        if len(parts) != 3:
            raise _thrown("Wrong number of segments")
        header, claims = _json(_base64(parts[0])), _json(_base64(parts[1]))
        if not isinstance(header, dict):
            raise _thrown("Invalid header encoding")
        if not isinstance(claims, dict):
            raise _thrown("Invalid claims encoding")
        if header.get("alg") not in FIREBASE:
            raise _thrown("Algorithm not supported" if header.get("alg") else "Empty algorithm")
        if header["alg"] != "HS512":
            raise _thrown("Incorrect key for this algorithm")
        signed = f"{parts[0]}.{parts[1]}".encode()
        if not hmac.compare_digest(hmac.digest(self.secret.encode(), signed, hashlib.sha512), _base64(parts[2])):
            raise _thrown("Signature verification failed")
        self._check_times(claims)

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self.clock()
        for name in ("nbf", "iat"):
            if name in claims and claims[name] > now:
                when = datetime.fromtimestamp(claims[name], UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
                raise _thrown(f"Cannot handle token with {name} prior to {when}")
        if "exp" in claims and now >= claims["exp"]:
            raise _thrown("Expired token")

    def _process(self, instance: int, data: dict[str, Any]) -> tuple[int, str]:
        meeting_id = str(data.get("meeting_id") or "")
        if meeting_id.partition("[")[0].partition("-")[0] != self.activities[instance].seed:
            return 410, GONE
        record = data.get("data")
        if not isinstance(record, dict):
            raise Failed(404, "Not Found")
        internal = data.get("internal_meeting_id")
        kept = {name: value for name, value in record.items() if name != "attendees"}
        meta = {"internalmeetingid": internal, "callback": "meeting_events", "meetingid": meeting_id, "data": kept}
        self.rows.append(Row("Callback", instance, meeting_id, 0, meta))
        if not isinstance(internal, str):
            raise Failed(404, "Not Found")
        if sum(internal in _text(row.meta) for row in self.rows if row.log == "Callback") > 1:
            return 202, "Accepted. Already processed."
        for number, attendee in enumerate(record.get("attendees") or []):
            if number == self.breaks_after:
                raise _thrown(self.breaks_with) if self.breaks_with else Failed(404, "Not Found")
            self._credit(instance, meeting_id, internal, attendee)
        return 200, "Accepted. Enqueued." if self.is_apache else "OK"

    def _credit(self, instance: int, meeting_id: str, internal: str, attendee: dict[str, Any]) -> None:
        """Write one person's row; what the database takes for no number breaks everything off here."""
        given = attendee.get("ext_user_id")
        text = str(given) if isinstance(given, str | int) else ""
        if text and not (text.strip().lstrip("-").isdecimal() and abs(int(text)) < 2**63):
            raise _thrown("Error writing to database")
        user = int(text) if text else 0
        self.rows.append(Row("Summary", instance, meeting_id, user, {"recordid": internal, "data": attendee}))
        if not text:
            raise Failed(404, "Not Found")


def _value(rule: str, data: dict[str, Any]) -> int:
    if rule == "attendance":
        return int(float(data.get("duration") or 0) // 60)
    return int((data.get("engagement") or {}).get(rule) or 0)


def _text(meta: dict[str, Any]) -> str:
    return json.dumps(meta).replace("/", "\\/")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _base64(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


# -- on the wire


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    moodle: Moodle

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        is_probe = _json(body) == {"meeting_id": "probe"}
        fault = self.moodle.faults.pop(0) if self.moodle.faults and not is_probe else ""
        status, phrase = self._answer(parts.path, parts.query, headers, body, fault)
        if fault == "slow":
            time.sleep(1)
        is_closed = fault.startswith("close")
        self.moodle.requests.append(Request(self.path, headers, body, None if is_closed else status, phrase))
        if is_closed:
            self.close_connection = True
            return
        self._send(status, phrase)

    do_GET = do_POST  # noqa: N815 - the library's name; Moodle does not look at the method

    def _answer(self, path: str, query: str, headers: dict[str, str], body: bytes, fault: str) -> tuple[int, str]:
        if fault == "close-before":
            return 0, ""
        if fault.isdecimal():
            return int(fault), self.responses[int(fault)][0]
        if self.moodle.fails_for and self.moodle.fails_for.encode() in body:
            return 500, "Internal Server Error"
        if self.moodle.is_missing or not path.endswith(PATH):
            return 404, "Not Found"
        status, phrase = self.moodle.answer(query, headers, body)
        if fault.endswith("-after") and fault[:3].isdecimal():
            status = int(fault[:3])
            phrase = self.responses[status][0]
        return status, phrase

    def _send(self, status: int, phrase: str) -> None:
        if self.moodle.swallows_phrases:
            phrase = self.responses[status][0]
        self.send_response(status, phrase)
        if self.moodle.retry_after and status in {429, 503}:
            self.send_header("Retry-After", self.moodle.retry_after)
        if 300 <= status < 400:
            self.send_header("Location", "https://moodle.example.org/")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answering(site: Moodle) -> type[BaseHTTPRequestHandler]:
    """A handler that answers as it."""
    return type("Handler", (_Handler,), {"moodle": site})


@contextmanager
def moodle(
    secret: str = "moodle's own secret", activities: dict[int, Activity] | None = None, *, port: int = 0
) -> Iterator[Moodle]:
    """A site of its own while the block lasts; without `activities` it has one, of instance 1 and without rules."""
    site = Moodle(secret, activities if activities is not None else {1: Activity("0123456789abcdef" * 2 + "01234567")})
    with on_a_port(answering(site), port=port) as given:
        site.base = f"http://127.0.0.1:{given}"
        yield site
