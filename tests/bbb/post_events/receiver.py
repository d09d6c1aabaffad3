"""A stand-in for Rollcall's receiver of records: it verifies, keeps, and answers in Rollcall's form."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.serving import on_a_port


class Receiver:
    """What came in is in `kept`; `answers` are given instead of its own, one request each."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.kept: list[tuple[dict[str, str], bytes]] = []
        self.requests = 0
        self.answers: list[tuple[int, str]] = []
        self.delay = 0.0
        self.url = ""

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        self.requests += 1
        if self.answers:
            return self.answers.pop(0)
        code = refusal_of(headers.get("authorization", ""), self.secret)
        if code:
            return (400, code) if code == "authorization-missing" else (403, code)
        if body == b'{"meeting_id":"probe"}':
            return 410, "probe"
        self.kept.append((headers, body))
        return 200, ""


def refusal_of(authorization: str, secret: str) -> str:
    """The code of what is wrong with a token."""
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer":
        return "authorization-missing"
    signed, _, signature = token.rpartition(".")
    expected = hmac.digest(secret.encode(), signed.encode(), "sha512")
    if base64.urlsafe_b64encode(expected).rstrip(b"=") != signature.encode():
        return "signature-wrong"
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    if header != {"typ": "JWT", "alg": "HS512"} or list(claims) != ["exp"]:
        return "token-algorithm"
    return "" if abs(claims["exp"] - time.time() - 86400) < 60 else "token-expired"


@contextmanager
def receiver(secret: str) -> Iterator[Receiver]:
    rollcall = Receiver(secret)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(rollcall.delay)
            status, code = rollcall.answer({name.lower(): value for name, value in self.headers.items()}, body)
            text = json.dumps({"stored": status == 200, "code": code, "message": f"Because of {code}."}).encode()
            self.close_connection = True
            with suppress(OSError):  # a caller that was killed
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with on_a_port(Handler) as port:
        rollcall.url = f"http://127.0.0.1:{port}/callbacks/token-nobody-guesses"
        yield rollcall
