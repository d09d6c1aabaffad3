"""Where a request may go: an address that came with a meeting must not open a way into the operator's own network."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from rollcall import environment
from rollcall.core.errors import Refused

MOST_ADDRESSES: Final = 3
_NAT64: Final = IPv6Network("64:ff9b::/96")
_Address: TypeAlias = IPv4Address | IPv6Address


class NotAllowed(Refused):
    """The operator has not allowed this address."""

    code = "not-allowed"


class NoSuchHost(Refused):
    """Its name has no address, as far as anybody knows just now."""

    code = "no-such-host"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect for a URL; an empty list of addresses leaves looking up the name to whoever connects."""

    url: str
    host: str
    addresses: tuple[str, ...] = ()


def trusted_hosts() -> frozenset[str]:
    """The hosts that may be private or without TLS, by the operator's word."""
    return frozenset(environment.RELAY_HOSTS.read().lower().replace(",", " ").split())


async def destination_of(url: str, trusted: frozenset[str]) -> Destination:
    """Where a request for this URL may go; NotAllowed or NoSuchHost otherwise.

    What was looked up is also what is connected to: a name that answers differently a moment later gains nothing.
    """
    host, port, is_tls = _parts(url)
    if host in trusted:
        return Destination(url, host)
    if not is_tls:
        raise _not_allowed(host, "the address is not https", code="not-https")
    found = await _look_up(host, port)
    if not all(map(is_public, found)):
        raise _not_allowed(host, "it is an address of a private network", code="private-address")
    return Destination(url, host, tuple(map(str, found[:MOST_ADDRESSES])))


def _parts(url: str) -> tuple[str, int, bool]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        raise NotAllowed("The address of the LMS cannot be used.", code="not-an-address", hint="Ask its administrator.")
    return host, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https"


def _not_allowed(host: str, why: str, *, code: str) -> NotAllowed:
    return NotAllowed(
        f"Nothing is sent to {host}: {why}.",
        code=code,
        hint=f"If it is meant to be so, add {host} to {environment.RELAY_HOSTS.name} and start Rollcall again.",
    )


async def _look_up(host: str, port: int) -> list[_Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        async with asyncio.timeout(10):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise NoSuchHost(f"{host} has no address.", hint="Check this machine's name server.") from error
    return list(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))


def is_public(address: _Address) -> bool:
    """Whether everybody may reach it; what is packed into an IPv6 address counts."""
    if isinstance(address, IPv6Address):
        packed = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            packed = IPv4Address(int(address) & 0xFFFFFFFF)
        if packed is not None:
            return is_public(packed)
    return address.is_global and not address.is_multicast
