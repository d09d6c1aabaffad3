"""Where a request may go: an address that somebody else chose must not open a way into the operator's own network."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

import httpx

from rollcall import environment
from rollcall.core.errors import Refused

MOST_ADDRESSES: Final = 3
AT_ONCE: Final = 8
"""Names that are looked up at a time."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
# Python 3.11 takes much for global that is not, or not any more: of IPv6 only this is given out, of it not all.
_GIVEN_OUT: Final = IPv6Network("2000::/3")
_NOT_PUBLIC: Final = (IPv6Network("3fff::/20"), IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
_Address: TypeAlias = IPv4Address | IPv6Address


class NotAllowed(Refused):
    """The operator has not allowed this address."""

    code = "not-allowed"


class NoSuchHost(Refused):
    """Its name has no address, as far as anybody knows just now."""

    code = "no-such-host"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect for a URL; an empty list of addresses leaves looking up the name to whoever connects.

    Both `url` and `host` are as they are sent, a name of any script in ASCII.
    """

    url: str
    host: str
    addresses: tuple[str, ...] = ()


def trusted_hosts() -> frozenset[str]:
    """The hosts that may be private or without TLS, by the operator's word."""
    return frozenset(map(_plain, environment.LMS_HOSTS.read().lower().replace(",", " ").split()))


def _plain(host: str) -> str:
    """As it is sent; one that no address can have fits none."""
    try:
        return host if host.isascii() else _in_ascii(host)
    except httpx.InvalidURL:
        return host


def _in_ascii(host: str) -> str:
    """A name of another script as name servers and certificates know it."""
    return httpx.URL(scheme="https", host=host).raw_host.decode()


async def destination_of(url: str, trusted: frozenset[str]) -> Destination:
    """Where a request for this URL may go; NotAllowed or NoSuchHost otherwise.

    What was looked up is also what is connected to: a name that answers differently a moment later gains nothing.
    """
    parts, host = _parts(url)
    port, is_tls = parts.port, parts.scheme == "https"
    url = parts._replace(netloc=netloc(host, port)).geturl()
    if host in trusted:
        return Destination(url, host)
    if not is_tls:
        raise _not_allowed(host, "the address is not https", code="not-https")
    found = await _look_up(host, port or 443)
    if not all(map(is_public, found)):
        raise _not_allowed(host, "it is an address of a private network", code="private-address")
    return Destination(url, host, tuple(map(str, found[:MOST_ADDRESSES])))


def _parts(url: str) -> tuple[SplitResult, str]:
    """The parts of an address that can be used, and its host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        host = host if host.isascii() else _in_ascii(host)
        is_usable = parts.scheme in {"http", "https"} and bool(host) and parts.username is None and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        parts, host, is_usable = urlsplit(""), "", False
    if not is_usable:
        raise NotAllowed("The address of the LMS cannot be used.", code="not-an-address", hint="Ask its administrator.")
    return parts, host


def netloc(host: str, port: int | None) -> str:
    """A host or address as it stands in a URL."""
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if port else name


def _not_allowed(host: str, why: str, *, code: str) -> NotAllowed:
    return NotAllowed(
        f"Nothing is asked of or sent to {host}: {why}.",
        code=code,
        hint=f"If it is meant to be so, add {host} to {environment.LMS_HOSTS.name} and start Rollcall again.",
    )


@cache
def _looking_up() -> ThreadPoolExecutor:
    """Threads of their own: where a name server hangs, nothing else that needs a thread waits behind it."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="looking-up")


async def _look_up(host: str, port: int) -> list[_Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        async with asyncio.timeout(10):
            ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            found = await asyncio.get_running_loop().run_in_executor(_looking_up(), ask)
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
        if address not in _GIVEN_OUT:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)
