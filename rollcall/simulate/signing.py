"""The four ways in which a relay has signed its deliveries: written apart from rollcall.bbb, which they test."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rollcall.simulate.sendings import Sending, event_text, form_body

if TYPE_CHECKING:
    from rollcall.simulate.generations import Generation

REGIMES = ("A", "B", "C", "D")
ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
FORM = "application/x-www-form-urlencoded"


def digest(algorithm: str, text: str | bytes) -> str:
    """The hex digest BigBlueButton would write for it."""
    return hashlib.new(algorithm, text if isinstance(text, bytes) else text.encode()).hexdigest()


def call_checksum(call: str, query: str, secret: str, algorithm: str = "sha1") -> str:
    """Of an API call: `hooks/create`, `getMeetings`; the query as sent, without the checksum."""
    return digest(algorithm, f"{call}{query}{secret}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs as one server's relay does. Regime D knows sha1 alone."""

    secret: str
    regime: str = "B"
    algorithm: str = "sha1"
    domain: str = "bbb.example.org"

    def checksum(self, url: str, body: bytes, event: str, sent_at: int) -> str:
        """Over the URL exactly as it was registered."""
        match self.regime:
            case "B":
                return digest(self.algorithm, url.encode() + body + self.secret.encode())
            case "C":
                return digest(self.algorithm, f"{url}{{}}{self.secret}")
            case "D":
                fields = {"event": event, "timestamp": sent_at, "domain": self.domain}
                text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
                return digest("sha1", f"{url}{text}{self.secret}")
        raise ValueError(f"regime {self.regime} has no checksum")

    def sign(self, sending: Sending, url: str, generation: Generation) -> Signed:
        """The request as it goes over the wire."""
        event = event_text(sending.elements)
        body = form_body(event, sending.sent_at, self.domain, generation)
        headers = _headers(generation)
        if self.regime == "A":
            return Signed(path_of(url), body, (*headers, ("Authorization", f"Bearer {self.secret}")))
        checksum = self.checksum(url, body, event, sending.sent_at)
        joint = "&" if "?" in url else "?"
        return Signed(path_of(f"{url}{joint}checksum={checksum}"), body, headers)


@dataclass(frozen=True, slots=True)
class Signed:
    """One request: `path` with its query, the body, the headers that matter."""

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


def path_of(url: str) -> str:
    """The request line's part of a URL; a blank in it is sent as %20."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return (f"{path}?{parts.query}" if parts.query else path).replace(" ", "%20")


def _headers(generation: Generation) -> tuple[tuple[str, str], ...]:
    if generation.is_2x:
        return (("Content-Type", FORM),)
    return (("Content-Type", f"{FORM};charset=UTF-8"), ("User-Agent", "node-fetch"), ("Accept", "*/*"))
