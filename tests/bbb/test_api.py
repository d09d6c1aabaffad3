from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rollcall.bbb import api, faults
from rollcall.core.errors import Refused, RollcallError
from tests.bbb.fake import PAGE, Attendee, Class, FakeBigBlueButton, RemoteHook, Running, running

T = TypeVar("T")


@pytest.fixture
def bbb() -> Iterator[Running]:
    with running(FakeBigBlueButton()) as server:
        yield server


def ask(api_url: str, act: Callable[[api.BigBlueButton], Awaitable[T]], *, secrets: tuple[str, ...] = ("s3cret",)) -> T:
    async def asking() -> T:
        async with api.http_client() as http:
            return await act(api.BigBlueButton(http, api_url, secrets))

    return asyncio.run(asking())


def fault_of(
    api_url: str, act: Callable[[api.BigBlueButton], Awaitable[object]] = api.BigBlueButton.meetings
) -> RollcallError:
    with pytest.raises(RollcallError) as caught:
        ask(api_url, act)
    error = caught.value
    assert str(error).endswith("."), "a sentence"
    assert error.hint.endswith((".", "?")), "and what to do"
    assert "checksum=" not in str(error) + error.hint
    assert "s3cret" not in str(error) + error.hint
    return error


# -- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://bbb.example.org", "https://bbb.example.org/bigbluebutton/api/"),
        ("bbb.example.org", "https://bbb.example.org/bigbluebutton/api/"),
        ("https://bbb.example.org/", "https://bbb.example.org/bigbluebutton/api/"),
        ("https://bbb.example.org/bigbluebutton", "https://bbb.example.org/bigbluebutton/api/"),
        (" https://bbb.example.org/bigbluebutton/ \n", "https://bbb.example.org/bigbluebutton/api/"),
        ("https://bbb.example.org/bigbluebutton/api", "https://bbb.example.org/bigbluebutton/api/"),
        ("https://BBB.example.org:443/bigbluebutton/api/", "https://bbb.example.org/bigbluebutton/api/"),
        ("http://bbb.example.org:8090/bigbluebutton/", "http://bbb.example.org:8090/bigbluebutton/api/"),
        (
            "https://lb.example.org/tenant/bigbluebutton/api/getMeetings",
            "https://lb.example.org/tenant/bigbluebutton/api/",
        ),
        ("https://lb.example.org/own/api/", "https://lb.example.org/own/api/"),
        ("http://[::1]:8090/bigbluebutton/", "http://[::1]:8090/bigbluebutton/api/"),
    ],
)
def test_an_address_is_taken_as_people_copy_it(given: str, expected: str) -> None:
    assert api.normalised(given) == expected
    assert api.normalised(expected) == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ftp://bbb.example.org/",
        "https://",
        "https://bbb.example.org:port/",
        "https://bbb.example .org",
        "https://user:hunter2@bbb.example.org/",
        "https://bbb.example.org/bigbluebutton/api/getMeetings?checksum=c0ffee",
        "https://[::1/",
    ],
)
def test_an_address_that_cannot_be_used_is_named_without_what_may_be_secret(given: str) -> None:
    with pytest.raises(Refused) as caught:
        api.normalised(given)
    assert caught.value.code == "not-an-address"
    assert "hunter2" not in str(caught.value)
    assert "c0ffee" not in str(caught.value)


# -- checksums ----------------------------------------------------------------------------------------------------

CREATE = "callbackURL=https%3A%2F%2Fra.example.org%2Fh%3Ft%3D9&eventID=user-joined%2Cuser-left"


@pytest.mark.parametrize(
    ("algorithm", "call", "query", "expected"),
    [
        ("sha1", "hooks/create", CREATE, "c92fd0e658ebbe17eb79d2cb0efe81371bdf4c97"),
        ("sha256", "hooks/create", CREATE, "37d5de12b093d1ec5c521fb8fbc7aaeeec5e3bd705b97db8ce435273e18a0f53"),
        ("sha1", "hooks/list", "", "fbdbe84a385d2d94049b49c432f3de6bd4e55025"),
        ("sha1", "getMeetings", "", "e678f02d55dcd788f2f26071014b833908391632"),
    ],
)
def test_a_call_is_signed_as_bigbluebutton_verifies_it(algorithm: str, call: str, query: str, expected: str) -> None:
    assert api.checksum(algorithm, call, query, "s3cretKEY") == expected


@pytest.mark.parametrize("only", ["sha1", "sha256", "sha384", "sha512"])
def test_the_digest_the_server_accepts_is_found_and_kept(bbb: Running, only: str) -> None:
    bbb.fake.api_algorithms = {only}

    async def twice(server: api.BigBlueButton) -> None:
        await server.meetings()
        bbb.fake.requests.clear()
        await server.meetings()

    ask(bbb.api_url, twice)
    assert len(bbb.fake.requests) == 1


def test_both_apis_keep_a_digest_of_their_own(bbb: Running) -> None:
    bbb.fake.hooks_algorithms = {"sha1"}
    bbb.fake.api_algorithms = {"sha256"}

    async def each_twice(server: api.BigBlueButton) -> None:
        for _ in range(2):
            await server.meetings()
            await server.hooks()

    ask(bbb.api_url, each_twice)
    assert len(bbb.fake.requests) == 5


def test_while_a_secret_is_changed_the_other_one_is_tried(bbb: Running) -> None:
    assert ask(bbb.api_url, api.BigBlueButton.meetings, secrets=("new", "s3cret")).meetings == ()
    bbb.fake.secret = "new"
    bbb.fake.hooks_secret = "s3cret"
    assert ask(bbb.api_url, api.BigBlueButton.hooks, secrets=("new", "s3cret")).hooks == ()


def test_a_callback_address_arrives_byte_for_byte(bbb: Running) -> None:
    url = "https://ra.example.org/h/ä b~*?t=9&x=%2F+1"
    ask(bbb.api_url, lambda server: server.create_hook(url, is_raw=False))
    assert [hook.url for hook in bbb.fake.hooks.values()] == [url]


# -- what is said of meetings -------------------------------------------------------------------------------------


def test_a_listing_tells_who_is_in(bbb: Running) -> None:
    bbb.fake.now = lambda: 1_795_309_405.7
    bbb.fake.classes["m"] = Class(
        "m-1",
        external="algebra 1 ",
        name="Άλγεβρα & <b>",
        attendees=[Attendee("11", "Ada"), Attendee("11", "Ada"), Attendee("12", "Łukasz", "MODERATOR")],
        metadata={"bbb-context-id": "42"},
    )
    listing = ask(bbb.api_url, api.BigBlueButton.meetings)
    assert listing.at == 1_795_309_405_000
    [meeting] = listing.meetings
    assert meeting.internal_meeting_id == "m-1"
    assert meeting.external_meeting_id == "algebra 1 ", "ids are exact"
    assert meeting.name == "Άλγεβρα & <b>"
    assert meeting.created_at == 1_795_309_400_000
    assert meeting.metadata == (("bbb-context-id", "42"),)
    assert [(one.external_user_id, one.name, one.role) for one in meeting.attendees] == [
        ("11", "Ada", "VIEWER"),
        ("11", "Ada", "VIEWER"),
        ("12", "Łukasz", "MODERATOR"),
    ]


def test_no_meetings_is_an_answer(bbb: Running) -> None:
    assert ask(bbb.api_url, api.BigBlueButton.meetings).meetings == ()


def test_without_a_date_our_own_clock_is_taken(bbb: Running) -> None:
    bbb.fake.wants_date = False
    listing = ask(bbb.api_url, api.BigBlueButton.meetings)
    assert listing.at == listing.asked_at


def answering(
    body: str | bytes, status: int = 200, **headers: str
) -> Callable[[str], tuple[int, dict[str, str], bytes]]:
    content = body.encode() if isinstance(body, str) else body
    return lambda _target: (status, {key.replace("_", "-"): value for key, value in headers.items()}, content)


def meeting_with(inner: str) -> str:
    return (
        "<response><returncode>SUCCESS</returncode><meetings><meeting><internalMeetingID>m-1</internalMeetingID>"
        f"{inner}</meeting></meetings></response>"
    )


def test_numbers_may_be_grouped(bbb: Running) -> None:
    bbb.fake.answer = answering(meeting_with("<createTime>1,795,309,400,000</createTime>"))
    assert ask(bbb.api_url, api.BigBlueButton.meetings).meetings[0].created_at == 1_795_309_400_000


def test_one_odd_character_in_a_name_does_not_hide_the_server(bbb: Running) -> None:
    bbb.fake.answer = answering(meeting_with("<meetingName>A\x0b&#11;B&#x1F98A;</meetingName>"))
    assert ask(bbb.api_url, api.BigBlueButton.meetings).meetings[0].name == "AB🦊"


def test_a_meeting_that_is_just_being_ended_is_not_running(bbb: Running) -> None:
    bbb.fake.answer = answering(meeting_with("<hasBeenForciblyEnded>true</hasBeenForciblyEnded>"))
    assert ask(bbb.api_url, api.BigBlueButton.meetings).meetings == ()
    bbb.fake.answer = answering(meeting_with("<endTime>1795309400000</endTime>"))
    assert ask(bbb.api_url, api.BigBlueButton.meetings).meetings == ()


PARENT = f"{'a' * 40}-1795309400000"


@pytest.mark.parametrize(
    ("told", "expected"), [(PARENT, PARENT), ("algebra-1", "p-1"), ("p-1", "p-1"), ("somewhere else", None), ("", None)]
)
def test_a_breakout_room_names_its_parent_by_the_internal_id_or_not_at_all(
    bbb: Running, told: str, expected: str | None
) -> None:
    bbb.fake.classes = {"p": Class("p-1"), "c": Class("c-1", external="room", parent=told or "unset")}
    if not told:
        bbb.fake.classes["c"].parent = ""
    parent, child = ask(bbb.api_url, api.BigBlueButton.meetings).meetings
    assert (parent.parent, child.parent) == (None, expected)


# -- faults -------------------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_named(bbb: Running) -> None:
    bbb.fake.secret = "another"
    assert isinstance(fault_of(bbb.api_url), faults.WrongSecret)


def test_a_wrong_secret_of_the_hooks_api_is_told_apart(bbb: Running) -> None:
    bbb.fake.hooks_secret = "another"
    error = fault_of(bbb.api_url, api.BigBlueButton.hooks)
    assert isinstance(error, faults.WrongSecret)
    assert "bbb-webhooks" in str(error)


ERRORS = (
    "<response><returncode>FAILED</returncode><errors><error><key>checksumError</key><message>No.</message></error>"
    "<error><key>other</key></error></errors></response>"
)
ERRORS_IN_ATTRIBUTES = (
    '<response><returncode>FAILED</returncode><errors><error key="checksumError" message="No."/></errors></response>'
)


@pytest.mark.parametrize("body", [ERRORS, ERRORS_IN_ATTRIBUTES])
def test_the_newer_shapes_of_errors_are_read(bbb: Running, body: str) -> None:
    bbb.fake.answer = answering(body)
    assert isinstance(fault_of(bbb.api_url), faults.WrongSecret)


def test_another_refusal_keeps_the_servers_own_word(bbb: Running) -> None:
    bbb.fake.answer = answering(ERRORS.replace("checksumError", "tooManyRequests"))
    error = fault_of(bbb.api_url)
    assert isinstance(error, faults.CallRefused)
    assert error.key == "tooManyRequests"
    assert "No." in str(error)


def test_a_refusal_without_a_reason_is_still_a_refusal(bbb: Running) -> None:
    bbb.fake.answer = answering("<response><returncode>FAILED</returncode></response>")
    assert isinstance(fault_of(bbb.api_url), faults.CallRefused)


def test_a_wrong_path_is_named(bbb: Running) -> None:
    error = fault_of(bbb.api_url.replace("/bigbluebutton/", "/b/"))
    assert isinstance(error, faults.WrongPath)
    assert "/b/api/getMeetings" in str(error)


@pytest.mark.parametrize(
    ("body", "status"),
    [(PAGE, 200), ("<html><body>Welcome</body></html>", 200), ("hello", 200), ("", 200), ("<rss/>", 200), (PAGE, 403)],
)
def test_what_is_not_bigbluebutton_is_named(bbb: Running, body: str, status: int) -> None:
    bbb.fake.answer = answering(body, status)
    assert isinstance(fault_of(bbb.api_url), faults.NotBigBlueButton)


def test_a_failing_server_is_named(bbb: Running) -> None:
    bbb.fake.is_down = True
    error = fault_of(bbb.api_url)
    assert isinstance(error, faults.ServerFailed)
    assert "502" in str(error)


@pytest.mark.parametrize(
    "location", ["https://bbb.example.org/bigbluebutton/api/getMeetings?checksum=1", "", "//[", "/x"]
)
def test_a_redirect_is_named_and_not_followed(bbb: Running, location: str) -> None:
    bbb.fake.answer = answering("", 302, Location=location)
    assert isinstance(fault_of(bbb.api_url), faults.Redirected)
    assert len(bbb.fake.requests) == 1


def test_nobody_listening_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = fault_of(f"http://127.0.0.1:{port}/bigbluebutton/api/")
    assert isinstance(error, faults.ConnectionRefused)
    assert str(port) in str(error)


def test_an_unknown_name_is_named() -> None:
    error = fault_of("https://bbb.nowhere.invalid/bigbluebutton/api/")
    assert isinstance(error, faults.NameUnknown)
    assert "bbb.nowhere.invalid" in str(error)


def test_silence_is_named(bbb: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "READ_SECONDS", 0.2)
    let_go = threading.Event()

    def hang(_target: str) -> None:
        let_go.wait(10)

    bbb.fake.answer = hang
    try:
        assert isinstance(fault_of(bbb.api_url), faults.TimedOut)
    finally:
        let_go.set()


def test_an_answer_that_drips_is_given_up_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "WHOLE_SECONDS", 0.5)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        try:
            fault = fault_of(f"http://127.0.0.1:{listener.getsockname()[1]}/bigbluebutton/api/")
        finally:
            stop.set()
            thread.join()
    assert isinstance(fault, faults.TimedOut)
    assert time.monotonic() - began < 10


def test_a_server_that_hangs_up_is_asked_once_more_and_named(bbb: Running) -> None:
    bbb.fake.answer = lambda _target: (0, {}, b"")
    assert isinstance(fault_of(bbb.api_url), faults.ConnectionBroken)
    assert len(bbb.fake.requests) == 2

    hung_up: list[str] = []

    def hang_up_once(target: str) -> tuple[int, dict[str, str], bytes] | None:
        hung_up.append(target)
        return (0, {}, b"") if len(hung_up) == 1 else None

    bbb.fake.answer = hang_up_once
    assert ask(bbb.api_url, api.BigBlueButton.meetings).meetings == ()


def test_an_answer_without_end_is_cut_off(bbb: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ANSWER_BYTES", 100_000)
    bbb.fake.answer = answering(meeting_with("x" * 100_000))
    assert isinstance(fault_of(bbb.api_url), faults.AnswerTooBig)


@pytest.mark.parametrize(
    "body",
    [
        '<?xml version="1.0"?><!DOCTYPE response [<!ENTITY a "b">]><response><returncode>&a;</returncode></response>',
        '<!DOCTYPE response SYSTEM "http://127.0.0.1:9/x.dtd"><response><returncode>SUCCESS</returncode></response>',
        '<!DOCTYPE response [<!ENTITY a SYSTEM "file:///etc/passwd">]><response><returncode>&a;</returncode></response>',
        "<response><returncode>SUCCESS</returncode>",
        "<response>" * 10_000,
        b"\xff\xfe<\x00r\x00/\x00>\x00",
    ],
)
def test_xml_that_tries_something_is_not_read(bbb: Running, body: str | bytes) -> None:
    bbb.fake.answer = answering(body)
    assert isinstance(fault_of(bbb.api_url), faults.AnswerUnreadable | faults.NotBigBlueButton)


def test_entities_that_grow_are_not_followed(bbb: Running) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    start = f'<!DOCTYPE response [<!ENTITY e0 "aaaaaaaaaa">{entities}]>'
    bbb.fake.answer = answering(f'{start}<response a="&e11;"><returncode>&e11;</returncode></response>')
    assert isinstance(fault_of(bbb.api_url), faults.AnswerUnreadable)


# -- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For localhost only, signed by nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    pem = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return pem


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def serve() -> None:
            listener.settimeout(0.05)
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                connection.settimeout(5)
                with connection:
                    try:
                        context.wrap_socket(connection, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()


def test_a_certificate_nobody_signed_is_named(tls_port: int) -> None:
    error = fault_of(f"https://localhost:{tls_port}/bigbluebutton/api/")
    assert isinstance(error, faults.TlsFailed)
    assert "self-signed" in str(error).replace("self signed", "self-signed")


def test_a_certificate_for_another_name_is_named(
    tls_port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    error = fault_of(f"https://127.0.0.1:{tls_port}/bigbluebutton/api/")
    assert isinstance(error, faults.TlsFailed)
    assert "127.0.0.1" in str(error)


def test_https_where_there_is_only_http_is_named(bbb: Running) -> None:
    error = fault_of(bbb.api_url.replace("http://", "https://"))
    assert isinstance(error, faults.TlsFailed | faults.ConnectionBroken)


# -- hooks --------------------------------------------------------------------------------------------------------


def test_hooks_are_listed_with_all_that_could_be_wrong_with_them(bbb: Running) -> None:
    bbb.fake.hooks["1"] = RemoteHook(
        "1", "https://a.example/ ?x=1&y=2", is_raw=True, meeting="algebra-1", events="user-left"
    )
    bbb.fake.hooks["2"] = RemoteHook("2", "https://b.example/", is_permanent=True)
    first, second = ask(bbb.api_url, api.BigBlueButton.hooks).hooks
    assert (first.url, first.is_raw, first.is_permanent) == ("https://a.example/ ?x=1&y=2", True, False)
    assert (first.meeting, first.events) == ("algebra-1", "user-left")
    assert (second.url, second.is_raw, second.is_permanent) == ("https://b.example/", False, True)
    assert (second.meeting, second.events) == ("", "")


def test_get_raw_is_sent_as_true_or_not_at_all(bbb: Running) -> None:
    ask(bbb.api_url, lambda server: server.create_hook("https://a.example/1", is_raw=False))
    ask(bbb.api_url, lambda server: server.create_hook("https://a.example/2", is_raw=True))
    created = [target for target in bbb.fake.requests if "create" in target]
    assert ["getRaw" in target for target in created] == [False, True]
    assert "&getRaw=true&" in created[1]


def test_a_hook_made_twice_is_one(bbb: Running) -> None:
    first = ask(bbb.api_url, lambda server: server.create_hook("https://a.example/1", is_raw=False))
    assert first == ask(bbb.api_url, lambda server: server.create_hook("https://a.example/1", is_raw=False))


def test_a_hook_destroyed_twice_is_gone(bbb: Running) -> None:
    remote_id = ask(bbb.api_url, lambda server: server.create_hook("https://a.example/1", is_raw=False))
    ask(bbb.api_url, lambda server: server.destroy_hook(remote_id))
    ask(bbb.api_url, lambda server: server.destroy_hook(remote_id))
    assert not bbb.fake.hooks


def test_a_server_without_bbb_webhooks_is_told_from_one_whose_bbb_webhooks_is_down(bbb: Running) -> None:
    bbb.fake.are_hooks_up = False
    assert isinstance(fault_of(bbb.api_url, api.BigBlueButton.ping), faults.HooksDown)
    assert isinstance(fault_of(bbb.api_url, api.BigBlueButton.hooks), faults.HooksDown)
    bbb.fake.has_hooks_api = False
    assert isinstance(fault_of(bbb.api_url, api.BigBlueButton.ping), faults.NoHooksApi)
    assert isinstance(fault_of(bbb.api_url, api.BigBlueButton.hooks), faults.NoHooksApi)


@pytest.mark.parametrize(
    "body", [PAGE, "<response><returncode>FAILED</returncode><messageKey>unsupportedRequest</messageKey></response>"]
)
def test_a_balancer_has_no_hooks_api_however_it_says_so(bbb: Running, body: str) -> None:
    bbb.fake.answer = answering(body)
    assert isinstance(fault_of(bbb.api_url, api.BigBlueButton.hooks), faults.NoHooksApi)
    assert isinstance(fault_of(bbb.api_url, api.BigBlueButton.ping), faults.NoHooksApi)


def test_a_page_for_a_digest_it_does_not_know_does_not_hide_a_wrong_secret(bbb: Running) -> None:
    bbb.fake.hooks_secret = "another"

    def page_for_long_ones(target: str) -> tuple[int, dict[str, str], bytes] | None:
        return (500, {}, PAGE.encode()) if len(target.partition("checksum=")[2]) > 64 else None

    bbb.fake.answer = page_for_long_ones
    assert isinstance(fault_of(bbb.api_url, api.BigBlueButton.hooks), faults.WrongSecret)


def test_a_signed_call_is_never_logged(bbb: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ask(bbb.api_url, api.BigBlueButton.meetings)
    assert "checksum" not in caplog.text


def test_every_named_fault_of_the_transport_has_a_sentence() -> None:
    url = httpx.URL("https://bbb.example.org/bigbluebutton/api/getMeetings?checksum=1")
    for error in (
        httpx.PoolTimeout("x"),
        httpx.ConnectError("x"),
        httpx.LocalProtocolError("x"),
        httpx.DecodingError("x"),
    ):
        named = faults.from_transport(error, url)
        assert "bbb.example.org" in str(named)
        assert named.hint
