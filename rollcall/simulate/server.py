"""A server that is not there: BigBlueButton's API and hooks API, on a clock of its own, with faults to switch on."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from rollcall.simulate import answers
from rollcall.simulate.answers import ErrorShape, RegisteredHook
from rollcall.simulate.generations import GENERATIONS, Generation
from rollcall.simulate.signing import ALGORITHMS, call_checksum
from rollcall.simulate.truth import Truth

API = "/bigbluebutton/api/"
BY_LENGTH = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
XML = "text/xml; charset=utf-8"
HTML = "text/html; charset=utf-8"
ERROR_PAGE = (
    "<!DOCTYPE html><html><head><title>Error</title></head><body><pre>Internal Server Error</pre></body></html>"
)
NOT_FOUND_PAGE = (
    "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>"
)
HANG_SECONDS = 60.0
REFUSED = "You did not pass the checksum security check."


def wall_clock() -> int:
    """Epoch ms now."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Trouble:
    """What is wrong with the server just now; switched while it runs."""

    is_down: bool = False
    fails: bool = False
    slow_seconds: float = 0.0
    has_no_hooks_api: bool = False
    refuses_hooks: bool = False
    is_deaf: bool = False


@dataclass(slots=True)
class Answer:
    """One HTTP answer."""

    text: str
    status: int = 200
    content_type: str = XML


@dataclass(kw_only=True)
class SimulatedServer(AbstractContextManager["SimulatedServer"]):
    """One BigBlueButton on a free port of the loopback; `now` is the time it believes in, epoch ms.

    `truths` are its classes: it lists what runs at that time. Everything may be changed while it runs.
    """

    secret: str = "simulated-secret"  # noqa: S105  # of a server that is not there
    generation: Generation = GENERATIONS["3.5.0"]
    truths: list[Truth] = field(default_factory=list)
    now: Callable[[], int] = wall_clock
    rng: Random = field(default_factory=lambda: Random(0))
    algorithms: tuple[str, ...] = ALGORITHMS
    error_shape: ErrorShape = ErrorShape.MESSAGE_KEY
    is_grouped: bool = False
    trouble: Trouble = field(default_factory=Trouble)
    hooks: list[RegisteredHook] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The API's address, as an operator would give it."""
        return f"http://127.0.0.1:{self.port}{API}"

    def start(self) -> None:
        """Listen; a second start listens on the same port again."""
        simulated = self

        class Handler(_Handler):
            server_that_is_not_there = simulated

        self._closing.clear()
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give the port up: connections are refused until the next start."""
        self._closing.set()
        if self._http and self._thread:
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()
            self._http = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self, seconds: float) -> None:
        """As long as that, or until the server stops."""
        self._closing.wait(seconds)

    def lose_hooks(self) -> None:
        """All but the permanent ones are gone, without a word."""
        with self._lock:
            self.hooks[:] = [hook for hook in self.hooks if hook.is_permanent]

    def give_up(self, hook: RegisteredHook) -> None:
        """Its retries are used up: old relays drop it, new ones go on until their next restart."""
        with self._lock:
            self.hooks[:] = [
                replace(one, is_stored=False) if one.url == hook.url else one
                for one in self.hooks
                if one.url != hook.url or one.is_permanent or not self.generation.is_2x
            ]

    def restart_relay(self) -> None:
        """What the 3.5.0 relay makes of its hooks at a start: filtered ones are not loaded, scoped ones turn global."""
        with self._lock:
            kept = [hook for hook in self.hooks if hook.is_stored and not (hook.events and not self.generation.is_2x)]
            self.hooks[:] = kept if self.generation.is_2x else [replace(hook, meeting="") for hook in kept]

    def answer(self, target: str) -> Answer:
        """To one request line's target."""
        parts = urlsplit(target)
        call = parts.path.removeprefix(API).removeprefix(API.rstrip("/"))
        with self._lock:
            self.asked.append(call)
        if self.trouble.fails:
            return Answer(ERROR_PAGE, 500, HTML)
        if call.startswith("hooks/"):
            return self._answer_hooks(call, parts.query)
        if not parts.path.startswith(API.rstrip("/")):
            return Answer(NOT_FOUND_PAGE, 404, HTML)
        return self._answer_api(call, parts.query)

    def _answer_api(self, call: str, query: str) -> Answer:
        if not call:
            return Answer(answers.version())
        if self._algorithm(call, query) is None:
            return Answer(answers.failure("checksumError", REFUSED, self.error_shape))
        match call:
            case "getMeetings":
                return Answer(answers.get_meetings(list(self.truths), self.now(), is_grouped=self.is_grouped))
            case "getMeetingInfo":
                external = dict(parse_qsl(query)).get("meetingID", "")
                return Answer(answers.get_meeting_info(list(self.truths), external, self.now(), self.error_shape))
        return Answer(answers.failure("unsupportedRequest", "This request is not supported.", self.error_shape))

    def _answer_hooks(self, call: str, query: str) -> Answer:
        if refusal := self._refusal(call, query):
            return refusal
        fields = dict(parse_qsl(query, keep_blank_values=True))
        if not self.generation.is_2x and fields.get("getRaw", "").lower() not in {"", "true", "false"}:
            self.trouble.is_deaf = True  # 3.5.0 hangs, and delivers nothing to anybody from now on
            self.wait(HANG_SECONDS)
        with self._lock:
            match call:
                case "hooks/create":
                    return Answer(self._create(fields))
                case "hooks/destroy":
                    return Answer(self._destroy(fields))
                case "hooks/list" if "meetingID" in fields and not self.generation.is_2x:
                    return Answer(answers.failure("listHookError", "An error happened while listing registered hooks."))
                case "hooks/list":
                    return Answer(answers.hook_list(self.hooks))
        return Answer(NOT_FOUND_PAGE, 404, HTML)

    def _refusal(self, call: str, query: str) -> Answer | None:
        """What comes before any work: no such API, no checksum needed, no digest of that length, a wrong checksum."""
        if self.trouble.has_no_hooks_api:
            return Answer(NOT_FOUND_PAGE, 404, HTML)
        if call == "hooks/ping":
            return Answer("bbb-webhooks API up!", content_type="text/plain")
        if len(_checksum(query)) not in {0, *BY_LENGTH} and not self.generation.is_2x:
            return Answer(ERROR_PAGE, 500, HTML)
        if self._algorithm(call, query) is None:
            return Answer(answers.failure("checksumError", REFUSED))
        return None

    def _algorithm(self, call: str, query: str) -> str | None:
        """Which digest this checksum was made with, if the secret is right and the server accepts that digest."""
        given = _checksum(query)
        signed = "&".join(part for part in query.split("&") if not part.startswith("checksum="))
        algorithm = BY_LENGTH.get(len(given), "")
        only_sha1 = call.startswith("hooks/") and self.generation.is_2x
        if algorithm not in (("sha1",) if only_sha1 else self.algorithms):
            return None
        return algorithm if call_checksum(call, signed, self.secret, algorithm) == given else None

    def _create(self, fields: dict[str, str]) -> str:
        url, raw = fields.get("callbackURL"), fields.get("getRaw", "")
        if url is None:
            return answers.failure("missingParamCallbackURL", "You must specify a callbackURL in the parameters.")
        if self.trouble.refuses_hooks:
            return answers.failure("createHookError", "An error happened while creating your hook. Check the logs.")
        for hook in self.hooks:
            if hook.url == url:
                return answers.hook_duplicated(hook)
        hook = RegisteredHook(
            remote_id=self._new_id(),
            url=url,
            is_raw=raw.lower() == "true",
            meeting=fields.get("meetingID", ""),
            events=fields.get("eventID", "").lower(),
        )
        self.hooks.append(hook)
        return answers.hook_created(hook)

    def _new_id(self) -> str:
        if self.generation.is_2x:
            return str(1 + max((int(hook.remote_id) for hook in self.hooks), default=0))
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def _destroy(self, fields: dict[str, str]) -> str:
        wanted = fields.get("hookID")
        if wanted is None:
            return answers.failure("missingParamHookID", "You must specify a hookID in the parameters.")
        for hook in self.hooks:
            if hook.remote_id == wanted and not hook.is_permanent:
                self.hooks.remove(hook)
                return answers.hook_removed()
        return answers.failure("destroyMissingHook", "The hook informed was not found.")


def _checksum(query: str) -> str:
    return next((part.removeprefix("checksum=") for part in query.split("&") if part.startswith("checksum=")), "")


class _Handler(BaseHTTPRequestHandler):
    server_that_is_not_there: ClassVar[SimulatedServer]
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""

    def do_GET(self) -> None:
        server = self.server_that_is_not_there
        if server.trouble.is_down:
            self.close_connection = True
            return
        if server.trouble.slow_seconds:
            server.wait(server.trouble.slow_seconds)
        answer = server.answer(self.path)
        body = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The HTTP Date is the simulated clock's, in whole seconds."""
        at = self.server_that_is_not_there.now() // 1000 if timestamp is None else timestamp
        return formatdate(at, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        """Nothing: what was asked stands in `asked`."""
