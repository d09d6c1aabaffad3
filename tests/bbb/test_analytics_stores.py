"""Records against real databases: who may send is read there, and what is answered with 200 stands there."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from rollcall.asgi import Application
from rollcall.bbb.callback_url import callback_token, callback_url
from rollcall.bbb.senders import Sender, Senders
from rollcall.core.errors import Misconfigured
from rollcall.feed import append as appending
from rollcall.store.keys import key_of, meeting_key
from rollcall.store.models import CaptureSwitch, Fact, Meeting, Pool, Secret, Server, SetAside
from rollcall.store.sealing import seal
from tests.bbb.recorded import EXTERNAL, MEETING, SECRET, bearer, callback, data_json, events_xml

NOW = time.time_ns() // 1_000_000


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything is written below this folder."""
    monkeypatch.setenv("ROLLCALL_DATA", str(tmp_path))
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org/")
    return tmp_path


def make_server(name: str = "bbb.example.org", *secrets: str) -> Server:
    server = Server.objects.create(
        pool=Pool.objects.create(name=name), api_url=f"https://{name}/bigbluebutton/api/", added_at=NOW
    )
    for number, secret in enumerate(secrets or (SECRET,)):
        Secret.objects.create(server=server, encrypted=seal(secret), added_at=NOW + number)
    return server


Ask = Callable[[httpx.AsyncClient], Any]


def asked(ask: Ask) -> Any:
    """What one does with a running application."""

    async def run() -> Any:
        application = Application()
        transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]  # its scope has another type
        try:
            async with httpx.AsyncClient(transport=transport, base_url="https://rollcall.example.org") as client:
                return await ask(client)
        finally:
            await application._feed.close()
            await application._webhook.close()
            await application._analytics.close()

    return asyncio.run(run())


def post(server: Server, *bodies: bytes, secret: str = SECRET, query: str = "") -> list[tuple[int, dict[str, Any]]]:
    """Each body sent once, one after the other."""
    path = f"/callbacks/{callback_token(server.pool)}{query}"

    async def ask(client: httpx.AsyncClient) -> list[tuple[int, dict[str, Any]]]:
        answers = [await client.post(path, content=body, headers=bearer(secret=secret)) for body in bodies]
        return [(answer.status_code, answer.json()) for answer in answers]

    found: list[tuple[int, dict[str, Any]]] = asked(ask)
    return found


STORED = (200, {"stored": True})
BODY = json.dumps(callback()).encode()


def test_a_record_is_held_once_on_every_database(database: str) -> None:
    server = make_server()
    compact = json.dumps(callback(), separators=(",", ":"), sort_keys=True).encode()
    bodies = (BODY, BODY, compact, gzip.compress(BODY), events_xml(), gzip.compress(events_xml()), events_xml())
    assert post(server, *bodies) == [STORED] * len(bodies)
    meeting = Meeting.objects.get()
    assert (meeting.internal_meeting_id, meeting.is_over) == (MEETING, True)
    kinds = [(fact.source, fact.kind, fact.at) for fact in Fact.objects.order_by("seq")]
    assert kinds == [
        ("callback", "analytics-callback", 1795309400000),
        ("recording", "events-xml", 1795309411123),
    ]
    server.refresh_from_db()
    assert server.reported_at is not None
    assert server.reported_at >= NOW
    assert Secret.objects.get().matched_at == server.reported_at


def test_any_secret_counts_and_a_retired_one_or_a_removed_server_does_not(database: str) -> None:
    server = make_server("bbb.example.org", "first", "second", "balancer")
    assert [post(server, BODY, secret=secret) for secret in ("first", "balancer")] == [[STORED], [STORED]]
    Secret.objects.filter(added_at=NOW).update(retired_at=NOW - 2 * 3_600_000)
    ((status, answer),) = post(server, BODY, secret="first")
    assert (status, answer["code"]) == (403, "signature-wrong")
    assert "an older secret of bbb.example.org" in answer["message"]
    other = make_server("other.example.org", "theirs")
    ((status, answer),) = post(server, BODY, secret="theirs")
    assert "the secret of other.example.org, but this is the address of bbb.example.org" in answer["message"]
    Server.objects.filter(pk=other.pk).update(removed_at=NOW)
    ((status, answer),) = post(other, BODY, secret="theirs")
    assert (status, answer["code"]) == (404, "unknown-address")
    assert Fact.objects.count() == 1


def test_data_json_finds_the_meeting_that_is_known(database: str) -> None:
    server = make_server()
    body = json.dumps(data_json()).encode()
    assert [status for status, _ in post(server, body)] == [400]
    assert post(server, events_xml(), body) == [STORED, STORED]
    assert Meeting.objects.count() == 1
    assert set(Fact.objects.values_list("kind", flat=True)) == {"events-xml", "data-json"}
    assert SetAside.objects.count() == 1


def test_a_meeting_is_looked_for_in_the_second_in_which_it_began_and_nowhere_else(database: str) -> None:
    server = make_server()
    sender = Sender(pool=server.pool_id, pool_name="", server=server.pk)
    began, at = MEETING.split("-")
    others = [f"{began}-{int(at) + 1000}", f"{began}-{int(at) - 1000}", f"{'0' * 40}-{at}"]

    def make(*names: str) -> None:
        for name in names:
            Meeting.objects.create(pool=server.pool, key=meeting_key(name), internal_meeting_id=name)

    async def look() -> str:
        senders = Senders()
        try:
            return await senders.meeting_of(sender, EXTERNAL, int(at) // 1000 * 1000)
        finally:
            await senders.close()

    make(*others)
    assert asyncio.run(look()) == ""
    make(MEETING)
    assert asyncio.run(look()) == MEETING
    make(f"{began}-{int(at) // 1000 * 1000 + 999}")
    assert asyncio.run(look()) == ""


def test_capture_that_is_off_keeps_nothing(database: str) -> None:
    server = make_server()
    Pool.objects.update(is_captured=False)
    ((status, answer),) = post(server, BODY)
    assert (status, answer["stored"], answer["code"]) == (200, False, "not-captured")
    assert not Fact.objects.exists()
    assert not Meeting.objects.exists()


@pytest.mark.parametrize("body", [BODY, events_xml()], ids=["callback", "recording"])
def test_the_answer_says_that_capture_is_off_for_the_activity(database: str, body: bytes) -> None:
    server = make_server()
    key = activity_of(body)
    CaptureSwitch.objects.create(key=key, site="", is_on=False, changed_at=NOW)
    ((status, answer),) = post(server, body)
    assert (status, answer["stored"], answer["code"]) == (200, False, "not-captured")
    assert not Fact.objects.exists()


def test_what_was_kept_before_the_switch_is_held_and_more_of_it_is_not(database: str) -> None:
    server = make_server()
    assert post(server, BODY) == [STORED]
    key = activity_of(BODY)
    CaptureSwitch.objects.create(key=key, site="", is_on=False, changed_at=time.time_ns() // 1_000_000 + 1)
    other = callback()
    other["data"]["attendees"][0]["duration"] = 7
    (_, late), again = post(server, json.dumps(other).encode(), BODY)
    assert (late["stored"], late["code"]) == (False, "not-captured")
    assert again == STORED
    assert Fact.objects.count() == 1


def activity_of(body: bytes) -> bytes:
    """The key of the activity that this record says it is of."""
    from tests.bbb.test_analytics import stored

    told = stored(body).belongs_to
    assert told is not None
    return key_of(*told.activity)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_acknowledged_while_the_database_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server()
    monkeypatch.setattr("rollcall.feed.embedded.PATIENCE_SECONDS", 0.1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE store_fact RENAME TO store_fact_away")
    try:
        ((status, answer),) = post(server, BODY)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE store_fact_away RENAME TO store_fact")
    assert (status, answer["stored"]) == (503, False)
    assert not Server.objects.exclude(reported_at=None).exists()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE store_pool RENAME TO store_pool_away")
    try:
        path = f"/callbacks/{server.pool.callback_token}"
        answer = asked(lambda client: client.post(path, content=BODY, headers=bearer()))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE store_pool_away RENAME TO store_pool")
    assert answer.status_code == 503
    assert post(server, BODY) == [STORED]


@pytest.mark.django_db(transaction=True)
def test_an_arrival_that_would_not_fit_the_database_is_refused_and_not_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = make_server()
    monkeypatch.setattr("rollcall.bbb.documents.LONGEST_BYTES", 200)
    ((status, answer),) = post(server, BODY)
    assert (status, answer["code"]) == (413, "too-large")
    assert appending.LONGEST_BYTES > 200
    assert not SetAside.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_token_of_an_address_is_made_once_and_needs_an_address_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_server().pool
    address = callback_url(pool)
    assert address == f"https://rollcall.example.org/callbacks/{Pool.objects.get().callback_token}"
    assert callback_url(Pool.objects.get()) == address
    stale = Pool(pk=pool.pk, name=pool.name)
    assert callback_url(stale) == address
    monkeypatch.delenv("ROLLCALL_URL")
    with pytest.raises(Misconfigured, match="ROLLCALL_URL"):
        callback_url(pool)


def test_what_must_not_be_kept_never_reaches_the_disk(
    database: str, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = make_server()
    secrets = (b"CANARY", b"2105551234", b"5551234", b"mails@l.example.org")
    nasty = callback()
    nasty["data"]["attendees"][0]["CANARY"] = {"CANARY": ["CANARY"]}
    nasty["data"]["metadata"]["owner_email"] = "mails@l.example.org"
    nasty["CANARY"] = "CANARY"
    xml = events_xml(metadata='owner-email="mails@l.example.org" CANARY="CANARY"')
    odd = json.dumps({"internal_meeting_id": "CANARY", "data": {"CANARY": "CANARY"}}).encode()
    bodies = (json.dumps(nasty).encode(), xml, gzip.compress(xml), xml[:-200], odd, b"<a>CANARY</a>", b"CANARY")
    answers = post(server, *bodies)
    assert [status for status, _ in answers] == [200, 200, 200, 200, 400, 400, 400]
    printed = "".join(capfd.readouterr())
    for secret in secrets:
        assert secret.decode() not in json.dumps(answers)
        assert secret.decode() not in printed
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                text = b"\0".join(_bytes(value) for value in row)
                assert not [secret for secret in secrets if secret in text], table
    left = [path for path in data.rglob("*") if path.is_file()]
    assert not [path for path in left if any(secret in path.read_bytes() for secret in secrets)]
    assert not (data / "tmp").exists()


def _bytes(value: object) -> bytes:
    """What a column holds, unpacked if it is a document."""
    from rollcall.bbb.packed import unpack

    if isinstance(value, bytes | memoryview):
        whole = bytes(value)
        return json.dumps(unpack(whole), ensure_ascii=False).encode() if whole[:1] == b"z" else whole
    return str(value).encode()
