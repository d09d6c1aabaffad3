"""The application below /hooks/: what it answers, what it hands to the feed, and what it says when it refuses."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from rollcall.bbb.checksum import Callback, Regime, SharedSecret, version_2_text
from rollcall.bbb.registered import Registered, Snapshot, snapshot_of
from rollcall.bbb.webhook import LARGEST_BODY, LARGEST_READ, TOLD_PER_SECOND, Webhook
from rollcall.core.errors import Unavailable
from rollcall.feed.feed import Arrival, Unreadable

URL = "https://ra.example.org/hooks/Aa0123456789Aa0123456789"
TOKEN = "Aa0123456789Aa0123456789"
SECRET = "s3cretKEY"
CALLBACK = Callback(URL, server=1, pool=7, pool_name="bbb.example.org", secrets=(SharedSecret(1, SECRET.encode()),))
RAW = replace(CALLBACK, url=URL + "?raw=1")


def element(kind: str = "user-joined", **user: Any) -> dict[str, Any]:
    user = {
        "internal-user-id": "w_q1w2e3r4t5y6",
        "external-user-id": "4711",
        "name": "Zoë Örn",
        "role": "VIEWER",
    } | user
    meeting = {"internal-meeting-id": "m-1", "external-meeting-id": "9f1c-42-7"}
    attributes = {"meeting": meeting, "user": user, "CANARY": "CANARY"}
    return {"data": {"type": "event", "id": kind, "attributes": attributes, "event": {"ts": 1795309405123}}}


def form(*elements: object, timestamp: int = 1795309405200) -> bytes:
    event = json.dumps(elements, ensure_ascii=False)
    return urlencode({"domain": "bbb.example.org", "event": event, "timestamp": timestamp}).encode()


def signature(body: bytes, url: str = URL, algorithm: str = "sha1", secret: str = SECRET) -> str:
    return "checksum=" + hashlib.new(algorithm, url.encode() + body + secret.encode()).hexdigest()


@dataclass
class Kept:
    """A feed that remembers, or fails when told to."""

    items: list[Arrival | Unreadable] = field(default_factory=list)
    failure: Exception | None = None

    async def publish(self, arrivals: Sequence[Arrival | Unreadable]) -> None:
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        self.items += arrivals

    async def close(self) -> None:
        pass


class Known(Registered):
    """Registered hooks without a database."""

    def __init__(self, *callbacks: Callback) -> None:
        super().__init__()
        self.callbacks = list(callbacks)
        self.failure: Exception | None = None
        self.readings = 0

    def _load(self) -> Snapshot:
        self.readings += 1
        if self.failure:
            raise self.failure
        return snapshot_of({TOKEN: self.callbacks})


class Caller:
    """A relay: posts to one application and returns the status of each answer."""

    def __init__(self, *callbacks: Callback) -> None:
        self.feed = Kept()
        self.known = Known(*(callbacks or (CALLBACK, RAW)))
        self.webhook = Webhook(self.feed, self.known)
        self.text = ""
        self.headers: dict[bytes, bytes] = {}

    async def post(self, body: bytes = b"", query: str = "", **scope: Any) -> int | None:
        return await self.send([body], query, **scope)

    async def send(
        self,
        chunks: Sequence[bytes],
        query: str = "",
        *,
        path: str = f"/hooks/{TOKEN}",
        method: str = "POST",
        headers: Sequence[tuple[bytes, bytes]] = (),
        is_whole: bool = True,
    ) -> int | None:
        rest = list(chunks)
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            if not rest:
                return {"type": "http.disconnect"}
            chunk = rest.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(rest) or not is_whole}

        async def send(message: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            if message["type"] == "http.response.start":
                status.append(message["status"])
                self.headers = dict(message["headers"])
            else:
                self.text = message["body"].decode()

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", b"10.0.0.7:8000"), *headers],
        }
        await self.webhook(scope, receive, send)
        return status[0] if status else None

    @property
    def arrivals(self) -> list[Arrival]:
        return [item for item in self.feed.items if isinstance(item, Arrival)]

    @property
    def set_aside(self) -> list[Unreadable]:
        return [item for item in self.feed.items if isinstance(item, Unreadable)]


def answer(body: bytes, query: str = "", *callbacks: Callback, **scope: Any) -> Caller:
    """One delivery to a fresh application, which must answer 200."""
    caller = Caller(*callbacks)
    assert asyncio.run(caller.post(body, query, **scope)) == 200
    return caller


def refusal(body: bytes, query: str = "", *callbacks: Callback, **scope: Any) -> dict[str, Any]:
    """One delivery that must be refused with 403, and the one line about it."""
    caller = Caller(*callbacks)
    with capture_logs() as lines:
        assert asyncio.run(caller.post(body, query, **scope)) == 403
    assert not caller.feed.items
    (line,) = lines
    assert line["event"] == "webhook refused"
    assert SECRET not in str(line)
    assert TOKEN not in str(line)
    return dict(line)


BEARER = [(b"authorization", f"Bearer {SECRET}".encode())]


# -- genuine ------------------------------------------------------------------------------------------------------


def test_a_signed_delivery_is_handed_to_the_feed_and_acknowledged() -> None:
    before = time.time_ns() // 1_000_000
    body = form(element())
    caller = answer(body, signature(body))
    (arrival,) = caller.arrivals
    assert (arrival.pool, arrival.meeting, arrival.kind, arrival.source) == (7, "m-1", "user-joined", "mapped")
    assert arrival.at == 1795309405123
    assert before <= arrival.received_at <= time.time_ns() // 1_000_000
    assert len(arrival.digest) == 16
    assert not arrival.is_end
    assert b"CANARY" not in arrival.payload + (arrival.identity or b"")


BODY = form(element())


@pytest.mark.parametrize(
    ("body", "query", "headers"),
    [
        (BODY, signature(BODY), []),
        (BODY, signature(BODY, algorithm="sha512"), []),
        (BODY, signature(b"{}"), []),
        (BODY, signature(version_2_text(BODY)), []),
        (BODY, "raw=1&" + signature(BODY, RAW.url), []),
        (BODY, "", BEARER),
        (BODY, "raw=1", BEARER),
        (form(element(), timestamp=1), "", BEARER),
        (json.dumps([element()]).encode(), "", BEARER),
        (json.dumps(element(), indent=1).encode(), "", BEARER),
    ],
)
def test_a_fact_does_not_depend_on_hook_delivery_or_regime(
    body: bytes, query: str, headers: list[tuple[bytes, bytes]]
) -> None:
    (arrival,) = answer(body, query, headers=headers).arrivals
    (known,) = answer(BODY, signature(BODY)).arrivals
    assert replace(arrival, received_at=0) == replace(known, received_at=0)


def test_the_pool_is_part_of_the_digest() -> None:
    (here,) = answer(BODY, signature(BODY)).arrivals
    (there,) = answer(BODY, signature(BODY), replace(CALLBACK, pool=8, pool_name="other")).arrivals
    assert here.digest != there.digest


def test_several_events_arrive_together_and_a_bad_one_loses_no_other() -> None:
    bad = element()
    del bad["data"]["attributes"]["meeting"]["internal-meeting-id"]
    body = form(element("meeting-created"), bad, "CANARY", element("pad-content"), None, element("meeting-ended"))
    caller = answer(body, signature(body))
    assert [arrival.kind for arrival in caller.arrivals] == ["meeting-created", "meeting-ended"]
    assert caller.arrivals[1].is_end
    assert [aside.error for aside in caller.set_aside] == [
        "no internal meeting id",
        "neither a mapped nor a raw message",
        "neither a mapped nor a raw message",
    ]
    assert len({aside.digest for aside in caller.set_aside}) == 3


def test_of_what_is_set_aside_only_its_measure_is_kept() -> None:
    body = b"domain=x&event=%5BCANARY&timestamp=1"
    (aside,) = answer(body, signature(body)).set_aside
    assert aside == Unreadable(
        pool=7,
        received_at=aside.received_at,
        length=len(body),
        digest=hashlib.blake2b(body, digest_size=16).digest(),
        regime=Regime.BODY,
        error="the JSON is malformed",
    )


def test_each_hooks_copy_of_a_bad_element_is_set_aside_under_one_digest() -> None:
    bad = element(kind="")
    first, second = form(bad), form(bad, timestamp=2)
    (one,) = answer(first, signature(first)).set_aside
    (other,) = answer(second, "raw=1&" + signature(second, RAW.url)).set_aside
    assert one.digest == other.digest


@pytest.mark.parametrize("kind", ["transcript-updated", "pad-content", "rap-archive-started", "rap-published"])
def test_what_is_of_no_interest_is_acknowledged_and_not_kept(kind: str) -> None:
    body = form(element(kind))
    assert answer(body, signature(body)).feed.items == []


def test_an_empty_array_is_acknowledged() -> None:
    body = form()
    assert answer(body, signature(body)).feed.items == []


@pytest.mark.parametrize("path", [f"/hooks/{TOKEN}/", f"/hooks//{TOKEN}", f"/hooks/behind/a/proxy/{TOKEN}"])
def test_a_slash_more_or_less_is_no_redirect(path: str) -> None:
    assert len(answer(BODY, signature(BODY), path=path).arrivals) == 1


@pytest.mark.parametrize("query", [f"x=1&{signature(BODY)}", f"raw=1&{signature(BODY)}", signature(BODY) + "&x=1"])
def test_a_query_that_is_not_as_registered_does_not_matter_if_the_signature_fits(query: str) -> None:
    assert len(answer(BODY, query).arrivals) == 1


def test_a_registered_checksum_parameter_is_not_taken_for_the_signature() -> None:
    url = URL + "?my-checksum=1&checksum=mine"
    query = f"my-checksum=1&checksum=mine&{signature(BODY, url)}"
    assert len(answer(BODY, query, replace(CALLBACK, url=url)).arrivals) == 1


def test_the_time_of_the_last_delivery_is_noted_to_the_minute() -> None:
    noted: list[tuple[int, int, int]] = []

    class Noting(Known):
        def note(self, verified: Any, now_ms: int) -> None:
            super().note(verified, now_ms)
            noted.append((verified.callback.server, verified.secret.key, self._arrived[1] % 60_000))

    caller = Caller()
    caller.webhook = Webhook(caller.feed, Noting(CALLBACK))
    asyncio.run(caller.post(BODY, signature(BODY)))
    assert noted == [(1, 1, 0)]


# -- length -------------------------------------------------------------------------------------------------------


def test_an_oversized_body_is_set_aside_after_a_valid_signature() -> None:
    for length, kept in ((LARGEST_READ, "the JSON is malformed"), (LARGEST_READ + 1, "oversized")):
        body = b"event=%5B" + b"x" * (length - 9)
        (aside,) = answer(body, signature(body)).set_aside
        assert aside.error.startswith(kept)
        assert aside.length == length


def test_an_oversized_body_without_a_signature_is_refused() -> None:
    refusal(b"x" * (LARGEST_READ + 1), signature(b"other"))


def test_a_body_in_pieces_is_one_body() -> None:
    body = form(element(name="Zoë" * 1000))
    caller = Caller()
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
    assert asyncio.run(caller.send(pieces, signature(body))) == 200
    assert len(caller.arrivals) == 1


def test_large_bodies_queue_for_memory_and_all_get_through() -> None:
    caller = Caller()
    body = b"event=%5B" + b"x" * LARGEST_READ * 3
    pieces = [body[at : at + LARGEST_READ] for at in range(0, len(body), LARGEST_READ)]

    async def all_at_once() -> list[int | None]:
        return await asyncio.gather(*(caller.send(pieces, signature(body)) for _ in range(8)))

    assert asyncio.run(all_at_once()) == [200] * 8


def test_above_32_mib_nothing_is_read_on() -> None:
    caller = Caller()
    announced = [(b"content-length", str(LARGEST_BODY + 1).encode())]
    assert asyncio.run(caller.send([], "", headers=announced)) == 413
    piece = b"x" * (8 * 1024 * 1024)
    assert asyncio.run(caller.send([piece] * 4 + [b"x"], signature(piece * 4 + b"x"))) == 413
    assert asyncio.run(caller.send([piece] * 4, signature(piece * 4))) == 200


def test_a_sender_that_hangs_up_gets_no_answer() -> None:
    caller = Caller()
    assert asyncio.run(caller.send([], signature(b""))) is None
    assert asyncio.run(caller.send([b"event="], signature(b""), is_whole=False)) is None
    assert caller.feed.items == []


def test_a_body_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollcall.bbb.webhook.READING_SECONDS", 0.01)
    caller = Caller()

    async def stalled() -> int | None:
        started: list[int] = []

        async def receive() -> dict[str, Any]:
            if started:
                await asyncio.sleep(60)
            started.append(1)
            return {"type": "http.request", "body": b"event=", "more_body": True}

        async def send(message: dict[str, Any]) -> None:
            started.append(message.get("status", 0))

        scope = {"type": "http", "method": "POST", "path": f"/hooks/{TOKEN}", "query_string": b"", "headers": []}
        await caller.webhook(scope, receive, send)
        return started[1]

    assert asyncio.run(stalled()) == 400


# -- not stored ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [Unavailable("The disk is full."), RuntimeError("CANARY")])
def test_what_is_not_stored_is_not_acknowledged(failure: Exception) -> None:
    caller = Caller()
    caller.feed.failure = failure
    assert asyncio.run(caller.post(BODY, signature(BODY))) == 503
    assert b"retry-after" in caller.headers
    assert "CANARY" not in caller.text


def test_when_the_hooks_cannot_be_read_the_sender_is_asked_to_come_again() -> None:
    caller = Caller()
    caller.known.failure = Unavailable("The database is down.")
    assert asyncio.run(caller.post(BODY, signature(BODY))) == 503


def test_what_verified_before_verifies_while_the_hooks_cannot_be_read() -> None:
    caller = Caller()

    async def later() -> list[int | None]:
        first = await caller.post(BODY, signature(BODY))
        caller.known.failure = Unavailable("The database is down.")
        caller.known._began = float("-inf")
        second = await caller.post(BODY, signature(BODY))
        await asyncio.sleep(0.05)
        return [first, second, await caller.post(BODY, signature(BODY))]

    assert asyncio.run(later()) == [200, 200, 200]


# -- refused ------------------------------------------------------------------------------------------------------


def test_a_hook_registered_a_moment_ago_verifies() -> None:
    caller = Caller(replace(CALLBACK, url="https://ra.example.org/older"))

    async def at_once() -> list[int | None]:
        refused = await caller.post(BODY, signature(BODY))
        caller.known.callbacks.append(CALLBACK)
        return [refused, await caller.post(BODY, signature(BODY))]

    assert asyncio.run(at_once()) == [403, 200]


def test_a_flood_of_refusals_reads_the_hooks_a_few_times_only() -> None:
    caller = Caller()

    async def flood() -> set[int | None]:
        return set(await asyncio.gather(*(caller.post(BODY, "checksum=" + "0" * 40) for _ in range(300))))

    with capture_logs() as lines:
        assert asyncio.run(flood()) == {403}
    assert caller.known.readings <= 3
    assert len(lines) <= 2 * TOLD_PER_SECOND


def test_a_hook_verifies_until_its_time_is_over() -> None:
    now = time.time_ns() // 1_000_000
    assert answer(BODY, signature(BODY), replace(CALLBACK, verifies_until=now + 60_000)).arrivals
    line = refusal(BODY, signature(BODY), replace(CALLBACK, verifies_until=now - 1))
    assert line["reason"] == "a hook that was given up: destroy it on the BigBlueButton server"


def test_the_line_about_a_refusal_names_what_came_closest() -> None:
    assert refusal(BODY, "")["reason"].startswith("neither a checksum nor the header Authorization came")
    assert refusal(BODY, signature(BODY), path="/hooks/nothing")["reason"] == "no hook is registered under this address"
    http = URL.replace("https", "http")
    assert refusal(BODY, signature(BODY, http))["reason"] == (
        "signed for http://ra.example.org/hooks/Aa01…, registered as https://ra.example.org/hooks/Aa01…"
    )
    direct = f"http://10.0.0.7:8000/hooks/{TOKEN}"
    assert "signed for http://10.0.0.7:8000/hooks/Aa01…" in refusal(BODY, signature(BODY, direct))["reason"]
    old = replace(CALLBACK, secrets=(SharedSecret(2, SECRET.encode(), is_current=False),))
    assert refusal(BODY, signature(BODY), old)["reason"] == "signature matches an older secret of bbb.example.org"
    assert refusal(BODY, "", old, headers=BEARER)["reason"] == "signature matches an older secret of bbb.example.org"
    strict = replace(CALLBACK, allows_constant=False)
    assert "forbidden for this server" in refusal(BODY, signature(b"{}"), strict)["reason"]


def test_a_changed_body_is_refused_where_the_signature_covers_it() -> None:
    changed = BODY.replace(b"4711", b"4712")
    for text in (BODY, version_2_text(BODY)):
        refusal(changed, signature(text))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"])
def test_anything_but_a_post_is_told_what_this_address_is_for(method: str) -> None:
    # A 200 here would lose the event of a sender that was redirected: it comes back by GET.
    caller = Caller()
    assert asyncio.run(caller.post(BODY, signature(BODY), method=method)) == 405
    assert caller.headers[b"allow"] == b"POST"
    assert "POST" in caller.text
    assert caller.feed.items == []


@given(
    st.sampled_from(["POST", "GET"]),
    st.text(max_size=30),
    st.text(max_size=60),
    st.binary(max_size=100),
    st.lists(st.tuples(st.sampled_from([b"authorization", b"content-length", b"host"]), st.binary(max_size=20))),
)
def test_whatever_comes_unsigned_is_answered_and_not_kept(
    method: str, path: str, query: str, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    caller = Caller()
    status = asyncio.run(
        caller.post(body, query, path="/hooks/" + path, method=method, headers=headers)  # may announce any length
    )
    assert status in {400, 403, 405, 413}
    assert caller.feed.items == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=100) | JSON.map(form) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_signed_is_acknowledged_and_kept_or_set_aside(body: bytes) -> None:
    caller = answer(body, signature(body))
    assert not caller.arrivals
    for aside in caller.set_aside:
        assert aside.error
        assert len(aside.error) <= 200
