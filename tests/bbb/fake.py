"""A BigBlueButton on loopback that does as it is told, also badly: its API, its hooks API, its HTTP."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit
from xml.sax.saxutils import escape

OF_LENGTH = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
PAGE = "<!DOCTYPE html><html><head><title>Error</title></head><body><p>sorry</body></html>"

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Attendee:
    """As getMeetings tells of one connection."""

    user: str
    name: str = "Ada"
    role: str = "VIEWER"


@dataclass
class Class:
    """A meeting that runs."""

    internal: str
    external: str = "algebra-1"
    name: str = "Algebra"
    created_at: int = 1_795_309_400_000
    attendees: list[Attendee] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    parent: str = ""
    extra: str = ""


@dataclass
class RemoteHook:
    """A hook as bbb-webhooks 3.5 holds it: in memory and, while all is well, in Redis too."""

    remote_id: str
    url: str
    is_raw: bool = False
    meeting: str = ""
    events: str = ""
    is_permanent: bool = False
    is_in_redis: bool = True


class FakeBigBlueButton:
    """`now` is its clock in seconds. `answer` may take any request over: it gets the path with its query."""

    def __init__(self) -> None:
        self.secret = "s3cret"
        self.hooks_secret: str | None = None
        self.now: Callable[[], float] | None = None
        self.classes: dict[str, Class] = {}
        self.hooks: dict[str, RemoteHook] = {}
        self.api_algorithms = {"sha1", "sha256", "sha384", "sha512"}
        self.hooks_algorithms = {"sha1", "sha256", "sha384", "sha512"}
        self.answer: Callable[[str], Reply | None] | None = None
        self.has_hooks_api = True
        self.are_hooks_up = True
        self.is_down = False
        self.wants_date = True
        self.requests: list[str] = []
        self.on_hook_change: Callable[[str, RemoteHook], None] | None = None
        self._made = 0

    def restart_hooks(self) -> None:
        """What a restart of bbb-webhooks 3.5.0 does to its hooks."""
        for remote_id, hook in list(self.hooks.items()):
            if not hook.is_permanent and (hook.events or not hook.is_in_redis):
                del self.hooks[remote_id]
            hook.meeting = ""

    def use_up_retries(self) -> None:
        """Twelve retries failed: every hook is gone from Redis, but still in memory, and still delivers."""
        for hook in self.hooks.values():
            hook.is_in_redis = hook.is_permanent

    def reply(self, target: str) -> Reply:
        self.requests.append(target)
        if self.answer and (taken := self.answer(target)) is not None:
            return taken
        parts = urlsplit(target)
        call = parts.path.removeprefix("/bigbluebutton/api/")
        if call == parts.path:
            return 404, {"Content-Type": "text/html"}, b"<html><head><title>404 Not Found</title></head></html>"
        if self.is_down:
            return 502, {"Content-Type": "text/html"}, PAGE.encode()
        return self._hooks_reply(call, parts.query) if call.startswith("hooks/") else self._api_reply(call, parts.query)

    def _api_reply(self, call: str, query: str) -> Reply:
        if call != "getMeetings":
            return _failed("unsupportedRequest", "This request is not supported.")
        if not self._is_signed(call, query, self.secret, self.api_algorithms):
            return _failed("checksumError", "You did not pass the checksum security check")
        return _xml(self._meetings())

    def _hooks_reply(self, call: str, query: str) -> Reply:
        if not self.has_hooks_api:
            return 404, {"Content-Type": "text/html"}, PAGE.encode()
        if not self.are_hooks_up:
            return 502, {"Content-Type": "text/html"}, PAGE.encode()
        if call == "hooks/ping":
            return 200, {"Content-Type": "text/plain"}, b"bbb-webhooks up!"
        given = parse_qs(query).get("checksum", [""])[0]
        if len(given) not in OF_LENGTH:
            return 500, {"Content-Type": "text/html"}, PAGE.encode()
        if not self._is_signed(call, query, self.hooks_secret or self.secret, self.hooks_algorithms):
            return _failed("checksumError", "You did not pass the checksum security check.")
        words = {key: values[0] for key, values in parse_qs(query).items()}
        return {"hooks/list": self._list, "hooks/create": self._create, "hooks/destroy": self._destroy}[call](words)

    def _is_signed(self, call: str, query: str, secret: str, algorithms: set[str]) -> bool:
        given = parse_qs(query).get("checksum", [""])[0]
        rest = re.sub(r"&?checksum=[^&]*", "", query)
        algorithm = OF_LENGTH.get(len(given), "")
        if algorithm not in algorithms:
            return False
        return given == hashlib.new(algorithm, f"{call}{rest}{secret}".encode()).hexdigest()

    def _list(self, words: dict[str, str]) -> Reply:
        if "meetingID" in words:
            return _failed("listHookError", "An error occurred")
        return _xml(f"<hooks>{''.join(map(_hook_xml, self.hooks.values()))}</hooks>")

    def _create(self, words: dict[str, str]) -> Reply:
        if words.get("getRaw", "true") != "true":
            self.are_hooks_up = False
        if "callbackURL" not in words:
            return _failed("missingParamCallbackURL", "You must specify a callbackURL")
        for hook in self.hooks.values():
            if hook.url == words["callbackURL"]:
                return _xml(
                    f"<hookID>{hook.remote_id}</hookID><messageKey>duplicateWarning</messageKey>"
                    "<message>There is already a hook for this callback URL.</message>"
                )
        self._made += 1
        hook = RemoteHook(
            f"hook-{self._made}",
            words["callbackURL"],
            is_raw="getRaw" in words,
            meeting=words.get("meetingID", ""),
            events=words.get("eventID", ""),
        )
        self.hooks[hook.remote_id] = hook
        self._changed("create", hook)
        return _xml(
            f"<hookID>{hook.remote_id}</hookID><permanentHook>false</permanentHook>"
            f"<rawData>{str(hook.is_raw).lower()}</rawData>"
        )

    def _destroy(self, words: dict[str, str]) -> Reply:
        hook = self.hooks.get(words.get("hookID", ""))
        if hook is None or hook.is_permanent:
            return _failed("destroyMissingHook", "The hook informed was not found.")
        del self.hooks[hook.remote_id]
        self._changed("destroy", hook)
        return _xml("<removed>true</removed>")

    def _changed(self, what: str, hook: RemoteHook) -> None:
        if self.on_hook_change:
            self.on_hook_change(what, hook)

    def _meetings(self) -> str:
        if not self.classes:
            return "<meetings/><messageKey>noMeetings</messageKey><message>no meetings were found</message>"
        return f"<meetings>{''.join(map(_meeting_xml, self.classes.values()))}</meetings>"


def _xml(inner: str) -> Reply:
    body = f"<response><returncode>SUCCESS</returncode>{inner}</response>"
    return 200, {"Content-Type": "text/xml; charset=utf-8"}, body.encode()


def _failed(key: str, message: str) -> Reply:
    told = f"<messageKey>{key}</messageKey><message>{message}</message>"
    body = f"<response><returncode>FAILED</returncode>{told}</response>"
    return 200, {"Content-Type": "text/xml; charset=utf-8"}, body.encode()


def _hook_xml(hook: RemoteHook) -> str:
    scope = f"<meetingID><![CDATA[{hook.meeting}]]></meetingID>" if hook.meeting else ""
    events = f"<eventID>{hook.events}</eventID>" if hook.events else ""
    return (
        f"<hook><hookID>{hook.remote_id}</hookID><callbackURL><![CDATA[{hook.url}]]></callbackURL>{scope}{events}"
        f"<permanentHook>{str(hook.is_permanent).lower()}</permanentHook><rawData>{str(hook.is_raw).lower()}</rawData></hook>"
    )


def _meeting_xml(meeting: Class) -> str:
    attendees = "".join(
        f"<attendee><userID>{escape(one.user)}</userID><fullName>{escape(one.name)}</fullName><role>{one.role}</role>"
        "<isPresenter>false</isPresenter><clientType>HTML5</clientType><customdata></customdata></attendee>"
        for one in meeting.attendees
    )
    metadata = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in meeting.metadata.items())
    parent = f"<parentMeetingID>{meeting.parent}</parentMeetingID><sequence>1</sequence>" if meeting.parent else ""
    return (
        f"<meeting><meetingName>{escape(meeting.name)}</meetingName><meetingID>{escape(meeting.external)}</meetingID>"
        f"<internalMeetingID>{meeting.internal}</internalMeetingID><createTime>{meeting.created_at}</createTime>"
        "<attendeePW>CANARY-ap</attendeePW><moderatorPW>CANARY-mp</moderatorPW><running>true</running>"
        f"<endTime>0</endTime><hasBeenForciblyEnded>false</hasBeenForciblyEnded>{meeting.extra}"
        f"<attendees>{attendees}</attendees><metadata>{metadata}</metadata>"
        f"<isBreakout>{str(bool(meeting.parent)).lower()}</isBreakout>{parent}</meeting>"
    )


@dataclass
class Running:
    """Where a fake listens."""

    fake: FakeBigBlueButton
    port: int

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bigbluebutton/api/"


@contextmanager
def running(fake: FakeBigBlueButton) -> Iterator[Running]:
    """Listens on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = fake.reply(self.path)
            if status == 0:  # hang up without a word
                self.close_connection = True
                return
            self.send_response_only(status)
            if fake.wants_date:
                self.send_header("Date", formatdate(fake.now() if fake.now else None, usegmt=True))
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Running(fake, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def callback_of(target: str) -> str:
    """The callbackURL of a recorded hooks/create."""
    return unquote_plus(parse_qs(urlsplit(target).query)["callbackURL"][0])
