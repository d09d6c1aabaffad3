"""One question to an LMS: only where it may go, never to where a redirect points, never more than can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

import httpx

from rollcall.core.errors import Unavailable
from rollcall.outgoing.addresses import NoSuchHost, NotAllowed, destination_of, trusted_hosts
from rollcall.outgoing.connecting import fault_of, first_that_connects, http_client, requests_to

WHOLE_SECONDS: Final = 15.0
MOST_BYTES: Final = 1_000_000
LONGEST_PHRASE: Final = 200

_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tls": "The certificate of {host} cannot be trusted.",
        "unreachable": "{host} cannot be connected to.",
        "timeout": "{host} did not answer in time.",
        "broken-connection": "{host} broke the connection off.",
        "too-big": "{host} answered with more than can be read.",
    }
)
_HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tls": "Mend the certificate, or add its authority to those this machine trusts.",
        "unreachable": "Check that it runs, and that this machine may connect to it.",
        "timeout": "Try again; if it lasts, look at the load and the log of the LMS.",
        "broken-connection": "Try again; if it lasts, look at what stands between this machine and the LMS.",
        "too-big": "Check that the address is the one the LMS shows.",
    }
)


class NoReply(Unavailable):
    """Nothing that can be used has come back; `code` says why, the message and the hint say it to an operator."""

    code = "no-reply"


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `at_most` bytes of its answer are read, and all of it in `seconds`."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    at_most: int = MOST_BYTES
    seconds: float = WHOLE_SECONDS


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever the status. Names of headers are found in any spelling."""

    status: int
    phrase: str
    headers: httpx.Headers
    content: bytes

    @property
    def is_success(self) -> bool:
        """2xx; a redirect is none, for it is never followed."""
        return 200 <= self.status < 300


def ask_now(question: Question) -> Reply:
    """The same as `ask`, for a thread that runs no event loop."""

    async def once() -> Reply:
        async with http_client() as http:
            return await ask(http, question)

    return _run(once())


def _run(work: Coroutine[object, object, Reply]) -> Reply:
    """As asyncio.run, which waits at its end for each name that is still being looked up, for however long."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    try:
        return loop.run_until_complete(task)
    finally:
        if not task.done():  # somebody pressed Ctrl-C
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def ask(http: httpx.AsyncClient, question: Question, trusted: frozenset[str] | None = None) -> Reply:
    """The reply; NotAllowed where it may not go, NoReply where none came that can be used."""
    try:
        async with asyncio.timeout(question.seconds):
            destination = await destination_of(question.url, trusted_hosts() if trusted is None else trusted)
            requests = requests_to(http, question.method, destination, question.headers, question.content)
            return await first_that_connects(requests, partial(_reply, http, at_most=question.at_most))
    except NotAllowed:
        raise
    except NoSuchHost as error:
        raise NoReply(str(error), code=error.code, hint=error.hint) from None
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise _no_reply(fault_of(error), question.url) from error


async def _reply(http: httpx.AsyncClient, request: httpx.Request, *, at_most: int) -> Reply:
    async with aclosing(await http.send(request, stream=True)) as response:
        content = bytearray()
        # As it came over the wire: what is packed would be unpacked to any size.
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > at_most:
                raise _no_reply("too-big", request.headers.get("host") or str(request.url))
        phrase = "".join(one for one in response.reason_phrase if one.isprintable())[:LONGEST_PHRASE]
        return Reply(response.status_code, phrase, response.headers, bytes(content))


def _no_reply(code: str, url: str) -> NoReply:
    host = httpx.URL(url).host if "//" in url else url.partition(":")[0]
    return NoReply(_SENTENCES[code].format(host=host or url), code=code, hint=_HINTS[code])
