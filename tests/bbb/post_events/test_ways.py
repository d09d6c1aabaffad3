"""The ways a post goes: TLS, proxies, terminals of any language; and all faults at once."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.bbb.post_events.configuration import read_configuration
from rollcall.bbb.post_events.host import Host
from rollcall.bbb.post_events.journal import Journal
from rollcall.bbb.post_events.sending import Sender
from tests.bbb.post_events.conftest import SEED
from tests.bbb.post_events.hosts import MEETING, SECRET, HostTree, a_host, events_xml, program_text
from tests.bbb.post_events.receiver import Receiver
from tests.bbb.post_events.test_single_file import older_pythons
from tests.moodle import Activity, moodle


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for `localhost` that nobody has heard of, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption()))
    return path


@contextlib.contextmanager
def in_between(target: str, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A port that passes each connection on to `target`, after TLS or a CONNECT; and what each began with."""
    begun: list[bytes] = []
    port = int(target.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                with contextlib.suppress(TimeoutError):
                    plain, _ = listening.accept()
                    with contextlib.suppress(OSError):
                        pass_on(plain, context, port, begun)
                    plain.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], begun
        finally:
            is_over.set()
            thread.join()


def pass_on(plain: socket.socket, context: ssl.SSLContext | None, port: int, begun: list[bytes]) -> None:
    """One exchange: everything up to the body's end there, everything up to the end back."""
    plain.settimeout(10)
    with context.wrap_socket(plain, server_side=True) if context else plain as caller:
        request = read_request(caller)
        begun.append(request.partition(b"\r\n")[0])
        if request.startswith(b"CONNECT"):
            caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", port)) as target:
            target.sendall(request)
            while data := target.recv(65536):
                caller.sendall(data)


def read_request(caller: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += caller.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += caller.recv(65536)
    return head + b"\r\n\r\n" + body


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_nobody_has_heard_of_is_refused_until_its_authority_is_named(
    host: HostTree, rollcall: Receiver, certificate: Path
) -> None:
    target, path = rollcall.url.rsplit("/callbacks")[0], "/callbacks/token-nobody-guesses"
    with in_between(target, context_of(certificate)) as (port, _):
        host.configure(rollcall_url=f"https://localhost:{port}{path}")
        host.keep(events_xml())
        host.run("-m", MEETING)
        assert "the certificate or TLS of localhost" in host.log()[-1]
        assert rollcall.requests == 0
        host.write("etc/ssl/own.pem", certificate.read_text())
        host.configure(rollcall_url=f"https://localhost:{port}{path}", ca_file="/etc/ssl/own.pem")
        host.run("--resend", "-m", MEETING)
        host.configure(rollcall_url=f"https://localhost:{port}{path}", verify_tls="no")
        host.run("--resend", "-m", MEETING)
    assert len(rollcall.kept) == 2


def test_a_proxy_takes_plain_posts_and_opens_ways_for_others(host: HostTree, rollcall: Receiver) -> None:
    with in_between(rollcall.url.rsplit("/callbacks")[0]) as (port, begun):
        host.configure(rollcall_url=rollcall.url, proxy=f"http://127.0.0.1:{port}")
        host.keep(events_xml("https://moodle.example.org/mod/bigbluebuttonbn/bbb_broker.php"))
        host.run("-m", MEETING)
    assert len(rollcall.kept) == 1
    assert begun == [
        b"CONNECT moodle.example.org:443 HTTP/1.0" if sys.version_info < (3, 12) else begun[0],
        f"POST {rollcall.url} HTTP/1.1".encode(),
    ]
    assert begun[0].startswith(b"CONNECT moodle.example.org:443 ")


def test_an_address_that_is_none_is_said(host: HostTree) -> None:
    for url in ("ftp://lms.example.org/x", "lms.example.org", "http://", "http://[/x", "https://lms.example.org:port/"):
        host.keep(events_xml(url))
        assert host.run("-m", MEETING).returncode == 0
        assert "cannot be reached" in host.log()[-1], url
        host.path(f"var/bigbluebutton/rollcall/{MEETING}.json").unlink()


@pytest.mark.parametrize("python", older_pythons()[:1] or [sys.executable])
def test_a_worker_without_a_locale_is_no_obstacle(tmp_path: Path, python: str) -> None:
    """A service of systemd has none; a phrase, an id and a name are in any script."""
    host = a_host(tmp_path / "host")
    host.python = python
    host.environment |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with moodle(SECRET, {1: Activity(SEED)}) as site:
        xml = events_xml(site.url(1), ("4711", "γκεστ"), external=site.meeting_id(1))
        host.keep(xml.replace("Ada", "Ελένη").replace('name="Algebra"', 'name="Άλγεβρα"'))
        done = host.run("-m", MEETING)
        assert (done.returncode, done.stderr) == (0, "")
        assert site.credited(1) == {4711: 1}
        assert host.run("--dry-run", "-m", MEETING).returncode == 0
        assert host.run("--check").stderr == ""


def test_a_phrase_of_any_length_and_script_is_logged_as_one_short_line(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.environment |= {"LC_ALL": "C"}
    rollcall.answers = [(403, "é" * 5000)]
    host.keep(events_xml())
    done = host.run("-m", MEETING)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_meeting_that_names_rollcall_itself_goes_there_once(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    host.keep(events_xml(rollcall.url))
    host.run("-m", MEETING)
    [(headers, _)] = rollcall.kept
    assert headers["content-type"] == "application/gzip"


def test_what_is_owed_and_not_due_is_said_to_whoever_asks(host: HostTree, rollcall: Receiver) -> None:
    host.configure(rollcall_url=rollcall.url)
    rollcall.answers = [(503, "not-stored")]
    host.keep(events_xml())
    host.run("-m", MEETING)
    assert "not delivered yet: 503" in host.run("-m", MEETING).stdout
    assert rollcall.requests == 1


# All faults at once

FAULTS = st.sampled_from(["503", "429", "close-before", "close-after", "502-after", "500-after", ""])


@settings(max_examples=25)
@given(
    st.lists(FAULTS, max_size=6),
    st.lists(st.sampled_from(["4711", "4712", "4713", "guest", "w_aaaaaaaaaaaa", "0", "-5"]), min_size=1, unique=True),
    st.booleans(),
)
def test_whatever_fails_on_the_way_everybody_is_credited_once(
    tmp_path_factory: pytest.TempPathFactory, faults: list[str], people: list[str], is_silent: bool
) -> None:
    """Retries by our own rules, with pauses left out, until nothing is owed."""
    tree = HostTree(tmp_path_factory.mktemp("host"), "3.0")
    with moodle(SECRET, {1: Activity(SEED)}) as site:
        site.faults, site.swallows_phrases = list(faults), is_silent
        tree.write("etc/bigbluebutton/bbb-web.properties", f"securitySalt={SECRET}\n")
        tree.keep(events_xml(site.url(1), people, external=site.meeting_id(1)))
        for _ in range(len(faults) + 1):
            if tree.spooled():
                tree.hurry()
            host = Host(str(tree.root))
            configuration = read_configuration(host)
            Sender(configuration, Journal(configuration.path("log"), is_quiet=True)).send(MEETING)
        expected = Counter({int(person): 1 for person in people if person in {"4711", "4712", "4713"}})
        assert site.credited(1) == expected
    assert tree.spooled()["deliveries"]["lms"]["state"] == "done"


def test_runs_that_are_killed_at_any_moment_lose_nobody(tmp_path: Path) -> None:
    """Twelve runs, each shot after a little longer; then one is let through."""
    host = a_host(tmp_path / "host")
    program = host.path("usr/local/bigbluebutton/core/scripts/post_events/rollcall_post_events.py")
    assert program.read_text() == program_text()
    with moodle(SECRET, {1: Activity(SEED)}) as site:
        host.keep(events_xml(site.url(1), external=site.meeting_id(1)))
        for number in range(12):
            command = [host.python, "-I", "-S", os.fspath(program), "-m", MEETING]
            run = subprocess.Popen(
                command, env=host.surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(0.05 + number * 0.02)
            run.kill()
            run.wait()
            if host.spooled():
                host.hurry()
        host.run("-m", MEETING)
        assert site.credited(1) == {4711: 1, 4712: 1}
    assert (
        json.loads(host.path(f"var/bigbluebutton/rollcall/{MEETING}.json").read_text())["deliveries"]["lms"]["state"]
        == "done"
    )
