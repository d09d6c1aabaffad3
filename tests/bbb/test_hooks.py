from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from rollcall.bbb import api, faults, hooks, servers
from rollcall.bbb.hooks import Found, HookMissing, HookNotKept, NoPublicUrl, Wanted
from rollcall.bbb.webhook import Webhook
from rollcall.core.errors import RollcallError
from rollcall.store.connections import Hook, Server
from tests.bbb.fake import FakeBigBlueButton, RemoteHook, Running, callback_of, running
from tests.bbb.watching import BASE_URL, LogFeed, add_server, addresses, store_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bbb() -> Iterator[Running]:
    """Never may the last hook be taken away, nor one be made that we would refuse deliveries from."""
    fake = FakeBigBlueButton()
    wrong: list[str] = []

    def on_hook_change(what: str, hook: RemoteHook) -> None:
        known = {row.registered_url: row for row in Hook.objects.all()}
        if what == "create":
            if hook.url not in known or known[hook.url].verifies_until is not None:
                wrong.append("made before we knew it")
        elif not known[hook.url].is_ours or known[hook.url].verifies_until is None:
            wrong.append("destroyed without being given up")
        elif not [one for one in fake.hooks.values() if one.is_raw == hook.is_raw]:
            wrong.append("destroyed before another one was made")

    fake.on_hook_change = on_hook_change
    with running(fake) as server:
        yield server
    assert not wrong


@pytest.fixture
def server(bbb: Running) -> Server:
    return add_server(bbb.api_url)


def look(bbb: Running, server: Server, **words: Any) -> Found:
    wanted = Wanted(server.pk, "bbb.example.org", server.wants_raw, words.pop("base_url", BASE_URL))

    async def looking() -> Found:
        with store_thread() as in_thread:
            async with api.http_client() as http:
                return await hooks.look(api.BigBlueButton(http, server.api_url, ["s3cret"]), wanted, in_thread, **words)

    return asyncio.run(looking())


def remote(bbb: Running) -> list[RemoteHook]:
    return sorted(bbb.fake.hooks.values(), key=lambda hook: hook.is_raw)


def test_one_global_unfiltered_mapped_hook_is_made_under_an_address_nobody_can_guess(
    bbb: Running, server: Server
) -> None:
    found = look(bbb, server)
    assert (found.were_in_place, found.are_in_place, found.trouble) == (False, True, None)
    [hook] = remote(bbb)
    row = Hook.objects.get()
    assert hook.url == row.registered_url == f"{BASE_URL}/hooks/{row.token}"
    assert len(row.token) >= 40
    assert (row.remote_id, row.is_ours, row.is_raw) == (hook.remote_id, True, False)
    assert (hook.is_raw, hook.meeting, hook.events) == (False, "", "")


def test_a_raw_one_is_a_second_hook_at_an_address_of_its_own(bbb: Running) -> None:
    server = add_server(bbb.api_url, wants_raw=True)
    look(bbb, server)
    mapped, raw = remote(bbb)
    assert (mapped.is_raw, raw.is_raw) == (False, True)
    assert mapped.url != raw.url
    assert all("getRaw=" not in asked or "getRaw=true&" in asked for asked in bbb.fake.requests)


def test_hooks_in_place_are_left_alone(bbb: Running, server: Server) -> None:
    look(bbb, server)
    bbb.fake.requests.clear()
    found = look(bbb, server)
    assert (found.were_in_place, found.are_in_place) == (True, True)
    assert [asked.partition("?")[0] for asked in bbb.fake.requests] == ["/bigbluebutton/api/hooks/list"]


def test_a_hook_that_vanished_gets_a_new_address_and_the_old_one_verifies_for_an_hour(
    bbb: Running, server: Server
) -> None:
    look(bbb, server)
    [old] = addresses(server)
    bbb.fake.hooks.clear()
    found = look(bbb, server)
    assert (found.were_in_place, found.are_in_place) == (False, True)
    [hook] = remote(bbb)
    assert hook.url != old
    assert addresses(server, verifies_until=None) == [hook.url]
    until = Hook.objects.get(registered_url=old).verifies_until
    assert until is not None
    assert 59 * 60_000 < until - servers.now_ms() <= 60 * 60_000


@pytest.mark.parametrize("wrong", [{"meeting": "algebra-1"}, {"events": "user-left"}, {"is_raw": True}])
def test_a_hook_that_is_not_as_it_should_be_is_replaced_before_it_is_destroyed(
    bbb: Running, server: Server, wrong: dict[str, Any]
) -> None:
    look(bbb, server)
    [old] = remote(bbb)
    for name, value in wrong.items():
        setattr(old, name, value)
    if wrong.get("is_raw"):
        bbb.fake.on_hook_change = None  # it is of another kind than what takes its place
    bbb.fake.requests.clear()
    found = look(bbb, server)
    assert (found.were_in_place, found.are_in_place) == (False, True)
    [hook] = remote(bbb)
    assert hook.url != old.url
    calls = [asked.partition("?")[0].rpartition("/")[2] for asked in bbb.fake.requests]
    assert calls.index("create") < calls.index("destroy")


def test_after_an_outage_of_ours_hooks_are_renewed_because_the_relay_may_have_half_forgotten_them(
    bbb: Running, server: Server
) -> None:
    look(bbb, server)
    bbb.fake.use_up_retries()
    [old] = remote(bbb)
    found = look(bbb, server, renew_before=servers.now_ms() + 1)
    assert (found.were_in_place, found.are_in_place) == (True, True), "listed, so nothing was lost until now"
    bbb.fake.restart_hooks()
    [hook] = remote(bbb)
    assert hook.url != old.url
    assert look(bbb, server).were_in_place


def test_a_restart_of_the_relay_without_that_would_have_lost_it(bbb: Running, server: Server) -> None:
    look(bbb, server)
    bbb.fake.use_up_retries()
    bbb.fake.restart_hooks()
    assert not bbb.fake.hooks
    assert not look(bbb, server).were_in_place


def test_a_permanent_hook_is_never_touched_and_never_made_again(bbb: Running, server: Server) -> None:
    look(bbb, server)
    [hook] = remote(bbb)
    hook.is_permanent = True
    look(bbb, server, renew_before=servers.now_ms() + 1)
    assert remote(bbb) == [hook]
    assert not Hook.objects.get().is_ours
    assert look(bbb, server).were_in_place


def test_hooks_of_others_are_never_touched(bbb: Running, server: Server) -> None:
    bbb.fake.hooks["x"] = other = RemoteHook("x", f"{BASE_URL}/hooks/somebody-elses")
    look(bbb, server, renew_before=servers.now_ms() + 1)
    look(bbb, server, renew_before=servers.now_ms() + 1)
    assert bbb.fake.hooks["x"] is other
    assert len(bbb.fake.hooks) == 2


OPERATORS = "http://127.0.0.1:8911/hooks/bbb?raw=1"


def by_operator(server: Server) -> None:
    Hook.objects.create(server=server, registered_url=OPERATORS, token="bbb", is_ours=False, added_at=1)


def test_hooks_registered_by_the_operator_are_looked_for_and_nothing_is_made(bbb: Running, server: Server) -> None:
    by_operator(server)
    bbb.fake.hooks["1"] = RemoteHook("1", OPERATORS, is_raw=True)
    found = look(bbb, server, renew_before=servers.now_ms() + 1)
    assert (found.were_in_place, found.are_in_place, found.trouble) == (True, True, None)
    assert len(bbb.fake.hooks) == 1


@pytest.mark.parametrize("wrong", [None, {"meeting": "algebra-1"}, {"events": "user-left"}])
def test_a_fault_of_the_operators_hook_is_named_and_left_to_the_operator(
    bbb: Running, server: Server, wrong: dict[str, Any] | None
) -> None:
    by_operator(server)
    if wrong is not None:
        bbb.fake.hooks["1"] = RemoteHook("1", OPERATORS, is_raw=True, **wrong)
    before = dict(bbb.fake.hooks)
    found = look(bbb, server)
    assert (found.were_in_place, found.are_in_place) == (False, False)
    assert isinstance(found.trouble, HookMissing)
    assert bbb.fake.hooks == before


def test_without_a_public_address_nothing_can_be_made(bbb: Running, server: Server) -> None:
    found = look(bbb, server, base_url="")
    assert isinstance(found.trouble, NoPublicUrl)
    assert not found.are_in_place
    assert not addresses(server)


def test_an_answer_that_got_lost_leaves_one_hook_and_not_two(bbb: Running, server: Server) -> None:
    def lose_the_answer(target: str) -> tuple[int, dict[str, str], bytes] | None:
        if "hooks/create" not in target:
            return None
        bbb.fake.answer = None
        bbb.fake.reply(target)
        return 504, {}, b""

    bbb.fake.answer = lose_the_answer
    assert isinstance(look(bbb, server).trouble, faults.HooksDown)
    assert look(bbb, server).are_in_place
    assert len(bbb.fake.hooks) == 1
    assert addresses(server) == [hook.url for hook in remote(bbb)]


def test_a_hook_stored_here_and_not_yet_there_is_made_there(bbb: Running, server: Server) -> None:
    address = servers.new_address(server.pk, BASE_URL, is_raw=False)
    look(bbb, server)
    assert [hook.url for hook in remote(bbb)] == [address.url]
    assert [callback_of(asked) for asked in bbb.fake.requests if "hooks/create" in asked] == [address.url]


def test_a_crash_between_making_and_destroying_is_made_good(bbb: Running, server: Server) -> None:
    look(bbb, server)
    [old] = remote(bbb)
    address = servers.new_address(server.pk, BASE_URL, is_raw=False)
    bbb.fake.hooks["new"] = RemoteHook("new", address.url)
    found = look(bbb, server)
    assert found.were_in_place
    assert [hook.url for hook in remote(bbb)] == [address.url] != [old.url]


def test_an_old_hook_that_could_not_be_destroyed_is_destroyed_the_next_time(bbb: Running, server: Server) -> None:
    look(bbb, server)

    def keep(target: str) -> tuple[int, dict[str, str], bytes] | None:
        return (503, {}, b"") if "hooks/destroy" in target else None

    bbb.fake.answer = keep
    found = look(bbb, server, renew_before=servers.now_ms() + 1)
    assert (found.are_in_place, isinstance(found.trouble, faults.HooksDown)) == (True, True)
    assert len(bbb.fake.hooks) == 2
    bbb.fake.answer = None
    assert look(bbb, server).trouble is None
    assert len(bbb.fake.hooks) == 1


def test_a_hook_that_disappears_again_and_again_is_named_before_it_fills_the_store(
    bbb: Running, server: Server
) -> None:
    troubles: list[RollcallError] = []
    for _ in range(hooks.MOST_ADDRESSES_AN_HOUR + 3):
        if trouble := look(bbb, server).trouble:
            troubles.append(trouble)
        bbb.fake.hooks.clear()
    assert len(troubles) == 3
    assert all(isinstance(trouble, HookNotKept) for trouble in troubles)
    assert len(addresses(server)) == hooks.MOST_ADDRESSES_AN_HOUR


def test_a_server_that_says_yes_and_keeps_nothing_is_named(bbb: Running, server: Server) -> None:
    def promise(target: str) -> tuple[int, dict[str, str], bytes] | None:
        if "hooks/create" not in target:
            return None
        return 200, {}, b"<response><returncode>SUCCESS</returncode><hookID>1</hookID></response>"

    bbb.fake.answer = promise
    for _ in range(3):
        assert isinstance(look(bbb, server).trouble, HookNotKept)
    assert len(addresses(server)) == 1


def test_addresses_nobody_knows_any_more_are_forgotten(bbb: Running, server: Server) -> None:
    look(bbb, server)
    look(bbb, server, renew_before=servers.now_ms() + 1)
    assert len(addresses(server)) == 2
    Hook.objects.exclude(verifies_until=None).update(verifies_until=servers.now_ms() - 1)
    look(bbb, server)
    assert addresses(server) == [hook.url for hook in remote(bbb)]


# -- deliveries meanwhile -----------------------------------------------------------------------------------------

BODY = urlencode(
    {
        "domain": "bbb.example.org",
        "event": '[{"data":{"type":"event","id":"meeting-ended","attributes":{"meeting":'
        '{"internal-meeting-id":"m-1"}},"event":{"ts":1795309401250}}}]',
        "timestamp": "1795309401251",
    }
).encode()


async def deliver(webhook: Webhook, url: str) -> int:
    """What the relay is answered when it delivers to this registered address."""
    parts = urlsplit(url)
    checksum = hashlib.sha1(url.encode() + BODY + b"s3cret", usedforsecurity=False).hexdigest()
    scope = {
        "type": "http",
        "method": "POST",
        "path": parts.path,
        "query_string": f"{parts.query}{'&' if parts.query else ''}checksum={checksum}".encode(),
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    await webhook(scope, receive, send)
    return int(answered[0]["status"])


def test_while_hooks_vanish_and_are_replaced_no_delivery_is_refused(bbb: Running, server: Server) -> None:
    """The relay sends what it has to every hook it holds, all the while, also to one it has just been told of."""
    statuses: list[int] = []
    made: list[str] = []

    async def relay(webhook: Webhook, done: asyncio.Event) -> None:
        while not done.is_set():
            for hook in list(bbb.fake.hooks.values()):
                statuses.append(await deliver(webhook, hook.url))
                made.append(hook.url)
            await asyncio.sleep(0.002)

    async def looking() -> None:
        wanted = Wanted(server.pk, "bbb.example.org", wants_raw=False, base_url=BASE_URL)
        webhook, done = Webhook(LogFeed()), asyncio.Event()
        delivering = asyncio.create_task(relay(webhook, done))
        with store_thread() as in_thread:
            async with api.http_client() as http:
                client = api.BigBlueButton(http, server.api_url, ["s3cret"])
                for round_ in range(4):
                    await hooks.look(client, wanted, in_thread, renew_before=servers.now_ms() + 1 if round_ else 0)
                    await asyncio.sleep(0.05)
                    if round_ == 2:
                        bbb.fake.hooks.clear()
        done.set()
        await delivering
        await webhook.close()

    asyncio.run(looking())
    assert len(set(made)) >= 4
    assert set(statuses) == {200}
