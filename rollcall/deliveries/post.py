"""One request to an LMS, and what is known after it: an answer, or why there is none and whether it arrived."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final

import httpx
import structlog

from rollcall.outgoing.addresses import NoSuchHost, NotAllowed, destination_of
from rollcall.outgoing.connecting import fault_of, first_that_connects, is_before_sending, requests_to
from rollcall.outgoing.patience import date_of, retry_after_ms

WHOLE_SECONDS: Final = 90.0
LONGEST_PHRASE: Final = 200

OWN_FAULT: Final = "own-fault"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `date_at` is the answering server's own clock, `retry_after_ms` what it asked for.

    `has_page`: with the status came a page for people, where Moodle's receiver says nothing.
    """

    status: int
    phrase: str
    took_ms: int
    date_at: int | None = None
    retry_after_ms: int | None = None
    has_page: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer; `fault` is a code. `is_safe`: nothing can have arrived there."""

    fault: str
    is_safe: bool
    took_ms: int


async def post(
    http: httpx.AsyncClient, url: str, content: bytes, token: str, trusted: frozenset[str]
) -> Answer | Silence:
    """POST once; of several addresses of one host the next is tried only where the last could not be connected to."""
    began = time.monotonic()
    requests: list[httpx.Request] = []
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            destination = await destination_of(url, trusted)
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            requests = requests_to(http, "POST", destination, headers, content)
            return await first_that_connects(requests, partial(_send, http))
    except (NotAllowed, NoSuchHost) as error:
        return Silence(error.code, is_safe=True, took_ms=_since(began))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        is_safe = not requests or is_before_sending(error)
        return Silence(fault_of(error), is_safe=is_safe, took_ms=_since(began))
    except Exception:  # a fault of ours, wherever: it is put off and told as any other trouble
        logger.exception("A request to an LMS failed by a fault of Rollcall")
        return Silence(OWN_FAULT, is_safe=not requests, took_ms=_since(began))


async def _send(http: httpx.AsyncClient, request: httpx.Request) -> Answer:
    began = time.monotonic()
    async with aclosing(await http.send(request, stream=True)) as response:
        has_page = response.is_success and await _has_page(response)
        return Answer(
            status=response.status_code,
            phrase=_printable(response.reason_phrase),
            took_ms=_since(began),
            date_at=date_of(response.headers.get("date")),
            retry_after_ms=retry_after_ms(response.headers),
            has_page=has_page,
        )


async def _has_page(response: httpx.Response) -> bool:
    """No more than the begin of the body is read: it is empty, or tells nothing that could be relied on."""
    try:
        async for chunk in response.aiter_raw():
            if said := chunk.lstrip():
                return said.startswith(b"<")
    except httpx.HTTPError:  # it was to say more than has come
        return True
    return False


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:LONGEST_PHRASE]


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
