"""What the relay's requests connect to over TLS, and whom they trust."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rollcall.deliveries.post import Answer, Silence, post
from rollcall.outgoing import addresses
from rollcall.outgoing.connecting import http_client
from tests.servers import free_port
from tests.serving import on_a_port

NOBODY: frozenset[str] = frozenset()


class Tls:
    """A web server with a certificate for `localhost`, and what it was asked."""

    def __init__(self, folder: Path, ends: dt.timedelta = dt.timedelta(hours=1)) -> None:
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
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.certificate.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Its address, while the block lasts."""
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                here.hosts.append(self.headers["host"])
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(410, "Gone. The activity may have been deleted")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        with on_a_port(Handler, context=context) as port:
            yield f"https://localhost:{port}"


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Tls, str]]:
    """The server and its address; this process is told that loopback were public."""
    here = Tls(tmp_path)
    monkeypatch.setattr(addresses, "is_public", lambda address: address.is_loopback)
    with here.serving() as base:
        yield here, f"{base}/mod/bigbluebuttonbn/bbb_broker.php"


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
