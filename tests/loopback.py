"""Tests reach nothing but this machine."""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from typing import Any

_HERE = re.compile(r"(^|\.)localhost$")
# Names that no network knows (RFC 2606, RFC 6761): asking for one fails at once, as it would with a real resolver.
_NOWHERE = re.compile(r"(^|\.)(invalid|test|example(\.(com|net|org))?)$")


def stay_on_loopback() -> None:
    """From now on this process can neither look up nor call another machine, whatever library tries."""
    sys.addaudithook(_refuse_the_outside)


def _refuse_the_outside(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        _refuse_name(arguments[0])
    elif event in {"socket.connect", "socket.sendto"} and isinstance(address := arguments[1], tuple):
        _refuse_address(str(address[0]))


def _refuse_name(host: str | bytes | None) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host or "localhost"
    if _address(name) or _HERE.search(name):
        return
    if _NOWHERE.search(name):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    raise PermissionError(f"a test wanted the address of {name}; tests stay on this machine")


def _refuse_address(host: str) -> None:
    if host != "localhost" and not ((address := _address(host)) and address.is_loopback):
        raise PermissionError(f"a test wanted to reach {host}; tests stay on this machine")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
