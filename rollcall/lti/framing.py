"""Who may show our pages in a frame: the registered LMSs, by name, and nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpResponse

_HOST: Final = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
"""What may stand in a header among other words: an address at registration is whatever somebody sent."""
_ATTRIBUTE: Final = "framed_by"


def origin_of(address: str) -> str:
    """`https://moodle.example.org` of any address there; blank if it has none."""
    try:
        parts = urlsplit(address)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError):
        return ""
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in {"https", "http"} or not _HOST.fullmatch(host):
        return ""
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def origins_of(platform: Platform) -> set[str]:
    """Of one LMS: that of its site and that of its issuer, which are often the same."""
    return {origin_of(platform.site), origin_of(platform.issuer)} - {""}


def all_origins() -> set[str]:
    """Of all that are registered."""
    return {one for platform in Platform.objects.filter(removed_at=None) for one in origins_of(platform)}


def allow(response: HttpResponse, addresses: Iterable[str]) -> None:
    """This page may be framed by the origins of these addresses, and by no other."""
    setattr(response, _ATTRIBUTE, {origin_of(one) for one in addresses} - {""})


def allowed(response: HttpResponse) -> set[str] | None:
    """What was said so of this page; None if nothing was."""
    found: set[str] | None = getattr(response, _ATTRIBUTE, None)
    return found
