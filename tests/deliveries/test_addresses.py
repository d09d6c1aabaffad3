"""Where a request may go, and where it does not."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from rollcall.deliveries import addresses
from rollcall.deliveries.addresses import NoSuchHost, NotAllowed, destination_of, is_public, trusted_hosts
from rollcall.deliveries.post import Answer, Silence, http_client, post
from tests.servers import free_port

NOBODY: frozenset[str] = frozenset()


def refusal(url: str, trusted: frozenset[str] = NOBODY) -> str:
    with pytest.raises(NotAllowed) as refused:
        asyncio.run(destination_of(url, trusted))
    return refused.value.code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[::ffff:10.0.0.1]",
        "[2002:7f00:1::]",
        "[64:ff9b::a00:1]",
        "[ff0e::1]",
        "[fec0::1]",
        "[64:ff9b:1::7f00:1]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[2001:0:7f00:1::]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[4000::1]",
        "192.0.0.8",
        "192.0.0.170",
        "192.88.99.1",
        "localhost",
    ],
)
def test_nothing_goes_into_a_private_network(host: str) -> None:
    assert refusal(f"https://{host}/mod/bigbluebuttonbn/bbb_broker.php") == "private-address"


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::5db8:d70e", "2002:5db8:d70e::"])
def test_what_everybody_reaches_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example.org/",
        "https://",
        "https://u:p@1.1.1.1/",
        "https://[/",
        "x",
        "https://a:b/",
        "https://a..ü/",
        "https://ü\u200b/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert refusal(url) == "not-an-address"


def test_nothing_goes_unprotected() -> None:
    assert refusal("http://93.184.215.14/") == "not-https"


def test_the_operators_word_opens_the_way() -> None:
    destination = asyncio.run(destination_of("http://Moodle.School.LAN:8080/x", frozenset({"moodle.school.lan"})))
    assert (destination.host, destination.addresses) == ("moodle.school.lan", ())
    assert refusal("http://other.school.lan/", frozenset({"moodle.school.lan"})) == "not-https"


def test_a_name_of_any_script_is_asked_for_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_RELAY_HOSTS", "ΣΧΟΛΕΊΟ.example, a..ü")
    trusted = trusted_hosts()
    asked = asyncio.run(destination_of("https://σχολείο.example:8443/x?a=1", trusted))
    assert asked.host == "xn--kxalrpdt2a.example"
    assert asked.url == f"https://{asked.host}:8443/x?a=1"
    assert asyncio.run(destination_of(asked.url, trusted)) == asked


def test_the_setting_holds_several_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_RELAY_HOSTS", "Moodle.School.lan, 10.1.2.3  other")
    assert trusted_hosts() == {"moodle.school.lan", "10.1.2.3", "other"}


def test_a_name_without_an_address_is_told_from_a_forbidden_one() -> None:
    with pytest.raises(NoSuchHost):
        asyncio.run(destination_of("https://moodle.invalid/", NOBODY))


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [ip_address("93.184.215.14"), ip_address("10.0.0.1")]

    async def looked_up(host: str, port: int) -> list[Any]:
        return found

    monkeypatch.setattr(addresses, "_look_up", looked_up)
    assert refusal("https://moodle.example.org/") == "private-address"


@given(st.ip_addresses(v=4))
def test_packing_an_address_into_another_hides_nothing(address: Any) -> None:
    packed = [ip_address(f"::ffff:{address}"), ip_address(int(ip_address("64:ff9b::")) + int(address))]
    assert {is_public(one) for one in packed} == {is_public(address)}


# -- over TLS


class Tls:
    """A web server with a certificate for `localhost`, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.hosts: list[str] = []
        self.certificate = folder / "certificate.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.certificate.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Tls, str]]:
    """The server and its address; this process is told that loopback were public."""
    here = Tls(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            here.hosts.append(self.headers["host"])
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(410, "Gone. The activity may have been deleted")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    monkeypatch.setattr(addresses, "is_public", lambda address: address.is_loopback)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(here.certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield here, f"https://localhost:{server.server_port}/mod/bigbluebuttonbn/bbb_broker.php"
        server.shutdown()
        thread.join()


def ask(url: str) -> Answer | Silence:
    async def once() -> Answer | Silence:
        async with http_client() as http:
            return await post(http, url, b"{}", "token", NOBODY)

    return asyncio.run(once())


def test_what_was_looked_up_is_connected_to_and_the_certificate_is_that_of_the_name(
    tls: tuple[Tls, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, url = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(here.certificate))
    answer = ask(url)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.phrase) == (410, "Gone. The activity may have been deleted")
    assert here.hosts == [url.split("/")[2]]


def test_a_certificate_of_another_name_is_not_trusted(tls: tuple[Tls, str], monkeypatch: pytest.MonkeyPatch) -> None:
    here, url = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(here.certificate))
    answer = ask(url.replace("localhost", "127.0.0.1"))
    assert isinstance(answer, Silence)
    assert (answer.fault, answer.is_safe) == ("tls", True)
    assert here.hosts == []


def test_a_certificate_nobody_vouches_for_is_not_trusted(tls: tuple[Tls, str]) -> None:
    answer = ask(tls[1])
    assert isinstance(answer, Silence)
    assert (answer.fault, answer.is_safe) == ("tls", True)


def test_a_name_of_another_script_is_connected_to(tls: tuple[Tls, str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked_up(host: str, port: int) -> list[Any]:
        return [ip_address("127.0.0.1")]

    monkeypatch.setattr(addresses, "_look_up", looked_up)
    answer = ask(tls[1].replace("localhost", "münchen.example"))
    assert answer == Silence("tls", is_safe=True, took_ms=answer.took_ms)


def test_a_fault_of_our_own_before_sending_is_a_safe_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: address.is_loopback)
    answer = ask(f"https://127.0.0.1:{free_port()}/\ud800")
    assert answer == Silence("own-fault", is_safe=True, took_ms=answer.took_ms)


def test_a_closed_port_is_a_safe_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: address.is_loopback)
    answer = ask(f"https://127.0.0.1:{free_port()}/")
    assert isinstance(answer, Silence)
    assert (answer.fault, answer.is_safe) == ("unreachable", True)
