"""Connections to where an address was looked up and weighed, and to nowhere else."""

from __future__ import annotations

import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx

from rollcall import __version__
from rollcall.outgoing.addresses import Destination, netloc

# httpcore asks several times in each request whether this is installed, and looks through every folder for it.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # as the import system says that there is none

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0

_BEFORE_SENDING: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)

Answered = TypeVar("Answered")


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


def requests_to(
    http: httpx.AsyncClient, method: str, destination: Destination, headers: Mapping[str, str], content: bytes = b""
) -> list[httpx.Request]:
    """The same request to each address of the host, with the name it is asked by and its certificate is made for."""
    return [
        _request(http, method, destination, address, headers, content) for address in destination.addresses or ("",)
    ]


def _request(
    http: httpx.AsyncClient,
    method: str,
    destination: Destination,
    address: str,
    headers: Mapping[str, str],
    content: bytes,
) -> httpx.Request:
    url, extensions, sent = destination.url, {}, {**headers, "Connection": "close"}
    if address:
        parts = urlsplit(url)
        sent["Host"] = parts.netloc
        extensions["sni_hostname"] = destination.host
        url = urlunsplit(parts._replace(netloc=netloc(address, parts.port)))
    return http.build_request(method, url, content=content or None, headers=sent, extensions=extensions)


async def first_that_connects(
    requests: Sequence[httpx.Request], send: Callable[[httpx.Request], Awaitable[Answered]]
) -> Answered:
    """What the first address answers that can be connected to; where that failed nothing has been sent."""
    *others, last = requests
    for request in others:
        try:
            return await send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return await send(last)


def is_before_sending(error: Exception) -> bool:
    """Whether nothing can have arrived there."""
    return isinstance(error, _BEFORE_SENDING)


def fault_of(error: Exception) -> str:
    """What is wrong with the connection, as a code: tls, unreachable, timeout or broken-connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "unreachable" if isinstance(error, httpx.ConnectTimeout) else "timeout"
    return "unreachable" if is_before_sending(error) else "broken-connection"
