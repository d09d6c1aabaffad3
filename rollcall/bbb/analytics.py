"""Where records of meetings that are over arrive: analytics callbacks, data.json, events.xml; an address for each pool.

Whoever sends must know the address and sign with the server's secret. 2xx leaves only when the record is durable, or
was held already; why anything else is answered stands in the body. Reading and parsing are done beside the event loop,
where webhooks are answered in the meantime.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar
from urllib.parse import parse_qs

import msgspec
import structlog

from rollcall.bbb.bearer import CAUSES, Token, check_times, read_token, signer_of
from rollcall.bbb.callback_url import PREFIX
from rollcall.bbb.checksum import SharedSecret
from rollcall.bbb.documents import Document, NoMeeting, keep_callback, keep_recording
from rollcall.bbb.intake import (
    LARGE_AT_ONCE,
    Body,
    Bounded,
    BrokenOff,
    Gone,
    Incoming,
    Pipe,
    Places,
    Receive,
    begin_body,
    inflate_json,
    pour,
    rest_of,
)
from rollcall.bbb.recording import open_recording
from rollcall.bbb.redact import NotUnderstood, keep_id
from rollcall.bbb.senders import Fate, Sender, Senders
from rollcall.bbb.stripped import explain_missing
from rollcall.core.errors import Refused, RollcallError, Unavailable
from rollcall.feed.feed import Feed, Unreadable

__all__ = ["PREFIX", "Analytics"]

log = structlog.get_logger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")
Scope: TypeAlias = dict[str, Any]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

# A smaller body needs no place among the large ones; JSON is parsed by threads of its own.
SMALL: Final = 256 * 1024
PARSERS: Final = 2
# More lines would be an attack on the log.
TOLD_PER_SECOND: Final = 20
REGIME: Final = "jwt"
PROBE: Final = {"meeting_id": "probe"}
LONGEST_PROBE: Final = 200

CAPTURE_IS_OFF: Final = {
    "stored": False,
    "code": "not-captured",
    "message": "Capture is switched off for this server: the record was not kept.",
    "hint": "",
}
NOT_WANTED: Final = CAPTURE_IS_OFF | {
    "message": "Capture is switched off for this meeting, or was when it began: the record was not kept.",
}
NOT_STORED: Final = Unavailable("It could not be stored.", code="not-stored", hint="Let it be sent again.")
MORE_HEADERS: Final = {405: [(b"allow", b"POST")], 503: [(b"retry-after", b"30")]}

_TOKEN = re.compile(re.escape(PREFIX) + r"([A-Za-z0-9_-]{1,64})/?$")
_encode = msgspec.json.encode


class Probed(RollcallError):
    """A signed question whether all is well, asked and answered as with Moodle's own receiver."""

    code, status = "probe", 410


@dataclass(frozen=True, slots=True)
class Request:
    """What stands before the body."""

    method: str
    token: str
    meeting: str
    headers: list[tuple[bytes, bytes]] = field(repr=False)

    def header(self, name: bytes) -> bytes:
        """The first of this name, blank if there is none."""
        return next((value for key, value in self.headers if key == name), b"")


class Analytics:
    """The application for every path below /callbacks/. `feed` is where facts go."""

    def __init__(self, feed: Feed, senders: Senders | None = None) -> None:
        self._feed = feed
        self._senders = senders or Senders()
        self._places = Places()
        self._parsers = ThreadPoolExecutor(PARSERS, "rollcall-callbacks")
        self._readers = ThreadPoolExecutor(LARGE_AT_ONCE, "rollcall-recordings")
        self._second = self._told = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one record."""
        try:
            status, answer = await self._answer(_request(scope), Incoming(receive))
        except Gone:
            return
        body = _encode(answer) + b"\n"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += MORE_HEADERS.get(status, [])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def close(self) -> None:
        """After the last record."""
        await self._senders.close()
        for threads in (self._parsers, self._readers):
            await asyncio.to_thread(threads.shutdown)

    async def _answer(self, request: Request, incoming: Incoming) -> tuple[int, dict[str, Any]]:
        try:
            sender, secret = await self._signer(request)
            if not sender.is_captured:
                await incoming.drain()
                return 200, CAPTURE_IS_OFF
            return 200, await self._take(request, incoming, sender, secret)
        except RollcallError as error:
            self._tell(error)
            await incoming.drain()
            return error.status, _shown(error)
        except Gone:
            raise
        except Exception:  # a fault of ours must not look like a record that is held
            log.exception("record not stored")
            return NOT_STORED.status, _shown(NOT_STORED)

    # -- who sends ------------------------------------------------------------------------------------------------

    async def _signer(self, request: Request) -> tuple[Sender, SharedSecret]:
        """Who sent this, and by which secret; Refused says what is wrong with the address or the signature."""
        if request.method != "POST":
            raise Refused(
                "This address takes the records of meetings, which come by POST.",
                code="not-a-post",
                status=405,
                hint="A redirect turns a POST into a GET: BigBlueButton must be given the final https:// address.",
            )
        sender = await self._senders.at(request.token) if request.token else None
        if sender is None:
            raise Refused(
                "No server's records come to this address.",
                code="unknown-address",
                status=404,
                hint="`rollcall server list` shows the addresses of those there are; a removed server has none.",
            )
        authorization = request.header(b"authorization")
        if not authorization:
            sentence, mend = explain_missing(request.headers)
            raise Refused(sentence, code="authorization-missing", hint=mend)
        token = read_token(authorization)
        secret = signer_of(token, (one for one in sender.secrets if one.is_current))
        if secret is None:
            raise await self._wrong_signature(token, sender)
        check_times(token, int(time.time()))
        return sender, secret

    async def _wrong_signature(self, token: Token, sender: Sender) -> Refused:
        """Whose secret it may have been instead."""
        if signer_of(token, sender.secrets) is not None:
            sentence = (
                f"The token is signed with an older secret of {sender.pool_name}, which is not accepted any more."
            )
        else:
            others = await self._senders.others(sender)
            name = next((one.pool_name for one in others if signer_of(token, one.secrets)), None)
            sentence = f"The token is signed with none of the secrets of {sender.pool_name}."
            if name is not None:
                sentence = (
                    f"The token is signed with the secret of {name}, but this is the address of {sender.pool_name}."
                )
        return Refused(sentence, code="signature-wrong", status=403, hint=CAUSES)

    # -- what is sent ---------------------------------------------------------------------------------------------

    async def _take(self, request: Request, incoming: Incoming, sender: Sender, secret: SharedSecret) -> dict[str, Any]:
        """Take it in, keep what may be kept, and answer when that is durable."""
        length = request.header(b"content-length")
        is_large = not length.isdigit() or int(length[:20]) > SMALL
        async with self._places.one(sender.pool) if is_large else contextlib.nullcontext():
            body = await begin_body(incoming, request.header(b"content-type").decode("latin-1").lower())
            received_at = time.time_ns() // 1_000_000
            try:
                if not body.is_recording:
                    document = await self._keep_callback(request, incoming, body, sender, received_at)
                elif is_large:
                    document = await self._keep_recording(incoming, body, sender, received_at)
                else:
                    # No thread waits for one that comes slowly.
                    stream = io.BytesIO(await rest_of(incoming, body))
                    document = await self._read(stream, sender, received_at)
            except NotUnderstood as error:
                raise await self._set_aside(body, sender, received_at, str(error)) from None
        await self._feed.publish([document.arrival])
        await self._senders.note(sender, secret, received_at)
        return await self._answer_to(document, body, sender)

    async def _answer_to(self, document: Document, body: Body, sender: Sender) -> dict[str, Any]:
        """What became of it: the feed takes also what is then left out."""
        fate = await self._senders.fate_of(document.arrival)
        log.info(
            "record stored" if fate is Fate.HELD else "record not kept",
            server=sender.pool_name,
            kind=document.arrival.kind,
            bytes=body.size,
            events=document.events,
            damage=document.damage or None,
        )
        if fate is Fate.SET_ASIDE:
            raise Refused(
                "The record cannot be stored; its measure was set aside.",
                code="not-understood",
                hint="Sending it again cannot help; `rollcall doctor` shows what was set aside.",
            )
        return {"stored": True} if fate is Fate.HELD else NOT_WANTED

    async def _keep_recording(self, incoming: Incoming, body: Body, sender: Sender, received_at: int) -> Document:
        """Read while it comes; of one that breaks off on its way nothing is kept."""
        pipe = Pipe()
        reading = self._read(pipe, sender, received_at)
        try:
            await pour(incoming, body, pipe)
        except BaseException:
            with contextlib.suppress(BrokenOff, RollcallError, NotUnderstood):
                await reading
            raise
        return await reading

    def _read(self, stream: Pipe | io.BytesIO, sender: Sender, received_at: int) -> asyncio.Future[Document]:
        work = partial(_keep_recording, stream, sender, received_at)
        return asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def _keep_callback(
        self, request: Request, incoming: Incoming, body: Body, sender: Sender, received_at: int
    ) -> Document:
        """data.json needs a second look, if its meeting has to be looked up first."""
        packed = await rest_of(incoming, body)
        text = await self._parse(inflate_json, packed) if body.is_gzip else packed
        try:
            return await self._parse(_keep_callback, text, sender, received_at, request.meeting)
        except NoMeeting as error:
            external_meeting_id = error.external_meeting_id or ""
            meeting = await self._senders.meeting_of(sender, external_meeting_id, error.start)
            return await self._parse(_keep_callback, text, sender, received_at, meeting)

    async def _parse(self, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._parsers, partial(work, *arguments, **named))

    async def _set_aside(self, body: Body, sender: Sender, received_at: int, error: str) -> Refused:
        """Keep its measure, so that a person can look for the cause; what to answer."""
        with contextlib.suppress(Unavailable):
            await self._feed.publish([Unreadable(sender.pool, received_at, body.size, body.digest, REGIME, error)])
        return Refused(
            f"The record cannot be read: {error}.",
            code="not-understood",
            hint="Sending it again cannot help. Taken are the analytics callback, data.json and events.xml.",
        )

    # -- what is told ---------------------------------------------------------------------------------------------

    def _tell(self, error: RollcallError) -> None:
        """One line, so many a second: never an address, a token or a secret."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._told = second, 0
        self._told += 1
        if self._told <= TOLD_PER_SECOND:
            log.warning("record not stored", code=error.code, reason=str(error), hint=error.hint)


def _shown(error: RollcallError) -> dict[str, Any]:
    return {"stored": False, "code": error.code, "message": str(error), "hint": error.hint}


def _request(scope: Scope) -> Request:
    query: dict[str, list[str]] = {}
    with contextlib.suppress(ValueError):  # more fields than anybody of ours gives it
        query = parse_qs(scope["query_string"].decode("utf-8", "replace"), max_num_fields=20)
    return Request(
        method=scope["method"],
        token=found[1] if (found := _TOKEN.search(scope["path"])) else "",
        meeting=keep_id(query.get("meeting", [""])[0]) or "",
        headers=scope["headers"],
    )


# -- in a thread --------------------------------------------------------------------------------------------------


def _keep_recording(stream: Pipe | io.BytesIO, sender: Sender, received_at: int) -> Document:
    try:
        bounded = Bounded(open_recording(stream))
        return keep_recording(bounded, sender.pool_name, received_at=received_at, pool=sender.pool)
    finally:
        stream.close()


def _keep_callback(text: bytes, sender: Sender, received_at: int, meeting: str) -> Document:
    if len(text) < LONGEST_PROBE and _is_probe(text):
        raise Probed(
            "The address is right, the header Authorization arrives, and the secret is right.",
            hint="Nothing was kept of this question.",
        )
    return keep_callback(text, sender.pool_name, received_at=received_at, pool=sender.pool, meeting=meeting)


def _is_probe(text: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(text) == PROBE)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
