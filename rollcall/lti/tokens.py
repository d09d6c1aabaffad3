"""Access tokens of an LMS: asked for with an assertion that Rollcall signs, kept in memory, used for its services.

Facts observed on Moodle 4.5: token answers are labelled text/html, errors may be broken JSON or an HTML page, every
claim of time is checked without leeway, and a tool gets one token for all courses.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import httpx

from rollcall.lti.keys import signing_key
from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.addresses import NotAllowed, trusted_hosts
from rollcall.outgoing.asking import NoReply, Question, Reply, ask
from rollcall.store.platforms import Platform

ROSTER_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
AGS: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

SECOND_MS: Final = 1000
SIGNED_BACK_SECONDS: Final = 30
"""How far back an assertion says it was signed: Moodle takes none of a clock that is ahead."""
VALID_SECONDS: Final = 120
EARLIER_MS: Final = 60 * SECOND_MS
"""A token is not used any more so long before it ends."""
SHORTEST_SECONDS: Final = 90
LONGEST_SECONDS: Final = 24 * 60 * 60
USUAL_SECONDS: Final = 3600
MOST_BYTES: Final = 100_000

_OK: Final = 200
_UNAUTHORIZED: Final = 401


class InThread(Protocol):
    """Runs a function of the store where it may wait for the database."""

    def __call__(self, work: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        """What the function returned."""


@dataclass(frozen=True, slots=True)
class Client:
    """Rollcall as one LMS knows it. `audience` is whom the assertion is for."""

    platform: int
    client_id: str
    token_url: str
    audience: str

    @classmethod
    def of(cls, platform: Platform) -> Client:
        """The same from its row."""
        return cls(platform.pk, platform.client_id, platform.token_url, platform.token_audience or platform.token_url)


@dataclass(frozen=True, slots=True)
class Kept:
    """A token, used until then (epoch ms)."""

    text: str
    until: int


@dataclass(slots=True)
class Tokens:
    """The tokens of one process, and calls that are made with them. Nothing of it reaches the disk."""

    http: httpx.AsyncClient
    in_thread: InThread
    clock: Callable[[], int]
    trusted: frozenset[str] = field(default_factory=trusted_hosts)
    _kept: dict[tuple[Client, frozenset[str]], Kept] = field(default_factory=dict)
    _asking: defaultdict[tuple[Client, frozenset[str]], asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    async def call(self, client: Client, scopes: frozenset[str], question: Question) -> Reply:
        """A reply of a service, whatever its status; a token that is not taken any more is asked for once again.

        ServiceTrouble where there is no token or no reply.
        """
        token = await self.token(client, scopes)
        reply = await self._ask(_bearing(question, token))
        if reply.status != _UNAUTHORIZED:
            return reply
        self.drop(client, scopes, token)
        return await self._ask(_bearing(question, await self.token(client, scopes)))

    async def token(self, client: Client, scopes: frozenset[str]) -> str:
        """A token for these scopes, the kept one or a new one; ServiceTrouble where none is given."""
        key = client, scopes
        async with self._asking[key]:
            kept = self._kept.get(key)
            if kept is None or kept.until <= self.clock():
                kept = self._kept[key] = await self._asked(client, scopes)
            return kept.text

    def drop(self, client: Client, scopes: frozenset[str], token: str) -> None:
        """Forget this token, unless another has taken its place meanwhile."""
        kept = self._kept.get((client, scopes))
        if kept is not None and kept.text == token:
            del self._kept[client, scopes]

    async def _asked(self, client: Client, scopes: frozenset[str]) -> Kept:
        """A new one; how it went stands in the row of the platform."""
        try:
            now = self.clock()
            assertion = await self.in_thread(assertion_of, client, now)
            kept = read(await self._ask(_question(client, scopes, assertion)), scopes, now)
        except ServiceTrouble as error:
            await self.in_thread(note, client.platform, None, error.kept())
            raise
        await self.in_thread(note, client.platform, now, "")
        return kept

    async def _ask(self, question: Question) -> Reply:
        try:
            return await ask(self.http, question, self.trusted)
        except (NoReply, NotAllowed) as error:
            raise ServiceTrouble(_TROUBLES.get(error.code, Trouble.UNREACHABLE)) from error


_TROUBLES: Final = {trouble.value: trouble for trouble in Trouble}


def note(platform: int, given_at: int | None, trouble: str) -> None:
    """Write down when a token was given, or why none was."""
    told: dict[str, Any] = {"token_trouble": trouble} | ({"token_at": given_at} if given_at is not None else {})
    Platform.objects.filter(pk=platform).update(**told)


def assertion_of(client: Client, now: int) -> str:
    """Who asks, signed: for one use, within minutes. Times in it are whole seconds, `now` is epoch ms."""
    signed_at = now // SECOND_MS - SIGNED_BACK_SECONDS
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": client.audience,
        "iat": signed_at,
        "exp": signed_at + SIGNED_BACK_SECONDS + VALID_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    return signing_key(now).sign(claims)


def _bearing(question: Question, token: str) -> Question:
    return replace(question, headers={**question.headers, "Authorization": f"Bearer {token}"})


def _question(client: Client, scopes: frozenset[str], assertion: str) -> Question:
    if not client.token_url:
        raise ServiceTrouble(Trouble.NO_TOKEN_URL)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": " ".join(sorted(scopes)),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return Question(client.token_url, "POST", headers, urlencode(form).encode(), at_most=MOST_BYTES)


# -- what is answered ---------------------------------------------------------------------------------------------


def read(reply: Reply, scopes: frozenset[str], now: int) -> Kept:
    """The token of an answer, whatever media type it is labelled with; ServiceTrouble where it has none."""
    if reply.status != _OK:
        raise _refusal(reply)
    answer = _object(reply.content)
    text = answer.get("access_token")
    if not isinstance(text, str) or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ServiceTrouble(Trouble.NOT_A_TOKEN)
    if str(answer.get("token_type", "bearer")).lower() != "bearer":
        raise ServiceTrouble(Trouble.NOT_A_TOKEN, str(answer["token_type"]))
    given = answer.get("scope")
    if isinstance(given, str) and (missing := scopes - set(given.split())):
        raise ServiceTrouble(Trouble.NO_SCOPE, " ".join(sorted(one.rpartition("/")[2] for one in missing)))
    return Kept(text, now + _seconds(answer.get("expires_in")) * SECOND_MS - EARLIER_MS)


def _seconds(value: object) -> int:
    try:
        seconds = int(float(str(value)))
    except (ValueError, OverflowError):
        seconds = USUAL_SECONDS
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(reply: Reply) -> ServiceTrouble:
    """A named error out of JSON, out of what was meant to be JSON, or out of a page."""
    if reply.status in {429, 503}:
        return ServiceTrouble(Trouble.BUSY, f"{reply.status} {reply.phrase}")
    if reply.status >= 500:
        return ServiceTrouble(Trouble.FAILED, f"{reply.status} {reply.phrase}")
    said = _error_of(reply.content)
    for pattern, trouble in _REFUSALS:
        if re.search(pattern, said, re.IGNORECASE):
            return ServiceTrouble(trouble, said)
    if reply.status == 404 and not said:
        return ServiceTrouble(Trouble.KEYS_UNREACHABLE, f"{reply.status} {reply.phrase}")
    return ServiceTrouble(Trouble.TOKEN_REFUSED, said or f"{reply.status} {reply.phrase}")


def _error_of(content: bytes) -> str:
    """What `error` says; Moodle does not escape quotation marks inside of it."""
    answer = _object(content)
    if answer:
        return " ".join(str(answer[name]) for name in ("error", "error_description") if answer.get(name))
    found = re.search(r'"error"\s*:\s*"(.*)"\s*\}', content[:2000].decode("utf-8", "replace"), re.DOTALL)
    return found[1] if found else ""


_REFUSALS: Final = (
    (r"\bprior to\b", Trouble.CLOCK_AHEAD),
    (r"\bexpired\b", Trouble.CLOCK_BEHIND),
    (r"\bkid\b", Trouble.UNKNOWN_KEY),
    (r"signature", Trouble.BAD_SIGNATURE),
    (r"invalid_scope", Trouble.NO_SCOPE),
    (r"invalid_client|unauthorized_client", Trouble.UNKNOWN_CLIENT),
)


def trouble_of(reply: Reply) -> ServiceTrouble | None:
    """What an answer of a service other than its own meaning comes to; None for 2xx."""
    if reply.is_success:
        return None
    return ServiceTrouble(_of_status(reply.status), f"{reply.status} {reply.phrase}")


def _of_status(status: int) -> Trouble:
    if status in _STATUSES:
        return _STATUSES[status]
    return Trouble.FAILED if status >= 500 else Trouble.WRONG_REQUEST


_STATUSES: Final = {
    401: Trouble.NOT_AUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.GONE,
    410: Trouble.GONE,
    429: Trouble.BUSY,
    503: Trouble.BUSY,
}
