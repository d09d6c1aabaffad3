"""One request to an LMS, and what is known after it: an answer, or why there is none and whether it arrived."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx
import structlog

from rollcall import __version__
from rollcall.deliveries.addresses import Destination, NoSuchHost, NotAllowed, destination_of, netloc

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
WHOLE_SECONDS: Final = 90.0
LONGEST_PHRASE: Final = 200
LONGEST_RETRY_AFTER_MS: Final = 24 * 60 * 60_000

OWN_FAULT: Final = "own-fault"

_BEFORE_SENDING: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `date_at` is the answering server's own clock, `retry_after_ms` what it asked for."""

    status: int
    phrase: str
    took_ms: int
    date_at: int | None = None
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer; `fault` is a code. `is_safe`: nothing can have arrived there."""

    fault: str
    is_safe: bool
    took_ms: int


@asynccontextmanager
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    """HTTP/1.1, which alone has phrases; each request on a connection of its own, lest an idle one had been closed."""
    async with httpx.AsyncClient(
        http1=True,
        http2=False,
        verify=ssl.create_default_context(),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        headers={"User-Agent": f"rollcall/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"},
        follow_redirects=False,
        # A proxy named in the environment would be asked for names that have been looked up and weighed here.
        trust_env=False,
    ) as client:
        yield client


async def post(
    http: httpx.AsyncClient, url: str, content: bytes, token: str, trusted: frozenset[str]
) -> Answer | Silence:
    """POST once; of several addresses of one host the next is tried only where the last could not be connected to."""
    began = time.monotonic()
    requests: list[httpx.Request] = []
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            destination = await destination_of(url, trusted)
            requests = [_request(http, destination, one, content, token) for one in destination.addresses or ("",)]
            return await _send_to_one(http, requests)
    except (NotAllowed, NoSuchHost) as error:
        return Silence(error.code, is_safe=True, took_ms=_since(began))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        is_safe = not requests or isinstance(error, _BEFORE_SENDING)
        return Silence(_fault(error), is_safe=is_safe, took_ms=_since(began))
    except Exception:  # a fault of ours, wherever: it is put off and told as any other trouble
        logger.exception("A request to an LMS failed by a fault of Rollcall")
        return Silence(OWN_FAULT, is_safe=not requests, took_ms=_since(began))


def _request(
    http: httpx.AsyncClient, destination: Destination, address: str, content: bytes, token: str
) -> httpx.Request:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "Connection": "close"}
    url, extensions = destination.url, {}
    if address:
        parts = urlsplit(url)
        headers["Host"] = parts.netloc
        extensions["sni_hostname"] = destination.host
        url = urlunsplit(parts._replace(netloc=netloc(address, parts.port)))
    return http.build_request("POST", url, content=content, headers=headers, extensions=extensions)


async def _send_to_one(http: httpx.AsyncClient, requests: Sequence[httpx.Request]) -> Answer:
    *others, last = requests
    for request in others:
        try:
            return await _send(http, request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return await _send(http, last)


async def _send(http: httpx.AsyncClient, request: httpx.Request) -> Answer:
    began = time.monotonic()
    # The body of the answer is not read: it is empty, or an error page with nothing in it that the status lacks.
    async with aclosing(await http.send(request, stream=True)) as response:
        return Answer(
            status=response.status_code,
            phrase=_printable(response.reason_phrase),
            took_ms=_since(began),
            date_at=_date(response.headers.get("date")),
            retry_after_ms=_retry_after(response.headers.get("retry-after")),
        )


def _fault(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "unreachable" if isinstance(error, httpx.ConnectTimeout) else "timeout"
    return "unreachable" if isinstance(error, _BEFORE_SENDING) else "broken-connection"


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:LONGEST_PHRASE]


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _date(header: str | None) -> int | None:
    try:
        return int(parsedate_to_datetime(header or "").timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


def _retry_after(header: str | None) -> int | None:
    """Seconds, or a date, as milliseconds from now; what is asked for is never longer than a day."""
    if not header:
        return None
    if header.isascii() and header.isdigit():
        wanted = int(header[:9]) * 1000
    elif (at := _date(header)) is not None:
        wanted = at - time.time_ns() // 1_000_000
    else:
        return None
    return min(max(wanted, 0), LONGEST_RETRY_AFTER_MS)
