"""The application below /callbacks/: what it answers, what it hands to the feed, and what it says when it refuses."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from rollcall.bbb import analytics, intake
from rollcall.bbb.analytics import TOLD_PER_SECOND, Analytics
from rollcall.bbb.checksum import SharedSecret
from rollcall.bbb.payloads import decode
from rollcall.bbb.senders import Fate, Sender, Senders
from rollcall.core.errors import Unavailable
from rollcall.core.events import AttendeeReported, MeetingRecorded, MeetingReported
from rollcall.feed.feed import Arrival, Unreadable
from tests.bbb.recorded import (
    EXTERNAL,
    MEETING,
    SECRET,
    bearer,
    callback,
    data_json,
    events_xml,
    token,
)
from tests.bbb.test_webhook import Kept

TOKEN = "Cc0123456789Cc0123456789"
SENDER = Sender(pool=7, pool_name="bbb.example.org", server=1, secrets=(SharedSecret(1, SECRET.encode()),))
OTHER = Sender(pool=8, pool_name="other.example.org", server=2, secrets=(SharedSecret(2, b"another secret"),))
BODY = json.dumps(callback()).encode()


class Known(Senders):
    """Senders without a database."""

    def __init__(self, sender: Sender = SENDER) -> None:
        super().__init__()
        self.sender = sender
        self.failure: Exception | None = None
        self.noted: list[int] = []
        self.meeting = ""
        self.fate = Fate.HELD

    async def fate_of(self, arrival: Arrival) -> Fate:
        return self.fate

    async def at(self, token: str) -> Sender | None:
        if self.failure:
            raise self.failure
        return self.sender if token == TOKEN else None

    async def others(self, sender: Sender) -> Sequence[Sender]:
        return [OTHER]

    async def meeting_of(self, sender: Sender, external_meeting_id: str, start: int) -> str:
        return self.meeting if external_meeting_id == EXTERNAL else ""

    async def note(self, sender: Sender, secret: SharedSecret, now_ms: int) -> None:
        self.noted.append(secret.key)


@dataclass
class Answer:
    """What came back, if anything."""

    status: int
    body: Any
    headers: dict[bytes, bytes]


class Caller:
    """A BigBlueButton server: posts records to one application."""

    def __init__(self, sender: Sender = SENDER) -> None:
        self.feed = Kept()
        self.known = Known(sender)
        self.analytics = Analytics(self.feed, self.known)

    def post(self, body: bytes = BODY, headers: dict[str, str] | None = None, **scope: Any) -> Answer:
        answer = asyncio.run(self.send([body], bearer() if headers is None else headers, **scope))
        assert answer is not None
        return answer

    async def send(
        self,
        chunks: Sequence[bytes],
        headers: dict[str, str],
        *,
        path: str = f"/callbacks/{TOKEN}",
        query: str = "",
        method: str = "POST",
        is_whole: bool = True,
    ) -> Answer | None:
        rest = list(chunks)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            if not rest:
                if not is_whole:
                    return {"type": "http.disconnect"}
                await asyncio.sleep(3600)
            chunk = rest.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(rest) or not is_whole}

        async def send(message: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        length = {"Content-Length": str(sum(map(len, chunks)))}
        wire = [(name.lower().encode(), value.encode("latin-1")) for name, value in {**length, **headers}.items()]
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": wire}
        await self.analytics(scope, receive, send)
        if not sent:
            return None
        start, body = sent
        return Answer(start["status"], json.loads(body["body"]), dict(start["headers"]))

    @property
    def arrival(self) -> Arrival:
        (arrival,) = self.feed.items
        assert isinstance(arrival, Arrival)
        return arrival


def stored(body: bytes = BODY, headers: dict[str, str] | None = None, **scope: Any) -> Arrival:
    """What one record left behind, which must be accepted."""
    caller = Caller()
    answer = caller.post(body, headers, **scope)
    assert (answer.status, answer.body) == (200, {"stored": True})
    assert caller.known.noted == [1]
    return caller.arrival


def refusal(
    status: int, code: str, body: bytes = BODY, headers: dict[str, str] | None = None, **scope: Any
) -> dict[str, str]:
    """One record that must be refused so, and its answer; the log's one line says the same."""
    caller = Caller()
    with capture_logs() as lines:
        answer = caller.post(body, headers, **scope)
    assert (answer.status, answer.body["code"], answer.body["stored"]) == (status, code, False)
    assert not [item for item in caller.feed.items if isinstance(item, Arrival)]
    assert not caller.known.noted
    (line,) = lines
    assert (line["reason"], line["hint"]) == (answer.body["message"], answer.body["hint"])
    for text in (str(line), json.dumps(answer.body)):
        assert SECRET not in text
        assert TOKEN not in text
        assert "another secret" not in text
        assert "CANARY" not in text
    found: dict[str, str] = answer.body
    return found


# -- genuine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "headers"),
    [
        (BODY, "analytics-callback", {}),
        (json.dumps(callback(is_old=True)).encode(), "analytics-callback", {}),
        (gzip.compress(BODY), "analytics-callback", {"Content-Encoding": "gzip"}),
        (gzip.compress(BODY), "analytics-callback", {"Content-Type": "application/gzip"}),
        (BODY, "analytics-callback", {"Content-Type": "text/xml"}),
        (events_xml(), "events-xml", {"Content-Type": "application/xml"}),
        (events_xml(), "events-xml", {"Content-Type": "text/xml; charset=utf-8"}),
        (events_xml(), "events-xml", {"Content-Type": "application/json"}),
        (gzip.compress(events_xml()), "events-xml", {"Content-Type": "application/gzip"}),
        (gzip.compress(events_xml()), "events-xml", {"Content-Type": "text/xml", "Content-Encoding": "gzip"}),
        (b"\xef\xbb\xbf" + BODY, "analytics-callback", {}),
        (b"\n\n " + BODY, "analytics-callback", {}),
    ],
)
def test_a_signed_record_is_handed_to_the_feed_and_acknowledged(
    body: bytes, kind: str, headers: dict[str, str]
) -> None:
    before = time.time_ns() // 1_000_000
    arrival = stored(body, bearer() | headers)
    assert (arrival.pool, arrival.meeting, arrival.kind, arrival.is_end) == (7, MEETING, kind, True)
    assert before <= arrival.received_at <= time.time_ns() // 1_000_000
    assert len(arrival.digest) == 16


def test_a_proxy_may_leave_its_own_prefix_and_a_slash() -> None:

    assert stored(path=f"/attendance/callbacks/{TOKEN}/").digest == stored().digest


def test_the_same_record_has_one_digest_however_its_json_is_written() -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            random.Random(3).shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(one) for one in value] if isinstance(value, list) else value

    other = json.dumps(shuffled(callback()), indent=3).encode()
    assert other != BODY
    assert replace(stored(other), received_at=0) == replace(stored(), received_at=0)


def test_the_pool_is_part_of_the_digest() -> None:
    there = Caller(replace(SENDER, pool=8, pool_name="other"))
    assert there.post().status == 200
    assert there.arrival.digest != stored().digest


def test_any_secret_of_the_server_signs() -> None:
    secrets = (SharedSecret(3, b"new"), SharedSecret(4, b"balancer"), SharedSecret(5, b"retired", is_current=False))
    for secret, status in (("new", 200), ("balancer", 200), ("retired", 403)):
        assert Caller(replace(SENDER, secrets=secrets)).post(headers=bearer(secret=secret)).status == status


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  ", "Foo ", "", " "])
def test_the_token_may_stand_alone_or_after_any_word(scheme: str) -> None:
    stored(headers={"Authorization": scheme + token()})


@pytest.mark.parametrize("claims", [{"exp": 10**10}, {"exp": -50}, {"exp": 9, "iat": 50, "nbf": 50.5}])
def test_clocks_may_differ_by_a_minute(claims: dict[str, float]) -> None:
    now = time.time()
    stored(headers=bearer({claim: now + seconds for claim, seconds in claims.items()}))


def test_bodies_come_in_pieces() -> None:
    body = gzip.compress(events_xml())
    for size in (1, 7, 300):
        caller = Caller()
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        answer = asyncio.run(caller.send(pieces, bearer()))
        assert answer is not None
        assert answer.status == 200
        assert caller.arrival.kind == "events-xml"


def test_data_json_is_of_the_meeting_that_the_address_names_or_that_is_known() -> None:
    body = json.dumps(data_json()).encode()
    named = stored(body, query=f"meeting={MEETING}")
    caller = Caller()
    caller.known.meeting = MEETING
    assert caller.post(body).status == 200
    assert caller.arrival.digest == named.digest
    assert (named.kind, named.meeting) == ("data-json", MEETING)
    assert "its folder" in refusal(400, "not-understood", body)["message"]


def test_a_damaged_recording_is_kept_up_to_the_damage() -> None:
    whole = events_xml()
    caller = Caller()
    with capture_logs() as lines:
        assert caller.post(whole[: whole.index(b"EndAndKick")]).status == 200
    (line,) = lines
    assert line["damage"] == "truncated"
    head, *events = decode("recording", b"", caller.arrival.payload, caller.arrival.identity)
    assert isinstance(head, MeetingRecorded)
    assert (head.is_whole, head.damage) == (False, "truncated")
    assert len(events) == 5


def test_a_breakout_room_is_a_record_of_its_own_under_the_same_address() -> None:
    room = callback() | {"internal_meeting_id": "b" * 40 + "-1795309450000"}
    room["data"] |= {"metadata": {"is_breakout": "true", "meeting_name": "Algebra (Room 1)"}}
    room["data"]["attendees"][0]["ext_user_id"] = "w_a1b2c3d4e5f6-1"
    arrival = stored(json.dumps(room).encode())
    head, first, second = decode("callback", b"", arrival.payload, arrival.identity)
    assert isinstance(head, MeetingReported)
    assert isinstance(first, AttendeeReported)
    assert isinstance(second, AttendeeReported)
    assert (head.is_breakout, arrival.meeting) == (True, room["internal_meeting_id"])
    assert (first.parent_participant, first.external_user_id) == ("w_a1b2c3d4e5f6", None)
    assert (second.parent_participant, second.external_user_id) == (None, "JohnDoe-9")


def test_the_probe_of_moodles_receiver_is_answered_as_moodle_does() -> None:
    answer = refusal(410, "probe", b'{"meeting_id": "probe"}')
    assert "the secret is right" in answer["message"]
    refusal(400, "authorization-missing", b'{"meeting_id": "probe"}', {})


def test_nothing_is_kept_while_capture_is_off_and_the_answer_says_so() -> None:
    caller = Caller(replace(SENDER, is_captured=False))
    answer = caller.post()
    assert (answer.status, answer.body["stored"], answer.body["code"]) == (200, False, "not-captured")
    assert not caller.feed.items
    assert caller.post(headers=bearer(secret="wrong")).status == 403


def test_what_became_of_it_is_answered() -> None:
    caller = Caller()
    caller.known.fate = Fate.NOT_WANTED
    answer = caller.post()
    assert (answer.status, answer.body["stored"], answer.body["code"]) == (200, False, "not-captured")
    caller.known.fate = Fate.SET_ASIDE
    answer = caller.post()
    assert (answer.status, answer.body["stored"], answer.body["code"]) == (400, False, "not-understood")


def test_an_address_with_too_many_fields_names_no_meeting() -> None:
    many = "&".join(["a=1"] * 30)
    stored(query=many)
    refusal(400, "not-understood", json.dumps(data_json()).encode(), query=f"{many}&meeting={MEETING}")
    refusal(404, "unknown-address", path="/callbacks/x", query=many)


# -- refused ------------------------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[int, str, str]] = {
    token(alg="none"): (400, "token-algorithm", "signed by none"),
    token(alg="HS256"): (400, "token-algorithm", "HS256"),
    token(alg="HS384"): (400, "token-algorithm", "only HS512"),
    token(alg="RS512"): (400, "token-algorithm", "RS512"),
    token(alg="hs512"): (400, "token-algorithm", "hs512"),
    token(alg=None): (400, "token-algorithm", "unknown"),
    token(alg={"a": 1}): (400, "token-algorithm", "unknown"),
    token(crit=["x"]): (400, "token-malformed", "demands"),
    token(secret="wrong"): (403, "signature-wrong", "none of the secrets of bbb.example.org"),
    token(secret=""): (403, "signature-wrong", "none of the secrets"),
    token(secret="another secret"): (403, "signature-wrong", "the secret of other.example.org"),
    token({"exp": time.time() - 7200}): (403, "token-expired", "2 hours ago"),
    token({"exp": time.time() - 62}): (403, "token-expired", " ago, by this machine"),
    token({"exp": 0}): (403, "token-expired", "days ago"),
    token({}): (403, "token-no-expiry", "no claim `exp`"),
    token({"exp": None}): (403, "token-no-expiry", "no claim"),
    token({"exp": "soon"}): (400, "token-malformed", "`exp` is no time"),
    token({"exp": True}): (400, "token-malformed", "`exp` is no time"),
    token({"exp": -5}): (400, "token-malformed", "`exp` is no time"),
    token({"exp": 1e300}): (400, "token-malformed", "`exp` is no time"),
    token({"exp": 10**11, "nbf": time.time() + 9000}): (403, "token-too-early", "in 2 hours"),
    token({"exp": 10**11, "iat": time.time() + 3000}): (403, "token-too-early", "minutes"),
    token(["exp"]): (400, "token-malformed", "no JSON object"),  # type: ignore[arg-type]
    token() + "x.y": (400, "token-malformed", "three parts"),
    token().rpartition(".")[0]: (400, "token-malformed", "three parts"),
    token().rpartition(".")[0] + ".": (403, "signature-wrong", "none of the secrets"),
    token()[:-3] + "AAA": (403, "signature-wrong", "none of the secrets"),
    "Zm9v.YmFy.": (400, "token-malformed", "no JSON"),
    "....": (400, "token-malformed", "three parts"),
    "%%%.%%%.%%%": (400, "token-malformed", "base64url"),
    "A.A.A": (400, "token-malformed", "base64url"),
    "\xff.\xff.\xff": (400, "token-malformed", "base64url"),
    "x" * 9000: (400, "token-malformed", "longer than"),
}


# A token holds the second it was made in, and each process of a run makes its own: a test is named by its place.
@pytest.mark.parametrize(
    ("given", "status", "code", "words"), [(key, *value) for key, value in FAULTS.items()], ids=range(len(FAULTS))
)
def test_a_token_that_proves_nothing_is_refused_with_the_reason(given: str, status: int, code: str, words: str) -> None:
    answer = refusal(status, code, headers={"Authorization": f"Bearer {given}"})
    assert words in answer["message"]
    assert answer["hint"]


def test_a_signature_that_does_not_match_names_what_it_may_be() -> None:
    hint = refusal(403, "signature-wrong", headers=bearer(secret="wrong"))["hint"]
    for cause in ("/etc/bigbluebutton/bbb-web.properties", "Scalelite", "rollcall server secret add"):
        assert cause in hint


def test_an_older_secret_is_known_as_one() -> None:
    retired = SharedSecret(2, b"older", is_current=False)
    answer = Caller(replace(SENDER, secrets=(*SENDER.secrets, retired))).post(headers=bearer(secret="older"))
    assert (answer.status, answer.body["code"]) == (403, "signature-wrong")
    assert "an older secret of bbb.example.org" in answer.body["message"]


def test_an_expired_token_names_the_clocks() -> None:
    hint = refusal(403, "token-expired", headers=bearer({"exp": time.time() - 90_000}))["hint"]
    assert "24 hours" in hint
    assert "NTP" in hint


MENDS = ("CGIPassAuth On", 'SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1', "RewriteRule", "proxy_set_header")


@pytest.mark.parametrize(
    ("headers", "name", "first"),
    [
        ({"X-Forwarded-Server": "www", "X-Forwarded-Host": "a", "X-Forwarded-For": "1.2.3.4"}, "Apache", "Apache:"),
        ({"Via": "1.1 www.example.org (Apache/2.4.57)"}, "Apache", "Apache:"),
        ({"X-Real-IP": "1.2.3.4", "X-Forwarded-For": "1.2.3.4"}, "nginx", "nginx:"),
        ({"Via": "1.1 nginx"}, "nginx", "nginx:"),
        ({"X-Forwarded-Server": "t", "X-Forwarded-Port": "443", "X-Real-Ip": "1.2.3.4"}, "Traefik", "Firewalls"),
        ({"CF-Ray": "8abc"}, "Cloudflare", "Firewalls"),
        ({"X-Amzn-Trace-Id": "Root=1"}, "AWS", "Firewalls"),
        ({"Via": "1.1 Caddy"}, "Caddy", "Firewalls"),
        ({"X-Forwarded-For": "1.2.3.4"}, "a proxy that does not say", "Firewalls"),
        ({}, "Nothing shows a web server", "Firewalls"),
        ({"User-Agent": "BigBlueButton Analytics Callback"}, "own script always sends it", "Firewalls"),
    ],
)
def test_without_the_header_the_likely_web_server_and_the_mend_are_named(
    headers: dict[str, str], name: str, first: str
) -> None:
    answer = refusal(400, "authorization-missing", headers=headers)
    assert name in answer["message"]
    assert answer["hint"].startswith(first)
    assert [mend for mend in MENDS if mend not in answer["hint"]] == []


def test_an_address_that_nobody_has_is_refused_before_anything_is_read() -> None:
    for path in (
        "/callbacks/",
        "/callbacks",
        f"/callbacks/{TOKEN}x",
        f"/callbacks/x/{TOKEN}",
        f"/callbacks/{TOKEN.lower()}",
        "/callbacks/\0",
        "/callbacks/\ud83d",
        f"/callbacks/{'x' * 500}",
    ):
        refusal(404, "unknown-address", path=path)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_a_post_is_a_record(method: str) -> None:
    caller = Caller()
    answer = caller.post(method=method)
    assert (answer.status, answer.body["code"], answer.headers[b"allow"]) == (405, "not-a-post", b"POST")


ODD = {
    "nothing": b"",
    "no JSON": b"attendance",
    "half a JSON": BODY[: len(BODY) // 2],
    "an array": b"[1]",
    "a number": b"7",
    "an empty object": b"{}",
    "NaN": b'{"data": NaN}',
    "data is a list": b'{"internal_meeting_id": "m-1", "data": []}',
    "no time": b'{"internal_meeting_id": "m-1", "data": {"attendees": []}}',
    "a deep one": b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a deep one with a NUL": b'{"data":["\\u0000",' + b"[" * 900 + b"]" * 900 + b"]}",
    "an HTML page": b"<!DOCTYPE html><html><body>CANARY</body></html>",
    "another XML": b"<response><returncode>SUCCESS</returncode></response>",
    "a recording of nothing": b"<recording></recording>",
    "entities": b'<!DOCTYPE r [<!ENTITY a "CANARY">]><recording meeting_id="&a;"></recording>',
    "a form": b"event=%5B%5D&timestamp=1",
    "gzip of nothing": gzip.compress(b""),
    "gzip of a broken JSON": gzip.compress(b"{" * 1000),
    "a broken gzip": gzip.compress(BODY)[:-30],
    "a gzip with a tail": gzip.compress(BODY) + b"CANARY",
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_record_is_refused_with_the_reason_and_loses_nothing_else(name: str) -> None:
    answer = refusal(400, "not-understood", ODD[name])
    assert answer["message"].endswith(".")


def test_of_what_cannot_be_read_the_measure_is_set_aside() -> None:
    caller = Caller()
    caller.post(b"[1]")
    (aside,) = caller.feed.items
    assert not isinstance(aside, Arrival)
    assert (aside.pool, aside.length, aside.regime, aside.error) == (7, 3, "jwt", "it is no JSON object")


def test_a_body_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LARGEST_JSON", len(BODY) - 1)
    monkeypatch.setattr(intake, "LARGEST_RECORDING", 400)
    refusal(413, "too-large")
    refusal(413, "too-large", gzip.compress(BODY))
    refusal(413, "too-large", events_xml())
    monkeypatch.setattr(intake, "LARGEST_INFLATED", 500)
    refusal(413, "too-large", gzip.compress(events_xml() + b" " * 100_000))


def test_a_sender_that_falls_silent_is_told_and_one_that_hangs_up_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "SILENT_SECONDS", 0.05)
    caller = Caller()

    async def run() -> tuple[Answer | None, Answer | None]:
        silent = caller.analytics
        started = asyncio.get_running_loop().time()
        sent: list[dict[str, Any]] = []
        messages = [{"type": "http.request", "body": BODY[:100], "more_body": True}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await asyncio.sleep(3600)
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        wire = [(name.lower().encode(), value.encode()) for name, value in bearer().items()]
        scope = {"method": "POST", "path": f"/callbacks/{TOKEN}", "query_string": b"", "headers": wire}
        await silent(scope, receive, send)
        assert asyncio.get_running_loop().time() - started < 5
        answer = Answer(sent[0]["status"], json.loads(sent[1]["body"]), {})
        return answer, await caller.send([BODY[:100]], bearer(), is_whole=False)

    told, gone = asyncio.run(run())
    assert told is not None
    assert (told.status, told.body["code"]) == (400, "incomplete")
    assert gone is None
    assert not caller.feed.items


# -- not now ------------------------------------------------------------------------------------------------------


def test_what_is_not_durable_is_not_acknowledged() -> None:
    caller = Caller()
    caller.feed.failure = Unavailable("The database does not take facts.", code="database-down", hint="Look.")
    answer = caller.post()
    assert (answer.status, answer.body["stored"], answer.body["code"]) == (503, False, "database-down")
    assert answer.headers[b"retry-after"]
    assert not caller.known.noted
    caller.feed.failure = RuntimeError("CANARY")
    answer = caller.post()
    assert (answer.status, answer.body["code"]) == (503, "not-stored")
    assert "CANARY" not in json.dumps(answer.body)
    caller.feed.failure = None
    assert caller.post().status == 200


def test_who_cannot_be_looked_up_is_asked_to_come_again() -> None:
    caller = Caller()
    caller.known.failure = Unavailable("The database cannot be asked who sends this.", code="not-stored")
    assert caller.post().status == 503


def test_so_many_lines_a_second_and_no_more() -> None:
    caller = Caller()
    with capture_logs() as lines:
        for _ in range(3 * TOLD_PER_SECOND):
            assert caller.post(headers={}).status == 400
    assert TOLD_PER_SECOND <= len(lines) <= 2 * TOLD_PER_SECOND


# -- the pipe in between ------------------------------------------------------------------------------------------


def test_a_recording_in_many_pieces_is_read_while_it_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """More of them than a pipe holds, and nothing of them on the disk."""
    monkeypatch.setenv("ROLLCALL_DATA", str(tmp_path))
    monkeypatch.setattr(intake, "PIECES", 2)
    monkeypatch.setattr(analytics, "SMALL", 0)
    xml = events_xml()
    caller = Caller()
    pieces = [xml[start : start + 100] for start in range(0, len(xml), 100)]
    answer = asyncio.run(caller.send(pieces, bearer()))
    assert answer is not None
    assert answer.status == 200
    (arrival,) = caller.feed.items
    assert isinstance(arrival, Arrival)
    assert arrival.digest == stored(xml).digest
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("small", [0, analytics.SMALL])
def test_of_a_recording_that_breaks_off_on_its_way_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    monkeypatch.setattr(analytics, "SMALL", small)
    caller = Caller()
    xml = events_xml()
    assert asyncio.run(caller.send([xml[:600], xml[600:700]], bearer(), is_whole=False)) is None
    assert not caller.feed.items
    assert caller.post(xml).status == 200


def test_the_rest_of_a_recording_that_is_refused_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type definition ends the reading at once; what comes behind it must not fill the pipe for ever."""
    monkeypatch.setattr(intake, "PIECES", 1)
    monkeypatch.setattr(analytics, "SMALL", 0)
    caller = Caller()
    pieces = [b"<!DOCTYPE recording><recording>" + b" " * 600, *[b"<event/>" * 100] * 50]
    answer = asyncio.run(asyncio.wait_for(caller.send(pieces, bearer()), timeout=60))
    assert answer is not None
    assert answer.status == 400
    assert [type(one) for one in caller.feed.items] == [Unreadable]


# -- slow ones ----------------------------------------------------------------------------------------------------


async def post_slowly(caller: Caller, first: bytes, seconds: float, *, length: int = 9_000_000) -> Answer:
    """A body that is announced as large, and of which after its beginning a byte comes now and then."""
    sent: list[dict[str, Any]] = []
    rest = [first]

    async def receive() -> dict[str, Any]:
        if not rest:
            await asyncio.sleep(seconds)
        return {"type": "http.request", "body": rest.pop() if rest else b" ", "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    headers = bearer() | {"Content-Length": str(length)}
    wire = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": "POST", "path": f"/callbacks/{TOKEN}", "query_string": b"", "headers": wire}
    await caller.analytics(scope, receive, send)
    return Answer(sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"]))


@pytest.mark.parametrize("first", [b"{" * 600, b"<recording>" + b" " * 600])
@pytest.mark.parametrize("length", [1_000, 9_000_000])
def test_a_body_that_trickles_in_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, first: bytes, length: int) -> None:
    monkeypatch.setattr(intake, "PATIENT_SECONDS", 0.1)
    caller = Caller()
    slowly = post_slowly(caller, first, 0.02, length=length)
    answer = asyncio.run(asyncio.wait_for(slowly, timeout=60))
    assert (answer.status, answer.body["code"]) == (400, "incomplete")
    assert "too slowly" in answer.body["message"]


def test_slow_ones_of_one_server_keep_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "QUEUEING_SECONDS", 0.2)
    caller = Caller()
    large = json.dumps(callback() | {"padding": "x" * (analytics.SMALL + 1)}).encode()

    async def run() -> tuple[Answer | None, Answer | None, Answer | None]:
        slow = [asyncio.create_task(post_slowly(caller, b"{" * 600, 0.05)) for _ in range(4)]
        await asyncio.sleep(0.02)
        same = await caller.send([large], bearer())
        small = await caller.send([BODY], bearer())
        caller.known.sender = replace(OTHER, secrets=SENDER.secrets)
        other = await caller.send([large], bearer())
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return same, small, other

    same, small, other = asyncio.run(run())
    assert same is not None
    assert (same.status, same.body["code"], same.headers[b"retry-after"]) == (503, "too-busy", b"30")
    assert small is not None
    assert other is not None
    assert (small.status, other.status) == (200, 200)


def test_small_recordings_that_come_slowly_take_no_thread() -> None:
    caller = Caller()
    large = events_xml() + b" " * analytics.SMALL

    async def run() -> Answer | None:
        slow = [
            asyncio.create_task(post_slowly(caller, b"<recording>" + b" " * 600, 1, length=1_000)) for _ in range(6)
        ]
        await asyncio.sleep(0.02)
        answer = await asyncio.wait_for(caller.send([large], bearer()), timeout=60)
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return answer

    answer = asyncio.run(run())
    assert answer is not None
    assert answer.status == 200
