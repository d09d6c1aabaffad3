"""A client of the BigBlueButton API and of the hooks API beside it. It only ever asks; every fault is a named error."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx

from rollcall import __version__
from rollcall.bbb import answers, faults
from rollcall.core.errors import Refused

# In the order they are tried: bbb-web takes sha256 from 2.5 on, bbb-webhooks 2.x only sha1; both may forbid some.
ALGORITHMS = ("sha256", "sha1", "sha512", "sha384")
ANSWER_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
WHOLE_SECONDS = 20.0

_UP = re.compile(rb"\bup\b", re.IGNORECASE)

# At level INFO httpx logs whole addresses: a signed call is as good as the secret to whoever only wants to repeat it.
for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Listing:
    """A successful answer of getMeetings; `at` is the server's HTTP Date in ms, `asked_at` our own clock."""

    at: int
    asked_at: int
    meetings: tuple[answers.ListedMeeting, ...]


@dataclass(frozen=True, slots=True)
class HookListing:
    """A successful answer of hooks/list, with both clocks as in Listing."""

    at: int
    asked_at: int
    hooks: tuple[answers.ListedHook, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    at: int
    asked_at: int
    status: int
    location: str | None
    body: bytes


def normalised(url: str) -> str:
    """The API's own address, ending in /api/, from what people copy: a host, …/bigbluebutton/, …/bigbluebutton/api."""
    text = url.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _not_an_address(url, str(error)) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not text.isprintable() or " " in text:
        raise _not_an_address(url, "it is not a web address")
    if parts.username is not None or parts.password is not None:
        raise _not_an_address("", "it holds a user name or a password")
    if parts.query or parts.fragment:
        raise _not_an_address(parts._replace(query="", fragment="").geturl(), "something follows after ? or #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != {"http": 80, "https": 443}[parts.scheme]:
        host = f"{host}:{port}"
    return urlunsplit((parts.scheme, host, _api_path(parts.path), "", ""))


def _api_path(path: str) -> str:
    before, found, _ = path.partition("/bigbluebutton")
    if found:
        return f"{before}/bigbluebutton/api/"
    plain = path.rstrip("/")
    return f"{plain}/" if plain.endswith("/api") else f"{plain}/bigbluebutton/api/"


def _not_an_address(url: str, why: str) -> Refused:
    told = f"{url!r}" if url else "The address"
    return Refused(
        f"{told} cannot be used: {why}.",
        code="not-an-address",
        hint="Give the server's address as `bbb-conf --secret` prints it, such as https://bbb.example.org/bigbluebutton/.",
    )


def checksum(algorithm: str, call: str, query: str, secret: str) -> str:
    """Over the call's name, the query exactly as sent, and the secret; no separator anywhere."""
    return hashlib.new(algorithm, f"{call}{query}{secret}".encode()).hexdigest()


@asynccontextmanager
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    """One client for all servers. Certificates are checked against this machine's own list, not a library's."""
    async with httpx.AsyncClient(
        verify=ssl.create_default_context(),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=1024, keepalive_expiry=50),
        headers={
            "User-Agent": f"rollcall/{__version__}",
            "Accept": "text/xml, application/xml;q=0.9, */*;q=0.1",
            # Uncompressed: the limit on an answer's length then is one on what is held in memory.
            "Accept-Encoding": "identity",
            "Cache-Control": "no-cache",
        },
        follow_redirects=False,
    ) as client:
        yield client


class BigBlueButton:
    """One server as a caller of its API sees it.

    `secrets` come newest first. What was accepted last (secret and digest, for each of the two APIs) is tried first.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        api_url: str,
        secrets: Sequence[str],
        *,
        algorithms: Sequence[str] = ALGORITHMS,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._http, self._clock = http, clock or _now
        self.api_url = api_url
        self.host = urlsplit(api_url).hostname or api_url
        self._keys = [(secret, algorithm) for secret in secrets for algorithm in algorithms]
        self._accepted: dict[bool, tuple[str, str]] = {}

    async def meetings(self) -> Listing:
        """Who is in: every running meeting of the server, in one call."""
        answer, root = await self._call("getMeetings")
        return Listing(answer.at, answer.asked_at, answers.meetings(root))

    async def hooks(self) -> HookListing:
        """Every hook there is: never asked for one meeting, which many versions answer wrongly."""
        answer, root = await self._call("hooks/list")
        return HookListing(answer.at, answer.asked_at, answers.hooks(root))

    async def create_hook(self, callback_url: str, *, is_raw: bool) -> str:
        """Register a global, unfiltered hook and return its id; one with this very address is left as it is."""
        query = {"callbackURL": callback_url}
        if is_raw:
            query["getRaw"] = "true"  # any other word makes bbb-webhooks 3.5.0 stop delivering to everybody
        _, root = await self._call("hooks/create", query)
        return answers.hook_id(root)

    async def destroy_hook(self, remote_id: str) -> None:
        """Take a hook away; one that is gone already is as good."""
        try:
            await self._call("hooks/destroy", {"hookID": remote_id})
        except faults.CallRefused as error:
            if error.key != "destroyMissingHook":
                raise

    async def ping(self) -> int:
        """Whether bbb-webhooks answers at all, as the server's time in ms; needs no secret."""
        url = httpx.URL(f"{self.api_url}hooks/ping")
        answer = await self._get(url)
        if answer.status != 200:
            raise faults.from_status(answer.status, answer.location, url, is_hooks=True)
        if not _UP.search(answer.body[:200]):
            raise faults.no_hooks_api(self.host)
        return answer.at

    async def _call(self, call: str, query: Mapping[str, str] | None = None) -> tuple[_Answer, answers.Element]:
        """Signs with one key after the other until the server accepts one."""
        is_hooks = call.startswith("hooks/")
        refused = False
        for key in self._in_order(is_hooks=is_hooks):
            try:
                answered = await self._call_with(key, call, query or {})
            except faults.WrongSecret:
                refused = True
            except faults.ServerFailed:
                # bbb-webhooks answers a digest it does not know with a page and 500.
                if not refused:
                    raise
            else:
                self._accepted[is_hooks] = key
                return answered
        raise faults.wrong_secret(self.host, is_hooks=is_hooks)

    def _in_order(self, *, is_hooks: bool) -> list[tuple[str, str]]:
        accepted = self._accepted.get(is_hooks)
        return self._keys if accepted is None else [accepted, *(key for key in self._keys if key != accepted)]

    async def _call_with(
        self, key: tuple[str, str], call: str, query: Mapping[str, str]
    ) -> tuple[_Answer, answers.Element]:
        secret, algorithm = key
        encoded = urlencode(query, quote_via=quote, safe="")
        signature = checksum(algorithm, call, encoded, secret)
        url = httpx.URL(f"{self.api_url}{call}?{encoded}{'&' if encoded else ''}checksum={signature}")
        answer = await self._get(url)
        is_hooks = call.startswith("hooks/")
        if answer.status != 200:
            raise faults.from_status(answer.status, answer.location, url, is_hooks=is_hooks)
        return answer, self._accept(answer, url, is_hooks=is_hooks)

    def _accept(self, answer: _Answer, url: httpx.URL, *, is_hooks: bool) -> answers.Element:
        try:
            root = answers.parse(answer.body)
        except answers.NotAnAnswer as error:
            if error.is_other or not answer.body.lstrip().startswith(b"<"):
                raise faults.no_hooks_api(self.host) if is_hooks else faults.not_bigbluebutton(url) from None
            raise faults.AnswerUnreadable(
                f"{self.host} sent an answer that cannot be read: {error}.",
                hint="If it happens again, look at what stands between this machine and the server.",
            ) from None
        if failed := answers.failure(root):
            raise self._failed(failed, is_hooks=is_hooks)
        return root

    def _failed(self, failed: answers.Failure, *, is_hooks: bool) -> Exception:
        if "checksumError" in failed.keys:
            return faults.wrong_secret(self.host, is_hooks=is_hooks)
        if is_hooks and "unsupportedRequest" in failed.keys:
            return faults.no_hooks_api(self.host)
        key = failed.keys[0] if failed.keys else "unknown"
        return faults.CallRefused(
            f"{self.host} refuses: {failed.message[:300] or key} ({key[:60]}).",
            key=key,
            hint="Look into the server's logs.",
        )

    async def _get(self, url: httpx.URL) -> _Answer:
        """One GET, and a second one if the server had just closed the idle connection it was sent on."""
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                try:
                    return await self._get_once(url)
                except (httpx.RemoteProtocolError, httpx.ReadError):
                    return await self._get_once(url)
        except (httpx.HTTPError, TimeoutError) as error:
            raise faults.from_transport(error, url) from None

    async def _get_once(self, url: httpx.URL) -> _Answer:
        async with self._http.stream("GET", url) as response:
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > ANSWER_BYTES:
                    raise faults.AnswerTooBig(
                        f"{self.host} sent more than {ANSWER_BYTES // 1024 // 1024} MiB.",
                        hint="This is not an answer of BigBlueButton; check the address.",
                    )
            now = self._clock()
            return _Answer(
                at=_date(response.headers.get("date"), now),
                asked_at=now,
                status=response.status_code,
                location=response.headers.get("location"),
                body=bytes(body),
            )


def _date(header: str | None, otherwise: int) -> int:
    """The server's own time in whole seconds; ours where it does not tell."""
    try:
        return int(parsedate_to_datetime(header or "").timestamp()) * 1000
    except (ValueError, OverflowError):
        return otherwise


def _now() -> int:
    return time.time_ns() // 1_000_000
