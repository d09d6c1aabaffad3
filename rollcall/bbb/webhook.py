"""Where BigBlueButton's webhooks arrive: a bare ASGI application, so that an arrival costs no more than it must.

Read, verify, decode, redact, hand over, answer. The reply is what the relay acts on: it takes any 2xx, and 401 too,
as delivered, follows a redirect without the body, and sends everything else again. So 2xx leaves only when the facts
are durable, and 401 or a redirect never.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum
from hashlib import blake2b
from typing import Any, ParamSpec, TypeAlias, TypeVar

import structlog

from rollcall.bbb.belonging import belonging_told
from rollcall.bbb.checksum import Callback, Signed, Verified, explain, shown, verify
from rollcall.bbb.delivery import read_elements
from rollcall.bbb.redact import Kept, NotUnderstood, redact
from rollcall.bbb.registered import Registered
from rollcall.core.errors import Unavailable
from rollcall.core.events import MeetingCreated
from rollcall.feed.feed import Arrival, Belonging, Feed, Unreadable
from rollcall.store.fields import DIGEST_BYTES
from rollcall.store.keys import fact_digest

log = structlog.get_logger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")
Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

PREFIX = "/hooks/"

# A genuine body is tens of kilobytes; a larger one (a whole shared pad) is acknowledged and not looked into.
LARGEST_READ = 1024 * 1024
LARGEST_BODY = 32 * 1024 * 1024
# Of bodies above LARGEST_READ so many are in memory at one time; the relay itself gives up after five seconds.
LARGE_AT_ONCE = 2
READING_SECONDS = 20.0

# More lines would be an attack on the log, and explaining a refusal costs more than refusing.
TOLD_PER_SECOND = 20

GIVEN_UP = "a hook that was given up: destroy it on the BigBlueButton server"
REDIRECTED = "A redirect turns a delivery into a GET and loses it: register the https:// address itself."


class Outcome(Enum):
    """What became of a delivery: the status of the reply and its text."""

    STORED = (200, "Stored.")
    NOT_WANTED = (200, "Not kept: capture is switched off for this server.")
    NOT_SIGNED = (403, "The signature matches no registered hook; Rollcall's log says what came closest.")
    MALFORMED = (400, "The request was not complete.")
    TOO_LARGE = (413, "The body is larger than 32 MiB.")
    BUSY = (503, "Not stored: send it again.")
    NOT_A_DELIVERY = (405, "This address takes BigBlueButton's webhooks, which come by POST.")


def _response(outcome: Outcome) -> tuple[dict[str, Any], dict[str, Any]]:
    status, text = outcome.value
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if outcome is Outcome.NOT_A_DELIVERY:
        headers.append((b"allow", b"POST"))
    if outcome is Outcome.BUSY:
        headers.append((b"retry-after", b"2"))
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


_RESPONSES = {outcome: _response(outcome) for outcome in Outcome}


class _Gone(Exception):
    """The sender hung up: nobody waits for an answer."""


class Webhook:
    """The application for every path below /hooks/. `feed` is where facts go."""

    def __init__(self, feed: Feed, registered: Registered | None = None) -> None:
        self._feed = feed
        self._registered = registered or Registered()
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._second = 0
        self._told = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        try:
            outcome = await self._answer(scope, receive)
        except _Gone:
            return
        start, body = _RESPONSES[outcome]
        await send(start)
        await send(body)

    async def write_notes(self) -> None:
        """Store when each server was last heard; to be called now and then."""
        await self._registered.write_notes()

    async def close(self) -> None:
        """After the last delivery."""
        await self._registered.close()

    async def _answer(self, scope: Scope, receive: Receive) -> Outcome:
        if scope["method"] != "POST":
            self._tell("webhook address asked for", method=scope["method"], hint=REDIRECTED)
            return Outcome.NOT_A_DELIVERY
        authorization, length = _headers(scope)
        if length > LARGEST_BODY:
            return Outcome.TOO_LARGE
        message = await receive()
        body = message.get("body", b"")
        # The server may announce more although all has come: nearly always the first piece is the whole.
        if length == len(body) <= LARGEST_READ and body:
            return await self._take(scope, authorization, body)
        return await self._take_long(scope, authorization, message, receive)

    async def _take_long(self, scope: Scope, authorization: str, message: dict[str, Any], receive: Receive) -> Outcome:
        """A body that comes in pieces; large ones queue for memory, and nothing is kept for an unknown address."""
        if (refusal := await self._refuse_unknown(scope, authorization)) is not None:
            return refusal
        body = bytearray()
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(READING_SECONDS):
                    while len(body) <= LARGEST_BODY:
                        if message["type"] == "http.disconnect":
                            raise _Gone
                        was_large = len(body) > LARGEST_READ
                        body += message.get("body", b"")
                        if len(body) > LARGEST_READ and not was_large:
                            await held.enter_async_context(self._large)
                        if not message.get("more_body"):
                            break
                        message = await receive()
            except TimeoutError:
                return Outcome.MALFORMED
            if len(body) > LARGEST_BODY:
                return Outcome.TOO_LARGE
            return await self._take(scope, authorization, bytes(body))

    async def _refuse_unknown(self, scope: Scope, authorization: str) -> Outcome | None:
        """What to answer to an address that nothing was ever registered with, None if something was."""
        token, _, checksum = _address(scope)
        try:
            if not self._registered.ever_at(token):
                await self._registered.reread()
        except Unavailable:
            return Outcome.BUSY
        if self._registered.ever_at(token):
            return None
        await self._refuse(scope, Signed(b"", checksum, authorization), time.time_ns() // 1_000_000)
        return Outcome.NOT_SIGNED

    async def _take(self, scope: Scope, authorization: str, body: bytes) -> Outcome:
        """Verify, then keep. Only what is durable is acknowledged."""
        received_at = time.time_ns() // 1_000_000
        token, query, checksum = _address(scope)
        signed = Signed(body, checksum, authorization)
        try:
            verified = await _aside(body, verify, signed, self._registered.at(token, query, received_at))
            if verified is None:
                # It may have been registered a moment ago.
                await self._registered.reread()
                verified = await _aside(body, verify, signed, self._registered.at(token, query, received_at))
            if verified is None:
                await self._refuse(scope, signed, received_at)
                return Outcome.NOT_SIGNED
            self._registered.note(verified, received_at)
            if not verified.callback.is_captured:
                return Outcome.NOT_WANTED
            if arrivals := understand(body, verified, received_at):
                await self._feed.publish(arrivals)
        except Unavailable as error:
            self._tell("webhook not stored", error=str(error), hint=error.hint)
            return Outcome.BUSY
        except Exception:  # a fault of ours must not make the relay believe that we have it
            log.exception("webhook not stored")
            return Outcome.BUSY
        return Outcome.STORED

    async def _refuse(self, scope: Scope, signed: Signed, now_ms: int) -> None:
        """Say in one line what came closest: secrets, bodies and whole tokens stay out of it."""
        token, query, _ = _address(scope)
        here = self._registered.at(token, query, now_ms)
        ever = self._registered.ever_at(token)
        if ever and not here:
            self._tell("webhook refused", reason=GIVEN_UP, hook=shown(ever[0].url))
            return
        if not self._may_tell():
            return
        signed = replace(signed, hosts=_hosts(scope), path=scope["path"], query=query)
        others = [one for one in self._registered.known() if one not in here]
        refusal = await _aside(signed.body, explain, signed, here, others)
        log.warning("webhook refused", reason=refusal.sentence, hook=shown(here[0].url) if here else None)

    def _tell(self, event: str, **words: object) -> None:
        if self._may_tell():
            log.warning(event, **words)

    def _may_tell(self) -> bool:
        """So many lines a second; what more could be told would only fill the disk."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._told = second, 0
        self._told += 1
        return self._told <= TOLD_PER_SECOND


async def _aside(body: bytes, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Hash a large body in a thread: nobody else shall wait for what may not even be genuine."""
    if len(body) <= LARGEST_READ:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


# -- the request --------------------------------------------------------------------------------------------------


def _headers(scope: Scope) -> tuple[str, int]:
    """The Authorization header and the announced length."""
    authorization, length = "", 0
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value.decode("utf-8", "surrogateescape")
        elif name == b"content-length" and value.isdigit():
            length = int(value[:20])
    return authorization, length


def _address(scope: Scope) -> tuple[str, str, str]:
    """The token, the query as it was registered, and the checksum the sender appended to it."""
    query: str = scope["query_string"].decode("utf-8", "replace")
    before, name, checksum = query.rpartition("checksum=")
    if not name or before[-1:] not in {"", "&"}:
        before, checksum = query, ""
    checksum, more, after = checksum.partition("&")
    path: str = scope["path"]
    return path.rstrip("/").rpartition("/")[2], before.removesuffix("&") + more + after, checksum


def _hosts(scope: Scope) -> tuple[str, ...]:
    """The names by which this machine was addressed, as far as the request says."""
    names = (b"x-forwarded-host", b"host")
    return tuple(value.decode("utf-8", "replace") for name, value in scope["headers"] if name in names)


# -- the elements -------------------------------------------------------------------------------------------------


def understand(body: bytes, verified: Verified, received_at: int) -> list[Arrival | Unreadable]:
    """What to keep of a genuine delivery. An element that cannot be read is set aside and loses no other one."""
    callback = verified.callback
    if len(body) > LARGEST_READ:
        return [_set_aside(body, verified, received_at, f"oversized: more than {LARGEST_READ} bytes")]
    try:
        elements = read_elements(body)
    except NotUnderstood as error:
        return [_set_aside(body, verified, received_at, str(error))]
    arrivals: list[Arrival | Unreadable] = []
    for element in elements:
        try:
            kept = redact(element)
        except NotUnderstood as error:
            arrivals.append(_set_aside(_text(element, body), verified, received_at, str(error)))
            continue
        except Exception as error:  # a fault of ours: sending it again would not help
            log.exception("an element of a webhook could not be read")
            arrivals.append(_set_aside(_text(element, body), verified, received_at, type(error).__name__))
            continue
        if kept is not None:
            digest = fact_digest(callback.pool_name, kept.payload, kept.identity)
            arrivals.append(_arrival(kept, callback, received_at, digest))
    return arrivals


def _arrival(kept: Kept, callback: Callback, received_at: int, digest: bytes) -> Arrival:
    return Arrival(
        pool=callback.pool,
        meeting=kept.meeting,
        source=kept.source,
        kind=kept.kind,
        at=kept.at,
        received_at=received_at,
        digest=digest,
        payload=kept.payload,
        identity=kept.identity,
        parent=kept.parent,
        is_end=kept.is_end,
        belongs_to=_belonging(kept, callback),
    )


def _belonging(kept: Kept, callback: Callback) -> Belonging | None:
    if kept.kind != MeetingCreated.kind:
        return None
    return belonging_told(kept.source, kept.payload, callback.pool_name)


def _text(element: object, body: bytes) -> bytes:
    """The element's own bytes, so that every hook's copy of it has one digest."""
    try:
        return json.dumps(element, sort_keys=True).encode()
    except (RecursionError, ValueError):
        return body


def _set_aside(text: bytes, verified: Verified, received_at: int, error: str) -> Unreadable:
    digest = blake2b(text, digest_size=DIGEST_BYTES).digest()
    return Unreadable(verified.callback.pool, received_at, len(text), digest, verified.regime, error)
