"""One question and its reply: what is sent, what is read of an answer, and what is made of silence."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from threading import Event

import pytest

from rollcall.outgoing.addresses import NotAllowed
from rollcall.outgoing.asking import NoReply, Question, ask_now
from tests.lti.standin import StandIn
from tests.servers import free_port


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Something on loopback that the operator allows."""
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1, moodle.invalid")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    here = StandIn()
    with here.serving():
        yield here


def code(question: Question) -> str:
    with pytest.raises(NoReply) as silence:
        ask_now(question)
    assert str(silence.value)
    assert silence.value.hint
    return silence.value.code


def test_what_is_asked_arrives_and_what_is_answered_comes_back(server: StandIn) -> None:
    server.answers["/scores"] = (201, "application/json", b"{}")
    reply = ask_now(Question(f"{server.base}/scores?x=1", "POST", {"Content-Type": "a/b"}, b"body"))
    ((method, path, headers, body),) = server.taken
    assert (method, path, body) == ("POST", "/scores?x=1", b"body")
    assert headers["Content-Type"] == "a/b"
    assert headers["User-Agent"].startswith("rollcall/")
    assert (reply.status, reply.phrase, reply.content, reply.is_success) == (201, "Created", b"{}", True)
    assert reply.headers["content-type"] == "application/json"


def test_a_redirect_is_an_answer_and_is_not_followed(server: StandIn) -> None:
    server.answers["/a"] = (302, "text/html", b"/b")
    reply = ask_now(Question(f"{server.base}/a"))
    assert (reply.status, reply.is_success, len(server.taken)) == (302, False, 1)


def test_no_more_is_read_than_was_asked_for(server: StandIn) -> None:
    server.answers["/a"] = (200, "text/html", b"x" * 1001)
    assert code(Question(f"{server.base}/a", at_most=1000)) == "too-big"
    assert len(ask_now(Question(f"{server.base}/a", at_most=1001)).content) == 1001


def test_what_is_packed_is_not_unpacked(server: StandIn) -> None:
    packed = gzip.compress(b"0" * 1_000_000)
    server.answers["/a"] = (200, "application/gzip", packed)
    assert ask_now(Question(f"{server.base}/a", at_most=len(packed))).content == packed


def test_silence_has_a_code_and_says_what_to_do(server: StandIn) -> None:
    assert code(Question(f"http://127.0.0.1:{free_port()}/")) == "unreachable"
    assert code(Question("https://moodle.invalid/")) in {"unreachable", "no-such-host"}
    assert code(Question(f"{server.base.replace('http', 'https')}/")) == "tls"


@pytest.mark.parametrize("host", ["slow.example", "moodle.invalid"])
def test_a_name_server_that_hangs_is_not_waited_for(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    answers = Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answers.wait(20))
    began = time.monotonic()
    try:
        assert code(Question(f"https://{host}/", seconds=0.1)) == "timeout"
        assert time.monotonic() - began < 10
    finally:
        answers.set()


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "https://[::1]/", "file:///etc/passwd", "https://169.254.169.254/"]
)
def test_where_it_may_not_go_it_does_not_go(server: StandIn, url: str) -> None:
    with pytest.raises(NotAllowed):
        ask_now(Question(url))
    assert not server.taken
