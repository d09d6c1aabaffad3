"""Whether Rollcall is where ROLLCALL_URL says; BigBlueButton delivers there and browsers open it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import httpx

from rollcall import environment
from rollcall.bbb import faults
from rollcall.bbb.api import http_client
from rollcall.bbb.hooks import NoPublicUrl
from rollcall.core.errors import Misconfigured
from rollcall.doctor.findings import Finding, fault, warning
from rollcall.usable import malformed_url

ABOUT = "ROLLCALL_URL"
SECONDS = 10


async def check() -> list[Finding]:
    """Look at the address, then ask for it as BigBlueButton would."""
    url = environment.URL.read().rstrip("/")
    if not url:
        return [fault(ABOUT, NoPublicUrl())]
    if (bad := malformed_url(url)) is not None:
        return [fault(ABOUT, bad)]
    return [*_doubts(url), await _ask(url)]


def _doubts(url: str) -> list[Finding]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_of_this_machine(host):
        return [
            warning(
                ABOUT,
                f"{host} is this machine alone: no other BigBlueButton server reaches it.",
                "Set ROLLCALL_URL to a name the servers know, unless BigBlueButton runs on this machine.",
            )
        ]
    if parts.scheme == "http":
        return [
            warning(
                ABOUT,
                "Webhooks come over http: as BigBlueButton is packaged, each one carries the shared secret in clear.",
                "Put a certificate in front of Rollcall and set ROLLCALL_URL to https://.",
            )
        ]
    return []


def _is_of_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _ask(url: str) -> Finding:
    asked = httpx.URL(f"{url}/health")
    try:
        async with http_client() as http:
            answer = await http.get(asked, timeout=SECONDS)
    except httpx.HTTPError as error:
        named = faults.from_transport(error, asked)
        hint = f"{named.hint} If only this machine cannot reach it by that name, ask from the BigBlueButton server."
        return Finding(ABOUT, str(named), hint, fault(ABOUT, named).level)
    if answer.is_redirect:
        return warning(
            ABOUT,
            f"{url} redirects; BigBlueButton would follow with a GET and lose what it delivers.",
            "Set ROLLCALL_URL to the address it redirects to.",
        )
    if answer.status_code != 200 or answer.text.strip() != "ok":
        named_hint = "Does the proxy in front pass everything to `rollcall serve`, and does that run?"
        wrong = Misconfigured(f"{url} is answered, but not by Rollcall (HTTP {answer.status_code}).", hint=named_hint)
        return fault(ABOUT, wrong)
    return Finding(ABOUT, f"Rollcall answers at {url}.")
