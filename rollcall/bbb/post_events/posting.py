"""One signed POST, over HTTP/1.1: the reason of a refusal stands in the status phrase, which HTTP/2 has not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

    from rollcall.bbb.post_events.configuration import Configuration

TOKEN_SECONDS = 24 * 3600
_READ_AT_MOST = 16384
_PHRASE_LIMIT = 200


class Answer:
    """What came back: a status, or status 0 and `failure`: unreached (nothing was sent), broken (it may have been)."""

    __slots__ = ("date", "failure", "phrase", "said", "status", "text")

    def __init__(self, status: int, phrase: str, text: str = "", date: str = "") -> None:
        self.status = status
        self.phrase = phrase[:_PHRASE_LIMIT]
        self.text = text
        self.date = date
        self.failure = ""

    def code(self) -> str:
        """The code of an answer in Rollcall's form."""
        return self._member("code")

    def message(self) -> str:
        """The sentence of an answer in Rollcall's form, with what to do."""
        return " ".join(part for part in (self._member("message"), self._member("hint")) if part)

    def _member(self, name: str) -> str:
        try:
            found = json.loads(self.text)
        except ValueError:
            return ""
        return str(found.get(name, "")) if isinstance(found, dict) else ""


def failed(failure: str, sentence: str) -> Answer:
    """No answer, and why."""
    answer = Answer(0, sentence)
    answer.failure = failure
    return answer


def sign_token(secret: str, now: float) -> str:
    """A JWT (RFC 7519) as BigBlueButton makes it: HS512, and no claim but `exp`."""
    claims = {"exp": int(now) + TOKEN_SECONDS}
    signed = _part({"typ": "JWT", "alg": "HS512"}) + b"." + _part(claims)
    key = secret.encode("utf-8", "surrogateescape")
    return (signed + b"." + _base64(hmac.new(key, signed, hashlib.sha512).digest())).decode("ascii")


def _part(value: Mapping[str, object]) -> bytes:
    return _base64(json.dumps(value, separators=(",", ":")).encode("ascii"))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Poster:
    """Posts to one address with one secret."""

    __slots__ = ("configuration", "secret", "url")

    def __init__(self, configuration: Configuration, url: str, secret: str) -> None:
        self.configuration = configuration
        self.url = url
        self.secret = secret

    def host(self) -> str:
        """The address without what is nobody's business: a path may hold a token."""
        return host_of(self.url)

    def post(self, body: bytes | IO[bytes], length: int, content_type: str) -> Answer:
        """Post it; redirects are not followed."""
        try:
            connection = self._connection()
            connection.connect()
        except (OSError, ValueError, http.client.HTTPException) as error:
            return failed("unreached", self._unreached(error))
        try:
            return self._exchange(connection, body, length, content_type)
        except socket.timeout:
            return failed("broken", f"{self.host()} did not answer within {self.configuration.text('timeout')} seconds")
        except (OSError, ValueError, http.client.HTTPException) as error:
            return failed("broken", f"the connection to {self.host()} broke off ({type(error).__name__})")
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError("it is no http or https address")
        proxy = urlsplit(self.configuration.text("proxy"))
        host, port = (proxy.hostname, proxy.port) if proxy.hostname else (address.hostname, address.port)
        timeout = self.configuration.number("connect_timeout")
        if address.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        context = tls_context(self.configuration)
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        if proxy.hostname:
            connection.set_tunnel(address.hostname, address.port or 443)
        return connection

    def _exchange(
        self, connection: http.client.HTTPConnection, body: bytes | IO[bytes], length: int, content_type: str
    ) -> Answer:
        connection.sock.settimeout(self.configuration.number("timeout"))
        target = target_of(self.url)
        if self.configuration.text("proxy") and self.url.startswith("http:"):
            target = f"http://{self.host()}{target}"
        connection.request("POST", target, body=body, headers=self._headers(length, content_type))
        response = connection.getresponse()
        text = response.read(_READ_AT_MOST).decode("utf-8", "replace")
        return Answer(response.status, response.reason or "", text, response.getheader("Date") or "")

    def _headers(self, length: int, content_type: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {sign_token(self.secret, time.time())}",
            "Content-Type": content_type,
            "Content-Length": str(length),
            "User-Agent": "BigBlueButton Analytics Callback (Rollcall)",
            "Connection": "close",
        }

    def _unreached(self, error: Exception) -> str:
        host = self.host()
        if isinstance(error, (ssl.SSLError, ssl.CertificateError)):
            return f"the certificate or TLS of {host} is not accepted here ({_reason(error)})"
        if isinstance(error, (socket.gaierror, UnicodeError)):
            return f"this host finds no address of {host}"
        if isinstance(error, ConnectionRefusedError):
            return f"{host} refused the connection"
        if isinstance(error, socket.timeout):
            return f"{host} let nobody in within {self.configuration.text('connect_timeout')} seconds"
        return f"{host} cannot be reached ({_reason(error)})"


def tls_context(configuration: Configuration) -> ssl.SSLContext:
    """How certificates are looked at."""
    ca_file = configuration.path("ca_file") if configuration.text("ca_file") else None
    context = ssl.create_default_context(cafile=ca_file)
    if not configuration.is_on("verify_tls"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def host_of(url: str) -> str:
    """The name and port of an address."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "the address"
    except ValueError:
        return "the address"


def target_of(url: str) -> str:
    """What stands in the request line."""
    address = urlsplit(url)
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    # What is no part of a URL, as blanks and letters of any script, is sent as a browser would.
    return "".join(
        chr(byte) if 33 <= byte < 127 else f"%{byte:02X}" for byte in target.encode("utf-8", "surrogateescape")
    )


def _reason(error: Exception) -> str:
    return getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__
